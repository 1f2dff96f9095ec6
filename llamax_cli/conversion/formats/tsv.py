"""Tab-separated tables: two columns (Tatoeba), many with a header (TED), or columns named or numbered by the user."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llamax_cli.conversion.segments import NOTHING, Corpus, CorpusRequest, Segment, language_in
from llamax_cli.errors import DataError, LanguageError, UsageError
from llamax_cli.languages import canonical, known
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, bare, texts

ABSENT = {"", "__NULL__"}  # an empty cell, and what the TED corpus writes into one
IN_NAME = re.compile(
    r"(?:^|[._])(?P<first>[A-Za-z]{2,3}(?:_[A-Za-z]{4})?)-(?P<second>[A-Za-z]{2,3}(?:_[A-Za-z]{4})?)(?:[._]|$)"
)


@dataclass(frozen=True)
class TsvTable:
    """Rows of one file; no quoting, a cell is what stands between two tabs."""

    name: str
    source: Input
    request: CorpusRequest
    columns: Mapping[str, int]  # by language, counted from 0
    others: Mapping[str, int] = field(default_factory=dict)  # further columns that are kept, by name
    width: int = 0  # columns of every row, 0 for as many as are used or more
    header: bool = False

    @property
    def languages(self) -> Sequence[str]:
        """The languages, in the order of the columns."""
        return sorted(self.columns, key=lambda language: self.columns[language])

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the rows; a cell that is empty is an absent translation (None)."""
        places = [self.columns[language] for language in languages]
        needed = max(self.columns.values()) + 1
        rows = enumerate(texts(self.source), 1)
        if self.header:
            next(rows, None)
        for number, row in rows:
            if isinstance(row, Bad):
                self.request.reject(self.source.name, number, *row)
                continue
            if not row:
                yield Segment(number - self.header, [None] * len(places))
                continue
            cells = row.split("\t")
            if len(cells) != self.width if self.width else len(cells) < needed:
                reason = f"{len(cells)} columns instead of {self.width or needed}; --columns can choose some"
                self.request.reject(self.source.name, number, reason, row.encode())
                continue
            found = [None if cells[place] in ABSENT else cells[place] for place in places]
            yield Segment(number - self.header, found, self._rest(cells) if self.others else NOTHING)

    def _rest(self, cells: list[str]) -> Mapping[str, Any]:
        return {name: cells[place] for name, place in self.others.items() if place < len(cells) and cells[place]}


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return one corpus for each table; its columns come from `--columns`, `--langs`, its name or its header."""
    return [_open(path, request) for path in request.paths]


def _open(path: str, request: CorpusRequest) -> TsvTable:
    source = request.input(path)
    head = source.head()
    if not head:
        raise DataError(f"{source.name} is empty; is the download complete?")
    first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[0].removesuffix(b"\r").decode(errors="replace").split("\t")
    name = request.corpus_name(path, without=".tsv")
    languages = request.languages or _in_name(path)
    if request.columns and not _by_header(request.columns):
        return TsvTable(name, source, request, {code: int(place) - 1 for code, place in request.columns.items()})
    if languages and not request.columns:
        columns = {code: place for place, code in enumerate(languages)}
        header = [known(cell) for cell in first] == list(languages)
        return TsvTable(name, source, request, columns, width=len(languages), header=header)
    columns, others = _named(first, request, source.name)
    return TsvTable(name, source, request, columns, others, len(first), header=True)


def _by_header(columns: Mapping[str, str]) -> bool:
    return not all(place.isdecimal() and int(place) > 0 for place in columns.values())


def _in_name(path: str) -> list[str]:
    """Return the two languages in a file name: `_in_name("tatoeba/eng-cmn_Hans.tsv") -> ["en", "zh"]`."""
    found = IN_NAME.search(bare(path).removesuffix(".tsv"))
    try:
        return [canonical(found["first"]), canonical(found["second"])] if found else []
    except LanguageError:
        return []


def _named(header: list[str], request: CorpusRequest, name: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return the columns that are languages, and the others, by the first row and `--columns`."""
    columns = {code: _place(column, header, name) for code, column in request.columns.items()}
    others: dict[str, int] = {}
    for place, cell in enumerate(header):
        code = language_in(cell)
        if place in columns.values():
            continue
        if code is None or code in request.columns:
            others[cell] = place
        elif code in columns:
            raise UsageError(
                f"{name}: {header[columns[code]]!r} and {cell!r} are both {code}; choose: --columns {code}={cell}"
            )
        else:
            columns[code] = place
    if not columns:
        raise UsageError(f"{name}: which column is which language? Say --langs en,zh or --columns en=1,zh=2")
    return columns, others


def _place(column: str, header: list[str], name: str) -> int:
    """Return where a column is that the user names or numbers."""
    if column in header:
        return header.index(column)
    if column.isdecimal() and 0 < int(column) <= len(header):
        return int(column) - 1
    raise UsageError(f"{name}: no column {column!r}; it has {', '.join(header)}")
