"""The best of several candidates for a translation: the first that is in the target language."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from llamax_cli.candidates import NONE_ON_TARGET, CandidateKey, candidate_key, continues
from llamax_cli.errors import RecordError
from llamax_cli.identification.annotation import AnnotationRequest, Annotator, Identification
from llamax_cli.identification.selection import agrees
from llamax_cli.records import Record
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.run import Run


class Candidate(NamedTuple):
    """One of several translations, and its language."""

    record: Record
    key: CandidateKey
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
        run.left_out["not chosen"] += len(group) - 1
        yield _choose(group, min_score, run)


def _read_candidate(record: Record, annotator: Annotator, run: Run) -> Candidate:
    key = candidate_key(record)
    if "tgt_lang" not in record or "mt" not in record:
        raise RecordError("--select best needs translations, with 'mt' and 'tgt_lang'")
    (identification,) = annotator(record, run.tally)
    return Candidate(record, key, identification)


def _group(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Yield the candidates for each translation."""
    group: list[Candidate] = []
    for candidate in candidates:
        if group and not continues(group[-1].key, candidate.key):
            yield group
            group = []
        group.append(candidate)
    if group:
        yield group


def _choose(group: list[Candidate], min_score: float, run: Run) -> Record:
    chosen = next((candidate for candidate in group if agrees(candidate.identification, min_score)), group[0])
    if chosen is group[0] and chosen.identification.agrees is False:
        run.tally[NONE_ON_TARGET] += 1
    del chosen.record["candidate"]
    return chosen.record
