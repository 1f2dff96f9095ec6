"""External sorting: lines are sorted in runs that fit in memory, and the runs are merged from disk."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from llamax_cli.streams.temporary import TemporaryFolder, temporary_error

BATCH = 1 << 19  # lines sorted in memory
MERGED = 32 << 20  # bytes of all runs that are in memory while they are merged
MOST_RUNS = 256  # merged at once: a process may have only so many files open, and of small blocks reading is slow


class SortedRuns:
    """Sorted runs in a temporary folder, which is removed when this context ends."""

    def __init__(self) -> None:
        self._folder = TemporaryFolder()
        self.folder = self._folder.path
        self._paths: list[Path] = []
        self._open: list[_SortedRun] = []
        self.size = 0

    def __enter__(self) -> "SortedRuns":
        return self

    def __exit__(self, *_: object) -> None:
        for run in self._open:
            run.close()
        self._folder.cleanup()

    def add_file(self, path: Path) -> None:
        """Add a run that `write_run` wrote."""
        self._paths.append(path)
        self.size += path.stat().st_size

    def add(self, rows: Iterable[str]) -> None:
        """Sort any number of rows, which are texts without line ends."""
        batch: list[str] = []
        for row in rows:
            batch.append(row)
            if len(batch) >= BATCH:
                self.add_file(write_run(self.folder, batch))
                batch = []
        if batch:
            self.add_file(write_run(self.folder, batch))

    def merge(self) -> Iterator[list[bytes]]:
        """Yield all rows in byte order, as UTF-8, in blocks; FileError if the disk is full."""
        while len(self._paths) > MOST_RUNS:
            first, self._paths = self._paths[:MOST_RUNS], self._paths[MOST_RUNS:]
            self._paths.append(_write(self.folder, self._merge(first)))
        return self._merge(self._paths)

    def _merge(self, paths: list[Path]) -> Iterator[list[bytes]]:
        block_size = max(1 << 16, MERGED // max(1, len(paths)))
        self._open = [_SortedRun(path, block_size) for path in paths]
        return _merge(self._open)


def write_run(folder: Path, rows: Iterable[str]) -> Path:
    """Write the rows to a file in byte order and return its path; FileError if the disk is full."""
    encoded = "\n".join(rows).encode().split(b"\n")
    encoded.sort()
    return _write(folder, [encoded])


def _write(folder: Path, blocks: Iterable[list[bytes]]) -> Path:
    """Write blocks of rows to a file."""
    try:
        descriptor, name = tempfile.mkstemp(dir=folder)
        with os.fdopen(descriptor, "wb") as file:
            for block in blocks:
                file.write(b"\n".join(block))
                file.write(b"\n")
    except OSError as error:
        raise temporary_error(error) from error
    return Path(name)


class _SortedRun:
    """One sorted run, read in blocks."""

    def __init__(self, path: Path, block_size: int) -> None:
        self._path = path
        self._block_size = block_size
        self._file: Any = None
        self._rest = b""
        self.rows: list[bytes] = []
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise temporary_error(error) from error
        self.fill()

    def fill(self) -> bool:
        """Read the next block if no rows are left; return whether there are rows."""
        while not self.rows and self._file is not None:
            try:
                data = self._file.read(self._block_size)
            except OSError as error:
                raise temporary_error(error) from error
            if not data:
                self.close()
                with suppress(OSError):  # it is removed with the folder
                    self._path.unlink()
                break
            *self.rows, self._rest = (self._rest + data).split(b"\n")
        return bool(self.rows)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _merge(runs: list[_SortedRun]) -> Iterator[list[bytes]]:
    from bisect import bisect_right

    runs = [run for run in runs if run.rows]
    while runs:
        # All rows up to the smallest last row are in memory; list.sort merges the sorted pieces quickly.
        bound = min(run.rows[-1] for run in runs)
        block: list[bytes] = []
        for run in runs:
            cut = bisect_right(run.rows, bound)
            block += run.rows[:cut]
            del run.rows[:cut]
        block.sort()
        yield block
        runs = [run for run in runs if run.fill()]
