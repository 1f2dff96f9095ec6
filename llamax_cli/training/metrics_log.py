"""The log of a run: a file of metrics, trackers and a progress bar."""

import json
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from llamax_cli.console import Progress, counted, say
from llamax_cli.errors import FileError, because
from llamax_cli.training import estimates, loss_stats
from llamax_cli.training.dataloader import Step
from llamax_cli.training.job import Job
from llamax_cli.training.loss_stats import LossStats, rounded
from llamax_cli.training.process_group import Ranks
from llamax_cli.training.trackers import Trackers
from llamax_cli.training.train_state import TrainState


@dataclass
class Interval:
    """Sums over the steps since the last line of metrics, on all ranks; `started` leaves interruptions out."""

    started: float = field(default_factory=time.monotonic)
    loss: float = 0.0
    learned: int = 0
    tokens: int = 0
    operations: float = 0.0


class MetricsLog:
    """Writes metrics, trackers and the bar on the first rank; the others only contribute their losses.

    `check_lease` raises an error where another run has taken over the folder; it is asked before anything is written.
    """

    def __init__(self, job: Job, ranks: Ranks, check_lease: Callable[[], None] = lambda: None) -> None:
        self._job = job
        self._check_lease = check_lease
        self._ranks = ranks
        self.loss_stats = LossStats(("origin", "language"))
        self._file: MetricsFile | None = None
        self._trackers: Trackers | None = None
        self._run_id = ""
        self._bar = Progress(job.command, enabled=ranks.is_first and not job.quiet)
        self._interval = Interval()
        self._gradient_norm = 0.0
        peak = estimates.peak_flops(torch.cuda.get_device_name()) if ranks.device.type == "cuda" else None
        self._peak = peak * ranks.size if peak else None

    def say(self, message: str) -> None:
        """Write a line to stderr."""
        say(self._job.command, message)

    def show_tokenized(self, done: int, total: int) -> None:
        """Show on the bar how many records are tokenized."""
        self._bar.update(done, lambda: (done, total), lambda: f"{counted(done, 'record')} tokenised")

    @contextmanager
    def interrupted(self, activity: str) -> Iterator[None]:
        """Show beside the bar what happens between two steps, and leave its time out of the throughput."""
        self._check_lease()
        self._bar.set_note(activity)
        started = time.monotonic()
        yield
        self._interval.started += time.monotonic() - started

    def start(self, checkpoint: Mapping[str, Any], step: int, facts: Mapping[str, Any]) -> None:
        """Open the log, on the first rank, and write that the run starts or resumes after `step`.

        `checkpoint` has the `resume_facts` of the checkpoint; it is empty where there is none.
        """
        self._interval = Interval()
        self._run_id = checkpoint.get("run") or secrets.token_hex(4)

        def begin() -> None:
            self._file = MetricsFile(self._job.metrics, checkpoint.get("metrics", 0))
            self._trackers = Trackers(self._job, self._run_id, step, asdict(self._job.training))
            self.write("start", step, run=self._run_id, **facts)

        self._ranks.run_on_first(begin)

    def resume_facts(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: the bytes of metrics so far, and the name the trackers know the run by."""
        return {"metrics": self._file.length if self._file else 0, "run": self._run_id}

    def write(self, event: str, step: int, **facts: Any) -> None:
        """Write a line of metrics, on the first rank."""
        self._check_lease()
        if self._file is not None:
            self._file.write(event, step=step, **facts)
        if self._trackers is not None:
            self._trackers.log(event, step, facts)

    @property
    def has_unlogged_steps(self) -> bool:
        """Whether there were steps since the last line of metrics."""
        return self._interval.learned > 0

    def add(self, step: Step, loss: float, gradient_norm: float, operations: float) -> None:
        """Add a step over all ranks: the sum of its losses, the norm of its gradient, the operations it took."""
        self._interval.loss += loss
        self._interval.learned += step.learned
        self._interval.tokens += step.tokens
        self._interval.operations += operations
        self._gradient_norm = gradient_norm

    def show_progress(self, state: TrainState, share: float) -> None:
        """Show on the bar which share of the run is done, the loss and the throughput."""

        def note() -> str:
            throughput = self._interval.tokens / (time.monotonic() - self._interval.started)
            return f"step {state.step:,}, loss {state.recent:.3f}, {throughput:,.0f} tokens/s"

        self._bar.update(state.records, lambda: (int(share * 1e6), 1_000_000), note)

    def log(self, state: TrainState, epoch: float, learning_rate: float) -> None:
        """Write a line about the steps since the last one; on all ranks."""
        means = loss_stats.mean_losses(self._ranks.gather(self.loss_stats.take()))
        interval, self._interval = self._interval, Interval()
        seconds = time.monotonic() - interval.started
        facts: dict[str, Any] = {
            "epoch": rounded(epoch),
            "loss": rounded(interval.loss / interval.learned),
            "learning_rate": rounded(learning_rate),
            "gradient_norm": rounded(self._gradient_norm),
            "tokens": state.tokens,
            "tokens_per_second": round(interval.tokens / seconds, 1),
        }
        if self._peak:
            facts["mfu"] = round(interval.operations / seconds / self._peak, 4)
        if self._ranks.device.type == "cuda":
            facts["memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
        self.write("step", state.step, **facts, **means)

    def close(self) -> None:
        """Close the bar, the file and the trackers."""
        self._bar.close()
        try:
            if self._file is not None:
                self._file.close()
        finally:
            if self._trackers is not None:
                self._trackers.close()


class MetricsFile:
    """A file of JSON lines, cut to `length` bytes first: what a run wrote after its last checkpoint is dropped.

    A file that is shorter, because it was removed, rotated or lost its end in a crash, keeps its whole lines.
    """

    def __init__(self, path: Path, length: int) -> None:
        try:
            self._file = path.open("a+b")
            self._file.seek(0)
            # Only ever to fewer bytes: truncate() would fill a shorter file up with NUL bytes.
            self._file.truncate(self._file.read(length).rfind(b"\n") + 1)
        except OSError as error:
            raise FileError(f"{path}: {because(error)}") from error
        self._path = path

    def write(self, event: str, **facts: Any) -> None:
        """Write one line; NaN and infinity, which JSON lacks, become null."""
        line = {"event": event, **facts, "time": round(time.time(), 3)}
        finite = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in line.items()
        }
        try:
            self._file.write(json.dumps(finite, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise FileError(f"{self._path}: {because(error)}") from error

    @property
    def length(self) -> int:
        """Return the size of the file in bytes."""
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()  # tries again to write what is still in the buffer
        except OSError as error:
            raise FileError(f"{self._path}: {because(error)}") from error
