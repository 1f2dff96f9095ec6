"""What the benchmarks measure with, and where they find the real data."""

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LLAMAX_TEST_DATA", ROOT.parent / "shared" / "data"))
LLAMAX = [sys.executable, "-m", "llamax_cli"]


def environment(**more: str) -> dict[str, str]:
    """Return that of an installed llamax, which is not compiled from its source at each start, and more variables."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | more


def seconds(command: Sequence[str | Path], **variables: str) -> tuple[float, float]:
    """Run a command; return its seconds by the clock, and the processor seconds of it and its children."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, check=True, env=environment(**variables), **silent)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def worked(command: Sequence[str | Path], **variables: str) -> float:
    """Run a command; return the processor seconds of it and its children."""
    return seconds(command, **variables)[1]


def timed(work: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Return the seconds that work in this process takes by a clock, and what it returns."""
    start = clock()
    result = work()
    return clock() - start, result


class Peak(threading.Thread):
    """The most memory that a process and its children had together, or the `largest` of them for itself.

    Memory is their proportional set sizes (PSS), for a single process its unique set size (USS).
    """

    def __init__(self, pid: int, *, largest: bool = False) -> None:
        import psutil  # here, since the memory of who imports it counts in bench_streams.py

        super().__init__(daemon=True)
        self._largest = largest
        self._process = psutil.Process(pid)
        self.bytes = 0

    def run(self) -> None:
        """Look ten times a second, until the process is gone."""
        import psutil

        while True:
            try:
                family = [self._process, *self._process.children(recursive=True)]
                found = [each.memory_full_info() for each in family]
                now = max(each.uss for each in found) if self._largest else sum(each.pss for each in found)
                self.bytes = max(self.bytes, now)
            except (psutil.Error, OSError):
                if not self._process.is_running() or self._process.status() == psutil.STATUS_ZOMBIE:
                    return
            time.sleep(0.1)


def flores(folder: Path = DATA / "flores101" / "devtest") -> dict[str, list[str]]:
    """Return the 1,012 lines of each language of FLORES-101 devtest, by our codes."""
    from llamax_cli.languages import languages

    paths = {code: folder / f"{entry.flores101}.devtest" for code, entry in languages().items()}
    return {code: path.read_text(encoding="utf-8").split("\n")[:-1] for code, path in paths.items()}
