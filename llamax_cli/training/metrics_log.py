"""What a run says while it goes on: a file of metrics, trackers and a bar."""

import json
import math
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from llamax_cli.console import Progress, say
from llamax_cli.errors import FileError, because
from llamax_cli.training import estimates, loss_stats
from llamax_cli.training.dataloader import Step
from llamax_cli.training.job import Job
from llamax_cli.training.loss_stats import LossStats, rounded
from llamax_cli.training.process_group import Ranks
from llamax_cli.training.progress import Progress as Count
from llamax_cli.training.trackers import Trackers


@dataclass
class Span:
    """What was done since the last line of metrics."""

    started: float = field(default_factory=time.monotonic)
    loss: float = 0.0
    learned: int = 0
    tokens: int = 0
    operations: float = 0.0


class Reporter:
    """Metrics, trackers and bar of a run, on its first rank; the others bring what they have seen to its reports."""

    def __init__(self, job: Job, ranks: Ranks) -> None:
        self._job = job
        self._ranks = ranks
        self.meter = LossStats(("origin", "language"))
        self._metrics: Metrics | None = None
        self._trackers: Trackers | None = None
        self._identity = ""
        self._progress = Progress(job.command, enabled=ranks.is_first and not job.quiet)
        self._span = Span()
        self._norm = 0.0
        peak = estimates.peak_of(torch.cuda.get_device_name()) if ranks.device.type == "cuda" else None
        self._peak = peak * ranks.size if peak else None

    def say(self, message: str) -> None:
        """Write a line to stderr."""
        say(self._job.command, message)

    def tokenised(self, done: int, total: int) -> None:
        """Show how many records are tokenised."""
        self._progress.update(done, lambda: (done, total), lambda: f"{done:,} records tokenised")

    @contextmanager
    def aside(self, doing: str) -> Iterator[None]:
        """Say beside the bar what keeps the run from its next step, and do not count that time as the steps'."""
        self._progress.set_note(doing)
        begun = time.monotonic()
        yield
        self._span.started += time.monotonic() - begun

    def open(self, before: Mapping[str, Any], step: int, begun: Mapping[str, Any]) -> None:
        """Go on, on the first rank, after what `place` said at a checkpoint of that step; `before` is empty at 0."""
        self._span = Span()
        self._identity = before.get("run") or secrets.token_hex(4)

        def begin() -> None:
            self._metrics = Metrics(self._job.metrics, before.get("metrics", 0))
            self._trackers = Trackers(self._job, self._identity, step, asdict(self._job.training))
            self.write("start", step, run=self._identity, **begun)

        self._ranks.first(begin)

    def place(self) -> dict[str, Any]:
        """Return where the reports are: the bytes of metrics so far, and the name that trackers know the run by."""
        return {"metrics": self._metrics.length if self._metrics else 0, "run": self._identity}

    def write(self, event: str, step: int, **facts: Any) -> None:
        """Write a line of metrics, on the first rank."""
        if self._metrics is not None:
            self._metrics.write(event, step=step, **facts)
        if self._trackers is not None:
            self._trackers.log(event, step, facts)

    @property
    def is_owed(self) -> bool:
        """Whether steps were made since the last report."""
        return self._span.learned > 0

    def count(self, step: Step, loss: float, norm: float, operations: float) -> None:
        """Take in a step over all ranks: the sum of its losses, the norm of its gradient, its work."""
        self._span.loss += loss
        self._span.learned += step.learned
        self._span.tokens += step.tokens
        self._span.operations += operations
        self._norm = norm

    def show(self, count: Count, share: float) -> None:
        """Show on the bar what share of the run is done, and how it goes."""

        def note() -> str:
            speed = self._span.tokens / (time.monotonic() - self._span.started)
            return f"step {count.step:,}, loss {count.recent:.3f}, {speed:,.0f} tokens/s"

        self._progress.update(count.records, lambda: (int(share * 1e6), 1_000_000), note)

    def report(self, count: Count, epoch: float, rate: float) -> None:
        """Write what was done since the last report; on all ranks."""
        means = loss_stats.merged(self._ranks.gather(self.meter.take()))
        span, self._span = self._span, Span()
        seconds = time.monotonic() - span.started
        facts: dict[str, Any] = {
            "epoch": rounded(epoch),
            "loss": rounded(span.loss / span.learned),
            "learning_rate": rounded(rate),
            "gradient_norm": rounded(self._norm),
            "tokens": count.tokens,
            "tokens_per_second": round(span.tokens / seconds, 1),
        }
        if self._peak:
            facts["mfu"] = round(span.operations / seconds / self._peak, 4)
        if self._ranks.device.type == "cuda":
            facts["memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
        self.write("step", count.step, **facts, **means)

    def close(self) -> None:
        """Let go of bar, file and trackers."""
        self._progress.close()
        try:
            if self._metrics is not None:
                self._metrics.close()
        finally:
            if self._trackers is not None:
                self._trackers.close()


class Metrics:
    """Lines of JSON in a file, from a place on: what an interrupted run wrote after its last checkpoint goes."""

    def __init__(self, path: Path, length: int) -> None:
        try:
            self._file = path.open("ab")
            self._file.truncate(length)
        except OSError as error:
            raise FileError(f"{path}: {because(error)}") from error
        self._path = path

    def write(self, event: str, **facts: Any) -> None:
        """Write one line; NaN, which JSON has not, is null."""
        line = {"event": event, **facts, "time": round(time.time(), 3)}
        plain = {
            key: None if isinstance(each, float) and not math.isfinite(each) else each for key, each in line.items()
        }
        try:
            self._file.write(json.dumps(plain, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise FileError(f"{self._path}: {because(error)}") from error

    @property
    def length(self) -> int:
        """Return the bytes of the file so far."""
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Let go of the file."""
        try:
            self._file.close()  # which tries again to write what could not be
        except OSError as error:
            raise FileError(f"{self._path}: {because(error)}") from error
