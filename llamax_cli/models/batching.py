"""Which sentences are translated together: those of similar length, as many as fit a budget of tokens."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

CPU_TOKENS, GPU_TOKENS = 1 << 14, 1 << 17  # budget of a batch, beams counted
CPU_FIRST = 1 << 10  # budget of the first batch on a CPU, since how long that takes is not known
GPU_PARTS = 8  # how many times as large as the smallest the largest is on a GPU, where small ones hardly save time
# Seconds that a batch is to take, and after which it was too large: a run that is killed loses the batch that it is at.
AIM, SLOW = 6.5, 8.0
AT_RISK = 7.0  # seconds of work that a kill may lose where sentences join and leave a batch, and it is always known
GROWTH = 2  # how many times as large as any before it a batch may be: its sentences may turn out longer than theirs
MEASURED = 4  # a measurement ends when at most one in MEASURED of its sentences is left
JOINING = 8  # sentences join when they are at least one for JOINING of those that are there
UNSAVED_AIM, UNSAVED_GROWTH = 30.0, 4  # of a run that cannot be resumed, and loses everything anyway


T = TypeVar("T")


@dataclass(frozen=True)
class EncodedRequest:
    """One request as tokens.

    `index` is its position among the requests, `forced_bos` the token that must begin the translation because it names
    the target language; None for models without such tokens. `group` names the adapter, for models that have several.
    """

    index: int
    tokens: list[int]
    max_new_tokens: int
    forced_bos: int | None = None
    group: str = ""

    def cost(self, beams: int) -> int:
        """Return about how many tokens it keeps in memory at once, beams counted."""
        return len(self.tokens) + beams * min(self.max_new_tokens, len(self.tokens) + 16)


def token_budget(chosen: int | None, *, on_cpu: bool) -> int:
    """Return how many tokens a batch may have: those of `--batch-tokens`, or a default for the device."""
    return chosen or (CPU_TOKENS if on_cpu else GPU_TOKENS)


def batches(
    requests: Sequence[EncodedRequest], budget: int, beams: int, *, same_limit: bool = False
) -> list[list[EncodedRequest]]:
    """Return the requests in batches of similar length, ordered by their first index, so that results come in order.

    The cost of a batch is at most `budget`, unless it is a single request. With `same_limit`, all requests of a batch
    have the same `max_new_tokens`.
    """
    result: list[list[EncodedRequest]] = []
    highest_cost = 0
    for request in sorted(
        requests, key=lambda each: (each.max_new_tokens if same_limit else 0, len(each.tokens), each.index)
    ):
        highest_cost = max(highest_cost, request.cost(beams))
        is_compatible = bool(result) and (not same_limit or result[-1][0].max_new_tokens == request.max_new_tokens)
        if is_compatible and highest_cost * (len(result[-1]) + 1) <= budget:
            result[-1].append(request)
        else:
            result.append([request])
            highest_cost = request.cost(beams)
    return sorted(result, key=lambda batch: min(request.index for request in batch))


class Pace:
    """How large the next batch is: at most `most`, and otherwise as large as takes `aim` seconds or a little more.

    `size` is what the sizes of batches are measured in, such as tokens or lines. It starts with `first` and does not
    fall below `least`. A batch of half the size takes more than half as long, since each step waits for the weights, so
    that a batch that has grown by as much as there was time for does not take too long; one more grows after it.
    """

    def __init__(self, most: int, first: int, least: int = 1, *, aim: float = AIM, growth: int = GROWTH) -> None:
        self._most, self._least = most, max(1, least)
        self.aim, self._slow = aim, aim * SLOW / AIM
        self._growth = growth
        self.size = max(1, first)

    @classmethod
    def of_tokens(cls, budget: int, *, on_cpu: bool, is_resumable: bool = True, aim: float = AIM) -> "Pace":
        """Return the pace of batches that may have `budget` tokens."""
        aim, growth = (aim, GROWTH) if is_resumable else (UNSAVED_AIM, UNSAVED_GROWTH)
        first, least = (min(budget, CPU_FIRST), 1) if on_cpu else (budget, budget // GPU_PARTS)
        return cls(budget, first, least, aim=aim, growth=growth)

    @classmethod
    def constant(cls, size: int) -> "Pace":
        """Return the pace of batches of one size, whatever the time that they take."""
        return cls(size, size, size, aim=1e9)

    def limit(self, most: int) -> None:
        """Never let a batch be larger again."""
        self._most, self._least = max(1, most), max(1, min(self._least, most))
        self.size = min(self.size, self._most)

    def note(self, size: int, seconds: float) -> None:
        """Note how long a batch of some size took."""
        fitting = int(size * self.aim / max(seconds, 1e-6))
        if seconds > self._slow:
            self.size = max(self._least, min(self.size, fitting))
        elif 2 * size > self.size:  # otherwise it was small because no more was left
            self.size = max(self.size, min(self._most, self._growth * self.size, fitting))


def paced(planned: Iterable[list[EncodedRequest]], beams: int, pace: Pace) -> Iterator[list[EncodedRequest]]:
    """Yield the batches, in parts where they would take too long; each is decoded before the next one is taken."""
    for batch in planned:
        while batch:
            parts = ceil(len(batch) / _fitting(batch, beams, pace.size))
            part = batch[: ceil(len(batch) / parts)]  # of equal size, so that no small one is left at the end
            start = time.monotonic()
            yield part
            pace.note(len(part) * max(request.cost(beams) for request in part), time.monotonic() - start)
            batch = batch[len(part) :]


def _fitting(batch: list[EncodedRequest], beams: int, size: int) -> int:
    """Return how many requests from the beginning of a batch cost no more than `size` together, at least one."""
    highest = 0
    for count, request in enumerate(batch):
        highest = max(highest, request.cost(beams))
        if count and highest * (count + 1) > size:
            return count
    return len(batch)


class RunningBatch:
    """Sentences that are translated together, which others join, in their order, as some leave.

    There are as many as `pace` has room for. Its seconds are here the work that a kill would lose: the share of the
    time that has been spent on the sentences that have not left yet. It is as much as it gets when most of those that
    were there at the beginning of a measurement have left, and no sentence joins while it is too much.
    """

    def __init__(self, requests: Iterable[EncodedRequest], beams: int, pace: Pace) -> None:
        self._waiting = deque(requests)
        self._beams = beams
        self._pace = pace
        self._running: dict[int, _Running] = {}
        self._share = 0.0  # seconds that have been spent on a sentence that has been there from the beginning
        self._clock = 0.0
        self._measured: set[int] = set()
        self._sizes: list[int] = []
        self._at_risk = self._peak = 0.0

    @property
    def running(self) -> list[EncodedRequest]:
        """The sentences that have joined and have not left."""
        return [each.request for each in self._running.values()]

    @property
    def unfinished(self) -> list[EncodedRequest]:
        """Those sentences, and after them the ones that wait."""
        return [*self.running, *self._waiting]

    def join(self, held: int = 0) -> list[EncodedRequest]:
        """Return the sentences that join now, before the next step; none is left where none joins an empty batch.

        `held`: the tokens for which each sentence takes memory, beams counted, as the longest of the batch needs.
        """
        joining = [self._waiting.popleft() for _ in range(self._room(held))]
        for request in joining:
            self._running[request.index] = _Running(request, self._share)
        self._measured = self._measured or set(self._running)
        self._clock = time.monotonic()
        return joining

    def leave(self, results: Sequence[tuple[int, T]]) -> list[tuple[EncodedRequest, T]]:
        """End a step, after which these sentences leave: (index, result); return their requests with the results."""
        now = time.monotonic()
        self._share += (now - self._clock) / max(1, len(self._running))
        self._clock = now
        self._sizes.append(self.cost)
        left = [(self._running.pop(index).request, result) for index, result in results]
        self._at_risk = sum(self._share - each.share for each in self._running.values())
        self._peak = max(self._peak, self._at_risk)
        still_running = len(self._measured & self._running.keys())
        if self._measured and still_running * MEASURED <= len(self._measured):
            self._pace.note(sum(self._sizes) // len(self._sizes), self._peak)
            self._measured, self._sizes, self._peak = set(), [], 0.0
        return left

    @property
    def cost(self) -> int:
        """About how many tokens the sentences of the batch keep in memory at once, beams counted."""
        return len(self._running) * max((request.cost(self._beams) for request in self.running), default=0)

    def _room(self, held: int) -> int:
        """Return how many of those that wait join; a few are not worth it, since the whole batch has to be copied."""
        if self._running and self._at_risk > self._pace.aim:
            return 0
        count, running = 0, len(self._running)
        highest = max([held, *(request.cost(self._beams) for request in self.running)])
        for request in self._waiting:
            highest = max(highest, request.cost(self._beams))
            if running + count and highest * (running + count + 1) > self._pace.size:
                break
            count += 1
        is_worthwhile = count * JOINING >= running or count == len(self._waiting)
        return count if is_worthwhile else 0


@dataclass(frozen=True)
class _Running:
    """A sentence in a batch, and the share of time at which it joined."""

    request: EncodedRequest
    share: float
