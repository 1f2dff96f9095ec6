"""Attention within each of the documents that are packed into one row.

A model uses it under NAME and passes `documents` in every call. Documents of equal length are neighbours, so that a
CPU computes them as one batch of causal attention; GPUs have kernels for documents of any length.
"""

from functools import cache
from importlib import util
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

from llamax_cli.models.packed_batch import Documents

NAME = "llamax_packed"


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    documents: Documents | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Return the attention of each token to its own document up to itself: (1, tokens, heads, size).

    Queries, keys and values are (1, heads, tokens, size). A token sees itself and the `sliding_window` - 1 before it.
    `softcap` bounds the logits of attention, as in Gemma 2.
    """
    assert documents is not None  # CausalLM passes them in every call
    window = sliding_window if sliding_window and sliding_window < max(documents.lengths) else None
    has_kernel = query.is_cuda and query.dtype in (torch.bfloat16, torch.float16)
    if has_kernel and (softcap is None or _is_installed("flash_attn")):  # torch's kernel does not bound logits
        return _by_kernel(query, key, value, _Rule(scaling, window, softcap), documents), None
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    outputs = []
    start = 0
    for length, count in documents.runs:
        end = start + length * count
        run = slice(start, end)
        attended = _same_length(
            query[0, :, run], key[0, :, run], value[0, :, run], length, _Rule(scaling, window, softcap)
        )
        outputs.append(attended)
        start = end
    return torch.cat(outputs, 1).transpose(0, 1)[None], None


class _Rule(NamedTuple):
    """How attention is computed: the scale of its logits, how many tokens are seen, and the bound of the logits."""

    scale: float | None
    window: int | None
    softcap: float | None


def _same_length(query: Tensor, key: Tensor, value: Tensor, length: int, rule: _Rule) -> Tensor:
    """Return the attention within neighbouring documents of one length: (heads, count x length, size)."""
    query, key, value = (states.view(states.shape[0], -1, length, states.shape[2]) for states in (query, key, value))
    query, key, value = query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1)
    is_windowed = rule.window is not None and rule.window < length
    if rule.softcap is not None:
        output = _softcapped(query, key, value, rule)
    elif is_windowed:
        mask = _visible(length, rule.window, query.device)
        output = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=rule.scale)
    else:
        output = functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=rule.scale)
    return output.transpose(0, 1).flatten(1, 2)


def _softcapped(query: Tensor, key: Tensor, value: Tensor, rule: _Rule) -> Tensor:
    """Return attention whose logits are bounded, which torch has no kernel for; memory grows with the square."""
    scale = rule.scale if rule.scale is not None else query.shape[-1] ** -0.5
    logits = query @ key.transpose(-2, -1) * scale
    assert rule.softcap is not None
    logits = torch.tanh(logits / rule.softcap) * rule.softcap
    visible = _visible(query.shape[-2], rule.window, query.device)
    weights = logits.masked_fill(~visible, float("-inf")).softmax(-1, dtype=torch.float32)
    return weights.to(query.dtype) @ value


def _visible(length: int, window: int | None, device: torch.device) -> Tensor:
    """Return which tokens (columns) each token (rows) of a document sees."""
    distance = torch.arange(length, device=device)[:, None] - torch.arange(length, device=device)
    return (distance >= 0) & (distance < (window or length))


def _by_kernel(query: Tensor, key: Tensor, value: Tensor, rule: _Rule, documents: Documents) -> Tensor:
    """Return the attention by a kernel for documents of any length: flash-attn's if installed, else torch's."""
    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))  # (tokens, heads, size)
    kernel = _flash_attn if _is_installed("flash_attn") else _torch
    return kernel(query, key, value, documents.ends, max(documents.lengths), rule)[None]


@cache
def _is_installed(package: str) -> bool:
    return util.find_spec(package) is not None


def _flash_attn(query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, rule: _Rule) -> Tensor:
    from flash_attn import flash_attn_varlen_func

    more: dict[str, Any] = {} if rule.softcap is None else {"softcap": rule.softcap}
    more |= {"window_size": (_before(rule), 0)} if rule.window else {}
    output: Tensor = flash_attn_varlen_func(
        query,
        key,
        value,
        ends,
        ends,
        longest,
        longest,
        softmax_scale=rule.scale,
        causal=True,
        **more,
    )
    return output


def _before(rule: _Rule) -> int:
    """Return how many tokens before itself a token sees, -1 for all."""
    return -1 if rule.window is None else rule.window - 1


def _torch(query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, rule: _Rule) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    output = varlen_attn(
        query,
        key,
        value,
        ends,
        ends,
        longest,
        longest,
        scale=rule.scale,
        window_size=(_before(rule), 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    assert isinstance(output, Tensor)
    return output


AttentionInterface.register(NAME, attend)


def disable_compilation() -> None:
    """Exclude attention from torch.compile, because its calls depend on the lengths of the documents."""
    AttentionInterface.register(NAME, torch.compiler.disable(attend))  # type: ignore[no-untyped-call]
