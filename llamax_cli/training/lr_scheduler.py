"""The learning rate over the course of a run: warm-up, then one of the schedules.

A new schedule is one function, one row of SCHEDULES, and its name in the settings.
"""

import math
from collections.abc import Callable

import torch

from llamax_cli.config import Training


def constant(done: float, final: float) -> float:
    """Stay at the peak."""
    return 1.0


def linear(done: float, final: float) -> float:
    """Fall in a straight line."""
    return final + (1 - final) * (1 - done)


def cosine(done: float, final: float) -> float:
    """Fall along half a cosine."""
    return final + (1 - final) * ((1 + math.cos(math.pi * min(1.0, done))) / 2)


# Each returns the share of the peak rate that is left, from 1 to `final`, where `done` (0 ... 1) is the share of the
# run after warm-up that is done.
SCHEDULES: dict[str, Callable[[float, float], float]] = {"constant": constant, "linear": linear, "cosine": cosine}


def scheduled_rate(peak: float, training: Training, progress: float) -> float:
    """Return the learning rate of weights with a peak rate where `progress` (0 ... 1) of the run is done.

    It rises in a straight line over `warmup`, then follows the schedule down to `final_rate` of the peak. It depends
    on how much of the data is done, not on the number of steps, and so not on the batch size.
    """
    if progress < training.warmup:
        return peak * progress / training.warmup
    done = (progress - training.warmup) / max(1e-12, 1 - training.warmup)
    return peak * SCHEDULES[training.schedule](done, training.final_rate)


class LRScheduler:
    """Sets the learning rate of an optimizer's parameter groups; each group's own at creation is its peak."""

    def __init__(self, optimizer: torch.optim.Optimizer, training: Training) -> None:
        self._optimizer = optimizer
        self._training = training
        self._peaks: list[float] = [group["lr"] for group in optimizer.param_groups]

    def rate(self, progress: float) -> float:
        """Return the rate that the metrics show: that of the setting `learning_rate`."""
        return scheduled_rate(self._training.learning_rate, self._training, progress)

    def set_rates(self, progress: float) -> None:
        """Set every group's rate for a step after which `progress` (0 ... 1) of the run is done."""
        for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = scheduled_rate(peak, self._training, progress)
