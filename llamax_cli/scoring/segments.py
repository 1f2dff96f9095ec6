"""Translations as segments: read and checked one by one, gathered by direction."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any, NamedTuple, TypeAlias

from llamax_cli.errors import RecordError
from llamax_cli.records import Record, language, text, value
from llamax_cli.scoring.references import References

BATCH = 256  # segments that are scored at once where each is awaited
TOGETHER = 4096  # segments of a direction that are scored at once, at most
ENOUGH = 256  # segments after which a direction need not wait for more of them
WAITING = 32 << 20  # characters of directions that wait

Direction: TypeAlias = tuple[str, str]


class Segment(NamedTuple):
    """A translation with its reference; `on_target` is what langid said, None where it said nothing."""

    direction: Direction
    id: str
    source: str
    hypothesis: str
    reference: str
    on_target: bool | None


class Group(NamedTuple):
    """Segments of one direction."""

    direction: Direction
    segments: list[Segment]

    @property
    def hypotheses(self) -> list[str]:
        """The translations."""
        return [segment.hypothesis for segment in self.segments]

    @property
    def references(self) -> list[str]:
        """The references."""
        return [segment.reference for segment in self.segments]


class SegmentReader:
    """Makes segments of records; RecordError for one that cannot be scored or was read already."""

    def __init__(self, references: References | None, *, with_source: bool) -> None:
        self.empty = 0
        self.seen = Seen()
        self._references = references
        self._with_source = with_source
        self._codes: Any = None
        self._direction: Direction = ("", "")

    def segment(self, record: Record) -> Segment:
        """Return the segment of a record."""
        direction = self.direction(record)
        hypothesis = text(record, "mt")
        source = text(record, "src") if self._with_source or "id" not in record else ""
        id_ = text(record, "id") if "id" in record else source
        if "candidate" in record and value(record, "candidate") != 1:
            raise RecordError("one of several candidates: pick one with llamax langid --select best")
        reference = self._reference(record, direction[1], id_)
        if not self.seen.add(direction, id_):
            raise RecordError(f"segment {id_!r} of {'-'.join(direction)} comes a second time")
        self.empty += not hypothesis
        on_target = value(record, "on_target") if "on_target" in record else None
        return Segment(direction, id_, source, hypothesis, reference, on_target if on_target in (True, False) else None)

    def direction(self, record: Record) -> Direction:
        """Return the codes of source and target language."""
        codes = record.get("src_lang"), record.get("tgt_lang")
        if codes != self._codes:  # most records have those of the one before
            self._direction = language(record, "src_lang"), language(record, "tgt_lang")
            self._codes = codes
        return self._direction

    def missing(self) -> Iterator[tuple[Direction, list[str]]]:
        """Yield the segments of each direction that have a reference in a file of references and no translation."""
        for direction in self.seen.directions if self._references is not None else ():
            ids = self._references.ids(direction[1]) if self._references is not None else ()
            yield direction, [id_ for id_ in ids if not self.seen.has(direction, id_)]

    def _reference(self, record: Record, lang: str, id_: str) -> str:
        if self._references is not None:
            return self._references.text(lang, id_)
        if "tgt" not in record:
            raise RecordError("no reference: the record has no 'tgt', and no --ref FILE gives one")
        return text(record, "tgt")


class Seen:
    """Which segments of which direction there were: bits, so that a matrix of directions over one corpus is small."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._bits: dict[Direction, tuple[int, bytearray]] = {}

    def add(self, direction: Direction, id_: str) -> bool:
        """Return whether it is new."""
        number = self._numbers.setdefault(id_, len(self._numbers))
        first, bits = self._bits.get(direction) or self._bits.setdefault(direction, (number >> 3, bytearray()))
        place = (number >> 3) - first
        if place < 0:
            bits[:0] = bytes(-place)
            self._bits[direction] = number >> 3, bits
            place = 0
        if place >= len(bits):
            bits.extend(bytes(place + 1 - len(bits)))
        bit = 1 << (number & 7)
        is_new = not bits[place] & bit
        bits[place] |= bit
        return is_new

    def has(self, direction: Direction, id_: str) -> bool:
        """Return whether it was added."""
        number = self._numbers.get(id_, -1)
        first, bits = self._bits.get(direction, (0, bytearray()))
        place = (number >> 3) - first
        return number >= 0 and 0 <= place < len(bits) and bool(bits[place] & 1 << (number & 7))

    @property
    def directions(self) -> Iterable[Direction]:
        """The directions, in the order in which they came."""
        return self._bits


def gathered(segments: Iterable[Segment]) -> Iterator[Group]:
    """Yield the segments by direction, each direction in one group or several.

    One that comes in one piece leaves as soon as another begins; those that come mixed wait for more of their own.
    """
    waiting: dict[Direction, Group] = {}
    characters = 0
    latest: Group | None = None
    for segment in segments:
        if latest is None or segment.direction != latest.direction:
            if latest is not None and len(latest.segments) >= ENOUGH:
                characters -= _characters(waiting.pop(latest.direction))
                yield latest
            latest = waiting.setdefault(segment.direction, Group(segment.direction, []))
        latest.segments.append(segment)
        characters += len(segment.hypothesis) + len(segment.reference) + len(segment.source)
        if len(latest.segments) >= TOGETHER or characters > WAITING:
            yield from waiting.values()
            waiting, characters, latest = {}, 0, None
    yield from waiting.values()


def in_order(segments: Iterable[Segment]) -> Iterator[Group]:
    """Yield the segments by direction as they come, each direction in as many groups as it takes."""
    for direction, some in groupby(segments, key=lambda segment: segment.direction):
        while together := list(islice(some, BATCH)):
            yield Group(direction, together)


def _characters(group: Group) -> int:
    return sum(len(each.hypothesis) + len(each.reference) + len(each.source) for each in group.segments)
