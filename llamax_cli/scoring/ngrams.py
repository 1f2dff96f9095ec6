"""Matching n-grams of many segments at once.

A text is a string of bytes here, four for each token: `b"\x07\0\0\0\x09\0\0\0"` is the tokens 7 and 9. How a metric
numbers its tokens (pieces, words, characters) is its own affair.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
# What ends a segment, one number for each side: no n-gram that leads over an end is on both sides.
ENDS = (b"\xff\xff\xff\xff", b"\xfe\xff\xff\xff")


def numbered(texts: Iterable[Sequence[str]], numbers: defaultdict[str, int]) -> list[bytes]:
    """Return the words of texts as numbers, new words numbered as they come."""
    return [array("i", map(numbers.__getitem__, words)).tobytes() for words in texts]


def numbering() -> defaultdict[str, int]:
    """Return what numbers words from 0: `numbering()["a"] -> 0`."""
    return defaultdict(count().__next__)


def lengths(texts: Sequence[bytes]) -> Integers:
    """Return how many tokens each text has."""
    return np.fromiter(map(len, texts), np.int64, len(texts)) // 4


def totals(tokens: Integers, orders: int) -> Integers:
    """Return how many n-grams of order 1 to `orders` texts of so many tokens have, a row for each text.

    `totals([3], 4) -> [[3, 2, 1, 0]]`
    """
    return np.asarray(np.maximum(tokens[:, None] - np.arange(orders), 0))


def matches(hypotheses: Sequence[bytes], references: Sequence[bytes], orders: int) -> Integers:
    """Return how many n-grams of each hypothesis its reference has too, each at most as often as the reference has it.

    A row for each segment, a column for each order from 1. An n-gram is looked for only where its first n - 1 tokens
    were found in both texts, and goes by the rank of these and of its last token among all of them: exact, whatever
    the size of the vocabulary.
    """
    found = np.zeros((len(hypotheses), orders), np.int64)
    tokens, segment, border = _flat(hypotheses, references)
    codes = segment << 32 | tokens
    owner = np.empty(0, np.int64)
    place = np.arange(len(codes))
    rank = last = np.empty(0, np.int64)
    for order in range(1, orders + 1):
        if order > 1:
            following = last[place + (order - 1)]
            kept = following >= 0
            place, codes = place[kept], rank[kept] << 32 | following[kept]
        keys, rank = np.unique(codes, return_inverse=True)
        owner = keys >> 32 if order == 1 else owner[keys >> 32]
        cut = np.searchsorted(place, border)
        sides = (np.bincount(side, minlength=len(keys)) for side in (rank[:cut], rank[cut:]))
        clipped = np.minimum(*sides)
        found[:, order - 1] = np.bincount(owner, clipped, minlength=len(found))
        shared = clipped[rank] > 0
        place, rank = place[shared], rank[shared]
        if order == 1:
            last = np.full(len(tokens), -1)
            last[place] = rank
    return found


def _flat(*sides: Sequence[bytes]) -> tuple[Integers, Integers, Any]:
    """Return the tokens of both sides, the segment of each, and where the second side begins."""
    joined = [end.join([*texts, b""]) for texts, end in zip(sides, ENDS, strict=True)]
    tokens = np.frombuffer(b"".join(joined), np.dtype("<u4")).astype(np.int64)
    segment = np.concatenate([np.repeat(np.arange(len(texts)), lengths(texts) + 1) for texts in sides])
    return tokens, segment, len(joined[0]) // 4
