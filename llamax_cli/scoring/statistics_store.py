"""The statistics of every segment of a system, on disk until they are compared with another system's."""

import pickle
import tempfile
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from llamax_cli.scoring.group_statistics import GroupStatistics
from llamax_cli.scoring.metrics import Statistics
from llamax_cli.scoring.segments import Direction
from llamax_cli.streams.temporary import temporary_error


class StatisticsStore:
    """The statistics of segments, in a temporary file that is deleted as the context ends."""

    def __init__(self) -> None:
        try:
            self._file: Any = tempfile.TemporaryFile(prefix="llamax-")  # noqa: SIM115 (closed with this object)
        except OSError as error:
            raise temporary_error(error) from error
        self._offsets: dict[Direction, list[int]] = {}
        self.without_ids: set[Direction] = set()  # directions with a segment that has no id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, computed: GroupStatistics) -> None:
        """Store a group; FileError if the disk is full."""
        self._offsets.setdefault(computed.group.direction, []).append(self._file.tell())
        if not all(segment.has_id for segment in computed.group.segments):
            self.without_ids.add(computed.group.direction)
        try:
            pickle.dump(([segment.id for segment in computed.group.segments], computed.statistics), self._file)
        except OSError as error:
            raise temporary_error(error) from error

    @property
    def directions(self) -> Iterable[Direction]:
        """The directions, in order of appearance."""
        return self._offsets

    def get(self, direction: Direction) -> tuple[list[str], dict[str, Statistics]]:
        """Return the ids and the statistics of a direction's segments, in order of appearance."""
        end = self._file.tell()
        ids: list[str] = []
        parts: dict[str, list[Statistics]] = {}
        for offset in self._offsets.get(direction, ()):
            self._file.seek(offset)
            group_ids, statistics = pickle.load(self._file)
            ids += group_ids
            for name, rows in statistics.items():
                parts.setdefault(name, []).append(rows)
        self._file.seek(end)
        return ids, {name: np.concatenate(rows) for name, rows in parts.items()}
