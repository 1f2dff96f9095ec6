"""Records: their shapes, and how they are read from lines of JSON and written to them.

A record is a flat JSON object on one line, and its keys say which shape it has. The shapes below name the keys. A
record may have other keys, which every stage keeps. In a stream, a record is a dictionary whose values are still the
bytes that were read (`msgspec.Raw`). So a value that no stage changes is written with the same bytes, including big
integers, escapes and number formats. A stage reads a value with `text` or `language`, and sets plain Python values.
"""

import re
from collections.abc import Iterable
from typing import Any, NotRequired, TypeAlias, TypedDict

import msgspec

from llamax_cli import languages
from llamax_cli.errors import RecordError

Record: TypeAlias = dict[str, Any]


class Mono(TypedDict):
    """A text in one language."""

    id: NotRequired[str]
    text: str
    lang: str
    origin: NotRequired[str]


class Pair(TypedDict):
    """A text and its translation."""

    id: NotRequired[str]
    src: str
    tgt: str
    src_lang: str
    tgt_lang: str
    origin: NotRequired[str]


class Entry(TypedDict):
    """A word of the lexicon and its translations by language."""

    word: str
    lang: str
    translations: dict[str, list[str]]
    sources: list[str]


class Sample(TypedDict):
    """The training record: loss on `completion`, none on `prompt`; with `src_lang` and `tgt_lang`, or with `lang`."""

    prompt: str
    completion: str
    id: str
    origin: str
    lang: NotRequired[str]
    src_lang: NotRequired[str]
    tgt_lang: NotRequired[str]


class Translation(TypedDict):
    """A source text, a model's translation of it and, where there are any, the reference or several of them."""

    id: NotRequired[str]
    src: str
    mt: str
    src_lang: str
    tgt_lang: str
    tgt: NotRequired[str | list[str]]
    truncated: NotRequired[bool]
    pivot: NotRequired[str]
    candidate: NotRequired[int]
    origin: NotRequired[str]


class Identified(TypedDict):
    """What language identification adds to a record of any shape."""

    lid: NotRequired[str]
    lid_score: NotRequired[float]
    on_target: NotRequired[bool]
    lid_src: NotRequired[str]
    lid_src_score: NotRequired[float]
    lid_tgt: NotRequired[str]
    lid_tgt_score: NotRequired[float]


class Rates(TypedDict):
    """Shares of the `n` translations of a direction that are in its source and in its target language.

    A rate is absent where the detector does not know the language, which `unsupported` names.
    """

    src_lang: str
    tgt_lang: str
    n: int
    r_src: NotRequired[float]
    r_tgt: NotRequired[float]
    empty: NotRequired[int]
    unsupported: NotRequired[list[str]]


class Score(TypedDict):
    """One metric of one direction over `n` segments; `off_target` is the share of them in another language."""

    src_lang: str
    tgt_lang: str
    metric: str
    score: float
    signature: str
    n: int
    off_target: NotRequired[float]


class Missing(TypedDict):
    """How many pairs a direction has, and how many more the recipe needs."""

    src_lang: str
    tgt_lang: str
    have: int
    missing: int


_records = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode
_encoder = msgspec.json.Encoder()
_LONE_SURROGATE = (
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def parse(line: bytes) -> Record:
    """Return the record on one line; RecordError says briefly why it is not a record."""
    try:
        line.decode()
        return _records(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(_why(line, error)) from error


def parse_lines(data: bytes) -> list[Record] | None:
    """Return the records of whole lines, or None if any line is bad; `parse` shows which one."""
    lines = data.split(b"\n")
    lines.pop()
    try:
        # Unchanged values are never decoded later, so text that is not UTF-8 must be found here.
        if not data.isascii():
            data.decode()
        # Line by line: decode_lines would accept a record over two lines, because a line end is white space.
        return list(map(_records, lines))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def serialise(records: Iterable[Any]) -> bytes:
    """Return the records as lines of JSON."""
    return _encoder.encode_lines(records)


def text(record: Record, key: str) -> str:
    """Return the string of `key`; RecordError if it is absent or not a string."""
    try:
        value = record[key]
        return value if type(value) is str else _string(value)
    except KeyError:
        raise _absent(record, key) from None
    except (msgspec.DecodeError, TypeError) as error:
        raise RecordError(f"{key!r} is {_kind(value)}, not a string") from error


def texts(record: Record, key: str) -> list[str]:
    """Return the strings of `key`, which holds one string or a list of them; RecordError if it is neither."""
    try:
        return [text(record, key)]
    except RecordError:
        strings = value(record, key) if key in record else None
        if not isinstance(strings, list):
            raise
        if not strings or not all(isinstance(each, str) for each in strings):
            raise RecordError(f"{key!r} is an array, but not of one or several strings") from None
        return strings


def language(record: Record, key: str) -> str:
    """Return the canonical language code of `key`: `zho_Hans` -> `zh`; RecordError if it is not a language."""
    return languages.canonical(text(record, key))


def value(record: Record, key: str) -> Any:
    """Return the JSON value of `key`, as Python objects."""
    if key not in record:
        raise _absent(record, key)
    raw = record[key]
    return msgspec.json.decode(raw) if isinstance(raw, msgspec.Raw) else raw


def _absent(record: Record, key: str) -> RecordError:
    return RecordError(f"no {key!r} in the record (it has {', '.join(record) or 'nothing'})")


def _kind(value: Any) -> str:
    names = {"{": "an object", "[": "an array", "t": "a boolean", "f": "a boolean", "n": "null"}
    return names.get(bytes(value)[:1].decode(), "a number") if isinstance(value, msgspec.Raw) else type(value).__name__


def _why(line: bytes, error: Exception) -> str:
    """Return why a line is not a record, in words that help to fix it."""
    if not line.strip():
        return "empty line"
    if line.startswith(b"\xef\xbb\xbf"):
        return "starts with a byte order mark (U+FEFF); remove it"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: byte 0x{line[error.start]:02x} at {error.start}"
    if isinstance(error, RecursionError):
        return "not a record: nested too deeply"
    if isinstance(error, msgspec.ValidationError):
        return f"not a record: {str(error).replace('`', '').lower()}"
    if b"\0" in line:
        return f"not JSON: NUL byte at {line.index(0)}; is this a binary or UTF-16 file?"
    if match := re.search(rb"[:\[,\s](-?Infinity|NaN)", line):
        return f"not JSON: {match[1].decode()} is not a JSON number; write null"
    if match := re.search(_LONE_SURROGATE, line):
        return f"not JSON: lone surrogate {match[0].decode()}"
    return "not JSON: " + str(error).removeprefix("JSON is malformed: ")
