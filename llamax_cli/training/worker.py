"""The worker: what each process does that `accelerate launch` starts.

python -m llamax_cli.training.worker FOLDER
"""

import errno
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import torch

from llamax_cli.console import say
from llamax_cli.errors import FileError, LlamaxError, Terminated, because
from llamax_cli.ranks import rank
from llamax_cli.training import estimates, export
from llamax_cli.training.dataloader import Step, ahead
from llamax_cli.training.job import Job, read_job
from llamax_cli.training.loss_stats import rounded
from llamax_cli.training.metrics_log import Reporter
from llamax_cli.training.optimizer import learning_rate
from llamax_cli.training.process_group import Ranks, Signals, die_with_parent, is_left_alone, is_shared, joined
from llamax_cli.training.progress import Progress
from llamax_cli.training.sampler import DataPosition
from llamax_cli.training.saving import Saver
from llamax_cli.training.setup import Components, assemble
from llamax_cli.training.stepping import Stepper
from llamax_cli.training.translating import Translator
from llamax_cli.training.validation import held_out_loss


class Trainer:
    """One rank of a run."""

    def __init__(self, job: Job, parts: Components, ranks: Ranks, signals: Signals, reporter: Reporter) -> None:
        self.job = job
        self.training = job.training
        self.parts = parts
        self.data = parts.data
        self.ranks = ranks
        self.signals = signals
        self.reporter = reporter
        self.count = Progress()
        self.stepper = Stepper(parts, job.training, ranks, reporter)
        self.saver = Saver(job, parts, ranks, signals)
        self.translator = Translator(job, parts, ranks) if job.training.translate else None
        self.shape = estimates.read_shape(parts.config.to_dict())

    def resume(self) -> DataPosition:
        """Return where to begin: at the latest checkpoint, or at the start of the data."""
        path, facts = self.saver.resume()
        if path is not None:
            self.count = Progress(**facts["count"])
        begun = {"resumed": str(path) if path else None, "ranks": self.ranks.size}
        self.reporter.open(facts, self.count.step, {**begun, **self._blocks(), **self._settings()})
        return DataPosition(*facts["data"]) if path is not None else self.data.plan(0).start()

    def train(self, state: DataPosition) -> DataPosition:
        """Go through the data from a place to its end; return where it ended."""
        with self.signals.deferred():
            for epoch in range(state.epoch, self.training.epochs):
                if epoch > state.epoch:
                    state = self.data.plan(epoch).start()
                for step in self._steps(state):
                    self._step(step)
                    state = step.state
                    if self._is_enough():
                        return state
            return state

    def _steps(self, state: DataPosition) -> Iterator[Step]:
        training = self.training
        feed = self.parts.feed(self.data, training.batch, training.micro_batch, self.ranks, training.batch_of)
        with closing(ahead(feed.steps(state))) as steps:
            if not self._is_enough():
                yield from steps

    def _is_enough(self) -> bool:
        return 0 < self.training.stop_after <= self.count.step

    def _step(self, step: Step) -> None:
        asked = (self.saver.wants(), self.signals.stop is not None, isinstance(self.signals.stop, Terminated))
        rate = self._rate(step.state)
        made = self.stepper.step(step, rate, self.count, asked)
        operations = self.shape.flops(step.tokens, step.learned, int(made.squares))
        self.reporter.count(step, made.loss, made.norm, operations)
        self.reporter.show(self.count, self._done(step.state))
        if self.count.falls_on(self.training.log_every):
            self._report(step.state)
        self._afterwards(step.state, *(votes > 0 for votes in made.asked))

    def _afterwards(self, state: DataPosition, save: bool, stop: bool, terminated: bool) -> None:
        if self.count.falls_on(self.training.validation_every):
            self.validate()
        if self.count.falls_on(self.training.translate_every):
            self.translate()
        if stop or save or self.count.falls_on(self.training.checkpoint_every):
            self.save(state)
        if stop:
            raise Terminated if terminated else KeyboardInterrupt

    def _share(self, state: DataPosition) -> float:
        """Return the share of the run that is done at a place."""
        return self.data.epochs(state) / self.training.epochs

    def _done(self, state: DataPosition) -> float:
        """Return the share of what is to be done, where the run ends before its data too."""
        wanted = self.training.stop_after
        return max(self._share(state), self.count.step / wanted if wanted else 0.0)

    def _rate(self, state: DataPosition) -> float:
        return learning_rate(self.training, self._share(state))

    def _report(self, state: DataPosition) -> None:
        self.reporter.report(self.count, self.data.epochs(state), self._rate(state))

    def save(self, state: DataPosition) -> None:
        """Write a checkpoint, unless it is there."""
        with self.reporter.aside("writing a checkpoint"):
            self.saver.save(self.count, state, self.reporter.place())

    def validate(self) -> None:
        """Measure the loss of the held-out records, where there are any and it is not done, and write it."""
        if self.parts.held_out is None or self.count.validated == self.count.step:
            return
        self.count.validated = self.count.step
        with self.reporter.aside("validating"):
            loss, directions = held_out_loss(self.parts, self.parts.held_out, self.training, self.ranks)
        self.reporter.write("validation", self.count.step, loss=rounded(loss), **directions)

    def translate(self) -> None:
        """Translate the lines that are for that, where there are any and it is not done, and write the scores."""
        if self.translator is None or self.count.translated == self.count.step:
            return
        self.count.translated = self.count.step
        with self.reporter.aside("translating"):
            scores = self.translator.translate(self.count.step)
        self.reporter.write("translation", self.count.step, **scores)

    def finish(self, state: DataPosition) -> None:
        """Validate, translate, keep a last checkpoint and write the model."""
        if self.reporter.is_owed:
            self._report(state)
        self.validate()
        self.translate()
        self.save(state)
        parts, job, facts = self.parts, self.job, self._facts()
        with self.reporter.aside("writing the model"):
            export.export(parts.learner, self.training, job.model, parts.tokenizer, facts, job.result, self.ranks)
        self.reporter.write("end", self.count.step, records=self.count.records, tokens=self.count.tokens)

    def _blocks(self) -> dict[str, Any]:
        return {"records": self.data.records, "blocks": len(self.data.plan(0)), "tokens": self.data.tokens}

    def _settings(self) -> dict[str, Any]:
        return {
            "left_out": {reason: dict(counts) for reason, counts in self.data.rejected().items()},
            "training": asdict(self.training),
            "versions": export.versions(),
        }

    def _facts(self) -> dict[str, Any]:
        """Return what stands on the model's card."""
        return {
            "command": self.job.command,
            "model": self.job.model,
            "init": self.job.init,
            "data": [each.facts() for each in self.data.samples.sources],
            "steps": self.count.step,
            "records": self.count.records,
            "tokens": self.count.tokens,
            "learned": self.count.learned,
            "skipped_steps": self.count.skipped,
            **self._settings(),
        }


