"""The training loop: steps, evaluation, checkpoints and logging, on each rank."""

import math
import time
from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from llamax_cli.errors import Terminated, TrainingError
from llamax_cli.models.packed_batch import idle_batch
from llamax_cli.ranks import local_ranks
from llamax_cli.training import estimates, export, loss_stats
from llamax_cli.training.checkpoint import Checkpointer
from llamax_cli.training.dataloader import Step, prefetch
from llamax_cli.training.job import Job
from llamax_cli.training.loss_stats import LossStats, rounded
from llamax_cli.training.machines import Machines
from llamax_cli.training.memory_check import compare_memory
from llamax_cli.training.metrics_log import MetricsLog
from llamax_cli.training.parallelize import set_gradient_sync
from llamax_cli.training.process_group import Ranks
from llamax_cli.training.resume import describe_changes
from llamax_cli.training.run_manifest import write_run_manifest
from llamax_cli.training.sampler import DataPosition
from llamax_cli.training.setup import Components
from llamax_cli.training.signals import Signals
from llamax_cli.training.train_state import TrainState
from llamax_cli.training.translation_eval import TranslationEvaluator
from llamax_cli.training.validation import held_out_loss
from llamax_cli.training.watchdog import Watchdog

SPIKE_WARMUP = 20  # steps before which no loss counts as a spike


class Requests(NamedTuple):
    """What at least one rank wants after a step: a checkpoint, the end of the run, and the end by SIGTERM."""

    checkpoint: bool
    stop: bool
    is_terminated: bool


