"""Work in several processes: results in order, errors as they are, and no more processes than there is work."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from llamax_cli.errors import LexiconError, WorkerError
from llamax_cli.streams.parallel import ordered


class TwoWordsError(Exception):
    """An error that pickle can write but not read, because it takes two arguments."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def children() -> int:
    """Return how many workers there are."""
    return len(multiprocessing.active_children())


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_have_the_order_of_the_items(workers: int) -> None:
    """Also where a later item is done earlier."""

    def slow(item: int) -> int:
        time.sleep(0.02 * (item % 3 == 0))
        return item * item

    assert list(ordered(lambda: slow, range(40), workers)) == [(item, item * item) for item in range(40)]
    assert children() == 0


@pytest.mark.parametrize("size", [1, 100_000, 5_000_000])
def test_items_and_results_may_be_larger_than_pipes(size: int) -> None:
    """Neither side waits for the other to read before it reads itself."""
    items = [bytes([number]) * size for number in range(12)]
    for item, result in ordered(lambda: lambda data: data[:1] * (size + 1), items, 2):
        assert result == item[:1] * (size + 1)


def test_workers_start_when_there_is_work(tmp_path: object) -> None:
    """A thousand workers for two items are two processes."""
    with closing(ordered(lambda: lambda item: (item, os.getpid()), iter([1, 2]), 1000)) as results:
        first = next(results)
        assert children() <= 2
        assert {first[1][1], next(results)[1][1]}.isdisjoint({os.getpid()})
    assert children() == 0


def test_each_worker_makes_its_function_once() -> None:
    """What is slow to load is loaded once in each."""
    made: list[int] = []

    def make() -> Callable[[int], tuple[int, int]]:
        made.append(1)
        return lambda item: (os.getpid(), len(made))

    answers = [result for _, result in ordered(make, range(30), 3)]
    assert {count for _, count in answers} == {1}
    assert len({pid for pid, _ in answers}) <= 3


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_raised_in_its_place(workers: int) -> None:
    """The results before it come first, and the workers end."""

    def fail(item: int) -> int:
        if item == 5:
            raise LexiconError("the sixth")
        return item

    seen = []
    with pytest.raises(LexiconError, match="the sixth"):
        seen.extend(result for _, result in ordered(lambda: fail, range(20), workers))
    assert children() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_what_make_raises_is_raised(workers: int) -> None:
    """A lexicon that a worker cannot open is told as such."""

    def make() -> Callable[[int], int]:
        raise LexiconError("x.lex is damaged")

    with pytest.raises(LexiconError, match=r"x\.lex is damaged"):
        list(ordered(make, [1], workers))


def test_an_error_that_cannot_be_pickled_keeps_its_words() -> None:
    """Its traceback in the worker is its cause."""

    def fail(item: int) -> None:
        raise TwoWordsError("no", "luck")

    with pytest.raises(RuntimeError, match="TwoWordsError: no luck") as raised:
        list(ordered(lambda: fail, [1], 2))
    assert "in fail" in str(raised.value.__cause__)


@pytest.mark.parametrize("when", ["before its item", "after its items"])
def test_a_killed_worker_is_told(when: str) -> None:
    """Whether it was busy, or waited for the next item; nothing waits for it for ever."""
    with closing(
        ordered(lambda: lambda item: time.sleep(item) or os.getpid(), iter([0, 0, 0, 30, 0, 0, 0, 0] * 9), 2)
    ) as all_:  # type: ignore[func-returns-value]
        pid = next(all_)[1]
        if when == "after its items":
            time.sleep(0.3)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(WorkerError, match="a worker process was killed"):
            list(all_)
    assert children() == 0


def test_closing_ends_workers_in_the_middle() -> None:
    """A run that has its limit, or fails, does not wait for what is still worked on."""
    start = time.monotonic()
    with closing(ordered(lambda: lambda item: time.sleep(item), [0, 60, 60, 60], 2)) as results:
        next(results)
    assert time.monotonic() - start < 30
    assert children() == 0
