"""p-values are sacreBLEU's, corrections keep their guarantees, and averages are over directions."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest
from support.corpora import clipped, edited, flores

from llamax_cli.errors import LlamaxError
from llamax_cli.scoring import significance
from llamax_cli.scoring.metrics import MetricSettings, load_metric
from llamax_cli.scoring.significance import (
    MacroAverage,
    Trials,
    assess_difference,
    benjamini_hochberg,
    holm,
    natural_key,
    run_trials,
)

TRIALS = Trials(resamples=300, swaps=1000)


def systems(data: Path, code: str) -> tuple[list[str], list[str], list[str]]:
    """Return two systems, each better than the other in half of the segments, and the references."""
    references = flores(data, code, 120)
    once = edited(references)
    twice = edited(once)
    ours, others = ([(once, twice)[(n + shift) % 2][n] for n in range(120)] for shift in (0, 1))
    return ours, others, references


@pytest.mark.parametrize("name", ["bleu", "chrf++"])
def test_p_values_are_sacrebleus(data: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same draws give the same p-values, except that sacreBLEU's bootstrap computes in single precision."""
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    ours, others, references = systems(data, "de")
    metrics = {"m": BLEU(force=True) if name == "bleu" else CHRF(word_order=2)}
    found = {}
    for test, count in (("bs", TRIALS.resamples), ("ar", TRIALS.swaps)):
        _, results = PairedTest([("other", others), ("ours", ours)], metrics, [references], test, n_samples=count)()
        (found[test],) = [result[1] for key, result in results.items() if key != "System"]
    each = load_metric(name, MetricSettings())
    result = run_trials(
        each, each.statistics("de", ours, references), each.statistics("de", others, references), TRIALS
    )
    assert result.ours == found["bs"].score == found["ar"].score
    assert assess_difference(result).p_randomisation == found["ar"].p_value
    assert assess_difference(result).p_bootstrap == pytest.approx(found["bs"].p_value, abs=1.5 / TRIALS.resamples)
    assert 0.01 < found["ar"].p_value < 0.99  # neither test is trivial


@pytest.mark.parametrize("name", ["bleu", "chrf++", "ter"])
def test_p_values_with_several_references(data: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also sacreBLEU's, if every second segment has two references."""
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    ours, others, references = (clipped(each[:40]) for each in systems(data, "de"))
    second = [text if n % 2 else None for n, text in enumerate(edited(ours))]
    together = [first if other is None else (first, other) for first, other in zip(references, second, strict=True)]
    metrics = {"m": {"bleu": BLEU(force=True), "chrf++": CHRF(word_order=2), "ter": TER()}[name]}
    each = load_metric(name, MetricSettings())
    rows = [each.statistics("de", texts, together) for texts in (ours, others)]
    result = run_trials(each, *rows, TRIALS)
    pair = [("other", others), ("ours", ours)]
    signatures, results = PairedTest(pair, metrics, [references, second], "ar", n_samples=TRIALS.swaps)()
    (found,) = [result[1] for key, result in results.items() if key != "System"]
    assert result.ours == found.score
    assert assess_difference(result).p_randomisation == found.p_value
    assert all("nrefs:var" in str(signature) for signature in signatures.values())


def test_equal_systems(data: Path) -> None:
    """Without a difference, the p-values are 1."""
    ours, _, references = systems(data, "fr")
    each = load_metric("bleu", MetricSettings())
    rows = each.statistics("fr", ours, references)
    result = assess_difference(run_trials(each, rows, rows, TRIALS))
    assert result == (1.0, 1.0, 0.0, 0.0)


def test_swapped_systems(data: Path) -> None:
    """The tests are two-sided: differences change their sign, p-values stay."""
    ours, others, references = systems(data, "sw")
    each = load_metric("bleu", MetricSettings())
    rows = [each.statistics("sw", texts, references) for texts in (ours, others)]
    one, two = (
        assess_difference(run_trials(each, rows[0], rows[1], TRIALS)),
        assess_difference(run_trials(each, rows[1], rows[0], TRIALS)),
    )
    assert (one.p_bootstrap, one.p_randomisation) == (two.p_bootstrap, two.p_randomisation)
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))


def test_the_average_of_equal_directions_is_one_of_them(data: Path) -> None:
    """Directions over the same segments are drawn together."""
    ours, others, references = systems(data, "de")
    each = load_metric("bleu", MetricSettings())
    result = run_trials(
        each, each.statistics("de", ours, references), each.statistics("de", others, references), TRIALS
    )
    average = MacroAverage()
    average.add(result)
    average.add(result)
    assert assess_difference(average.scores()) == assess_difference(result)
    assert average.directions == 2


def test_another_seed_gives_other_draws(data: Path) -> None:
    """And the same seed gives the same."""
    ours, others, references = systems(data, "de")
    each = load_metric("bleu", MetricSettings())
    rows = [each.statistics("de", texts, references) for texts in (ours, others)]
    drawn = [run_trials(each, *rows, Trials(20, 20, seed)).resampled for seed in (1, 1, 2)]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()


@given(st.lists(st.floats(0, 1), max_size=8))
def test_corrections(p_values: list[float]) -> None:
    """No p-value becomes smaller, their order stays, and Benjamini-Hochberg is milder than Holm."""
    strict, mild = holm(p_values), benjamini_hochberg(p_values)
    for raw, low, high in zip(p_values, mild, strict, strict=True):
        assert raw <= low * (1 + 1e-12) and low <= high * (1 + 1e-12) and high <= 1
    for adjusted in (strict, mild):
        order = np.argsort(p_values, kind="stable")
        assert list(np.diff(np.array(adjusted)[order]) >= -1e-12) == [True] * max(0, len(p_values) - 1)


def test_corrections_by_hand() -> None:
    """Worked examples."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert holm([]) == benjamini_hochberg([]) == []


def test_ids_in_the_order_of_the_corpus() -> None:
    """Numbers are compared as numbers, not digit by digit."""
    assert sorted(["d:10", "d:9", "c:1", "d"], key=natural_key) == ["c:1", "d", "d:9", "d:10"]


def test_trials_that_do_not_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said which options to lower."""

    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(significance, "_run_trials", refuse)
    with pytest.raises(
        LlamaxError, match="1,000 resamples and 10,000 swaps of 2 segments do not fit into memory; lower"
    ):
        run_trials(load_metric("bleu", MetricSettings()), np.zeros((2, 10)), np.zeros((2, 10)), Trials())
