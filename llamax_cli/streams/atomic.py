"""Files and folders that appear under their names whole or not at all.

These are for what is written in one go. An output that an interrupted run can resume is an `outputs.AtomicFile`.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO

from llamax_cli.errors import FileError, because


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` once it is whole and on disk; FileError if it cannot be written.

    Missing folders are created. Until then the file is called `NAME.PID.partial`; it is removed if anything fails.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def atomic_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Create a folder to write into, which becomes `path` once it is whole and on disk; FileError if that fails.

    Missing parents are created. Until then the folder is called `NAME.*.partial`; it is removed if anything fails. An
    existing `path` must be empty. With `replace`, which is for callers that are the only writer, an existing `path` is
    replaced. The temporary name is then `NAME.partial`, and what a killed process left there is removed.
    """
    target = path.absolute()
    partial: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = _make_partial(target, replace=replace)
        yield partial
        _sync_tree(partial)
        if target.exists():
            shutil.rmtree(target) if replace else target.rmdir()
        partial.rename(target)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    try:
        _sync(target.parent)
    except OSError as error:
        raise FileError(f"{path} is complete, but its name may not be on disk yet: {because(error)}") from error


def _make_partial(target: Path, *, replace: bool) -> Path:
    if replace:
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    else:
        partial = Path(mkdtemp(prefix=f"{target.name}.", suffix=".partial", dir=target.parent))
        partial.chmod(0o755)
    return partial


def _sync_tree(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        _sync(path)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
