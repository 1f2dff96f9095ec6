"""The worker: what each process does that `accelerate launch` starts.

python -m llamax_cli.model.training.worker FOLDER
"""

import fcntl
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from llamax_cli.console import Progress, say
from llamax_cli.errors import FileError, LlamaxError, ResumeError, Terminated, TrainingError
from llamax_cli.model.training import estimates, exporting, preparing, reports
from llamax_cli.model.training import learner as learning
from llamax_cli.model.training.batches import Feed, Step, ahead, idle_batch
from llamax_cli.model.training.checkpoints import Checkpoints
from llamax_cli.model.training.encoding import open_encoder
from llamax_cli.model.training.job import Job, facts_of, found, read_job
from llamax_cli.model.training.learner import Learner
from llamax_cli.model.training.optimiser import learning_rate, make_optimiser, set_learning_rate
from llamax_cli.model.training.plan import State
from llamax_cli.model.training.preparing import Prepared
from llamax_cli.model.training.ranks import Ranks, Signals, die_with_parent, is_left_alone, is_shared, joined
from llamax_cli.model.training.reports import Meter, Metrics
from llamax_cli.model.training.samples import Cache

COMMAND = "train"
RECENT = 0.95  # share of the loss's running mean that stays at each step
SETTLED = 20  # steps after which a spike can be told


@dataclass
class Count:
    """What a run has done, over all that it was resumed; written into checkpoints."""

    step: int = 0
    records: int = 0
    tokens: int = 0
    learned: int = 0
    skipped: int = 0
    recent: float = 0.0  # running mean of the loss


@dataclass
class Span:
    """What was done since the last line of metrics."""

    started: float = field(default_factory=time.monotonic)
    loss: float = 0.0
    learned: int = 0
    tokens: int = 0
    operations: float = 0.0


