"""Attention for beams that share a prompt, and prompts that share a beginning: neither is kept or read twice.

A model runs with the attention named NAME and gets a Memory in every call, which keeps keys and values itself:

    memory.read_prefix(ids)    what all prompts begin with, once
    memory.read_prompts(...)   the rest of each prompt, once for all its beams
    memory.step(...)           one token for each beam: its queries meet the prompt together, and its own past alone

The numbers are those of ordinary attention, added up in another order.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

NAME = "llamax_beams"
# Architectures whose attention is plain and goes through the interface; each is compared with `generate` in the tests.
ARCHITECTURES = {"llama", "mistral", "qwen2", "qwen3", "gemma", "cohere"}
GROWTH = 32  # tokens by which the room for generated keys and values grows

Prefix: TypeAlias = list[tuple[Tensor, Tensor] | None]
Attend: TypeAlias = Callable[[int, Tensor, Tensor, Tensor, float], Tensor]


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    memory: "KeyValueCache | None" = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Answer one layer's queries (rows, heads, tokens, size) from the memory the model was called with."""
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    assert memory is not None and memory.attend is not None  # whoever calls the model gives it one
    return memory.attend(module.layer_idx, query, key, value, scale).transpose(1, 2), None


AttentionInterface.register(NAME, attend)


