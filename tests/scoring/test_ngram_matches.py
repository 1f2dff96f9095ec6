"""Matching n-grams: compiled, with numpy and one by one they are the same numbers."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import ngram_matches
from support.sanitizers import SANITIZERS, run_sanitized

from llamax_cli.scoring import ngram_matches as compiled
from llamax_cli.scoring import ngrams

SOURCE = Path(__file__).parents[2] / "llamax_cli" / "scoring" / "ngram_matches.c"


def test_the_compiled_counts_are_those_of_one_by_one() -> None:
    """For any number of segments, references and orders."""
    assert ngram_matches.check(compiled.count_matches, 2000) > 10_000


def test_numpy_counts_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where llamax was installed without a C compiler, and with several references."""
    for seed in range(200):
        hypotheses, references, max_order = ngram_matches.batch(random.Random(seed))
        if not references:
            continue
        first, *more = references
        with_code = ngrams.count_matches(hypotheses, first, max_order, more)
        with monkeypatch.context() as patch:
            patch.setattr(ngrams, "ngram_matches", None)
            alone = ngrams.count_matches(hypotheses, first, max_order, more)
        assert (with_code.shape, with_code.dtype) == (alone.shape, alone.dtype)
        assert np.array_equal(with_code, alone)


def test_one_long_text() -> None:
    """A table that grows, and then one for a short text."""
    long = np.random.default_rng(0).integers(0, 50, 20_000, np.uint32).tobytes()
    hypotheses, references = [long[:4000], long[4:], long[:40]], [long, long[:-4], long[:40]]
    found = ngrams.count_matches(hypotheses, references, 6)
    assert found.tolist() == ngram_matches.count_matches(hypotheses, (references,), 6)


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_no_byte_outside_is_read_or_written(tmp_path: Path, sanitizer: str) -> None:
    """Compiled with a sanitizer."""
    assert int(run_sanitized(sanitizer, SOURCE, "support.ngram_matches", tmp_path, 2000)) > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([b"abcd"], ([],), 4), "not a list with a reference for each"),
        (([b"abcd"], ((b"abcd",),), 4), "not a list with a reference for each"),
        (([b"abc"], ([b"abcd"],), 4), "four bytes for each token"),
        (([b""], ([b""],), 0), "the order is not from 1 to 16"),
        (([b""], ([b""],), 17), "the order is not from 1 to 16"),
        ((["a"], ([b""],), 4), "expected bytes"),
        ((b"", ([b""],), 4), "must be list"),
    ],
)
def test_nonsense_is_refused(arguments: Any, message: str) -> None:
    """And does not crash."""
    with pytest.raises((TypeError, ValueError), match=message):
        compiled.count_matches(*arguments)
