"""The dataset with its token lengths and the plan of each epoch, all kept in a cache for resumed runs."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from llamax_cli.console import counted
from llamax_cli.errors import DataError
from llamax_cli.instructions.rendering import RenderedFile
from llamax_cli.models.sample_encoding import Encoder
from llamax_cli.training.dataset import Cache, Dataset, Numbers, open_rendered_file, open_sample_file
from llamax_cli.training.sampler import DataPosition, EpochPlan, open_plan, usable

CHUNK = 10_000  # records tokenized at once
# Part of what identifies the data where they name special tokens, which earlier versions did not take for text.
LITERAL = "special tokens are text"
TOO_LONG, NOTHING = "longer than the block", "with nothing to learn"


@dataclass(frozen=True)
class PackedDataset:
    """Samples with their lengths in tokens, packed into blocks of `block` tokens by the plan of each epoch.

    `lengths` and `supervised` (records,) are the tokens of each record, and those learned besides the end of text;
    `literals` (records,) are the special tokens that its text names and that are text.
    """

    samples: Dataset
    lengths: Numbers
    supervised: Numbers
    literals: Numbers
    block: int
    seed: int
    cache: Cache
    digests: tuple[str, ...]  # of the files and the tokenizer
    _plans: dict[int, EpochPlan] = field(default_factory=dict)

    def plan(self, epoch: int) -> EpochPlan:
        """Return the plan of an epoch, from 0; that of the last epoch asked for stays open."""
        if epoch not in self._plans:
            lengths = (self.lengths, self.supervised)
            plan = open_plan(self.cache, lengths, self.digests, self.block, self.seed, epoch)
            self._plans.clear()  # each is mapped into memory, and the system limits the mappings of a process
            self._plans[epoch] = plan
        return self._plans[epoch]

    def plan_ahead(self, epochs: int, steps: int, batch: int, unit: str) -> None:
        """Make the plans of so many epochs, or of those that the first `steps` steps need; 0 is no limit."""
        for epoch in range(epochs):
            plan = self.plan(epoch)
            if steps:
                steps -= plan.steps(batch, unit)
                if steps <= 0:
                    return

    def epochs(self, position: DataPosition) -> float:
        """Return how many epochs are done at a position: 1.25."""
        return position.epoch + position.cursor / len(self.plan(position.epoch))

    @property
    def tokens(self) -> int:
        """Return the tokens of an epoch."""
        return int(np.asarray(self.lengths)[self._usable].sum(dtype=np.int64))

    @property
    def learned(self) -> int:
        """Return the learned tokens of an epoch, ends of text included."""
        return int(np.asarray(self.supervised)[self._usable].sum(dtype=np.int64)) + self.records

    @property
    def squares(self) -> int:
        """Return the sum of the squared lengths of an epoch's records, to which attention's work is proportional."""
        return int((np.asarray(self.lengths)[self._usable].astype(np.int64) ** 2).sum())

    @property
    def records(self) -> int:
        """Return the number of records in an epoch."""
        return len(self._usable)

    @property
    def _usable(self) -> Numbers:
        return usable(self.lengths, self.supervised, self.block)

    def describe_literals(self) -> str:
        """Return in one line how many special tokens are spelled out in the data; "" if there are none."""
        counts = np.asarray(self.literals)
        if not counts.any():
            return ""
        tokens, records = counted(int(counts.sum()), "special token"), counted(int((counts > 0).sum()), "record")
        return f"read as text: {tokens} spelled out in {records}"

    def rejected(self) -> dict[str, Counter[str]]:
        """Return, by reason, how many records of each language (or origin, if unknown) cannot be trained on."""
        is_long = np.asarray(self.lengths) > self.block
        is_empty = (np.asarray(self.supervised) <= 0) & ~is_long
        return {
            reason: Counter(self.samples[number].group for number in np.flatnonzero(mask).tolist())
            for reason, mask in ((TOO_LONG, is_long), (NOTHING, is_empty))
            if mask.any()
        }


def prepare(
    paths: Sequence[Path],
    encoder: Encoder,
    block: int,
    seed: int,
    cache: Cache,
    progress: Callable[[int, int], None] = lambda done, total: None,
    render: Callable[[Path], RenderedFile] | None = None,
) -> PackedDataset:
    """Return files as a dataset to train on; calls `progress(done, total)` while records are tokenized.

    `render` makes a file of Samples from one of another form. DataError for a line that is not a Sample, and where no
    record can be trained on.
    """
    files = [open_rendered_file(render(path), cache) if render else open_sample_file(path, cache) for path in paths]
    samples = Dataset(files)
    parts: list[Numbers] = []
    first = 0
    for file in files:
        end = first + len(file)
        measure = partial(_measure, samples, encoder, first, end, progress)
        parts.append(cache.array(f"measures-{file.digest}-{encoder.digest}", measure))
        first = end
    lengths, supervised, literals = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
    digests = [*(file.digest for file in files), encoder.digest]
    if literals.any():
        digests.append(LITERAL)
    data = PackedDataset(samples, lengths, supervised, literals, block, seed, cache, tuple(digests))
    if not data.records:
        reasons = "; ".join(f"{sum(counts.values()):,} {reason}" for reason, counts in data.rejected().items())
        raise DataError(f"{', '.join(map(str, paths))}: no record to train on ({reasons or 'the data is empty'})")
    return data


def _measure(samples: Dataset, encoder: Encoder, first: int, end: int, progress: Callable[[int, int], None]) -> Numbers:
    """Return the tokens, the supervised ones and the literals of records `first` ... `end` - 1: (3, records)."""
    lengths = np.zeros((3, end - first), np.int32)
    for start in range(first, end, CHUNK):
        stop = min(end, start + CHUNK)
        lengths[:, start - first : stop - first] = np.array(encoder.measure(samples.between(start, stop))).T
        progress(stop, len(samples))
    return lengths


def describe_rejected(rejected: dict[str, Counter[str]]) -> str:
    """Return what was rejected in one line: `3 records longer than the block (or 2, lo 1)`; "" for nothing."""
    return "; ".join(
        f"{counted(counts.total(), 'record')} {reason} "
        f"({', '.join(f'{language} {count:,}' for language, count in counts.most_common())})"
        for reason, counts in rejected.items()
    )
