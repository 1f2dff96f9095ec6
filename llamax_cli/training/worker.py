"""The worker: the process that `accelerate launch` starts on each rank.

python -m llamax_cli.training.worker FOLDER
"""

import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__":  # an interrupt while torch loads ends the process, no traceback; later Signals takes it
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # as registry.importing, until `main`

import torch

from llamax_cli.console import counted, say, show_traceback
from llamax_cli.errors import FileError, LlamaxError, Terminated, because
from llamax_cli.ranks import rank
from llamax_cli.streams.locks import lock
from llamax_cli.training.checkpoint import reclaim
from llamax_cli.training.job import Job, checkpoint_step, list_checkpoints, read_job
from llamax_cli.training.lease import Lease
from llamax_cli.training.metrics_log import MetricsLog
from llamax_cli.training.process_group import Ranks, describe_failure, is_on_all_ranks, process_group
from llamax_cli.training.setup import assemble
from llamax_cli.training.signals import Signals, die_with_parent
from llamax_cli.training.trainer import Trainer
from llamax_cli.training.watchdog import Overdue, Watchdog


def main() -> NoReturn:
    """Run one worker and exit with its code."""
    gc.freeze()
    gc.enable()
    sys.excepthook = show_traceback
    die_with_parent()
    worker = _Worker(Path(sys.argv[1]))
    with worker.watchdog:
        code = worker.run()
    if not code and rank() == 0 and worker.job is not None:
        _evaluate_on_task(worker.job)
    sys.exit(code)


def _evaluate_on_task(job: Job) -> None:
    """Replace this process by `llamax tune --eval` on the task's files, if there are any, with all memory free."""
    if job.tests:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # it asks for a checkpoint, which no longer makes sense
        quiet = ["--quiet"] if job.quiet else []
        trust = ["--trust-remote-code"] if job.trust_remote_code else []
        line = ["tune", "--task", job.task, "--model", str(job.result), *quiet, *trust, "--eval", *job.tests]
        os.execv(sys.executable, [sys.executable, "-m", "llamax_cli", *line])


