"""From the records of a run to what each direction adds up to; what is lacking is named."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from llamax_cli.errors import DataError, RecordError
from llamax_cli.records import Record, Score, language, text, value
from llamax_cli.scoring.matrix import COMET, Kept, Total, scored
from llamax_cli.scoring.metrics import Recipe
from llamax_cli.scoring.references import References
from llamax_cli.scoring.segments import Direction, Segment, SegmentReader, gathered
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.run import Run

NAMED = 3  # segments that an error names
Earlier: TypeAlias = list[tuple[Record, Score]]


def references(run: Run, files: Sequence[str]) -> References | None:
    """Return the references in files, None where no file is named; for a run that has begun to write."""
    found = References()
    for _ in records(chunks([run.input(path) for path in files]), found.take, run.reject):
        pass  # read, but not counted: these are not what is scored
    return found if files else None


def totals(
    run: Run,
    recipe: Recipe,
    references: References | None,
    inputs: Iterable[Input],
    earlier: Earlier | None = None,
    kept: Kept | None = None,
) -> dict[Direction, Total]:
    """Return what each direction adds up to, in order of appearance.

    Scores among the records go to `earlier`, where there is one; the statistics of each segment to `kept`.
    """
    reader = SegmentReader(references, with_source=COMET in recipe.metrics)

    def read(record: Record) -> Segment | tuple[Record, Score]:
        is_score = "metric" in record and "score" in record and "mt" not in record
        return (record, score(record)) if is_score and earlier is not None else reader.segment(record)

    def segments() -> Iterator[Segment]:
        for each in run.read_as(read, inputs):
            if isinstance(each, Segment):
                yield each
            elif earlier is not None:
                earlier.append(each)

    found: dict[Direction, Total] = {}
    for done in scored(gathered(segments()), recipe, run.settings.workers, by_segment=kept is not None):
        found.setdefault(done.group.direction, Total()).add(done)
        if kept is not None:
            kept.add(done)
    for direction, missing in reader.missing():
        leave_out(run, "there is no translation", direction, missing)
    remark(run, reader)
    return {direction: found[direction] for direction in reader.seen.directions}


def score(record: Record) -> Score:
    """Return a score that was written before, checked."""
    number = value(record, "score")
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise RecordError("'score' is not a number")
    found: Score = {
        "src_lang": language(record, "src_lang"),
        "tgt_lang": language(record, "tgt_lang"),
        "metric": text(record, "metric"),
        "score": number,
        "signature": text(record, "signature") if "signature" in record else "",
        "n": value(record, "n") if "n" in record else 0,
    }
    if "off_target" in record:
        found["off_target"] = value(record, "off_target")
    return found


def leave_out(run: Run, what: str, direction: Direction, ids: Sequence[str]) -> None:
    """Count segments that cannot be scored where bad lines are set aside, else end the run with their names."""
    if not ids:
        return
    if run.settings.rejects is None:
        names = ", ".join(ids[:NAMED]) + (", ..." if len(ids) > NAMED else "")
        raise DataError(
            f"{what} in {'-'.join(direction)} of {names} ({len(ids):,} in all); with --rejects they are left out"
        )
    run.left_out["segments without a counterpart"] += len(ids)


def remark(run: Run, reader: SegmentReader) -> None:
    """Say in the summary line how many translations were empty."""
    if reader.empty:
        run.remarks.append(f"{reader.empty:,} empty translation{'s' if reader.empty > 1 else ''}")
