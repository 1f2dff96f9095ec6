"""Segments that stay the lines they were read from, which the workers decode: many lines of one direction at a time.

They are lines that compiled code has seen to be plain records with the same keys, of which only the ids are decoded
here. All other lines are read one by one, also those in which something is wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import NamedTuple, cast

import msgspec

from llamax_cli.errors import RecordError
from llamax_cli.records import Record, is_string, outlines, parse
from llamax_cli.scoring.segments import Direction, Segment, SegmentGroup, SegmentReader, group_by_direction
from llamax_cli.streams.chunks import Chunk

TEXTS = ("id", "src", "mt", "tgt")  # keys that plain segments have, each with one string
KINDS = (*(key.encode() for key in TEXTS), b"candidate")
DIRECTION = (b"src_lang", b"tgt_lang")
FEW_LINES = 16  # of one direction on average; with fewer, reading them together gains nothing
MAX_BYTES = 4 << 20  # of a group, about


class SegmentLines(NamedTuple):
    """Lines of one direction, one after the other in a file, and what langid says of each (see Segment)."""

    direction: Direction
    data: bytes
    verdicts: list[bool | None]


class _Identified(msgspec.Struct, gc=False):
    id: str
    on_target: bool | msgspec.UnsetType = msgspec.UNSET


class _Scored(msgspec.Struct, gc=False):
    mt: str
    tgt: str


class _Whole(msgspec.Struct, gc=False):
    id: str
    src: str
    mt: str
    tgt: str


_decode_ids = msgspec.json.Decoder(_Identified).decode_lines
_decode_scored = msgspec.json.Decoder(_Scored).decode_lines
_decode_whole = msgspec.json.Decoder(_Whole).decode_lines


@dataclass
class LineGroup:
    """A `SegmentGroup` of plain lines."""

    direction: Direction
    data: bytes
    verdicts: list[bool | None]

    @cached_property
    def segments(self) -> list[Segment]:
        """The segments, decoded."""
        lines = zip(_decode_whole(self.data), self.verdicts, strict=True)
        return [Segment(self.direction, line.id, line.src, line.mt, line.tgt, verdict) for line, verdict in lines]


def decode_texts(data: bytes) -> tuple[list[str], list[str]]:
    """Return the translations and the references on plain lines."""
    lines = _decode_scored(data)
    return [line.mt for line in lines], [line.tgt for line in lines]


def split(chunk: Chunk, reader: SegmentReader) -> Iterator[Chunk | SegmentLines]:
    """Yield the lines of a chunk in order: those that `reader` has read together, and those to be read one by one."""
    data = chunk.data
    places = outlines(data, KINDS, DIRECTION) if outlines is not None and reader.uses_tgt else None
    if not places or len(places) * FEW_LINES > data.count(b"\n"):
        yield chunk
        return
    line = chunk.line
    for start, end in zip(places, [*places[1:], len(data)], strict=True):
        part = data[start:end]
        yield _read(part, reader) or Chunk(chunk.name, line, part)
        line += part.count(b"\n")


def _read(data: bytes, reader: SegmentReader) -> SegmentLines | None:
    """Read plain lines with one outline; None, and nothing is read, where they are no segments or a segment is not new.

    Where keys and values are plain, `"mt":""` is nothing but an empty translation.
    """
    first = parse(data[: data.index(b"\n") + 1])
    if not _is_plain(first):
        return None
    try:
        direction = reader.direction(first)
        lines = _decode_ids(data)
    except (RecordError, msgspec.ValidationError):
        return None
    verdicts = [None if line.on_target is msgspec.UNSET else line.on_target for line in lines]
    empty, empty_references = data.count(b'"mt":""'), data.count(b'"tgt":""')
    if not reader.add_all(direction, [line.id for line in lines], empty, empty_references):
        return None
    return SegmentLines(direction, data, verdicts)


def _is_plain(record: Record) -> bool:
    return "candidate" not in record and all(is_string(record, key) for key in TEXTS)


def group_parts(parts: Iterable[Segment | SegmentLines]) -> Iterator[SegmentGroup | LineGroup]:
    """Yield groups of one direction: of lines that come one after the other, and of what is between such lines."""
    for are_lines, run in groupby(parts, key=lambda part: isinstance(part, SegmentLines)):
        if are_lines:
            yield from _group_lines(cast("Iterator[SegmentLines]", run))
        else:
            yield from group_by_direction(cast("Iterator[Segment]", run))


def _group_lines(parts: Iterable[SegmentLines]) -> Iterator[LineGroup]:
    held: list[SegmentLines] = []
    size = 0
    for part in parts:
        if held and (part.direction != held[0].direction or size >= MAX_BYTES):
            yield _join(held)
            held, size = [], 0
        held.append(part)
        size += len(part.data)
    if held:
        yield _join(held)


def _join(parts: list[SegmentLines]) -> LineGroup:
    verdicts = [verdict for part in parts for verdict in part.verdicts]
    return LineGroup(parts[0].direction, b"".join(part.data for part in parts), verdicts)
