"""Rank correlation of two figures over languages, with an interval."""

import math
from collections.abc import Sequence
from statistics import NormalDist, correlation
from typing import NamedTuple

LEAST = 4  # pairs, below which there is no interval


class Correlation(NamedTuple):
    """Spearman's coefficient, the bounds of its 95 % interval, and the number of pairs."""

    value: float
    low: float
    high: float
    n: int


def spearman(first: Sequence[float], second: Sequence[float]) -> Correlation | None:
    """Return the correlation of the ranks of two figures; None where it is not defined.

    The interval is Fisher's, with the variance of Bonett and Wright (2000, Psychometrika 65): (1 + r^2 / 2) / (n - 3).
    """
    n = len(first)
    if n < LEAST or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    value = correlation(_ranks(first), _ranks(second))
    width = NormalDist().inv_cdf(0.975) * math.sqrt((1 + value**2 / 2) / (n - 3))
    middle = math.atanh(min(max(value, -1 + 1e-15), 1 - 1e-15))
    return Correlation(value, math.tanh(middle - width), math.tanh(middle + width), n)


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the ranks from 1, the mean of their ranks for equal values: `_ranks([5, 3, 5]) -> [2.5, 1, 2.5]`."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values), 1):
        places.setdefault(value, []).append(place)
    return [sum(places[value]) / len(places[value]) for value in values]
