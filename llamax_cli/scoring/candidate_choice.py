"""The best of several candidates for a translation: by minimum Bayes risk, or by the number that each of them has.

That number is in the records, or it is the score by a metric without references.

Minimum Bayes risk decoding takes the candidate with the highest mean utility, which is its score with each of the
candidates as its reference, itself included (Eikema and Aziz, 2020, arXiv 2005.10283, where they are samples).
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from math import fsum
from typing import Any, NamedTuple

from llamax_cli.candidates import NONE_ON_TARGET, CandidateKey, candidate_key, continues
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.records import Record, boolean, language, number, text
from llamax_cli.registry import find
from llamax_cli.scoring.direction_totals import remark_empty, remark_unknown
from llamax_cli.scoring.group_statistics import WINDOW, compute_statistics
from llamax_cli.scoring.metrics import LOWER_IS_BETTER, METRICS, MetricSettings, load_metric, metric_class
from llamax_cli.scoring.segments import Direction, Segment, group_consecutive, why_unscored
from llamax_cli.streams.chunks import Tally
from llamax_cli.streams.groups import Grouping, GroupTransform, Preparation
from llamax_cli.streams.run import Run

NOT_CHOSEN, OFF_TARGET = "not chosen", "off target"
LANGUAGE = "language "  # the start of the names under which target languages are counted
UNKNOWN = "unknown "  # that of directions which the metric does not know
EMPTY = "empty"


class Candidate(NamedTuple):
    """A candidate; `value` is the number by which it is ranked, if it is not compared with the others."""

    record: Record
    key: CandidateKey
    language: str
    text: str
    is_off_target: bool  # as langid has found
    value: float = 0.0
    source: str = ""
    source_language: str = ""

    @property
    def direction(self) -> Direction:
        """The languages, if the candidate was read with that of its source."""
        return self.source_language, self.language


def write_best(run: Run, settings: MetricSettings, by: str | None) -> None:
    """Write the best candidate for each translation of the run's input, ranked by the metric or by the key `by`."""
    if by is not None:
        lower_is_better = settings.lower_is_better or by in LOWER_IS_BETTER
        run.map_groups(partial(_choose_by_number, lower_is_better), Grouping(partial(_read_number, by=by), _continues))
    else:
        (name,) = settings.metrics
        load_metric(name, settings)  # fails before anything is opened, and forked workers share it
        if _compares(name):
            run.map_groups(partial(_choose_by_utility, name, settings), Grouping(_read, _continues))
        else:
            _write_scored(run, name, settings)
        run.figures["signatures"] = {name: _signatures(run, name, settings)}
    for reason in (NOT_CHOSEN, OFF_TARGET):
        if count := run.tally.pop(reason, 0):
            run.left_out[reason] = count
    if run.tally[NONE_ON_TARGET]:
        run.remarks.append(f"{run.tally[NONE_ON_TARGET]:,} {NONE_ON_TARGET}")


def _write_scored(run: Run, name: str, settings: MetricSettings) -> None:
    """Write the best candidates by a metric without references, which scores those of many translations at once."""
    run.map_prepared(
        _choose_by_score(name, settings),
        Preparation(partial(_score_groups, name, settings, run.settings.workers), WINDOW),
        Grouping(partial(_read_source, name=name, settings=settings), _continues),
    )
    remark_empty(run, run.tally.pop(EMPTY, 0), "translation")
    if directions := _take_names(run.tally, UNKNOWN):
        remark_unknown(run, name, directions)


def check_metric(names: Sequence[str]) -> None:
    """Raise UsageError unless there is one metric, and that can compare candidates or needs no reference."""
    if len(names) > 1:
        raise UsageError(f"--select best takes one metric, not {len(names)}")
    (name,) = names
    if not _compares(name) and metric_class(name).needs_reference:
        raise UsageError(
            f"--select best does not compare candidates with {name}; score each of them with "
            f"--segments --metric {name}, then choose with --select best --by {name}"
        )


def _compares(name: str) -> bool:
    """Return whether a metric is a Utility."""
    return hasattr(find(METRICS[name]), "pair_scores")


