"""Choices depend on the content that they are for, and on nothing else."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamax_cli.randomness import below, bits, fold_in

content = st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=4)


@given(st.integers(), st.text(max_size=5), content)
def test_the_same_arguments_give_the_same_bits(seed: int, operation: str, parts: list[str | int]) -> None:
    """A choice is a function of its arguments, in 64 bits, whatever other choices were made."""
    first = bits(seed, operation, *parts)
    bits(seed + 1, operation, *parts)
    assert bits(seed, operation, *parts) == first
    assert 0 <= first < 1 << 64


def test_the_bits_are_the_same_for_ever() -> None:
    """The documented value holds in every process and every release."""
    assert bits(1, "sample", "en", 7) == 7924155417855171002


@pytest.mark.parametrize(
    "other",
    [(1, "op", "a", "bc"), (1, "opab", "c"), (1, "op", "abc"), (2, "op", "ab", "c"), (1, "op", "ab", "c", "")],
)
def test_parts_are_not_run_together(other: tuple[int, str, str]) -> None:
    """("ab", "c") differs from ("a", "bc")."""
    assert bits(1, "op", "ab", "c") != bits(*other)


@given(st.integers(1, 1 << 40), st.integers(0, (1 << 64) - 1))
def test_below_is_in_range(limit: int, drawn: int) -> None:
    """A draw is at least 0 and less than the limit, also for the smallest and the largest bits."""
    assert 0 <= below(limit, drawn) < limit
    assert below(limit, 0) == 0
    assert below(limit, (1 << 64) - 1) == limit - 1


@pytest.mark.parametrize("limit", [2, 3, 10])
def test_below_is_uniform(limit: int) -> None:
    """All numbers are equally likely, within five standard deviations over 20,000 draws."""
    draws = 20_000
    counts = Counter(below(limit, bits(0, "test", number)) for number in range(draws))
    deviation = (draws / limit * (1 - 1 / limit)) ** 0.5
    assert all(abs(counts[each] - draws / limit) < 5 * deviation for each in range(limit))


def test_folded_bits_are_other_bits_and_stay_different() -> None:
    """They are always the same, no two are equal, and each bit is about as often 0 as 1."""
    assert fold_in(np.array([7], np.uint64), 1).tolist() == [7191089600892374487]
    assert fold_in(np.array([7, 7], np.uint64), np.array([2, 1], np.uint64)).tolist()[1:] == [7191089600892374487]
    found = np.concatenate([fold_in(np.arange(10_000, dtype=np.uint64), number) for number in (1, 2)])
    assert len(np.unique(found[:10_000])) == 10_000
    shares = [float(np.mean(found >> np.uint64(bit) & np.uint64(1))) for bit in range(64)]
    assert min(shares) > 0.47 and max(shares) < 0.53
