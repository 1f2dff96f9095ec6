"""The rows of an embedding matrix for new tokens: the mean of what they replace, as in the paper; random; or zero."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from llamax_cli.errors import ModelError

MEAN, RANDOM, ZERO = INITS = ("mean", "random", "zero")
ROWS = 4096  # that are converted to another number format at once


class NewRows(NamedTuple):
    """The tokens that are new: `sources` are the ids of the tokens that each replaces; the first has the id `first`.

    `total` is the number of rows of the larger matrix, padding included.
    """

    first: int
    sources: Sequence[Sequence[int]]
    total: int
    init: str = MEAN
    seed: int = 0


def extended_matrix(rows: Tensor, new: NewRows, name: str) -> Tensor:
    """Return a matrix, tokens x dimensions, or the bias of each token, with the rows of new tokens.

    Old rows keep their bytes, also those that pad the matrix and that no new token takes. New padding has the mean of
    all tokens, so that no padding is ever the likeliest token. ModelError if a value is not finite.
    """
    _check_finite(rows, name)
    extended = torch.empty((new.total, *rows.shape[1:]), dtype=rows.dtype)
    extended[: len(rows)] = rows
    last = new.first + len(new.sources)
    mean, deviation = _moments(rows[: new.first])
    if len(rows) < new.total:
        extended[max(len(rows), last) :] = mean.to(rows.dtype)
    if new.init == RANDOM:
        # The same numbers for each matrix of a shape, so that tied matrices stay the same where both are in the files.
        generator = torch.Generator().manual_seed(new.seed)
        drawn = torch.randn((len(new.sources), *rows.shape[1:]), generator=generator)
        extended[new.first : last] = (mean + deviation * drawn).to(rows.dtype)
    elif new.init == ZERO:
        extended[new.first : last] = 0
    else:
        for place, ids in enumerate(new.sources, new.first):
            extended[place] = (rows[list(ids)].float().mean(0) if ids else mean).to(rows.dtype)
    return extended


def _check_finite(rows: Tensor, name: str) -> None:
    for start in range(0, len(rows), ROWS):
        wrong = (~torch.isfinite(rows[start : start + ROWS])).flatten(1 if rows.dim() > 1 else 0)
        if wrong.any():
            row = start + int(wrong.reshape(len(wrong), -1).any(1).nonzero()[0])
            raise ModelError(f"{name} has a value that is not finite, in the row of token {row:,}")


def _moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each dimension, in fp32."""
    total = torch.zeros(rows.shape[1:], dtype=torch.float64)
    squares = torch.zeros_like(total)
    for start in range(0, len(rows), ROWS):
        block = rows[start : start + ROWS].double()
        total += block.sum(0)
        squares += block.square().sum(0)
    mean = total / len(rows)
    return mean.float(), (squares / len(rows) - mean.square()).clamp(min=0).sqrt().float()
