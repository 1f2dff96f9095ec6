"""The model with its loss: loading, LoRA and frozen weights."""

import copy
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from llamax_cli.config import ALL_LINEAR, Training
from llamax_cli.errors import ModelError, UsageError
from llamax_cli.models import pretrained
from llamax_cli.models.config_file import check_architecture, check_block
from llamax_cli.models.packed_batch import Batch
from llamax_cli.models.selective_checkpoint import checkpoint_settings
from llamax_cli.models.varlen_attention import NAME

RANGE = re.compile(r"\{(\d{1,4})\.\.(\d{1,4})\}")  # of layers, as the shell writes one
MOST_LAYERS = 1000


class CausalLM(nn.Module):
    """A causal language model that returns the loss of each learned token of a batch.

    The head computes logits for learned tokens only, `chunk` at a time, and computes them again in the backward pass:
    so a vocabulary of 128,000 takes hardly any memory.
    """

    def __init__(self, model: Any, chunk: int) -> None:
        super().__init__()
        self.model = model  # the attribute is part of the keys in checkpoints, which keep their names
        self.chunk = chunk
        self.adjust = _logit_adjustment(model.config)

    def forward(self, batch: Batch) -> Tensor:
        """Return the losses (n,) of the targets, in fp32."""
        decoder = self.model.get_decoder()
        output = decoder(
            input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False, documents=batch.documents
        )
        hidden = output.last_hidden_state[0].index_select(0, batch.logits_to_keep)
        chunks = zip(torch.split(hidden, self.chunk), torch.split(batch.targets, self.chunk), strict=True)
        return torch.cat([self._losses(*chunk) for chunk in chunks])

    def _losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        head = self.model.get_output_embeddings()
        losses: Tensor = checkpoint(
            _cross_entropy, hidden, head.weight, head.bias, targets, self.adjust, use_reentrant=False
        )
        return losses


def _cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    adjust: Callable[[Tensor], Tensor] = lambda logits: logits,
) -> Tensor:
    logits = adjust(functional.linear(hidden, weight, bias))
    return functional.cross_entropy(logits.float(), targets, reduction="none")


def _logit_adjustment(config: Any) -> Callable[[Tensor], Tensor]:
    """Return what a model does to the output of its head: it bounds it (Gemma 2) or scales it (Cohere, Granite)."""
    softcap = getattr(config, "final_logit_softcapping", None)
    factor = getattr(config, "logit_scale", None) or 1.0
    divisor = getattr(config, "logits_scaling", None) or 1.0

    def adjust(logits: Tensor) -> Tensor:
        if factor != 1.0 or divisor != 1.0:
            logits = logits * factor / divisor
        return logits if softcap is None else torch.tanh(logits / softcap) * softcap

    return adjust


# -- loading -----------------------------------------------------------------------------------------------------------


def load_config(model: str, *, trust_remote_code: bool = False) -> Any:
    """Return the configuration of a model folder, a file or a model on the hub; ModelError if it cannot be trained."""
    config = pretrained.load_config(model, trust_remote_code=trust_remote_code)
    check_architecture(model, config.model_type)
    return config


def check(config: Any, tokenizer_size: int, block: int) -> None:
    """Raise ModelError where a model is too small for the tokenizer or the block."""
    if tokenizer_size > config.vocab_size:
        raise ModelError(
            f"the tokenizer has {tokenizer_size:,} tokens, the model {config.vocab_size:,}; "
            "use the model's own tokenizer"
        )
    check_block(config.to_dict(), block)


def _auto_model() -> Any:
    import transformers

    return transformers.AutoModelForCausalLM


def load_weights(model: str, config: Any, seed: int, *, init: bool, trust_remote_code: bool = False) -> Any:
    """Return a model with its weights in fp32, on the CPU; `init` draws new ones, which depend on the seed."""
    if init:
        torch.manual_seed(seed)
        return pretrained.new_model(_auto_model(), config, trust_remote_code=trust_remote_code, dtype=torch.float32)
    return pretrained.load_weights(
        _auto_model(), model, trust_remote_code=trust_remote_code, config=copy.deepcopy(config), dtype=torch.float32
    )


