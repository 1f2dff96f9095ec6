"""The two-sample Kolmogorov-Smirnov test of many pairs of samples of one size at once."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def statistics(first: Floats, second: Floats) -> NDArray[np.int64]:
    """Return n times the statistic for each pair of rows: the largest difference of how many values are below a bound.

    `first` and `second` are rows x n, of finite numbers. `statistics([[1, 2]], [[3, 4]]) -> [2]`
    """
    keys = np.concatenate((_keys(first) << 1, _keys(second) << 1 | 1), axis=1)
    keys.sort(axis=1)
    steps = 1 - 2 * (keys & 1)  # one up for a value of the first sample, one down for one of the second
    heights = np.abs(np.cumsum(steps, axis=1, dtype=np.int32))
    # Where equal values stand together, only the height after the last of them counts.
    values = keys >> 1
    heights[:, :-1][values[:, 1:] == values[:, :-1]] = 0
    highest: NDArray[np.int64] = heights.max(axis=1).astype(np.int64)
    return highest


def _keys(values: Floats) -> NDArray[np.int64]:
    """Return whole numbers of 32 bits in the order of the values, the same for equal ones."""
    bits = (values.astype(np.float32) + np.float32(0)).view(np.int32).astype(np.int64)  # -0 becomes 0
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


@cache
def p_value(distance: int, n: int) -> float:
    """Return the probability of a statistic of at least distance / n if both samples are of one distribution.

    It is exact for samples without ties, by reflections of lattice paths (Gnedenko and Korolyuk, 1951):
    2 (C(2n, n - d) - C(2n, n - 2d) + C(2n, n - 3d) - ...) / C(2n, n).
    """
    if distance == 0:
        return 1.0
    total = 0.0
    for reflection in range(n // distance, 0, -1):
        # C(2n, n - kd) / C(2n, n - (k - 1)d), from the innermost reflection outwards.
        start = (reflection - 1) * distance
        places = np.arange(start, start + distance)
        ratio = float(np.exp(np.sum(np.log((n - places) / (n + places + 1)))))
        total = ratio * (1 - total)
    return min(1.0, 2 * total)
