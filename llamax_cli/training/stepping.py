"""One step: gradients over all ranks, judged, and the weights moved or left as they are."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from llamax_cli.config import Training
from llamax_cli.errors import TrainingError
from llamax_cli.models.packed_batch import idle_batch
from llamax_cli.training import loss_stats
from llamax_cli.training.dataloader import Step
from llamax_cli.training.loss_stats import LossStats
from llamax_cli.training.metrics_log import Reporter
from llamax_cli.training.optimizer import set_learning_rate
from llamax_cli.training.process_group import Ranks
from llamax_cli.training.progress import Progress
from llamax_cli.training.setup import Components

SETTLED = 20  # steps after which a spike can be told


class Made(NamedTuple):
    """A step over all ranks: sum of its losses, norm of its gradient, sum of the squared lengths of its documents.

    `asked` are the sums of what else the ranks were asked for.
    """

    loss: float
    norm: float
    squares: float
    asked: list[float]


class Stepper:
    """Makes steps."""

    def __init__(self, parts: Components, training: Training, ranks: Ranks, reporter: Reporter) -> None:
        self._parts = parts
        self._training = training
        self._ranks = ranks
        self._reporter = reporter

    def step(self, step: Step, rate: float, count: Progress, asked: Sequence[float]) -> Made:
        """Make a step at a learning rate, or leave it out; sum what is `asked` over the ranks on the way.

        TrainingError where the loss or the gradient is such that the run has to end.
        """
        own = LossStats(())
        loss_sum, squares, *sums = self._ranks.sum([*self._backward(step, own), *asked])
        loss = loss_sum / step.learned
        gradient = self._gradient_norm()
        norm = float(gradient)
        reason = self._refused(loss, norm, count)
        if reason:
            self._refuse(reason, own, loss, norm, count)
        else:
            self._move(gradient, rate)
            count.lost(loss)
        self._parts.optimiser.zero_grad()
        count.add(step)
        return Made(loss_sum, norm, squares, sums)

    def _backward(self, step: Step, own: LossStats) -> tuple[float, float]:
        """Add up the gradients of this rank's blocks; return the sum of its losses and its squared lengths."""
        device = self._ranks.device
        total, squares = torch.zeros((), dtype=torch.float64, device=device), 0
        for batch in step.batches:
            moved = (batch or idle_batch()).to(device)
            losses = self._parts.learner(moved)
            # The mean over the learned tokens of all ranks: sharding divides the sum by their number.
            weight = self._ranks.size / step.learned if batch else 0.0
            (losses.sum() * weight).backward()
            if batch:
                total += losses.detach().sum(dtype=torch.float64)
                squares += sum(length * length for length in batch.documents.lengths)
                sums = loss_stats.by_document(moved, losses)
                own.add(batch, sums)
                self._reporter.meter.add(batch, sums)
        return total.item(), float(squares)

    def _gradient_norm(self) -> Any:
        gradients = [weight.grad for weight in self._parts.learner.parameters() if weight.grad is not None]
        norm: Any = get_total_norm(gradients)
        return norm.full_tensor() if hasattr(norm, "full_tensor") else norm

    def _refused(self, loss: float, norm: float, count: Progress) -> str | None:
        """Return what is wrong with a step, None where it is to be made."""
        if not math.isfinite(loss) or not math.isfinite(norm):
            return "nan"
        spike = self._training.spike * count.recent
        return "spike" if spike and count.step >= SETTLED and loss > spike else None

    def _refuse(self, reason: str, own: LossStats, loss: float, norm: float, count: Progress) -> None:
        gathered = self._ranks.gather(loss_stats.worst(document for _, document in own.documents()))
        documents = loss_stats.worst(each for part in gathered for each in part)
        policy = self._training.on_nan if reason == "nan" else self._training.on_spike
        what = f"the loss is {loss:.4g} and the norm of the gradient {norm:.4g}"
        if reason == "spike":
            what += f", after {count.recent:.4g} on average"
        number = count.step + 1
        count.skipped += 1

        def tell() -> None:
            places = loss_stats.named(documents, self._parts.data.samples)
            line = f"step {number}: {what}; the records with the greatest loss: {places}"
            facts = {"reason": reason, "loss": loss, "gradient_norm": norm, "records": places}
            self._reporter.write("skipped", number, **facts)
            if policy == "stop":
                raise TrainingError(f"{line}; on_{reason}=skip leaves such steps out")
            self._reporter.say(f"skipped {line}")

        self._ranks.first(tell)

    def _move(self, norm: Any, rate: float) -> None:
        optimiser = self._parts.optimiser
        if self._training.clip:
            weights = [weight for weight in self._parts.learner.parameters() if weight.grad is not None]
            clip_grads_with_norm_(weights, self._training.clip, norm)
        set_learning_rate(optimiser, rate)
        optimiser.step()
