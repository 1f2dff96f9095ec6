"""Entry records, and compiled lexicons read back as such."""

from collections.abc import Iterator
from typing import Any

import msgspec

from llamax_cli.errors import RecordError
from llamax_cli.languages import canonical
from llamax_cli.lexicon.dictionaries import Dictionary, DictionaryRequest, Pair, Parsed, source_name, tidy
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.records import parse, serialise
from llamax_cli.streams.chunks import Chunk
from llamax_cli.streams.lines import unmarked
from llamax_cli.streams.rejects import Reject

BATCH = 2000  # entries of a lexicon in a chunk


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
    """Open a compiled lexicon; its file is read end to end first, so that a damaged one gives nothing."""
    for _ in request.input(path).blocks():  # for the manifest
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


def _parse(chunk: Chunk) -> Parsed:
    found = Parsed(directed=True)
    for number, line in enumerate(chunk.data.split(b"\n")[:-1], chunk.line):
        try:
            _read(line, found)
        except RecordError as error:
            found.rejects.append(Reject(chunk.name, number, str(error), line))
    return found


def _read(line: bytes, found: Parsed) -> None:
    try:
        entry = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        parse(line)  # what is wrong with any record is said there
        raise RecordError(f"no Entry: {str(error).replace('`', '')}") from error
    lang, word = canonical(entry.lang), tidy(entry.word, "word's")
    made: list[Pair] = [
        (lang, word, canonical(code), tidy(text, "translation's"))
        for code, translations in entry.translations.items()
        for text in translations
    ]
    if not made:
        raise RecordError("the entry has no translations")
    if any(sign in name for name in entry.sources for sign in "\0\1\n"):  # what stands between rows and sources
        raise RecordError("NUL, U+0001 or a line end in the name of a source")
    found.pairs.extend(made)
    found.sources.extend([entry.sources] * len(made))
