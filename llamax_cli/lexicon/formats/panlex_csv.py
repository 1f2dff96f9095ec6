"""PanLex's own export: tables of language varieties, expressions and denotations.

Expressions with a meaning in common are translations of one another. The tables are joined by sorting, so that the
whole of PanLex (25 million expressions) needs little memory.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, groupby
from pathlib import Path
from typing import NamedTuple

from llamax_cli.errors import DataError
from llamax_cli.languages import known, languages
from llamax_cli.lexicon.dictionaries import Dictionary, DictionaryRequest, Pair, each_line
from llamax_cli.streams.chunks import Chunk
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.sorting import SortedRuns

WIDTH = 12  # digits of an identifier, so that they sort as numbers do


class Variety(NamedTuple):
    """A row of langvar.csv."""

    lang_code: str
    var_code: str
    script: str  # the expression that names its script


@dataclass(frozen=True)
class Export:
    """The folder of an export."""

    folder: Path
    request: DictionaryRequest

    def input(self, name: str) -> Input:
        """Return one of its tables."""
        return self.request.input(str(self.folder / name))

    def chunks(self) -> Iterator[Chunk]:
        """Yield a line for each meaning: language and text of one expression after the other, tabs between."""
        codes = self._codes()
        with SortedRuns() as meanings:
            with SortedRuns() as expressions:
                expressions.add(self._by_expression(codes))
                meanings.add(_by_meaning(_rows(expressions)))
            lines = (
                "\t".join(cell for row in group for cell in row[1:]) + "\n"
                for _, group in groupby(_rows(meanings), key=lambda row: row[0])
            )
            yield from _blocks(str(self.folder), lines)

    def _codes(self) -> Mapping[str, str]:
        """Return the language code of each variety by its identifier; varieties that are no language are left out."""
        rows = _table(self.input("langvar.csv"), ("id", "lang_code", "var_code"), ("script_expr",))
        varieties = {row[0]: Variety(row[1], row[2].zfill(3), row[3]) for row in rows}
        scripts = self._scripts({each.script for each in varieties.values()})
        usual = {each.lang_code: scripts.get(each.script) for each in varieties.values() if each.var_code == "000"}
        found = {key: _code(each, scripts.get(each.script), usual) for key, each in varieties.items()}
        return {key: code for key, code in found.items() if code}

    def _scripts(self, wanted: set[str]) -> Mapping[str, str]:
        """Return the script that each of these expressions names: {"1234": "Latn"}."""
        rows = _table(self.input("expr.csv"), ("id", "txt")) if wanted - {""} else ()
        return {row[0]: row[1] for row in rows if row[0] in wanted and len(row[1]) == 4}

    def _by_expression(self, codes: Mapping[str, str]) -> Iterator[str]:
        for expression, variety, text in _table(self.input("expr.csv"), ("id", "langvar", "txt")):
            plain = " ".join(text.split())
            if variety not in codes:
                self.request.tally["in unknown languages"] += 1
            elif plain:
                yield f"{expression.zfill(WIDTH)}\t\t{codes[variety]}\t{plain}"
        for meaning, expression in _table(self.input("denotation.csv"), ("meaning", "expr")):
            yield f"{expression.zfill(WIDTH)}\t{meaning.zfill(WIDTH)}"


def _code(variety: Variety, script: str | None, usual: Mapping[str, str | None]) -> str | None:
    """Return the language of a variety, with its script where that is not the one its language is written in."""
    plain = known(variety.lang_code)
    if plain is None or script is None:
        return plain
    entry = languages().get(plain)
    own = entry.script if entry else usual.get(variety.lang_code, script)
    return plain if script == own else known(f"{variety.lang_code}-{script}") or plain


def open_export(request: DictionaryRequest, path: str) -> Dictionary:
    """Open the folder of an export."""
    export = Export(Path(path), request)
    return Dictionary(Path(path).resolve().name, export.chunks(), partial(each_line, read=_pairs))


def _pairs(line: str) -> Iterable[Pair]:
    cells = line.split("\t")
    words = list(zip(cells[::2], cells[1::2], strict=True))
    return ((*one, *other) for one, other in combinations(words, 2) if one[0] != other[0])


def _rows(runs: SortedRuns) -> Iterator[list[str]]:
    for block in runs.merge():
        for row in block:
            yield row.decode().split("\t")


def _by_meaning(rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield the language and text of each denotation, by meaning; an expression comes before its denotations."""
    latest, word = "", ""
    for expression, meaning, *rest in rows:
        if not meaning:
            latest, word = expression, "\t".join(rest)
        elif expression == latest:
            yield f"{meaning}\t{word}"


def _blocks(name: str, lines: Iterable[str]) -> Iterator[Chunk]:
    begun: list[str] = []
    first = 1
    for line in lines:
        begun.append(line)
        if len(begun) == 2000:
            yield Chunk(name, first, "".join(begun).encode())
            first, begun = first + len(begun), []
    if begun:
        yield Chunk(name, first, "".join(begun).encode())


def _table(source: Input, needed: Sequence[str], optional: Sequence[str] = ()) -> Iterator[list[str]]:
    """Yield these columns of every row of a CSV table; an optional one that is not there is empty."""
    with source.open() as stream, source.readable():
        reader = csv.reader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
        try:
            header = next(reader, [])
            if missing := [name for name in needed if name not in header]:
                raise DataError(f"{source.name}: no column {missing[0]!r}; it has {', '.join(header) or 'nothing'}")
            places = [header.index(name) if name in header else len(header) for name in (*needed, *optional)]
            for row in reader:
                if len(row) < len(header):
                    raise DataError(f"{source.name}:{reader.line_num}: {len(row)} columns instead of {len(header)}")
                row.append("")
                yield [row[place] for place in places]
        except UnicodeDecodeError as error:
            raise DataError(f"{source.name}:{reader.line_num}: not UTF-8") from error
        except csv.Error as error:
            raise DataError(f"{source.name}:{reader.line_num}: {error}") from error
