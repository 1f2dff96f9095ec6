"""Files and folders that appear under their names whole or not at all.

For what is written in one go; an output that an interrupted run resumes is an `outputs.AtomicFile`.
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
    """Open a file that replaces `path` once it is whole and on disk; FileError where it cannot be written.

    Missing folders are made. What is written is in `NAME.PID.partial` until then, and removed if anything fails.
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
    """Make a folder to write into that becomes `path` once it is whole and on disk; FileError where it cannot.

    Missing folders above it are made. It is called `NAME.*.partial` until then, and removed if anything fails. `path`
    may be an empty folder. With `replace`, for a caller that is the only writer, it may be any folder, and the partial
    one is called `NAME.partial`, so that what a killed process has left there is removed.
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
        _sync(target.parent)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


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
