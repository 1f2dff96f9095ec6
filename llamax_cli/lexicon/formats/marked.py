"""Formats with marks in their lines: hunalign's `target @ source` and mRASP's `EN__hello<TAB>FR__bonjour__1`."""

import re
from collections.abc import Iterable
from functools import cache, partial

from llamax_cli.console import counted
from llamax_cli.errors import RecordError
from llamax_cli.languages import canonical
from llamax_cli.lexicon.dictionaries import (
    Dictionary,
    DictionaryRequest,
    ParsedLines,
    WordPair,
    parse_lines,
    source_name,
)
from llamax_cli.streams.chunks import Chunk

SIDE_SEPARATOR = " @ "
MARKED = re.compile(r"(?P<lang>[A-Za-z][A-Za-z_-]*?)__(?P<text>.*?)(?:__\d+)?")


def open_hunalign(request: DictionaryRequest, path: str) -> Dictionary:
    """Open a dictionary of hunalign: the lines of `hu-en.dic` are `English @ Hungarian`."""
    source, target = request.language_pair(path)
    return Dictionary(source_name(path), request.lines(path), partial(_parse_hunalign, source, target))


def _parse_hunalign(source: str, target: str, chunk: Chunk) -> ParsedLines:
    def parse_line(line: str) -> Iterable[WordPair]:
        sides = line.split(SIDE_SEPARATOR)
        if len(sides) != 2:
            raise RecordError(f"{counted(len(sides), 'side')} separated by ' @ ' instead of 2")
        return ((source, sides[1], target, sides[0]),)

    return parse_lines(chunk, parse_line)


def open_mrasp(request: DictionaryRequest, path: str) -> Dictionary:
    """Open a dictionary of mRASP, in which each word is marked with its language."""
    return Dictionary(source_name(path), request.lines(path), _parse_mrasp)


def _parse_mrasp(chunk: Chunk) -> ParsedLines:
    return parse_lines(chunk, _parse_mrasp_line)


def _parse_mrasp_line(line: str) -> Iterable[WordPair]:
    cells = line.split("\t")
    if len(cells) != 2:
        raise RecordError(f"{counted(len(cells), 'column')} instead of 2")
    first, second = (MARKED.fullmatch(cell) for cell in cells)
    if first is None or second is None:
        raise RecordError("a side does not begin with its language, as EN__hello does")
    return ((_canonical(first["lang"]), first["text"], _canonical(second["lang"]), second["text"]),)


@cache
def _canonical(code: str) -> str:
    return canonical(code)
