"""The shapes of a record, and the way between a record and its line of JSON.

A record is a flat JSON object on a line of its own, and it is what its keys say it is. The shapes below name the keys;
a record may carry others, which every stage hands on. In a stream a record is a dictionary whose values are still the
bytes they were read as (`msgspec.Raw`), so that what nobody touches is written as it came: big integers, escapes and
number formats included. A stage asks for a value with `text` or `language` and puts plain Python values in.
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
    """What the trainer reads: loss on `completion`, none on `prompt`; a pair has directions, a text has `lang`."""

    prompt: str
    completion: str
    id: str
    origin: str
    lang: NotRequired[str]
    src_lang: NotRequired[str]
    tgt_lang: NotRequired[str]


class Translation(TypedDict):
    """A source text, a model's translation of it and, where there is one, the reference."""

    id: NotRequired[str]
    src: str
    mt: str
    src_lang: str
    tgt_lang: str
    tgt: NotRequired[str]
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
    """One metric of one direction over `n` segments; `off_target` is the share of them found in another language."""

    src_lang: str
    tgt_lang: str
    metric: str
    score: float
    signature: str
    n: int
    off_target: NotRequired[float]


class Missing(TypedDict):
    """How many pairs a direction has and how many the recipe lacks there."""

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
    """Return the record on one line; RecordError says in a few words why it is none."""
    try:
        line.decode()
        return _records(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(_why(line, error)) from error


def parse_lines(data: bytes) -> list[Record] | None:
    """Return the records of whole lines at once, or None where some line is bad and has to be found by `parse`."""
    lines = data.split(b"\n")
    lines.pop()
    try:
        # Untouched values are never looked into again, so this is where text that is no UTF-8 is stopped.
        if not data.isascii():
            data.decode()
        # Line by line: decode_lines takes a line end for a space, and a record over two lines would pass.
        return list(map(_records, lines))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def serialise(records: Iterable[Any]) -> bytes:
    """Return the records as lines of JSON."""
    return _encoder.encode_lines(records)


def text(record: Record, key: str) -> str:
    """Return the string under `key`; RecordError where it is absent or something else."""
    try:
        value = record[key]
        return value if type(value) is str else _string(value)
    except KeyError:
        raise _absent(record, key) from None
    except (msgspec.DecodeError, TypeError) as error:
        raise RecordError(f"{key!r} is {_kind(value)}, not a string") from error


def language(record: Record, key: str) -> str:
    """Return the canonical code of the language under `key`: `zho_Hans` -> `zh`; RecordError where it is none."""
    return languages.canonical(text(record, key))


def value(record: Record, key: str) -> Any:
    """Return whatever JSON value is under `key`, as Python objects."""
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
    """Return why a line is no record, in the words of somebody who has to mend it."""
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
        return f"not JSON: {match[1].decode()} is no JSON number; write null"
    if match := re.search(_LONE_SURROGATE, line):
        return f"not JSON: lone surrogate {match[0].decode()}"
    return "not JSON: " + str(error).removeprefix("JSON is malformed: ")
