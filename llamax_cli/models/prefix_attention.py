"""Attention that reads a shared beginning once: that of all prompts, and the prompt of all beams of a sentence.

A model runs with the attention named NAME. Each call passes it a KeyValueCache, which stores keys and values itself:

    cache.read_prefix(ids)      the beginning that all prompts share, once
    cache.read_prompts(...)     the rest of each prompt, once for all its beams
    cache.step(...)             one token per beam: it attends to the shared prompt and to its own generated tokens

The results are those of ordinary attention, summed in a different order.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

NAME = "llamax_beams"
# Architectures with plain attention that goes through transformers' interface; the tests compare each with `generate`.
ARCHITECTURES = {"llama", "mistral", "qwen2", "qwen3", "gemma", "cohere"}
GROWTH = 32  # tokens by which the buffers of generated keys and values grow

Prefix: TypeAlias = list[tuple[Tensor, Tensor] | None]
Attend: TypeAlias = Callable[[int, Tensor, Tensor, Tensor, float], Tensor]


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    key_value_cache: "KeyValueCache | None" = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Return one layer's attention for queries (rows, heads, tokens, size), using the cache of the model's call."""
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    assert key_value_cache is not None and key_value_cache.attend is not None  # every call of the model passes one
    return key_value_cache.attend(module.layer_idx, query, key, value, scale).transpose(1, 2), None


AttentionInterface.register(NAME, attend)


