"""`accelerate launch` as a process that ends with the exit code of its workers and without a traceback of its own.

A worker reports itself what went wrong, in one line or, for a bug, in a traceback; a worker that was killed cannot.

python -m llamax_cli.training.accelerate_entry COMMAND launch ...
"""

import logging
import signal
import subprocess
import sys
from functools import partial
from types import FrameType

from llamax_cli.console import say

# A worker that dies of these had not yet begun to listen to them.
EARLY = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}
LOGGERS = ("torch.distributed", "torch.distributed.elastic", "torch.distributed.run")


def main() -> None:
    """Run accelerate's command line for a command of ours, and exit."""
    command = sys.argv.pop(1)
    for number in EARLY:
        signal.signal(number, partial(_pass_on, command))
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


def _exit_code(command: str, codes: dict[int, int], first: int) -> int:
    """Return the exit code of a run from those of its workers (minus the signal if a worker was killed)."""
    killed = {rank: -code for rank, code in codes.items() if code < 0}
    if first < 0 and signal.Signals(-first) in EARLY:
        say(command, f"{EARLY[signal.Signals(-first)]} before the training began")
    for rank, number in killed.items():
        if number not in EARLY:
            hint = "; did the memory run out?" if number == signal.SIGKILL else ""
            say(command, f"rank {rank} was killed by {signal.Signals(number).name}{hint}")
    return 128 - first if first < 0 else first


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
