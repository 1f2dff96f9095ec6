"""Whether a file is a whole fastText classifier.

fastText reads what it is given without looking: a file cut short makes it take all memory or answer nonsense. So the
file is walked through first, from header to end; nothing but its dictionary is read.
"""

import mmap
import struct
from pathlib import Path

from llamax_cli.errors import FileError, because

MAGIC, NEWEST = 793712314, 12
SUPERVISED = 3
CENTROIDS = 256  # of each part of a quantised vector


def label_count(path: Path) -> int:
    """Return how many labels a classifier has; FileError where the file is none: `Path("lid.176.ftz")` -> 176."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _walk(path, _Cursor(data))
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise FileError(f"cannot read the model {path}: {because(error)}") from error
    except struct.error:
        raise FileError(f"{path} is cut short or damaged; fetch the model again") from None


class _Cursor:
    """A place in the file that only moves on, and never past its end."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.place = 0

    def take(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{form}", self.data, self.place)
        self.place += struct.calcsize(f"<{form}")
        return found

    def skip(self, length: int) -> None:
        self.place += length
        if not 0 <= length <= self.place <= len(self.data):
            raise struct.error

    def skip_string(self) -> None:
        end = self.data.find(b"\0", self.place)
        if end < 0:
            raise struct.error
        self.place = end + 1


def _walk(path: Path, cursor: _Cursor) -> int:
    if len(cursor.data) < 8 or cursor.take("i") != (MAGIC,):
        raise FileError(f"{path} is no fastText model; --lid-model takes a .bin or .ftz file")
    (version,) = cursor.take("i")
    if version > NEWEST:
        raise FileError(f"{path} has version {version} of fastText's format; {NEWEST} is the newest that can be read")
    *_, kind, _, _, _, _ = cursor.take("12i")
    cursor.take("d")
    if kind != SUPERVISED:
        raise FileError(f"{path} holds word vectors, not a classifier")
    labels = _dictionary(cursor)
    (is_quantised,) = cursor.take("?")
    _matrix(cursor, quantised=bool(is_quantised))
    (is_quantised_too,) = cursor.take("?")
    _matrix(cursor, quantised=bool(is_quantised and is_quantised_too))
    if cursor.place != len(cursor.data):
        raise FileError(f"{path} is damaged: {len(cursor.data) - cursor.place:,} bytes after its end")
    return labels


def _dictionary(cursor: _Cursor) -> int:
    size, _, labels, _, pruned = cursor.take("3i2q")
    for _ in range(size):
        cursor.skip_string()
        cursor.skip(9)
    cursor.skip(8 * max(0, pruned))
    return labels


def _matrix(cursor: _Cursor, *, quantised: bool) -> None:
    (has_norms,) = cursor.take("?") if quantised else (False,)
    rows, columns = cursor.take("2q")
    if not quantised:
        return cursor.skip(4 * rows * columns)
    (codes,) = cursor.take("i")
    cursor.skip(codes)
    _quantiser(cursor)
    if has_norms:
        cursor.skip(rows)
        _quantiser(cursor)
    return None


def _quantiser(cursor: _Cursor) -> None:
    size, *_ = cursor.take("4i")
    cursor.skip(4 * size * CENTROIDS)
