"""Attention within each of the documents that are packed into one row.

A model uses it under NAME and passes `documents` in every call. Documents of equal length are neighbours, so that a
CPU computes them as one batch of causal attention; GPUs have kernels for documents of any length.
"""

from functools import cache
from importlib import util
from typing import Any

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
    **_: object,
) -> tuple[Tensor, None]:
    """Return the attention of each token to its own document up to itself: (1, tokens, heads, size).

    Queries, keys and values are (1, heads, tokens, size).
    """
    assert documents is not None  # CausalLM passes them in every call
    if query.is_cuda and query.dtype in (torch.bfloat16, torch.float16):
        return _by_kernel(query, key, value, scaling, documents), None
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    outputs = []
    start = 0
    for length, count in documents.runs:
        end = start + length * count
        run = slice(start, end)
        outputs.append(_same_length(query[0, :, run], key[0, :, run], value[0, :, run], length, scaling))
        start = end
    return torch.cat(outputs, 1).transpose(0, 1)[None], None


def _same_length(query: Tensor, key: Tensor, value: Tensor, length: int, scaling: float | None) -> Tensor:
    """Return the attention within neighbouring documents of one length: (heads, count x length, size)."""
    query, key, value = (states.view(states.shape[0], -1, length, states.shape[2]) for states in (query, key, value))
    output = functional.scaled_dot_product_attention(
        query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1), is_causal=True, scale=scaling
    )
    return output.transpose(0, 1).flatten(1, 2)


def _by_kernel(query: Tensor, key: Tensor, value: Tensor, scaling: float | None, documents: Documents) -> Tensor:
    """Return the attention by a kernel for documents of any length: flash-attn's if installed, else torch's."""
    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))  # (tokens, heads, size)
    kernel = _flash_attn if _is_installed("flash_attn") else _torch
    return kernel(query, key, value, documents.ends, max(documents.lengths), scaling)[None]


@cache
def _is_installed(package: str) -> bool:
    return util.find_spec(package) is not None


def _flash_attn(query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, scale: float | None) -> Tensor:
    from flash_attn import flash_attn_varlen_func

    output: Tensor = flash_attn_varlen_func(
        query, key, value, ends, ends, longest, longest, softmax_scale=scale, causal=True
    )
    return output


def _torch(query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, scale: float | None) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    output = varlen_attn(
        query,
        key,
        value,
        ends,
        ends,
        longest,
        longest,
        scale=scale,
        window_size=(-1, 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    assert isinstance(output, Tensor)
    return output


AttentionInterface.register(NAME, attend)


def disable_compilation() -> None:
    """Exclude attention from torch.compile, because its calls depend on the lengths of the documents."""
    AttentionInterface.register(NAME, torch.compiler.disable(attend))  # type: ignore[no-untyped-call]