class KeyValueCache:
    """Keys and values of one batch, in every layer.

    `prefix`: (keys, values), each (1, heads, prefix tokens, size). `_prompts`: the whole prompts, (rows x heads, prompt
    tokens, size). `_generated`: buffers for the tokens of each beam, (capacity, beams, heads, size), tokens first so
    that selecting beams copies contiguous memory.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._layers = model.config.num_hidden_layers
        self.attend: Attend | None = None
        self.prefix: Prefix = [None] * self._layers
        self._prompts: list[tuple[Tensor, Tensor]] = []
        self._generated: list[tuple[Tensor, Tensor]] = []
        self._mask: Tensor | None = None
        self._bias: Tensor | None = None
        self._length = 0
        self._selected: Tensor | None = None
        self._shared = 0
        self._beams = self._kv_heads = self._groups = 1

    # -- the calls of a search, in order -----------------------------------------------------------------------------

    def read_prefix(self, ids: Sequence[int]) -> None:
        """Read the beginning that all prompts share."""
        self.attend = self._attend_prefix
        tokens = torch.tensor([ids], device=self._model.device)
        self._call(tokens, torch.arange(len(ids), device=tokens.device)[None])

    def read_prompts(self, ids: Tensor, mask: Tensor, prefix: int) -> Tensor:
        """Read the rest of the prompts, (rows, tokens), after `prefix` shared tokens; return the last logits.

        `mask` is False for padding, which is on the left.
        """
        positions = prefix + (mask.cumsum(-1) - 1).clamp(min=0)
        causal = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device).tril()
        # A padding token attends to itself, because a row without any key would be a row of NaN.
        on_rest = (causal & mask[:, None, :]) | torch.eye(ids.shape[1], dtype=torch.bool, device=ids.device)
        on_prefix = on_rest.new_ones(len(ids), ids.shape[1], prefix)
        self._mask = torch.cat([on_prefix, on_rest], -1)[:, None]
        keys = torch.cat([mask.new_ones(len(ids), prefix), mask], -1)
        self._bias = torch.zeros_like(keys, dtype=torch.float32).masked_fill(~keys, float("-inf"))
        self._prompts, self.attend = [], self._attend_prompts
        return self._call(ids, positions)

    def start(self, beams: int) -> None:
        """Begin to generate, with `beams` beams per prompt."""
        assert self._bias is not None
        self._beams, self._length, self._selected = beams, 0, None
        self._groups = self._model.config.num_attention_heads // self._kv_heads
        self._bias = self._bias.to(self._prompts[0][0].dtype)
        self._generated = []
        self.attend = self._attend_step

    def step(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Read one token per beam, (beams,), at `positions`; return the logits."""
        logits = self._call(ids[:, None], positions[:, None])
        self._length += 1
        self._selected = None
        return logits

    def select_beams(self, beams: Tensor, shared: int) -> None:
        """Continue from these of the present beams, (beams,); it takes effect in the next step.

        In the first `shared` tokens generated, the present beams of each prompt are the same.
        """
        self._selected, self._shared = beams, shared

    def select_prompts(self, rows: Tensor) -> None:
        """Drop all prompts but these, (rows,); their beams are selected separately."""
        assert self._bias is not None
        self._prompts = [(self._rows(keys, rows), self._rows(values, rows)) for keys, values in self._prompts]
        self._bias = self._bias[rows]

    def _rows(self, tensor: Tensor, rows: Tensor) -> Tensor:
        return tensor.view(-1, self._kv_heads, *tensor.shape[1:])[rows].flatten(0, 1)

    def _call(self, ids: Tensor, positions: Tensor) -> Tensor:
        output = self._model(
            input_ids=ids,
            position_ids=positions,
            use_cache=False,
            logits_to_keep=1,
            key_value_cache=self,
            return_dict=True,
        )
        logits: Tensor = output.logits[:, -1]
        return logits

    # -- attention in each of these calls ----------------------------------------------------------------------------

    def _attend_prefix(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        self.prefix[layer] = (key, value)
        return _dense(query, key, value, scale, None)

    def _attend_prompts(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        prefix = self.prefix[layer]
        if prefix is not None:
            key, value = (
                torch.cat([shared.expand(len(rest), -1, -1, -1), rest], 2)
                for shared, rest in zip(prefix, (key, value), strict=True)
            )
        self._kv_heads = key.shape[1]
        self._prompts.append((key.flatten(0, 1).contiguous(), value.flatten(0, 1).contiguous()))
        return _dense(query, key, value, scale, self._mask)

    def _attend_step(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        assert self._bias is not None
        generated_keys, generated_values = self._append(layer, key, value)
        prompt_keys, prompt_values = self._prompts[layer]
        rows, kv_heads, beams, groups, size = (
            len(self._bias),
            self._kv_heads,
            self._beams,
            self._groups,
            query.shape[-1],
        )
        query = query * scale
        # For the prompt, all its beams are further queries: (rows x kv heads, beams x groups, size).
        by_prompt = query.view(rows, beams, kv_heads, groups, size).transpose(1, 2).reshape(-1, beams * groups, size)
        by_beam = query.view(rows * beams * kv_heads, groups, size)
        bias = self._bias[:, None].expand(-1, kv_heads, -1).reshape(-1, 1, prompt_keys.shape[1])
        on_prompt = torch.baddbmm(bias, by_prompt, prompt_keys.transpose(1, 2))
        on_generated = torch.bmm(by_beam, generated_keys.transpose(1, 2))
        scores = torch.cat([on_prompt, self._by_prompt(on_generated)], -1)
        weights = functional.softmax(scores, -1, dtype=torch.float32).to(query.dtype)
        from_prompt = torch.bmm(weights[..., : prompt_keys.shape[1]], prompt_values)
        from_generated = torch.bmm(self._by_beam(weights[..., prompt_keys.shape[1] :]), generated_values)
        answer = self._by_beam(from_prompt) + from_generated
        return answer.view(rows * beams, kv_heads * groups, 1, size)

    def _by_prompt(self, tensor: Tensor) -> Tensor:
        """Reorder (rows x beams x kv heads, groups, n) as (rows x kv heads, beams x groups, n)."""
        split = tensor.view(-1, self._beams, self._kv_heads, self._groups, tensor.shape[-1])
        return split.transpose(1, 2).reshape(-1, self._beams * self._groups, tensor.shape[-1])

    def _by_beam(self, tensor: Tensor) -> Tensor:
        """Reorder (rows x kv heads, beams x groups, n) as (rows x beams x kv heads, groups, n)."""
        split = tensor.reshape(-1, self._kv_heads, self._beams, self._groups, tensor.shape[-1])
        return split.transpose(1, 2).reshape(-1, self._groups, tensor.shape[-1])

    def _append(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Select the beams, append their new keys and values, and return all of them: (beams x kv heads, n, size)."""
        if layer == len(self._generated):
            self._generated.append((_empty_buffer(key), _empty_buffer(value)))
        length = self._length
        keys, values = (self._continued(buffer) for buffer in self._generated[layer])
        self._generated[layer] = (keys, values)
        keys[length], values[length] = key[:, :, 0], value[:, :, 0]
        return _by_head(keys[: length + 1]), _by_head(values[: length + 1])

    def _continued(self, buffer: Tensor) -> Tensor:
        """Return keys or values of the selected beams, with capacity for at least one more token."""
        length, selected = self._length, self._selected
        if selected is not None and len(selected) < buffer.shape[1]:  # sentences have left the batch
            fewer = buffer.new_empty(len(buffer), len(selected), *buffer.shape[2:])
            torch.index_select(buffer[:length], 1, selected, out=fewer[:length])
            buffer = fewer
        elif selected is not None:  # most tokens are shared and stay where they are
            buffer[self._shared : length] = buffer[self._shared : length].index_select(1, selected)
        return _enlarged(buffer) if length == len(buffer) else buffer


def _enlarged(buffer: Tensor) -> Tensor:
    """Return a buffer with the same tokens and capacity for GROWTH more."""
    return torch.cat([buffer, buffer.new_empty(GROWTH, *buffer.shape[1:])])


def _by_head(buffer: Tensor) -> Tensor:
    """Reorder (tokens, beams, heads, size) as (beams x heads, tokens, size)."""
    return buffer.flatten(1, 2).transpose(0, 1)


def _empty_buffer(new: Tensor) -> Tensor:
    """Return a buffer for generated keys or values shaped like `new`: (GROWTH, beams, heads, size)."""
    beams, heads, _, size = new.shape
    return new.new_empty(GROWTH, beams, heads, size)


def _dense(query: Tensor, key: Tensor, value: Tensor, scale: float, mask: Tensor | None) -> Tensor:
    return functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        is_causal=mask is None,
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )


@contextmanager
def use_prefix_attention(model: Any) -> Iterator[None]:
    """Run the model with this attention inside the context."""
    before = model.config._attn_implementation
    model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
