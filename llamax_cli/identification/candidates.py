"""The best of several candidates for a translation: the first that is in the target language."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from llamax_cli.errors import RecordError
from llamax_cli.identification.annotation import AnnotationRequest, Annotator, Identification
from llamax_cli.identification.selection import agrees
from llamax_cli.records import Record, whole_number
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.run import Run

SOURCE_KEYS = ("src_lang", "tgt_lang", "id", "src")  # what all candidates for one translation have in common
NONE_ON_TARGET = "with no candidate on target"


class Candidate(NamedTuple):
    """One of several translations: its rank (from 1, the best first) and its language."""

    record: Record
    rank: int
    identification: Identification


def choose_candidates(run: Run, request: AnnotationRequest, min_score: float) -> Iterator[Record]:
    """Yield the best candidate for each translation of the run's input, without its `candidate`.

    The candidates for one translation are consecutive records, as `translate --nbest` writes them.
    """
    annotator = request.annotator()

    def read(record: Record) -> Candidate:
        return _read_candidate(record, annotator, run)

    candidates = (candidate for _, candidate in records(chunks(run.inputs), read, run.reject))
    for group in _group(candidates):
        run.left_out["other candidates"] += len(group) - 1
        yield _choose(group, min_score, run)


def _read_candidate(record: Record, annotator: Annotator, run: Run) -> Candidate:
    rank = whole_number(record, "candidate", least=1)
    if "tgt_lang" not in record or "mt" not in record:
        raise RecordError("--select best needs translations, with 'mt' and 'tgt_lang'")
    (identification,) = annotator(record, run.tally)
    return Candidate(record, rank, identification)


def _group(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Yield the candidates for each translation; another source or a rank that does not rise begins the next."""
    group: list[Candidate] = []
    for candidate in candidates:
        if group and (candidate.rank <= group[-1].rank or _source(candidate) != _source(group[-1])):
            yield group
            group = []
        group.append(candidate)
    if group:
        yield group


def _source(candidate: Candidate) -> list[bytes | None]:
    return [bytes(candidate.record[key]) if key in candidate.record else None for key in SOURCE_KEYS]


def _choose(group: list[Candidate], min_score: float, run: Run) -> Record:
    chosen = next((candidate for candidate in group if agrees(candidate.identification, min_score)), group[0])
    if chosen is group[0] and chosen.identification.agrees is False:
        run.tally[NONE_ON_TARGET] += 1
    del chosen.record["candidate"]
    return chosen.record
