"""FreeDict's dictionaries, from their sources in TEI or as they are packed for dictd.

TEI     `eng-deu.tei`: <entry><form><orth>dog</orth></form><sense><cit type="trans"><quote>Hund</quote></cit></sense>
        as FreeDict's HOWTO (https://github.com/freedict/fd-dictionaries/wiki) describes; translations of examples,
        which are inside another <cit>, are not words.
dictd   `eng-deu.dict.dz` beside `eng-deu.index`. A line of the index is a headword, and where its entry begins and how
        long it is, as numbers to the base of 64. There headwords lack capitals and punctuation, and some entries stand
        several times; so they are taken from the text of the entry, whose first line is the headword with its
        pronunciation. Then comes a line for each sense, with its translations between commas. Checked against Debian's
        packages dict-freedict-eng-deu and dict-freedict-eng-fra.

Notes in brackets are left out. Files without a translation, and headwords of dictd's own entries (00database...), are
passed over.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from llamax_cli.conversion.formats.markup import Parser
from llamax_cli.errors import DataError, FileError, RecordError
from llamax_cli.lexicon.dictionaries import (
    Dictionary,
    DictionaryRequest,
    ParsedLines,
    WordPair,
    parse_lines,
    source_name,
)
from llamax_cli.lexicon.formats.two_columns import strip_notes
from llamax_cli.streams.chunks import Chunk
from llamax_cli.streams.inputs import Input

BATCH = 2000  # lines in a chunk
LARGEST = 1 << 30  # bytes of text
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
VALUES = {digit: value for value, digit in enumerate(DIGITS)}
TRANSLATION = {"trans", "translation", "equivalent"}  # types of <cit>
HEADWORDS, WORDS = {"orth"}, {"quote", "tr"}
OWN_ENTRIES = ("00database", "00-database")
SENSE_NUMBER = re.compile(r"^\s*(?:\d+\.|[a-z]\)|-)\s*")
GRAMMAR = re.compile(r"<[^<>]*>|(?<!\S)/[^/]*/|\[[^\[\]]*\]|\([^()]*\)")
BREAKS = re.compile(r"[\t\r\n]+")


def open_tei(request: DictionaryRequest, path: str) -> Dictionary:
    """Open a dictionary in TEI; its name tells the languages, as `eng-deu.tei` does, or `--langs`."""
    languages = request.language_pair(path)
    chunks = _chunks(path, _tei_rows(request.input(path)))
    return Dictionary(source_name(path).removesuffix(".tei"), chunks, partial(_parse, *languages))


def _tei_rows(source: Input) -> Iterator[tuple[int, str, str]]:
    reader = _TeiReader(source)
    for _ in reader.parser.parse():
        yield from reader.rows
        reader.rows.clear()
    if not reader.is_tei:
        raise DataError(f"{source.name}: not TEI: no <TEI> in it")


class _TeiReader:
    """Reads a file once: `rows` collects line, headword and translation while `parser` parses."""

    def __init__(self, source: Input) -> None:
        self.parser = Parser(source, self._start, self._end)
        self.rows: list[tuple[int, str, str]] = []
        self.is_tei = False
        self._path: list[str] = []
        self._citations: list[str] = []  # the types of the open <cit>
        self._line = 0
        self._headwords: list[str] = []
        self._words: list[str] = []

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self.is_tei = self.is_tei or name in ("TEI", "TEI.2")
        self._path.append(name)
        if name == "entry":
            self._headwords, self._words, self._line = [], [], self.parser.line
        elif name == "cit":
            self._citations.append(attributes.get("type", ""))
        if self._is_word(name):
            self.parser.start_text()

    def _is_word(self, name: str) -> bool:
        if name in HEADWORDS:
            return "cit" not in self._path and "sense" not in self._path
        own = len(self._citations) == 1 and self._citations[0] in TRANSLATION
        return name == "tr" or (name in WORDS and own)

    def _end(self, tag: str) -> None:
        name = self._path[-1]
        if self._is_word(name):
            word = self.parser.end_text().strip()
            (self._headwords if name in HEADWORDS else self._words).append(word)
        self._path.pop()
        if name == "cit":
            self._citations.pop()
        elif name == "entry":
            self.rows += [(self._line, head, word) for head in self._headwords for word in self._words if head and word]


def open_dictd(request: DictionaryRequest, path: str) -> Dictionary:
    """Open a dictionary of dictd, `eng-deu.dict.dz` or `eng-deu.dict`, with the index beside it; DataError without."""
    languages = request.language_pair(path)
    stem = re.sub(r"\.dict(\.dz)?$", "", path)
    index = next((found for found in (f"{stem}.index", f"{stem}.index.gz") if Path(found).is_file()), None)
    if index is None:
        raise FileError(f"{path}: no index beside it; its name would be {stem}.index")
    rows = _dictd_rows(request.input(path), request.input(index))
    return Dictionary(source_name(stem), _chunks(path, rows), partial(_parse, *languages))


def _dictd_rows(source: Input, index: Input) -> Iterator[tuple[int, str, str]]:
    data = _whole(source)
    lines = b"".join(index.blocks()).split(b"\n")
    seen: set[int] = set()  # where entries begin
    for number, line in enumerate(lines, 1):
        cells = line.decode(errors="surrogateescape").rstrip("\r").split("\t")
        if len(cells) < 3 or cells[0].startswith(OWN_ENTRIES):
            if line.strip() and len(cells) < 3:
                raise DataError(f"{index.name}:{number}: {len(cells)} columns instead of 3; not an index of dictd")
            continue
        begin, length = _number(cells[1], index.name, number), _number(cells[2], index.name, number)
        if begin + length > len(data):
            raise DataError(
                f"{index.name}:{number}: an entry beyond the end of {source.name}; are they of one release?"
            )
        if begin in seen:
            continue
        seen.add(begin)
        text = data[begin : begin + length].decode(errors="surrogateescape")  # rejected as a line that is not text
        for head in headwords_of(text):
            yield from ((number, head, word) for word in translations_of(text))


def _whole(source: Input) -> bytes:
    """Return all of a file, which is some megabytes; a .dz is gzip, with more in its header."""
    blocks, size = [], 0
    for block in source.blocks():
        blocks.append(block)
        size += len(block)
        if size > LARGEST:
            raise DataError(f"{source.name}: more than {LARGEST >> 20} MiB of text, which no dictionary of dictd has")
    return b"".join(blocks)


def _number(digits: str, name: str, line: int) -> int:
    """Return a number of an index: `_number("BA", ...) -> 64`."""
    value = 0
    for digit in digits:
        if digit not in VALUES:
            raise DataError(f"{name}:{line}: {digits!r} is not a number to the base of 64; not an index of dictd")
        value = value * 64 + VALUES[digit]
    return value


def headwords_of(text: str) -> Iterator[str]:
    """Yield the headwords in the first line of an entry: `headwords_of("Moon, Luna /muːn/ <n>") -> "Moon", "Luna"`."""
    return _words(text.partition("\n")[0])


def _words(line: str) -> Iterator[str]:
    plain = GRAMMAR.sub(" ", line)
    return (word for part in re.split("[,;]", plain) if (word := " ".join(part.split())))


def translations_of(text: str) -> Iterator[str]:
    """Yield the translations in an entry of dictd, which are after its first line.

    `translations_of("dog /dɒg/ <n>\\n1. Hund [zool.], Köter\\n    \\"a dog's life\\"") -> "Hund", "Köter"`
    """
    for line in text.split("\n")[1:]:
        if line.lstrip().startswith(('"', "Synonym", "see:", "Note:")) or not line.strip():
            continue  # an example, or a word about the word
        yield from _words(SENSE_NUMBER.sub("", line))


def _chunks(name: str, rows: Iterable[tuple[int, str, str]]) -> Iterator[Chunk]:
    """Yield rows as lines with a tab, in chunks."""
    batch: list[str] = []
    first = 1
    for line, head, word in rows:
        first = first if batch else line
        batch.append(f"{BREAKS.sub(' ', head)}\t{BREAKS.sub(' ', word)}\n")
        if len(batch) == BATCH:
            yield Chunk(name, first, "".join(batch).encode(errors="surrogateescape"))
            batch = []
    if batch:
        yield Chunk(name, first, "".join(batch).encode(errors="surrogateescape"))


def _parse(language: str, other_language: str, chunk: Chunk) -> ParsedLines:
    def parse_line(line: str) -> Iterable[WordPair]:
        word, _, other_word = line.partition("\t")
        try:
            return ((language, strip_notes(word), other_language, strip_notes(other_word)),)
        except RecordError:
            notes.append(line)
            return ()

    notes: list[str] = []
    parsed = parse_lines(chunk, parse_line)
    parsed.left_out["nothing but notes"] += len(notes)
    return parsed
