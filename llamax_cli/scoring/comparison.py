"""Two systems side by side: differences in each direction and on average, with p-values."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from llamax_cli.records import Record
from llamax_cli.scoring import aggregation
from llamax_cli.scoring.matrix import Kept
from llamax_cli.scoring.metrics import Recipe, Statistics, metric
from llamax_cli.scoring.segments import Direction
from llamax_cli.scoring.significance import CORRECTIONS, Average, Compared, Trials, compared, natural, verdict
from llamax_cli.streams.parallel import ordered
from llamax_cli.streams.run import Run

ALL = "*"
TESTS = ("p_bootstrap", "p_randomisation")


class Task(NamedTuple):
    """The same segments of two systems in one direction: statistics by metric, ours and theirs."""

    direction: Direction
    ours: dict[str, Statistics]
    theirs: dict[str, Statistics]


def comparison(
    run: Run, recipe: Recipe, files: Sequence[str], against: str, trials: Trials, correction: str
) -> Iterator[Record]:
    """Yield how the systems differ in each direction, in order of appearance, then on average over directions.

    p-values of directions are corrected for their number; the average, a test by itself, is not.
    """
    references = aggregation.references(run, files)
    systems = []
    for inputs in (run.inputs, [run.input(against)]):
        systems.append(Kept())
        aggregation.totals(run, recipe, references, inputs, kept=systems[-1])
    rows: dict[str, list[Record]] = {name: [] for name in recipe.metrics}
    averages = {name: Average() for name in recipe.metrics}
    make = partial(_comparer, recipe, trials)
    for task, results in ordered(make, _tasks(run, systems[0], systems[1], against), run.settings.workers):
        for name, result in results.items():
            rows[name].append(_row(task.direction, name, result, recipe, trials) | {"n": len(task.ours[name])})
            averages[name].add(result)
    for some in rows.values():
        for test in TESTS:
            for row, p_value in zip(some, CORRECTIONS[correction]([row[test] for row in some]), strict=True):
                row[f"{test}_{correction}"] = p_value
    yield from (row for some in zip(*rows.values(), strict=True) for row in some)
    for name, some in rows.items():
        if some:
            row = _row((ALL, ALL), name, averages[name].compared(), recipe, trials)
            yield row | {"n": sum(each["n"] for each in some), "directions": len(some)}


def _tasks(run: Run, ours: Kept, theirs: Kept, against: str) -> Iterator[Task]:
    """Yield the segments that both systems have, in the order of the corpus."""
    for direction in dict.fromkeys([*ours.directions, *theirs.directions]):
        sides = [system.get(direction) for system in (ours, theirs)]
        places = [{id_: place for place, id_ in enumerate(ids)} for ids, _ in sides]
        lacking, alone = (sorted(places[n].keys() - places[1 - n].keys(), key=natural) for n in (0, 1))
        aggregation.leave_out(run, f"{against} has no translation", direction, lacking)
        aggregation.leave_out(run, f"{against} alone has a translation", direction, alone)
        both = sorted(places[0].keys() & places[1].keys(), key=natural)
        if both:
            chosen = [
                {name: rows[[place[id_] for id_ in both]] for name, rows in statistics.items()}
                for place, (_, statistics) in zip(places, sides, strict=True)
            ]
            yield Task(direction, *chosen)


def _comparer(recipe: Recipe, trials: Trials) -> Callable[[Task], dict[str, Compared]]:
    def compare(task: Task) -> dict[str, Compared]:
        return {
            name: compared(metric(name, recipe), task.ours[name], task.theirs[name], trials) for name in recipe.metrics
        }

    return compare


def _row(direction: Direction, name: str, result: Compared, recipe: Recipe, trials: Trials) -> Record:
    found = verdict(result)
    return {
        "src_lang": direction[0],
        "tgt_lang": direction[1],
        "metric": name,
        "score": result.score,
        "against": result.other,
        "difference": result.score - result.other,
        "difference_low": found.low,
        "difference_high": found.high,
        "p_bootstrap": found.bootstrap,
        "p_randomisation": found.randomisation,
        "signature": trials.signed(metric(name, recipe).signature(direction[1])),
    }
