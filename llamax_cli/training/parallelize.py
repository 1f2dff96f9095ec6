"""Sharding with FSDP: weights, gradients and optimizer state spread over the ranks, layer by layer.

Over all ranks or, hybrid, over those of each machine. Each machine then holds a whole copy: layers are gathered within
it, and only the gradient, summed over its ranks, crosses the network.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

from llamax_cli import ranks as environment
from llamax_cli.config import NODE, Training, syncs_each_batch
from llamax_cli.errors import UsageError
from llamax_cli.models.causal_lm import CausalLM, compile_layer
from llamax_cli.models.packed_batch import idle_batch
from llamax_cli.models.varlen_attention import disable_compilation
from llamax_cli.training.process_group import Ranks


def make_mesh(ranks: Ranks, training: Training) -> Any:
    """Return the ranks as FSDP spreads a model over them: (ranks,), or (machines, ranks of a machine) for `shard=node`.

    UsageError on all ranks if the machines have different numbers of processes.
    """
    size, local = ranks.size, environment.local_ranks()
    if training.shard != NODE:
        return init_device_mesh(ranks.device.type, (size,))
    places = ranks.gather_on_all((environment.local_rank(), local))
    ranks.run_on_first(lambda: check_layout(places))
    if local == size:
        return init_device_mesh(ranks.device.type, (size,))
    return init_device_mesh(ranks.device.type, (size // local, local), mesh_dim_names=("replicate", "shard"))


def check_layout(places: list[tuple[int, int]]) -> None:
    """Raise UsageError unless each machine has as many ranks as the first, and successive ones."""
    local = places[0][1]
    if len(places) % local or places != [(rank % local, local) for rank in range(len(places))]:
        counts = ", ".join(str(count) for place, count in places if place == 0)
        raise UsageError(
            f"shard = node needs the same number of processes on each machine, which have {counts}; use shard = full"
        )


def set_gradient_sync(model: CausalLM, training: Training, *, is_last: bool) -> None:
    """Say which gradients the ranks sum after the next backward pass; all of them if it is the last one of a step.

    Before, the ranks of a machine sum theirs if `sync_each_batch` says so, and each keeps its shard of the sum. Else,
    and with LoRA, whose gradients are small, every rank keeps a whole gradient. Machines wait for the last one.
    """
    model.set_requires_gradient_sync(is_last or syncs_each_batch(training))  # type: ignore[operator]
    model.set_requires_all_reduce(is_last)  # type: ignore[operator]


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
