"""Texts put together from the tokens of their words: compiled and in Python they are the same."""

import gc
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from support import word_tokens
from support.sanitizers import SANITIZERS, run_sanitized

from llamax_cli.scoring.spm_tokenizer import PythonWordTokens
from llamax_cli.scoring.word_tokens import WordTokens

SOURCE = Path(__file__).parents[2] / "llamax_cli" / "scoring" / "word_tokens.c"


@pytest.mark.parametrize("kind", [WordTokens, PythonWordTokens])
def test_texts_have_the_tokens_of_their_words(kind: Any) -> None:
    """Also where words are not known, or have no tokens of their own."""
    assert word_tokens.check(kind, 300) > 300


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_no_byte_outside_is_read_or_written(tmp_path: Path, sanitizer: str) -> None:
    """Compiled with a sanitizer."""
    assert int(run_sanitized(sanitizer, SOURCE, "support.word_tokens", tmp_path, 300)) > 300


def test_it_gives_its_memory_back() -> None:
    """A word takes less than a hundred bytes, which `clear` frees."""
    tracemalloc.start()
    try:
        words = WordTokens()
        for number in range(50_000):
            words.add(f"word {number}", bytes(8))
        kept = tracemalloc.get_traced_memory()[0]
        assert len(words) == 50_000 and 50_000 * 30 < kept < 50_000 * 150
        words.clear()
        gc.collect()
        assert len(words) == 0 and tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()


def test_nonsense_is_refused() -> None:
    """And does not crash."""
    words = WordTokens()
    for bad in (("a", b"abc"), ("a",), (1, b"")):
        with pytest.raises((TypeError, ValueError)):
            words.add(*bad)  # type: ignore[call-arg,arg-type]
    for texts in ("a", ["a", 1], ["\ud800"]):
        with pytest.raises((TypeError, UnicodeEncodeError)):
            words.join(texts)  # type: ignore[arg-type]
