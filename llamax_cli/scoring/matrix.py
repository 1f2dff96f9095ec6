"""From segments to statistics, over any number of processes, and to what each direction amounts to."""

import pickle
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from llamax_cli.errors import FileError, because
from llamax_cli.records import Score
from llamax_cli.scoring.metrics import Recipe, Statistics, metric
from llamax_cli.scoring.segments import Direction, Group
from llamax_cli.streams.parallel import ordered

COMET = "comet"


class Task(NamedTuple):
    """What a worker needs of a group."""

    language: str
    hypotheses: list[str]
    references: list[str]


class Scored(NamedTuple):
    """A group and its statistics by metric: a row for each segment, or one row with their sum."""

    group: Group
    statistics: dict[str, Statistics]


def scored(groups: Iterable[Group], recipe: Recipe, workers: int, *, by_segment: bool) -> Iterator[Scored]:
    """Yield each group with its statistics, in order; nothing is loaded where there is no group."""
    groups = iter(groups)
    first = next(groups, None)
    if first is None:
        return
    names = [name for name in recipe.metrics if name != COMET]
    for name in names:
        metric(name, recipe)  # before there are workers, which then share what is loaded
    waiting: deque[Group] = deque()

    def tasks() -> Iterator[Task]:
        for group in chain([first], groups):
            waiting.append(group)
            yield Task(group.direction[1], group.hypotheses, group.references)

    make = partial(_worker, names, recipe, by_segment)
    done: Iterator[Scored] = (
        Scored(waiting.popleft(), rows) for _, rows in ordered(make, tasks(), workers if names else 1)
    )
    if COMET in recipe.metrics:
        from llamax_cli.scoring.comet import added

        done = added(done, recipe, by_segment=by_segment)
    yield from done


def _worker(names: list[str], recipe: Recipe, by_segment: bool) -> Callable[[Task], dict[str, Statistics]]:
    metrics = {name: metric(name, recipe) for name in names}

    def work(task: Task) -> dict[str, Statistics]:
        rows = {name: each.statistics(*task) for name, each in metrics.items()}
        return rows if by_segment else {name: each.sum(axis=0, keepdims=True) for name, each in rows.items()}

    return work


@dataclass
class Total:
    """What the segments of a direction add up to; `judged` of them langid has judged, `off_target` found wrong."""

    segments: int = 0
    judged: int = 0
    off_target: int = 0
    statistics: dict[str, Statistics] = field(default_factory=dict)

    def add(self, done: Scored) -> None:
        """Count the segments of a group."""
        verdicts = [segment.on_target for segment in done.group.segments]
        self.segments += len(verdicts)
        self.judged += sum(verdict is not None for verdict in verdicts)
        self.off_target += sum(verdict is False for verdict in verdicts)
        for name, rows in done.statistics.items():
            self.statistics[name] = self.statistics.get(name, 0) + rows.sum(axis=0)

    def records(self, direction: Direction, recipe: Recipe) -> Iterator[Score]:
        """Yield the score of each metric."""
        for name in recipe.metrics:
            each = metric(name, recipe)
            record: Score = {
                "src_lang": direction[0],
                "tgt_lang": direction[1],
                "metric": name,
                "score": each.score(self.statistics[name]),
                "signature": each.signature(direction[1]),
                "n": self.segments,
            }
            if self.judged:
                record["off_target"] = self.off_target / self.judged
            yield record


class Kept:
    """The statistics of each segment, in a temporary file that goes with this object."""

    def __init__(self) -> None:
        self._file: Any = tempfile.TemporaryFile(prefix="llamax-")  # noqa: SIM115 (open as long as the object)
        self._places: dict[Direction, list[int]] = {}

    def add(self, done: Scored) -> None:
        """Keep a group; FileError where there is no room."""
        self._places.setdefault(done.group.direction, []).append(self._file.tell())
        try:
            pickle.dump(([segment.id for segment in done.group.segments], done.statistics), self._file)
        except OSError as error:
            raise FileError(f"{because(error)}; TMPDIR names another folder for temporary files") from error

    @property
    def directions(self) -> Iterable[Direction]:
        """The directions, in the order in which they came."""
        return self._places

    def get(self, direction: Direction) -> tuple[list[str], dict[str, Statistics]]:
        """Return the ids of a direction's segments and their statistics, in the order in which they came."""
        end = self._file.tell()
        ids: list[str] = []
        rows: dict[str, list[Statistics]] = {}
        for place in self._places.get(direction, ()):
            self._file.seek(place)
            more, statistics = pickle.load(self._file)
            ids += more
            for name, each in statistics.items():
                rows.setdefault(name, []).append(each)
        self._file.seek(end)
        return ids, {name: np.concatenate(each) for name, each in rows.items()}