class KeyValueCache:
    """Keys and values of one batch, in every layer.

    `prefix`: (keys, values), each (1, heads, prefix tokens, size). `prompts`: the whole prompts, (rows x heads, prompt
    tokens, size). `own`: what each beam has generated, (room, beams, heads, size), tokens first so that choosing beams
    copies whole lines.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._layers = model.config.num_hidden_layers
        self.attend: Attend | None = None
        self.prefix: Prefix = [None] * self._layers
        self._prompts: list[tuple[Tensor, Tensor]] = []
        self._own: list[tuple[Tensor, Tensor]] = []
        self._mask: Tensor | None = None
        self._bias: Tensor | None = None
        self._length = 0
        self._chosen: Tensor | None = None
        self._beams = self._kv_heads = self._groups = 1

    # -- what happens in turn ----------------------------------------------------------------------------------------

    def read_prefix(self, ids: Sequence[int]) -> None:
        """Read what all prompts begin with."""
        self.attend = self._attend_prefix
        tokens = torch.tensor([ids], device=self._model.device)
        self._call(tokens, torch.arange(len(ids), device=tokens.device)[None])

    def read_prompts(self, ids: Tensor, real: Tensor, prefix: int) -> Tensor:
        """Read the rest of the prompts, (rows, tokens), padded on the left where `real` is False; return the logits."""
        positions = prefix + (real.cumsum(-1) - 1).clamp(min=0)
        causal = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device).tril()
        # A padding token sees itself, for a row of nothing would be a row of NaN.
        own = (causal & real[:, None, :]) | torch.eye(ids.shape[1], dtype=torch.bool, device=ids.device)
        seen = own.new_ones(len(ids), ids.shape[1], prefix)
        self._mask = torch.cat([seen, own], -1)[:, None]
        keys = torch.cat([real.new_ones(len(ids), prefix), real], -1)
        self._bias = torch.zeros_like(keys, dtype=torch.float32).masked_fill(~keys, float("-inf"))
        self._prompts, self.attend = [], self._attend_prompts
        return self._call(ids, positions)

    def start(self, beams: int) -> None:
        """Begin to generate, with `beams` for each prompt."""
        assert self._bias is not None
        self._beams, self._length, self._chosen = beams, 0, None
        self._groups = self._model.config.num_attention_heads // self._kv_heads
        self._bias = self._bias.to(self._prompts[0][0].dtype)
        self._own = []
        self.attend = self._attend_step

    def step(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Read one token for each beam, (beams,), at `positions`; return the logits."""
        logits = self._call(ids[:, None], positions[:, None])
        self._length += 1
        self._chosen = None
        return logits

    def choose(self, beams: Tensor) -> None:
        """Go on from these beams, (beams,) places among the present ones; it takes effect with the next step."""
        self._chosen = beams

    def keep(self, rows: Tensor) -> None:
        """Forget the prompts but these, (rows,); the beams are chosen besides."""
        assert self._bias is not None
        self._prompts = [(self._rows(keys, rows), self._rows(values, rows)) for keys, values in self._prompts]
        self._bias = self._bias[rows]

    def _rows(self, each: Tensor, rows: Tensor) -> Tensor:
        return each.view(-1, self._kv_heads, *each.shape[1:])[rows].flatten(0, 1)

    def _call(self, ids: Tensor, positions: Tensor) -> Tensor:
        output = self._model(
            input_ids=ids, position_ids=positions, use_cache=False, logits_to_keep=1, memory=self, return_dict=True
        )
        logits: Tensor = output.logits[:, -1]
        return logits

    # -- attention in each of these ----------------------------------------------------------------------------------

    def _attend_prefix(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        self.prefix[layer] = (key, value)
        return _dense(query, key, value, scale, None)

    def _attend_prompts(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        before = self.prefix[layer]
        if before is not None:
            key, value = (
                torch.cat([old.expand(len(new), -1, -1, -1), new], 2)
                for old, new in zip(before, (key, value), strict=True)
            )
        self._kv_heads = key.shape[1]
        self._prompts.append((key.flatten(0, 1).contiguous(), value.flatten(0, 1).contiguous()))
        return _dense(query, key, value, scale, self._mask)

    def _attend_step(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        assert self._bias is not None
        own_keys, own_values = self._remember(layer, key, value)
        rows, kv_heads, beams, groups, size = (
            len(self._bias),
            self._kv_heads,
            self._beams,
            self._groups,
            query.shape[-1],
        )
        keys, values = self._prompts[layer]
        query = query * scale
        # All beams of a prompt are so many more queries of it: (rows x kv heads, beams x groups, size).
        together = query.view(rows, beams, kv_heads, groups, size).transpose(1, 2).reshape(-1, beams * groups, size)
        alone = query.view(rows * beams * kv_heads, groups, size)
        bias = self._bias[:, None].expand(-1, kv_heads, -1).reshape(-1, 1, keys.shape[1])
        on_prompt = torch.baddbmm(bias, together, keys.transpose(1, 2))
        on_own = torch.bmm(alone, own_keys.transpose(1, 2))
        scores = torch.cat([on_prompt, self._by_prompt(on_own)], -1)
        weights = functional.softmax(scores, -1, dtype=torch.float32).to(query.dtype)
        from_prompt = torch.bmm(weights[..., : keys.shape[1]], values)
        from_own = torch.bmm(self._by_beam(weights[..., keys.shape[1] :]), own_values)
        answer = self._by_beam(from_prompt) + from_own
        return answer.view(rows * beams, kv_heads * groups, 1, size)

    def _by_prompt(self, each: Tensor) -> Tensor:
        """Order (rows x beams x kv heads, groups, n) as (rows x kv heads, beams x groups, n)."""
        split = each.view(-1, self._beams, self._kv_heads, self._groups, each.shape[-1])
        return split.transpose(1, 2).reshape(-1, self._beams * self._groups, each.shape[-1])

    def _by_beam(self, each: Tensor) -> Tensor:
        """Order (rows x kv heads, beams x groups, n) as (rows x beams x kv heads, groups, n)."""
        split = each.reshape(-1, self._kv_heads, self._beams, self._groups, each.shape[-1])
        return split.transpose(1, 2).reshape(-1, self._groups, each.shape[-1])

    def _remember(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Choose the beams, add their new keys and values, and return all they have: (beams x kv heads, n, size)."""
        if layer == len(self._own):
            self._own.append((_room(key), _room(value)))
        length = self._length
        kept = tuple(_grown(own, length, self._chosen) for own in self._own[layer])
        self._own[layer] = (kept[0], kept[1])
        for own, new in zip(kept, (key, value), strict=True):
            own[length] = new[:, :, 0]
        keys, values = (own[: length + 1].flatten(1, 2).transpose(0, 1) for own in kept)
        return keys, values


def _room(new: Tensor) -> Tensor:
    """Return room for what beams generate: (GROWTH, beams, heads, size)."""
    beams, heads, _, size = new.shape
    return new.new_empty(GROWTH, beams, heads, size)


def _grown(own: Tensor, length: int, chosen: Tensor | None) -> Tensor:
    """Return the first `length` tokens of the chosen beams, with room for one more."""
    room = own.shape[0] + (GROWTH if length == own.shape[0] else 0)
    if chosen is None and room == own.shape[0]:
        return own
    beams = own.shape[1] if chosen is None else len(chosen)
    grown = own.new_empty(room, beams, *own.shape[2:])
    if chosen is None:
        grown[:length] = own[:length]
    else:
        torch.index_select(own[:length], 1, chosen, out=grown[:length])
    return grown


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
def in_use(model: Any) -> Iterator[None]:
    """Have the model run with this attention while the context lasts."""
    before = model.config._attn_implementation
    model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
