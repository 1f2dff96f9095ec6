"""Translations as segments: read and checked one by one, grouped by direction."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from itertools import groupby, islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from llamax_cli.errors import RecordError
from llamax_cli.languages import name_of
from llamax_cli.records import Record, boolean, language, text, texts, whole_number
from llamax_cli.scoring.metrics import VARYING, MetricSettings, Reference, is_known
from llamax_cli.scoring.references import References

BATCH_SIZE = 256  # segments of a group whose scores are written as they come (`--segments`)
MAX_GROUP_SIZE = 4096  # segments of a group, at most
MIN_GROUP_SIZE = 256  # segments; a group of this size does not wait for later segments of its direction
MAX_WAITING = 32 << 20  # characters of all groups that wait

Direction: TypeAlias = tuple[str, str]


class Segment(NamedTuple):
    """A translation with its reference or references; `on_target` is the verdict of langid, None if there is none.

    `id` is made of the source for a record that has no id (`has_id`).
    """

    direction: Direction
    id: str
    source: str
    hypothesis: str
    reference: Reference
    on_target: bool | None
    has_id: bool = True


class SegmentGroup(NamedTuple):
    """Segments of one direction."""

    direction: Direction
    segments: list[Segment]

    @property
    def verdicts(self) -> list[bool | None]:
        """What langid says of each segment."""
        return [segment.on_target for segment in self.segments]

    @property
    def sources(self) -> list[str]:
        """The source texts; empty strings if no metric needs them."""
        return [segment.source for segment in self.segments]

    @property
    def hypotheses(self) -> list[str]:
        """The translations."""
        return [segment.hypothesis for segment in self.segments]

    @property
    def references(self) -> list[Reference]:
        """The references."""
        return [segment.reference for segment in self.segments]


@cache
def why_unscored(name: str, direction: Direction) -> str:
    """Return why a metric has no score of a direction unless --any-language is given, "" if it knows both languages."""
    code = next((code for code in direction if not is_known(name, code)), None)
    if code is None:
        return ""
    return (
        f"{name} does not know {code} ({name_of(code)}), so there is no score of {'-'.join(direction)}; "
        "--any-language scores it all the same"
    )


class SegmentReader:
    """Makes segments of records; RecordError for one that cannot be scored or that is a duplicate.

    With `all_candidates`, each of several candidates for a translation is a segment; otherwise only the first may come.
    """

    def __init__(
        self, references: References | None, settings: MetricSettings, *, all_candidates: bool = False
    ) -> None:
        self.empty = 0
        self.empty_references = 0
        self.seen = SeenSegments()
        self.scored_unknown: dict[str, dict[Direction, None]] = {}  # directions that a metric does not know
        self._reference_counts: dict[Direction, set[int]] = {}
        self._repeats: Counter[tuple[Direction, str]] = Counter()
        self._references = references
        self._settings = settings
        self._all_candidates = all_candidates
        self._codes: Any = None
        self._direction: Direction = ("", "")
        self._unknown = ""  # why segments of this direction have no score by one of the metrics

    # Not before the first segment: a run over scores of earlier runs imports no metric.
    @cached_property
    def _needs_source(self) -> bool:
        return self._settings.needs_source

    @cached_property
    def _needs_reference(self) -> bool:
        return self._settings.needs_reference

    def segment(self, record: Record) -> Segment:
        """Return the segment of a record."""
        direction = self.direction(record)
        if self._unknown:
            raise RecordError(self._unknown)
        hypothesis = text(record, "mt")
        source = text(record, "src") if self._needs_source or "id" not in record else ""
        id_ = text(record, "id") if "id" in record else source
        rank = whole_number(record, "candidate", least=1) if "candidate" in record else 1
        if rank != 1 and not self._all_candidates:
            raise RecordError("one of several candidates: choose one with llamax score --select best")
        references = self._references_of(record, direction[1], id_)
        on_target = boolean(record, "on_target") if "on_target" in record else None
        if rank != 1:
            id_ = f"{id_} (candidate {rank})"
        if "id" not in record:
            id_ = self._number(direction, id_)
        if not self.seen.add(direction, id_):
            raise RecordError(f"segment {id_!r} of {'-'.join(direction)} occurs twice")
        self.empty += not hypothesis
        self.empty_references += references.count("")
        self._reference_counts.setdefault(direction, set()).add(len(references))
        return Segment(
            direction,
            id_,
            source,
            hypothesis,
            references[0] if len(references) == 1 else tuple(references) or "",
            on_target,
            "id" in record,
        )

    @property
    def uses_tgt(self) -> bool:
        """Whether the reference of a segment is its own `tgt`."""
        return self._references is None

    def add_all(self, direction: Direction, ids: Sequence[str], empty: int, empty_references: int) -> bool:
        """Read segments that all have an id and one reference; return whether they are read.

        They are if all are new, and the metrics know their languages and need references. `direction` is the one asked
        for last. `empty` of them have no text as their translation, `empty_references` none as their reference.
        """
        if self._unknown or not self._needs_reference or not self.seen.add_all(direction, ids):
            return False
        self.empty += empty
        self.empty_references += empty_references
        self._reference_counts.setdefault(direction, set()).add(1)
        return True

    def _number(self, direction: Direction, source: str) -> str:
        """Return the source, with a number if it has come before: the second "Yes." is another segment, "Yes. (2)"."""
        id_ = source
        while self.seen.has(direction, id_):
            self._repeats[direction, source] += 1
            id_ = f"{source} ({self._repeats[direction, source] + 1})"
        return id_

    def nrefs(self, *directions: Direction) -> int:
        """Return how many references each segment of the directions has, or VARYING."""
        counts = set().union(*(self._reference_counts.get(direction, ()) for direction in directions))
        return counts.pop() if len(counts) == 1 else VARYING

    def direction(self, record: Record) -> Direction:
        """Return the codes of source and target language."""
        codes = record.get("src_lang"), record.get("tgt_lang")
        if codes != self._codes:  # most records have the languages of the one before
            self._direction = language(record, "src_lang"), language(record, "tgt_lang")
            self._unknown = self._find_unknown(self._direction)
            self._codes = codes
        return self._direction

    def _find_unknown(self, direction: Direction) -> str:
        """Return why a metric has no score of a direction, "" if all have one."""
        for name in self._settings.metrics:
            if (reason := why_unscored(name, direction)) and self._settings.scores_all(name):
                self.scored_unknown.setdefault(name, {})[direction] = None
            elif reason:
                return reason
        return ""

    def untranslated(self) -> Iterator[tuple[Direction, list[str]]]:
        """Yield each direction and the ids of the references in files for which no translation was read."""
        if self._references is None:
            return
        for direction in self.seen.directions:
            ids = self._references.ids(direction[1])
            yield direction, [id_ for id_ in ids if not self.seen.has(direction, id_)]

    def _references_of(self, record: Record, lang: str, id_: str) -> list[str]:
        if not self._needs_reference:
            return []
        if self._references is not None:
            return self._references.texts(lang, id_)
        if "tgt" not in record:
            raise RecordError("no reference: the record has no 'tgt'; give a file of references with --ref")
        return texts(record, "tgt")


class SeenSegments:
    """The set of (direction, id) read so far, as bits: a matrix of directions over one corpus takes little memory."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._bits: dict[Direction, tuple[int, bytearray]] = {}  # the number of the first byte, and the bytes

    def add(self, direction: Direction, id_: str) -> bool:
        """Return whether the segment is new, and add it."""
        number = self._numbers.setdefault(id_, len(self._numbers))
        first, bits = self._bits.get(direction) or self._bits.setdefault(direction, (number >> 3, bytearray()))
        index = (number >> 3) - first
        if index < 0:
            bits[:0] = bytes(-index)
            self._bits[direction] = number >> 3, bits
            index = 0
        if index >= len(bits):
            bits.extend(bytes(index + 1 - len(bits)))
        bit = 1 << (number & 7)
        is_new = not bits[index] & bit
        bits[index] |= bit
        return is_new

    def add_all(self, direction: Direction, ids: Sequence[str]) -> bool:
        """Return whether all segments are new and no two of them the same, and add them if they are."""
        numbers = np.array([self._numbers.setdefault(id_, len(self._numbers)) for id_ in ids])
        low, high = int(numbers.min()) >> 3, int(numbers.max()) >> 3  # bytes
        is_added = np.zeros((high + 1 - low) * 8, np.bool_)
        is_added[numbers - low * 8] = True
        first, bits = self._bits.get(direction, (low, bytearray()))
        start = min(first, low)
        before = int.from_bytes(bits, "little") << 8 * (first - start)
        added = int.from_bytes(np.packbits(is_added, bitorder="little").tobytes(), "little") << 8 * (low - start)
        if before & added or is_added.sum() < len(ids):
            return False
        after = before | added
        self._bits[direction] = start, bytearray(after.to_bytes((after.bit_length() + 7) // 8, "little"))
        return True

    def has(self, direction: Direction, id_: str) -> bool:
        """Return whether the segment was added."""
        number = self._numbers.get(id_, -1)
        first, bits = self._bits.get(direction, (0, bytearray()))
        index = (number >> 3) - first
        return number >= 0 and 0 <= index < len(bits) and bool(bits[index] & 1 << (number & 7))

    @property
    def directions(self) -> Iterable[Direction]:
        """The directions, in order of appearance."""
        return self._bits


def group_by_direction(segments: Iterable[Segment]) -> Iterator[SegmentGroup]:
    """Yield the segments in groups, one or several for each direction.

    If directions come one after the other, a group is yielded as soon as the next direction begins. If they are mixed,
    groups wait until one is large or until all together have many characters.
    """
    waiting: dict[Direction, SegmentGroup] = {}
    characters = 0
    latest: SegmentGroup | None = None
    for segment in segments:
        if latest is None or segment.direction != latest.direction:
            if latest is not None and len(latest.segments) >= MIN_GROUP_SIZE:
                characters -= sum(map(_count_characters, waiting.pop(latest.direction).segments))
                yield latest
            latest = waiting.setdefault(segment.direction, SegmentGroup(segment.direction, []))
        latest.segments.append(segment)
        characters += _count_characters(segment)
        if len(latest.segments) >= MAX_GROUP_SIZE or characters > MAX_WAITING:
            yield from waiting.values()
            waiting, characters, latest = {}, 0, None
    yield from waiting.values()


def group_consecutive(segments: Iterable[Segment]) -> Iterator[SegmentGroup]:
    """Yield the segments in their order, in groups of consecutive segments of one direction."""
    for direction, same_direction in groupby(segments, key=lambda segment: segment.direction):
        while batch := list(islice(same_direction, BATCH_SIZE)):
            yield SegmentGroup(direction, batch)


def _count_characters(segment: Segment) -> int:
    reference = segment.reference
    size = len(reference) if isinstance(reference, str) else sum(map(len, reference))
    return len(segment.hypothesis) + size + len(segment.source)
