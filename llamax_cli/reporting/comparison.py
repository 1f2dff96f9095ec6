"""Systems over the same directions: what all of them have, what some lack, and which differences are supported."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from llamax_cli.console import counted
from llamax_cli.errors import DataError, UsageError
from llamax_cli.records import Score
from llamax_cli.reporting.systems import Measure, System, SystemTest, direction_of
from llamax_cli.scoring.metrics import is_lower_better
from llamax_cli.scoring.segments import Direction
from llamax_cli.scoring.summary import OTHERS, Row, average_row, choose_rows

SHOWN = 5  # directions that a note names
ALPHA = 0.05  # p-values below support a difference
MOST_CENTRAL = 20  # more rows than of these languages are a matrix, of which English is shown
ENGLISH = "en"


@dataclass
class Comparison:
    """The averages of all systems by one measure.

    `averages` has each row, `en-x`, by system; a system without a score in a row is not in it. All systems of
    a row are averaged over the same directions, which `shared` has. `notes` say what is left out.
    """

    measure: Measure
    systems: list[System]
    central: list[str]
    lower_is_better: bool = False
    averages: dict[str, dict[str, Row]] = field(default_factory=dict)
    shared: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The name of the measure, which says if its scores are errors."""
        return f"{self.measure} (lower is better)" if self.lower_is_better else str(self.measure)

    def rows(self, code: str) -> list[str]:
        """Return the rows of a central language that there are: `en-x` and `x-en`."""
        return [row for row in (f"{code}-{OTHERS}", f"{OTHERS}-{code}") if row in self.averages]

    def score(self, system: System, row: str, other: str) -> float | None:
        """Return the score of a system in a direction of a row."""
        score = system.scores[self.measure].get(row, {}).get(other)
        return None if score is None else score["score"]


def measures(systems: Sequence[System], metrics: Collection[str]) -> list[Measure]:
    """Return the measures of the systems; DataError for a metric that one of them has not, unless all lack scores.

    `metrics` are those that the report shows, all if it is empty.
    """
    found = list(dict.fromkeys(chain.from_iterable(system.scores for system in systems)))
    if missing := [name for name in metrics if name not in {measure.metric for measure in found}]:
        raise UsageError(f"--metric {','.join(missing)}: no system has such scores")
    chosen = [measure for measure in found if not metrics or measure.metric in metrics]
    for measure in chosen:
        for system in systems:
            others = {each.metric for each in system.scores if each.benchmark == measure.benchmark}
            if others and measure not in system.scores:
                shown = ",".join(sorted(others))
                raise DataError(f"{system.name} has no {measure} scores, only {shown}; --metric {shown} leaves it out")
    return chosen


def compare(
    measure: Measure, systems: Sequence[System], central: Collection[str], without: Collection[str]
) -> Comparison:
    """Return the averages of the systems that have scores by a measure; UsageError if a central language has none."""
    having = [system for system in systems if measure in system.scores]
    comparison = Comparison(measure, having, [], lower_is_better=is_error(measure, having))
    if others := [system.name for system in systems if measure not in system.scores]:
        comparison.notes.append(f"{measure}: {', '.join(others)} has no scores")
    chosen = _central(having, measure, central)
    comparison.central = chosen
    for code in chosen:
        for row in (f"{code}-{OTHERS}", f"{OTHERS}-{code}"):
            _add_row(comparison, row, code, without)
    _note_absent(comparison)
    if missing := [code for code in central if not comparison.rows(code)]:
        raise UsageError(
            f"--central {','.join(missing)}: there are no {measure} scores of directions into or out of it"
        )
    return comparison


def is_error(measure: Measure, systems: Sequence[System]) -> bool:
    """Return whether the lower one of two scores by a measure is better; DataError if systems do not agree in that."""
    scores = chain.from_iterable(others.values() for system in systems for others in system.scores[measure].values())
    verdicts = {is_lower_better(measure.metric, score.get("signature", "")) for score in scores}
    if len(verdicts) > 1:
        raise DataError(f"{measure}: lower is better in some scores and higher in others; give those of one program")
    return True in verdicts


def _central(systems: Sequence[System], measure: Measure, central: Collection[str]) -> list[str]:
    """Return the languages around which the report averages: those asked for, or those with most directions."""
    if central:
        return list(central)
    every: dict[str, dict[str, Score]] = {}
    for system in systems:
        for row, others in system.scores[measure].items():
            every.setdefault(row, {}).update(others)
    rows = choose_rows(every, ())
    codes = list(dict.fromkeys(row.removeprefix(f"{OTHERS}-").removesuffix(f"-{OTHERS}") for row in rows))
    if ENGLISH in codes:
        codes.remove(ENGLISH)
        codes.insert(0, ENGLISH)
    return codes if len(codes) <= MOST_CENTRAL else codes[:1]


def _add_row(comparison: Comparison, row: str, code: str, without: Collection[str]) -> None:
    by_system = {
        system.name: {other: score for other, score in others.items() if other not in without and other != code}
        for system in comparison.systems
        if (others := system.scores[comparison.measure].get(row))
    }
    by_system = {name: others for name, others in by_system.items() if others}
    if not by_system:
        return
    union = list(dict.fromkeys(chain.from_iterable(by_system.values())))
    shared = [other for other in union if all(other in others for others in by_system.values())]
    _note_missing(comparison, row, union, shared, by_system)
    if not shared:
        return
    comparison.shared[row] = shared
    comparison.averages[row] = {
        name: average_row(row, comparison.measure.metric, [(other, others[other]) for other in shared])
        for name, others in by_system.items()
    }


def _note_missing(
    comparison: Comparison,
    row: str,
    union: Sequence[str],
    shared: Sequence[str],
    by_system: Mapping[str, Mapping[str, Score]],
) -> None:
    for system in comparison.systems:
        others = by_system.get(system.name)
        if others is None:
            continue  # it is in no average of this row
        missing = ["-".join(direction_of(row, other)) for other in union if other not in others]
        if missing:
            named = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
            comparison.notes.append(
                f"{comparison.measure}: {system.name} lacks {len(missing):,} of {counted(len(union), 'direction')} of "
                f"{row}: {named}; averages of {row} are over the {len(shared):,} that all systems have"
            )


def _note_absent(comparison: Comparison) -> None:
    for system in comparison.systems:
        absent = [row for row, by_system in comparison.averages.items() if system.name not in by_system]
        if absent:
            comparison.notes.append(f"{comparison.measure}: {system.name} has no scores of {', '.join(absent)}")


def is_supported(
    tests: Sequence[SystemTest], metric: str, systems: tuple[str, str], directions: Collection[Direction]
) -> bool | None:
    """Return whether a test supports that two systems differ on average over some directions; None if none does.

    Where the test is of just these directions, its average decides. Otherwise it counts as supported if most
    of the directions are tested and differ by a corrected p-value.
    """
    for test in tests:
        p_values = test.p_values.get(metric)
        if set(test.systems) != set(systems) or not p_values:
            continue
        if metric in test.average and p_values.keys() == set(directions):
            return test.average[metric] < ALPHA
        tested = [p_values[direction] for direction in directions if direction in p_values]
        if tested:
            return 2 * sum(value < ALPHA for value in tested) > len(directions)
    return None
