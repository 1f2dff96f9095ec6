"""Dictionaries as lines of JSON: extracts of Wiktionary, and GATITOS as it is published with SMOL.

Wiktionary   {"word": "dog", "lang_code": "en", "translations": [{"lang_code": "de", "word": "Hund"}, ...], ...}
             as wiktextract writes them and kaikki.org publishes them (https://github.com/tatuylonen/wiktextract);
             translations may also stand in the senses, and older files call their language `code`.
GATITOS      {"sl": "en", "tl": "sw", "src": "dog", "trgs": ["mbwa"]} (https://huggingface.co/datasets/google/smol)
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from llamax_cli.errors import RecordError
from llamax_cli.languages import canonical, known
from llamax_cli.lexicon.dictionaries import (
    Dictionary,
    DictionaryRequest,
    ParsedLines,
    WordPair,
    normalize_word,
    source_name,
)
from llamax_cli.lexicon.formats.two_columns import strip_notes
from llamax_cli.records import Record, parse, text, value
from llamax_cli.streams.chunks import Chunk, Tally
from llamax_cli.streams.lines import unmarked
from llamax_cli.streams.rejects import Reject

UNKNOWN = "in unknown languages"


def open_wiktionary(request: DictionaryRequest, path: str) -> Dictionary:
    """Open an extract of Wiktionary; translations into languages without a code are counted."""
    return Dictionary(source_name(path), unmarked(request.input(path)), _parse_wiktionary)


def open_gatitos(request: DictionaryRequest, path: str) -> Dictionary:
    """Open GATITOS's lines of JSON."""
    return Dictionary(source_name(path), unmarked(request.input(path)), _parse_gatitos)


def is_wiktionary(line: str) -> bool:
    """Return whether a first line is that of an extract of Wiktionary."""
    return '"lang_code"' in line and '"word"' in line


def is_gatitos(line: str) -> bool:
    """Return whether a first line is that of GATITOS."""
    return '"sl"' in line and '"trgs"' in line


def _parse_wiktionary(chunk: Chunk) -> ParsedLines:
    return _parse_lines(chunk, _entry_pairs)


def _parse_gatitos(chunk: Chunk) -> ParsedLines:
    return _parse_lines(chunk, _gatitos_pairs)


def _parse_lines(chunk: Chunk, pairs: Any) -> ParsedLines:
    parsed = ParsedLines()
    for number, line in enumerate(chunk.data.split(b"\n")[:-1], chunk.line):
        try:
            parsed.pairs += pairs(parse(line), parsed.left_out)
        except RecordError as error:
            parsed.rejects.append(Reject(chunk.name, number, str(error), line))
    return parsed


def _entry_pairs(record: Record, left_out: Tally) -> list[WordPair]:
    if "redirect" in record or "word" not in record:
        return []  # a page that only points to another
    language = _known(text(record, "lang_code"))
    if language is None:
        left_out[UNKNOWN] += 1
        return []
    word = normalize_word(text(record, "word"), "word")
    found: dict[WordPair, None] = {}
    for translation in _translations(record):
        code = translation.get("lang_code") or translation.get("code")
        other = _known(code) if isinstance(code, str) else None
        other_word = translation.get("word")
        if not isinstance(other_word, str) or not other_word.strip():
            continue  # a note about the translation
        if other is None or other == language:
            left_out[UNKNOWN if other is None else "in one language"] += 1
            continue
        try:
            found[(language, word, other, normalize_word(strip_notes(other_word), "translation"))] = None
        except RecordError:
            left_out["nothing but notes"] += 1
    return list(found)


def _translations(record: Record) -> Iterator[dict[str, Any]]:
    """Yield the translations of an entry and of its senses."""
    lists = [value(record, "translations")] if "translations" in record else []
    senses = value(record, "senses") if "senses" in record else []
    if not isinstance(senses, list):
        raise RecordError("'senses' is not a list")
    lists += [sense.get("translations", []) for sense in senses if isinstance(sense, dict)]
    for each in lists:
        if not isinstance(each, list):
            raise RecordError("'translations' is not a list")
        yield from (translation for translation in each if isinstance(translation, dict))


@cache
def _known(code: str) -> str | None:
    return known(code)


def _gatitos_pairs(record: Record, _: Tally) -> Iterable[WordPair]:
    languages = canonical(text(record, "sl")), canonical(text(record, "tl"))
    targets = value(record, "trgs")
    if not isinstance(targets, list) or not all(isinstance(each, str) for each in targets):
        raise RecordError("'trgs' is not a list of words")
    word = normalize_word(strip_notes(text(record, "src")), "word")
    return [(languages[0], word, languages[1], normalize_word(strip_notes(each), "translation")) for each in targets]
