"""Signals that end a run: SIGINT, SIGTERM and SIGHUP.

The first one raises an exception, so that what is open is closed and saved. Those that follow at once change nothing: a
key is pressed twice, or a terminal and a launcher both send one. One that comes later kills the process.

The exception may be lost: Python ignores what is raised in a callback, even one of its own imports, and a library may
catch whatever it is. So it is raised again until `notice` says that it has arrived where a run ends.
"""

import atexit
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from llamax_cli.errors import HungUp, Terminated

EXCEPTIONS: dict[int, type[BaseException]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
    signal.SIGHUP: HungUp,
}
PATIENCE = 2.0  # seconds that closing and saving may take before another signal kills the process
AGAIN = 0.7  # seconds until the exception is raised again; what runs in `finally` and `with` on its way is quicker
SOON = 0.02  # the same where Python has just said that the exception is lost

_number: int | None = None  # of the first signal; its exception would keep alive all that was open
_first: float | None = None  # when the first signal came, or when the run ended without one


def listen() -> None:
    """Have signals end the run; SIGHUP does not where it is ignored, as it is under nohup."""
    atexit.register(_ignore)  # it runs after all that is registered later
    sys.unraisablehook = _hear_of_loss
    signal.signal(signal.SIGALRM, _raise_again)
    for number in EXCEPTIONS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise)


def stop_listening() -> None:
    """Let signals change nothing from now on, as the exit code is known."""
    global _first
    _first = time.monotonic()
    notice()


def notice() -> None:
    """Say that the exception has arrived: it is not raised again while things are closed and saved."""
    if _number is not None:
        signal.setitimer(signal.ITIMER_REAL, 0)


def raised() -> BaseException | None:
    """Return what the first signal raises, None if none has come; it may have become an error of a library."""
    return None if _number is None else EXCEPTIONS[_number]()


def _raise(number: int, frame: FrameType | None) -> None:
    global _first, _number
    now = time.monotonic()
    if _first is None:
        _first, _number = now, number
        signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        raise EXCEPTIONS[number]
    if now > _first + PATIENCE:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _raise_again(number: int, frame: FrameType | None) -> None:
    if _number is not None:
        raise EXCEPTIONS[_number]


def _hear_of_loss(lost: Any) -> None:
    if _number is not None and isinstance(lost.exc_value, EXCEPTIONS[_number]):
        signal.setitimer(signal.ITIMER_REAL, SOON, AGAIN)
    else:
        sys.__unraisablehook__(lost)


def _ignore() -> None:
    notice()
    for number in EXCEPTIONS:
        signal.signal(number, signal.SIG_IGN)
