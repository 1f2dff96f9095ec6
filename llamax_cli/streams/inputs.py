"""Inputs: files, pipes and standard input, with any compression."""

import errno
import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from llamax_cli.errors import DataError, FileError, UsageError, because
from llamax_cli.records import Record, serialise
from llamax_cli.streams.compression import LONGEST_MAGIC, compression_of, decompressed, decompression_errors, may_begin

CHUNK = 1 << 17  # bytes read at once; the records of one chunk fit the cache, which doubles the speed


class Door(Protocol):
    """Reads inputs that are not lines of JSON; the rooms of formats are above this one, so it is handed in."""

    def recognises(self, source: "Input") -> bool:
        """Return whether it reads this input."""

    def batches(self, source: "Input") -> Iterator[list[Record]]:
        """Yield the input as records."""


class Input:
    """One input, which can be opened several times; `-` is standard input, which must be spooled for that.

    `read` counts the bytes read so far. `length` (the bytes before decompression) and, with `hashing`, `sha256` are
    known once the input was read to its end. `blocks` gives what `door` makes of the input, if it reads it.
    """

    def __init__(self, path: str | Path, *, hashing: bool = False, door: Door | None = None) -> None:
        self.path = str(path)
        self.name = "stdin" if self.path == "-" else self.path
        self.hashing = hashing
        self.sha256: str | None = None
        self.length: int | None = None
        self.read = 0
        self._spool: Any = None
        self._peeked: BinaryIO | None = None
        self._opened_stdin = False
        self._door = door

    def open(self) -> BinaryIO:
        """Return a stream of the decompressed bytes; FileError if it cannot be opened."""
        if self._peeked is not None:
            stream, self._peeked = self._peeked, None
            return stream
        raw = _Raw(self, self._descriptor())
        buffered = io.BufferedReader(cast("Any", raw), CHUNK)
        with self.readable():
            head = buffered.peek(LONGEST_MAGIC)[:LONGEST_MAGIC]
        compression = compression_of(head)
        return decompressed(buffered, compression) if compression else buffered

    def check(self) -> None:
        """Raise FileError, as `open` does, where the input cannot be opened; nothing is read, and no pipe opened."""
        if self.path == "-":
            return
        self._check_status(_status(self.path))
        if not os.access(self.path, os.R_OK):
            raise FileError(f"{self.path}: {os.strerror(errno.EACCES).lower()}")

    def head(self) -> bytes:
        """Return the first bytes, about a chunk at most; a later `open` returns them again."""
        read = self.read
        stream = self.open()
        with self.readable(is_begun=False):
            first_bytes = cast("Any", stream).peek(CHUNK)
        if not self.reopens():
            self._peeked = stream
        else:
            stream.close()
            self.read = read  # these bytes count when they are read to be used
        return bytes(first_bytes)

    def blocks(self) -> Iterator[bytes]:
        """Yield the decompressed bytes as they arrive, at most CHUNK at once, or the records that the door makes."""
        with self._door_shut() as door:  # the door reads this input itself
            if door is not None and door.recognises(self):
                yield from map(serialise, door.batches(self))
            else:
                yield from self._raw_blocks()

    def batches(self) -> Iterator[list[Record]] | None:
        """Return the records that the door makes of the input, or None where it does not read it.

        They are those of the lines that `blocks` gives.
        """
        with self._door_shut() as door:
            if door is None or not door.recognises(self):
                return None
        return self._batches(door)

    def _batches(self, door: Door) -> Iterator[list[Record]]:
        with self._door_shut():
            yield from door.batches(self)

    @contextmanager
    def _door_shut(self) -> Iterator[Door | None]:
        door, self._door = self._door, None
        try:
            yield door
        finally:
            self._door = door

    def _raw_blocks(self) -> Iterator[bytes]:
        is_begun = False
        with self.open() as stream:
            while True:
                with self.readable(is_begun=is_begun):
                    block = cast("Any", stream).read1(CHUNK)
                if not block:
                    return
                is_begun = True
                yield block

    @contextmanager
    def readable(self, *, is_begun: bool = True) -> Iterator[None]:
        """Turn exceptions of the operating system and the decompressors into errors that name this input.

        Where nothing has been decompressed yet, a decompressor that wants more may as well have misread garbage.
        """
        try:
            yield
        except EOFError as error:
            fault = "cut short" if is_begun else "cut short or broken"
            raise DataError(f"{self.name}: the compressed file is {fault}; fetch it again") from error
        except OSError as error:
            if error.errno is not None:
                raise FileError(f"{self.name}: {because(error)}") from error
            raise DataError(f"{self.name}: the compressed data is broken ({error}); fetch it again") from error
        except decompression_errors() as error:
            raise DataError(f"{self.name}: the compressed data is broken ({error}); fetch it again") from error

    def reopens(self) -> bool:
        """Return whether the input can be opened more than once."""
        return self._spool is not None or (self.path != "-" and stat.S_ISREG(_status(self.path).st_mode))

    def spool(self) -> None:
        """Copy an input that cannot be opened again to a temporary file, which lives as long as this object."""
        if not self.reopens():
            from llamax_cli.streams.temporary import TemporaryFolder, temporary_error

            folder = TemporaryFolder()
            blocks = self.blocks()
            try:
                with (folder.path / "input").open("wb") as file:
                    for block in blocks:
                        file.write(block)
            except OSError as error:
                raise temporary_error(error) from error
            self._spool = folder

    def size(self) -> int | None:
        """Return the size of a regular file in bytes, or None for any other input."""
        try:
            status = os.stat(self._spool.path / "input" if self._spool else 0 if self.path == "-" else self.path)
        except (OSError, ValueError):
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def measure(self) -> int:
        """Return the bytes of the decompressed text, with a last line end if it is missing.

        Compressed inputs are read for that, so the input must be one that can be opened again.
        """
        with self._door_shut() as door:
            is_converted = door is not None and door.recognises(self)
        size = None if is_converted else self.size()
        with self.open() as stream:
            raw = getattr(stream, "raw", None)
            if size and isinstance(raw, _Raw):
                with self.readable():
                    return size + (raw.byte_at(size - 1) != b"\n")
        total, last = 0, b"\n"
        for block in self.blocks():
            total += len(block)
            last = block[-1:]
        return total + (last != b"\n")

    def _descriptor(self) -> int:
        if self._spool is not None:
            return os.open(self._spool.path / "input", os.O_RDONLY)
        if self.path == "-":
            return self._standard_input()
        self._check_status(_status(self.path))
        try:
            return os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise FileError(f"{self.path}: {because(error)}") from error

    def _check_status(self, status: os.stat_result) -> None:
        if stat.S_ISDIR(status.st_mode):
            raise FileError(f"{self.path} is a folder, not a file")

    def _standard_input(self) -> int:
        if sys.stdin is None:
            raise FileError("standard input is closed")
        if self._opened_stdin:
            raise UsageError("standard input can be read only once; save it to a file first")
        self._opened_stdin = True
        if stat.S_ISDIR(os.fstat(0).st_mode):
            raise FileError("standard input is a folder, not a file")
        return os.dup(0)


class _Raw(io.RawIOBase):
    """The bytes of an input before decompression, counted and, with `hashing`, hashed as they are read."""

    def __init__(self, source: Input, descriptor: int) -> None:
        self._source = source
        self._descriptor = descriptor
        self._count = 0
        self._hash: Any = None
        if source.hashing and source.length is None:
            import hashlib

            self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        count = os.readv(self._descriptor, [view])
        while not self._count and may_begin(bytes(view[:count])):  # a pipe may give a byte at a time
            more = os.readv(self._descriptor, [view[count:]])
            if not more:
                break
            count += more
        self._count += count
        self._source.read += count
        if self._hash is not None:
            self._hash.update(view[:count])
        if not count:
            self._end()
        return count

    def _end(self) -> None:
        if self._source.length is None:
            self._source.length = self._count
            self._source.sha256 = self._hash.hexdigest() if self._hash is not None else None

    def byte_at(self, place: int) -> bytes:
        """Return one byte of a regular file, without a change of position."""
        return os.pread(self._descriptor, 1, place)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def _status(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: {because(error)}") from error
