"""Whether two systems differ: paired bootstrap and paired approximate randomisation, as sacreBLEU has them.

Both draw from a generator that is made anew for each direction from the seed alone, as sacreBLEU's is. So the p-values
are sacreBLEU's, and directions over the same segments are resampled together: a sentence that is drawn is drawn in all
of them, which the macro-average needs, since its translations are not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llamax_cli.scoring.metrics import Metric, Statistics

AT_ONCE = 1000  # resamples whose segments are in memory as numbers
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trials:
    """How often to draw: resamples of the bootstrap, swaps of approximate randomisation; 12345 is sacreBLEU's seed."""

    resamples: int = 1000
    swaps: int = 10000
    seed: int = 12345

    def signed(self, signature: str) -> str:
        """Return a signature with these in it, where sacreBLEU has them."""
        return signature.replace("|", f"|bs:{self.resamples}|ar:{self.swaps}|seed:{self.seed}|", 1)


class Compared(NamedTuple):
    """Two systems in one direction: scores, and those of both in each resample and after each swap."""

    score: float
    other: float
    resampled: Floats
    swapped: Floats


class Verdict(NamedTuple):
    """p-values of the two tests, and the middle 95 % of the difference over the resamples."""

    bootstrap: float
    randomisation: float
    low: float
    high: float


def compared(metric: Metric, ours: Statistics, theirs: Statistics, trials: Trials) -> Compared:
    """Return what the trials make of two systems; a row for each segment, the same segments in the same order."""
    counts, signs = _resamples(len(ours), trials), _swaps(len(ours), trials)
    resampled = [metric.scores(_sums(counts, rows)) for rows in (ours, theirs)]
    first = _sums(signs, theirs) + (ours.sum(axis=0) - _sums(signs, ours))
    second = ours.sum(axis=0) + theirs.sum(axis=0) - first
    swapped = [metric.scores(side) for side in (second, first)]
    scores = [metric.score(rows.sum(axis=0)) for rows in (ours, theirs)]
    return Compared(scores[0], scores[1], np.stack(resampled), np.stack(swapped))


def verdict(compared: Compared) -> Verdict:
    """Return how likely a difference as large as this one is where there is none.

    Where the scores are equal the p-values are 1; sacreBLEU would give the least there is.
    """
    difference = abs(compared.score - compared.other)
    differences = compared.resampled[0] - compared.resampled[1]
    sizes = np.abs(differences)
    middle = np.sort(differences)[[(cut := len(differences) // 40), len(differences) - cut - 1]]
    return Verdict(
        _p_value(sizes - sizes.mean(), difference),
        _p_value(np.abs(compared.swapped[0] - compared.swapped[1]), difference),
        float(middle[0]),
        float(middle[1]),
    )


def _p_value(drawn: Floats, difference: float) -> float:
    if not difference:
        return 1.0
    # Rounding must not make of a swap that changes nothing a larger difference than the one at hand.
    larger = int(np.sum(drawn > difference * (1 + 1e-12) + 1e-12))
    return (larger + 1) / (len(drawn) + 1)


class Average:
    """The macro-average over directions, in every trial."""

    def __init__(self) -> None:
        self.directions = 0
        self._sums: list[Any] = [0.0, 0.0, 0.0, 0.0]

    def add(self, direction: Compared) -> None:
        """Count a direction."""
        self.directions += 1
        self._sums = [total + each for total, each in zip(self._sums, direction, strict=True)]

    def compared(self) -> Compared:
        """Return the averages."""
        return Compared(*(total / self.directions for total in self._sums))


@lru_cache(maxsize=4)
def _resamples(segments: int, trials: Trials) -> NDArray[Any]:
    """Return how often each resample has each segment, a row for each resample."""
    drawn = np.random.default_rng(trials.seed).choice(segments, size=(trials.resamples, segments), replace=True)
    counts = np.zeros(drawn.shape, np.min_scalar_type(segments))
    for row, chosen in zip(counts, drawn, strict=True):
        row[:] = np.bincount(chosen, minlength=segments)
    return counts


@lru_cache(maxsize=4)
def _swaps(segments: int, trials: Trials) -> NDArray[Any]:
    """Return which segments each trial takes from the other system."""
    return np.random.default_rng(trials.seed).integers(2, size=(trials.swaps, segments), dtype=bool)


def _sums(choices: NDArray[Any], rows: Statistics) -> Floats:
    rows = rows.astype(np.float64)
    parts = [choices[n : n + AT_ONCE].astype(np.float64) @ rows for n in range(0, len(choices), AT_ONCE)]
    return np.concatenate(parts)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that among all tests one false finding is as unlikely as each promises.

    `holm([0.01, 0.04, 0.03]) -> [0.03, 0.06, 0.06]`
    """
    return _stepped(p_values, lambda rank, count: count - rank, np.maximum.accumulate, descending=False)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that of the findings at a level no larger share than it is false.

    `benjamini_hochberg([0.01, 0.04, 0.03]) -> [0.03, 0.04, 0.04]`
    """
    return _stepped(p_values, lambda rank, count: count / (count - rank), np.minimum.accumulate, descending=True)


CORRECTIONS: dict[str, Callable[[Sequence[float]], list[float]]] = {"holm": holm, "bh": benjamini_hochberg}


def _stepped(
    p_values: Sequence[float], factor: Callable[[int, int], float], step: Any, *, descending: bool
) -> list[float]:
    order = sorted(range(len(p_values)), key=lambda n: p_values[n], reverse=descending)
    raised = step([p_values[n] * factor(rank, len(order)) for rank, n in enumerate(order)] or [1.0])
    adjusted = [1.0] * len(order)
    for n, value in zip(order, raised, strict=False):
        adjusted[n] = min(1.0, float(value))
    return adjusted


def natural(id_: str) -> tuple[str, int, str]:
    """Return what puts ids in the order of their corpus: "devtest:9" before "devtest:10"."""
    stem = id_.rstrip("0123456789")
    digits = id_[len(stem) :]
    return stem, int(digits or 0), id_
