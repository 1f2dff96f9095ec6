"""Counts of truncated translations by direction, for the summary and the manifest."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeAlias

from llamax_cli.models.contracts import TranslationRequest

PREFIX = "cut "  # begins the names of these counts in a run's tally

# Called for each request whose translation was truncated, just before the result of its record.
CountTruncated: TypeAlias = Callable[[TranslationRequest], None]


def count(tally: Counter[str], request: TranslationRequest) -> None:
    """Count a request whose translation was truncated."""
    tally[f"{PREFIX}{request.src_lang}-{request.tgt_lang}"] += 1


def remarks(tally: Counter[str], shown: int = 3) -> Iterator[str]:
    """Yield the remark for the summary, if any: `"5 cut at --max-new-tokens (en-or 4, en-lo 1)"`."""
    counts = {name.removeprefix(PREFIX): number for name, number in tally.items() if name.startswith(PREFIX)}
    if counts:
        most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:shown]
        listed = ", ".join(f"{direction} {number:,}" for direction, number in most)
        more = f", {len(counts) - shown:,} more" if len(counts) > shown else ""
        yield f"{sum(counts.values()):,} cut at --max-new-tokens ({listed}{more})"
