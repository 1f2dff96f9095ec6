"""Outputs: standard output, devices, and files that appear only when they are complete."""

import errno
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from llamax_cli.errors import FileError, because, naming
from llamax_cli.streams.atomic import sync, sync_name
from llamax_cli.streams.compression import ENDINGS, compressed
from llamax_cli.streams.locks import lock

BLOCK = 4 << 20  # bytes of text in one compressed block


class WrittenHash:
    """The length and the SHA-256 of all that was written."""

    def __init__(self) -> None:
        import hashlib

        self._hash = hashlib.sha256()
        self.length = 0
        self.is_used = False  # whether something is written with it, if only nothing

    def update(self, data: bytes) -> None:
        """Take what is written."""
        self._hash.update(data)
        self.length += len(data)

    @property
    def sha256(self) -> str:
        """The hash so far."""
        return self._hash.hexdigest()


class Descriptor:
    """Standard output, a device or a pipe, which gets the bytes at once; they are also hashed, if that is asked for."""

    def __init__(self, descriptor: int, name: str, written: WrittenHash | None = None) -> None:
        self._descriptor = descriptor
        self.name = name
        self._hash = written
        if written is not None:
            written.is_used = True

    def write(self, data: bytes) -> None:
        """Write all the data; BrokenPipeError if the reader is gone."""
        if self._hash is not None:
            self._hash.update(data)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise FileError(f"{self.name}: {because(error)}") from error

    def complete(self) -> None:
        """Do nothing: all is written at once."""

    def finish(self) -> None:
        """Close a device or pipe; standard output stays open."""
        if self._descriptor != 1:
            os.close(self._descriptor)

    def close(self) -> None:
        """Do nothing: bytes that were written cannot be taken back."""


class Mark(NamedTuple):
    """A position in an output: `written` bytes of the file, and the first `length` parts of the next block's text."""

    written: int = 0
    parts: Sequence[bytes] = ()
    length: int = 0

    @property
    def pending(self) -> bytes:
        """The text that is written but not compressed yet."""
        return b"".join(self.parts[: self.length])  # this list only grows; a new block has a new list


class AtomicFile:
    """A file written as `NAME.partial` and renamed once it is complete and on disk.

    The ending of the name chooses the compression. Text is compressed in blocks of about BLOCK bytes, which end with a
    line and are each a complete gzip, zstd, bzip2 or xz stream; all readers join these. So an interrupted file can be
    continued to the same bytes: `mark()` returns a position, `rewind()` goes back to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))  # a link stays, and the file that it points to is replaced
        self.partial = partial_path(path)
        self.name = str(path)
        self._compression = ENDINGS.get(self.path.suffix)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._written = 0
        self._fresh = not self.partial.exists()
        self._rewound = False
        self._is_complete = False
        self._has_name = False
        self._descriptor = self._open()

    def _open(self) -> int:
        if self.path.is_dir():
            raise FileError(f"{self.path} is a folder, not a file")
        try:
            descriptor = os.open(self.partial, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise FileError(f"cannot write {self.partial}: {because(error)}") from error
        try:
            self._lock(descriptor)
            if self.path.exists():
                shutil.copymode(self.path, self.partial)
        except (OSError, FileError):
            os.close(descriptor)
            raise
        return descriptor

    def _lock(self, descriptor: int) -> None:
        # By lockf: this process holds the lock, its workers do not. The other run may just have renamed the file.
        if not lock(descriptor, self.partial) or not self._has_its_name(descriptor):
            raise FileError(f"another run is writing {self.partial}")

    def _has_its_name(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.partial))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise FileError(f"{self.partial}: {because(error)}") from error

    @property
    def descriptor(self) -> int:
        """The descriptor of the file, for reading: closing any other one would release the lock on it."""
        return self._descriptor

    def lock_again(self) -> None:
        """Lock the file again after a library closed and so unlocked it; FileError if another run has locked it."""
        self._lock(self._descriptor)

    def write(self, data: bytes) -> None:
        """Append whole lines."""
        if self._compression is None:
            self._put(data)
            return
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= BLOCK:
            self._compress_whole_blocks()

    def _compress_whole_blocks(self) -> None:
        text = b"".join(self._pending)
        start = 0
        # A block ends at the first line end past BLOCK, so that its bytes do not depend on how the text was written.
        while (end := text.find(b"\n", start + BLOCK - 1) + 1) > 0:
            self._put(compressed(text[start:end], cast("str", self._compression)))
            start = end
        self._pending = [text[start:]]
        self._pending_bytes = len(text) - start

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        with naming(self.partial):
            while view:
                view = view[os.write(self._descriptor, view) :]
        self._written += len(data)

    def mark(self) -> "Mark":
        """Return the position after all that was written so far."""
        return Mark(self._written, self._pending, len(self._pending))

    def truncate(self, mark: "Mark") -> None:
        """Cut off what was written after a position, to save the position and end."""
        with naming(self.partial):
            os.ftruncate(self._descriptor, mark.written)

    def rewind(self, written: int, pending: bytes) -> None:
        """Go back to a position; FileError if the file is shorter than that."""
        with naming(self.partial):
            if os.fstat(self._descriptor).st_size < written:
                raise FileError(f"{self.partial} is shorter than it was; start again without --resume")
            self._rewound = True
            os.ftruncate(self._descriptor, written)
            os.lseek(self._descriptor, written, os.SEEK_SET)
        self._written, self._pending, self._pending_bytes = written, [pending], len(pending)

    def sync(self) -> None:
        """Wait until all that was written is on disk."""
        with naming(self.partial):
            os.fsync(self._descriptor)

    def complete(self) -> None:
        """Write the last block and wait for the disk; nothing may be written afterwards."""
        if self._is_complete:
            return
        if self._compression is not None and (self._pending_bytes or not self._written):
            self._put(compressed(b"".join(self._pending), self._compression))
        self.sync()
        self._is_complete = True

    def finish(self) -> None:
        """Complete the file and rename it."""
        self.complete()
        self.lock_again()  # who has read the file for its hash has unlocked it
        with naming(self.partial):
            os.replace(self.partial, self.path)
        self._has_name = True
        sync_name(self.path)
        self.close()

    def discard(self) -> None:
        """Remove what was written, if the file is not complete; it is closed afterwards."""
        with suppress(OSError):  # what ended the run is what matters
            if not self._has_name:
                self.partial.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; before `finish`, what was written stays in `NAME.partial`."""
        if self._descriptor < 0:
            return
        empty = not self._written and not self._pending_bytes and (self._fresh or self._rewound)
        # Beside an older output, `NAME.partial` tells that the run is not complete.
        if empty and not self.path.exists():
            self.discard()
        os.close(self._descriptor)
        self._descriptor = -1


