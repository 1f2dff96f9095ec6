"""Rows on disk, partitioned into buckets by the first byte of their shuffle key, so that each bucket fits in memory.

A bucket is a file of segments: two lengths, the entries, the lines. Any number of processes append to it. Readers sort
the rows, so the order in which processes wrote does not matter.
"""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from llamax_cli.errors import FileError
from llamax_cli.streams.temporary import temporary_error

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Index: TypeAlias = NDArray[np.uint64]  # a row for each entry, with the four columns below
    Mask: TypeAlias = NDArray[np.bool_]

BUCKETS = 256
ROWS, COPIES = "rows", "copies"  # names of buckets: of all rows, and of further copies of some
ADVICE = "mix needs temporary disk space for a copy of its inputs: set TMPDIR to a folder that has it"
ENTRY_SIZE = 32  # bytes
READ_AHEAD = 1 << 18  # bytes of a bucket, which has many small segments
SHUFFLE_KEY, CHECK, SUBSET, ID_HASH = range(4)
_LENGTHS = struct.Struct("<QQ")


class Buckets:
    """Files of rows in a temporary folder; whoever made the folder deletes it. They are closed with this object."""

    def __init__(self, folder: Path, name: str) -> None:
        self._prefix = f"{folder}{os.sep}{name}-"  # a Path for each would cost more than to look whether it is there
        self._files: dict[int, int] = {}

    def path(self, bucket: int) -> str:
        """Return the path of a bucket; the file exists once the bucket has rows."""
        return f"{self._prefix}{bucket:03}"

    def size(self, bucket: int) -> int:
        """Return the size of a bucket in bytes."""
        try:
            return os.stat(self.path(bucket)).st_size
        except FileNotFoundError:
            return 0

    def remove(self, bucket: int) -> None:
        """Delete a bucket."""
        with suppress(FileNotFoundError):
            os.unlink(self.path(bucket))

    def append(self, entries: bytes, texts: list[bytes]) -> None:
        """Add rows: their entries, and as many lines, each text one or several; FileError if the disk is full."""
        import numpy as np

        if not entries:
            return
        index = np.frombuffer(entries, np.uint8).reshape(-1, ENTRY_SIZE)
        buckets = index[:, 0]
        order = np.argsort(buckets, kind="stable")
        bounds = np.searchsorted(buckets[order], np.arange(BUCKETS + 1))
        sorted_index, sorted_texts = index[order], arrange_lines(texts, order, bounds)
        for bucket, (start, end) in enumerate(pairwise(bounds.tolist())):
            if start < end:
                self._write(bucket, sorted_index[start:end].tobytes(), sorted_texts[bucket])

    def _write(self, bucket: int, index: bytes, text: bytes) -> None:
        segment = b"".join((_LENGTHS.pack(len(index), len(text)), index, text))
        try:
            if bucket not in self._files:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                self._files[bucket] = os.open(self.path(bucket), flags, 0o600)
            # One write, so that segments of several processes do not mix. If it is short, the disk is full, and writing
            # the rest raises the error that says so.
            written = os.write(self._files[bucket], segment)
            if written < len(segment):
                os.write(self._files[bucket], segment[written:])
                raise OSError("a write was cut short")
        except OSError as error:
            raise disk_full_error(error) from error

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files = {}

    def __del__(self) -> None:
        self.close()

    def index(self, bucket: int) -> "Index":
        """Return the entries of a bucket, in the order of the file."""
        import numpy as np

        data = b"".join(read_index() for _, read_index, _ in self._segments(bucket))
        return np.frombuffer(data, ">u8").reshape(-1, 4).astype(np.uint64)

    def lines(self, bucket: int, is_selected: "Mask") -> list[bytes]:
        """Return the lines of the selected rows, in the order of the file."""
        texts = self.texts(bucket, is_selected)
        return b"\n".join(texts).split(b"\n") if texts else []

    def texts(self, bucket: int, is_selected: "Mask") -> list[bytes]:
        """Return the lines of the selected rows, in the order of the file: those of each segment joined."""
        import numpy as np

        selected: list[bytes] = []
        start = 0
        for rows, _, read_text in self._segments(bucket):
            mask = is_selected[start : start + rows]
            start += rows
            if mask.all():
                selected.append(read_text())
            elif mask.any():
                places = mask.nonzero()[0]
                selected += arrange_lines([read_text()], places, np.array([0, len(places)]))
        return selected

    def _segments(self, bucket: int) -> Iterator[tuple[int, Callable[[], bytes], Callable[[], bytes]]]:
        """Yield for each segment its number of rows, a function that reads its entries and one that reads its text."""
        if not os.path.exists(self.path(bucket)):
            return
        with open(self.path(bucket), "rb", buffering=READ_AHEAD) as file:
            end, offset = os.fstat(file.fileno()).st_size, 0
            while offset < end:
                index_size, text_size = _LENGTHS.unpack(_read(file, _LENGTHS.size, offset))
                index_start = offset + _LENGTHS.size
                text_start = index_start + index_size
                offset = text_start + text_size
                yield (
                    index_size // ENTRY_SIZE,
                    partial(_read, file, index_size, index_start),
                    partial(_read, file, text_size, text_start),
                )


def _arrange_lines(texts: list[bytes], rows: "NDArray[Any]", bounds: "NDArray[Any]") -> list[bytes]:
    """Return what the compiled `arrange_lines` returns."""
    lines = b"\n".join(texts).split(b"\n")
    arranged = [lines[row] for row in rows.tolist()]
    return [b"\n".join(arranged[start:end]) for start, end in pairwise(bounds.tolist())]


try:
    from llamax_cli.mixing.rows import arrange_lines as arrange_lines
except ImportError:  # llamax was installed without a C compiler
    arrange_lines = _arrange_lines


def _read(file: BinaryIO, size: int, start: int) -> bytes:
    try:
        file.seek(start)
        return file.read(size)
    except OSError as error:
        raise disk_full_error(error) from error


def disk_full_error(error: OSError) -> FileError:
    """Return the error for a file in the temporary folder that cannot be written or read."""
    return temporary_error(error, ADVICE)


def sort_order(index: "Index", *columns: int) -> "NDArray[np.intp]":
    """Return the order of rows by shuffle key, and by the given columns if keys are equal."""
    import numpy as np

    order = np.argsort(index[:, SHUFFLE_KEY])
    keys = index[order, SHUFFLE_KEY]
    is_equal = keys[1:] == keys[:-1]
    if is_equal.any():  # only these rows need the other columns
        is_tied = np.zeros(len(order), bool)
        is_tied[1:] |= is_equal
        is_tied[:-1] |= is_equal
        rows = order[is_tied]
        sort_keys = [index[rows, column] for column in (SHUFFLE_KEY, *columns)]
        order[is_tied] = rows[np.lexsort(sort_keys[::-1])]
    return order
