"""`accelerate launch` as a process that ends with the exit code of its workers and without a traceback of its own.

A worker reports itself what went wrong, in one line or, for a bug, in a traceback; a worker that was killed cannot.

python -m llamax_cli.training.accelerate_entry COMMAND launch ...
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

from llamax_cli.console import say
from llamax_cli.errors import because
from llamax_cli.registry import importing

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)  # which torch passes on to the workers
# Seconds that workers have once another one has ended after a signal, and that one has to go on which is stopped, as by
# SIGSTOP. A worker that hangs ends by itself, unless nothing in it runs any more.
GRACE = 25.0
GRACE_IF_STOPPED = 10.0
POLL = 0.2
HINTS: dict[int, str] = {
    signal.SIGKILL: "; did the memory run out?",
    signal.SIGABRT: "; CUDA or NCCL says why, in the lines above",
}
# A worker that dies of these had not yet begun to listen to them.
EARLY = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}
LOGGERS = ("torch.distributed", "torch.distributed.elastic", "torch.distributed.run")


def main() -> None:
    """Run accelerate's command line for a command of ours, and exit."""
    command = sys.argv.pop(1)
    for number in EARLY:
        signal.signal(number, partial(_pass_on, command))
    _kill_stragglers_after_a_signal()
    with importing():
        from accelerate.commands import accelerate_cli
        from torch.distributed import DistError
        from torch.distributed.elastic.multiprocessing.api import SignalException
        from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
        from torch.distributed.elastic.rendezvous import RendezvousError

    for name in LOGGERS:  # they would repeat what the workers have reported
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        accelerate_cli.main()
    except ChildFailedError as error:
        _, first = error.get_first_failure()
        codes = {rank: each.exitcode for rank, each in error.failures.items()}
        sys.exit(_exit_code(command, codes, first.exitcode))
    except subprocess.CalledProcessError as error:
        sys.exit(_exit_code(command, {0: error.returncode}, error.returncode))
    except SignalException as error:
        sys.exit(128 + error.sigval)
    except (RendezvousError, DistError, ConnectionError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        say(command, f"the machines cannot connect, or one of them is gone: {line}")
        sys.exit(1)
    except OSError as error:
        say(command, f"{error.filename or 'the processes cannot be started'}: {because(error)}")
        sys.exit(1)


def _exit_code(command: str, codes: dict[int, int], first: int) -> int:
    """Return the exit code of a run from those of its workers (minus the signal if a worker was killed)."""
    killed = {rank: -code for rank, code in codes.items() if code < 0}
    if first < 0 and signal.Signals(-first) in EARLY:
        say(command, f"{EARLY[signal.Signals(-first)]} before the training began")
    for rank, number in killed.items():
        if number not in EARLY:
            hint = HINTS.get(number, "")
            say(command, f"rank {rank} was killed by {signal.Signals(number).name}{hint}")
    return 128 - first if first < 0 else first


def _kill_stragglers_after_a_signal() -> None:
    """Have a thread kill workers that do not end though others did, once a signal has told all of them to end.

    torch waits for them for as long as a checkpoint may take. A handler would be replaced by torch's own; the pipe into
    which the interpreter writes the numbers of signals is not.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def watch() -> None:
        while os.read(reader, 1)[0] not in STOP_SIGNALS:
            pass
        _kill_stragglers()

    threading.Thread(target=watch, daemon=True).start()


def _kill_stragglers() -> None:
    """Kill the workers that run now and do not end in time, and return when none is left."""
    import psutil

    workers = psutil.Process().children()
    stopped_since: dict[int, float] = {}
    first_end: float | None = None
    while True:
        now = time.monotonic()
        left = [(worker, status) for worker in workers if (status := _status(worker))]
        if not left:
            return
        if len(left) < len(workers):
            first_end = first_end or now
        for worker, status in left:
            since = stopped_since.setdefault(worker.pid, now) if status == psutil.STATUS_STOPPED else None
            if since is None:
                stopped_since.pop(worker.pid, None)
            is_stopped_too_long = since is not None and now - since > GRACE_IF_STOPPED
            if is_stopped_too_long or (first_end is not None and now - first_end > GRACE):
                with suppress(psutil.NoSuchProcess):
                    worker.kill()
        time.sleep(POLL)


def _status(worker: Any) -> str:
    """Return the status of a worker, "" if it has ended."""
    import psutil

    try:
        status: str = worker.status()
    except psutil.NoSuchProcess:
        return ""
    return "" if status == psutil.STATUS_ZOMBIE else status


def _pass_on(command: str, number: int, frame: FrameType | None) -> None:
    """Pass a signal on to the worker and keep waiting for it; if there are several workers, torch does this itself."""
    import psutil

    children = psutil.Process().children()
    if not children:  # no worker has been started yet
        say(command, f"{EARLY[signal.Signals(number)]} before the training began")
        sys.exit(128 + number)
    for child in children:
        child.send_signal(number)


if __name__ == "__main__":
    main()
