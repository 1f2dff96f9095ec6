"""Sorting more lines than fit in memory: sorted runs on disk, merged block by block."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from llamax_cli.errors import FileError, because

BATCH = 1 << 19  # lines sorted in memory
MERGED = 32 << 20  # bytes of all runs in memory while they are merged


class SortedRuns:
    """Sorted runs in a temporary folder, which goes with this context."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="llamax-")
        self.folder = Path(self._folder.name)
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
        """Take a run that `write_run` wrote."""
        self._paths.append(path)
        self.size += path.stat().st_size

    def add(self, rows: Iterable[str]) -> None:
        """Sort rows of text without line ends, any number of them."""
        batch: list[str] = []
        for row in rows:
            batch.append(row)
            if len(batch) >= BATCH:
                self.add_file(write_run(self.folder, batch))
                batch = []
        if batch:
            self.add_file(write_run(self.folder, batch))

    def merge(self) -> Iterator[list[bytes]]:
        """Yield all rows as UTF-8 in byte order, as blocks."""
        block_size = max(1 << 16, MERGED // max(1, len(self._paths)))
        self._open = [_SortedRun(path, block_size) for path in self._paths]
        return _merge(self._open)


def write_run(folder: Path, rows: Iterable[str]) -> Path:
    """Write the rows in byte order and return where; FileError where there is no room."""
    encoded = "\n".join(rows).encode().split(b"\n")
    encoded.sort()
    descriptor, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"\n".join(encoded))
            file.write(b"\n")
    except OSError as error:
        raise FileError(f"{folder}: {because(error)}; TMPDIR names another folder for temporary files") from error
    return Path(name)


class _SortedRun:
    """One run, read a block at a time."""

    def __init__(self, path: Path, block_size: int) -> None:
        self._path = path
        self._block_size = block_size
        self._file: Any = path.open("rb", buffering=0)
        self._rest = b""
        self.rows: list[bytes] = []
        self.fill()

    def fill(self) -> bool:
        """Read the next rows where none are left; return whether there are any."""
        while not self.rows and self._file is not None:
            data = self._file.read(self._block_size)
            if not data:
                self.close()
                self._path.unlink()
                break
            *self.rows, self._rest = (self._rest + data).split(b"\n")
        return bool(self.rows)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _merge(runs: list[_SortedRun]) -> Iterator[list[bytes]]:
    from bisect import bisect_right

    runs = [run for run in runs if run.rows]
    while runs:
        # Every row up to the least of the last rows is here; joined, the sorted pieces merge at the speed of C.
        bound = min(run.rows[-1] for run in runs)
        block: list[bytes] = []
        for run in runs:
            cut = bisect_right(run.rows, bound)
            block += run.rows[:cut]
            del run.rows[:cut]
        block.sort()
        yield block
        runs = [run for run in runs if run.fill()]