class Worker:
    """One rank of a run."""

    def __init__(self, job: Job, ranks: Ranks, signals: Signals) -> None:
        self.job = job
        self.training = job.training
        self.ranks = ranks
        self.signals = signals
        self.count = Count()
        self.span = Span()
        self.meter = Meter(("origin", "language"))
        self.metrics: Metrics | None = None
        self.progress = Progress(COMMAND, wanted=ranks.is_first and not job.quiet)
        self.checkpoints = Checkpoints(job.checkpoints, self.training.keep, ranks)
        self._saved_at = time.monotonic()
        self._saved_step = -1

    # -- before the first step ---------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make data and model ready; on all ranks, or an error on all of them."""
        self.config = self._together(lambda: learning.load_config(self.job.model))
        self.tokenizer, self.encoder = self._together(lambda: open_encoder(self.job.tokenizer))
        self._together(lambda: learning.check(self.config, len(self.tokenizer), self.training.block))
        self.data = self._prepared(self.job.data, self.training.seed)
        self.held_out = self._prepared(self.training.validation, 0) if self.training.validation else None
        self._tell_rejected()
        self.learner = self._learner()
        self.optimiser = make_optimiser(self.learner, self.training)
        self.shape = estimates.shape_of(self.config.to_dict())
        peak = estimates.peak_of(torch.cuda.get_device_name()) if self.ranks.device.type == "cuda" else None
        self.peak = peak * self.ranks.size if peak else None

    def _together(self, work: Any) -> Any:
        """Do what every rank has to do, the first one before the others: it fetches, and it tells what is wrong."""
        made = self.ranks.first(work)
        return made if self.ranks.is_first else work()

    def _prepared(self, paths: tuple[str, ...], seed: int) -> Prepared:
        cache = Cache(self.job.cache)

        def prepare() -> Prepared:
            return preparing.prepare(
                [Path(path) for path in paths], self.encoder, self.training.block, seed, cache, self._tokenised
            )

        prepared: Prepared = self._together(prepare)
        self.ranks.first(lambda: [prepared.plan(epoch) for epoch in range(self.training.epochs)])
        return prepared

    def _tokenised(self, done: int, total: int) -> None:
        self.progress.update(done, lambda: (done, total))

    def _tell_rejected(self) -> None:
        if self.ranks.is_first and (line := preparing.told(self.data.rejected())):
            say(COMMAND, f"left out: {line}")

    def _learner(self) -> Learner:
        job, training = self.job, self.training
        precision = training.precision
        if precision == "auto":
            precision = "fp32" if self.ranks.device.type == "cpu" else "bf16"
        model = self._together(lambda: learning.adapt(learning.skeleton(self.config), training))
        # Drawn or read by one rank and sent to the others, so that memory holds it once a machine.
        full = self.ranks.first(
            lambda: learning.adapt(
                learning.load_weights(job.model, self.config, training.seed, init=job.init), training
            ).state_dict()
        )
        learner = Learner(model, training.loss_chunk)
        learning.shard(
            learner,
            self.ranks.mesh,
            torch.bfloat16 if precision == "bf16" else torch.float32,
            compiled=training.compile,
        )
        learning.fill(learner, full or {})
        return learner.train()

    def resume(self) -> State:
        """Return where to begin: at the latest checkpoint, or at the start of the data."""
        path, facts = self.ranks.same(self._latest)
        if path is not None:
            self.count = Count(**facts["count"])
            self.checkpoints.load(path, self.learner, self.optimiser)
            self._saved_step = self.count.step
        self.ranks.first(lambda: self._open_metrics(facts.get("metrics", 0), path))
        return State(*facts["data"]) if path is not None else self.data.plan(0).start()

    def _latest(self) -> tuple[Path | None, dict[str, Any]]:
        """Return the latest checkpoint and what it says; ResumeError where it is not to be gone on with."""
        existing = found(self.job.checkpoints)
        if not existing:
            return None, {}
        if not self.job.resume and not os.environ.get("TORCHELASTIC_RESTART_COUNT", "0").strip("0"):
            raise ResumeError(
                f"{self.job.output} holds a run; --resume auto goes on with it, or train into another folder"
            )
        facts = facts_of(existing[-1])
        state = State(*facts["data"])
        self.data.plan(state.epoch).check(state)
        return existing[-1], facts

    def _open_metrics(self, length: int, path: Path | None) -> None:
        self.metrics = Metrics(self.job.metrics, length)
        self._log(
            "start",
            step=self.count.step,
            resumed=str(path) if path else None,
            ranks=self.ranks.size,
            records=self.data.records,
            blocks=len(self.data.plan(0)),
            tokens=self.data.tokens,
            left_out={reason: dict(counts) for reason, counts in self.data.rejected().items()},
            training=asdict(self.training),
            versions=exporting.versions(),
        )

    # -- the loop ----------------------------------------------------------------------------------------------------

    def train(self, state: State) -> State:
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

    def _steps(self, state: State) -> Iterator[Step]:
        with closing(ahead(self._feed(self.data, self.training.batch).steps(state))) as steps:
            if not self._is_enough():
                yield from steps

    def _feed(self, data: Prepared, batch: int) -> Feed:
        return Feed(data, self.encoder, batch, self.training.micro_batch, self.ranks.rank, self.ranks.size)

    def _is_enough(self) -> bool:
        return 0 < self.training.stop_after <= self.count.step

    def _step(self, step: Step) -> None:
        own = Meter(())
        rate = learning_rate(self.training, self._progress_of(step.state))
        loss_sum, squares = self._backward(step, own)
        sums = self.ranks.sum(
            [loss_sum, squares, self._wants_checkpoint(), self.signals.stop is not None, self._terminated()]
        )
        loss = sums[0] / step.learned
        norm = self._norm()
        reason = self._refused(loss, norm)
        if reason:
            self._refuse(reason, own, loss, norm, step)
        else:
            self._move(norm, rate, loss)
        self.optimiser.zero_grad()
        self._counted(step, sums[0], sums[1])
        if self.count.step % self.training.log_every == 0:
            self._report(step.state, rate, norm)
        self._afterwards(step, sums)

    def _backward(self, step: Step, own: Meter) -> tuple[float, float]:
        """Add up the gradients of this rank's blocks; return the sum of its losses and its squared lengths."""
        total, squares = torch.zeros((), dtype=torch.float64, device=self.ranks.device), 0
        for batch in step.batches:
            moved = (batch or idle_batch()).to(self.ranks.device)
            losses = self.learner(moved)
            # The mean over the learned tokens of all ranks: sharding divides the sum by their number.
            weight = self.ranks.size / step.learned if batch else 0.0
            (losses.sum() * weight).backward()
            if batch:
                total += losses.detach().sum(dtype=torch.float64)
                squares += sum(length * length for length in batch.documents.lengths)
                own.add(moved, losses)
                self.meter.add(moved, losses)
        return total.item(), float(squares)

    def _norm(self) -> float:
        gradients = [weight.grad for weight in self.learner.parameters() if weight.grad is not None]
        norm: Any = get_total_norm(gradients)
        self._total_norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        return float(self._total_norm)

    def _refused(self, loss: float, norm: float) -> str | None:
        """Return what is wrong with a step, None where it is to be made."""
        if not math.isfinite(loss) or not math.isfinite(norm):
            return "nan"
        spike = self.training.spike * self.count.recent
        return "spike" if spike and self.count.step >= SETTLED and loss > spike else None

    def _refuse(self, reason: str, own: Meter, loss: float, norm: float, step: Step) -> None:
        gathered = self.ranks.gather(reports.worst(document for _, document in own.documents()))
        documents = reports.worst(each for part in gathered for each in part)
        policy = self.training.on_nan if reason == "nan" else self.training.on_spike
        self.count.skipped += 1
        what = f"the loss is {loss:.4g} and the norm of the gradient {norm:.4g}"
        if reason == "spike":
            what += f", after {self.count.recent:.4g} on average"

        def tell() -> None:
            places = reports.named(documents, self.data.samples)
            line = f"step {self.count.step + 1}: {what}; the records with the greatest loss: {places}"
            self._log("skipped", step=self.count.step + 1, reason=reason, loss=loss, gradient_norm=norm, records=places)
            if policy == "stop":
                raise TrainingError(f"{line}; on_{reason}=skip leaves such steps out")
            say(COMMAND, f"skipped {line}")

        self.ranks.first(tell)

    def _move(self, norm: float, rate: float, loss: float) -> None:
        if self.training.clip:
            weights = [weight for weight in self.learner.parameters() if weight.grad is not None]
            clip_grads_with_norm_(weights, self.training.clip, self._total_norm)
        set_learning_rate(self.optimiser, rate)
        self.optimiser.step()
        recent = self.count.recent
        self.count.recent = loss if not recent else RECENT * recent + (1 - RECENT) * loss

    def _counted(self, step: Step, loss_sum: float, squares: float) -> None:
        self.count.step += 1
        self.count.tokens += step.tokens
        self.count.learned += step.learned
        self.count.records += step.records
        self.span.loss += loss_sum
        self.span.learned += step.learned
        self.span.tokens += step.tokens
        self.span.operations += self.shape.operations(step.tokens, step.learned, int(squares))
        if self.ranks.is_first:
            done = self._progress_of(step.state)
            self.progress.update(self.count.records, lambda: (int(done * 1e6), 1_000_000))

    def _progress_of(self, state: State) -> float:
        """Return the share of the run that is done at a place."""
        return (state.epoch + state.cursor / len(self.data.plan(state.epoch))) / self.training.epochs

    # -- between two steps -------------------------------------------------------------------------------------------

    def _wants_checkpoint(self) -> bool:
        minutes = self.training.checkpoint_minutes
        due = self.ranks.is_first and 0 < minutes * 60 < time.monotonic() - self._saved_at
        return due or self.signals.checkpoint

    def _terminated(self) -> bool:
        return isinstance(self.signals.stop, Terminated)

    def _afterwards(self, step: Step, sums: list[float]) -> None:
        training = self.training
        if self.held_out and training.validation_every and self.count.step % training.validation_every == 0:
            self.validate()
        stop = sums[3] > 0
        every = training.checkpoint_every
        if stop or sums[2] > 0 or (every and self.count.step % every == 0):
            self.save(step.state)
        if stop:
            raise Terminated if sums[4] > 0 else KeyboardInterrupt

    def save(self, state: State) -> None:
        """Write a checkpoint, unless it is there."""
        self.signals.checkpoint = False
        if self._saved_step != self.count.step:
            facts = {
                "count": asdict(self.count),
                "data": list(state),
                "metrics": self.metrics.length if self.metrics else 0,
                "training": asdict(self.training),
            }
            self.checkpoints.save(self.count.step, self.learner, self.optimiser, facts)
            self._saved_step = self.count.step
        self._saved_at = time.monotonic()

    def validate(self) -> float:
        """Measure the loss of the held-out records by direction and write it; return the mean on the first rank."""
        assert self.held_out is not None
        meter = Meter(("direction",))
        total = learned = 0.0
        self.learner.eval()
        with torch.no_grad():
            batch = self.training.micro_batch * self.ranks.size
            for step in self._feed(self.held_out, batch).steps(self.held_out.plan(0).start()):
                for each in step.batches:
                    moved = (each or idle_batch()).to(self.ranks.device)
                    losses = self.learner(moved)
                    if each:
                        meter.add(moved, losses)
                        total += float(losses.sum(dtype=torch.float64))
                        learned += len(losses)
        self.learner.train()
        self.learner.reshard()  # type: ignore[operator]
        loss, count = self.ranks.sum([total, learned])
        directions = reports.merged(self.ranks.gather(meter.take()))
        self._log("validation", step=self.count.step, loss=reports.rounded(loss / count), **directions)
        return loss / count

    def _report(self, state: State, rate: float, norm: float) -> None:
        means = reports.merged(self.ranks.gather(self.meter.take()))
        span, self.span = self.span, Span()
        seconds = time.monotonic() - span.started
        facts: dict[str, Any] = {
            "step": self.count.step,
            "epoch": reports.rounded(state.epoch + state.cursor / len(self.data.plan(state.epoch))),
            "loss": reports.rounded(span.loss / span.learned),
            "learning_rate": reports.rounded(rate),
            "gradient_norm": reports.rounded(norm),
            "tokens": self.count.tokens,
            "tokens_per_second": round(span.tokens / seconds, 1),
        }
        if self.peak:
            facts["mfu"] = round(span.operations / seconds / self.peak, 4)
        if self.ranks.device.type == "cuda":
            facts["memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
        self._log("step", **facts, **means)

    def _log(self, event: str, **facts: Any) -> None:
        if self.metrics is not None:
            self.metrics.write(event, **facts)

    # -- the end -----------------------------------------------------------------------------------------------------

    def finish(self, state: State) -> None:
        """Validate, keep a last checkpoint and write the model."""
        if self.span.learned:
            self._report(state, self.optimiser.param_groups[0]["lr"], float(self._total_norm))
        if self.held_out:
            self.validate()
        self.save(state)
        exporting.export(
            self.learner, self.training, self.job.model, self.tokenizer, self._facts(), self.job.result, self.ranks
        )
        self._log("end", step=self.count.step, records=self.count.records, tokens=self.count.tokens)

    def _facts(self) -> dict[str, Any]:
        sources = self.data.samples.sources
        return {
            "model": self.job.model,
            "init": self.job.init,
            "data": [{"path": str(each.path), "records": len(each), "digest": each.digest} for each in sources],
            "steps": self.count.step,
            "records": self.count.records,
            "tokens": self.count.tokens,
            "learned": self.count.learned,
            "skipped_steps": self.count.skipped,
            "left_out": {reason: dict(counts) for reason, counts in self.data.rejected().items()},
            "training": asdict(self.training),
            "versions": exporting.versions(),
        }

    def close(self) -> None:
        """Let go of bar and files."""
        self.progress.close()
        if self.metrics is not None:
            self.metrics.close()


def _hold(folder: Path) -> None:
    """Hold the folder of a run as long as this process lasts; FileError where another run holds it."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise FileError(f"another run is training in {folder}") from error


def work(job: Job, ranks: Ranks, signals: Signals) -> None:
    """Train as one rank, from the checkpoint or the start to the model."""
    started = time.monotonic()
    worker = Worker(job, ranks, signals)
    try:
        worker.prepare()
        state = worker.resume()
        worker.finish(worker.train(state))
    finally:
        worker.close()
    if ranks.is_first and not job.quiet:
        count = worker.count
        skipped = f"; {count.skipped:,} skipped" if count.skipped else ""
        say(
            COMMAND,
            f"{count.records:,} records in {count.step:,} steps{skipped}; loss {count.recent:.4g}; "
            f"{job.result}; {time.monotonic() - started:.1f} s",
        )


def main() -> NoReturn:
    """Run one worker and end with its exit code."""
    die_with_parent()
    sys.exit(run(Path(sys.argv[1])))


def run(folder: Path) -> int:
    """Train what the folder says and return the exit code; print what went wrong in one line."""
    signals = Signals()
    is_first = int(os.environ.get("RANK", 0)) == 0
    try:
        with joined() as ranks:
            job = ranks.same(lambda: read_job(folder))
            ranks.first(lambda: _hold(folder))
            work(job, ranks, signals)
        return 0
    except (LlamaxError, Terminated, KeyboardInterrupt) as error:
        if is_first or not (is_shared(error) or isinstance(error, Terminated | KeyboardInterrupt)):
            say(COMMAND, _line(error))
        return 130 if isinstance(error, KeyboardInterrupt) else getattr(error, "exit_code", 1)
    except torch.OutOfMemoryError:
        say(COMMAND, "the GPU is full; lower micro_batch, block or loss_chunk, or train on more GPUs")
        return 1
    except RuntimeError as error:
        if not is_left_alone(error):
            raise
        say(COMMAND, f"rank {os.environ.get('RANK', 0)}: another rank is gone, so this one stops too")
        return 1


def _line(error: BaseException) -> str:
    if isinstance(error, Terminated | KeyboardInterrupt):
        return "terminated" if isinstance(error, Terminated) else "interrupted"
    return str(error)


if __name__ == "__main__":
    main()
