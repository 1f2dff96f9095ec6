"""The data made ready once: index, token lengths and plan, all in a cache that a resumed run finds again."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from llamax_cli.errors import DataError
from llamax_cli.instructions.rendering import RenderedFile
from llamax_cli.models.sample_encoding import Encoder
from llamax_cli.training.dataset import Cache, Numbers, Samples, open_rendered, open_source
from llamax_cli.training.sampler import DataPosition, EpochPlan, open_plan, usable

BATCH = 10_000  # records tokenised at once
TOO_LONG, NOTHING = "longer than the block", "with nothing to learn"


@dataclass(frozen=True)
class Dataset:
    """Samples with their lengths in tokens, and the plan of each epoch."""

    samples: Samples
    lengths: Numbers
    supervised: Numbers  # learned tokens besides the one that ends a text
    block: int
    seed: int
    cache: Cache
    facts: tuple[str, ...]
    _plans: dict[int, EpochPlan] = field(default_factory=dict)

    def plan(self, epoch: int) -> EpochPlan:
        """Return the plan of an epoch, from 0."""
        if epoch not in self._plans:
            measured = (self.lengths, self.supervised)
            self._plans[epoch] = open_plan(self.cache, measured, self.facts, self.block, self.seed, epoch)
        return self._plans[epoch]

    def epochs(self, state: DataPosition) -> float:
        """Return how many epochs are done at a place: 1.25."""
        return state.epoch + state.cursor / len(self.plan(state.epoch))

    @property
    def tokens(self) -> int:
        """Return the tokens of an epoch."""
        return int(np.asarray(self.lengths)[self._usable].sum(dtype=np.int64))

    @property
    def learned(self) -> int:
        """Return the learned tokens of an epoch, the ends of texts too."""
        return int(np.asarray(self.supervised)[self._usable].sum(dtype=np.int64)) + self.records

    @property
    def squares(self) -> int:
        """Return the sum of the squared lengths of an epoch's records, on which the work of attention hangs."""
        return int((np.asarray(self.lengths)[self._usable].astype(np.int64) ** 2).sum())

    @property
    def records(self) -> int:
        """Return how many records an epoch has."""
        return len(self._usable)

    @property
    def _usable(self) -> Numbers:
        return usable(self.lengths, self.supervised, self.block)

    def rejected(self) -> dict[str, Counter[str]]:
        """Return how many records of each language (or origin, where that is not known) are left out, by reason."""
        long = np.asarray(self.lengths) > self.block
        nothing = (np.asarray(self.supervised) <= 0) & ~long
        return {
            reason: Counter(self.samples[number].group for number in np.flatnonzero(which).tolist())
            for reason, which in ((TOO_LONG, long), (NOTHING, nothing))
            if which.any()
        }


def prepare(
    paths: Sequence[Path],
    encoder: Encoder,
    block: int,
    seed: int,
    cache: Cache,
    progress: Callable[[int, int], None] = lambda done, total: None,
    render: Callable[[Path], RenderedFile] | None = None,
) -> Dataset:
    """Return the data ready to train on; `progress(done, total)` is told as records are tokenised.

    `render` makes Samples of files that have none. DataError for a line that is no Sample, and where no record can be
    trained on.
    """
    sources = [open_rendered(render(path), cache) if render else open_source(path, cache) for path in paths]
    samples = Samples(sources)
    measured: list[Numbers] = []
    first = 0
    for source in sources:
        end = first + len(source)
        make = partial(_measure, samples, encoder, first, end, progress)
        measured.append(cache.array(f"lengths-{source.digest}-{encoder.digest}", make))
        first = end
    lengths, supervised = np.concatenate(measured, axis=1) if len(measured) > 1 else measured[0]
    facts = (*(source.digest for source in sources), encoder.digest)
    prepared = Dataset(samples, lengths, supervised, block, seed, cache, facts)
    if not prepared.records:
        reasons = "; ".join(f"{sum(counts.values()):,} {reason}" for reason, counts in prepared.rejected().items())
        raise DataError(f"{', '.join(map(str, paths))}: no record to train on ({reasons or 'the data is empty'})")
    return prepared


def _measure(samples: Samples, encoder: Encoder, first: int, end: int, progress: Callable[[int, int], None]) -> Numbers:
    measured = np.zeros((2, end - first), np.int32)
    for start in range(first, end, BATCH):
        stop = min(end, start + BATCH)
        measured[:, start - first : stop - first] = np.array(encoder.measure(samples.between(start, stop))).T
        progress(stop, len(samples))
    return measured


def told(rejected: dict[str, Counter[str]]) -> str:
    """Return what was left out in one line: `3 records longer than the block (or 2, lo 1)`; "" for nothing."""
    return "; ".join(
        f"{sum(counts.values()):,} record{'s' * (sum(counts.values()) != 1)} {reason} "
        f"({', '.join(f'{language} {count:,}' for language, count in counts.most_common())})"
        for reason, counts in rejected.items()
    )
