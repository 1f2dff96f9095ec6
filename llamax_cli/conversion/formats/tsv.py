"""Tab-separated tables: two columns (Tatoeba), a header (TED), or columns that the user names or numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llamax_cli.console import counted
from llamax_cli.conversion.segments import NO_EXTRA, Corpus, CorpusRequest, Segment, find_column
from llamax_cli.errors import DataError, LanguageError, UsageError
from llamax_cli.language_clues import language_in, languages_of_columns
from llamax_cli.languages import canonical
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, bare, texts

ABSENT = {"", "__NULL__"}  # an empty cell, and how the TED corpus marks one
LANGUAGES_IN_NAME = re.compile(
    r"(?:^|[._])(?P<first>[A-Za-z]{2,3}(?:_[A-Za-z]{4})?)-(?P<second>[A-Za-z]{2,3}(?:_[A-Za-z]{4})?)(?:[._]|$)"
)


@dataclass(frozen=True)
class TsvTable:
    """The rows of a file; a cell is the text between two tabs, without quoting."""

    name: str
    source: Input
    request: CorpusRequest
    columns: Mapping[str, int]  # index by language
    others: Mapping[str, int] = field(default_factory=dict)  # index of the other columns, by name
    width: int = 0  # number of columns of every row, 0 for at least those that are used
    has_header: bool = False

    @property
    def languages(self) -> Sequence[str]:
        """The languages, in the order of the columns."""
        return sorted(self.columns, key=lambda language: self.columns[language])

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the rows; an empty cell is an absent translation (None)."""
        indices = [self.columns[language] for language in languages]
        min_width = max(self.columns.values()) + 1
        rows = enumerate(texts(self.source), 1)
        if self.has_header:
            next(rows, None)
        for number, row in rows:
            if isinstance(row, Bad):
                self.request.reject(self.source.name, number, *row)
                continue
            if not row:
                yield Segment(number - self.has_header, [None] * len(indices))
                continue
            cells = row.split("\t")
            if len(cells) != self.width if self.width else len(cells) < min_width:
                found = counted(len(cells), "column")
                reason = f"{found} instead of {self.width or min_width}; choose columns with --columns"
                self.request.reject(self.source.name, number, reason, row.encode())
                continue
            row_texts = [None if cells[index] in ABSENT else cells[index] for index in indices]
            extra = self._other_cells(cells) if self.others else NO_EXTRA
            yield Segment(number - self.has_header, row_texts, extra)

    def _other_cells(self, cells: list[str]) -> Mapping[str, Any]:
        return {name: cells[index] for name, index in self.others.items() if index < len(cells) and cells[index]}


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each table; its columns come from `--columns`, `--langs`, the file name or the header."""
    return [_open(path, request) for path in request.paths]


def _open(path: str, request: CorpusRequest) -> TsvTable:
    source = request.input(path)
    head = source.head()
    if not head:
        raise DataError(f"{source.name} is empty; is the download complete?")
    first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[0].removesuffix(b"\r").decode(errors="replace").split("\t")
    ending = Path(bare(path)).suffix
    name = request.corpus_name(path, without=ending if ending in {".tsv", ".txt"} else "")
    if request.columns and not _are_named(request.columns):
        return TsvTable(name, source, request, {code: int(number) - 1 for code, number in request.columns.items()})
    if request.columns:
        columns, others = _columns_of_header(first, request, source.name)
        return TsvTable(name, source, request, columns, others, len(first), has_header=True)
    if_id = "if not, choose columns: --columns LANGUAGE=COLUMN,..."
    found = languages_of_columns(source.name, first, request.languages, languages_in_name(path), if_id=if_id)
    if found is None:
        raise UsageError(f"{source.name}: which column is which language? Say --langs en,zh or --columns en=1,zh=2")
    request.conclusions.add_columns(source.name, found, request.languages)
    columns = {}
    for index, code in enumerate(found.languages):
        if code in columns:
            raise _ambiguous(source.name, code, first[columns[code]], first[index])
        if code is not None:
            columns[code] = index
    others = {first[index]: index for index, code in enumerate(found.languages) if code is None}
    return TsvTable(name, source, request, columns, others, len(found.languages), has_header=found.has_header)


def _ambiguous(name: str, code: str, first: str, second: str) -> UsageError:
    return UsageError(f"{name}: {first!r} and {second!r} are both {code}; choose: --columns {code}={second}")


def _are_named(columns: Mapping[str, str]) -> bool:
    """Return whether the user names columns of the header instead of numbering all columns."""
    return not all(column.isdecimal() and int(column) > 0 for column in columns.values())


def languages_in_name(path: str) -> list[str]:
    """Return the two languages in a file name: `languages_in_name("tatoeba/eng-cmn_Hans.tsv") -> ["en", "zh"]`."""
    match = LANGUAGES_IN_NAME.search(bare(path))
    try:
        return [canonical(match["first"]), canonical(match["second"])] if match else []
    except LanguageError:
        return []


def _columns_of_header(header: list[str], request: CorpusRequest, name: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return the indices of the language columns by code, and of the others by name, from header and `--columns`.

    A column `id` is Indonesian only if the user says so.
    """
    columns = {code: _index(column, header, name) for code, column in request.columns.items()}
    others: dict[str, int] = {}
    for index, cell in enumerate(header):
        code = language_in(cell)
        if index in columns.values():
            continue
        if code is None or code in request.columns or cell.lower() == "id":
            others[cell] = index
        elif code in columns:
            raise _ambiguous(name, code, header[columns[code]], cell)
        else:
            columns[code] = index
    return columns, others


def _index(column: str, header: list[str], name: str) -> int:
    """Return the index of a column that the user names or numbers."""
    if found := find_column(column, header):
        return header.index(found)
    if column.isdecimal() and 0 < int(column) <= len(header):
        return int(column) - 1
    raise UsageError(f"{name}: no column {column!r}; it has {', '.join(header)}")
