"""The table of metrics, their settings, and what a metric has to provide.

A new metric is one class that fulfils `Metric` and one row in `METRICS`. A model that COMET or MetricX's code runs is
one row in `LEARNED` (learned_metrics.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, cast

from llamax_cli.errors import UsageError
from llamax_cli.languages import find as find_language
from llamax_cli.registry import find, suggestion
from llamax_cli.scoring.learned_metrics import LEARNED

if TYPE_CHECKING:
    from numpy.typing import NDArray

METRICS = {
    "spbleu": "llamax_cli.scoring.bleu:SpBleu",
    "bleu": "llamax_cli.scoring.bleu:Bleu",
    "chrf++": "llamax_cli.scoring.chrf:ChrfPlusPlus",
    "chrf": "llamax_cli.scoring.chrf:Chrf",
    "ter": "llamax_cli.scoring.ter:Ter",
    **dict.fromkeys(LEARNED, "llamax_cli.scoring.model_metric:ModelMetric"),
    "command": "llamax_cli.scoring.command_metric:CommandMetric",
    "command-qe": "llamax_cli.scoring.command_metric:CommandMetricWithoutReference",
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
    **{name: row.facts.bounds for name, row in LEARNED.items() if row.facts.bounds is not None},
}
LOWER_IS_BETTER = frozenset({"ter"} | {name for name, row in LEARNED.items() if row.facts.lower_is_better})
MARK_OF_LOWER = "better:lower"  # in the signature of a program whose numbers are errors
SCORE_KEYS = frozenset(METRICS)  # the keys of `score --segments`: each metric writes its score under its own name

Statistics: TypeAlias = "NDArray[Any]"  # a row for each segment, or one row that is their sum
Reference: TypeAlias = str | tuple[str, ...]  # the reference of a segment, or all of them if there are several
VARYING = -1  # sacreBLEU's number of references where segments have different numbers of them


@dataclass(frozen=True)
class MetricSettings:
    """Which metrics to compute, and the options that some of them have.

    `models` are (name of a metric, model) to use instead of the model in its row. `command` is the command line of the
    metric of that name, `timeout` the longest wait for a number of it, in seconds. With `any_language`, models also
    score the languages that they do not know.
    """

    metrics: tuple[str, ...] = ("spbleu",)
    spm: str = "flores101"
    tokenize: str = "auto"
    models: tuple[tuple[str, str], ...] = ()
    comet_python: str | None = None
    lowercase: bool = False
    command: str | None = None
    lower_is_better: bool = False
    timeout: float = 120.0
    any_language: bool = False

    def __post_init__(self) -> None:
        for name in self.metrics:
            if name not in METRICS:
                raise UsageError(f"unknown metric {name!r}; {suggestion(name, METRICS)}")
        if not self.metrics or len(set(self.metrics)) < len(self.metrics):
            raise UsageError("--metric takes one or more metrics, each metric once: " + ",".join(METRICS))
        for name, _ in self.models:
            if name not in LEARNED:
                raise UsageError(f"--metric-model {name}=...: no model is {name!r}; {suggestion(name, LEARNED)}")

    @property
    def needs_source(self) -> bool:
        """Whether one of the metrics needs the source texts; imports the metrics but loads no model."""
        return any(metric_class(name).needs_source for name in self.metrics)

    @property
    def needs_reference(self) -> bool:
        """Whether one of the metrics needs references; imports the metrics but loads no model."""
        return any(metric_class(name).needs_reference for name in self.metrics)

    def scores_all(self, name: str) -> bool:
        """Return whether a metric scores languages that it does not know; the paper's tables have COMET of all."""
        return self.any_language or name == "comet"


class Metric(Protocol):
    """A metric whose statistics add up: a row for each segment; the score of a corpus is that of the sum of its rows.

    The mean of segment scores is such a metric too: its rows are (score, 1). The class is called with MetricSettings.

    needs_source: `statistics` needs `sources`.
    needs_reference: `statistics` needs `references`; without it, they may be empty strings.
    runs_in_workers: `statistics` is computed in the processes of `--workers`, one direction per call. Otherwise this
        process calls it as a `WindowMetric`.
    lower_is_better: a lower score is that of a better translation.
    """

    needs_source: ClassVar[bool]
    needs_reference: ClassVar[bool]
    runs_in_workers: ClassVar[bool]
    lower_is_better: bool

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


class WindowMetric(Metric, Protocol):
    """A metric that is called for segments of many directions at once, so that its batches hold texts of one length."""

    def statistics(
        self,
        language: str,
        hypotheses: Sequence[str],
        references: Sequence[Reference],
        sources: Sequence[str] = (),
        directions: Sequence[tuple[str, str]] = (),
    ) -> Statistics:
        """Return a row for each segment; `language` is "", and `directions` has a direction for each segment."""


def reference_columns(references: Sequence[Reference]) -> Sequence[Sequence[str | None]]:
    """Return the first references of all segments, their second ones, ...; None for a segment that has fewer.

    `reference_columns(["a", ("b", "c")]) -> [["a", "b"], [None, "c"]]`
    """
    if not any(isinstance(reference, tuple) for reference in references):
        return [cast("Sequence[str]", references)]
    several = [(reference,) if isinstance(reference, str) else reference for reference in references]
    return [[each[n] if n < len(each) else None for each in several] for n in range(max(map(len, several)))]


@cache
def metric_class(name: str) -> type[Metric]:
    """Return the class of a metric, which says what it needs; it is called with MetricSettings."""
    kind: Any = find(METRICS[name])
    made: type[Metric] = kind.of_row(name) if name in LEARNED else kind
    return made


def is_known(name: str, code: str) -> bool:
    """Return whether a metric knows a language; those that are no models know all."""
    return name not in LEARNED or find_language(code, LEARNED[name].languages) is not None


def is_lower_better(name: str, signature: str) -> bool:
    """Return whether the lower one of two scores is better, given the name of the metric and the signature."""
    return name in LOWER_IS_BETTER or MARK_OF_LOWER in signature.split("|")


@cache
def load_metric(name: str, settings: MetricSettings) -> Metric:
    """Return a metric with its models loaded; the same object for the same arguments."""
    make: Any = metric_class(name)
    metric: Metric = make(settings)
    return metric
