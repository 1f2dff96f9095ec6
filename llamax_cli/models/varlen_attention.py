"""Documents packed in one row that do not see each other.

A model runs with the attention named NAME and gets `documents` in every call. Documents of one length stand together,
so that on a CPU they are one batch of a causal attention; a GPU has kernels for documents of any length.
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
    """Return what each token gathers from its own document up to itself: (1, tokens, heads, size).

    Queries, keys and values are (1, heads, tokens, size).
    """
    assert documents is not None  # the learner gives them in every call
    if query.is_cuda and query.dtype in (torch.bfloat16, torch.float16):
        return _by_kernel(query, key, value, scaling, documents), None
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    answers = []
    start = 0
    for length, count in documents.runs:
        end = start + length * count
        answers.append(_run(query[0, :, start:end], key[0, :, start:end], value[0, :, start:end], length, scaling))
        start = end
    return torch.cat(answers, 1).transpose(0, 1)[None], None


def _run(query: Tensor, key: Tensor, value: Tensor, length: int, scaling: float | None) -> Tensor:
    """Attend in documents of one length that stand together: (heads, count x length, size)."""
    query, key, value = (each.view(each.shape[0], -1, length, each.shape[2]) for each in (query, key, value))
    answer = functional.scaled_dot_product_attention(
        query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1), is_causal=True, scale=scaling
    )
    return answer.transpose(0, 1).flatten(1, 2)


def _by_kernel(query: Tensor, key: Tensor, value: Tensor, scaling: float | None, documents: Documents) -> Tensor:
    """Attend with a kernel that knows the borders of documents: flash attention's own where it is installed."""
    query, key, value = (each[0].transpose(0, 1) for each in (query, key, value))  # (tokens, heads, size)
    kernel = _flash_attn if _is_installed("flash_attn") else _torch
    return kernel(query, key, value, documents.ends, max(documents.lengths), scaling)[None]


@cache
def _is_installed(package: str) -> bool:
    return util.find_spec(package) is not None


def _flash_attn(query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, scale: float | None) -> Tensor:
    from flash_attn import flash_attn_varlen_func

    answer: Tensor = flash_attn_varlen_func(
        query, key, value, ends, ends, longest, longest, softmax_scale=scale, causal=True
    )
    return answer


def _torch(query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, scale: float | None) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    answer = varlen_attn(
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
    assert isinstance(answer, Tensor)
    return answer


AttentionInterface.register(NAME, attend)


def keep_uncompiled() -> None:
    """Leave attention out of what torch.compile sees: its calls hang on the lengths of the documents."""
    AttentionInterface.register(NAME, torch.compiler.disable(attend))  # type: ignore[no-untyped-call]