def _hold(folder: Path) -> None:
    """Hold the folder of a run as long as this process lasts; FileError where another run holds it."""
    path = folder / ".lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        is_held = error.errno in (errno.EACCES, errno.EAGAIN)
        raise FileError(f"another run is training in {folder}" if is_held else f"{path}: {because(error)}") from error


def work(job: Job, ranks: Ranks, signals: Signals) -> None:
    """Train as one rank, from the checkpoint or the start to the model."""
    started = time.monotonic()
    with closing(Reporter(job, ranks)) as reporter:
        worker = Trainer(job, assemble(job, ranks, reporter.tokenised), ranks, signals, reporter)
        worker.finish(worker.train(worker.resume()))
    if ranks.is_first and not job.quiet:
        count = worker.count
        skipped = f"; {count.skipped:,} skipped" if count.skipped else ""
        say(
            job.command,
            f"{count.records:,} records in {count.step:,} steps{skipped}; loss {count.recent:.4g}; "
            f"{job.result}; {time.monotonic() - started:.1f} s",
        )


def main() -> NoReturn:
    """Run one worker and end with its exit code."""
    die_with_parent()
    folder = Path(sys.argv[1])
    code = run(folder)
    if not code and rank() == 0:
        _test(read_job(folder))
    sys.exit(code)


def _test(job: Job) -> None:
    """Become the command that measures the model on the files of its task, if there are any, with memory all free."""
    if job.tests:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # asks for a checkpoint, and there is nothing left to keep
        quiet = ["--quiet"] if job.quiet else []
        line = ["tune", "--task", job.task, "--model", str(job.result), *quiet, "--eval", *job.tests]
        os.execv(sys.executable, [sys.executable, "-m", "llamax_cli", *line])


def run(folder: Path) -> int:
    """Train what the folder says and return the exit code; print what went wrong in one line."""
    signals = Signals()
    command = "train"
    try:
        with joined() as ranks:
            job = ranks.same(lambda: read_job(folder))
            command = job.command
            ranks.first(lambda: _hold(folder))
            work(job, ranks, signals)
        return 0
    except (LlamaxError, Terminated, KeyboardInterrupt) as error:
        if rank() == 0 or not (is_shared(error) or isinstance(error, Terminated | KeyboardInterrupt)):
            say(command, _line(error))
        return 130 if isinstance(error, KeyboardInterrupt) else getattr(error, "exit_code", 1)
    except torch.OutOfMemoryError:
        say(command, "the GPU is full; lower micro_batch, block or loss_chunk, or train on more GPUs")
        return 1
    except RuntimeError as error:
        if not is_left_alone(error):
            raise
        say(command, f"rank {rank()}: another rank is gone, so this one stops too")
        return 1


def _line(error: BaseException) -> str:
    if isinstance(error, Terminated | KeyboardInterrupt):
        return "terminated" if isinstance(error, Terminated) else "interrupted"
    return str(error)


if __name__ == "__main__":
    main()
