"""Two systems compared: differences in each direction and on average, with p-values."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import NamedTuple

from llamax_cli.records import Record
from llamax_cli.scoring.direction_totals import leave_out_segments, total_by_direction
from llamax_cli.scoring.metrics import VARYING, MetricSettings, Statistics, load_metric
from llamax_cli.scoring.references import read_references
from llamax_cli.scoring.segments import Direction
from llamax_cli.scoring.significance import (
    CORRECTIONS,
    MacroAverage,
    PairedScores,
    Trials,
    assess_difference,
    natural_key,
    run_trials,
)
from llamax_cli.scoring.statistics_store import StatisticsStore
from llamax_cli.streams.parallel import ordered
from llamax_cli.streams.run import Run

ALL = "*"
P_VALUES = ("p_bootstrap", "p_randomisation")


class PairedStatistics(NamedTuple):
    """The statistics of both systems by metric, for the same segments of one direction."""

    direction: Direction
    ours: dict[str, Statistics]
    theirs: dict[str, Statistics]


def compare_systems(
    run: Run, settings: MetricSettings, reference_files: Sequence[str], against: str, trials: Trials, correction: str
) -> Iterator[Record]:
    """Yield how the systems differ in each direction, in order of appearance, then on average over directions.

    The p-values of directions are corrected for the number of directions. Those of the average, a single test, are not.
    """
    references = read_references(run, reference_files)
    rows: dict[str, list[Record]] = {name: [] for name in settings.metrics}
    averages = {name: MacroAverage() for name in settings.metrics}
    make = partial(_make_comparer, settings, trials)
    nrefs: dict[Direction, int] = {}
    with StatisticsStore() as ours, StatisticsStore() as theirs:
        for inputs, store in ((run.inputs, ours), ([run.input(against)], theirs)):
            totals = total_by_direction(run, settings, references, inputs, store=store)
            nrefs |= {
                direction: total.nrefs if nrefs.get(direction, total.nrefs) == total.nrefs else VARYING
                for direction, total in totals.items()
            }
        pairs = _pair_segments(run, ours, theirs, against)
        with closing(ordered(make, pairs, run.settings.workers)) as compared:
            for pair, results in compared:
                for name, scores in results.items():
                    row = _row(pair.direction, name, scores, settings, trials, nrefs[pair.direction])
                    rows[name].append(row | {"n": len(pair.ours[name])})
                    averages[name].add(scores)
    for metric_rows in rows.values():
        _correct_p_values(metric_rows, correction)
    yield from (row for direction_rows in zip(*rows.values(), strict=True) for row in direction_rows)
    everywhere = set(nrefs.values())
    for name, metric_rows in rows.items():
        if metric_rows:
            count = everywhere.copy().pop() if len(everywhere) == 1 else VARYING
            row = _row((ALL, ALL), name, averages[name].scores(), settings, trials, count)
            yield row | {"n": sum(each["n"] for each in metric_rows), "directions": len(metric_rows)}


def _pair_segments(
    run: Run, ours: StatisticsStore, theirs: StatisticsStore, against: str
) -> Iterator[PairedStatistics]:
    """Yield the segments that both systems have, by direction, in the order of the corpus.

    That is the order of their ids or, without ids, of our records.
    """
    for direction in dict.fromkeys([*ours.directions, *theirs.directions]):
        systems = [store.get(direction) for store in (ours, theirs)]
        rows = [{id_: row for row, id_ in enumerate(ids)} for ids, _ in systems]
        only_ours, only_theirs = (sorted(rows[n].keys() - rows[1 - n].keys(), key=natural_key) for n in (0, 1))
        leave_out_segments(run, f"{against} has no translation", direction, only_ours)
        leave_out_segments(run, f"{against} alone has a translation", direction, only_theirs)
        in_both = [id_ for id_ in rows[0] if id_ in rows[1]]
        if direction not in ours.without_ids:
            in_both.sort(key=natural_key)
        if in_both:
            statistics = [
                {name: matrix[[row_of[id_] for id_ in in_both]] for name, matrix in by_metric.items()}
                for row_of, (_, by_metric) in zip(rows, systems, strict=True)
            ]
            yield PairedStatistics(direction, *statistics)


def _make_comparer(settings: MetricSettings, trials: Trials) -> Callable[[PairedStatistics], dict[str, PairedScores]]:
    metrics = {name: load_metric(name, settings) for name in settings.metrics}

    def compare(pair: PairedStatistics) -> dict[str, PairedScores]:
        return {
            name: run_trials(metric, pair.ours[name], pair.theirs[name], trials) for name, metric in metrics.items()
        }

    return compare


def _correct_p_values(rows: Sequence[Record], correction: str) -> None:
    """Add the corrected p-values to the rows of one metric."""
    for key in P_VALUES:
        for row, p_value in zip(rows, CORRECTIONS[correction]([row[key] for row in rows]), strict=True):
            row[f"{key}_{correction}"] = p_value


def _row(
    direction: Direction, name: str, scores: PairedScores, settings: MetricSettings, trials: Trials, nrefs: int
) -> Record:
    significance = assess_difference(scores)
    return {
        "src_lang": direction[0],
        "tgt_lang": direction[1],
        "metric": name,
        "score": scores.ours,
        "against": scores.theirs,
        "difference": scores.ours - scores.theirs,
        "difference_low": significance.low,
        "difference_high": significance.high,
        "p_bootstrap": significance.p_bootstrap,
        "p_randomisation": significance.p_randomisation,
        "signature": trials.add_to(load_metric(name, settings).signature(direction[1], nrefs=nrefs)),
    }
