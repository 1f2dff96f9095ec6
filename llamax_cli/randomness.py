"""Random choices that are a hash of (seed, operation, content), and never come from a shared generator.

So a record gets the same choice in any order, in any worker and in any shard of a stream.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RANGE = 1 << 64


def bits(seed: int, operation: str, *content: str | int) -> int:
    """Return 64 random bits for this content; the same arguments always give the same bits.

    `bits(1, "sample", "en", 7) -> 7924155417855171002`
    """
    parts = (str(seed), operation, *map(str, content))
    # The length of each part is included, so that ("ab", "c") and ("a", "bc") differ.
    return xxh3_64_intdigest("".join(f"{len(part)}:{part}" for part in parts).encode())


def below(limit: int, drawn: int) -> int:
    """Return a number from 0 to limit - 1, all equally likely, from 64 random bits: `below(10, bits(...))`."""
    return drawn * limit // _RANGE


def keyed_bits(key: int, text: str, other: str) -> int:
    """Return 64 random bits for two texts and a key of random bits: `keyed_bits(bits(0, "x", "en"), "a", "b")`."""
    return xxh3_64_intdigest(f"{len(text)}:{text}{other}".encode(), key)


def draws(key: int) -> Callable[[int], int]:
    """Return a function that gives 64 random bits for each number: `draws(bits(...))(0)`."""
    return partial(xxh3_64_intdigest, key.to_bytes(8, "little"))


def fold_in(drawn: "NDArray[np.uint64]", number: "int | NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """Return 64 other random bits for each 64 random bits, by the number of the draw; different ones stay different.

    The draw is one for all, or each has its own.

    `stirred(np.array([7], np.uint64), 1) -> [7191089600892374487]`
    """
    import numpy as np

    mixed: NDArray[np.uint64] = drawn + np.atleast_1d(np.uint64(number)) * np.uint64(0x9E3779B97F4A7C15)  # SplitMix64
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
