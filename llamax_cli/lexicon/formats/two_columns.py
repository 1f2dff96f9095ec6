"""Formats with two columns (MUSE, PanLex extracts, GATITOS), and tables whose header names the languages."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import combinations

from llamax_cli.console import counted
from llamax_cli.errors import DataError, RecordError, UsageError
from llamax_cli.language_clues import languages_of_columns
from llamax_cli.lexicon.dictionaries import (
    Dictionary,
    DictionaryRequest,
    ParsedLines,
    WordPair,
    head_lines,
    languages_in,
    parse_lines,
    source_name,
)
from llamax_cli.script import foreign_script
from llamax_cli.streams.chunks import Chunk

WIKI_LINK = re.compile(r"\[\[([^\[\]]+)\]\]")
NOTE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|（[^（）]*）")
Clean = Callable[[str], str]


def verbatim(cell: str) -> str:
    """Return a cell unchanged: MUSE has no notes, and the paper counts its words as given."""
    return cell


def strip_notes(cell: str) -> str:
    """Return a word without notes in brackets, and without the hyphens that mark an affix or a stem.

    `strip_notes("-tandika (punda)") -> "tandika"`, `strip_notes("[[wiki]]") -> "wiki"`
    """
    if cell.isalpha():
        return cell
    plain = NOTE.sub(" ", WIKI_LINK.sub(r"\1", cell)).strip()
    if not plain and cell.strip():
        raise RecordError(f"{cell!r} is nothing but a note")
    return plain.strip("-\u2010\u2011") or plain


def open_muse(request: DictionaryRequest, path: str) -> Dictionary:
    """Open lines `source target`, separated by a space or a tab; a whole file uses the same delimiter."""
    return _open(request, path, verbatim)


def open_annotated(request: DictionaryRequest, path: str) -> Dictionary:
    """Open a PanLex extract or GATITOS: two columns that may contain notes and affixes."""
    return _open(request, path, strip_notes)


def open_tsv(request: DictionaryRequest, path: str) -> Dictionary:
    """Open a table: two columns, or one column for each language in its header."""
    source = request.input(path)
    first = [cell.strip() for cell in head_lines(source)[0].split("\t")]
    if_id = "if not, remove it"
    found = languages_of_columns(source.name, first, request.languages, languages_in(path), if_id=if_id)
    if found is None or not found.has_header:
        return _open(request, path, verbatim)
    languages = [code for code in found.languages if code]
    if len(set(languages)) < max(2, len(first)):
        raise UsageError(f"{source.name}: the columns {', '.join(first)} are not one language each; remove the others")
    request.conclusions.add_columns(source.name, found, request.languages)
    return Dictionary(
        source_name(path), _without_first_line(request.lines(path)), partial(_parse, languages, "\t", verbatim)
    )


def _open(request: DictionaryRequest, path: str, clean: Clean) -> Dictionary:
    languages = request.language_pair(path)
    source = request.input(path)
    head = head_lines(source)
    delimiter = "\t" if 2 * sum("\t" in line for line in head) >= len(head) else " "
    if not request.languages:
        _check_languages(source.name, languages, [line.split(delimiter) for line in head])
    return Dictionary(source_name(path), request.lines(path), partial(_parse, languages, delimiter, clean))


def _check_languages(name: str, languages: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Raise DataError if the words of a column are not in the script of its language."""
    rows = [row for row in rows if len(row) == 2 and row[0] != row[1]]
    for side, language in enumerate(languages):
        script = foreign_script(language, (row[side] for row in rows))
        if script is not None:
            pair = "-".join(languages)
            raise DataError(
                f"{name}: column {side + 1} is in the script {script}, which is not used for {language}; "
                f"give the right languages with --langs instead of {pair}"
            )


def _without_first_line(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    for number, chunk in enumerate(chunks):
        cut = 0 if number else chunk.data.index(b"\n") + 1
        yield Chunk(chunk.name, chunk.line + (cut > 0), chunk.data[cut:])


def _parse(languages: Sequence[str], delimiter: str, clean: Clean, chunk: Chunk) -> ParsedLines:
    width = len(languages)

    def parse_pair(line: str) -> Iterable[WordPair]:
        word, separator, other_word = line.partition(delimiter)
        if not separator or delimiter in other_word or (delimiter == " " and "\t" in line):
            raise RecordError(_describe_columns(line, delimiter, width))
        return ((lang, clean(word), other_lang, clean(other_word)),)

    def parse_row(line: str) -> Iterable[WordPair]:
        cells = line.split(delimiter)
        if len(cells) != width:
            raise RecordError(_describe_columns(line, delimiter, width))
        sides = [side for side in zip(languages, cells, strict=True) if side[1].strip()]
        return ((*first, *second) for first, second in combinations(sides, 2))

    lang, other_lang = languages[0], languages[-1]
    return parse_lines(chunk, parse_pair if width == 2 else parse_row)


def _describe_columns(line: str, delimiter: str, width: int) -> str:
    """Return why a line with wrong columns is rejected."""
    if not line.strip():
        return "empty line"
    if delimiter == " " and "\t" in line:
        return "a tab in a file whose columns are separated by spaces"
    if delimiter == "\t" and "\t" not in line and " " in line.strip():
        return "no tab in a file whose columns are separated by tabs"
    count = line.count(delimiter) + 1
    return f"{counted(count, 'column')} instead of {width}"
