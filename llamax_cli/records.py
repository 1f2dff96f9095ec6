"""Records: their shapes, and how they are read from lines of JSON and written to them.

A record is a flat JSON object on one line, and its keys say which shape it has. The shapes below name the keys. A
record may have other keys, which every stage keeps. In a stream, a record is a dictionary whose values are still the
bytes that were read (`msgspec.Raw`). So a value that no stage changes is written with the same bytes, including big
integers, escapes and number formats. A stage reads a value with `text` or `language`, and sets plain Python values.
"""

import math
import re
import struct
from collections.abc import Iterable
from typing import Any, NotRequired, TypeAlias, TypedDict

import msgspec

from llamax_cli import languages
from llamax_cli.errors import RecordError


def _count_lines(data: bytes) -> int:
    """Return how many line ends there are."""
    return data.count(b"\n")


try:
    from llamax_cli.plain_lines import are_records
    from llamax_cli.plain_lines import count_lines as count_lines
    from llamax_cli.plain_lines import outlines as outlines
except ImportError:  # llamax was installed without a C compiler
    are_records, count_lines, outlines = None, _count_lines, None  # type: ignore[assignment]

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
    """A source text, a model's translation of it and, where there are any, the reference or several of them.

    `candidate` is its rank among several. One that was chosen among `candidates` has its mean `utility` instead.
    """

    id: NotRequired[str]
    src: str
    mt: str
    src_lang: str
    tgt_lang: str
    tgt: NotRequired[str | list[str]]
    truncated: NotRequired[bool]
    pivot: NotRequired[str]
    candidate: NotRequired[int]
    candidates: NotRequired[int]
    utility: NotRequired[float]
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


class Fertility(TypedDict):
    """How many tokens a tokenizer needs in a language, over `n` texts that have words.

    `fertility` is the mean over texts of tokens per word at white space; `words` are those of the `unit`. What begins
    with `mean` is a mean over texts, the other ratios are over the whole corpus. `empty` counts texts without words.
    """

    lang: str
    tokenizer: str
    n: int
    fertility: float
    unit: str
    tokens: int
    words: NotRequired[int]
    characters: int
    bytes: int
    tokens_per_word: NotRequired[float]
    tokens_per_character: float
    tokens_per_byte: float
    mean_tokens_per_word: NotRequired[float]
    mean_tokens_per_character: float
    mean_tokens_per_byte: float
    empty: NotRequired[int]


class Representation(TypedDict):
    """How near the sentences of a language are to their counterparts in the central one, over `n` of them.

    `absent` counts sentences without a counterpart.
    """

    lang: str
    central: str
    model: str
    layer: str
    n: int
    cosine: float
    recall_at_1: float
    recall_at_5: float
    recall_at_10: float
    absent: NotRequired[int]


class LexiconLanguage(TypedDict):
    """A language in a lexicon: how much there is of it, how good it looks, and whether to take it from there.

    `entities`, `entries` and `identity` are those of `build-lexicon --stats`; `difference` and `ratio` compare the
    entities with those of the first lexicon. `translations` into the language are counted by `scripts`, and `foreign`
    is the share of them in a script of other languages. `covered` of the `words` of `texts` have a translation.
    `similarity` is the mean cosine of a word and its translation into the language, as `model` represents them.
    """

    lang: str
    lexicon: str
    entities: int
    entries: int
    taken: bool
    difference: NotRequired[int]
    ratio: NotRequired[float]
    identity: NotRequired[float]
    translations: int
    scripts: NotRequired[dict[str, int]]
    foreign: NotRequired[float]
    texts: NotRequired[int]
    words: NotRequired[int]
    covered: NotRequired[int]
    coverage: NotRequired[float]
    model: NotRequired[str]
    similarity: NotRequired[float]


class ForeignTranslation(TypedDict):
    """A translation of `word` into `lang` in a script that the language is not written in."""

    lang: str
    lexicon: str
    translation: str
    script: str
    word: str
    word_lang: str


class TokenShift(TypedDict):
    """The test of one token's embedding before and after tuning: the statistic of Kolmogorov and Smirnov, and p."""

    token: str
    token_id: int
    statistic: float
    p: float


class Replay(TypedDict):
    """An output of a run that was made again: whether its bytes are the `same`, and what has changed since."""

    manifest: str
    command: str
    path: str
    same: bool
    changed: list[str]


class Shift(TypedDict):
    """How a tuned model has shifted the embeddings of `n` tokens: those with p below `alpha`, most shifted first.

    `shift_distance` is the mean statistic of these; it is absent where there are none.
    """

    base: str
    tuned: str
    layer: str
    alpha: float
    n: int
    shift_tokens: int
    tokens: list[str]
    shift_distance: NotRequired[float]


class CorpusLanguage(TypedDict):
    """What a corpus holds of a language: texts, pairs around it, and how many languages these pairs are with.

    Lengths are in words or in tokens. `duplicate_texts` and `duplicate_pairs` are those that are there already.
    `identified` counts texts, and sides of pairs, for which langid has an answer, of which a share is `confirmed`.
    """

    lang: str
    texts: int
    duplicate_texts: int
    words: NotRequired[int]
    tokens: NotRequired[int]
    pairs: int
    duplicate_pairs: int
    pair_words: NotRequired[int]
    pair_tokens: NotRequired[int]
    directions: int
    empty: NotRequired[int]
    identified: NotRequired[int]
    confirmed: NotRequired[float]


