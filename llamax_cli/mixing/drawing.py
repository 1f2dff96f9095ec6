"""Which records of a bucket are drawn, and how often: the same whatever order the rows came in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamax_cli.mixing.buckets import BUCKETS, CHECK, NAME, PLACE, STRATUM, in_order
from llamax_cli.mixing.strata import Stratum
from llamax_cli.randomness import below, bits, fold_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llamax_cli.mixing.buckets import Index

ORIGINS = "para", "mono", "mt", "aug-para", "aug-mono"  # of equal records, that of the first of these stays
SELECTING = 1 << 20  # the number of the draw that selects; copies are numbered from 1


class StratumTable:
    """The strata, in the order in which their records are preferred."""

    def __init__(self, strata: Iterable[Stratum]) -> None:
        import numpy as np

        self.strata = sorted(strata, key=lambda stratum: (ORIGINS.index(stratum.origin), stratum))
        self.numbers = np.array([stratum.number for stratum in self.strata], np.uint64)
        self._order = np.argsort(self.numbers)

    def placed(self, index: "Index") -> "Index":
        """Put the place of each stratum in this table where the index has its number, and return the index."""
        import numpy as np

        index[:, STRATUM] = self._order[np.searchsorted(self.numbers, index[:, STRATUM], sorter=self._order)]
        return index

    def counted(self, index: "Index", rows: "NDArray[np.intp]") -> "NDArray[np.int64]":
        """Return how many of the rows are in each stratum."""
        import numpy as np

        counts: NDArray[np.int64] = np.bincount(index[rows, STRATUM].astype(np.int64), minlength=len(self.strata))
        return counts


def different(index: "Index") -> "tuple[NDArray[np.intp], NDArray[np.intp]]":
    """Return the rows of different records in the order of their places, and the rows that repeat one of them.

    `index` has places of strata in a table instead of their numbers.
    """
    import numpy as np

    order = in_order(index, CHECK, STRATUM, NAME)
    places, checks = index[order, PLACE], index[order, CHECK]
    first = np.ones(len(order), bool)
    first[1:] = (places[1:] != places[:-1]) | (checks[1:] != checks[:-1])
    return order[first], order[~first]


@dataclass(frozen=True)
class Shares:
    """How often the records of each stratum are drawn in each bucket.

    Every record `base[stratum]` times, and `more[stratum, bucket]` of them once more.
    """

    base: "NDArray[np.int64]"
    more: "NDArray[np.int64]"

    @property
    def repeats(self) -> bool:
        """Whether something is drawn more than once."""
        return bool(((self.base + (self.more.sum(axis=1) > 0)) > 1).any())

    def copies(self, index: "Index", rows: "NDArray[np.intp]", bucket: int) -> "NDArray[np.int64]":
        """Return how often each row of different records is drawn."""
        import numpy as np

        strata = index[rows, STRATUM].astype(np.int64)
        copies: NDArray[np.int64] = self.base[strata]
        more = self.more[:, bucket]
        asked = more[strata] > 0
        chosen = np.flatnonzero(asked)
        order = np.lexsort((fold_in(index[rows[chosen], PLACE], SELECTING), strata[chosen]))
        chosen = chosen[order]
        own = strata[chosen]
        ranks = np.arange(len(own)) - np.searchsorted(own, own)
        copies[chosen[ranks < more[own]]] += 1
        return copies


def shares(
    table: StratumTable, counts: "NDArray[np.int64]", plan: Mapping[Stratum, int], seed: int, epoch: int
) -> Shares:
    """Return the shares that draw as many of each stratum as planned; `counts[stratum, bucket]` are there.

    What is drawn less than whole is spread over the buckets evenly, from a start that hangs on the seed and the epoch.
    """
    import numpy as np

    base = np.zeros(len(table.strata), np.int64)
    more = np.zeros((len(table.strata), BUCKETS), np.int64)
    for place, stratum in enumerate(table.strata):
        there = int(counts[place].sum())
        if not there:
            continue
        base[place], rest = divmod(plan[stratum], there)
        start = below(there, bits(seed, "mix shares", epoch, *stratum))
        upto = np.cumsum(counts[place]) * rest + start
        more[place] = np.diff(upto // there, prepend=0)
    return Shares(base, more)
