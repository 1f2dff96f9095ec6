"""Which sentences are translated together: those of similar length, as many as fit a budget of tokens."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

CPU_TOKENS, GPU_TOKENS = 1 << 13, 1 << 17  # budget of a batch, beams counted
# Seconds that a batch is to take, and after which it was too large: a run that is killed loses the batch that it is at.
AIM, SLOW = 6.5, 8.0
UNSAVED_AIM = 30.0  # of a run that cannot be resumed, and loses everything anyway
START = 8  # the first batch on a CPU is this part of the largest one, since how long that takes is not known


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

    def __init__(self, most: int, first: int, least: int = 1, aim: float = AIM) -> None:
        self._most, self._least = most, max(1, least)
        self._aim, self._slow = aim, aim * SLOW / AIM
        self.size = max(1, first)

    @classmethod
    def of_tokens(cls, budget: int, *, on_cpu: bool, is_resumable: bool = True) -> "Pace":
        """Return the pace of batches that may have `budget` tokens.

        On a GPU small batches take nearly as long as large ones, so that there is little to gain by them.
        """
        aim = AIM if is_resumable else UNSAVED_AIM
        return cls(budget, budget // START if on_cpu else budget, 1 if on_cpu else budget // START, aim)

    def note(self, size: int, seconds: float) -> None:
        """Note how long a batch of some size took."""
        fitting = int(size * self._aim / max(seconds, 1e-6))
        if seconds > self._slow:
            self.size = max(self._least, min(self.size, fitting))
        elif 2 * size > self.size:  # otherwise it was small because no more was left
            self.size = max(self.size, min(self._most, 2 * self.size, fitting))


def paced(planned: Iterable[list[EncodedRequest]], beams: int, pace: Pace) -> Iterator[list[EncodedRequest]]:
    """Yield the batches, in parts where they would take too long; each is decoded before the next one is taken."""
    for batch in planned:
        low = 0
        while low < len(batch):
            high, highest = low + 1, batch[low].cost(beams)
            while high < len(batch):
                cost = max(highest, batch[high].cost(beams))
                if cost * (high + 1 - low) > pace.size:
                    break
                high, highest = high + 1, cost
            start = time.monotonic()
            yield batch[low:high]
            pace.note(highest * (high - low), time.monotonic() - start)
            low = high
