"""Signals that end a run: SIGINT, SIGTERM and SIGHUP.

The first one raises an exception, so that what is open is closed and saved. Those that follow at once change nothing: a
key is pressed twice, or a terminal and a launcher both send one. One that comes later kills the process.
"""

import atexit
import os
import signal
import time
from types import FrameType

from llamax_cli.errors import HungUp, Terminated

EXCEPTIONS: dict[int, type[BaseException]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
    signal.SIGHUP: HungUp,
}
PATIENCE = 2.0  # seconds that closing and saving may take before another signal kills the process

_raised: BaseException | None = None
_first: float | None = None  # when the first signal came, or when the run ended without one


def listen() -> None:
    """Have signals end the run; SIGHUP does not where it is ignored, as it is under nohup."""
    atexit.register(_ignore)  # it runs after all that is registered later
    for number in EXCEPTIONS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise)


def stop_listening() -> None:
    """Let signals change nothing from now on, as the exit code is known."""
    global _first
    _first = time.monotonic()


def raised() -> BaseException | None:
    """Return what the first signal has raised; where a library swallows that, it raises an error of its own instead."""
    return _raised


def _raise(number: int, frame: FrameType | None) -> None:
    global _first, _raised
    now = time.monotonic()
    if _first is None:
        _first, _raised = now, EXCEPTIONS[number]()
        raise _raised
    if now > _first + PATIENCE:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _ignore() -> None:
    for number in EXCEPTIONS:
        signal.signal(number, signal.SIG_IGN)
