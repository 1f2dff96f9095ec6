"""The records that `--select` keeps by their own languages; `--select best` is in candidates.py."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from llamax_cli.errors import RecordError, UsageError
from llamax_cli.identification.annotation import (
    LANGUAGE_OF,
    WITHOUT_LETTERS,
    AnnotationRequest,
    Annotator,
    Identification,
)
from llamax_cli.records import Record
from llamax_cli.streams.chunks import Tally, Transform

LEFT_OUT = "left out: "  # the start of the names under which left-out records are counted

# From the texts of a record and --min-score to the reason to leave the record out, None to keep it.
Selection: TypeAlias = Callable[[Sequence[Identification], float], str | None]


def annotate(request: AnnotationRequest) -> Transform:
    """Return the stage that annotates every record."""
    return Annotation(request.annotator())


class Annotation:
    """The stage that annotates every record."""

    def __init__(self, annotator: Annotator) -> None:
        self._annotator = annotator

    def __call__(self, record: Record, tally: Tally) -> list[Record]:
        """Annotate a record."""
        self._annotator(record, tally)
        return [record]

    def transform_batch(self, records: list[Record], tally: Tally) -> list[Record]:
        """Annotate records."""
        self._annotator.annotate_batch(records, tally)
        return records


def select(request: AnnotationRequest, name: str, min_score: float) -> Transform:
    """Return the stage that annotates every record and keeps those that a selection keeps.

    An identification with a score below `min_score` does not agree with the declared language.
    """
    annotator, find_reason = request.annotator(), SELECTIONS[name]

    def stage(record: Record, tally: Tally) -> Iterable[Record]:
        counts: Tally = Counter()
        reason = find_reason(annotator(record, counts), min_score)
        tally.update(counts)
        if reason is None:
            return (record,)
        tally[LEFT_OUT + reason] += 1
        return ()

    return stage


def check_fields(name: str, fields: Sequence[str]) -> None:
    """Raise UsageError if a selection cannot compare these fields with declared languages."""
    undeclared = [field for field in fields if field not in LANGUAGE_OF]
    if undeclared:
        raise UsageError(f"--select compares a text with its declared language, and {undeclared[0]!r} has none")
    if name != "match" and fields and tuple(fields) != ("mt",):
        raise UsageError(f"--select {name} looks at 'mt' only; for {','.join(fields)} use --select match")


def agrees(identification: Identification, min_score: float) -> bool:
    """Return whether a text is in its declared language with a score of at least `min_score`."""
    return identification.agrees is True and identification.score >= min_score


def select_on_target(identifications: Sequence[Identification], min_score: float) -> str | None:
    """Keep translations into the target language."""
    translation = _translation(identifications)
    if translation.agrees is None:
        return WITHOUT_LETTERS if translation.lacks_letters else "unknown"
    return None if agrees(translation, min_score) else "off target"


def select_off_target(identifications: Sequence[Identification], min_score: float) -> str | None:
    """Keep translations into another language, or with a low score."""
    translation = _translation(identifications)
    if translation.agrees is None:
        return WITHOUT_LETTERS if translation.lacks_letters else "unknown"
    return "on target" if agrees(translation, min_score) else None


def select_matches(identifications: Sequence[Identification], min_score: float) -> str | None:
    """Keep records all of whose texts are in their declared languages, in ones unknown to the detector, or in none."""
    for text in identifications:
        if text.declared is None:
            raise RecordError(f"no {LANGUAGE_OF[text.field]!r} in the record to compare {text.field!r} with")
        if text.is_empty:
            return "empty"
        if text.agrees is not None and not agrees(text, min_score):
            return "in another language" if not text.agrees else "below --min-score"
    return None


def _translation(identifications: Sequence[Identification]) -> Identification:
    """Return the identification of `mt`; RecordError for a record that is not a translation."""
    translation = identifications[0]
    if translation.field != "mt":
        raise RecordError("no 'mt' in the record; --select match is for texts and pairs")
    if translation.declared is None:
        raise RecordError("no 'tgt_lang' in the record")
    return translation


SELECTIONS: dict[str, Selection] = {
    "on-target": select_on_target,
    "off-target": select_off_target,
    "match": select_matches,
}
