"""The tables of a report: rows of cells, the best in each column marked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple, TypeAlias

from llamax_cli.languages import name_of, table_row
from llamax_cli.reporting.comparison import Comparison, is_supported
from llamax_cli.reporting.systems import System, SystemTest, direction_of
from llamax_cli.scoring.segments import Direction
from llamax_cli.scoring.summary import OTHERS
from llamax_cli.streams.tables import Marked

Rows: TypeAlias = list[dict[str, Any]]
UNSUPPORTED = "†"
GROUPS = ("low", "high", "all")
PERCENT = 100


class Sheet(NamedTuple):
    """One table: the stem of its file, its title, its rows."""

    name: str
    title: str
    rows: Rows


def average_sheets(comparison: Comparison, tests: Sequence[SystemTest]) -> Iterator[Sheet]:
    """Yield a table for each central language; of several also one of their rows, and one of the averages over them.

    A row for each system; columns low, high and all of each row of the comparison. The table of rows has one column
    for each, its average over all languages, as Tables 3, 4, 5 and 10 of the paper have.
    """
    measure, label = comparison.measure, comparison.label
    for code in comparison.central:
        if names := comparison.rows(code):
            rows = [_average_cells(comparison, system, names) for system in comparison.systems]
            _mark(rows, _checker(comparison, tests, rows), lower_is_better=comparison.lower_is_better)
            yield Sheet(f"{measure}-{code}", f"{label}: out of and into {name_of(code)}", rows)
    if len(comparison.central) > 1:
        yield Sheet(f"{measure}-rows", f"{label}: out of and into each central language", _all_rows(comparison))
        yield Sheet(f"{measure}-all", f"{label}: average over central languages", _over_all(comparison))


def _average_cells(comparison: Comparison, system: System, names: Sequence[str]) -> dict[str, Any]:
    cells: dict[str, Any] = {"system": system.name}
    for name in names:
        average = comparison.averages[name].get(system.name)
        for group in (*GROUPS, "above_10", "off_target"):
            if any(group in row for row in comparison.averages[name].values()):
                cells[f"{name} {group}"] = average.get(group) if average else None
        cells[f"{name} directions"] = average["directions"] if average else None
    return cells


def _all_rows(comparison: Comparison) -> Rows:
    """Return the average over all languages of each row: `{"system": "A", "en-x": 23.2, "x-en": 30.6, ...}`."""
    rows: Rows = [{"system": system.name} for system in comparison.systems]
    for name, by_system in comparison.averages.items():
        for cells in rows:
            average = by_system.get(cells["system"])
            cells[name] = average["all"] if average else None
    _mark(rows, lower_is_better=comparison.lower_is_better)
    return rows


def _over_all(comparison: Comparison) -> Rows:
    """Return the averages over the central languages, of the systems that have all that most systems have."""
    rows: Rows = [{"system": system.name} for system in comparison.systems]
    for title, prefix in ((f"c-{OTHERS}", ""), (f"{OTHERS}-c", f"{OTHERS}-")):
        names = [
            name
            for name, by_system in comparison.averages.items()
            if name.startswith(f"{OTHERS}-") == bool(prefix) and 4 * len(by_system) >= 3 * len(comparison.systems)
        ]
        for cells in rows:
            averages = [comparison.averages[name].get(cells["system"]) for name in names]
            for group in GROUPS:
                values = [value for average in averages if average and (value := average[group]) is not None]  # type: ignore[literal-required]
                cells[f"{title} {group}"] = fmean(values) if values and len(values) == len(names) else None
        for cells in rows:
            cells[f"{title} of"] = ",".join(name.removeprefix(prefix).removesuffix(f"-{OTHERS}") for name in names)
    _mark(rows, lower_is_better=comparison.lower_is_better)
    return rows


def _checker(
    comparison: Comparison, tests: Sequence[SystemTest], rows: Rows
) -> Callable[[str, str, str], bool | None] | None:
    if not tests:
        return None

    def check(column: str, best: str, other: str) -> bool | None:
        name, _, group = column.partition(" ")
        codes = [code for code in comparison.shared[name] if group == "all" or _resource(code) == group]
        directions: list[Direction] = [direction_of(name, code) for code in codes]
        return is_supported(tests, comparison.measure.metric, (best, other), directions)

    return check


def _resource(code: str) -> str:
    entry = table_row(code)
    return entry.resource if entry else ""


def _mark(
    rows: Rows, check: Callable[[str, str, str], bool | None] | None = None, *, lower_is_better: bool = False
) -> None:
    """Mark the best cell of each column, and with a dagger those whose difference from it no test supports."""
    columns = [column for column in dict.fromkeys(key for row in rows for key in row) if _is_compared(column)]
    for column in columns:
        values = {row["system"]: row[column] for row in rows if row.get(column) is not None}
        if len(values) < 2:
            continue
        pick = min if lower_is_better or column.endswith("off_target") else max
        best = pick(values.values())
        leader = next(name for name, value in values.items() if value == best)
        for row in rows:
            if (value := row.get(column)) is not None:
                unsupported = (
                    check is not None
                    and column.endswith(GROUPS)
                    and value != best
                    and check(column, leader, row["system"]) is False
                )
                row[column] = Marked(value, best=value == best, sign=UNSUPPORTED if unsupported else "")


def _is_compared(column: str) -> bool:
    return column != "system" and not column.endswith((" directions", " of", " above_10"))


def rate_sheets(systems: Sequence[System], central: Iterable[str]) -> Iterator[Sheet]:
    """Yield the shares of translations in the source and in the target language, in percent, as in Tables 7 and 13.

    A row for each language, columns for each system.
    """
    having = [system for system in systems if system.rates]
    for code in central:
        for place in (0, 1):
            directions = list(
                dict.fromkeys(d for system in having for d in system.rates if d[place] == code and d[0] != d[1])
            )
            if not directions:
                continue
            rows: Rows = []
            for direction in directions:
                cells: dict[str, Any] = {"language": direction[1 - place]}
                for key, title in (("r_src", "R_src"), ("r_tgt", "R_tgt")):
                    found = {system.name: system.rates.get(direction, {}).get(key) for system in having}
                    known = [value for value in found.values() if value is not None]
                    best = (min if key == "r_src" else max)(known, default=None)
                    for name, value in found.items():
                        several = len(known) > 1
                        cells[f"{title} {name}"] = (
                            None if value is None else Marked(PERCENT * value, best=several and value == best)
                        )
                rows.append(cells)
            row = f"{code}-x" if place == 0 else f"x-{code}"
            yield Sheet(f"off-target-{row}", f"In the source and the target language, {row}, in percent", rows)


def task_sheets(systems: Sequence[System]) -> Iterator[Sheet]:
    """Yield the results of tasks (Table 6), a column for each, and of each task with languages, a column for each."""
    having = [system for system in systems if system.tasks]
    if not having:
        return
    tasks = list(dict.fromkeys(task for system in having for task in system.tasks))
    rows: Rows = []
    for system in having:
        means = {task: task_mean(having, system, task) for task in tasks}
        cells: dict[str, Any] = {"system": system.name, **means}
        shared = [task for task in tasks if all(task in each.tasks for each in having)]
        known = [value for task in shared if (value := means[task]) is not None]
        if len(shared) > 1 and known:
            cells["average"] = fmean(known)
        rows.append(cells)
    _mark(rows)
    yield Sheet("tasks", "Tasks", rows)
    for task in tasks:
        langs = list(dict.fromkeys(lang for system in having for lang in system.tasks.get(task, {}) if lang))
        if langs:
            rows = [
                {"system": system.name, **{lang: system.tasks[task].get(lang) for lang in langs}}
                for system in having
                if task in system.tasks
            ]
            _mark(rows)
            yield Sheet(f"task-{task}", f"{task}, by language", rows)


def perplexity_sheets(systems: Sequence[System]) -> Iterator[Sheet]:
    """Yield the perplexities of texts, a column for each task of lm-eval that measures one."""
    rows: Rows = [{"system": system.name, **system.perplexity} for system in systems if system.perplexity]
    if rows:
        _mark(rows, lower_is_better=True)
        yield Sheet("perplexity", "Perplexity (lower is better)", rows)


def task_mean(systems: Sequence[System], system: System, task: str) -> float | None:
    """Return a system's mean over the languages of a task that all systems with the task have."""
    if task not in system.tasks:
        return None
    having = [each.tasks[task] for each in systems if task in each.tasks]
    shared = [lang for lang in system.tasks[task] if all(lang in each for each in having)]
    return fmean(system.tasks[task][lang] for lang in shared) if shared else None


