"""The memory that a run takes, measured at its first step and compared with the estimate of `--preflight`."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from llamax_cli.training.estimates import CONTEXT, MemoryEstimate, gigabytes
from llamax_cli.training.process_group import Ranks

TOLERANCE = 0.1  # of the estimate
SMALLEST = 1e8  # bytes; what differs by less does not matter


def compare_memory(
    model: nn.Module, optimizer: torch.optim.Optimizer, estimate: MemoryEstimate, ranks: Ranks
) -> str | None:
    """Return one line where the memory of a rank differs from the estimate by more than TOLERANCE; None elsewhere.

    Call it on all ranks after the optimizer's first step, while the gradients are there. On a GPU the peak is compared,
    on a CPU the weights with their gradients and the state of the optimizer. Both are means over the ranks.
    """
    if ranks.device.type == "cuda":
        own, estimated, what = float(torch.cuda.max_memory_allocated(ranks.device)), estimate.total - CONTEXT, "a GPU"
    else:
        own, estimated = float(sum(map(_bytes, _held(model, optimizer)))), estimate.weights
        what = "weights and optimizer of a process"
    measured = ranks.sum([own])[0] / ranks.size
    if abs(measured - estimated) <= max(SMALLEST, TOLERANCE * estimated):
        return None
    return f"memory of {what}: {gigabytes(measured)}, where --preflight estimates {gigabytes(estimated)}"


def _held(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[Tensor]:
    """Yield the weights, their gradients, and the state of the optimizer."""
    for weight in model.parameters():
        yield weight
        if weight.grad is not None:
            yield weight.grad
    for state in optimizer.state.values():
        yield from (value for value in state.values() if isinstance(value, Tensor))


def _bytes(tensor: Tensor) -> int:
    """Return the bytes of this rank's share of a tensor."""
    local = tensor.to_local() if isinstance(tensor, DTensor) else tensor
    return local.numel() * local.element_size()
