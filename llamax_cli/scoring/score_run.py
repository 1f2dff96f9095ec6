"""A run of `llamax score`: scores by direction or by segment, a summary, a comparison, a table, a heat map."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from llamax_cli.errors import DataError, RecordError, UsageError
from llamax_cli.records import Record, Score
from llamax_cli.scoring import heatmap
from llamax_cli.scoring.candidate_choice import check_metric, write_best
from llamax_cli.scoring.comparison import ALL, compare_systems
from llamax_cli.scoring.direction_totals import EarlierScores, remark, total_by_direction
from llamax_cli.scoring.group_statistics import compute_statistics
from llamax_cli.scoring.metrics import MetricSettings, load_metric
from llamax_cli.scoring.references import read_references
from llamax_cli.scoring.segments import Segment, SegmentReader, group_consecutive
from llamax_cli.scoring.significance import Trials
from llamax_cli.scoring.summary import summarise
from llamax_cli.streams.run import Results, Run
from llamax_cli.streams.tables import Table


@dataclass(frozen=True)
class ScoreRequest:
    """What to write, as asked for on the command line; UsageError if it contradicts itself."""

    references: tuple[str, ...] = ()
    segments: bool = False
    select: str | None = None
    by: str | None = None
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
        modes = {
            "--segments": self.segments,
            "--select": self.select is not None,
            "--summary": self.summary,
            "--against": self.against is not None,
        }
        if sum(modes.values()) > 1:
            raise UsageError(f"{' and '.join(flag for flag, is_given in modes.items() if is_given)}: choose one")
        if (self.central or self.without) and not (self.summary or (self.table and sum(modes.values()) == 0)):
            raise UsageError("--central and --not require --summary or --table")
        if self.segments and (self.table or self.heatmap):
            raise UsageError("--segments cannot be combined with --table or --heatmap, which show scores of directions")
        if self.by is not None and self.select is None:
            raise UsageError("--by requires --select best")
        if self.select is not None and (self.table or self.heatmap or self.references):
            raise UsageError(
                "--select best writes translations, which it compares with each other: leave out --ref, --table and "
                "--heatmap"
            )
        if self.heatmap is not None:
            heatmap.check_path(self.heatmap)


def write_scores(run: Run, settings: MetricSettings, request: ScoreRequest) -> None:
    """Write what the request asks for."""
    _check_program(settings, request)
    if request.select is not None:
        if request.by is None:
            check_metric(settings.metrics)
        elif settings.metrics != MetricSettings().metrics:
            raise UsageError("--by ranks by a number in the records: leave out --metric")
        write_best(run, settings, request.by)
        return
    if request.segments:
        run.stream(partial(_score_segments, run, settings, request))
        return
    if request.against is not None:
        rows = compare_systems(run, settings, request.references, request.against, request.trials, request.correction)
        if request.heatmap is not None:
            rows = _with_gaps(rows, request.heatmap, request.order)
    else:
        rows = _score_directions(run, settings, request)
    run.write(rows, output=Table(run.settings.output, request.table) if request.table else None)


def _check_program(settings: MetricSettings, request: ScoreRequest) -> None:
    """Raise UsageError if an option for a program's numbers is given, and there are none."""
    has_program = any(name.startswith("command") for name in settings.metrics)
    if settings.command is not None and not has_program:
        raise UsageError("--metric-command requires --metric command or command-qe")
    if settings.lower_is_better and not has_program and request.by is None:
        raise UsageError("--lower-is-better requires --metric command or command-qe, or --by")


def _with_gaps(rows: Iterator[Record], path: Path, order: str) -> Iterator[Record]:
    """Yield the rows of a comparison, and draw the differences of its first metric."""
    compared = list(rows)
    heatmap.draw_differences(path, [row for row in compared if row["src_lang"] != ALL], order)
    yield from compared


def _score_directions(run: Run, settings: MetricSettings, request: ScoreRequest) -> Iterator[Any]:
    """Yield the scores of earlier runs and those of this one, or the summary of both."""
    references = read_references(run, request.references)
    earlier: EarlierScores = []
    totals = total_by_direction(run, settings, references, run.inputs, earlier)
    new_scores = [score for direction, total in totals.items() for score in total.records(direction, settings)]
    scores = [score for _, score in earlier] + new_scores
    _check_single(scores)
    if request.heatmap is not None:
        heatmap.draw(request.heatmap, scores, request.order)
    if request.summary or request.central or request.without:
        yield from summarise(scores, request.central, request.without)
    else:
        yield from (record for record, _ in earlier)
        yield from new_scores


def _check_single(scores: Iterable[Score]) -> None:
    """Raise DataError if a direction has two scores by one metric with one signature."""
    seen: set[tuple[str, ...]] = set()
    for score in scores:
        source, target, metric = score["src_lang"], score["tgt_lang"], score["metric"]
        if (identity := (source, target, metric, score["signature"])) in seen:
            raise DataError(
                f"there are both translations and an earlier {metric} score of {source}-{target}; give one of them"
            )
        seen.add(identity)


def _score_segments(
    run: Run, settings: MetricSettings, request: ScoreRequest, records: Iterator[Record]
) -> Iterator[Results | RecordError]:
    """Yield the records with their scores under the names of the metrics, and the errors that reject others."""
    reader = SegmentReader(read_references(run, request.references), settings, all_candidates=True)
    pending: deque[tuple[Record, RecordError | None]] = deque()

    def segments() -> Iterator[Segment]:
        for record in records:
            try:
                segment = reader.segment(record)
            except RecordError as error:
                pending.append((record, error))
            else:
                pending.append((record, None))
                yield segment

    metrics = {name: load_metric(name, settings) for name in settings.metrics}
    groups = group_consecutive(segments())
    try:
        for computed in compute_statistics(groups, settings, run.settings.workers, by_segment=True):
            scored: list[Record] = []
            for rows in zip(*(computed.statistics[name] for name in metrics), strict=True):
                if pending[0][1] is not None:
                    yield Results(scored)
                    yield from _pop_errors(pending)
                    scored = []
                scores = {name: metric.sentence(row) for (name, metric), row in zip(metrics.items(), rows, strict=True)}
                scored.append({**pending.popleft()[0], **scores})
            yield Results(scored)
        yield from _pop_errors(pending)
    finally:  # also when --limit ends the run
        run.figures["signatures"] = _signatures(settings, reader)
        remark(run, reader)


def _pop_errors(pending: deque[tuple[Record, RecordError | None]]) -> Iterator[RecordError]:
    """Yield the errors before the next record that has a segment."""
    while pending and (error := pending[0][1]) is not None:
        pending.popleft()
        yield error


def _signatures(settings: MetricSettings, reader: SegmentReader) -> dict[str, list[str]]:
    """Return the signatures of sentence scores by metric, for the manifest: the records carry none."""
    kinds = dict.fromkeys((direction[1], reader.nrefs(direction)) for direction in reader.seen.directions)
    signatures: dict[str, list[str]] = {}
    for name in settings.metrics:
        metric = load_metric(name, settings)
        made = (metric.signature(code, by_sentence=True, nrefs=nrefs) for code, nrefs in kinds)
        signatures[name] = [*dict.fromkeys(made)]
    return signatures
