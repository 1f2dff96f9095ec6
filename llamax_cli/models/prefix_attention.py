"""Attention that reads a shared beginning once: that of all prompts, and the prompt of all beams of a sentence.

A model runs with the attention named NAME. Each call passes it a KeyValueCache, which stores keys and values itself:

    cache.read_prefix(ids)      the beginning that all prompts share, once
    cache.read_prompts(...)     the rest of each prompt, once for all its beams
    cache.step(...)             one token per beam: it attends to the shared prompt and to its own generated tokens
    cache.move_shared(...)      generated tokens that all beams of a prompt share are read once from now on, as it is
    cache.join(other)           go on with the prompts of another cache, too, of which nothing has been generated yet

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
Attend: TypeAlias = Callable[["KeyValueCache", int, Tensor, Tensor, Tensor, float], Tensor]


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
    assert key_value_cache is not None  # every call of the model passes one
    return key_value_cache.attend(module.layer_idx, query, key, value, scale).transpose(1, 2), None


AttentionInterface.register(NAME, attend)


class KeyValueCache:
    """Keys and values of one batch, in every layer.

    `prefix`: (keys, values), each (1, heads, prefix tokens, size). `_prompts`: the whole prompts and the tokens that
    have been moved to them, (rows x heads, prompt tokens, size); `_bias`, (rows, prompt tokens), is -inf where there is
    none. `_generated`: buffers for the tokens of each beam, (capacity, beams, heads, size), tokens first so that
    selecting beams copies contiguous memory. `_starts`: the first of these tokens that belongs to each prompt, (rows,),
    as some prompts join later and some have more tokens moved; `_moved`: how many have been. `_step_bias`: -inf for
    prompts and generated tokens that a row does not see, (rows, prompt and generated tokens).
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._layers = model.config.num_hidden_layers
        # Not a bound method: a cache that refers to itself would stay in memory until Python looks for such objects.
        self._attend: Attend = KeyValueCache._attend_prefix
        self.prefix: Prefix = [None] * self._layers
        self._prompts: list[tuple[Tensor, Tensor]] = []
        self._generated: list[tuple[Tensor, Tensor]] = []
        self._mask: Tensor | None = None
        self._bias = self._step_bias = torch.empty(0, 0)
        self._starts = self._moved = torch.empty(0, dtype=torch.long)
        self._next_move = GROWTH  # generated tokens in memory from which on those that are shared are moved
        self._length = 0
        self._selected: Tensor | None = None
        self._have_prompts_changed = False
        self._unseen = self._shared = 0  # tokens at the beginning that no prompt sees, and that all beams share
        self._beams = self._kv_heads = self._groups = 1

    # -- the calls of a search, in order -----------------------------------------------------------------------------

    def read_prefix(self, ids: Sequence[int]) -> None:
        """Read the beginning that all prompts share."""
        self._attend = KeyValueCache._attend_prefix
        tokens = torch.tensor([ids], device=self._model.device)
        self._call(tokens, torch.arange(len(ids), device=tokens.device)[None])

    def use_prefix(self, prefix: Prefix, tokens: int) -> None:
        """Begin with so many tokens of the prefix of another cache."""
        self.prefix = [each and (each[0][:, :, :tokens], each[1][:, :, :tokens]) for each in prefix]

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
        self._prompts, self._attend = [], KeyValueCache._attend_prompts
        return self._call(ids, positions)

    def start(self, beams: int) -> None:
        """Begin to generate, with `beams` beams per prompt."""
        self._beams = beams
        self._groups = self._model.config.num_attention_heads // self._kv_heads
        self._bias = self._bias.to(self._prompts[0][0].dtype)
        self._starts = torch.zeros(len(self._bias), dtype=torch.long, device=self._bias.device)
        self._moved = torch.zeros_like(self._starts)
        self._attend = KeyValueCache._attend_step

    def join(self, other: "KeyValueCache") -> None:
        """Go on with the prompts of `other`, too, after those that are here; it has generated nothing yet."""
        self._pack(self._bias == 0)
        width = max(self._bias.shape[1], other._bias.shape[1])
        # One layer after another, as memory may have no room for all of them twice.
        for layer, (keys, values) in enumerate(self._prompts):
            more_keys, more_values = other._prompts[layer]
            self._prompts[layer] = (_joined(keys, more_keys, width), _joined(values, more_values, width))
        self._bias = torch.cat(
            [
                functional.pad(bias, (width - bias.shape[1], 0), value=float("-inf"))
                for bias in (self._bias, other._bias)
            ]
        )
        self._starts = torch.cat([self._starts, other._starts + self._length])
        self._moved = torch.cat([self._moved, other._moved])
        self._have_prompts_changed = True

    def move_shared(self, shared: Tensor) -> None:
        """Move the first `shared` tokens generated for each prompt, (rows,), to the prompt, if they are enough by now.

        All its beams have the same ones, which need not be stored, selected and read for each of them.
        """
        if self._length < self._next_move:
            return
        ends = self._starts + shared - self._moved
        places = torch.arange(self._length, device=ends.device)
        is_moved = (places >= self._starts[:, None]) & (places < ends[:, None])
        self._pack(torch.cat([self._bias == 0, is_moved], 1), self._length)
        self._starts, self._moved = ends, shared
        self._have_prompts_changed = True
        self._next_move = self._length - int(ends.min()) + GROWTH

    def _pack(self, is_used: Tensor, generated: int = 0) -> None:
        """Drop the unused places of prompts, but for those that make them equally long.

        `is_used`, (rows, places), covers the places of the prompts, and after them `generated` tokens of the first beam
        of each, which become tokens of the prompts.
        """
        width = int(is_used.sum(1).max())
        order = is_used.int().sort(dim=1, stable=True)[1][:, -width:]  # those in use are last, and stay in order
        is_empty = ~is_used.gather(1, order)
        self._bias = torch.zeros_like(order, dtype=self._bias.dtype).masked_fill(is_empty, float("-inf"))
        indices = order.repeat_interleave(self._kv_heads, 0)[:, :, None]
        for layer, pair in enumerate(self._prompts):
            keys, values = pair
            if generated:
                of_first_beams = (_by_head(buffer[:generated, :: self._beams]) for buffer in self._generated[layer])
                keys, values = (torch.cat(parts, 1) for parts in zip(pair, of_first_beams, strict=True))
            along = indices.expand(-1, -1, keys.shape[2])
            self._prompts[layer] = (keys.gather(1, along), values.gather(1, along))

    def select_prompts(self, rows: Tensor) -> None:
        """Drop all prompts but these, (rows,); their beams are selected separately."""
        for layer, (keys, values) in enumerate(self._prompts):
            self._prompts[layer] = (self._rows(keys, rows), self._rows(values, rows))
        self._bias, self._starts, self._moved = self._bias[rows], self._starts[rows], self._moved[rows]
        self._have_prompts_changed = True

    def select_beams(self, beams: Tensor, shared: Tensor) -> None:
        """Continue from these of the present beams, (beams,), any of them for prompts that start now, in the next step.

        In the first `shared` tokens generated for each prompt, (rows,), its present beams are the same.
        """
        if not self._length:
            self._have_prompts_changed = False  # nothing has been generated that would have to be selected
            return
        self._selected = beams
        if self._have_prompts_changed:
            self._unseen = int(self._starts.min())
            self._starts = self._starts - self._unseen
            self._length -= self._unseen
        else:
            self._shared = int((self._starts + shared - self._moved).min())

    def step(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Read one token per beam, (beams,), at `positions`; return the logits."""
        is_older = torch.arange(self._length + 1, device=ids.device) < self._starts[:, None]
        on_generated = torch.zeros_like(is_older, dtype=self._bias.dtype).masked_fill(is_older, float("-inf"))
        self._step_bias = torch.cat([self._bias, on_generated], -1)
        logits = self._call(ids[:, None], positions[:, None])
        self._length += 1
        self._selected, self._have_prompts_changed, self._unseen = None, False, 0
        return logits

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

    @property
    def tokens_per_prompt(self) -> int:
        """For how many tokens each prompt takes memory in the next step, beams counted, as all take the same."""
        return self._bias.shape[1] + self._beams * (self._length + 1)

    # -- attention in each of these calls ----------------------------------------------------------------------------

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """Return the attention of one layer in the call that the model is at."""
        return self._attend(self, layer, query, key, value, scale)

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
        generated_keys, generated_values = self._append(layer, key, value)
        prompt_keys, prompt_values = self._prompts[layer]
        rows, kv_heads, beams, groups, size = (
            len(self._step_bias),
            self._kv_heads,
            self._beams,
            self._groups,
            query.shape[-1],
        )
        query = query * scale
        # For the prompt, all its beams are further queries: (rows x kv heads, beams x groups, size).
        by_prompt = query.view(rows, beams, kv_heads, groups, size).transpose(1, 2).reshape(-1, beams * groups, size)
        by_beam = query.view(rows * beams * kv_heads, groups, size)
        on_prompt = torch.bmm(by_prompt, prompt_keys.transpose(1, 2))
        on_generated = torch.bmm(by_beam, generated_keys.transpose(1, 2))
        scores = torch.cat([on_prompt, self._by_prompt(on_generated)], -1)
        scores.view(rows, -1, scores.shape[-1]).add_(self._step_bias[:, None])
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
        if selected is not None and self._have_prompts_changed:
            old, capacity = buffer[self._unseen :][:length], (length // GROWTH + 1) * GROWTH
            buffer = buffer.new_empty(capacity, len(selected), *buffer.shape[2:])
            torch.index_select(old, 1, selected, out=buffer[:length])
        elif selected is not None:  # most tokens are shared and stay where they are
            buffer[self._shared : length] = buffer[self._shared : length].index_select(1, selected)
        return _enlarged(buffer) if length == len(buffer) else buffer


def _joined(tensor: Tensor, other: Tensor, width: int) -> Tensor:
    """Return both, each (n, tokens, size), one after the other, with zeros before the tokens up to `width` of them."""
    return torch.cat([functional.pad(each, (0, 0, width - each.shape[1], 0)) for each in (tensor, other)])


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