def empty_model(config: Any) -> Any:
    """Return the model without memory for its weights, which are on the meta device; its buffers are on the CPU.

    Weights that are tied are one. `materialise` gives them memory, once each rank has only its share of them.
    """
    from accelerate import init_empty_weights
    from transformers.initialization import no_init_weights

    with init_empty_weights(include_buffers=False), no_init_weights():  # torch takes long to draw nothing
        model = pretrained.new_model(_auto_model(), config, dtype=torch.float32)
    model.tie_weights()
    return model


def materialise(model: nn.Module, device: torch.device) -> None:
    """Give the weights that are on the meta device memory on another device; their values are undefined.

    Buffers, such as the frequencies of rotary positions, keep their values, and tied weights stay one.
    """
    places: dict[Tensor, list[tuple[nn.Module, str]]] = {}
    for module in model.modules():
        for name, weight in module.named_parameters(recurse=False):
            places.setdefault(weight, []).append((module, name))
    move: Any = model._apply
    move(lambda tensor: torch.empty_like(tensor, device=device) if tensor.is_meta else tensor.to(device))
    for (first, name), *others in places.values():  # _apply made a weight of its own at each place
        for module, other in others:
            module.register_parameter(other, getattr(first, name))


def prepare_for_training(model: Any, training: Training) -> Any:
    """Return the model ready for training: packed attention, LoRA, frozen weights and gradient checkpointing."""
    model.set_attn_implementation(NAME)
    if training.lora:
        _add_lora(model, training)
    freeze(model, training.freeze)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise UsageError("freeze leaves no weight to train")
    if training.gradient_checkpointing and not training.compile:  # else `compile_layer` does it
        # The name since transformers 5.20, and the one before.
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable(checkpoint_settings(training.gradient_checkpointing))
    return model


def compile_layer(layer: nn.Module, *, checkpointed: bool | str) -> None:
    """Have a decoder layer run compiled; `checkpointed`, it is computed again in the backward pass, compiled too.

    Selectively checkpointed, the output of attention is kept, and all that is compiled is computed again.

    The compiled part is inside the checkpoint. Around it, Dynamo would have to trace the checkpoint without a break,
    and attention is one: the whole layer would silently run uncompiled. Hooks, which are FSDP's, stay outside of both.
    """
    compiled = torch.compile(layer.forward, dynamic=True)
    how = checkpoint_settings(checkpointed)

    def forward(*args: Any, **kwargs: Any) -> Any:
        if checkpointed and layer.training:
            return checkpoint(compiled, *args, **how, **kwargs)
        return compiled(*args, **kwargs)

    layer.forward = forward


def lora_config(training: Training) -> Any:
    """Return the LoRA settings in peft's form."""
    from peft import LoraConfig

    return LoraConfig(
        r=training.lora,
        lora_alpha=training.lora_alpha,
        target_modules=ALL_LINEAR if training.lora_targets == (ALL_LINEAR,) else list(training.lora_targets),
        task_type="CAUSAL_LM",
    )


def _add_lora(model: Any, training: Training) -> None:
    from peft import inject_adapter_in_model

    try:
        torch.manual_seed(training.seed)
        inject_adapter_in_model(lora_config(training), model)
    except ValueError as error:
        raise UsageError(f"lora_targets: {str(error).strip().splitlines()[0]}") from error


def expand_ranges(pattern: str) -> list[str]:
    """Return a pattern for each number of its ranges: `expand_ranges("a.{8..9}.b") -> ["a.8.b", "a.9.b"]`."""
    found = RANGE.search(pattern)
    if found is None:
        return [pattern]
    low, high = int(found[1]), int(found[2])
    if not low <= high < MOST_LAYERS:
        raise UsageError(f"freeze: {found[0]} in {pattern!r} is not a range of layers, such as {{8..20}}")
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [each for number in range(low, high + 1) for each in expand_ranges(f"{before}{number}{after}")]


def freeze(model: nn.Module, patterns: Sequence[str]) -> None:
    """Freeze the weights whose names match a pattern; UsageError for a pattern that matches none.

    A pattern may have ranges: `model.layers.{8..20}.*` is `model.layers.8.*` to `model.layers.20.*`, each of which has
    to match.
    """
    names = dict(model.named_parameters())
    for pattern in chain.from_iterable(map(expand_ranges, patterns)):
        matched = [name for name in names if fnmatchcase(name, pattern)]
        if not matched:
            raise UsageError(f"freeze: {pattern!r} matches no weight; weights have names like {next(iter(names))}")
        for name in matched:
            names[name].requires_grad_(False)
