"""Replay: a share of general text, instructions included, in every epoch, so that a model does not forget it.

The share is one of all tokens of the mixture or, without a tokenizer, of all characters. First the other samples are
measured, each as often as it is there. Then records to replay are taken in the order of a hash of their content and the
epoch, until they are as near to the share as whole records can be. If all of them are too few, they are repeated.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llamax_cli.mixing.buckets import COPIES, ROWS, SHUFFLE_KEY, Buckets
from llamax_cli.mixing.samples import JOINT
from llamax_cli.mixing.sampling_plan import REPLAY_DRAW, ReplayDraw
from llamax_cli.randomness import fold_in
from llamax_cli.records import parse, text
from llamax_cli.tokenization import load

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llamax_cli.mixing.shuffle_passes import BucketPart, SampledBuckets

SHARE = 0.2  # where none is given
BINS = 1 << 16  # of draw keys, by their first bits, in which sizes are added up before a few are looked at one by one
SHIFT = 48


@dataclass(frozen=True)
class ReplaySettings:
    """Which share to replay, and how texts are measured: in tokens of a tokenizer, or in characters."""

    share: float
    tokenizer: Path | None = None

    @property
    def unit(self) -> str:
        """What is counted."""
        return "characters" if self.tokenizer is None else "tokens"

    def measure(self) -> Callable[[str], int]:
        """Return the function that gives the size of a text."""
        return len if self.tokenizer is None else load(self.tokenizer).count

    def target(self, others: int) -> float:
        """Return the size to replay beside others: `ReplaySettings(0.2).target(80) -> 20.0`."""
        return others * self.share / (1 - self.share)


class Measured(NamedTuple):
    """The sizes in a part of a bucket: of the samples that are not replayed, and of the records that may be.

    `sizes` and `counts` are of the latter, by bin of their draw keys; only bins that have some.
    """

    others: int
    bins: "NDArray[np.int64]"
    sizes: "NDArray[np.int64]"
    counts: "NDArray[np.int64]"


def sample_text(line: bytes) -> str:
    """Return prompt and completion of a sample as it is on disk, as one text."""
    record = parse(line.replace(JOINT, b" "))
    return text(record, "prompt") + text(record, "completion")


@dataclass(frozen=True)
class MeasurePass:
    """Measure the samples of each part, further copies included, and the records to replay."""

    sampled: "SampledBuckets"
    settings: ReplaySettings

    def __call__(self) -> "Callable[[BucketPart], Measured]":
        """Return the function of a worker."""
        return partial(self._measure, self.settings.measure())

    def _measure(self, measure: Callable[[str], int], part: "BucketPart") -> Measured:
        import numpy as np

        texts = self.sampled.sampled_rows(part).texts  # each sample once, as it is written
        others = sum(measure(sample_text(line)) for text in texts for line in text.split(b"\n"))
        further = Buckets(self.sampled.folder, COPIES)
        if further.size(part.bucket):
            is_inside = part.contains(further.index(part.bucket))
            others += sum(measure(sample_text(line)) for line in further.lines(part.bucket, is_inside))
        draws, sizes = self.replayed(measure, part)
        bins, places = np.unique((draws >> np.uint64(SHIFT)).astype(np.int64), return_inverse=True)
        summed = np.bincount(places, weights=sizes, minlength=len(bins)).astype(np.int64)
        return Measured(others, bins, summed, np.bincount(places, minlength=len(bins)).astype(np.int64))

    def replayed(
        self, measure: Callable[[str], int], part: "BucketPart", only_bin: int | None = None
    ) -> "tuple[NDArray[np.uint64], NDArray[np.int64]]":
        """Return the draw keys and the sizes of the records to replay in a part, or of those in one bin."""
        import numpy as np

        index, is_replayed = self.sampled.replay_rows(part)
        draws = fold_in(index[:, SHUFFLE_KEY], REPLAY_DRAW)
        if only_bin is not None:
            is_replayed &= (draws >> np.uint64(SHIFT)) == np.uint64(only_bin)
        lines = Buckets(self.sampled.folder, ROWS).lines(part.bucket, is_replayed)
        return draws[is_replayed], np.array([measure(sample_text(line)) for line in lines], np.int64)


@dataclass(frozen=True)
class BinPass:
    """Measure the records to replay in one bin, one by one."""

    measuring: MeasurePass
    bin: int

    def __call__(self) -> "Callable[[BucketPart], tuple[NDArray[np.uint64], NDArray[np.int64]]]":
        """Return the function of a worker."""
        measure = self.measuring.settings.measure()
        return lambda part: self.measuring.replayed(measure, part, self.bin)


class ReplaySizes:
    """The sizes of a mixture, added up: of its other samples, and of the records to replay by bin."""

    def __init__(self) -> None:
        import numpy as np

        self.others = 0
        self.sizes = np.zeros(BINS, np.int64)
        self.counts = np.zeros(BINS, np.int64)

    def add(self, measured: Measured) -> None:
        """Add those of a part."""
        self.others += measured.others
        self.sizes[measured.bins] += measured.sizes
        self.counts[measured.bins] += measured.counts

    def draw(
        self,
        settings: ReplaySettings,
        read_bin: "Callable[[int], Iterable[tuple[NDArray[np.uint64], NDArray[np.int64]]]]",
    ) -> tuple[ReplayDraw, int, int]:
        """Return what to draw, how many samples that gives, and their size; `read_bin` reads one bin in parts."""
        import numpy as np

        whole, count = int(self.sizes.sum()), int(self.counts.sum())
        rounds, rest = divmod(settings.target(self.others), whole)
        before = np.cumsum(self.sizes) - self.sizes
        place = int(np.searchsorted(before, rest, side="right")) - 1  # the bin in which the rest ends
        parts = list(read_bin(place))
        draws = np.concatenate([part[0] for part in parts])
        order = np.argsort(draws)
        draws, sizes = draws[order], np.concatenate([part[1] for part in parts])[order]
        ends = int(before[place]) + np.concatenate([[0], np.cumsum(sizes)])
        taken = int(np.argmin(np.abs(ends - rest)))  # records of this bin; the nearest to the share
        # A record is drawn once more if its draw key is less than the bound.
        bound = int(draws[taken]) if taken < len(draws) else (place + 1) << SHIFT
        samples = int(rounds) * count + int(self.counts[:place].sum()) + taken
        return ReplayDraw(int(rounds), bound), samples, int(rounds) * whole + int(ends[taken])
