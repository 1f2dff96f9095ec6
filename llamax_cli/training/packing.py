"""Packing samples into blocks: best fit, longest first, so that hardly any slot of a block stays empty."""

from collections import deque
from typing import NamedTuple

import numpy as np

from llamax_cli.training.dataset import Numbers


class Bins(NamedTuple):
    """Bin i holds `items[starts[i]:starts[i + 1]]`."""

    items: Numbers
    starts: Numbers

    def __len__(self) -> int:
        return len(self.starts) - 1


def pack(lengths: Numbers, block: int) -> Bins:
    """Return the indices of all lengths, each 1 ... `block`, in bins whose lengths sum to at most `block`.

    Best-fit decreasing: the longest first, each into the fullest bin that it fits. Equal lengths keep their order.

    `pack(np.array([3, 5, 2, 4]), 8).items -> [1, 0, 3, 2]`
    """
    order = np.argsort(-lengths, kind="stable")
    sizes, counts = np.unique(lengths, return_counts=True)
    bins = np.empty(len(lengths), np.int64)  # the bin of each item, in that order
    open_bins = _OpenBins(block)
    done = 0
    for size, count in zip(sizes[::-1].tolist(), counts[::-1].tolist(), strict=True):
        end = done + count
        while done < end:
            done += open_bins.fill(size, bins[done:end])
    grouped = np.argsort(bins, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=open_bins.count))])
    return Bins(order[grouped], starts)


class _OpenBins:
    """The bins by how many tokens are still free in them."""

    def __init__(self, block: int) -> None:
        self._block = block
        self._by_free: list[deque[Numbers]] = [deque() for _ in range(block + 1)]
        self._free_sizes: set[int] = set()
        self.count = 0

    def fill(self, size: int, bins: Numbers) -> int:
        """Put items of one size into the bins that they fit best, or new ones; return how many were placed.

        The bins chosen are written to the front of `bins`, which has one slot per item. The bin that best fits one
        item best fits the next of the same size too, as long as it has enough free tokens: so each bin takes
        `free // size` items at once.
        """
        free = min((free for free in self._free_sizes if free >= size), default=self._block)
        per_bin = free // size
        chosen = self._take(free, -(-len(bins) // per_bin))
        placed = min(len(bins), len(chosen) * per_bin)
        bins[:placed] = np.repeat(chosen, per_bin)[:placed]
        filled, remaining = divmod(placed, per_bin)
        self._put(free - per_bin * size, chosen[:filled])
        if remaining:
            self._put(free - remaining * size, chosen[filled:])
        return placed

    def _take(self, free: int, count: int) -> Numbers:
        """Return up to `count` bins with that many free tokens; new ones where they are empty."""
        waiting = self._by_free[free]
        if free == self._block and not waiting:
            self.count += count
            return np.arange(self.count - count, self.count)
        first = waiting.popleft()
        if len(first) > count:
            waiting.appendleft(first[count:])
        if not waiting:
            self._free_sizes.discard(free)
        return first[:count]

    def _put(self, free: int, bins: Numbers) -> None:
        if free and len(bins):
            self._by_free[free].append(bins)
            self._free_sizes.add(free)
