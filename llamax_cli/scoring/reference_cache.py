"""A cache of tokenized references: systems and directions are scored against the same ones again and again."""

from array import array
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from xxhash import xxh3_128_digest

CAPACITY = 128 << 20  # bytes

Prepared = TypeVar("Prepared")


class ReferenceCache(Generic[Prepared]):
    """Prepared texts by a hash of the texts; the least recently used are dropped when the cache is full.

    `size` returns the bytes of prepared texts.
    """

    def __init__(self, size: Callable[[Prepared], int], capacity: int = CAPACITY) -> None:
        self._size = size
        self._capacity = capacity
        self._cached: dict[bytes, tuple[Prepared, int]] = {}
        self._used = 0

    def get(self, key: str, texts: Sequence[str], prepare: Callable[[Sequence[str]], Prepared]) -> Prepared:
        """Return `prepare(texts)`, from the cache if possible; `key` identifies the way of preparing."""
        lengths = array("L", map(len, texts)).tobytes()  # so that ("ab", "c") and ("a", "bc") differ
        digest = xxh3_128_digest("".join([key, *texts]).encode() + lengths)
        cached = self._cached.pop(digest, None)
        if cached is None:
            prepared = prepare(texts)
            cached = prepared, self._size(prepared)
            self._used += cached[1]
        self._cached[digest] = cached
        while self._used > self._capacity and len(self._cached) > 1:
            self._used -= self._cached.pop(next(iter(self._cached)))[1]
        return cached[0]

    def clear(self) -> None:
        """Drop everything."""
        self._cached.clear()
        self._used = 0
