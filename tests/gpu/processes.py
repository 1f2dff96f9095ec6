"""Each check runs in a process of its own: what it leaves on the card, patches or breaks does not reach the next."""

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import psutil

from gpu.checks import Bench, Check, Figure, NotRun
from llamax_cli.training.signals import die_with_parent

FORK = multiprocessing.get_context("fork")  # libraries are loaded once; this process itself never uses the card

PATIENCE = 4  # times as long may a trial take, on a CPU that does much else


def run(check: Check, bench: Bench) -> dict[str, Any]:
    """Measure a check; return its outcome in the form of results.json."""
    start = time.monotonic()
    limit = check.limit * (PATIENCE if bench.is_cpu else 1)
    kind, content = in_child(lambda: check.measure(bench), limit)
    outcome: dict[str, Any] = {"what": check.what, "unit": check.unit, "goal": check.goal}
    if kind == "done":
        figure = content if isinstance(content, Figure) else Figure(content)
        has_goal = check.goal and (check.is_for_trials or not bench.is_cpu)
        met = check.is_met(figure.value) if has_goal else None
        outcome |= {"figure": figure.value, "met": met, "note": figure.note, "table": figure.table}
    else:
        outcome |= {kind: content}
    return {**outcome, "seconds": round(time.monotonic() - start, 1)}


def in_child(work: Callable[[], Any], limit: float) -> tuple[str, Any]:
    """Return ("done", result), ("not run", reason) or ("failed", error) of work in a forked process.

    The process and all that it started are killed at its end, after `limit` seconds, or when this one is interrupted.
    """
    receiver, sender = FORK.Pipe(duplex=False)
    child = FORK.Process(target=_work, args=(work, sender))
    child.start()
    sender.close()
    try:
        if not receiver.poll(limit):
            return "failed", f"took more than {limit:.0f} s"
        outcome: tuple[str, Any] = receiver.recv()
        return outcome
    except EOFError:
        child.join()
        return "failed", f"its process ended with code {child.exitcode}"
    finally:
        _kill(child)


def _work(work: Callable[[], Any], sender: Connection) -> None:
    os.setsid()
    die_with_parent()  # of a check that has a process of its own, too
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    try:
        sender.send(("done", work()))
    except NotRun as reason:
        sender.send(("not run", str(reason)))
    except BaseException as error:  # whatever went wrong is the outcome, and the other checks go on
        traceback.print_exc()
        sender.send(("failed", f"{type(error).__name__}: {error}".strip().splitlines()[0][:300]))


def _kill(child: Any) -> None:
    """End a child and all that it has started, in whatever session: a launcher gives each worker one of its own."""
    try:
        family = psutil.Process(child.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    child.kill()
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    with suppress(ProcessLookupError, PermissionError):  # it has left nothing behind
        os.killpg(child.pid, signal.SIGKILL)
    child.join()
