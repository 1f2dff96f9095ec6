"""PanLex's own export: tables of language varieties, expressions and denotations.

Expressions that share a meaning are translations of each other. The tables are joined by sorting on disk, so that even
the whole of PanLex (25 million expressions) needs little memory.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, groupby
from pathlib import Path
from typing import NamedTuple

from llamax_cli.console import counted
from llamax_cli.errors import DataError
from llamax_cli.languages import known, languages
from llamax_cli.lexicon.dictionaries import Dictionary, DictionaryRequest, WordPair, parse_lines
from llamax_cli.streams.chunks import Chunk
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.sorting import SortedRuns

ID_DIGITS = 12  # identifiers are padded so that they sort like numbers
BATCH = 2000  # lines in a chunk
MAIN_VARIETY = "000"  # var_code, padded
SCRIPT_LENGTH = 4  # of an ISO 15924 code


class Variety(NamedTuple):
    """A language variety: a row of langvar.csv."""

    lang_code: str
    var_code: str
    script: str  # identifier of the expression that names its script


@dataclass(frozen=True)
class Export:
    """A PanLex export: the folder of its tables."""

    folder: Path
    request: DictionaryRequest

    def input(self, name: str) -> Input:
        """Open one of its tables."""
        return self.request.input(str(self.folder / name))

    def chunks(self) -> Iterator[Chunk]:
        """Yield a line for each meaning: the language and the text of each of its expressions, separated by tabs."""
        codes = self._codes()
        with SortedRuns() as meanings:
            with SortedRuns() as expressions:
                expressions.add(self._rows_by_expression(codes))
                meanings.add(_rows_by_meaning(_rows(expressions)))
            lines = (
                "\t".join(cell for row in group for cell in row[1:]) + "\n"
                for _, group in groupby(_rows(meanings), key=lambda row: row[0])
            )
            yield from _chunks(str(self.folder), lines)

    def _codes(self) -> Mapping[str, str]:
        """Return the language code of each variety by its identifier; varieties of unknown languages are left out."""
        rows = _table(self.input("langvar.csv"), ("id", "lang_code", "var_code"), ("script_expr",))
        varieties = {row[0]: Variety(row[1], row[2].zfill(3), row[3]) for row in rows}
        scripts = self._scripts({variety.script for variety in varieties.values()})
        main_scripts = {
            variety.lang_code: scripts.get(variety.script)
            for variety in varieties.values()
            if variety.var_code == MAIN_VARIETY
        }
        codes = {key: _code(variety, scripts.get(variety.script), main_scripts) for key, variety in varieties.items()}
        return {key: code for key, code in codes.items() if code}

    def _scripts(self, expressions: set[str]) -> Mapping[str, str]:
        """Return the script that each of these expressions names, by identifier: {"1234": "Latn"}."""
        rows = _table(self.input("expr.csv"), ("id", "txt")) if expressions - {""} else ()
        return {row[0]: row[1] for row in rows if row[0] in expressions and len(row[1]) == SCRIPT_LENGTH}

    def _rows_by_expression(self, codes: Mapping[str, str]) -> Iterator[str]:
        for expression, variety, text in _table(self.input("expr.csv"), ("id", "langvar", "txt")):
            line = " ".join(text.split())
            if variety not in codes:
                self.request.tally["in unknown languages"] += 1
            elif line:
                yield f"{expression.zfill(ID_DIGITS)}\t\t{codes[variety]}\t{line}"
        for meaning, expression in _table(self.input("denotation.csv"), ("meaning", "expr")):
            yield f"{expression.zfill(ID_DIGITS)}\t{meaning.zfill(ID_DIGITS)}"


def _code(variety: Variety, script: str | None, main_scripts: Mapping[str, str | None]) -> str | None:
    """Return the language code of a variety, with the script if it is not the usual script of the language."""
    language = known(variety.lang_code)
    if language is None or script is None:
        return language
    entry = languages().get(language)
    usual_script = entry.script if entry else main_scripts.get(variety.lang_code, script)
    return language if script == usual_script else known(f"{variety.lang_code}-{script}") or language


def open_export(request: DictionaryRequest, path: str) -> Dictionary:
    """Open the folder of a PanLex export."""
    export = Export(Path(path), request)
    return Dictionary(Path(path).resolve().name, export.chunks(), partial(parse_lines, parse_line=_parse_meaning))


def _parse_meaning(line: str) -> Iterable[WordPair]:
    cells = line.split("\t")
    words = list(zip(cells[::2], cells[1::2], strict=True))
    return ((*first, *second) for first, second in combinations(words, 2) if first[0] != second[0])


def _rows(runs: SortedRuns) -> Iterator[list[str]]:
    for block in runs.merge():
        for row in block:
            yield row.decode().split("\t")


def _rows_by_meaning(rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield the meaning, language and text of each denotation; rows have an expression before its denotations."""
    latest, text = "", ""
    for expression, meaning, *rest in rows:
        if not meaning:
            latest, text = expression, "\t".join(rest)
        elif expression == latest:
            yield f"{meaning}\t{text}"


def _chunks(name: str, lines: Iterable[str]) -> Iterator[Chunk]:
    batch: list[str] = []
    first = 1
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield Chunk(name, first, "".join(batch).encode())
            first, batch = first + len(batch), []
    if batch:
        yield Chunk(name, first, "".join(batch).encode())


def _table(source: Input, needed: Sequence[str], optional: Sequence[str] = ()) -> Iterator[list[str]]:
    """Yield the given columns of every row of a CSV table; an optional column that is missing is empty."""
    with source.open() as stream, source.readable():
        reader = csv.reader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
        try:
            header = next(reader, [])
            if missing := [name for name in needed if name not in header]:
                raise DataError(f"{source.name}: no column {missing[0]!r}; it has {', '.join(header) or 'nothing'}")
            indices = [header.index(name) if name in header else len(header) for name in (*needed, *optional)]
            for row in reader:
                if len(row) < len(header):
                    raise DataError(
                        f"{source.name}:{reader.line_num}: {counted(len(row), 'column')} instead of {len(header)}"
                    )
                row.append("")
                yield [row[index] for index in indices]
        except UnicodeDecodeError as error:
            raise DataError(f"{source.name}:{reader.line_num}: not UTF-8") from error
        except csv.Error as error:
            raise DataError(f"{source.name}:{reader.line_num}: {error}") from error