class _Worker:
    """A run on this rank, as the folder's job says, and what is known about it when it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signals = Signals()
        self.watchdog = Watchdog(self._report_overdue, self._note_stop)
        self.job: Job | None = None
        self.ranks: Ranks | None = None

    def run(self) -> int:
        """Train and return the exit code; an error is one line, said before the group is left, which may take long."""
        with ExitStack() as group:
            try:
                code = self._run(group)
            except BaseException as error:
                self.watchdog.leave(1, partial(show_traceback, type(error), error, error.__traceback__))
                raise
            self.signals.ignore()
            self.watchdog.leave(code)
            if code and self.ranks is not None:
                self.ranks.store.wait_for_others()
        return code

    def _run(self, group: ExitStack) -> int:
        """Join the group of ranks, train, and report errors."""
        self.watchdog.begin("starting")
        try:
            with self.signals.ignored_after_failure():
                self.ranks = ranks = group.enter_context(process_group())
                job = self.job = ranks.broadcast(lambda: read_job(self.folder))
                self.watchdog.stop_timeout = job.training.stop_timeout
                self.watchdog.collective_timeout = job.training.collective_timeout
                lease = Lease(job.folder)
                group.callback(lease.release)
                ranks.run_on_first(lambda: _open_folder(job, lease))
                train(job, ranks, self.signals, self.watchdog, lease)
            return 0
        except (Terminated, KeyboardInterrupt) as error:
            if rank() == 0:
                if self._has_last_word():
                    self._say(f"{_stopped_by(error)}{self._kept()}")
            elif self.ranks is not None and self.ranks.store.speaks_for_first():
                self._say(f"{_stopped_by(error)}, and rank 0 did not respond{self._kept()}")
            return _stop_code(error)
        except LlamaxError as error:
            if rank() == 0 or not is_on_all_ranks(error):
                self._say(str(error))
            return error.exit_code
        except OSError as error:
            self._say(f"{error.filename}: {because(error)}" if error.filename else str(error))
            return 1
        except torch.OutOfMemoryError:
            self._say("the GPU's memory is full; lower micro_batch, block or loss_chunk, or train on more GPUs")
            return 1
        except RuntimeError as error:
            stop, failure = self.signals.stop, describe_failure(error)
            if failure is None:
                raise
            if self._has_last_word():
                what = f"{_stopped_by(stop)}, but {failure}" if stop else f"rank {rank()} stops: {failure}"
                self._say(f"{what}{self._kept()}")
            return _stop_code(stop) if stop else 1

    # -- in the watchdog's thread --------------------------------------------------------------------------------------

    def _note_stop(self) -> None:
        if self.ranks is not None:
            self.ranks.store.note_stop()

    def _report_overdue(self, overdue: Overdue) -> None:
        """Say what this rank was waiting for, if no other rank does, before the watchdog ends it."""
        if self._has_last_word():
            silent = self.ranks.store.unresponsive() if self.ranks is not None and overdue.signal else []
            what = f"rank {rank()} made no progress for {overdue.seconds:.0f} s {overdue.doing}"
            if silent:
                what += f", and {_named(silent)} did not respond"
            if overdue.signal is not None:
                what = f"{'interrupted' if overdue.signal == signal.SIGINT else 'terminated'}, but {what}"
            self._say(f"{what}{self._kept()}")
        if self.ranks is not None:
            self.ranks.store.wait_for_others()

    # -- the last line -------------------------------------------------------------------------------------------------

    def _has_last_word(self) -> bool:
        return self.ranks is None or self.ranks.store.has_last_word()

    def _say(self, line: str) -> None:
        say(self.job.command if self.job else "train", line)

    def _kept(self) -> str:
        return f"; {_kept(self.job)}" if self.job else ""


def _stopped_by(error: BaseException) -> str:
    return "terminated" if isinstance(error, Terminated) else "interrupted"


def _stop_code(error: BaseException) -> int:
    return error.exit_code if isinstance(error, Terminated) else 130


def _named(ranks: list[int]) -> str:
    """Return ranks as text: `_named([1, 5]) -> "ranks 1, 5"`."""
    return f"{'rank' if len(ranks) == 1 else 'ranks'} {', '.join(map(str, ranks))}"


def _kept(job: Job) -> str:
    """Return what is left of a run that was stopped: `step 15 is kept in run/checkpoints: go on with --resume auto`."""
    kept = [checkpoint_step(path) for path in list_checkpoints(job.checkpoints)]
    if not kept:
        return "no checkpoint is kept"
    return f"step {kept[-1]:,} is kept in {job.checkpoints}: go on with --resume auto"


def train(job: Job, ranks: Ranks, signals: Signals, watchdog: Watchdog, lease: Lease) -> None:
    """Train on one rank, from the latest checkpoint or the start, and write the model."""
    started = time.monotonic()
    with _closed_patiently(MetricsLog(job, ranks, lease.check), watchdog) as log:
        watchdog.begin("preparing the data and the model")
        components = assemble(job, ranks, log.show_tokenized)
        ranks.set_timeout(job.training.collective_timeout)
        if ranks.device.type != "cpu":
            watchdog.limit_collectives()  # in one line; NCCL would abort the process with pages
        with closing(Trainer(job, components, ranks, signals, watchdog, log)) as trainer:
            trainer.finish(trainer.train(trainer.resume()))
    if ranks.is_first and not job.quiet:
        state = trainer.state
        skipped = f"; {state.skipped:,} skipped" if state.skipped else ""
        say(
            job.command,
            f"{counted(state.records, 'record')} in {counted(state.step, 'step')}{skipped}; loss {state.recent:.4g}; "
            f"{job.result}; {time.monotonic() - started:.1f} s",
        )


@contextmanager
def _closed_patiently(log: MetricsLog, watchdog: Watchdog) -> Iterator[MetricsLog]:
    """Close the log at the end; a tracker may have much to send."""
    try:
        yield log
    finally:
        with watchdog.patient("closing the log of the metrics"):
            log.close()


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
    """Lock a run's folder for the lifetime of this process; return False where another run holds the lock."""
    path = folder / ".lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    return lock(descriptor, path)


if __name__ == "__main__":
    main()
