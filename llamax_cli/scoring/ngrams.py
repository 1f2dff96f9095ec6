"""Counts of matching n-grams for many segments at once.

Here a text is a byte string with four bytes for each token: `b"\x07\0\0\0\x09\0\0\0"` is the tokens 7 and 9. Each
metric numbers its tokens (pieces, words, characters) in its own way.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

try:
    from llamax_cli.scoring import ngram_matches as ngram_matches
except ImportError:  # llamax was installed without a C compiler
    ngram_matches = None  # type: ignore[assignment]

Integers = NDArray[np.int64]
# The token that ends a segment, another one for each side: an n-gram across an end is never on both sides.
ENDS = (b"\xff\xff\xff\xff", b"\xfe\xff\xff\xff")


def new_vocabulary() -> defaultdict[str, int]:
    """Return a vocabulary that numbers words from 0 when they are looked up: `new_vocabulary()["a"] -> 0`."""
    return defaultdict(count().__next__)


def encode_words(texts: Iterable[Sequence[str]], vocabulary: defaultdict[str, int]) -> list[bytes]:
    """Return the words of each text as tokens."""
    return [array("i", map(vocabulary.__getitem__, words)).tobytes() for words in texts]


def count_tokens(texts: Sequence[bytes]) -> Integers:
    """Return the number of tokens of each text."""
    return np.fromiter(map(len, texts), np.int64, len(texts)) // 4


def count_ngrams(lengths: Integers, max_order: int) -> Integers:
    """Return the number of n-grams of order 1 to `max_order`, a row for each text length.

    `count_ngrams([3], 4) -> [[3, 2, 1, 0]]`
    """
    return np.asarray(np.maximum(lengths[:, None] - np.arange(max_order), 0))


def count_matches(
    hypotheses: Sequence[bytes], references: Sequence[bytes], max_order: int, more: Sequence[Sequence[bytes]] = ()
) -> Integers:
    """Return how many n-grams each hypothesis shares with its reference, clipped to their count in the reference.

    With `more`, further references of the same segments, the count is the greatest in any of them, as in BLEU.

    A row for each segment, a column for each order from 1.
    """
    if ngram_matches is None:
        return _count_with_numpy(hypotheses, references, max_order, more)
    rows = ngram_matches.count_matches(list(hypotheses), (list(references), *map(list, more)), max_order)
    return np.frombuffer(rows, np.int64).reshape(-1, max_order)


def _count_with_numpy(
    hypotheses: Sequence[bytes], references: Sequence[bytes], max_order: int, more: Sequence[Sequence[bytes]] = ()
) -> Integers:
    """Return what `count_matches` does, without compiled code.

    An n-gram of order n is looked up only if its first n - 1 tokens were in the hypothesis and in a reference. Its code
    is made of the rank of these n - 1 tokens and the rank of the last token, so the counts are exact for any size of
    vocabulary.
    """
    matches = np.zeros((len(hypotheses), max_order), np.int64)
    tokens, segments, borders = _flatten(hypotheses, references, *more)
    codes = segments << 32 | tokens
    segment_of = np.empty(0, np.int64)  # the segment of each n-gram
    starts = np.arange(len(codes))
    ranks = token_ranks = np.empty(0, np.int64)
    for order in range(1, max_order + 1):
        if order > 1:
            next_ranks = token_ranks[starts + (order - 1)]
            kept = next_ranks >= 0
            starts, codes = starts[kept], ranks[kept] << 32 | next_ranks[kept]
        ngrams, ranks = np.unique(codes, return_inverse=True)
        segment_of = ngrams >> 32 if order == 1 else segment_of[ngrams >> 32]
        sides = np.split(ranks, np.searchsorted(starts, borders))
        own, *theirs = (np.bincount(side, minlength=len(ngrams)) for side in sides)
        clipped = np.minimum(own, np.maximum.reduce(theirs))
        matches[:, order - 1] = np.bincount(segment_of, clipped, minlength=len(matches))
        is_shared = clipped[ranks] > 0
        starts, ranks = starts[is_shared], ranks[is_shared]
        if order == 1:
            token_ranks = np.full(len(tokens), -1)
            token_ranks[starts] = ranks
    return matches


def _flatten(*sides: Sequence[bytes]) -> tuple[Integers, Integers, Integers]:
    """Return the tokens of all sides in one array, the segment of each, and the indices where further sides begin."""
    # References may share an end, because n-grams are only looked for in the hypothesis.
    ends = (ENDS[0], *[ENDS[1]] * (len(sides) - 1))
    joined = [end.join([*texts, b""]) for texts, end in zip(sides, ends, strict=True)]
    tokens = np.frombuffer(b"".join(joined), np.dtype("<u4")).astype(np.int64)
    segments = np.concatenate([np.repeat(np.arange(len(texts)), count_tokens(texts) + 1) for texts in sides])
    return tokens, segments, np.cumsum([len(side) // 4 for side in joined[:-1]])
