"""Liger's kernels for GPUs in the place of transformers' own modules: rotary positions, norms and the gated layers.

The loss is not theirs: the learner's own asks the head for learned tokens only, a chunk at a time.
"""

import torch

from llamax_cli.errors import UsageError


def use_liger(architecture: str, device: torch.device) -> None:
    """Have the models that are made from now on run with Liger's kernels; UsageError where they cannot.

    `architecture` is one of those that train takes; Liger knows all of them by the same names.
    """
    if device.type != "cuda":
        raise UsageError("liger: its kernels are for GPUs, and there is none here; leave it out")
    try:
        from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN
    except ImportError as error:
        raise UsageError(f"liger cannot be loaded: {str(error).splitlines()[0]}") from error
    MODEL_TYPE_TO_APPLY_LIGER_FN[architecture](
        rope=True, rms_norm=True, swiglu=True, cross_entropy=False, fused_linear_cross_entropy=False
    )
