"""Temporary folders, in the folder that TMPDIR names; what a killed run has left there is removed by the next one.

The name says whose it is: `llamax-HOST-PID-START-RANDOM`, for a process on HOST that started at START. The process and
its workers hold a lock on the folder, which says that it is in use even where the process cannot be seen from here,
such as in another container.
"""

import errno
import fcntl
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from llamax_cli import interruption
from llamax_cli.errors import FileError, because

PREFIX = "llamax-"
UNLOCKED = "llamax."  # begins the name of a folder until it is locked; it is empty
FULL = {errno.ENOSPC, errno.EDQUOT}
ADVICE = "set TMPDIR to a folder with more space"


class TemporaryFolder:
    """A folder for files of this run; it is removed with `cleanup`, with this object, or by the next run.

    FileError if it cannot be made; then and whenever a file in it cannot be written, `temporary_error` says why.
    """

    def __init__(self, advice: str = ADVICE) -> None:
        unlocked: Path | None = None
        try:
            parent = Path(tempfile.gettempdir())
            reclaim(parent)
            unlocked = Path(tempfile.mkdtemp(prefix=f"{UNLOCKED}{_Owner.this()}-", dir=parent))
            descriptor = _lock(unlocked)
            # Only a folder that is locked has a name by which another run may remove it with all that is in it.
            self.path = parent / f"{PREFIX}{unlocked.name.removeprefix(UNLOCKED)}"
            unlocked.rename(self.path)
        except OSError as error:
            if unlocked is not None:
                with suppress(OSError):
                    unlocked.rmdir()
            raise temporary_error(error, advice) from error
        self._finalizer = weakref.finalize(self, _remove, self.path, descriptor, os.getpid())

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.cleanup()

    def cleanup(self) -> None:
        """Remove the folder."""
        interruption.notice()
        self._finalizer()


def reclaim(parent: Path) -> None:
    """Remove the folders of runs on this machine that ended without doing so, because they were killed."""
    for folder in _folders(parent):
        with suppress(OSError):
            if _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
    for folder in _folders(parent, UNLOCKED):
        owner = _Owner.of(folder, UNLOCKED)
        with suppress(OSError):
            if owner is not None and owner.is_gone:
                folder.rmdir()


def temporary_error(error: OSError, advice: str = ADVICE) -> FileError:
    """Return the error for a temporary file that cannot be written; it tells what other runs have left there."""
    try:
        parent = Path(tempfile.gettempdir())
    except OSError:
        return FileError(f"{because(error)}; {advice}")
    others = [f"{folder.name} ({_size(folder) / 1e6:,.0f} MB)" for folder in _folders(parent) if not _is_ours(folder)]
    more = f"; it also holds {', '.join(sorted(others))}" if others and error.errno in FULL else ""
    return FileError(f"{parent}: {because(error)}; {advice}{more}")


class _Owner(NamedTuple):
    """A process, by its machine, its number and when it started; numbers are used again."""

    host: str
    pid: int
    start: str

    @classmethod
    def this(cls) -> "_Owner":
        return cls(_host(), os.getpid(), _start(os.getpid()) or "0")

    @classmethod
    def of(cls, folder: Path, prefix: str = PREFIX) -> "_Owner | None":
        """Return the owner that the name of a folder tells, None for a folder of something else."""
        parts = folder.name.removeprefix(prefix).rsplit("-", 3)
        if not folder.name.startswith(prefix) or len(parts) != 4 or not parts[1].isdecimal():
            return None
        return cls(parts[0], int(parts[1]), parts[2])

    @property
    def is_gone(self) -> bool:
        """Whether it was a process of this machine and is not there any more, as far as can be seen."""
        return self.host == _host() and _start(self.pid) != self.start

    def __str__(self) -> str:
        return f"{self.host}-{self.pid}-{self.start}"


def _host() -> str:
    return "".join(character if character.isalnum() or character in ".-" else "_" for character in os.uname().nodename)


def _start(pid: int) -> str | None:
    """Return when a process started, in the ticks of the kernel, None if there is no such process."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        except OSError:
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "0"


def _folders(parent: Path, prefix: str = PREFIX) -> Iterator[Path]:
    """Yield the temporary folders of this user in a folder."""
    with suppress(OSError):
        for entry in list(os.scandir(parent)):
            if not entry.name.startswith(prefix):  # a temporary folder may hold thousands of others
                continue
            path = Path(entry.path)
            with suppress(OSError):
                is_mine = (
                    entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.getuid()
                )
                if is_mine and _Owner.of(path, prefix):
                    yield path


def _is_abandoned(folder: Path) -> bool:
    owner = _Owner.of(folder)
    if owner is None or not owner.is_gone:
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # this file system has no locks
    finally:
        os.close(descriptor)
    return True


def _is_ours(folder: Path) -> bool:
    """Return whether a folder belongs to this process, or to the one whose worker this is."""
    owner = _Owner.of(folder)
    return owner is not None and owner.host == _host() and owner.pid in (os.getpid(), os.getppid())


def _lock(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY)
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _remove(folder: Path, descriptor: int, pid: int) -> None:
    if os.getpid() == pid:  # not a worker
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total
