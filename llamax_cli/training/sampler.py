"""Which samples stand in which block, in which order, and where a run is in it.

The plan of an epoch hangs on the data, the tokenizer, the block, the seed and the number of the epoch alone: any number
of ranks and any batch go through the same blocks in the same order, so a run can stop in one setting and go on in
another without seeing a record twice or missing one.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from xxhash import xxh3_64_hexdigest

from llamax_cli.config import BLOCKS
from llamax_cli.errors import ResumeError
from llamax_cli.randomness import bits
from llamax_cli.training.dataset import Cache, Numbers
from llamax_cli.training.packing import Bins, pack


class DataPosition(NamedTuple):
    """Where a run is in its data: blocks done of an epoch (from 0), and the plan they were of."""

    epoch: int
    cursor: int
    plan: str

    def advanced(self, blocks: int) -> Self:
        """Return the place so many blocks on."""
        return self._replace(cursor=self.cursor + blocks)


class EpochPlan(NamedTuple):
    """The blocks of one epoch in their order; `digest` stands for all that they hang on."""

    epoch: int
    bins: Bins
    digest: str

    def __len__(self) -> int:
        return len(self.bins)

    def records(self, block: int) -> list[int]:
        """Return the numbers of the records in a block."""
        starts = self.bins.starts
        return self.bins.items[starts[block] : starts[block + 1]].tolist()  # type: ignore[no-any-return]

    def step_end(self, start: int, batch: int, unit: str) -> int:
        """Return where a step ends that begins at a block: the first block that is not in it.

        A batch of records is the whole blocks, one at least, that come nearest to so many.
        """
        if unit == BLOCKS:
            return min(start + batch, len(self))
        starts = self.bins.starts
        goal = int(starts[start]) + batch
        end = min(int(np.searchsorted(starts, goal)), len(self))
        if end > start + 1 and goal - starts[end - 1] <= starts[end] - goal:
            end -= 1
        return end

    def steps(self, batch: int, unit: str) -> int:
        """Return how many steps an epoch has."""
        count = cursor = 0
        while cursor < len(self):
            cursor = self.step_end(cursor, batch, unit)
            count += 1
        return count

    def start(self) -> DataPosition:
        """Return the place before the first block."""
        return DataPosition(self.epoch, 0, self.digest)

    def check(self, state: DataPosition) -> None:
        """Raise ResumeError where a state is of another plan."""
        if state.plan != self.digest:
            raise ResumeError(
                "the data, the tokenizer, the block or the seed is not that of the checkpoint; "
                "give what it was made with, or train into another folder"
            )


def shuffled(count: int, seed: int, *content: str | int) -> Numbers:
    """Return 0 ... `count` - 1 in an order that hangs on the seed and the content alone."""
    # The raw bits of this generator are the same in every version of numpy; what is drawn from them need not be.
    drawn = np.random.Philox(key=bits(seed, "train", *content)).random_raw(count)
    return np.argsort(drawn, kind="stable")


def usable(lengths: Numbers, supervised: Numbers, block: int) -> Numbers:
    """Return the numbers of the records that fit into a block and have something to learn."""
    return np.flatnonzero((lengths <= block) & (supervised > 0))


def make_plan(lengths: Numbers, supervised: Numbers, block: int, seed: int, epoch: int) -> Bins:
    """Return the blocks of an epoch: records shuffled, packed, and the blocks shuffled.

    Which of equally long records share a block differs from epoch to epoch, as does the order of the blocks.
    """
    records = usable(lengths, supervised, block)
    records = records[shuffled(len(records), seed, "records", epoch)]
    bins = pack(np.asarray(lengths)[records], block)
    order = shuffled(len(bins), seed, "blocks", epoch)
    sizes = np.diff(bins.starts)[order]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    # Where each item of the shuffled blocks stood before: its block's old start, and its place in the block.
    items = np.repeat(bins.starts[:-1][order] - starts[:-1], sizes) + np.arange(len(records))
    return Bins(records[bins.items[items]], starts)


def open_plan(
    cache: Cache, measured: tuple[Numbers, Numbers], facts: Sequence[str], block: int, seed: int, epoch: int
) -> EpochPlan:
    """Return the plan of an epoch, made now or found in the cache; `facts` are hashes of the data and tokenizer."""
    digest = xxh3_64_hexdigest("\0".join([*facts, str(block), str(seed), str(epoch), "1"]).encode())

    def make() -> Numbers:
        bins = make_plan(*measured, block, seed, epoch)
        return np.concatenate([[len(bins)], bins.starts, bins.items])

    flat = cache.array(f"plan-{digest}", make)
    count = int(flat[0])
    return EpochPlan(epoch, Bins(flat[count + 2 :], flat[1 : count + 2]), digest)
