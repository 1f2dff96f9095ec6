"""The best of several candidates for a translation: by minimum Bayes risk, or by a number in the records.

Minimum Bayes risk decoding takes the candidate with the highest mean utility, which is its score with each of the
candidates as its reference, itself included (Eikema and Aziz, 2020, arXiv 2005.10283, where they are samples).
"""

from collections.abc import Iterable, Sequence
from functools import partial
from math import fsum
from typing import Any, NamedTuple

from llamax_cli.candidates import NONE_ON_TARGET, CandidateKey, candidate_key, continues
from llamax_cli.errors import UsageError
from llamax_cli.records import Record, boolean, language, number, text
from llamax_cli.registry import find
from llamax_cli.scoring.metrics import LOWER_IS_BETTER, METRICS, MetricSettings, load_metric
from llamax_cli.streams.chunks import Tally
from llamax_cli.streams.groups import Grouping, GroupTransform
from llamax_cli.streams.run import Run

NOT_CHOSEN, OFF_TARGET = "not chosen", "off target"
LANGUAGE = "language "  # the start of the names under which target languages are counted


class Candidate(NamedTuple):
    """A candidate; `value` is what it is ranked by if that is a number in the record."""

    record: Record
    key: CandidateKey
    language: str
    text: str
    is_off_target: bool  # as langid has found
    value: float


def write_best(run: Run, settings: MetricSettings, by: str | None) -> None:
    """Write the best candidate for each translation of the run's input, ranked by the metric or by the key `by`."""
    grouping = Grouping(partial(_read, by=by), _continues)
    if by is not None:
        run.map_groups(partial(_choose_by_number, settings.lower_is_better or by in LOWER_IS_BETTER), grouping)
    else:
        (name,) = settings.metrics
        load_metric(name, settings)  # fails before anything is opened, and forked workers share it
        run.map_groups(partial(_choose_by_utility, name, settings), grouping)
        run.figures["signatures"] = {name: _signatures(run, name, settings)}
    for reason in (NOT_CHOSEN, OFF_TARGET):
        if count := run.tally.pop(reason, 0):
            run.left_out[reason] = count
    if run.tally[NONE_ON_TARGET]:
        run.remarks.append(f"{run.tally[NONE_ON_TARGET]:,} {NONE_ON_TARGET}")


def check_utility(names: Sequence[str]) -> None:
    """Raise UsageError unless there is one metric, and that can compare candidates."""
    if len(names) > 1:
        raise UsageError(f"--select best takes one metric, not {len(names)}")
    (name,) = names
    if not hasattr(find(METRICS[name]), "pair_scores"):
        raise UsageError(
            f"--select best does not compare candidates with {name}; score each of them with "
            f"--segments --metric {name}, then choose with --select best --by {name}"
        )


def mean_utilities(metric: Any, code: str, candidates: Sequence[str]) -> list[float]:
    """Return the mean utility of each candidate; `metric` is a Utility, `code` the language of the candidates.

    Equal candidates are scored once and count as often as they are there. The order of candidates changes no digit.
    """
    places = {candidate: place for place, candidate in enumerate(dict.fromkeys(candidates))}
    columns = [places[candidate] for candidate in candidates]
    scores = metric.pair_scores(code, list(places))
    means = [fsum(row[columns].tolist()) / len(candidates) for row in scores]
    return [means[place] for place in columns]


def _read(record: Record, by: str | None) -> Candidate:
    is_off_target = "on_target" in record and not boolean(record, "on_target")
    return Candidate(
        record,
        candidate_key(record),
        language(record, "tgt_lang"),
        text(record, "mt"),
        is_off_target,
        0.0 if by is None else number(record, by),
    )


def _continues(previous: Candidate, candidate: Candidate) -> bool:
    return continues(previous.key, candidate.key)


def _choose_by_utility(name: str, settings: MetricSettings) -> GroupTransform[Candidate]:
    metric = load_metric(name, settings)

    def choose(group: list[Candidate], tally: Tally) -> Iterable[Record]:
        candidates = _leave_out_off_target(group, tally)
        code = candidates[0].language
        tally[LANGUAGE + code] += 1
        utilities = mean_utilities(metric, code, [candidate.text for candidate in candidates])
        best = _index_of_best(utilities, metric.lower_is_better)
        yield {**_chosen(candidates, best, tally), "utility": utilities[best], "candidates": len(candidates)}

    return choose


def _choose_by_number(lower_is_better: bool) -> GroupTransform[Candidate]:
    def choose(group: list[Candidate], tally: Tally) -> Iterable[Record]:
        candidates = _leave_out_off_target(group, tally)
        best = _index_of_best([candidate.value for candidate in candidates], lower_is_better)
        yield {**_chosen(candidates, best, tally), "candidates": len(candidates)}

    return choose


def _leave_out_off_target(group: list[Candidate], tally: Tally) -> list[Candidate]:
    """Return the candidates that are not off target, or all if there is no other."""
    candidates = [candidate for candidate in group if not candidate.is_off_target]
    if not candidates:
        tally[NONE_ON_TARGET] += 1
        return group
    tally[OFF_TARGET] += len(group) - len(candidates)
    return candidates


def _index_of_best(values: Sequence[float], lower_is_better: bool) -> int:
    """Return the index of the best value, the first of several that are equal."""
    return values.index(min(values) if lower_is_better else max(values))


def _chosen(candidates: Sequence[Candidate], index: int, tally: Tally) -> Record:
    tally[NOT_CHOSEN] += len(candidates) - 1
    return {key: value for key, value in candidates[index].record.items() if key != "candidate"}


def _signatures(run: Run, name: str, settings: MetricSettings) -> list[str]:
    """Return the signatures of the utility, for the manifest; the languages are taken out of the tally."""
    metric = load_metric(name, settings)
    codes = [counted for counted in run.tally if counted.startswith(LANGUAGE)]
    for counted in codes:
        del run.tally[counted]
    made = (metric.signature(code.removeprefix(LANGUAGE), by_sentence=True) for code in codes)
    return [*dict.fromkeys(made)]