def sync_names(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    try:
        sync(folder)
    except OSError as error:
        raise FileError(f"{folder}: {because(error)}") from error


class WholeFile(AtomicFile):
    """A file that no later run continues: it begins empty, and nothing of it is left unless it is complete."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self.rewind(0, b"")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file, and remove it if it is not complete."""
        if self._descriptor >= 0:
            self.discard()
        super().close()


class Output(Protocol):
    """Where a run writes: `write` takes whole lines, `close` ends the output in any case.

    `complete` writes what is left, so that it lacks only its name, which `finish` gives it afterwards.
    """

    name: str

    def write(self, data: bytes) -> None: ...  # noqa: D102
    def complete(self) -> None: ...  # noqa: D102
    def finish(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


def partial_path(path: Path) -> Path:
    """Return where a file is written until it is complete: `partial_path(Path("/a.gz")) -> Path("/a.gz.partial")`."""
    return Path(os.path.realpath(path) + ".partial")


def check_output(path: Path | None) -> None:
    """Raise FileError, as `open_output` does, where no file can be written at a path; nothing is made."""
    if path is None or (path.exists() and not path.is_file() and not path.is_dir()):
        return
    if path.is_dir():
        raise FileError(f"{os.path.realpath(path)} is a folder, not a file")
    partial = partial_path(path)
    try:
        os.close(os.open(partial.parent, os.O_RDONLY | os.O_DIRECTORY))
    except OSError as error:
        raise FileError(f"cannot write {partial}: {because(error)}") from error
    for place in (partial, partial.parent):
        if place.exists():
            if not os.access(place, os.W_OK):
                raise FileError(f"cannot write {partial}: {os.strerror(errno.EACCES).lower()}")
            return


_hashes_of_stdout: list[WrittenHash] = []  # asked for, until standard output is opened


def hash_stdout() -> WrittenHash:
    """Return the hash of what is written to standard output once `open_output` has opened it the next time."""
    _hashes_of_stdout[:] = [WrittenHash()]
    return _hashes_of_stdout[0]


def open_output(path: Path | None, kind: type[AtomicFile] = AtomicFile) -> Output:
    """Return standard output for None, a Descriptor for a device or a pipe, and an AtomicFile for any other path.

    The last is a WholeFile where that is the `kind`.
    """
    if path is None:
        if sys.stdout is None:
            raise FileError("standard output: bad file descriptor")
        sys.stdout.flush()
        return Descriptor(1, "standard output", _hashes_of_stdout.pop() if _hashes_of_stdout else None)
    if path.exists() and not path.is_file() and not path.is_dir():
        return Descriptor(os.open(path, os.O_WRONLY), str(path))
    return kind(path)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in one go; it appears once it is complete, and nothing of it is left if that fails."""
    output = open_output(path, WholeFile)
    try:
        output.write(data)
        output.finish()
    finally:
        output.close()