class CorpusDirection(TypedDict):
    """What a corpus holds of a direction; ratios are of the target's characters to the source's, over the pairs."""

    src_lang: str
    tgt_lang: str
    pairs: int
    duplicate_pairs: int
    src_words: NotRequired[int]
    tgt_words: NotRequired[int]
    src_tokens: NotRequired[int]
    tgt_tokens: NotRequired[int]
    ratio_mean: NotRequired[float]
    ratio_p5: NotRequired[float]
    ratio_p50: NotRequired[float]
    ratio_p95: NotRequired[float]
    empty: NotRequired[int]
    identified: NotRequired[int]
    confirmed: NotRequired[float]


class MixtureLanguage(TypedDict):
    """How many samples of a mixture have a language, and how many other languages it is paired with there."""

    lang: str
    samples: int
    directions: int


class Missing(TypedDict):
    """How many pairs a direction has, and how many more the recipe needs."""

    src_lang: str
    tgt_lang: str
    have: int
    missing: int


_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_records = _decoder.decode
_lines = _decoder.decode_lines
_MAX_COUNT = 2**63 - 1
_SHOWN_DIGITS = 25
PLAIN_TEXT = "; if this is text or a table, make records of it with llamax convert"
_string = msgspec.json.Decoder(str).decode
_encoder = msgspec.json.Encoder()
_first_byte = struct.Struct("c").unpack_from
_QUOTE = (b'"',)
_SPACED_COLON = re.compile(rb'"[ \t\r]+:')
_SPACED_KEY = re.compile(rb'(?<!\\)(?:\\\\)*"[ \t\r]+:')  # the quote is not escaped
# Both begin with the same bytes, which are quickly found in a long line.
_LONE_SURROGATE = (
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F][0-9a-fA-F]{2})"
)


def parse(line: bytes) -> Record:
    """Return the record on one line; RecordError says briefly why it is not a record."""
    try:
        line.decode()
        record = _records(line)
        repeated = _repeated_key(line, record)
        nested = _repeated_inside(record) if line.count(b"{") > 1 else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(_why(line, error)) from error
    if repeated is not None:
        raise RecordError(f"not a record: it has the key {repeated!r} twice")
    if nested is not None:
        raise RecordError(f"not a record: {nested[0]!r} has the key {nested[1]!r} twice")
    return record


def parse_lines(data: bytes) -> list[Record] | None:
    """Return the records of whole lines, or None if any line is bad; `parse` shows which one."""
    if are_records is not None and are_records(data):
        return _lines(data)
    return _parse_any(data)


def _parse_any(data: bytes) -> list[Record] | None:
    """Return what `parse_lines` does, without compiled code."""
    records = _parse_flat(data)
    try:
        if records is None or (data.count(b"{") > len(records) and any(map(_repeated_inside, records))):
            return None
    except RecursionError:
        return None
    return records


def _parse_flat(data: bytes) -> list[Record] | None:
    """Return `parse_lines` of lines that have no key twice inside a value."""
    try:
        # Unchanged values are never decoded later, so text that is not UTF-8 must be found here.
        if not data.isascii():
            data.decode()
        first = data[: data.find(b"\n") + 1]
        if first and serialise([_records(first)]) == first:
            # Data without white space between keys and values is most likely the same when it is written again. If it
            # is, then each line has one record, and no record lost a value to another one under the same key.
            records = _lines(data)
            if len(records) == data.count(b"\n") and serialise(records) == data:
                return records
        # Line by line: decode_lines would accept a record over two lines, because a line end is white space.
        lines = data.split(b"\n")
        lines.pop()
        records = list(map(_records, lines))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    is_spaced = _may_space_colons(data)
    if not is_spaced and data.count(b'":') == sum(map(len, records)):
        return records
    for line, record in zip(lines, records, strict=True):
        if (is_spaced or line.count(b'":') != len(record)) and _repeated_key(line, record) is not None:
            return None
    return records


def _may_space_colons(data: bytes) -> bool:
    """Return whether there may be white space before the colon behind a key; elsewhere `":` ends every key."""
    # Most JSON and most languages have no white space before a colon, which is quickly seen.
    return (b" :" in data or b"\t" in data or b"\r" in data) and _SPACED_COLON.search(data) is not None


def _repeated_key(line: bytes, record: Record) -> str | None:
    """Return a key that the object on a line has twice; `record` has its last values only."""
    if not _may_space_colons(line) or not _SPACED_KEY.search(line):
        # At least as many as there are keys: it may also stand in values, and in keys.
        ends = line.count(b'":')
        if ends == len(record) or ends == len(record) + sum(bytes(value).count(b'":') for value in record.values()):
            return None
    import json

    # Exact, but slower; numbers stay strings, because they may be out of range.
    pairs = json.loads(line, object_pairs_hook=list, parse_int=str, parse_float=str)
    seen: set[str] = set()
    return next((key for key, _ in pairs if key in seen or seen.add(key)), None)  # type: ignore[func-returns-value]


