"""The plan of an epoch: which samples share a block and the order of the blocks; and positions in it.

An epoch's plan depends only on the data, the tokenizer, the block size, the seed and the epoch's number. Any number of
ranks with any batch size go through the same blocks in the same order, so a run can stop with one setting and resume
with another, and sees every record exactly once.
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
    """Where a run is in its data: the epoch (from 0), how many of its blocks are done, and the digest of its plan."""

    epoch: int
    cursor: int
    plan: str

    def advanced(self, blocks: int) -> Self:
        """Return the position `blocks` blocks later."""
        return self._replace(cursor=self.cursor + blocks)


class EpochPlan(NamedTuple):
    """The blocks of one epoch in their order; `digest` identifies everything that they depend on."""

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
        """Return the first block after the step that begins at block `start`.

        A batch of records consists of whole blocks, at least one, whose records come nearest to `batch`.
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
        """Return the number of steps in the epoch."""
        count = cursor = 0
        while cursor < len(self):
            cursor = self.step_end(cursor, batch, unit)
            count += 1
        return count

    def start(self) -> DataPosition:
        """Return the position before the first block."""
        return DataPosition(self.epoch, 0, self.digest)

    def check(self, position: DataPosition) -> None:
        """Raise ResumeError where a position belongs to another plan."""
        if position.plan != self.digest:
            raise ResumeError(
                "the data, the tokenizer or its use of bos_token differs from the checkpoint's; "
                "use the same, or train into another folder"
            )


def shuffled(count: int, seed: int, *content: str | int) -> Numbers:
    """Return 0 ... `count` - 1 in an order that depends only on the seed and the content."""
    # Every version of numpy gives the same raw bits; numbers that it draws from them may differ.
    drawn = np.random.Philox(key=bits(seed, "train", *content)).random_raw(count)
    return np.argsort(drawn, kind="stable")


def usable(lengths: Numbers, supervised: Numbers, block: int) -> Numbers:
    """Return the numbers of the records that fit into a block and have at least one token to learn."""
    return np.flatnonzero((lengths <= block) & (supervised > 0))


def make_plan(lengths: Numbers, supervised: Numbers, block: int, seed: int, epoch: int) -> Bins:
    """Return the blocks of an epoch: the records are shuffled and packed, then the blocks are shuffled.

    So both the order of the blocks and the choice among records of equal length differ from epoch to epoch.
    """
    records = usable(lengths, supervised, block)
    records = records[shuffled(len(records), seed, "records", epoch)]
    bins = pack(np.asarray(lengths)[records], block)
    order = shuffled(len(bins), seed, "blocks", epoch)
    sizes = np.diff(bins.starts)[order]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    # The index of each item before the blocks were shuffled: its block's old start plus its place in the block.
    items = np.repeat(bins.starts[:-1][order] - starts[:-1], sizes) + np.arange(len(records))
    return Bins(records[bins.items[items]], starts)


def open_plan(
    cache: Cache, lengths: tuple[Numbers, Numbers], digests: Sequence[str], block: int, seed: int, epoch: int
) -> EpochPlan:
    """Return the plan of an epoch, from the cache or computed now.

    `lengths` are the tokens and the supervised tokens of each record; `digests` identify the data and the tokenizer.
    """
    digest = xxh3_64_hexdigest("\0".join([*digests, str(block), str(seed), str(epoch), "1"]).encode())

    def make() -> Numbers:
        bins = make_plan(*lengths, block, seed, epoch)
        return np.concatenate([[len(bins)], bins.starts, bins.items])

    flat = cache.array(f"plan-{digest}", make)
    count = int(flat[0])
    return EpochPlan(epoch, Bins(flat[count + 2 :], flat[1 : count + 2]), digest)
