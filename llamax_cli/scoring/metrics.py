"""The metrics by name, and what each of them is."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from numpy.typing import NDArray
from xxhash import xxh3_128_digest

from llamax_cli.errors import UsageError
from llamax_cli.registry import find, suggestion

METRICS = {
    "spbleu": "llamax_cli.scoring.bleu:SpBleu",
    "bleu": "llamax_cli.scoring.bleu:Bleu",
    "chrf++": "llamax_cli.scoring.chrf:Chrf",
    "ter": "llamax_cli.scoring.ter:Ter",
    "comet": "llamax_cli.scoring.comet:Comet",
}
REMEMBERED = 128 << 20  # bytes of references that a metric keeps ready

Statistics = NDArray[Any]
Prepared = TypeVar("Prepared")


@dataclass(frozen=True)
class Recipe:
    """How to score: names of metrics, and what each needs to know."""

    metrics: tuple[str, ...] = ("spbleu",)
    spm: str = "flores101"
    tokenize: str = "auto"
    comet_model: str = "Unbabel/wmt22-comet-da"
    comet_python: str | None = None

    def __post_init__(self) -> None:
        for name in self.metrics:
            if name not in METRICS:
                raise UsageError(f"unknown metric {name!r}; {suggestion(name, METRICS)}")
        if not self.metrics or len(set(self.metrics)) < len(self.metrics):
            raise UsageError("--metric names each metric once: " + ",".join(METRICS))


class Metric(Protocol):
    """A metric that adds up: each segment has a row of statistics, and a corpus the score of their sum."""

    def statistics(self, language: str, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
        """Return a row for each segment; `language` is that of the translations."""

    def score(self, total: Statistics) -> float:
        """Return the score of the sum of rows."""

    def sentence(self, row: Statistics) -> float:
        """Return the score of one segment by itself."""

    def scores(self, totals: Statistics) -> Statistics:
        """Return the score of each row of `totals`, for resampling."""

    def signature(self, language: str, *, by_sentence: bool = False) -> str:
        """Return what the score of a corpus, or of a sentence, is, as sacreBLEU says it."""


@cache
def metric(name: str, recipe: Recipe) -> Metric:
    """Return the metric of that name, with what it needs loaded; the same again for the same arguments."""
    found: Metric = find(METRICS[name])(recipe)
    return found


class PreparedCache(Generic[Prepared]):
    """Prepared texts, found again by the texts; what was used least recently goes when there is too much."""

    def __init__(self, size: Callable[[Prepared], int], room: int = REMEMBERED) -> None:
        self._size, self._room = size, room
        self._kept: dict[bytes, tuple[Prepared, int]] = {}
        self._used = 0

    def get(self, key: str, texts: Sequence[str], prepare: Callable[[Sequence[str]], Prepared]) -> Prepared:
        """Return `prepare(texts)`, kept from before where it can be; `key` says how it is prepared."""
        lengths = array("L", map(len, texts)).tobytes()  # so that ("ab", "c") and ("a", "bc") differ
        digest = xxh3_128_digest("".join([key, *texts]).encode() + lengths)
        kept = self._kept.pop(digest, None)
        if kept is None:
            made = prepare(texts)
            kept = made, self._size(made)
            self._used += kept[1]
        self._kept[digest] = kept
        while self._used > self._room and len(self._kept) > 1:
            self._used -= self._kept.pop(next(iter(self._kept)))[1]
        return kept[0]

    def forget(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._used = 0
