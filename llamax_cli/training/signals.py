"""Signals that reach a worker: from the user, from Slurm, and from the kernel when the launcher is gone."""

import ctypes
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from llamax_cli.errors import Terminated

PR_SET_PDEATHSIG = 1  # of Linux's prctl


class Signals:
    """Requests from outside: SIGUSR1 for a checkpoint, SIGTERM and SIGINT for a checkpoint and the end of the run.

    Inside `deferred`, a signal only sets `checkpoint` or `stop`, which the training loop reads between steps.
    Elsewhere, SIGTERM raises Terminated and SIGINT raises KeyboardInterrupt at once.
    """

    def __init__(self) -> None:
        self.checkpoint = False
        self.stop: BaseException | None = None
        self._is_deferred = False
        self._has_raised = False
        signal.signal(signal.SIGUSR1, self._request_checkpoint)
        signal.signal(signal.SIGTERM, self._request_stop)
        signal.signal(signal.SIGINT, self._request_stop)

    def _request_checkpoint(self, number: int, frame: FrameType | None) -> None:
        self.checkpoint = True

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        error = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
        if not self._is_deferred and not self._has_raised:
            self._has_raised = True  # the terminal and the launcher may both send one; the second changes nothing
            raise error
        self.stop = self.stop or error

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Note signals instead of raising at once."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False

    def raise_deferred(self) -> None:
        """Raise Terminated or KeyboardInterrupt if a signal asked for the end meanwhile."""
        if self.stop is not None and not self._has_raised:
            self._has_raised = True
            raise self.stop

    def ignore(self) -> None:
        """Raise no more: the exit code of this process is decided."""
        self._has_raised = True

    @contextmanager
    def ignored_after_failure(self) -> Iterator[None]:
        """Let no signal replace an error that is on its way out: the launcher ends all ranks when one of them fails."""
        try:
            yield
        except BaseException:
            self._has_raised = True
            raise


def die_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when the launcher dies, so that no worker trains on by itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
