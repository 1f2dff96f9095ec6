"""What a metric has to provide: one class and one row in the table, whether or not it runs in the worker processes."""

import subprocess
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from llamax_cli.languages import canonical, languages
from llamax_cli.scoring import group_statistics
from llamax_cli.scoring.group_statistics import compute_statistics
from llamax_cli.scoring.learned_metrics import LEARNED
from llamax_cli.scoring.metrics import (
    LOWER_IS_BETTER,
    METRICS,
    SCORE_KEYS,
    SCORE_RANGES,
    Metric,
    MetricSettings,
    Statistics,
    is_known,
    load_metric,
    metric_class,
)
from llamax_cli.scoring.segments import Segment, SegmentGroup, SegmentReader


class CopiedSources:
    """A metric with a source: how many translations are copies of their source, in per cent."""

    needs_source: ClassVar[bool] = True
    needs_reference: ClassVar[bool] = True
    runs_in_workers: ClassVar[bool] = True
    lower_is_better = False
    calls: ClassVar[list[tuple[str, int]]] = []

    def __init__(self, settings: MetricSettings) -> None:
        self.calls.clear()

    def statistics(
        self,
        language: str,
        hypotheses: Sequence[str],
        references: Sequence[str],
        sources: Sequence[str] = (),
        directions: Sequence[tuple[str, str]] = (),
    ) -> Statistics:
        """Return a row for each segment: whether it is a copy, and 1."""
        self.calls.append((language, len(hypotheses)))
        copies = [float(hypothesis == source) for hypothesis, source in zip(hypotheses, sources, strict=True)]
        return np.column_stack([copies, np.ones(len(copies))])

    def score(self, total: Statistics) -> float:
        """Return the share in per cent."""
        return float(self.scores(total[None])[0])

    sentence = score

    def scores(self, totals: Statistics) -> Statistics:
        """Return the share of each row."""
        shares: Statistics = 100 * totals[:, 0] / totals[:, 1]
        return shares

    def signature(self, language: str, *, by_sentence: bool = False) -> str:
        """Return a signature."""
        return "copies"


class CopiedSourcesElsewhere(CopiedSources):
    """The same metric, not computed in the workers."""

    runs_in_workers: ClassVar[bool] = False


@pytest.fixture(params=[CopiedSources, CopiedSourcesElsewhere])
def copies(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[CopiedSources]:
    """Put one row into the table and return the class."""
    kind: type[CopiedSources] = request.param
    monkeypatch.setitem(METRICS, "copies", f"{__name__}:{kind.__name__}")
    monkeypatch.setattr(group_statistics, "WINDOW", 5)
    load_metric.cache_clear()
    metric_class.cache_clear()
    return kind


def groups(sizes: Sequence[int]) -> list[SegmentGroup]:
    """Return groups of segments; every second translation is a copy of its source."""
    made = []
    for number, size in enumerate(sizes):
        direction = ("en", f"l{number}")
        segments = [Segment(direction, f"{n}", f"source {n}", f"source {n - n % 2}", "x", None) for n in range(size)]
        made.append(SegmentGroup(direction, segments))
    return made


def test_one_row_in_the_table_is_enough(copies: type[CopiedSources]) -> None:
    """Every group gets its own rows, and sources come with the segments, beside any other metric."""
    settings = MetricSettings(metrics=("copies", "bleu"))
    assert settings.needs_source
    found = list(compute_statistics(groups([1, 2, 3, 4, 5]), settings, 1, by_segment=True))
    for size, each in enumerate(found, 1):
        assert each.statistics["copies"].tolist() == [[float(n % 2 == 0), 1.0] for n in range(size)]
        assert len(each.statistics["bleu"]) == size
    summed = list(compute_statistics(groups([3]), settings, 1, by_segment=False))
    assert summed[0].statistics["copies"].tolist() == [[2.0, 3.0]]


def test_a_metric_outside_the_workers_gets_windows_over_many_directions(copies: type[CopiedSources]) -> None:
    """It is called for whole groups of at least WINDOW segments together; one in the workers, group by group."""
    list(compute_statistics(groups([1, 2, 3, 4, 5]), MetricSettings(metrics=("copies",)), 1, by_segment=True))
    in_workers = [(f"l{n}", n + 1) for n in range(5)]
    assert copies.calls == (in_workers if copies.runs_in_workers else [("", 6), ("", 9)])


@pytest.mark.parametrize(("metrics", "source"), [(("bleu", "ter"), ""), (("bleu", "comet"), "s"), (("copies",), "s")])
def test_sources_are_read_if_a_metric_needs_them(
    copies: type[CopiedSources], metrics: tuple[str, ...], source: str
) -> None:
    """Otherwise a record may lack them."""
    record: dict[str, Any] = {"id": "1", "src": "s", "mt": "m", "tgt": "t", "src_lang": "en", "tgt_lang": "de"}
    assert SegmentReader(None, MetricSettings(metrics=metrics)).segment(record).source == source


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_declares_the_contract(name: str) -> None:
    """The class has all that the protocol names."""
    members = {*Metric.__annotations__, *(member for member in vars(Metric) if not member.startswith("_"))}
    assert members == {
        "needs_source", "needs_reference", "runs_in_workers", "lower_is_better",
        "statistics", "score", "sentence", "scores", "signature",
    }  # fmt: skip
    assert members <= set(dir(metric_class(name)))


def test_the_table_says_what_models_are() -> None:
    """Which need a reference, of which the lower score is better, and between what their scores are."""
    classes = {name: metric_class(name) for name in METRICS}
    without = {name for name, each in classes.items() if not each.needs_reference}
    assert without == {name for name in METRICS if name.endswith("-qe") or name.startswith("comet-kiwi")}
    errors = {name for name, each in classes.items() if each.lower_is_better}
    assert errors == LOWER_IS_BETTER == {"ter", *(name for name in METRICS if name.startswith("metricx"))}
    assert {SCORE_RANGES[name] for name in errors - {"ter"}} == {(0.0, 25.0)}
    assert all(each.needs_source and not each.runs_in_workers for name, each in classes.items() if name in LEARNED)


def test_languages_of_models_are_codes_of_ours() -> None:
    """XLM-R lacks 22 of the 102, mT5 17, and AfroXLMR all but those of Africa and four others; varieties count."""
    for row in LEARNED.values():
        assert {canonical(code) for code in row.languages} == row.languages
    lacking = {name: [code for code in languages() if not is_known(name, code)] for name in LEARNED}
    assert " ".join(lacking["comet"]) == "ast ceb ff ig kam kea ku lb lg ln luo mi mt ns ny oc sn tg umb wo yo zu"
    assert " ".join(lacking["metricx-24-xl"]) == "as ast bs ff hr kam kea ku lg ln luo ns oc om or umb wo"
    african = [code for code in languages() if code not in lacking["ssa-comet"]]
    assert " ".join(african) == "af am ar en ff fr ha ig kam lg ln luo ns ny om pt sn so sw umb wo xh yo zu"
    assert is_known("comet", "pt-BR") and is_known("comet", "plt") and is_known("chrf++", "kam")


def test_the_keys_of_scores_are_known_without_numpy() -> None:
    """A command that only drops old scores from records loads nothing heavy."""
    assert set(METRICS) == SCORE_KEYS
    script = "import sys; from llamax_cli.scoring.metrics import METRICS, SCORE_KEYS; "
    script += "print({'numpy', 'sacrebleu', 'xxhash'} & set(sys.modules))"
    outcome = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert (outcome.stdout, outcome.stderr) == (b"set()\n", b"")