def mean_utilities(metric: Any, code: str, candidates: Sequence[str]) -> list[float]:
    """Return the mean utility of each candidate; `metric` is a Utility, `code` the language of the candidates.

    Equal candidates are scored once and count as often as they are there. The order of candidates changes no digit.
    """
    places = {candidate: place for place, candidate in enumerate(dict.fromkeys(candidates))}
    columns = [places[candidate] for candidate in candidates]
    scores = metric.pair_scores(code, list(places))
    means = [fsum(row[columns].tolist()) / len(candidates) for row in scores]
    return [means[place] for place in columns]


def _read(record: Record) -> Candidate:
    is_off_target = "on_target" in record and not boolean(record, "on_target")
    return Candidate(record, candidate_key(record), language(record, "tgt_lang"), text(record, "mt"), is_off_target)


def _read_number(record: Record, by: str) -> Candidate:
    return _read(record)._replace(value=number(record, by))


def _read_source(record: Record, name: str, settings: MetricSettings) -> Candidate:
    """Return a candidate with what the metric gets to see; RecordError where it does not know a language."""
    candidate = _read(record)._replace(source=text(record, "src"), source_language=language(record, "src_lang"))
    if (reason := why_unscored(name, candidate.direction)) and not settings.scores_all(name):
        raise RecordError(reason)
    return candidate


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


def _choose_by_score(name: str, settings: MetricSettings) -> GroupTransform[Candidate]:
    choose_by_number = _choose_by_number(load_metric(name, settings).lower_is_better)

    def choose(group: list[Candidate], tally: Tally) -> Iterable[Record]:
        first = group[0]
        tally[LANGUAGE + first.language] += 1
        tally[EMPTY] += sum(not candidate.text for candidate in _eligible(group))
        if why_unscored(name, first.direction):
            tally[UNKNOWN + "-".join(first.direction)] += 1
        return choose_by_number(group, tally)

    return choose


def _score_groups(
    name: str, settings: MetricSettings, workers: int, groups: list[list[Candidate]]
) -> list[list[Candidate]]:
    """Return the groups with the score of each candidate that may be chosen: its value, and in its record.

    Equal candidates for a translation are scored once.
    """
    segments = (
        Segment(candidate.direction, "", candidate.source, candidate.text, "", None)
        for group in groups
        for candidate in {each.text: each for each in _eligible(group)}.values()
    )
    metric = load_metric(name, settings)
    computed = compute_statistics(group_consecutive(segments), settings, workers, by_segment=True)
    scores = (metric.sentence(row) for each in computed for row in each.statistics[name])
    return [_with_scores(name, group, scores) for group in groups]


def _with_scores(name: str, group: list[Candidate], scores: Iterator[float]) -> list[Candidate]:
    """Return a group with the next scores, one for each text among the candidates that may be chosen."""
    values = {each: next(scores) for each in dict.fromkeys(candidate.text for candidate in _eligible(group))}
    return [
        candidate._replace(value=values[candidate.text], record={**candidate.record, name: values[candidate.text]})
        if candidate.text in values
        else candidate
        for candidate in group
    ]


def _eligible(group: list[Candidate]) -> list[Candidate]:
    """Return the candidates that are not off target, or all if there is no other."""
    return [candidate for candidate in group if not candidate.is_off_target] or group


def _leave_out_off_target(group: list[Candidate], tally: Tally) -> list[Candidate]:
    """Return the candidates that may be chosen, and count the others."""
    candidates = _eligible(group)
    if candidates[0].is_off_target:
        tally[NONE_ON_TARGET] += 1
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
    made = (metric.signature(code, by_sentence=True) for code in _take_names(run.tally, LANGUAGE))
    return [*dict.fromkeys(made)]


def _take_names(tally: Tally, start: str) -> list[str]:
    """Return what was counted under names with this start, and take it out of the tally."""
    names = [name for name in tally if name.startswith(start)]
    for name in names:
        del tally[name]
    return [name.removeprefix(start) for name in names]
