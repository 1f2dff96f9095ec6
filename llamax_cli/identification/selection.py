"""Which records langid keeps."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from llamax_cli.errors import RecordError, UsageError
from llamax_cli.identification.annotation import LANGUAGE_OF, AnnotationRequest, Finding
from llamax_cli.records import Record
from llamax_cli.streams.chunks import Tally, Transform

LEFT_OUT = "left out: "  # opens the names of what is counted as left out
UNKNOWN = "unknown"

Choice: TypeAlias = Callable[[list[Finding], float], str | None]  # why the record is left out, None to keep it


def annotate(request: AnnotationRequest) -> Transform:
    """Return the stage that annotates every record."""
    annotator = request.annotator()

    def stage(record: Record, tally: Tally) -> Iterable[Record]:
        annotator(record, tally)
        return (record,)

    return stage


def select(request: AnnotationRequest, name: str, minimum: float) -> Transform:
    """Return the stage that annotates every record and keeps those that are chosen.

    An identification with a score below `minimum` agrees with nothing.
    """
    annotator, choose = request.annotator(), SELECTIONS[name]

    def stage(record: Record, tally: Tally) -> Iterable[Record]:
        reason = choose(annotator(record, tally), minimum)
        if reason is None:
            return (record,)
        tally[LEFT_OUT + reason] += 1
        return ()

    return stage


def check(name: str, fields: tuple[str, ...]) -> None:
    """Raise UsageError where there is nothing that the texts could agree with."""
    alone = [field for field in fields if field not in LANGUAGE_OF]
    if alone:
        raise UsageError(f"--select compares with the declared language, and none is declared for {alone[0]!r}")
    if name != "match" and fields and fields != ("mt",):
        raise UsageError(f"--select {name} is about 'mt'; for {','.join(fields)} it is --select match")


def agrees(finding: Finding, minimum: float) -> bool:
    """Return whether a text is surely in the language declared for it."""
    return finding.agrees is True and finding.score >= minimum


def _on_target(findings: list[Finding], minimum: float) -> str | None:
    (finding,) = findings
    if _translation(finding).agrees is None:
        return UNKNOWN
    return None if agrees(finding, minimum) else "off target"


def _off_target(findings: list[Finding], minimum: float) -> str | None:
    (finding,) = findings
    if _translation(finding).agrees is None:
        return UNKNOWN
    return "on target" if agrees(finding, minimum) else None


def _match(findings: list[Finding], minimum: float) -> str | None:
    for finding in findings:
        if finding.declared is None:
            raise RecordError(f"no {LANGUAGE_OF[finding.field]!r} in the record, which {finding.field!r} should match")
        if finding.is_empty:
            return "empty"
        if finding.agrees is not None and not agrees(finding, minimum):
            return "in another language" if not finding.agrees else "below --min-score"
    return None


def _translation(finding: Finding) -> Finding:
    if finding.field != "mt":
        raise RecordError("no 'mt' in the record; --select match is for texts and pairs")
    if finding.declared is None:
        raise RecordError("no 'tgt_lang' in the record")
    return finding


SELECTIONS: dict[str, Choice] = {"on-target": _on_target, "off-target": _off_target, "match": _match}
