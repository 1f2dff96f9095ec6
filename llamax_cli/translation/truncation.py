"""Counts of truncated translations by direction, and of reasoning left out, for the summary and the manifest."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from llamax_cli.models.contracts import Hypothesis, TranslationRequest

PREFIX = "cut "  # begins the names of these counts in a run's tally

REASONED = "after reasoning, which is left out"  # another name there

# Called for each request that was translated, just before the result of its record.
Count: TypeAlias = Callable[[TranslationRequest, Sequence[Hypothesis]], None]


def count(tally: Counter[str], request: TranslationRequest, hypotheses: Sequence[Hypothesis]) -> None:
    """Count a request if one of its translations was truncated, or came after reasoning."""
    if any(hypothesis.truncated for hypothesis in hypotheses):
        tally[f"{PREFIX}{request.src_lang}-{request.tgt_lang}"] += 1
    if any(hypothesis.reasoned for hypothesis in hypotheses):
        tally[REASONED] += 1


def remarks(tally: Counter[str], shown: int = 3) -> Iterator[str]:
    """Yield the remarks for the summary, if any: `"5 cut at --max-new-tokens (en-or 4, en-lo 1)"`."""
    counts = {name.removeprefix(PREFIX): number for name, number in tally.items() if name.startswith(PREFIX)}
    if counts:
        most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:shown]
        listed = ", ".join(f"{direction} {number:,}" for direction, number in most)
        more = f", {len(counts) - shown:,} more" if len(counts) > shown else ""
        yield f"{sum(counts.values()):,} cut at --max-new-tokens ({listed}{more})"
    if tally[REASONED]:
        yield f"{tally[REASONED]:,} {REASONED}"
