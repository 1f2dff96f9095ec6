"""Sharding with FSDP: weights, gradients and optimizer state spread over the ranks, layer by layer."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

from llamax_cli.config import Training
from llamax_cli.models.causal_lm import CausalLM, compile_layer
from llamax_cli.models.packed_batch import idle_batch
from llamax_cli.models.varlen_attention import disable_compilation


def shard(model: CausalLM, mesh: Any, dtype: torch.dtype, training: Training) -> None:
    """Spread a model over the ranks of a mesh, its layers compiled if the settings say so.

    Weights are stored in fp32 and computed with in `dtype`; gradients are summed in fp32.
    """
    if training.compile:
        disable_compilation()
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    for layer in _layers(model):
        if training.compile:
            compile_layer(layer, checkpointed=training.gradient_checkpointing)
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    # The head is used outside its own forward pass, so it has to stay whole until the backward pass.
    fully_shard(model, mesh=mesh, mp_policy=policy, reshard_after_forward=False)


def _layers(model: CausalLM) -> Iterable[Any]:
    return model.model.get_decoder().layers  # type: ignore[no-any-return]


def broadcast_weights(model: CausalLM, weights: dict[str, Tensor]) -> None:
    """Fill a sharded model with the weights that rank 0 has; the other ranks pass an empty dictionary."""
    options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
    set_model_state_dict(model, {f"model.{name}": weight for name, weight in weights.items()}, options=options)


@contextmanager
def unsharded(model: CausalLM, device: torch.device) -> Iterator[Any]:
    """Give every rank the whole Hugging Face model, in the computation's precision, to generate by itself."""
    shards = [module for module in model.modules() if isinstance(module, FSDPModule)]
    model.eval()
    with torch.no_grad():
        model(idle_batch().to(device))  # FSDP must have run the whole model once before its parts are called
    for module in shards:
        module.set_reshard_after_forward(False, recurse=False)
        module.unshard()
    try:
        with torch.compiler.set_stance("force_eager"):
            yield model.model
    finally:
        for module in shards:
            module.set_reshard_after_forward(module is not model, recurse=False)  # type: ignore[comparison-overlap]
            module.reshard()
        model.train()
