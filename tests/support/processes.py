"""Processes that tests start: how they end, what they say, and when they are as far as a test wants them."""

import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Outcome = subprocess.CompletedProcess[bytes]


def restore_signals() -> None:
    """Have what tests start begin with the usual effect of signals, where pytest was told to ignore them.

    So it is after nohup, and in the background of a script. pytest itself, and its workers, still ignore them.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)  # unlike SIG_IGN, a handler is not inherited


def one_line(outcome: Outcome, code: int, *words: str, had_written: bool = False) -> str:
    """Check the exit code of a command that failed, and that it said why in one line with these words.

    Return the line without the name of the command. Nothing is on stdout, or whole lines where it `had_written` some.
    """
    said = outcome.stderr.decode()
    assert outcome.returncode == code, said
    assert said.startswith("llamax") and said.endswith("\n") and said.count("\n") == 1, said
    assert "Traceback" not in said
    for word in words:
        assert word in said, said
    assert outcome.stdout[-1:] == b"\n" if had_written and outcome.stdout else outcome.stdout == b""
    return said.rstrip("\n").partition(": ")[2]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def processor_seconds() -> float:
    """Return how long the ended children of this process have worked, however many others shared the machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wait_until(condition: Callable[[], object], process: Any = None, seconds: float = 60) -> None:
    """Wait until something holds, which has to happen before the process ends."""

    def holds() -> bool:
        try:
            return bool(condition())
        except (FileNotFoundError, ProcessLookupError):  # it went away while the condition looked at it
            return False

    end = time.monotonic() + seconds
    while not holds():
        assert process is None or process.poll() is None or holds(), "the process has ended"
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)


def wait_for(path: Path, size: int = 0, process: Any = None, seconds: float = 60) -> None:
    """Wait until a file is there and has more than `size` bytes, if any."""
    wait_until(lambda: path.exists() and (not size or path.stat().st_size > size), process, seconds)


def wait_for_handlers(process: subprocess.Popen[bytes]) -> None:
    """Wait until a command has its modules and listens to signals, however busy the machine is."""
    bit = 1 << (signal.SIGTERM - 1)

    def listens() -> bool:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        caught = next(line for line in lines if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) & bit)

    wait_until(lambda: process.poll() is not None or listens())
