"""Entry records, and compiled lexicons read as entry records."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from llamax_cli.errors import RecordError
from llamax_cli.languages import canonical
from llamax_cli.lexicon.dictionaries import (
    Dictionary,
    DictionaryRequest,
    ParsedLines,
    WordPair,
    normalize_word,
    source_name,
)
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.records import parse, serialise
from llamax_cli.streams.chunks import Chunk
from llamax_cli.streams.lines import unmarked
from llamax_cli.streams.rejects import Reject

BATCH = 2000  # entries in a chunk


class _Entry(msgspec.Struct):
    word: str
    lang: str
    translations: dict[str, list[str]]
    sources: list[str] = []


_decode = msgspec.json.Decoder(_Entry).decode


def open_records(request: DictionaryRequest, path: str) -> Dictionary:
    """Open Entry records."""
    return Dictionary(source_name(path), unmarked(request.input(path)), _parse)


def open_lexicon(request: DictionaryRequest, path: str) -> Dictionary:
    """Open a compiled lexicon; the file is verified first, so that a damaged lexicon yields no entries."""
    for _ in request.input(path).blocks():  # reads the file for its hash in the manifest
        pass
    lexicon = Lexicon(path)
    lexicon.verify()
    return Dictionary(source_name(path), _chunks(lexicon), _parse)


def _chunks(lexicon: Lexicon) -> Iterator[Chunk]:
    batch: list[Any] = []
    line = 1
    for entry in lexicon.entries():
        batch.append(entry)
        if len(batch) == BATCH:
            yield Chunk(lexicon.path, line, serialise(batch))
            line, batch = line + BATCH, []
    if batch:
        yield Chunk(lexicon.path, line, serialise(batch))


def _parse(chunk: Chunk) -> ParsedLines:
    parsed = ParsedLines(one_way=True)
    for number, line in enumerate(chunk.data.split(b"\n")[:-1], chunk.line):
        try:
            _parse_entry(line, parsed)
        except RecordError as error:
            parsed.rejects.append(Reject(chunk.name, number, str(error), line))
    return parsed


def _reason(error: Exception) -> str:
    """Return what is wrong with a record: "no 'word'", "'translations' is not an object of lists of strings"."""
    message = str(error)
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", message):
        return f"no {missing[1]!r}"
    key = re.search(r" - at `\$\.(\w+)", message)
    kinds = {"translations": "an object of lists of strings", "sources": "a list of strings"}
    return f"{key[1]!r} is not {kinds.get(key[1], 'a string')}" if key else message.replace("`", "").lower()


def _parse_entry(line: bytes, parsed: ParsedLines) -> None:
    try:
        entry = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        parse(line)  # raises the usual error if the line is not a record at all
        raise RecordError(f"not an entry of a lexicon: {_reason(error)}") from error
    if serialise([entry]) != line + b"\n":
        parse(line)  # it has other keys, or white space, or a key twice
    lang, word = canonical(entry.lang), normalize_word(entry.word, "word")
    pairs: list[WordPair] = [
        (lang, word, canonical(code), normalize_word(text, "translation"))
        for code, translations in entry.translations.items()
        for text in translations
    ]
    if not pairs:
        raise RecordError("the entry has no translations")
    if any(character in name for name in entry.sources for character in "\0\1\n"):  # separators of rows and sources
        raise RecordError("NUL, U+0001 or a line end in the name of a source")
    parsed.pairs.extend(pairs)
    parsed.sources.extend([entry.sources] * len(pairs))
