"""The outputs of build-lexicon: entries as records, a compiled lexicon, statistics, and the list of named lexicons."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from llamax_cli.console import counted, print_table
from llamax_cli.errors import UsageError
from llamax_cli.lexicon.builder import BuildContext
from llamax_cli.lexicon.catalog import ENDING, describe_lexicons, path_of
from llamax_cli.lexicon.rows import BuildOptions
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.lexicon.store.writer import LexiconWriter
from llamax_cli.records import Entry
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import Table


def destination(run: Run, name: str | None, *, stats: bool) -> Path | None:
    """Return the path of the compiled lexicon to write, or None if records are to be written."""
    output = run.settings.output
    if name is not None and output is not None:
        raise UsageError("--name and -o both set the output file: give only one of them")
    path = path_of(name) if name is not None else output if output is not None and output.suffix == ENDING else None
    if output is not None and ENDING in output.suffixes[:-1]:
        raise UsageError(
            f"-o {output}: a compiled lexicon cannot be compressed, because it is read in place; drop {output.suffix}"
        )
    if path is not None and stats:
        raise UsageError(
            "--stats writes records, not a compiled lexicon: build the lexicon first, then run --stats on it"
        )
    if path is not None:
        run.writes_elsewhere()
    return path


def context(run: Run) -> BuildContext:
    """Return what a build needs from its run."""
    run.merges = True
    return BuildContext(run.reject, run.tally, run.add_read, run.start_phase, run.settings.workers)


def write(run: Run, entries: Iterable[Entry], statistics: dict[str, LanguageStatistics], path: Path | None) -> None:
    """Write entries to `path` as a compiled lexicon, or as records if it is None."""
    if path is None:
        run.write(entries)
    else:
        output = LexiconWriter(path, statistics)
        run.write(entries, encode=output.encode, output=output)
    _remark(run)


def write_stats(
    run: Run,
    entries: Iterable[Entry],
    statistics: dict[str, LanguageStatistics],
    options: BuildOptions,
    table: str | None = None,
) -> None:
    """Write a record of statistics for each language, or all of them as a table in one of its formats.

    A whole compiled lexicon already contains its statistics.
    """
    files = run.settings.files
    if len(files) == 1 and files[0].endswith(ENDING) and options == BuildOptions(keep_identical=options.keep_identical):
        statistics, entries = dict(Lexicon(files[0]).statistics), ()

    def records() -> Iterator[dict[str, Any]]:
        for _ in entries:
            pass
        for lang, counts in sorted(statistics.items()):
            yield counts.record(lang)

    run.write(records(), output=Table(run.settings.output, table) if table else None)
    _remark(run)


def write_list(run: Run) -> None:
    """Write a record for each named lexicon, or print a table of them on a terminal."""
    if run.settings.output is None and sys.stdout is not None and sys.stdout.isatty():
        print_table(["name", "entries", "languages", "size"], list(map(_table_row, describe_lexicons())))
    else:
        run.write(describe_lexicons())


def _table_row(record: dict[str, Any]) -> list[str]:
    if "error" in record:
        return [record["name"], record["error"], "", ""]
    size = f"{record['bytes'] / 1e6:,.1f} MB"
    return [record["name"], f"{record['entries']:,}", str(len(record["languages"])), size]


def _remark(run: Run) -> None:
    """Add the numbers of pairs that were read and left out to the summary."""
    counts = {reason: count for reason, count in run.tally.items() if reason != "pairs" and count}
    if run.tally["pairs"]:
        left_out = "".join(f", {count:,} {reason}" for reason, count in sorted(counts.items()))
        run.remarks.append(f"{counted(run.tally['pairs'], 'pair')} read{left_out}")
