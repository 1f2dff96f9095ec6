"""A report: a folder with tables, figures and one page, whole or not at all."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llamax_cli.console import counted, escape, say
from llamax_cli.documents import decode
from llamax_cli.errors import DataError, FileError, UsageError
from llamax_cli.languages import languages
from llamax_cli.reporting import figures, tables
from llamax_cli.reporting.comparison import Comparison, compare, measures
from llamax_cli.reporting.page import make_page
from llamax_cli.reporting.systems import System, SystemTest, read_systems, read_tests
from llamax_cli.streams.atomic import atomic_folder
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.tables import FORMATS, NOTHING

ENDINGS = {"md": "md", "csv": "csv", "latex": "tex"}


@dataclass(frozen=True)
class ReportRequest:
    """What a report shows, as asked for on the command line."""

    systems: tuple[str, ...]
    output: Path
    table: str = "md"
    metrics: tuple[str, ...] = ()
    central: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    gap: str | None = None
    seen: str | None = None
    formats: tuple[str, ...] = ()
    quiet: bool = False


@dataclass(frozen=True)
class Report:
    """What was read, and what it says."""

    systems: list[System]
    comparisons: list[Comparison]
    tests: list[SystemTest]
    gap: tuple[System, System] | None
    seen: set[str] | None
    sheets: list[tables.Sheet]
    notes: list[str]


def write_report(request: ReportRequest) -> None:
    """Read the systems, and write the folder of the report."""
    started = time.monotonic()
    check_output(request.output)
    figures.check_formats(request.formats)
    report = make_report(request)
    with atomic_folder(request.output) as folder:
        (folder / "tables").mkdir()
        for sheet in report.sheets:
            path = folder / "tables" / f"{_file_name(sheet.name)}.{ENDINGS[request.table]}"
            path.write_text(render(sheet, request.table), encoding="utf-8")
        page = make_page(report.systems, report.comparisons, report.notes)
        (folder / "index.html").write_text(page, encoding="utf-8")
        if request.formats:
            (folder / "figures").mkdir()
            for figure in figures.figures(report.systems, report.comparisons, report.gap, report.seen):
                figures.save(figure._replace(name=_file_name(figure.name)), folder / "figures", request.formats)
        if report.notes:
            (folder / "notes.txt").write_text("".join(f"{escape(note)}\n" for note in report.notes), encoding="utf-8")
    if not request.quiet:
        for note in report.notes[:10]:
            say("report", note)
        if len(report.notes) > 10:
            say("report", f"{len(report.notes) - 10:,} more notes are in {request.output / 'notes.txt'}")
        done = f"{counted(len(report.systems), 'system')}, {counted(len(report.sheets), 'table')}"
        say("report", f"{done}; {time.monotonic() - started:.1f} s")


def check_output(path: Path) -> None:
    """Raise FileError, before anything is read, if a folder cannot be written there or holds something."""
    if path.is_dir():
        if any(path.iterdir()):
            raise FileError(f"{path} is not empty; name another folder, or remove it")
    elif path.exists():
        raise FileError(f"{path} is a file, not a folder")


def make_report(request: ReportRequest) -> Report:
    """Return what the report shows; the errors of what was read are raised here, before anything is written."""
    systems = read_systems(request.systems)
    tests = read_tests(request.tests, systems)
    gap = _gap(request.gap, systems)
    comparisons = [
        compare(measure, systems, request.central, request.without) for measure in measures(systems, request.metrics)
    ]
    sheets: list[tables.Sheet] = []
    for comparison in comparisons:
        sheets += tables.average_sheets(comparison, tests)
        if gap and all(system in comparison.systems for system in gap):
            sheets.append(tables.gap_sheet(comparison, *gap))
    central = list(dict.fromkeys(code for comparison in comparisons for code in comparison.central))
    sheets += tables.rate_sheets(systems, request.central or central or _rate_centres(systems))
    sheets += tables.task_sheets(systems)
    sheets += tables.perplexity_sheets(systems)
    sheets += tables.analysis_sheet(systems)
    notes = [note for comparison in comparisons for note in comparison.notes]
    return Report(systems, comparisons, tests, gap, read_seen(request.seen), sheets, notes)


def read_seen(path: str | None) -> set[str] | None:
    """Return the languages of a mixture, which its manifest names by their share of it; DataError if it has none."""
    if path is None:
        return None
    with Input(path).open() as stream:
        content = stream.read()
    try:
        manifest: Any = decode(content, dict)
    except ValueError as error:
        raise DataError(f"--seen {path}: not JSON: {error}") from error
    codes = set(_codes(manifest.get("figures")))
    if not codes:
        raise DataError(f"--seen {path}: no languages in this file; give what llamax mix --manifest wrote")
    return codes


def _codes(figures: Any) -> Iterator[str]:
    """Yield the languages that are keys of figures, alone, `de`, or as directions, `en-de`."""
    for key, value in figures.items() if isinstance(figures, dict) else ():
        if isinstance(value, dict):
            yield from _codes(value)
        elif isinstance(value, int | float) and value:
            for part in key.rpartition(" ")[2].split("-"):
                if part in languages():
                    yield part


def _rate_centres(systems: Sequence[System]) -> list[str]:
    """Return the languages that rates are around, if there are no scores that say so: those with most directions."""
    counts: dict[str, int] = {}
    for system in systems:
        for direction in system.rates:
            for code in direction:
                counts[code] = counts.get(code, 0) + 1
    most = max(counts.values(), default=0)
    return [code for code, count in counts.items() if 2 * count > most]


def _gap(value: str | None, systems: Sequence[System]) -> tuple[System, System] | None:
    if value is None:
        return None
    by_name = {system.name: system for system in systems}
    first, _, second = value.partition(":")
    if first not in by_name or second not in by_name:
        raise UsageError(f"--gap {value}: not A:B with two of the systems {', '.join(by_name)}")
    return by_name[first], by_name[second]


def render(sheet: tables.Sheet, table_format: str) -> str:
    """Return a table as text; Markdown has its title."""
    if not sheet.rows:
        return NOTHING[table_format]
    rows = [
        {escape(key): escape(cell) if isinstance(cell, str) else cell for key, cell in row.items()}
        for row in sheet.rows
    ]
    text = FORMATS[table_format](rows)
    if table_format == "csv":
        return text
    title = escape(sheet.title)
    legend = f"{tables.UNSUPPORTED} no test supports the difference from the best"
    below = legend if tables.UNSUPPORTED in text else ""
    if table_format == "md":
        return f"# {title}\n\n{text}" + (f"\n{below}\n" if below else "")
    return f"% {title}\n{text}" + (f"% {below}\n" if below else "")


def _file_name(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-_.+" else "_" for character in name)
