"""Whether two systems differ: paired bootstrap and paired approximate randomisation, as in sacreBLEU.

As in sacreBLEU, the random generator is made from the seed again for each direction. So the p-values are sacreBLEU's,
and directions over the same segments are resampled together: a sentence that is drawn is drawn in all of them. The
macro-average needs that, since translations of one sentence are not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llamax_cli.errors import LlamaxError
from llamax_cli.scoring.metrics import Metric, Statistics

TRIALS_AT_ONCE = 1000  # trials whose rows are summed at once, to bound the memory
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trials:
    """How many trials to draw: resamples of the bootstrap, swaps of approximate randomisation; sacreBLEU's seed."""

    resamples: int = 1000
    swaps: int = 10000
    seed: int = 12345

    def add_to(self, signature: str) -> str:
        """Return a signature with the trials in it, at the place where sacreBLEU writes them."""
        return signature.replace("|", f"|bs:{self.resamples}|ar:{self.swaps}|seed:{self.seed}|", 1)


class PairedScores(NamedTuple):
    """The scores of two systems in one direction, and their scores in each trial: a row for ours, a row for theirs."""

    ours: float
    theirs: float
    resampled: Floats
    swapped: Floats


class Significance(NamedTuple):
    """The p-values of both tests, and the bounds of the middle 95 % of the resampled differences."""

    p_bootstrap: float
    p_randomisation: float
    low: float
    high: float


def run_trials(metric: Metric, ours: Statistics, theirs: Statistics, trials: Trials) -> PairedScores:
    """Return the scores of two systems and of all trials; both have a row for each segment, in the same order.

    LlamaxError if the trials of all segments need more memory than there is.
    """
    try:
        return _run_trials(metric, ours, theirs, trials)
    except MemoryError as error:
        raise LlamaxError(
            f"{trials.resamples:,} resamples and {trials.swaps:,} swaps of {len(ours):,} segments do not fit into "
            "memory; lower --resamples or --swaps"
        ) from error


def _run_trials(metric: Metric, ours: Statistics, theirs: Statistics, trials: Trials) -> PairedScores:
    counts, is_swapped = _draw_resamples(len(ours), trials), _draw_swaps(len(ours), trials)
    resampled = [metric.scores(_sum_rows(counts, rows)) for rows in (ours, theirs)]
    first = _sum_rows(is_swapped, theirs) + (ours.sum(axis=0) - _sum_rows(is_swapped, ours))
    second = ours.sum(axis=0) + theirs.sum(axis=0) - first
    swapped = [metric.scores(totals) for totals in (second, first)]
    our_score, their_score = (metric.score(rows.sum(axis=0)) for rows in (ours, theirs))
    return PairedScores(our_score, their_score, np.stack(resampled), np.stack(swapped))


def assess_difference(scores: PairedScores) -> Significance:
    """Return how likely a difference of this size is between equal systems.

    If the scores are equal, the p-values are 1; sacreBLEU would give the least possible.
    """
    difference = abs(scores.ours - scores.theirs)
    differences = scores.resampled[0] - scores.resampled[1]
    sizes = np.abs(differences)
    cut = len(differences) // 40  # 2.5 % at either end
    bounds = np.sort(differences)[[cut, len(differences) - cut - 1]]
    return Significance(
        _p_value(sizes - sizes.mean(), difference),
        _p_value(np.abs(scores.swapped[0] - scores.swapped[1]), difference),
        float(bounds[0]),
        float(bounds[1]),
    )


def _p_value(drawn: Floats, difference: float) -> float:
    if not difference:
        return 1.0
    # With a margin for rounding: a swap that changes nothing must not count as a larger difference than the actual one.
    larger = int(np.sum(drawn > difference * (1 + 1e-12) + 1e-12))
    return (larger + 1) / (len(drawn) + 1)


class MacroAverage:
    """The average over directions of the scores and of every trial."""

    def __init__(self) -> None:
        self.directions = 0
        self._sums: list[Any] = [0.0, 0.0, 0.0, 0.0]

    def add(self, direction: PairedScores) -> None:
        """Add the scores of a direction."""
        self.directions += 1
        self._sums = [total + part for total, part in zip(self._sums, direction, strict=True)]

    def scores(self) -> PairedScores:
        """Return the averages."""
        return PairedScores(*(total / self.directions for total in self._sums))


@lru_cache(maxsize=4)
def _draw_resamples(segments: int, trials: Trials) -> NDArray[Any]:
    """Return how often each segment is drawn, a row for each resample."""
    drawn = np.random.default_rng(trials.seed).choice(segments, size=(trials.resamples, segments), replace=True)
    counts = np.zeros(drawn.shape, np.min_scalar_type(segments))
    for row, segment_numbers in zip(counts, drawn, strict=True):
        row[:] = np.bincount(segment_numbers, minlength=segments)
    return counts


@lru_cache(maxsize=4)
def _draw_swaps(segments: int, trials: Trials) -> NDArray[Any]:
    """Return which segments are swapped between the systems, a row for each trial."""
    return np.random.default_rng(trials.seed).integers(2, size=(trials.swaps, segments), dtype=bool)


def _sum_rows(choices: NDArray[Any], rows: Statistics) -> Floats:
    """Return the sum of the chosen rows for each trial, a row of `choices`."""
    rows = rows.astype(np.float64)
    parts = [choices[n : n + TRIALS_AT_ONCE].astype(np.float64) @ rows for n in range(0, len(choices), TRIALS_AT_ONCE)]
    return np.concatenate(parts)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted to bound the probability of one or more false positives among all tests.

    `holm([0.01, 0.04, 0.03]) -> [0.03, 0.06, 0.06]`
    """
    return _adjust(p_values, lambda rank, count: count - rank, np.maximum.accumulate, descending=False)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted to bound the expected share of false positives among the positives.

    `benjamini_hochberg([0.01, 0.04, 0.03]) -> [0.03, 0.04, 0.04]`
    """
    return _adjust(p_values, lambda rank, count: count / (count - rank), np.minimum.accumulate, descending=True)


CORRECTIONS: dict[str, Callable[[Sequence[float]], list[float]]] = {"holm": holm, "bh": benjamini_hochberg}


def _adjust(
    p_values: Sequence[float], factor: Callable[[int, int], float], step: Any, *, descending: bool
) -> list[float]:
    order = sorted(range(len(p_values)), key=lambda n: p_values[n], reverse=descending)
    stepped = step([p_values[n] * factor(rank, len(order)) for rank, n in enumerate(order)] or [1.0])
    adjusted = [1.0] * len(order)
    for n, value in zip(order, stepped, strict=False):
        adjusted[n] = min(1.0, float(value))
    return adjusted


def natural_key(id_: str) -> tuple[str, int, str]:
    """Return the key that sorts ids in the order of their corpus: "devtest:9" before "devtest:10"."""
    stem = id_.rstrip("0123456789")
    digits = id_[len(stem) :]
    return stem, int(digits or 0), id_