def _repeated_inside(record: Record) -> tuple[str, str] | None:
    """Return a key whose value has, at any depth, an object with a key twice, and that key."""
    repeated: list[str] = []

    def check(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            repeated.extend(name for place, name in enumerate(names) if name in names[:place])

    for key, raw in record.items():
        content = bytes(raw)
        if content[:1] in (b"{", b"[") and b"{" in content:
            import json

            json.loads(content, object_pairs_hook=check, parse_int=str, parse_float=str)
            if repeated:
                return key, repeated[0]
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


def is_string(record: Record, key: str) -> bool:
    """Return whether `key` is there and holds a string, which is not decoded for that."""
    value = record.get(key)
    # Whatever `parse` returns is a whole value: escapes and all.
    return _first_byte(value) == _QUOTE if type(value) is msgspec.Raw else type(value) is str


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
    """Return the JSON value of `key`, as Python objects; RecordError if it is absent or has a number out of range."""
    if key not in record:
        raise _absent(record, key)
    raw = record[key]
    try:
        return msgspec.json.decode(raw) if isinstance(raw, msgspec.Raw) else raw
    except RecursionError as error:
        raise RecordError(f"{key!r} is nested too deeply") from error
    except msgspec.DecodeError as error:
        raise RecordError(f"{key!r} {'has' if bytes(raw)[:1] in b'[{' else 'is'} a number out of range") from error


def number(record: Record, key: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Return the number of `key`, an int or a finite float; RecordError if it is none, or not from `low` to `high`."""
    found = value(record, key)
    if type(found) not in (int, float):
        raise RecordError(f"{key!r} is {_kind(record[key])}, not a number")
    try:
        is_within = math.isfinite(found) and low <= found <= high
    except OverflowError:  # an integer beyond the range of floats
        is_within = False
    if not is_within:
        raise RecordError(f"{key!r} is {_shown(found)}, not {_range(low, high)}")
    return found  # type: ignore[no-any-return]


def whole_number(record: Record, key: str, least: int = 0) -> int:
    """Return the whole number of `key`; RecordError if it is none, or less than `least`."""
    found = value(record, key)
    if type(found) is not int or not least <= found <= _MAX_COUNT:
        shown = _shown(found) if type(found) in (int, float) else _kind(record[key])
        raise RecordError(f"{key!r} is {shown}, not a whole number from {least}")
    return found


def boolean(record: Record, key: str) -> bool:
    """Return whether the value of `key` is true; RecordError if it is neither true nor false."""
    found = value(record, key)
    if type(found) is not bool:
        raise RecordError(f"{key!r} is neither true nor false")
    return found


def _absent(record: Record, key: str) -> RecordError:
    return RecordError(f"no {key!r} in the record (it has {', '.join(record) or 'nothing'})")


def _range(low: float, high: float) -> str:
    """Return a range in words: `_range(0, 100) -> "a number from 0 to 100"`."""
    bounds = [f"{word} {bound:g}" for word, bound in (("from", low), ("to", high)) if math.isfinite(bound)]
    return " ".join(["a number", *bounds]) if bounds else "a finite number"


def _shown(number: float) -> str:
    text = str(number)
    return text if len(text) <= _SHOWN_DIGITS else f"{text[:_SHOWN_DIGITS]}... ({len(text)} digits)"


def _kind(value: Any) -> str:
    names = {'"': "a string", "{": "an object", "[": "an array", "t": "a boolean", "f": "a boolean", "n": "null"}
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
    array = "; is this a JSON array? make lines of it: jq -c '.[]'" if line.lstrip().startswith(b"[") else ""
    if isinstance(error, msgspec.ValidationError):
        return f"not a record: {str(error).replace('`', '').lower()}{array}"
    if b"\0" in line:
        return f"not JSON: NUL byte at {line.index(0)}; is this a binary or UTF-16 file?"
    has_name = b"Infinity" in line or b"NaN" in line
    if has_name and (match := re.search(rb"[:\[,\s](-?Infinity|NaN)", line)):
        return f"not JSON: {match[1].decode()} is not a JSON number; write null"
    if match := re.search(_LONE_SURROGATE, line):
        return f"not JSON: lone surrogate {match[0].decode()}"
    advice = array or ("" if line.lstrip().startswith((b"{", b'"')) else PLAIN_TEXT)
    return _control_character(line, str(error)) or f"not JSON: {str(error).removeprefix('JSON is malformed: ')}{advice}"


def _control_character(line: bytes, error: str) -> str | None:
    """Return what is wrong where the decoder stopped at a control character, which JSON does not allow in a string."""
    match = re.search(r"invalid character \(byte (\d+)\)", error)
    character = line[int(match[1]) :][:1] if match else b""
    if not match or not b"" < character < b" ":
        return None
    number = character[0]
    name, escape = ("tab", r"\t") if number == ord("\t") else (f"control character 0x{number:02x}", rf"\u{number:04x}")
    return f"not JSON: a raw {name} (byte {match[1]}); in a string it is written {escape}"
