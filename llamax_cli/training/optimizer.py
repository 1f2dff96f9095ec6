"""The optimizers by name, and the groups of weights that differ in weight decay or learning rate.

A new optimizer is one function, one row of OPTIMIZERS, and its name in the settings.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import nn

from llamax_cli.config import Training

# As torch.optim takes it: `params`, `weight_decay`, and `lr`, the learning rate at the peak of the schedule.
ParameterGroup: TypeAlias = dict[str, Any]


def parameter_groups(model: nn.Module, training: Training) -> list[ParameterGroup]:
    """Return the trained weights in groups: matrices decay, norms and biases do not."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    rate = training.learning_rate
    groups: list[ParameterGroup] = [
        {"params": [each for each in weights if each.ndim >= 2], "weight_decay": training.weight_decay, "lr": rate},
        {"params": [each for each in weights if each.ndim < 2], "weight_decay": 0.0, "lr": rate},
    ]
    return [group for group in groups if group["params"]]


def adamw(groups: list[ParameterGroup], training: Training) -> torch.optim.Optimizer:
    """Return AdamW with its fused kernel."""
    return torch.optim.AdamW(
        groups,
        lr=training.learning_rate,
        betas=(training.beta1, training.beta2),
        eps=training.epsilon,
        fused=True,
    )


OPTIMIZERS: dict[str, Callable[[list[ParameterGroup], Training], torch.optim.Optimizer]] = {"adamw": adamw}


def make_optimizer(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    """Return the optimizer of the settings over the weights that are trained."""
    return OPTIMIZERS[training.optimizer](parameter_groups(model, training), training)
