"""Two columns: MUSE, PanLex extracts, GATITOS, and tables with a header of languages."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import combinations

from llamax_cli.errors import DataError, RecordError
from llamax_cli.languages import known
from llamax_cli.lexicon.dictionaries import (
    Dictionary,
    DictionaryRequest,
    Pair,
    Parsed,
    each_line,
    first_lines,
    source_name,
)
from llamax_cli.script import foreign_script
from llamax_cli.streams.chunks import Chunk
from llamax_cli.streams.lines import unmarked

LINK = re.compile(r"\[\[([^\[\]]+)\]\]")  # as in a wiki
NOTE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|（[^（）]*）")
Clean = Callable[[str], str]


def as_given(cell: str) -> str:
    """Return a cell of MUSE: these files have no notes, and the paper counts their words as they are."""
    return cell


def without_notes(cell: str) -> str:
    """Return a word without notes in brackets and without the hyphens of an affix or a stem.

    `without_notes("-tandika (punda)") -> "tandika"`, `without_notes("[[wiki]]") -> "wiki"`
    """
    if cell.isalpha():
        return cell
    plain = NOTE.sub(" ", LINK.sub(r"\1", cell)).strip()
    if not plain and cell.strip():
        raise RecordError(f"{cell!r} is nothing but a note")
    return plain.strip("-\u2010\u2011") or plain


def open_muse(request: DictionaryRequest, path: str) -> Dictionary:
    """Open `src<space or tab>tgt`, one delimiter for the whole file."""
    return _open(request, path, as_given)


def open_noted(request: DictionaryRequest, path: str) -> Dictionary:
    """Open PanLex extracts and GATITOS: two columns with notes and affixes."""
    return _open(request, path, without_notes)


def open_tsv(request: DictionaryRequest, path: str) -> Dictionary:
    """Open a table: two columns, or as many as its header names languages."""
    header = first_lines(request.input(path))[0].split("\t")
    languages = [known(cell.strip()) for cell in header]
    if request.languages or None in languages or len(set(languages)) < max(2, len(header)):
        return _open(request, path, as_given)
    chunks = _without_first_line(unmarked(request.input(path)))
    return Dictionary(source_name(path), chunks, partial(_parse, [str(each) for each in languages], "\t", as_given))


def _open(request: DictionaryRequest, path: str, clean: Clean) -> Dictionary:
    languages = request.pair(path)
    source = request.input(path)
    head = first_lines(source)
    delimiter = "\t" if 2 * sum("\t" in line for line in head) >= len(head) else " "
    if not request.languages:
        _check_languages(source.name, languages, [line.split(delimiter) for line in head])
    return Dictionary(source_name(path), unmarked(source), partial(_parse, languages, delimiter, clean))


def _check_languages(name: str, languages: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Raise DataError where the words of a side are in another script than its language."""
    rows = [row for row in rows if len(row) == 2 and row[0] != row[1]]
    for side, language in enumerate(languages):
        found = foreign_script(language, (row[side] for row in rows))
        if found is not None:
            said = "-".join(languages)
            raise DataError(f"{name}: column {side + 1} is {found}, which is not {language}; say --langs (not {said})")


def _without_first_line(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    for place, chunk in enumerate(chunks):
        cut = 0 if place else chunk.data.index(b"\n") + 1
        yield Chunk(chunk.name, chunk.line + (cut > 0), chunk.data[cut:])


def _parse(languages: Sequence[str], delimiter: str, clean: Clean, chunk: Chunk) -> Parsed:
    width = len(languages)

    def two(line: str) -> Iterable[Pair]:
        first, found, second = line.partition(delimiter)
        if not found or delimiter in second or (delimiter == " " and "\t" in line):
            raise RecordError(_shape(line, delimiter, width))
        return ((one, clean(first), other, clean(second)),)

    def many(line: str) -> Iterable[Pair]:
        cells = line.split(delimiter)
        if len(cells) != width:
            raise RecordError(_shape(line, delimiter, width))
        sides = [side for side in zip(languages, cells, strict=True) if side[1].strip()]
        return ((*first, *second) for first, second in combinations(sides, 2))

    one, other = languages[0], languages[-1]
    return each_line(chunk, two if width == 2 else many)


def _shape(line: str, delimiter: str, width: int) -> str:
    """Return what is wrong with the columns of a line."""
    if not line.strip():
        return "empty line"
    if delimiter == " " and "\t" in line:
        return "a tab in a file whose columns are parted by spaces"
    if delimiter == "\t" and "\t" not in line and " " in line.strip():
        return "no tab in a file whose columns are parted by tabs"
    count = line.count(delimiter) + 1
    return f"{count} column{'s' * (count != 1)} instead of {width}"
