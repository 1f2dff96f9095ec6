"""Samples into blocks: best fit, longest first, so that nearly no slot of a block stays empty."""

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
    """Return the places of all lengths, each 1 ... `block`, in bins that sum to at most `block`.

    Best-fit decreasing: the longest first, each into the fullest bin that has room. Equal lengths go in their order.

    `pack(np.array([3, 5, 2, 4]), 8).items -> [1, 0, 3, 2]`
    """
    order = np.argsort(-lengths, kind="stable")
    sizes, counts = np.unique(lengths, return_counts=True)
    bins = np.empty(len(lengths), np.int64)  # of each item, in that order
    rooms = _Rooms(block)
    done = 0
    for size, count in zip(sizes[::-1].tolist(), counts[::-1].tolist(), strict=True):
        end = done + count
        while done < end:
            done += rooms.fill(size, bins[done:end])
    grouped = np.argsort(bins, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=rooms.opened))])
    return Bins(order[grouped], starts)


class _Rooms:
    """The bins by how much room is left in them."""

    def __init__(self, block: int) -> None:
        self._block = block
        self._by_room: list[deque[Numbers]] = [deque() for _ in range(block + 1)]
        self._rooms: set[int] = set()
        self.opened = 0

    def fill(self, size: int, places: Numbers) -> int:
        """Put items of a size into the bins with the least room for it, or new ones; write which, return how many.

        The bin that best fits one item best fits the next of the same size too, as long as it has room: each bin
        takes `room // size` of them at once.
        """
        room = min((each for each in self._rooms if each >= size), default=self._block)
        each = room // size
        wanted = -(-len(places) // each)
        chosen = self._take(room, wanted)
        placed = min(len(places), len(chosen) * each)
        places[:placed] = np.repeat(chosen, each)[:placed]
        whole, rest = divmod(placed, each)
        self._put(room - each * size, chosen[:whole])
        if rest:
            self._put(room - rest * size, chosen[whole:])
        return placed

    def _take(self, room: int, wanted: int) -> Numbers:
        waiting = self._by_room[room]
        if room == self._block and not waiting:
            self.opened += wanted
            return np.arange(self.opened - wanted, self.opened)
        first = waiting.popleft()
        if len(first) > wanted:
            waiting.appendleft(first[wanted:])
        if not waiting:
            self._rooms.discard(room)
        return first[:wanted]

    def _put(self, room: int, bins: Numbers) -> None:
        if room and len(bins):
            self._by_room[room].append(bins)
            self._rooms.add(room)
