"""Selective activation checkpointing, as in torchtitan: keep what is slow to compute again, recompute the rest.

Of the matrix products of a layer every second one is kept, and the output of attention always. Norms, rotary positions,
gates and the other products are computed again in the backward pass.
"""

from typing import Any

import torch
from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

from llamax_cli.config import SELECTIVE

MATRIX_PRODUCTS = {torch.ops.aten.mm.default, torch.ops.aten.addmm.default, torch.ops.aten.bmm.default}
# By parts of their names, because a kernel's operator exists only where its package or device does: those of
# scaled_dot_product_attention, of torch's varlen_attn, and of flash-attn.
ATTENTION = ("aten::_scaled_dot_product", "torch_attn::_varlen_attn", "flash_attn::_flash_attn")


class Policy:
    """Says of each operation of a layer whether its output is kept; made anew for each pass over a layer."""

    def __init__(self) -> None:
        self._products = {False: 0, True: 0}  # by whether the layer is computed again

    def __call__(self, context: Any, operation: Any, *args: Any, **kwargs: Any) -> CheckpointPolicy:
        """Return what becomes of the output of an operation."""
        if operation in MATRIX_PRODUCTS:
            self._products[context.is_recompute] += 1
            is_kept = self._products[context.is_recompute] % 2 == 1
        else:
            is_kept = operation.name().startswith(ATTENTION) and "backward" not in operation.name()
        return CheckpointPolicy.MUST_SAVE if is_kept else CheckpointPolicy.PREFER_RECOMPUTE


def contexts() -> Any:
    """Return the contexts of a layer's forward pass and of its second one."""
    return create_selective_checkpoint_contexts(Policy())  # type: ignore[no-untyped-call]


def checkpoint_settings(gradient_checkpointing: bool | str) -> dict[str, Any]:
    """Return the arguments of torch's `checkpoint` for a value of the setting."""
    how: dict[str, Any] = {"use_reentrant": False}
    return {**how, "context_fn": contexts} if gradient_checkpointing == SELECTIVE else how
