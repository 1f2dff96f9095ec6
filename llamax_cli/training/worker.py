"""The worker: the process that `accelerate launch` starts on each rank.

python -m llamax_cli.training.worker FOLDER
"""

import errno
import fcntl
import os
import signal
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import torch

from llamax_cli.console import counted, say, show_traceback
from llamax_cli.errors import FileError, LlamaxError, Terminated, because
from llamax_cli.ranks import rank
from llamax_cli.training.checkpoint import reclaim
from llamax_cli.training.job import Job, checkpoint_step, list_checkpoints, read_job
from llamax_cli.training.lease import Lease
from llamax_cli.training.metrics_log import MetricsLog
from llamax_cli.training.process_group import Ranks, is_connection_lost, is_on_all_ranks, process_group
from llamax_cli.training.setup import assemble
from llamax_cli.training.signals import Signals, die_with_parent
from llamax_cli.training.trainer import Trainer

NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)  # what lockf says on such a file system


def main() -> NoReturn:
    """Run one worker and exit with its code."""
    sys.excepthook = show_traceback
    die_with_parent()
    folder = Path(sys.argv[1])
    code = run(folder)
    if not code and rank() == 0:
        _evaluate_on_task(read_job(folder))
    sys.exit(code)


def _evaluate_on_task(job: Job) -> None:
    """Replace this process by `llamax tune --eval` on the task's files, if there are any, with all memory free."""
    if job.tests:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # it asks for a checkpoint, which no longer makes sense
        quiet = ["--quiet"] if job.quiet else []
        trust = ["--trust-remote-code"] if job.trust_remote_code else []
        line = ["tune", "--task", job.task, "--model", str(job.result), *quiet, *trust, "--eval", *job.tests]
        os.execv(sys.executable, [sys.executable, "-m", "llamax_cli", *line])


def run(folder: Path) -> int:
    """Train as the folder's job says and return the exit code; print an error in one line."""
    signals = Signals()
    command, job = "train", None
    try:
        with process_group() as ranks, signals.ignored_after_failure():
            job = ranks.broadcast(lambda: read_job(folder))
            command = job.command
            lease = Lease(job.folder)
            try:
                ranks.run_on_first(lambda: _open_folder(job, lease))
                train(job, ranks, signals, lease)
            finally:
                lease.release()
        return 0
    except (Terminated, KeyboardInterrupt) as error:
        if rank() == 0:
            what = "terminated" if isinstance(error, Terminated) else "interrupted"
            say(command, f"{what}; {_kept(job)}" if job else what)
        return 130 if isinstance(error, KeyboardInterrupt) else error.exit_code
    except LlamaxError as error:
        if rank() == 0 or not is_on_all_ranks(error):
            say(command, str(error))
        return error.exit_code
    except torch.OutOfMemoryError:
        say(command, "the GPU's memory is full; lower micro_batch, block or loss_chunk, or train on more GPUs")
        return 1
    except RuntimeError as error:
        if not is_connection_lost(error):
            raise
        say(command, f"rank {rank()}: another rank is gone, so this one stops too")
        return 1


def _kept(job: Job) -> str:
    """Return what is left of a run that was stopped: `step 15 is kept in run/checkpoints: go on with --resume auto`."""
    kept = [checkpoint_step(path) for path in list_checkpoints(job.checkpoints)]
    if not kept:
        return "no checkpoint is kept"
    return f"step {kept[-1]:,} is kept in {job.checkpoints}: go on with --resume auto"


def train(job: Job, ranks: Ranks, signals: Signals, lease: Lease) -> None:
    """Train on one rank, from the latest checkpoint or the start, and write the model."""
    started = time.monotonic()
    with closing(MetricsLog(job, ranks, lease.check)) as log:
        trainer = Trainer(job, assemble(job, ranks, log.show_tokenized), ranks, signals, log)
        trainer.finish(trainer.train(trainer.resume()))
    if ranks.is_first and not job.quiet:
        state = trainer.state
        skipped = f"; {state.skipped:,} skipped" if state.skipped else ""
        say(
            job.command,
            f"{counted(state.records, 'record')} in {counted(state.step, 'step')}{skipped}; loss {state.recent:.4g}; "
            f"{job.result}; {time.monotonic() - started:.1f} s",
        )


def _open_folder(job: Job, lease: Lease) -> None:
    """Lock the run's folder and clear it of what killed runs left.

    The lock of the file system tells at once, where there is one. The lease holds everywhere, and names its owner.
    """
    is_locked = _lock(job.folder)
    lease.acquire()
    if not is_locked:
        lease.release()
        raise FileError(f"another run is training in {job.folder}")
    reclaim(job)


def _lock(folder: Path) -> bool:
    """Lock a run's folder for the lifetime of this process; return False where another run holds the lock.

    A file system that has no locks, such as Lustre mounted without `flock`, locks nothing.
    """
    path = folder / ".lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        if error.errno not in NO_LOCKS:
            raise FileError(f"{path}: {because(error)}") from error
    return True


if __name__ == "__main__":
    main()
