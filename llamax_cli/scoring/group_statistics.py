"""The statistics of groups of segments: spread over worker processes, or computed here for many groups at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from typing import NamedTuple, TypeAlias, cast

from llamax_cli.scoring.metrics import Metric, MetricSettings, Reference, Statistics, WindowMetric, load_metric
from llamax_cli.scoring.segment_lines import LineGroup, decode_texts
from llamax_cli.scoring.segments import Segment, SegmentGroup
from llamax_cli.streams.parallel import ordered

# Segments, of any directions, given at once to a metric outside the workers: its batches then hold texts of one length.
WINDOW = 20_000
Group: TypeAlias = SegmentGroup | LineGroup


class GroupStatistics(NamedTuple):
    """A group and its statistics by metric: a row for each segment, or one row with their sum."""

    group: Group
    statistics: dict[str, Statistics]


class GroupTexts(NamedTuple):
    """The arguments of `Metric.statistics` for a group."""

    language: str
    hypotheses: list[str]
    references: list[Reference]
    sources: list[str]


class GroupLines(NamedTuple):
    """Lines that a worker makes the arguments of `Metric.statistics` of, which need no source."""

    language: str
    data: bytes

    def texts(self) -> GroupTexts:
        """Return what is on the lines."""
        hypotheses, references = decode_texts(self.data)
        return GroupTexts(self.language, hypotheses, [*references], [])


def compute_statistics(
    groups: Iterable[Group], settings: MetricSettings, workers: int, *, by_segment: bool
) -> Iterator[GroupStatistics]:
    """Yield each group with its statistics, in order; no metric is loaded if there is no group."""
    groups = iter(groups)
    first = next(groups, None)
    if first is None:
        return
    metrics = {name: load_metric(name, settings) for name in settings.metrics}  # before forking: workers share them
    in_workers = {name: metric for name, metric in metrics.items() if metric.runs_in_workers}
    computed = _compute_in_workers(chain([first], groups), in_workers, settings, workers, by_segment)
    for name, metric in metrics.items():
        if name not in in_workers:
            computed = _add_in_windows(computed, name, cast("WindowMetric", metric), by_segment)
    yield from computed


def _compute_in_workers(
    groups: Iterable[Group],
    metrics: dict[str, Metric],
    settings: MetricSettings,
    workers: int,
    by_segment: bool,
) -> Iterator[GroupStatistics]:
    needs_source = any(metric.needs_source for metric in metrics.values())
    pending: deque[Group] = deque()

    def items() -> Iterator[GroupTexts | GroupLines]:
        for group in groups:
            pending.append(group)
            language = group.direction[1]
            if isinstance(group, LineGroup) and not needs_source:
                yield GroupLines(language, group.data)
            else:
                segments = SegmentGroup(group.direction, group.segments)
                yield GroupTexts(
                    language, segments.hypotheses, segments.references, segments.sources if needs_source else []
                )

    make = partial(_make_worker, list(metrics), settings, by_segment)
    with closing(ordered(make, items(), workers if metrics else 1)) as computed:
        for _, rows in computed:
            yield GroupStatistics(pending.popleft(), rows)


def _make_worker(
    names: list[str], settings: MetricSettings, by_segment: bool
) -> Callable[[GroupTexts | GroupLines], dict[str, Statistics]]:
    metrics = {name: load_metric(name, settings) for name in names}

    def compute(item: GroupTexts | GroupLines) -> dict[str, Statistics]:
        texts = item.texts() if isinstance(item, GroupLines) else item
        return {name: _summed(metric.statistics(*texts), by_segment) for name, metric in metrics.items()}

    return compute


def _add_in_windows(
    computed: Iterable[GroupStatistics], name: str, metric: WindowMetric, by_segment: bool
) -> Iterator[GroupStatistics]:
    """Yield the groups with the statistics of one more metric, computed for a window of many groups at once."""
    window: list[GroupStatistics] = []
    size = 0
    for item in computed:
        window.append(item)
        size += len(item.group.segments)
        if size >= WINDOW:
            yield from _add_to_window(window, name, metric, by_segment)
            window, size = [], 0
    if window:
        yield from _add_to_window(window, name, metric, by_segment)


def _add_to_window(
    window: list[GroupStatistics], name: str, metric: WindowMetric, by_segment: bool
) -> Iterator[GroupStatistics]:
    segments: list[Segment] = [segment for item in window for segment in item.group.segments]
    rows = metric.statistics(
        "",
        [segment.hypothesis for segment in segments],
        [segment.reference for segment in segments],
        [segment.source for segment in segments],
        [segment.direction for segment in segments],
    )
    start = 0
    for item in window:
        end = start + len(item.group.segments)
        item.statistics[name] = _summed(rows[start:end], by_segment)
        start = end
        yield item


def _summed(rows: Statistics, by_segment: bool) -> Statistics:
    return rows if by_segment else rows.sum(axis=0, keepdims=True)
