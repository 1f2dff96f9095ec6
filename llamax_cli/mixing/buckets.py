"""Rows on disk, parted into buckets by the first byte of their place, so that each bucket fits in memory.

A bucket is a file of segments: two lengths, the entries, the lines. Any number of processes append to it; what is read
is put in an order that does not depend on theirs.
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from llamax_cli.errors import FileError, because

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Index: TypeAlias = NDArray[np.uint64]  # a row for each entry: place, check, stratum, hash of the id
    Mask: TypeAlias = NDArray[np.bool_]

BUCKETS = 256
ENTRY = 32  # bytes
PLACE, CHECK, STRATUM, NAME = range(4)
_LENGTHS = struct.Struct("<QQ")


class Buckets:
    """Files of rows in a folder, which is somebody else's to remove."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._files: dict[int, int] = {}

    def path(self, bucket: int) -> Path:
        """Return where a bucket lies; it is there once something is in it."""
        return self._folder / f"{self._name}-{bucket:03}"

    def size(self, bucket: int) -> int:
        """Return the bytes of a bucket."""
        path = self.path(bucket)
        return path.stat().st_size if path.exists() else 0

    def remove(self, bucket: int) -> None:
        """Give the room of a bucket back."""
        self.path(bucket).unlink(missing_ok=True)

    def append(self, entries: Sequence[bytes], lines: Sequence[bytes]) -> None:
        """Add rows; FileError where there is no room."""
        import numpy as np

        index = np.frombuffer(b"".join(entries), np.uint8).reshape(-1, ENTRY)
        firsts = index[:, 0]
        order = np.argsort(firsts, kind="stable")
        cuts = np.searchsorted(firsts[order], np.arange(BUCKETS + 1)).tolist()
        parted = index[order]
        texts = np.array(lines, object)[order].tolist()
        for bucket, (start, end) in enumerate(pairwise(cuts)):
            if start < end:
                self._write(bucket, parted[start:end].tobytes(), b"\n".join(texts[start:end]))

    def _write(self, bucket: int, index: bytes, text: bytes) -> None:
        segment = b"".join((_LENGTHS.pack(len(index), len(text)), index, text))
        try:
            if bucket not in self._files:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                self._files[bucket] = os.open(self.path(bucket), flags, 0o600)
            # One write, so that segments of several processes do not mix; the rest of a short one fails, as there is
            # no room for it.
            written = os.write(self._files[bucket], segment)
            if written < len(segment):
                os.write(self._files[bucket], segment[written:])
                raise OSError("a write was cut short")
        except OSError as error:
            raise no_room(self._folder, error) from error

    def close(self) -> None:
        """Let go of the files, which stay."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files = {}

    def index(self, bucket: int) -> "Index":
        """Return the entries of a bucket as rows of numbers, in the order of the file."""
        import numpy as np

        data = b"".join(index() for index, _ in self._segments(bucket))
        return np.frombuffer(data, ">u8").reshape(-1, 4).astype(np.uint64)

    def lines(self, bucket: int, wanted: "Mask") -> list[bytes]:
        """Return the lines of the wanted rows, in the order of the file."""
        found: list[bytes] = []
        place = 0
        for _, text in self._segments(bucket):
            lines = text().split(b"\n")
            own = wanted[place : place + len(lines)]
            place += len(lines)
            if own.all():
                found += lines
            else:
                found += [lines[row] for row in own.nonzero()[0].tolist()]
        return found

    def _segments(self, bucket: int) -> Iterator[tuple[Callable[[], bytes], Callable[[], bytes]]]:
        """Yield for each segment what reads its entries and what reads its lines."""
        if not self.path(bucket).exists():
            return
        with self.path(bucket).open("rb", buffering=0) as file:
            descriptor, end, place = file.fileno(), os.fstat(file.fileno()).st_size, 0
            while place < end:
                entries, text = _LENGTHS.unpack(os.pread(descriptor, _LENGTHS.size, place))
                start = place + _LENGTHS.size
                place = start + entries + text
                yield partial(os.pread, descriptor, entries, start), partial(os.pread, descriptor, text, place - text)


def no_room(folder: Path, error: OSError) -> FileError:
    """Return the error for a write to the temporary folder that failed."""
    return FileError(
        f"{folder.parent}: {because(error)}; a mixture needs room for a copy of its inputs, "
        "and TMPDIR names another folder for temporary files"
    )


def in_order(index: "Index", *columns: int) -> "NDArray[np.intp]":
    """Return the order of rows by their place, and where that is the same, by the columns given."""
    import numpy as np

    order = np.argsort(index[:, PLACE], kind="stable")
    places = index[order, PLACE]
    same = places[1:] == places[:-1]
    if same.any():  # only these have to be looked at more closely
        tied = np.zeros(len(order), bool)
        tied[1:] |= same
        tied[:-1] |= same
        rows = order[tied]
        keys = [index[rows, column] for column in (PLACE, *columns)]
        order[tied] = rows[np.lexsort(keys[::-1])]
    return order
