"""The best of several translations of one source: the first that is in the target language."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from llamax_cli.errors import RecordError
from llamax_cli.identification.annotation import AnnotationRequest, Annotator, Finding
from llamax_cli.identification.selection import agrees
from llamax_cli.records import Record, value
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.run import Run

TRANSLATED = ("src_lang", "tgt_lang", "id", "src")  # what all candidates for one translation have in common
NONE_ON_TARGET = "with no candidate on target"


class Candidate(NamedTuple):
    """One of several translations: its place among them (from 1, the best first) and the language found."""

    record: Record
    place: int
    finding: Finding


def best(run: Run, request: AnnotationRequest, minimum: float) -> Iterator[Record]:
    """Yield the best candidate for each translation of the run's input, without `candidate`.

    Candidates for one translation stand one after the other, as `translate --nbest` writes them.
    """
    annotator = request.annotator()

    def read(record: Record) -> Candidate:
        return _candidate(record, annotator, run)

    candidates = (each for _, each in records(chunks(run.inputs), read, run.reject))
    for group in _groups(candidates):
        run.left_out["other candidates"] += len(group) - 1
        yield _chosen(group, minimum, run)


def _candidate(record: Record, annotator: Annotator, run: Run) -> Candidate:
    place = value(record, "candidate")
    if type(place) is not int or place < 1:
        raise RecordError(f"'candidate' is {place!r}, not a whole number from 1")
    if "tgt_lang" not in record or "mt" not in record:
        raise RecordError("--select best is for translations: 'mt' and 'tgt_lang'")
    (finding,) = annotator(record, run.tally)
    return Candidate(record, place, finding)


def _groups(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Yield the candidates for one translation after those for another; where they begin anew, it is another."""
    group: list[Candidate] = []
    for each in candidates:
        if group and (each.place <= group[-1].place or _translated(each) != _translated(group[-1])):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _translated(candidate: Candidate) -> list[bytes | None]:
    return [bytes(candidate.record[key]) if key in candidate.record else None for key in TRANSLATED]


def _chosen(group: list[Candidate], minimum: float, run: Run) -> Record:
    chosen = next((each for each in group if agrees(each.finding, minimum)), group[0])
    if chosen is group[0] and chosen.finding.agrees is False:
        run.tally[NONE_ON_TARGET] += 1
    del chosen.record["candidate"]
    return chosen.record
