"""What becomes of translations: scores by direction or by segment, a summary, a comparison, a table, a picture."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from llamax_cli.errors import RecordError, UsageError
from llamax_cli.records import Record
from llamax_cli.scoring import aggregation, heatmap
from llamax_cli.scoring.comparison import comparison
from llamax_cli.scoring.matrix import COMET, scored
from llamax_cli.scoring.metrics import Recipe, metric
from llamax_cli.scoring.segments import Segment, SegmentReader, in_order
from llamax_cli.scoring.significance import Trials
from llamax_cli.scoring.summary import summary
from llamax_cli.scoring.tables import Table
from llamax_cli.streams.run import Run


@dataclass(frozen=True)
class ScoreRequest:
    """What is wanted of the scores, as asked for on the command line."""

    references: tuple[str, ...] = ()
    segments: bool = False
    summary: bool = False
    central: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    against: str | None = None
    trials: Trials = field(default_factory=Trials)
    correction: str = "holm"
    table: str | None = None
    heatmap: Path | None = None
    order: str = "family"

    def __post_init__(self) -> None:
        given = {"--segments": self.segments, "--summary": self.summary, "--against": self.against is not None}
        if sum(given.values()) > 1:
            raise UsageError(f"{' and '.join(name for name, wanted in given.items() if wanted)}: choose one")
        if (self.central or self.without) and not self.summary:
            raise UsageError("--central and --not choose the rows of --summary: give it too")
        if self.segments and (self.table or self.heatmap):
            raise UsageError(
                "--segments writes the records themselves: --table and --heatmap show scores of directions"
            )
        if self.heatmap is not None:
            if self.against is not None:
                raise UsageError("--heatmap shows the scores of one system: score each by itself")
            heatmap.check(self.heatmap)


def write(run: Run, recipe: Recipe, request: ScoreRequest) -> None:
    """Write what was asked for."""
    if request.segments:
        run.stream(partial(_annotated, run, recipe, request))
        return
    if request.against is not None:
        records = comparison(run, recipe, request.references, request.against, request.trials, request.correction)
    else:
        records = _scores(run, recipe, request)
    run.write(records, output=Table(run.settings.output, request.table) if request.table else None)


def _signatures(recipe: Recipe, reader: SegmentReader) -> dict[str, list[str]]:
    """Return what the scores of segments are, by metric: for the manifest, since records have no room for it."""
    languages = dict.fromkeys(target for _, target in reader.seen.directions)
    return {
        name: [*dict.fromkeys(metric(name, recipe).signature(code, by_sentence=True) for code in languages)]
        for name in recipe.metrics
    }


def _scores(run: Run, recipe: Recipe, request: ScoreRequest) -> Iterator[Any]:
    references = aggregation.references(run, request.references)
    earlier: aggregation.Earlier = []
    totals = aggregation.totals(run, recipe, references, run.inputs, earlier)
    made = [score for direction, total in totals.items() for score in total.records(direction, recipe)]
    scores = [score for _, score in earlier] + made
    if request.heatmap is not None:
        heatmap.draw(request.heatmap, scores, request.order)
    if request.summary:
        yield from summary(scores, request.central, request.without)
    else:
        yield from (record for record, _ in earlier)
        yield from made


def _annotated(
    run: Run, recipe: Recipe, request: ScoreRequest, records: Iterator[Record]
) -> Iterator[Iterable[Record] | RecordError]:
    """Yield each record with its scores, under the names of the metrics."""
    reader = SegmentReader(aggregation.references(run, request.references), with_source=COMET in recipe.metrics)
    waiting: deque[tuple[Record, RecordError | None]] = deque()

    def segments() -> Iterator[Segment]:
        for record in records:
            try:
                segment = reader.segment(record)
            except RecordError as error:
                waiting.append((record, error))
            else:
                waiting.append((record, None))
                yield segment

    metrics = {name: metric(name, recipe) for name in recipe.metrics}
    try:
        for done in scored(in_order(segments()), recipe, run.settings.workers, by_segment=True):
            for place in range(len(done.group.segments)):
                yield from _rejected(waiting)
                scores = {name: each.sentence(done.statistics[name][place]) for name, each in metrics.items()}
                yield [{**waiting.popleft()[0], **scores}]
        yield from _rejected(waiting)
    finally:  # also where --limit ends it
        run.figures["signatures"] = _signatures(recipe, reader)
        aggregation.remark(run, reader)


def _rejected(waiting: deque[tuple[Record, RecordError | None]]) -> Iterator[RecordError]:
    while waiting and (error := waiting[0][1]) is not None:
        waiting.popleft()
        yield error
