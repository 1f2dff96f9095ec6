"""Records annotated with the languages of their texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from llamax_cli.errors import RecordError, UsageError
from llamax_cli.identification.detectors import DEFAULT, WITH_MODEL, Prediction
from llamax_cli.identification.identifier import Identifier, has_letters
from llamax_cli.records import Record, boolean, language, number, text
from llamax_cli.streams.chunks import Tally

WITHOUT_LETTERS = "without letters"
MT, TEXT, PAIR = ("mt",), ("text",), ("src", "tgt")
LANGUAGE_OF = {"text": "lang", "src": "src_lang", "tgt": "tgt_lang", "mt": "tgt_lang"}


class Identification(NamedTuple):
    """The language of one text of a record.

    agrees: whether it is the declared language; None if none is declared, or one that the detector does not know, or if
    there is text without a letter.
    score: the probability; 0.0 if there is no `lid`.
    is_empty, lacks_letters: whether the text is only white space, or something else without a letter.
    """

    field: str
    declared: str | None
    lid: str | None
    score: float
    agrees: bool | None
    is_empty: bool = False
    lacks_letters: bool = False


@dataclass(frozen=True)
class AnnotationRequest:
    """Which texts to identify, and with which detector.

    fields: the keys of the texts; empty for `mt` in translations, `text` in texts, and both sides of pairs.
    detector: its name; None for the default, or with a model for the one that reads models.
    reuse: a translation that already has `on_target` is not identified again.
    """

    fields: tuple[str, ...] = ()
    detector: str | None = None
    model: Path | None = None
    reuse: bool = False

    def __post_init__(self) -> None:
        if len(set(map(_key, self.fields))) < len(self.fields):
            raise UsageError(f"--field {','.join(self.fields)}: two of these fields have the same output key")

    @property
    def detector_name(self) -> str:
        """The name of the detector, chosen or not."""
        return self.detector or (DEFAULT if self.model is None else WITH_MODEL)

    def annotator(self) -> "Annotator":
        """Return an annotator; FileError or UsageError if the detector is not available."""
        return Annotator(self, Identifier(self.detector_name, self.model))


class Annotator:
    """Identifies the texts of records, one record per call."""

    def __init__(self, request: AnnotationRequest, identifier: Identifier) -> None:
        self._fields = request.fields
        self._reuse = request.reuse
        self.identifier = identifier

    def __call__(self, record: Record, tally: Tally) -> list[Identification]:
        """Write `lid`, `lid_score` and `on_target` into the record and return the identifications, one for each text.

        {"mt": "Guten Tag", "tgt_lang": "de"} gets {"lid": "de", "lid_score": 0.99, "on_target": true}
        """
        identifications: list[Identification] = []
        for field in self._fields or _default_fields(record):
            if self._reuse and field == "mt" and "on_target" in record:
                identification = _read_identification(record)
            else:
                identification = self._identify(record, field)
                _write(record, identification)
            identifications.append(identification)
        for identification in identifications:  # only now: a record whose second text is wrong counts for nothing
            _count(identification, tally)
        return identifications

    def annotate_batch(self, records: Sequence[Record], tally: Tally) -> None:
        """Do that to many records, which is faster: what the detector needs stays in the cache of the processor.

        Where it raises RecordError, the records must be read again.
        """
        if self._reuse or any(field.startswith(("lid", "on_target")) for field in self._fields):
            for record in records:  # one by one, because what is written is read
                self(record, tally)
            return
        texts = [
            (record, field, _declared(record, field), text(record, field))
            for record in records
            for field in self._fields or _default_fields(record)
        ]
        answers = [self.identifier(content, declared) for _, _, declared, content in texts]
        for (record, field, declared, content), answer in zip(texts, answers, strict=True):
            identification = self._judge(field, declared, content, answer)
            _write(record, identification)
            _count(identification, tally)

    def _identify(self, record: Record, field: str) -> Identification:
        declared = _declared(record, field)
        content = text(record, field)
        return self._judge(field, declared, content, self.identifier(content, declared))

    def _judge(self, field: str, declared: str | None, content: str, answer: Prediction) -> Identification:
        code, score = answer or (None, 0.0)
        expected = self.identifier.known_code(declared) if declared else None
        is_empty = not content.strip()
        lacks_letters = code is None and not is_empty and not has_letters(content)
        agrees = code == expected if expected and not lacks_letters else None
        return Identification(field, declared, code, score, agrees, is_empty, lacks_letters)


def _declared(record: Record, field: str) -> str | None:
    """Return the language that the record declares for a text, None if it declares none."""
    key = LANGUAGE_OF.get(field)
    return language(record, key) if key in record else None


def _read_identification(record: Record) -> Identification:
    """Return what an earlier run found of the translation."""
    code = language(record, "lid") if "lid" in record else None
    score = number(record, "lid_score") if "lid_score" in record else 0.0
    is_empty = not text(record, "mt").strip()
    return Identification("mt", _declared(record, "mt"), code, score, boolean(record, "on_target"), is_empty)


def _default_fields(record: Record) -> Sequence[str]:
    if "mt" in record:
        return MT
    if "text" in record:
        return TEXT
    if "src" in record and "tgt" in record:
        return PAIR
    raise RecordError(f"no 'text', 'mt' or 'src' and 'tgt' in the record (it has {', '.join(record) or 'nothing'})")


def _key(field: str) -> str:
    """Return the key for the language of a text: `lid` for the main text of a record, `lid_src` for another field."""
    return "lid" if field in ("text", "mt") else f"lid_{field}"


def _write(record: Record, identification: Identification) -> None:
    key = _key(identification.field)
    _set(record, key, identification.lid)
    _set(record, f"{key}_score", identification.score if identification.lid else None)
    if identification.field == "mt":
        _set(record, "on_target", identification.agrees)


def _set(record: Record, key: str, new: str | float | None) -> None:
    """Set a key, or delete it if there is no value."""
    if new is None:
        record.pop(key, None)
    else:
        record[key] = new


def _count(identification: Identification, tally: Tally) -> None:
    if identification.is_empty:
        tally["empty"] += 1
    elif identification.lacks_letters:
        tally[WITHOUT_LETTERS] += 1
        return
    elif identification.lid is None:
        tally["not identified"] += 1
    if identification.agrees is None:
        if identification.declared:
            tally[f"unsupported {identification.declared}"] += 1
    elif identification.field == "mt":
        tally["on target" if identification.agrees else "off target"] += 1
