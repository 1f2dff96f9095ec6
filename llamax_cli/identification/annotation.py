"""What langid writes into a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from llamax_cli.errors import RecordError, UsageError
from llamax_cli.identification.detectors import DEFAULT
from llamax_cli.identification.labels import Identifier
from llamax_cli.records import Record, language, text, value
from llamax_cli.streams.chunks import Tally

LANGUAGE_OF = {"text": "lang", "src": "src_lang", "tgt": "tgt_lang", "mt": "tgt_lang"}


class Finding(NamedTuple):
    """What one text was found to be.

    `agrees`: whether that is the declared language; None where none is declared, or one that the detector lacks.
    `score` is 0.0 where there is no `lid`.
    """

    field: str
    declared: str | None
    lid: str | None
    score: float
    agrees: bool | None
    is_empty: bool = False


@dataclass(frozen=True)
class AnnotationRequest:
    """Which texts to identify, and with what.

    No `fields`: the translation of a translation, the text of a text, both sides of a pair. `trusting`: a translation
    that was identified already is taken as it is.
    """

    fields: tuple[str, ...] = ()
    detector: str = DEFAULT
    model: Path | None = None
    trusting: bool = False

    def __post_init__(self) -> None:
        if len(set(map(_key, self.fields))) < len(self.fields):
            raise UsageError(f"--field {','.join(self.fields)}: two of these would be written to one key")

    def annotator(self) -> "Annotator":
        """Return what annotates records; raises where the detector cannot be had."""
        return Annotator(self, Identifier(self.detector, self.model))


class Annotator:
    """Identifies the texts of one record after the other."""

    def __init__(self, request: AnnotationRequest, identifier: Identifier) -> None:
        self._fields = request.fields
        self._trusts = request.trusting
        self.identifier = identifier

    def __call__(self, record: Record, tally: Tally) -> list[Finding]:
        """Write `lid`, `lid_score` and `on_target` into the record and return the findings, one for each text.

        {"mt": "Guten Tag", "tgt_lang": "de"} gets {"lid": "de", "lid_score": 0.99, "on_target": true}
        """
        findings: list[Finding] = []
        for field in self._fields or _texts(record):
            if self._trusts and field == "mt" and "on_target" in record:
                finding = _found_before(record)
            else:
                finding = self._find(record, field)
                _write(record, finding)
            findings.append(finding)
            _count(finding, tally)
        return findings

    def _find(self, record: Record, field: str) -> Finding:
        declared = _declared(record, field)
        given = text(record, field)
        guess = self.identifier(given, declared)
        code, score = guess or (None, 0.0)
        expected = self.identifier.knows(declared) if declared else None
        return Finding(field, declared, code, score, code == expected if expected else None, not given.strip())


def _declared(record: Record, field: str) -> str | None:
    """Return the language that the record declares for a text, None where it does not."""
    key = LANGUAGE_OF.get(field)
    return language(record, key) if key in record else None


def _found_before(record: Record) -> Finding:
    code = language(record, "lid") if "lid" in record else None
    score = value(record, "lid_score") if "lid_score" in record else 0.0
    if type(score) not in (int, float):
        raise RecordError("'lid_score' is not a number")
    agrees = value(record, "on_target")
    if type(agrees) is not bool:
        raise RecordError("'on_target' is neither true nor false")
    return Finding("mt", _declared(record, "mt"), code, score, agrees, not text(record, "mt").strip())


def _texts(record: Record) -> Sequence[str]:
    for fields in (("mt",), ("text",), ("src", "tgt")):
        if all(field in record for field in fields):
            return fields
    raise RecordError(f"no 'text', 'mt' or 'src' and 'tgt' in the record (it has {', '.join(record) or 'nothing'})")


def _key(field: str) -> str:
    """Return the key that a text's language is written to: `lid` for what a record is about, `lid_src` for a side."""
    return "lid" if field in ("text", "mt") else f"lid_{field}"


def _write(record: Record, finding: Finding) -> None:
    key = _key(finding.field)
    _put(record, key, finding.lid)
    _put(record, f"{key}_score", finding.score if finding.lid else None)
    if finding.field == "mt":
        _put(record, "on_target", finding.agrees)


def _put(record: Record, key: str, found: str | float | None) -> None:
    if found is None:
        record.pop(key, None)
    else:
        record[key] = found


def _count(finding: Finding, tally: Tally) -> None:
    if finding.is_empty:
        tally["empty"] += 1
    elif finding.lid is None:
        tally["not identified"] += 1
    if finding.agrees is None and finding.declared:
        tally[f"unsupported {finding.declared}"] += 1
    elif finding.field == "mt":
        tally["on target" if finding.agrees else "off target"] += 1
