"""Which sentences are translated together: those of similar length, as many as fit a budget of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

CPU_TOKENS, GPU_TOKENS = 1 << 13, 1 << 17  # budget of a batch, beams counted


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
