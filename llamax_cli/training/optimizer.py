"""AdamW: which weights decay, and how fast they move at each moment of the run."""

import math

import torch
from torch import nn

from llamax_cli.config import Training


def make_optimizer(model: nn.Module, training: Training) -> torch.optim.AdamW:
    """Return AdamW over the weights that are trained; norms and biases do not decay."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [each for each in weights if each.ndim >= 2], "weight_decay": training.weight_decay},
        {"params": [each for each in weights if each.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=training.learning_rate,
        betas=(training.beta1, training.beta2),
        eps=training.epsilon,
        fused=True,
    )


def learning_rate(training: Training, progress: float) -> float:
    """Return the learning rate where `progress` (0 ... 1) of the run is done.

    It rises in a line over `warmup`, then falls to `final_rate` of its height. It hangs on the data that is done, not
    on steps, and so on no batch.
    """
    if progress < training.warmup:
        return training.learning_rate * progress / training.warmup
    done = (progress - training.warmup) / max(1e-12, 1 - training.warmup)
    left = {
        "constant": 1.0,
        "linear": 1 - done,
        "cosine": (1 + math.cos(math.pi * min(1.0, done))) / 2,
    }[training.schedule]
    final = 1.0 if training.schedule == "constant" else training.final_rate
    return training.learning_rate * (final + (1 - final) * left)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Have the optimiser go on at this rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate
