"""Liger's GPU kernels instead of transformers' own modules, for rotary positions, norms and gated layers.

The loss stays our own, which computes logits for learned tokens only, a chunk at a time.
"""

import torch

from llamax_cli.errors import UsageError


def use_liger(architecture: str, device: torch.device) -> None:
    """Make models that are created from now on use Liger's kernels; UsageError where that is impossible.

    `architecture` is one of those that train supports; Liger knows it by the same name.
    """
    if architecture not in ("llama", "mistral", "qwen2", "qwen3"):
        raise UsageError(f"liger: its kernels are not used for {architecture}; leave the setting out")
    if device.type != "cuda":
        raise UsageError("liger: its kernels need a GPU, and there is none; leave the setting out")
    try:
        from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN
    except ImportError as error:
        raise UsageError(f"liger cannot be loaded: {str(error).splitlines()[0]}") from error
    MODEL_TYPE_TO_APPLY_LIGER_FN[architecture](
        rope=True, rms_norm=True, swiglu=True, cross_entropy=False, fused_linear_cross_entropy=False
    )
