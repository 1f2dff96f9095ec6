"""From the records of a run to the summed statistics of each direction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from llamax_cli.console import counted
from llamax_cli.errors import DataError, RecordError
from llamax_cli.records import Record, Score, language, number, text, whole_number
from llamax_cli.scoring.group_statistics import GroupStatistics, compute_statistics
from llamax_cli.scoring.metrics import LARGEST_SCORE, SCORE_RANGES, MetricSettings, Statistics, load_metric
from llamax_cli.scoring.references import References
from llamax_cli.scoring.segment_lines import SegmentLines, group_parts, split
from llamax_cli.scoring.segments import Direction, Segment, SegmentReader
from llamax_cli.scoring.statistics_store import StatisticsStore
from llamax_cli.streams.chunks import chunks
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.run import Run

SHOWN_IDS = 3  # segments that an error message names
SHOWN_DIRECTIONS = 3  # directions that the summary line names
EarlierScores: TypeAlias = list[tuple[Record, Score]]


@dataclass
class DirectionTotal:
    """The sums over the segments of a direction.

    `judged` segments have a verdict of langid, which found `off_target` of them in another language. `nrefs`: how many
    references each segment has, or VARYING.
    """

    segments: int = 0
    judged: int = 0
    off_target: int = 0
    nrefs: int = 1
    statistics: dict[str, Statistics] = field(default_factory=dict)

    def add(self, computed: GroupStatistics) -> None:
        """Add the segments of a group."""
        verdicts = computed.group.verdicts
        self.segments += len(verdicts)
        self.judged += sum(verdict is not None for verdict in verdicts)
        self.off_target += sum(verdict is False for verdict in verdicts)
        for name, rows in computed.statistics.items():
            self.statistics[name] = self.statistics.get(name, 0) + rows.sum(axis=0)

    def records(self, direction: Direction, settings: MetricSettings) -> Iterator[Score]:
        """Yield the score of each metric."""
        for name in settings.metrics:
            metric = load_metric(name, settings)
            record: Score = {
                "src_lang": direction[0],
                "tgt_lang": direction[1],
                "metric": name,
                "score": metric.score(self.statistics[name]),
                "signature": metric.signature(direction[1], nrefs=self.nrefs),
                "n": self.segments,
            }
            if self.judged:
                record["off_target"] = self.off_target / self.judged
            yield record


def total_by_direction(
    run: Run,
    settings: MetricSettings,
    references: References | None,
    inputs: Iterable[Input],
    earlier: EarlierScores | None = None,
    store: StatisticsStore | None = None,
) -> dict[Direction, DirectionTotal]:
    """Return the totals of each direction, in order of appearance.

    Score records among the inputs are appended to `earlier` if it is given, the statistics of each segment to `store`.
    """
    reader, score_reader = SegmentReader(references, settings), ScoreReader()

    def read(record: Record) -> Segment | tuple[Record, Score]:
        is_score = "metric" in record and "score" in record and "mt" not in record
        return (record, score_reader.read(record)) if is_score and earlier is not None else reader.segment(record)

    def segments() -> Iterator[Segment | SegmentLines]:
        for part in (part for chunk in chunks(inputs) for part in split(chunk, reader)):
            if isinstance(part, SegmentLines):
                run.add_read(len(part.verdicts))
                yield part
                continue
            for item in run.read_chunks(read, [part]):
                if isinstance(item, Segment):
                    yield item
                elif earlier is not None:
                    earlier.append(item)

    totals: dict[Direction, DirectionTotal] = {}
    groups = group_parts(segments())
    for computed in compute_statistics(groups, settings, run.settings.workers, by_segment=store is not None):
        totals.setdefault(computed.group.direction, DirectionTotal()).add(computed)
        if store is not None:
            store.add(computed)
    for direction, ids in reader.untranslated():
        leave_out_segments(run, "there is no translation", direction, ids)
    remark(run, reader)
    for direction, total in totals.items():
        total.nrefs = reader.nrefs(direction)
    return {direction: totals[direction] for direction in reader.seen.directions}


class ScoreReader:
    """Reads Score records of earlier runs; RecordError for one that no run writes, or that was there before."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, ...]] = set()

    def read(self, record: Record) -> Score:
        """Return the score in a record."""
        score = parse_score(record)
        source, target, metric = score["src_lang"], score["tgt_lang"], score["metric"]
        identity = source, target, metric, score["signature"]
        if identity in self._seen:
            raise RecordError(
                f"a second {metric} score of {source}-{target} with the same signature; give one system at a time"
            )
        self._seen.add(identity)
        return score


def parse_score(record: Record) -> Score:
    """Return the score in a Score record of an earlier run; RecordError if it is malformed or out of range."""
    metric = text(record, "metric")
    low, high = SCORE_RANGES.get(metric, (-LARGEST_SCORE, LARGEST_SCORE))
    score: Score = {
        "src_lang": language(record, "src_lang"),
        "tgt_lang": language(record, "tgt_lang"),
        "metric": metric,
        "score": number(record, "score", low, high),
        "signature": text(record, "signature") if "signature" in record else "",
        "n": whole_number(record, "n", least=1) if "n" in record else 0,
    }
    if "off_target" in record:
        score["off_target"] = number(record, "off_target", 0, 1)
    return score


def leave_out_segments(run: Run, reason: str, direction: Direction, ids: Sequence[str]) -> None:
    """Count segments that cannot be scored if the run has --rejects; otherwise raise DataError with their ids."""
    if not ids:
        return
    if run.settings.rejects is None:
        names = ", ".join(ids[:SHOWN_IDS]) + (", ..." if len(ids) > SHOWN_IDS else "")
        raise DataError(
            f"{reason} in {'-'.join(direction)} of {names} ({len(ids):,} in all); with --rejects they are left out"
        )
    run.left_out["segments without a counterpart"] += len(ids)


def remark(run: Run, reader: SegmentReader) -> None:
    """Report in the summary line what was empty, and directions with a language that a metric does not know."""
    for count, what in ((reader.empty, "translation"), (reader.empty_references, "reference")):
        remark_empty(run, count, what)
    for name, directions in reader.scored_unknown.items():
        remark_unknown(run, name, ["-".join(direction) for direction in directions])


def remark_empty(run: Run, count: int, what: str) -> None:
    """Report in the summary line how many texts were empty, if any."""
    if count:
        run.remarks.append(counted(count, f"empty {what}"))


def remark_unknown(run: Run, name: str, directions: Sequence[str]) -> None:
    """Report in the summary line directions that a metric has scored without knowing both languages."""
    named = ", ".join(directions[:SHOWN_DIRECTIONS]) + (", ..." if len(directions) > SHOWN_DIRECTIONS else "")
    run.remarks.append(f"{counted(len(directions), 'direction')} with a language that {name} does not know: {named}")
