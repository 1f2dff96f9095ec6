"""Which records of a bucket are sampled, and how often; the order in which rows arrived changes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from llamax_cli.mixing.algorithm1 import Draw
from llamax_cli.mixing.buckets import BUCKETS, CHECK, ID_HASH, SHUFFLE_KEY, SUBSET, sort_order
from llamax_cli.mixing.subsets import EpochRandomness, Subset
from llamax_cli.randomness import below, bits, fold_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llamax_cli.mixing.buckets import Index

REPLAY = "replay"
ORIGINS = (
    "para",
    "mono",
    "mt",
    "aug-para",
    "aug-mono",
    REPLAY,
)  # of equal records, the one whose origin comes first stays
SELECTION = 1 << 20  # the number of the draw that selects records; copies have the numbers from 1
REPLAY_DRAW = SELECTION + 1  # and of the one by which records are replayed


class SubsetTable:
    """The subsets, those whose records are preferred among equal ones first."""

    def __init__(self, subsets: Iterable[Subset]) -> None:
        import numpy as np

        self.subsets = sorted(subsets, key=lambda subset: (ORIGINS.index(subset.origin), subset))
        self.numbers = np.array([subset.number for subset in self.subsets], np.uint64)
        self.can_flip = np.array([subset.can_flip for subset in self.subsets], bool)
        self._order = np.argsort(self.numbers)

    def replace_numbers(self, index: "Index") -> "Index":
        """Replace the number of each subset in an index by its position in this table, and return the index."""
        import numpy as np

        index[:, SUBSET] = self._order[np.searchsorted(self.numbers, index[:, SUBSET], sorter=self._order)]
        return index

    def count(self, index: "Index", rows: "NDArray[np.intp]") -> "NDArray[np.int64]":
        """Return how many of the rows are in each subset."""
        import numpy as np

        counts: NDArray[np.int64] = np.bincount(index[rows, SUBSET].astype(np.int64), minlength=len(self.subsets))
        return counts


def find_duplicates(index: "Index") -> "tuple[NDArray[np.intp], NDArray[np.intp]]":
    """Return the rows of different records by shuffle key, and the rows that duplicate one of them.

    The index has positions in a SubsetTable in place of the numbers of subsets.
    """
    import numpy as np

    order = sort_order(index, CHECK, SUBSET, ID_HASH)
    keys, checks = index[order, SHUFFLE_KEY], index[order, CHECK]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (keys[1:] != keys[:-1]) | (checks[1:] != checks[:-1])
    return order[is_first], order[~is_first]


class ReplayDraw(NamedTuple):
    """How often records are replayed: all of them `rounds` times, and those once more whose draw key is less."""

    rounds: int
    bound: int


@dataclass(frozen=True)
class SamplingPlan:
    """How often the records of each subset are sampled in each bucket.

    Of the records in a bucket, `drawn[subset, bucket]` are sampled: `base[subset]` times, and `extra[subset, bucket]`
    of them once more. `is_partial[subset, bucket]`: not all records of the bucket are sampled equally often.
    """

    base: "NDArray[np.int64]"
    drawn: "NDArray[np.int64]"
    extra: "NDArray[np.int64]"
    is_partial: "NDArray[np.bool_]"
    is_replayed: "NDArray[np.bool_]"  # by subset
    replay: ReplayDraw | None = None  # once the others are measured

    @property
    def repeats(self) -> bool:
        """Whether some record is sampled more than once."""
        return bool(((self.base + (self.extra.sum(axis=1) > 0)) > 1).any())

    def copies(self, index: "Index", rows: "NDArray[np.intp]", bucket: int) -> "NDArray[np.int64]":
        """Return how often each row of different records in a bucket is sampled."""
        import numpy as np

        subsets = index[rows, SUBSET].astype(np.int64)
        drawn, extra = self.drawn[:, bucket], self.extra[:, bucket]
        copies: NDArray[np.int64] = np.where(drawn > 0, self.base, 0)[subsets]
        candidates = np.flatnonzero((self.is_partial[:, bucket] & (drawn > 0))[subsets])
        order = np.lexsort((fold_in(index[rows[candidates], SHUFFLE_KEY], SELECTION), subsets[candidates]))
        candidates = candidates[order]
        of_candidates = subsets[candidates]
        ranks = np.arange(len(of_candidates)) - np.searchsorted(of_candidates, of_candidates)
        copies[candidates] *= ranks < drawn[of_candidates]
        copies[candidates] += ranks < extra[of_candidates]
        if self.replay is not None:
            rows_replayed = self.is_replayed[subsets]
            draws = fold_in(index[rows[rows_replayed], SHUFFLE_KEY], REPLAY_DRAW)
            more = draws < np.uint64(self.replay.bound) if self.replay.bound < 1 << 64 else np.ones(len(draws), bool)
            copies[rows_replayed] = self.replay.rounds + more
        return copies


def spread_over_buckets(
    table: SubsetTable, counts: "NDArray[np.int64]", plan: Mapping[Subset, Draw], randomness: EpochRandomness
) -> SamplingPlan:
    """Return how to draw from each subset what is planned; `counts[subset, bucket]` records are available.

    The records that are drawn, and those of them that are sampled once more than others, are spread evenly over the
    buckets, from a random start.
    """
    import numpy as np

    base = np.zeros(len(table.subsets), np.int64)
    drawn = np.zeros((len(table.subsets), BUCKETS), np.int64)
    extra = np.zeros_like(drawn)
    for position, subset in enumerate(table.subsets):
        draw = plan[subset]
        if not draw.records:
            continue
        base[position], rest = divmod(draw.samples, draw.records)
        drawn_bits = bits(randomness.seed, "mix shares", randomness.epoch, *subset)
        drawn[position] = _spread(counts[position], draw.records, drawn_bits)
        extra[position] = _spread(drawn[position], rest, drawn_bits)
    is_replayed = np.array([subset.origin == REPLAY for subset in table.subsets], bool)
    return SamplingPlan(base, drawn, extra, (drawn < counts) | (extra > 0), is_replayed)


def _spread(available: "NDArray[np.int64]", total: int, drawn_bits: int) -> "NDArray[np.int64]":
    """Return `total` numbers spread over buckets in proportion to what each has, at most that."""
    import numpy as np

    size = int(available.sum())
    bounds = np.cumsum(available) * total + below(size, drawn_bits)
    return np.diff(bounds // size, prepend=0)
