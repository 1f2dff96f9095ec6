"""The table of metrics, their settings, and what a metric has to provide.

A new metric is one class that fulfils `Metric` and one row in `METRICS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, cast

from llamax_cli.errors import UsageError
from llamax_cli.registry import find, suggestion

if TYPE_CHECKING:
    from numpy.typing import NDArray

METRICS = {
    "spbleu": "llamax_cli.scoring.bleu:SpBleu",
    "bleu": "llamax_cli.scoring.bleu:Bleu",
    "chrf++": "llamax_cli.scoring.chrf:ChrfPlusPlus",
    "chrf": "llamax_cli.scoring.chrf:Chrf",
    "ter": "llamax_cli.scoring.ter:Ter",
    "comet": "llamax_cli.scoring.comet:Comet",
}
# The scores that a metric can give; those of other programs' metrics are only known to be no larger than LARGEST_SCORE.
LARGEST_SCORE = 1e6
ROUNDING = 1e-6  # by which sacreBLEU itself passes 100
SCORE_RANGES = {
    "spbleu": (0.0, 100 + ROUNDING),
    "bleu": (0.0, 100 + ROUNDING),
    "chrf++": (0.0, 100 + ROUNDING),
    "chrf": (0.0, 100 + ROUNDING),
    "ter": (0.0, LARGEST_SCORE),
}
LOWER_IS_BETTER = frozenset({"ter"})
SCORE_KEYS = frozenset(METRICS)  # the keys of `score --segments`: each metric writes its score under its own name

Statistics: TypeAlias = "NDArray[Any]"  # a row for each segment, or one row that is their sum
Reference: TypeAlias = str | tuple[str, ...]  # the reference of a segment, or all of them if there are several
VARYING = -1  # sacreBLEU's number of references where segments have different numbers of them


@dataclass(frozen=True)
class MetricSettings:
    """Which metrics to compute, and the options that some of them have."""

    metrics: tuple[str, ...] = ("spbleu",)
    spm: str = "flores101"
    tokenize: str = "auto"
    comet_model: str = "Unbabel/wmt22-comet-da"
    comet_python: str | None = None
    lowercase: bool = False

    def __post_init__(self) -> None:
        for name in self.metrics:
            if name not in METRICS:
                raise UsageError(f"unknown metric {name!r}; {suggestion(name, METRICS)}")
        if not self.metrics or len(set(self.metrics)) < len(self.metrics):
            raise UsageError("--metric takes one or more metrics, each metric once: " + ",".join(METRICS))

    @property
    def needs_source(self) -> bool:
        """Whether one of the metrics needs the source texts; imports the metrics but loads no model."""
        return any(find(METRICS[name]).needs_source for name in self.metrics)


class Metric(Protocol):
    """A metric whose statistics add up: a row for each segment; the score of a corpus is that of the sum of its rows.

    The mean of segment scores is such a metric too: its rows are (score, 1). The class is called with MetricSettings.

    needs_source: `statistics` needs `sources`.
    runs_in_workers: `statistics` is computed in the processes of `--workers`, one direction per call. Otherwise this
        process calls it for segments of many directions at once, with the target language "".
    """

    needs_source: ClassVar[bool]
    runs_in_workers: ClassVar[bool]

    def statistics(
        self, language: str, hypotheses: Sequence[str], references: Sequence[Reference], sources: Sequence[str] = ()
    ) -> Statistics:
        """Return a row for each segment; `language` is that of the hypotheses."""

    def score(self, total: Statistics) -> float:
        """Return the score of a sum of rows."""

    def sentence(self, row: Statistics) -> float:
        """Return the score of one segment by itself."""

    def scores(self, totals: Statistics) -> Statistics:
        """Return the score of each row of `totals`, for resampling."""

    def signature(self, language: str, *, by_sentence: bool = False, nrefs: int = 1) -> str:
        """Return sacreBLEU's description of how a corpus, or a sentence, is scored.

        `nrefs`: how many references each segment has, or VARYING.
        """


class Utility(Metric, Protocol):
    """A metric that is fast enough to compare each candidate for a translation with each other one."""

    def pair_scores(self, language: str, texts: Sequence[str]) -> Statistics:
        """Return the score of each text as a segment by itself, a row, with each one as its reference, a column."""


def reference_columns(references: Sequence[Reference]) -> Sequence[Sequence[str | None]]:
    """Return the first references of all segments, their second ones, ...; None for a segment that has fewer.

    `reference_columns(["a", ("b", "c")]) -> [["a", "b"], [None, "c"]]`
    """
    if not any(isinstance(reference, tuple) for reference in references):
        return [cast("Sequence[str]", references)]
    several = [(reference,) if isinstance(reference, str) else reference for reference in references]
    return [[each[n] if n < len(each) else None for each in several] for n in range(max(map(len, several)))]


@cache
def load_metric(name: str, settings: MetricSettings) -> Metric:
    """Return a metric with its models loaded; the same object for the same arguments."""
    metric: Metric = find(METRICS[name])(settings)
    return metric