class Trainer:
    """One rank of a training run."""

    def __init__(
        self, job: Job, components: Components, ranks: Ranks, signals: Signals, watchdog: Watchdog, log: MetricsLog
    ) -> None:
        self.job = job
        self.training = job.training
        self.components = components
        self.model = components.model
        self.optimizer = components.optimizer
        self.lr_scheduler = components.lr_scheduler
        self.data = components.data
        self.ranks = ranks
        self.signals = signals
        self.watchdog = watchdog
        self.metrics_log = log
        self.state = TrainState()
        self.checkpointer = Checkpointer(job, components, ranks)
        self.translation = TranslationEvaluator(job, components, ranks) if self.training.translate else None
        self._is_memory_checked = False
        self._started = time.time()
        self.model_size = estimates.read_shape(components.config.to_dict())

    # -- the loop ------------------------------------------------------------------------------------------------------

    def resume(self) -> DataPosition:
        """Load the latest checkpoint, if there is one; return the position in the data from which to train."""
        resumed = self.checkpointer.load_latest(self.data)
        facts = resumed.facts if resumed else {}
        if resumed:
            self.state = TrainState(**facts["count"])
            if resumed.changed and self.ranks.is_first and not self.job.quiet:
                self.metrics_log.say(f"resumed from {resumed.path}; changed: {describe_changes(resumed.changed)}")
        start: dict[str, Any] = {"resumed": str(resumed.path) if resumed else None, "ranks": self.ranks.size}
        if resumed and resumed.changed:
            start["changed"] = {name: list(values) for name, values in resumed.changed.items()}
        self.metrics_log.start(facts, self.state.step, {**start, **self._data_facts(), **self._run_facts()})
        return DataPosition(*facts["data"]) if resumed else self.data.plan(0).start()

    def train(self, position: DataPosition) -> DataPosition:
        """Train from a position to the end of the data, to `max_steps` or to `stop_after`; return the position reached.

        Terminated or KeyboardInterrupt, after a checkpoint, where a signal asked for the end.
        """
        training, state = self.training, self.state
        loader = self.components.data_loader(
            self.data, training.batch, training.micro_batch, self.ranks, training.batch_of
        )
        if self._has_reached_stop():
            return position
        with self.signals.deferred():
            for epoch in range(position.epoch, training.epochs):
                if epoch > position.epoch:
                    # Planned ahead, unless another batch size of the resumed run now takes it further than that.
                    self.ranks.run_on_first(partial(self.data.plan, epoch))
                    position = self.data.plan(epoch).start()
                with closing(prefetch(loader.steps(position))) as steps:
                    for step in steps:
                        requests = self.train_step(step)
                        position = step.position
                        if state.is_due(training.log_every):
                            self.log(position)
                        if state.is_due(training.validation_every):
                            self.evaluate()
                        if state.is_due(training.translate_every):
                            self.translate()
                        if requests.stop or requests.checkpoint or state.is_due(training.checkpoint_every):
                            self.save_checkpoint(position, wait=requests.stop)
                        if requests.stop:
                            raise Terminated if requests.is_terminated else KeyboardInterrupt
                        if self._has_reached_stop():
                            return position
            return position

    def train_step(self, step: Step) -> Requests:
        """Compute the gradients of a step over all ranks and update the weights, unless the step is bad.

        A bad step, whose loss or gradient is not finite or whose loss is a spike, is skipped; TrainingError where the
        settings say that it stops the run.
        """
        self._progress_in_step()
        requests = self._requests()
        documents = LossStats(())
        local_loss, local_squares = self._forward_backward(step, documents)
        self._progress_in_step()
        # One all-reduce for all that the ranks share: loss, work done, and votes on what comes next.
        total_loss, squares, *votes = self.ranks.sum([local_loss, local_squares, *requests])
        loss = total_loss / step.learned
        weights = [weight for weight in self.model.parameters() if weight.grad is not None]
        total_norm = _total_norm(weights)
        norm = total_norm.item()
        if problem := self._problem(loss, norm):
            self._skip(problem, loss, norm, documents)
        else:
            if self.training.clip:
                clip_grads_with_norm_(weights, self.training.clip, total_norm)
            self.lr_scheduler.set_rates(self._progress(step.position, self.state.step + 1))
            self.optimizer.step()
            self._check_memory()
            self.state.add_loss(loss)
        self.optimizer.zero_grad()
        self.state.add(step)
        operations = self.model_size.flops(step.tokens, step.learned, int(squares))
        self.metrics_log.add(step, total_loss, norm, operations)
        self.metrics_log.show_progress(self.state, self._share_done(step.position))
        return Requests(*(count > 0 for count in votes))

    def finish(self, position: DataPosition) -> None:
        """Evaluate and translate a last time, keep a last checkpoint, and write the model."""
        with self.signals.deferred():
            if self.metrics_log.has_unlogged_steps:
                self.log(position)
            self.evaluate()
            self.translate()
            self.save_checkpoint(position, wait=True)
        self.signals.raise_deferred()
        self.watchdog.begin("writing the model")
        self.ranks.set_timeout(None)  # the first rank writes, the others only wait
        with self.metrics_log.interrupted("writing the model"):
            parts = self.components
            export.export(self.job, self.model, parts.config, parts.tokenizer, self._model_facts(), self.ranks)
            self.ranks.run_on_first(lambda: write_run_manifest(self.job, self._run_figures(), self._started))
        self.metrics_log.write("end", self.state.step, records=self.state.records, tokens=self.state.tokens)

    def close(self) -> None:
        """Let a checkpoint that is being written be completed, whatever ended the run and whatever signals arrive."""
        with self.signals.deferred(), self.watchdog.patient("writing a checkpoint"):
            self.checkpointer.close()

    # -- parts of a step -----------------------------------------------------------------------------------------------

    def _forward_backward(self, step: Step, documents: LossStats) -> tuple[float, float]:
        """Accumulate the gradients of this rank's blocks; return the sum of their losses and of squared lengths."""
        device = self.ranks.device
        total, squares = torch.zeros((), dtype=torch.float64, device=device), 0
        for number, batch in enumerate(step.batches, start=1):
            self._progress_in_step()
            set_gradient_sync(self.model, self.training, is_last=number == len(step.batches))
            on_device = (batch or idle_batch()).to(device)
            losses = self.model(on_device)
            # The mean over the learned tokens of all ranks: FSDP divides the summed gradients by the number of ranks.
            weight = self.ranks.size / step.learned if batch else 0.0
            (losses.sum() * weight).backward()
            if batch:
                total += losses.detach().sum(dtype=torch.float64)
                squares += sum(length * length for length in batch.documents.lengths)
                sums = loss_stats.by_document(on_device, losses)
                documents.add(batch, sums)
                self.metrics_log.loss_stats.add(batch, sums)
        return total.item(), float(squares)

    def _progress_in_step(self) -> None:
        self.watchdog.progress(f"in step {self.state.step + 1}")

    def _requests(self) -> Requests:
        """Return what this rank wants: a checkpoint is due by its clock or a signal, or a signal asks for the end."""
        stop = self.signals.stop
        wants_checkpoint = self.checkpointer.is_due() or self.signals.checkpoint
        return Requests(wants_checkpoint, stop is not None, isinstance(stop, Terminated))

    def _problem(self, loss: float, norm: float) -> str | None:
        """Return what is wrong with a step, `nan` or `spike`; None for a good one."""
        if not math.isfinite(loss) or not math.isfinite(norm):
            return "nan"
        limit = self.training.spike * self.state.recent
        return "spike" if limit and self.state.step >= SPIKE_WARMUP and loss > limit else None

    def _skip(self, problem: str, loss: float, norm: float, documents: LossStats) -> None:
        """Report a bad step with the records that have the greatest loss; TrainingError where it stops the run."""
        gathered = self.ranks.gather(loss_stats.worst(document for _, document in documents.documents()))
        worst = loss_stats.worst(document for part in gathered for document in part)
        policy = self.training.on_nan if problem == "nan" else self.training.on_spike
        what = f"the loss is {loss:.4g} and the norm of the gradient {norm:.4g}"
        if problem == "spike":
            what += f", after {self.state.recent:.4g} on average"
        number = self.state.step + 1
        self.state.skipped += 1

        def report() -> None:
            places = loss_stats.describe(worst, self.data.samples)
            line = f"step {number}: {what}; the records with the greatest loss: {places}"
            facts = {"reason": problem, "loss": loss, "gradient_norm": norm, "records": places}
            self.metrics_log.write("skipped", number, **facts)
            if policy == "stop":
                raise TrainingError(f"{line}; on_{problem}=skip skips such steps")
            self.metrics_log.say(f"skipped {line}")

        self.ranks.run_on_first(report)

    def _check_memory(self) -> None:
        """Say, after the first update, whether the memory is what was estimated; on all ranks."""
        if self._is_memory_checked:
            return
        self._is_memory_checked = True
        local = local_ranks()
        machines = Machines(count=self.ranks.size // local, processes=local)
        estimate = estimates.estimate_memory(self.model_size, self.training, machines)
        line = compare_memory(self.model, self.optimizer, estimate, self.ranks)
        if line is not None and self.ranks.is_first:
            self.metrics_log.say(line)

    # -- between steps -------------------------------------------------------------------------------------------------

    def evaluate(self) -> None:
        """Measure and log the loss of the held-out records, if there are any and this step's is not yet measured."""
        if self.components.held_out is None or self.state.validated == self.state.step:
            return
        self.state.validated = self.state.step
        with self.metrics_log.interrupted("validating"):
            loss, by_kind = held_out_loss(
                self.components,
                self.components.held_out,
                self.training,
                self.ranks,
                lambda: self.watchdog.progress("validating"),
            )
        self.metrics_log.write("validation", self.state.step, loss=rounded(loss), **by_kind)

    def translate(self) -> None:
        """Translate the held-out lines and log the scores, if there are any lines and it is not done at this step."""
        if self.translation is None or self.state.translated == self.state.step:
            return
        self.state.translated = self.state.step
        with self.metrics_log.interrupted("translating"), self.watchdog.patient("translating"):
            scores = self.translation.evaluate(self.state.step)
        self.metrics_log.write("translation", self.state.step, **scores)

    def save_checkpoint(self, position: DataPosition, *, wait: bool) -> None:
        """Write a checkpoint, unless this step has one; with `wait`, return when it is complete."""
        self.signals.checkpoint = False
        doing = "writing a checkpoint"
        with self.metrics_log.interrupted(doing), self.watchdog.patient(doing):
            self.checkpointer.save(self.state, position, self.metrics_log.resume_facts())
            if wait:
                self.checkpointer.wait()

    def log(self, position: DataPosition) -> None:
        """Write a line of metrics about the steps since the last one; on all ranks."""
        rate = self.lr_scheduler.rate(self._progress(position, self.state.step))
        self.metrics_log.log(self.state, self.data.epochs(position), rate)

    # -- where the run is ----------------------------------------------------------------------------------------------

    def _has_reached_stop(self) -> bool:
        return any(0 < last <= self.state.step for last in (self.training.max_steps, self.training.stop_after))

    def _progress(self, position: DataPosition, step: int) -> float:
        """Return the share of the run that is done at a position, after `step` steps.

        The run ends after all epochs or after `max_steps`, whichever comes first.
        """
        most = self.training.max_steps
        return max(self.data.epochs(position) / self.training.epochs, min(1.0, step / most) if most else 0.0)

    def _share_done(self, position: DataPosition) -> float:
        """Return the share of the run that is done before it ends or pauses."""
        stop = self.training.stop_after
        return max(self._progress(position, self.state.step), self.state.step / stop if stop else 0.0)

    # -- facts for the metrics and the model card ----------------------------------------------------------------------

    def _data_facts(self) -> dict[str, Any]:
        return {"records": self.data.records, "blocks": len(self.data.plan(0)), "tokens": self.data.tokens}

    def _run_facts(self) -> dict[str, Any]:
        return {
            "left_out": {reason: dict(counts) for reason, counts in self.data.rejected().items()},
            "training": asdict(self.training),
            "versions": export.versions(),
        }

    def _run_figures(self) -> dict[str, Any]:
        """Return what the manifest says besides the settings."""
        counts = {name: getattr(self.state, name) for name in ("step", "records", "tokens")}
        return {"ranks": self.ranks.size, "device": self.ranks.device.type, **counts}

    def _model_facts(self) -> dict[str, Any]:
        """Return what the model card says."""
        return {
            "command": self.job.command,
            "model": self.job.model,
            "init": self.job.init,
            "data": [file.facts() for file in self.data.samples.files],
            "steps": self.state.step,
            "records": self.state.records,
            "tokens": self.state.tokens,
            "learned": self.state.learned,
            "skipped_steps": self.state.skipped,
            **self._run_facts(),
        }


def _total_norm(weights: list[torch.nn.Parameter]) -> Tensor:
    """Return the norm of the gradient over all weights and ranks."""
    norm = get_total_norm([weight.grad for weight in weights if weight.grad is not None])
    return norm.full_tensor() if isinstance(norm, DTensor) else norm