def gap_sheet(comparison: Comparison, first: System, second: System) -> Sheet:
    """Return two systems and their difference in each row of the comparison, as in Table 8: direct, through English."""
    rows: Rows = []
    for name, by_system in comparison.averages.items():
        if first.name in by_system and second.name in by_system:
            ours, theirs = by_system[first.name]["all"], by_system[second.name]["all"]
            if ours is not None and theirs is not None:
                best = (min if comparison.lower_is_better else max)(ours, theirs)
                rows.append(
                    {
                        "direction": name,
                        first.name: Marked(ours, best=ours == best),
                        second.name: Marked(theirs, best=theirs == best),
                        "difference": theirs - ours,
                        "directions": by_system[first.name]["directions"],
                    }
                )
    return Sheet(f"gap-{comparison.measure}", f"{comparison.label}: {first.name} and {second.name}", rows)


def analysis_sheet(systems: Sequence[System]) -> Iterator[Sheet]:
    """Yield fertility, likeness to English and retrieval, languages as rows, as in Table 1."""
    figures: list[tuple[str, Mapping[str, float]]] = []
    for system in systems:
        figures += [(f"{system.name} fertility", system.fertility), (f"{system.name} cosine", system.cosine)]
        figures += [(f"{system.name} R@1", system.recall)]
    figures = [(title, values) for title, values in figures if values]
    langs = list(dict.fromkeys(lang for _, values in figures for lang in values))
    if langs:
        rows = [{"language": lang, **{title: values.get(lang) for title, values in figures}} for lang in langs]
        yield Sheet("analysis", "Fertility and likeness to English", rows)
