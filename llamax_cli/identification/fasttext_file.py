"""The check that a file is a whole fastText classifier.

fastText does not check the files that it loads: with a truncated file it takes all memory or answers nonsense. So the
file is parsed first from its header to its end; of its content, only the dictionary is read.
"""

import mmap
import struct
from pathlib import Path

from llamax_cli.errors import FileError, because

MAGIC, NEWEST_VERSION = 793712314, 12
SUPERVISED = 3
CENTROIDS = 256  # for each part of a quantised vector


def count_labels(path: Path) -> int:
    """Return the number of labels: `count_labels(Path("lid.176.ftz")) -> 176`; FileError if it is not a classifier."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _parse(path, _Cursor(data))
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise FileError(f"cannot read the model {path}: {because(error)}") from error
    except struct.error:
        raise FileError(f"{path} is truncated or damaged; download the model again") from None


class _Cursor:
    """An offset in the file that only grows; struct.error if it would go past the end."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.offset = 0

    def read(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{layout}", self.data, self.offset)
        self.offset += struct.calcsize(f"<{layout}")
        return values

    def skip(self, length: int) -> None:
        self.offset += length
        if not 0 <= length <= self.offset <= len(self.data):
            raise struct.error

    def skip_string(self) -> None:
        end = self.data.find(b"\0", self.offset)
        if end < 0:
            raise struct.error
        self.offset = end + 1


def _parse(path: Path, cursor: _Cursor) -> int:
    if len(cursor.data) < 8 or cursor.read("i") != (MAGIC,):
        raise FileError(f"{path} is not a fastText model; --lid-model takes a .bin or .ftz file")
    (version,) = cursor.read("i")
    if version > NEWEST_VERSION:
        raise FileError(
            f"{path} has version {version} of fastText's format; {NEWEST_VERSION} is the newest that can be read"
        )
    *_, kind, _, _, _, _ = cursor.read("12i")
    cursor.read("d")
    if kind != SUPERVISED:
        raise FileError(f"{path} holds word vectors, not a classifier")
    label_count = _read_dictionary(cursor)
    (is_quantised,) = cursor.read("?")
    _skip_matrix(cursor, quantised=bool(is_quantised))
    (is_quantised_too,) = cursor.read("?")
    _skip_matrix(cursor, quantised=bool(is_quantised and is_quantised_too))
    if cursor.offset != len(cursor.data):
        raise FileError(f"{path} is damaged: {len(cursor.data) - cursor.offset:,} bytes after its end")
    return label_count


def _read_dictionary(cursor: _Cursor) -> int:
    """Return the number of labels."""
    size, _, label_count, _, pruned = cursor.read("3i2q")
    for _ in range(size):
        cursor.skip_string()
        cursor.skip(9)
    cursor.skip(8 * max(0, pruned))
    return label_count


def _skip_matrix(cursor: _Cursor, *, quantised: bool) -> None:
    (has_norms,) = cursor.read("?") if quantised else (False,)
    rows, columns = cursor.read("2q")
    if not quantised:
        return cursor.skip(4 * rows * columns)
    (codes,) = cursor.read("i")
    cursor.skip(codes)
    _skip_quantiser(cursor)
    if has_norms:
        cursor.skip(rows)
        _skip_quantiser(cursor)
    return None


def _skip_quantiser(cursor: _Cursor) -> None:
    size, *_ = cursor.read("4i")
    cursor.skip(4 * size * CENTROIDS)
