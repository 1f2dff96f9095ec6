"""Files and folders that appear under their names whole or not at all.

These are for what is written in one go. An output that an interrupted run can resume is an `outputs.AtomicFile`.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from llamax_cli.errors import UnsyncedError, because, naming


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` once it is whole and on disk; FileError if it cannot be written.

    Missing folders are created. Until then the file is called `NAME.PID.partial`; it and they are removed if anything
    fails.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with naming(path), _parents(path), _removed(partial):
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)


@contextmanager
def _removed(partial: Path) -> Iterator[None]:
    """Remove a file at the end, if it still has this name."""
    try:
        yield
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def _parents(path: Path) -> Iterator[None]:
    """Create the missing folders that a path is in, and remove them again if they stay empty."""
    missing = _make_parents(path)
    try:
        yield
    finally:
        _remove_empty(missing)


def _make_parents(path: Path) -> list[Path]:
    """Create the missing folders that a path is in, and return them, the innermost first."""
    missing = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # there is something in it
            folder.rmdir()


@contextmanager
def atomic_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Open an AtomicFolder to write into; it gets its name if nothing fails, and is removed otherwise."""
    folder = AtomicFolder(path, replace=replace)
    try:
        with naming(path):
            yield folder.partial
        folder.finish()
    finally:
        folder.close()


class AtomicFolder:
    """A folder `partial` to write into, which becomes `path` once it is whole and on disk; FileError if that fails.

    Missing parents are created. Until then the folder is called `NAME.*.partial`; `close` removes it and them. An
    existing `path` must be empty. With `replace`, which is for callers that are the only writer, an existing `path` is
    replaced. The temporary name is then `NAME.partial`, and what a killed process left there is removed.
    """

    def __init__(self, path: Path, *, replace: bool = False) -> None:
        self.path = path
        self._target = path.absolute()
        self._replace = replace
        self._is_complete = False
        with naming(self.path):
            self._missing = _make_parents(self._target)
            self.partial = self._make_partial()

    def _make_partial(self) -> Path:
        target = self._target
        if not self._replace:
            from tempfile import mkdtemp  # slow to import, and few runs make a folder

            partial = Path(mkdtemp(prefix=f"{target.name}.", suffix=".partial", dir=target.parent))
            partial.chmod(0o755)
            return partial
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        return partial

    def complete(self) -> None:
        """Wait for the disk, so that the folder lacks only its name; nothing may be written afterwards."""
        if not self._is_complete:
            with naming(self.path):
                _sync_tree(self.partial)
            self._is_complete = True

    def finish(self) -> None:
        """Complete the folder and give it its name."""
        self.complete()
        with naming(self.path):
            if self._target.exists():
                shutil.rmtree(self._target) if self._replace else self._target.rmdir()
            self.partial.rename(self._target)
        sync_name(self.path)

    def close(self) -> None:
        """Remove what was written, unless it has its name."""
        shutil.rmtree(self.partial, ignore_errors=True)
        _remove_empty(self._missing)


def sync_name(path: Path) -> None:
    """Wait until the name of a complete file or folder is on disk; UnsyncedError if the disk refuses that."""
    try:
        sync(path.absolute().parent)
    except OSError as error:
        raise UnsyncedError(f"{path} is complete, but its name may not be on disk yet: {because(error)}") from error


def _sync_tree(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        sync(path)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
