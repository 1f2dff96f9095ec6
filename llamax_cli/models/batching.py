"""Which sentences are worked on together: those of like length, as many as fit a budget of tokens."""

from collections.abc import Sequence
from typing import NamedTuple


class Job(NamedTuple):
    """One request as tokens: its place among the requests, the prompt, the most new tokens, and the language to name.

    `lead` is the token that begins the translation, where that names the language.
    """

    place: int
    tokens: list[int]
    limit: int
    lead: int | None = None

    def cost(self, beams: int) -> int:
        """Return about how many tokens are in memory for it at once, beams counted."""
        return len(self.tokens) + beams * min(self.limit, len(self.tokens) + 16)


def batches(jobs: Sequence[Job], budget: int, beams: int, *, one_limit: bool = False) -> list[list[Job]]:
    """Return the jobs in batches of like length, the batch with the first place first, so that results come in order.

    The cost of a batch is at most `budget`, unless it is a single job. With `one_limit` a batch has one limit.
    """
    made: list[list[Job]] = []
    longest = 0
    for job in sorted(jobs, key=lambda job: (job.limit if one_limit else 0, len(job.tokens), job.place)):
        longest = max(longest, job.cost(beams))
        same = bool(made) and (not one_limit or made[-1][0].limit == job.limit)
        if same and longest * (len(made[-1]) + 1) <= budget:
            made[-1].append(job)
        else:
            made.append([job])
            longest = job.cost(beams)
    return sorted(made, key=lambda batch: min(job.place for job in batch))
