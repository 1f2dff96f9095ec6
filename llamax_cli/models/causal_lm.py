"""The model with its loss: loaded, frozen or adapted as asked, and sharded over the ranks."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from llamax_cli.config import Training
from llamax_cli.errors import ModelError, UsageError
from llamax_cli.models.loading import legible, whole
from llamax_cli.models.packed_batch import Batch
from llamax_cli.models.varlen_attention import NAME, keep_uncompiled

# Decoders whose attention goes through the interface, and whose logits are the head's product with nothing after it;
# each is compared with the library's own loss in the tests.
ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3")


class CausalLM(nn.Module):
    """A causal language model that gives the loss of each learned token of a batch.

    The head is asked for learned tokens only, `chunk` at a time, and its logits are computed again on the way back, so
    that a vocabulary of 128,000 costs no memory.
    """

    def __init__(self, model: Any, chunk: int) -> None:
        super().__init__()
        self.model = model
        self.chunk = chunk

    def forward(self, batch: Batch) -> Tensor:
        """Return the losses (n,) of the targets, in fp32."""
        decoder = self.model.get_decoder()
        answer = decoder(
            input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False, documents=batch.documents
        )
        hidden = answer.last_hidden_state[0].index_select(0, batch.logits_to_keep)
        pieces = zip(torch.split(hidden, self.chunk), torch.split(batch.targets, self.chunk), strict=True)
        return torch.cat([self._losses(*piece) for piece in pieces])

    def _losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        head = self.model.get_output_embeddings()
        losses: Tensor = checkpoint(_cross_entropy, hidden, head.weight, head.bias, targets, use_reentrant=False)
        return losses


def _cross_entropy(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    return functional.cross_entropy(functional.linear(hidden, weight, bias).float(), targets, reduction="none")


# -- loading -----------------------------------------------------------------------------------------------------------


def load_config(model: str, *, init: bool = False) -> Any:
    """Return the configuration of a model or, with `init`, of a file; ModelError where it cannot be trained."""
    import transformers

    path = Path(model)
    if path.is_dir() and not (path / "config.json").is_file():
        raise ModelError(f"{model} is no model: it has no config.json")
    try:
        config = transformers.AutoConfig.from_pretrained(model)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{model} is no model that can be loaded: {str(error).strip().splitlines()[0]}") from error
    if config.model_type not in ARCHITECTURES:
        raise ModelError(f"{model} is of the kind {config.model_type}; train takes {', '.join(ARCHITECTURES)}")
    return config


def check(config: Any, tokenizer_size: int, block: int) -> None:
    """Raise ModelError where a model does not fit the tokenizer or the block."""
    if tokenizer_size > config.vocab_size:
        raise ModelError(
            f"the tokenizer has {tokenizer_size:,} tokens, the model {config.vocab_size:,}; "
            "take the tokenizer that belongs to the model"
        )
    room = config.max_position_embeddings
    if block > room:
        raise ModelError(f"a block of {block:,} tokens is longer than the {room:,} positions of the model; set block")
    window = getattr(config, "sliding_window", None)
    if window and getattr(config, "use_sliding_window", True) and block > window:
        raise ModelError(f"a block of {block:,} tokens is longer than the model's window of {window:,}; set block")


def _causal() -> Any:
    import transformers

    return transformers.AutoModelForCausalLM


def load_weights(model: str, config: Any, seed: int, *, init: bool) -> Any:
    """Return a model with its weights in fp32, on the CPU; with `init` they are drawn by the seed."""
    kind = _causal()
    if init:
        torch.manual_seed(seed)
        return kind.from_config(config, dtype=torch.float32)
    with legible(model):
        loaded = kind.from_pretrained(
            model, config=config, dtype=torch.float32, ignore_mismatched_sizes=True, output_loading_info=True
        )
    return whole(model, *loaded)


def skeleton(config: Any) -> Any:
    """Return the model without weights: memory that is asked for and not touched, tied where they are tied."""
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        model = _causal().from_config(config, dtype=torch.float32)
    for module in model.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            module.register_parameter(name, nn.Parameter(torch.empty_like(weight, device="cpu")))
    model.tie_weights()
    return model


def adapt(model: Any, training: Training) -> Any:
    """Return the model ready to be trained: LoRA and frozen weights as asked, nothing kept that can be recomputed."""
    model.set_attn_implementation(NAME)
    if training.lora:
        _add_lora(model, training)
    freeze(model, training.freeze)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise UsageError("freeze leaves no weight to train")
    if training.gradient_checkpointing:
        # The name in transformers 5.20 and later, and the one before.
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable({"use_reentrant": False})
    return model


def lora_config(training: Training) -> Any:
    """Return LoRA as peft has it."""
    from peft import LoraConfig

    return LoraConfig(
        r=training.lora,
        lora_alpha=training.lora_alpha,
        target_modules=list(training.lora_targets),
        task_type="CAUSAL_LM",
    )


def _add_lora(model: Any, training: Training) -> None:
    from peft import inject_adapter_in_model

    try:
        torch.manual_seed(training.seed)
        inject_adapter_in_model(lora_config(training), model)
    except ValueError as error:
        raise UsageError(f"lora_targets: {str(error).strip().splitlines()[0]}") from error


def freeze(model: nn.Module, patterns: Sequence[str]) -> None:
    """Leave the weights as they are whose names a pattern matches; UsageError for one that matches none."""
    names = dict(model.named_parameters())
    for pattern in patterns:
        matched = [name for name in names if fnmatchcase(name, pattern)]
        if not matched:
            raise UsageError(f"freeze: {pattern!r} matches no weight; they are named like {next(iter(names))}")
        for name in matched:
            names[name].requires_grad_(False)


# -- sharding ----------------------------------------------------------------------------------------------------------


def shard(learner: CausalLM, mesh: Any, precision: torch.dtype, *, compiled: bool) -> None:
    """Spread weights, gradients and the optimiser's memory over the ranks of a mesh, layer by layer.

    Weights are fp32 and computed with in `precision`; gradients are added up in fp32.
    """
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    if compiled:
        keep_uncompiled()
    policy = MixedPrecisionPolicy(param_dtype=precision, reduce_dtype=torch.float32)
    for layer in _layers(learner.model):
        if compiled:
            layer.compile(dynamic=True)
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    # The head is used outside its own forward, and so has to stay whole until the way back.
    fully_shard(learner, mesh=mesh, mp_policy=policy, reshard_after_forward=False)


def _layers(model: Any) -> Iterable[Any]:
    return model.get_decoder().layers  # type: ignore[no-any-return]


def fill(learner: CausalLM, weights: dict[str, Tensor]) -> None:
    """Give a sharded learner the weights that rank 0 has (the others give none)."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict

    options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
    set_model_state_dict(learner, {f"model.{name}": weight for name, weight in weights.items()}, options=options)
