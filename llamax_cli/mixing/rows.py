"""Lines to rows: each Sample as it will be written, and an entry of 32 bytes that says where it goes.

An entry is four big-endian numbers: its place in the mixture, which together with the second, a check, is a hash of
(seed, epoch, languages, texts); its stratum; and a hash of its id, which settles which of two equal records stays.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
from xxhash import xxh3_64_digest, xxh3_128_digest

from llamax_cli import records
from llamax_cli.errors import RecordError
from llamax_cli.mixing.blocks import Cutter
from llamax_cli.mixing.exclusion import EvaluationSet
from llamax_cli.mixing.strata import Directions, Drawing, Stratum, TextLanguages, origin_of, stratum_of
from llamax_cli.streams.chunks import Chunk, Tally
from llamax_cli.streams.rejects import Reject
from llamax_cli.tokenization import load

HEAD, ID = b'{"prompt":"","completion":"', b'","id":'
JOINT = b"\t"  # between source and target; a tab is in no JSON string, and in what is written it is a space
OPTIONS = "para", "mono", "aug", "mt"
SIDES = "src", "tgt"
EXCLUDED, EMPTY, CUT_SHORT = "in an evaluation set", "empty", "truncated"


@dataclass(frozen=True)
class RowSettings:
    """How lines are read: what is drawn, split, cut into blocks of so many tokens, and left out."""

    drawing: Drawing
    split: bool = False
    block: int | None = None
    tokenizer: Path | None = None
    excluded: EvaluationSet | None = None

    def cutter(self) -> Cutter | None:
        """Return what cuts texts into blocks, None where they stay whole."""
        return None if self.block is None or self.tokenizer is None else Cutter(load(self.tokenizer), self.block)


@dataclass
class Rows:
    """Entries and samples, side by side, and what was seen and left out on the way."""

    entries: list[bytes] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    strata: set[Stratum] = field(default_factory=set)
    left_out: Tally = field(default_factory=Counter)
    sentences: int = 0  # taken out of texts

    def take(self, others: "Rows") -> None:
        """Add the rows and counts of others."""
        self.entries += others.entries
        self.lines += others.lines
        self.strata |= others.strata
        self.left_out.update(others.left_out)
        self.sentences += others.sentences


_ABSENT = msgspec.Raw(b"")


class _Pair(msgspec.Struct):
    src: msgspec.Raw
    tgt: msgspec.Raw
    src_lang: str
    tgt_lang: str
    id: msgspec.Raw = _ABSENT
    origin: str = ""


class _Translation(msgspec.Struct):
    src: msgspec.Raw
    src_lang: str
    tgt_lang: str
    tgt: msgspec.Raw = _ABSENT
    mt: msgspec.Raw = _ABSENT
    id: msgspec.Raw = _ABSENT
    truncated: bool = False
    origin: str = ""


class _Text(msgspec.Struct):
    text: msgspec.Raw
    lang: str
    id: msgspec.Raw = _ABSENT


_SHAPES: dict[str, Callable[[bytes], Any]] = {
    option: msgspec.json.Decoder(shape).decode
    for option, shape in (("para", _Pair), ("aug", _Pair), ("mt", _Translation), ("mono", _Text))
}
# The first bytes of white space in a JSON string, and the quote that ends an empty one.
_BLANK = frozenset(b'" \\\xc2\xe1\xe2\xe3')
_spelled = attrgetter("origin", "src_lang", "tgt_lang")
_string = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


class RowReader:
    """Makes rows of chunks, a whole chunk at a time where all its lines are good."""

    def __init__(self, reading: RowSettings) -> None:
        self._reading = reading
        self._cutter = reading.cutter()
        self._directions = {option: Directions(option, reading.drawing) for option in OPTIONS}
        self._languages = TextLanguages(reading.drawing)

    def read(self, option: str, chunk: Chunk) -> tuple[Rows, list[Reject]]:
        """Return the rows of a chunk of an input of `--para`, `--mono`, `--aug` or `--mt`, and its bad lines."""
        lines = chunk.data.split(b"\n")
        lines.pop()
        try:
            return self._rows(option, lines, chunk.data), []
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, RecordError):
            return self._one_by_one(option, lines, chunk)

    def _one_by_one(self, option: str, lines: list[bytes], chunk: Chunk) -> tuple[Rows, list[Reject]]:
        """Return the rows of the good lines of a chunk, and the others."""
        good: dict[str, list[bytes]] = {}
        rejects: list[Reject] = []
        for number, line in enumerate(lines, chunk.line):
            try:
                good.setdefault(self._kind(option, line), []).append(line)
            except RecordError as error:
                rejects.append(Reject(chunk.name, number, str(error), line))
        rows = Rows()
        for kind, own in good.items():
            rows.take(self._rows(kind, own, b""))
        return rows, rejects

    def _rows(self, option: str, lines: list[bytes], data: bytes) -> Rows:
        if not data.isascii():
            data.decode()  # untouched values are never looked into again, so bad UTF-8 is stopped here
        found = list(map(_SHAPES[option], lines))
        rows = Rows()
        if option == "mono":
            self._texts(found, rows)
        elif found:
            self._pairs(option, found, rows)
        return rows

    def _kind(self, option: str, line: bytes) -> str:
        """Return the option a line is read as: a text that augment passed on is one of `--mono`.

        RecordError says what is wrong with the line.
        """
        record = records.parse(line)
        if option == "aug" and "text" in record and "src" not in record:
            option = "mono"
        try:
            if option == "mono":
                records.text(record, "text")
                records.language(record, "lang")
            else:
                records.text(record, "src")
                records.text(record, "mt" if option == "mt" and "tgt" not in record else "tgt")
                origin = origin_of(option, records.text(record, "origin") if "origin" in record else "")
                stratum_of(origin, records.text(record, "src_lang"), records.text(record, "tgt_lang"))
            _identifier(bytes(record.get("id", b"")), b"")
            _SHAPES[option](line)
        except msgspec.ValidationError as error:
            raise RecordError(str(error).replace("`", "'").replace(" - at ", " at ")) from error
        return option

    def _pairs(self, option: str, found: list[Any], rows: Rows) -> None:
        if option == "mt":
            whole = [each for each in found if not each.truncated]
            rows.left_out.update({f"{CUT_SHORT} (mt)": len(found) - len(whole)})
            found, targets = whole, _strings([each.mt if each.tgt is _ABSENT else each.tgt for each in whole])
            if not found:
                return
        else:
            targets = _strings([each.tgt for each in found])
        sources = _strings([each.src for each in found])
        given = b"\n".join([each.id for each in found]).split(b"\n")
        known = self._directions[option]
        directions = [known[spelled] for spelled in map(_spelled, found)]
        columns: list[list[Any]] = [sources, targets, given, directions]
        if out := self._without(sources, targets, directions, rows.left_out):
            columns = [[each for place, each in enumerate(column) if place not in out] for column in columns]
        make = _split if self._reading.split else _connect
        make(columns, rows)

    def _without(
        self, sources: list[bytes], targets: list[bytes], directions: Sequence[Any], left_out: Tally
    ) -> set[int]:
        """Return the places of pairs that are left out, and count them."""
        out: dict[int, str] = {}
        for side in (sources, targets):
            out.update((place, EMPTY) for place in _empty(side))
            if self._reading.excluded:
                out.update((place, EXCLUDED) for place in self._reading.excluded.found(_plain(side)))
        left_out.update(f"{reason} ({directions[place].stratum.origin})" for place, reason in out.items())
        return set(out)

    def _texts(self, found: list[_Text], rows: Rows) -> None:
        texts = _strings([each.text for each in found])
        empty = set(_empty(texts))
        rows.left_out.update({f"{EMPTY} (mono)": len(empty)})
        for place, (text, record) in enumerate(zip(texts, found, strict=True)):
            if place not in empty and (left := self._without_excluded(text, rows)):
                self._text(left, record, rows)

    def _without_excluded(self, text: bytes, rows: Rows) -> bytes:
        """Return a text without the sentences that are in the evaluation sets, nothing where that is all of it."""
        if not self._reading.excluded:
            return text
        left, count = self._reading.excluded.without(_string(text))
        rows.sentences += count
        if count and not left.strip():
            rows.left_out[f"{EXCLUDED} (mono)"] += 1
            return b""
        return _encode(left) if count else text

    def _text(self, text: bytes, record: _Text, rows: Rows) -> None:
        """Make an entry of a text, or of each of its blocks."""
        direction = self._languages[record.lang]
        rows.strata.add(direction.stratum)
        name = _identifier(bytes(record.id), text)
        cutter = self._cutter
        pieces = [text] if cutter is None else map(_encode, cutter.pieces(_string(text)))
        for number, piece in enumerate(pieces):
            # By the whole text and the number of the block: a text that is there twice gives the same blocks.
            digest = xxh3_128_digest(text + b"%d" % number if number else text, direction.seed)
            rows.entries.append(b"".join((digest, direction.number, xxh3_64_digest(name))))
            rows.lines.append(b"".join((HEAD, piece[1:-1], ID, name, direction.tail)))


def _connect(columns: list[Any], rows: Rows) -> None:
    """Make one entry of each pair: source and target joined, in the direction that its hash says (section 2)."""
    add_entry, add_line, join = rows.entries.append, rows.lines.append, b"".join
    rows.strata.update(direction.stratum for direction in set(columns[3]))
    for source, target, given, direction in zip(*columns, strict=True):
        content = source + b"\n" + target if direction.in_order else target + b"\n" + source
        digest = xxh3_128_digest(content, direction.seed)
        name = given if given[:1] == b'"' else _identifier(given, content)
        add_entry(digest + direction.number + xxh3_64_digest(name))
        if not direction.connects:
            add_line(join((b'{"prompt":', source, b',"completion":" ', target[1:-1], ID, name, direction.tail)))
        elif digest[8:] < direction.below:
            add_line(join((HEAD, target[1:-1], JOINT, source[1:-1], ID, name, direction.turned_tail)))
        else:
            add_line(join((HEAD, source[1:-1], JOINT, target[1:-1], ID, name, direction.tail)))


def turned(line: bytes, stratum: Stratum, *, was: bool) -> bytes:
    """Return a connected pair in the other direction; `was` says whether it is turned already."""
    source, _, rest = line[len(HEAD) :].partition(JOINT)
    # No quote within a string stands bare, so this is where the string ends.
    target, _, rest = rest.partition(ID)
    name = rest[: -len(stratum.tail(turned=was))]
    return b"".join((HEAD, target, JOINT, source, ID, name, stratum.tail(turned=not was)))


def _split(columns: list[Any], rows: Rows) -> None:
    """Make two entries of each parallel pair (paper, Table 12); what is augmented stays a pair."""
    whole: list[list[Any]] = [[], [], [], []]
    for pair in zip(*columns, strict=True):
        source, target, given, direction = pair
        if not direction.stratum.turns:
            for column, each in zip(whole, pair, strict=True):
                column.append(each)
            continue
        content = source + b"\n" + target if direction.in_order else target + b"\n" + source
        name = given if given[:1] == b'"' else _identifier(given, content)
        for text, side in zip((source, target), SIDES, strict=True):
            stratum = direction.stratum._replace(side=side)
            rows.strata.add(stratum)
            # By language, not by side: a pair that is there in both directions gives the same two entries.
            digest = xxh3_128_digest(content + stratum.entry_languages()[0].encode(), direction.seed)
            rows.entries.append(digest + stratum.number.to_bytes(8, "big") + xxh3_64_digest(name))
            rows.lines.append(HEAD + text[1:-1] + ID + name + stratum.tail())
    _connect(whole, rows)


def _strings(raws: list[msgspec.Raw]) -> list[bytes]:
    """Return strings as JSON has them with no escape that is not needed; RecordError where one is no string."""
    joined = b"\n".join([b"", *raws])
    if joined.count(b'\n"') != len(raws):
        raise RecordError("not a string")
    strings = joined.split(b"\n")[1:]
    if b"\\" in joined:
        return [_encode(_string(each)) if b"\\" in each else each for each in strings]
    return strings


def _plain(strings: list[bytes]) -> str:
    """Return the texts, each in quotes, a line each."""
    joined = b"\n".join(strings)
    if b"\\" in joined:
        joined = b"\n".join(_string(each).replace("\n", " ").encode() if b"\\" in each else each for each in strings)
    return joined.decode()


def _empty(strings: list[bytes]) -> list[int]:
    """Return which of the strings are nothing but white space."""
    return [place for place, each in enumerate(strings) if each[1] in _BLANK and not _string(each).strip()]


def _identifier(id: bytes, content: bytes) -> bytes:
    """Return an id as a JSON string: a number as it stands, and where there is none a hash of the content."""
    if id[:1] == b'"':
        return id
    if not id or id == b"null":
        return b'"%b"' % xxh3_64_digest(content).hex().encode()
    if id[:1] in b"{[tf":
        raise RecordError("'id' is neither a string nor a number")
    return b'"%b"' % id
