"""A thread that ends this rank if it was told to stop and makes no progress.

Python runs the handler of a signal only between two byte codes, so a rank that waits in a collective for one that hangs
heeds no SIGTERM. The interpreter's C code, however, writes the number of each signal into a pipe at once; and gloo,
NCCL and CUDA release the GIL while they wait, so that a thread can act on it.
"""

import os
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
CLOSE = 0  # no signal has this number
POLL = 0.1  # seconds between two looks at the clock
REPORT = 5.0  # seconds that a report may take: the file system may hang, too
RECENT = 64  # beats from which the pace of a run is taken


class Overdue(NamedTuple):
    """What a rank was doing when it was ended, for how many seconds, and the signal that had told it to stop."""

    doing: str
    seconds: float
    signal: int | None

    @property
    def exit_code(self) -> int:
        """The exit code of a rank that is ended: as of any other end by the signal."""
        return 1 if self.signal is None else 128 + self.signal


class Watchdog:
    """Watches the progress of this rank from a thread, from `with` to its end.

    After a stop signal, the process is ended with `os._exit` when nothing was reported to `progress` for `stop_timeout`
    seconds, or for twice the longest recent time between two reports, so that slow micro-batches are no hang; inside
    `patient`, for `collective_timeout` seconds. Without a signal, that happens only where `limit_collectives` was
    called, `collective_timeout` seconds after the last report.

    `on_stop` is called in the thread when the first stop signal arrives, `report` before the process is ended.
    """

    def __init__(self, report: Callable[[Overdue], None], on_stop: Callable[[], None] = lambda: None) -> None:
        self.stop_timeout = 30.0  # until the settings are known
        self.collective_timeout = 600.0
        self._report = report
        self._on_stop = on_stop
        self._doing = ""
        self._beat = time.monotonic()
        self._gaps: deque[float] = deque(maxlen=RECENT)
        self._is_paced = False  # whether the last report was of progress, so that the next one is soon to follow
        self._is_patient = False
        self._limits_collectives = False
        self._signal: int | None = None
        self._stopped_at: float | None = None
        self._exit_code: int | None = None
        self._last_report: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._pid = os.getpid()
        os.register_at_fork(after_in_child=self._leave_to_parent)
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._before)
        os.write(self._writer, bytes([CLOSE]))
        self._thread.join()
        self._pid = 0
        os.close(self._reader)
        os.close(self._writer)

    # -- what the main thread reports ----------------------------------------------------------------------------------

    def begin(self, doing: str) -> None:
        """Report the beginning of something that may take any time."""
        self._is_paced, self._doing, self._beat = False, doing, time.monotonic()

    def progress(self, doing: str) -> None:
        """Report progress in a loop; the next report follows soon."""
        now = time.monotonic()
        if self._is_paced:
            self._gaps.append(now - self._beat)
        self._is_paced, self._doing, self._beat = True, doing, now

    @contextmanager
    def patient(self, doing: str) -> Iterator[None]:
        """Give other ranks time for work that this one can only wait for, such as their part of a checkpoint."""
        self.begin(doing)
        self._is_patient = True
        try:
            yield
        finally:
            self._is_patient = False
            self.begin(doing)

    def limit_collectives(self) -> None:
        """End the process `collective_timeout` seconds after the last progress without a signal, too."""
        self._limits_collectives = True

    def leave(self, exit_code: int, report: Callable[[], None] | None = None) -> None:
        """Give the process `stop_timeout` seconds to leave the group of ranks, which may hang in a collective.

        After that, `report` is called for what has not been said yet, and the process is ended with the exit code.
        """
        self.begin("leaving the other ranks")
        self._exit_code, self._last_report, self._stopped_at = exit_code, report, time.monotonic()

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while True:
            is_idle = self._stopped_at is None and not self._limits_collectives and not self._is_paced
            if select.select([self._reader], [], [], 1.0 if is_idle else POLL)[0]:
                numbers = os.read(self._reader, 64)
                if CLOSE in numbers:
                    return
                self._note(numbers)
            if overdue := self._overdue():
                self._end(overdue)

    def _note(self, numbers: bytes) -> None:
        for number in numbers:
            if number in STOP_SIGNALS and self._signal is None:
                self._signal = number
                self._stopped_at = self._stopped_at or time.monotonic()
                self._on_stop()

    def _overdue(self) -> Overdue | None:
        """Return what this rank has been doing for too long."""
        if self._stopped_at is not None:
            since, limit = max(self._beat, self._stopped_at), self._patience()
        elif self._limits_collectives and self._is_paced:
            since, limit = self._beat, self.collective_timeout
        else:
            return None
        seconds = time.monotonic() - since
        return Overdue(self._doing, seconds, self._signal) if seconds > limit else None

    def _patience(self) -> float:
        if self._is_patient:
            return max(self.stop_timeout, self.collective_timeout)
        return max(self.stop_timeout, 2 * max(self._gaps, default=0.0))

    def _end(self, overdue: Overdue) -> None:
        report = partial(self._report, overdue) if self._exit_code is None else self._last_report
        if report is not None:
            reporter = threading.Thread(target=report, daemon=True)
            reporter.start()
            reporter.join(REPORT)
        os._exit(overdue.exit_code if self._exit_code is None else self._exit_code)

    def _leave_to_parent(self) -> None:
        """In a forked process: write no signals into the pipe of its parent."""
        if self._pid == os.getppid():
            signal.set_wakeup_fd(-1)
