"""Locks on files that a run writes, where the file system has locks."""

import errno
import fcntl
from collections.abc import Callable
from pathlib import Path

from llamax_cli.errors import FileError, because

TAKEN = (errno.EACCES, errno.EAGAIN)
# What is said where there are no locks, such as on NFS without its lock service and on Lustre without `flock`.
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)


def lock(descriptor: int, path: Path, how: Callable[[int, int], None] | None = None) -> bool:
    """Lock an open file for this process; return False where another one holds the lock.

    A file system that has no locks locks nothing. `how` is fcntl.lockf or fcntl.flock. FileError, with the path, for
    any other reason.
    """
    try:
        (how or fcntl.lockf)(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in TAKEN:
            return False
        if error.errno not in NO_LOCKS:
            raise FileError(f"cannot lock {path}: {because(error)}") from error
    return True
