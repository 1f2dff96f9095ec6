"""Groups: consecutive records that belong together, such as the candidates for one translation.

Chunks are cut between groups. So each group is transformed as a whole, by whichever worker, and an interrupted run goes
on at the start of a group.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from llamax_cli.errors import DataError, RecordError
from llamax_cli.records import Record, parse, serialise
from llamax_cli.streams.chunks import Chunk, Outcome, Tally, first_lines, parsed
from llamax_cli.streams.rejects import Reject

MAX_GROUP = 256 << 20  # bytes of the longest group
MAX_WINDOW = 64 << 20  # bytes of a window of chunks, unless one chunk is longer

Item = TypeVar("Item")
GroupTransform: TypeAlias = Callable[[list[Item], Tally], Iterable[Record]]


@dataclass(frozen=True)
class Grouping(Generic[Item]):
    """Which records belong together.

    read: makes an item of a record; RecordError for one that is bad.
    continues: whether the second item belongs to the group of the first, which came just before it.
    """

    read: Callable[[Record], Item]
    continues: Callable[[Item, Item], bool]


@dataclass(frozen=True)
class Preparation(Generic[Item]):
    """What is done for many groups at once before each is transformed, such as asking a model for numbers.

    prepare: returns the groups, in order, with what the transform needs.
    size: how many records it gets at most, unless a chunk of whole groups has more.
    """

    prepare: Callable[[list[list[Item]]], list[list[Item]]]
    size: int


@dataclass(frozen=True)
class GroupWork(Generic[Item]):
    """The work of a worker on groups; `make()` returns the transform and is called once in each worker."""

    make: Callable[[], GroupTransform[Item]]
    grouping: Grouping[Item]
    tolerant: bool

    def __call__(self) -> Callable[..., Outcome]:
        """Return the function that a worker applies to each chunk of whole groups."""
        return partial(transform_groups, self.make(), self.grouping, self.tolerant)


def whole_groups(stream: Iterable[Chunk], grouping: Grouping[Item], tolerant: bool) -> Iterator[Chunk]:
    """Yield the same lines in chunks that end where a group ends, as it does with its input at the latest.

    A bad line neither belongs to a group nor ends one. Unless it is tolerated it ends the run, and nothing after it is
    waited for.
    """
    held: list[Chunk] = []  # the last group so far, which the next chunk may continue
    latest: Item | None = None  # its last record
    for chunk in stream:
        if held and chunk.name != held[0].name:
            yield _join(held)
            held, latest = [], None
        tail = _last_group(chunk.data.split(b"\n")[:-1], grouping, latest)
        if tail.latest is None or (tail.has_bad_line and not tolerant):
            yield _join([*held, chunk])
            held, latest = [], None
            continue
        if tail.start is not None:
            cut = first_lines(chunk.data, tail.start)
            done = [*held, chunk._replace(data=chunk.data[:cut])]
            if any(each.data for each in done):
                yield _join(done)
            held, chunk = [], Chunk(chunk.name, chunk.line + tail.start, chunk.data[cut:])
        held.append(chunk)
        latest = tail.latest
        if sum(len(each.data) for each in held) > MAX_GROUP:
            where = f"{held[0].name}:{held[0].line}"
            raise DataError(f"{where}: no end of this group of records within {MAX_GROUP >> 20} MiB")
    if held:
        yield _join(held)


def _join(held: Sequence[Chunk]) -> Chunk:
    return held[0]._replace(data=b"".join(chunk.data for chunk in held))


class _Tail(NamedTuple, Generic[Item]):
    """The last group of some lines: where it starts, None if before them; its last record; whether there are bad lines.

    `latest` is None if there is no good record, neither before the lines nor in them.
    """

    start: int | None
    latest: Item | None
    has_bad_line: bool


def _last_group(lines: Sequence[bytes], grouping: Grouping[Item], before: Item | None) -> _Tail[Item]:
    """Return the last group of the lines; `before` is the last good record before them."""
    latest: Item | None = None
    first: Item | None = None  # of the group, as far as it is read
    start, has_bad_line = 0, False
    for index in range(len(lines) - 1, -1, -1):
        try:
            item = grouping.read(parse(lines[index]))
        except RecordError:
            has_bad_line = True
            continue
        if first is not None and not grouping.continues(item, first):
            return _Tail(start, latest, has_bad_line)
        latest, first, start = item if latest is None else latest, item, index
    if first is None:
        return _Tail(None, before, has_bad_line)
    begins_here = before is None or not grouping.continues(before, first)
    return _Tail(start if begins_here else None, latest, has_bad_line)


def transform_groups(
    stage: GroupTransform[Item],
    grouping: Grouping[Item],
    tolerant: bool,
    chunk: Chunk,
    limit: int | None = None,
) -> Outcome:
    """Transform the groups of a chunk, until `limit` records are written.

    Unless `tolerant`, the first bad line ends the chunk, and the group that it interrupts is not done.
    """
    return _outcome(stage, _read_groups(grouping, tolerant, chunk), limit)


def transform_windows(
    stage: GroupTransform[Item],
    preparation: Preparation[Item],
    grouping: Grouping[Item],
    tolerant: bool,
    stream: Iterable[Chunk],
    remaining: Callable[[], int | None],
) -> Iterator[tuple[Chunk, Outcome]]:
    """Yield each chunk of whole groups with its outcome, the groups of several chunks being prepared together.

    The stage makes one record of each group. `remaining` returns how many may still be written, None without a limit;
    no more groups than that are prepared.
    """
    window = _Window[Item]()
    for chunk in stream:
        groups = list(_read_groups(grouping, tolerant, chunk))
        if not window.has_room(chunk, groups, preparation.size):
            yield from _transform_window(stage, preparation, window, remaining())
            window = _Window()
        window.add(chunk, groups)
        limit = remaining()
        has_bad_line = not tolerant and bool(groups[-1].rejects)
        if has_bad_line or (limit is not None and window.groups >= limit):
            break
    yield from _transform_window(stage, preparation, window, remaining())


def _transform_window(
    stage: GroupTransform[Item], preparation: Preparation[Item], window: "_Window[Item]", limit: int | None
) -> Iterator[tuple[Chunk, Outcome]]:
    groups = [group.items for _, read in window.chunks for group in read if group.items][:limit]
    prepared = iter(preparation.prepare(groups) if groups else ())
    for chunk, read in window.chunks:
        if limit == 0:
            return
        ready = (group._replace(items=next(prepared, [])) if group.items else group for group in read)
        outcome = _outcome(stage, ready, limit)
        yield chunk, outcome
        if limit is not None:
            limit -= outcome.written


def _outcome(stage: GroupTransform[Item], groups: "Iterable[_Group[Item]]", limit: int | None) -> Outcome:
    """Return the outcome of groups, of which no more are taken than it needs to write `limit` records."""
    written: list[Record] = []
    rejects: list[Reject] = []
    tally: Tally = Counter()
    read = 0
    for group in groups:
        if group.items:
            written += stage(group.items, tally)
        rejects += group.rejects
        read = group.end
        if limit is not None and len(written) >= limit:
            break
    return Outcome(serialise(written[:limit]), read, len(written[:limit]), rejects, tally)


class _Group(NamedTuple, Generic[Item]):
    """A group, the number of lines up to its last one, and the bad ones among those that are in no group before it."""

    items: list[Item]
    end: int
    rejects: list[Reject]


class _Window(Generic[Item]):
    """Chunks of whole groups that are prepared together, with what `_read_groups` yields of each."""

    def __init__(self) -> None:
        self.chunks: list[tuple[Chunk, list[_Group[Item]]]] = []
        self.groups = 0  # that have records
        self._records = 0
        self._bytes = 0

    def has_room(self, chunk: Chunk, groups: list[_Group[Item]], size: int) -> bool:
        """Return whether one more chunk keeps it within `size` records, and within MAX_WINDOW."""
        records = sum(len(group.items) for group in groups)
        return not self.chunks or (self._records + records <= size and self._bytes + len(chunk.data) <= MAX_WINDOW)

    def add(self, chunk: Chunk, groups: list[_Group[Item]]) -> None:
        """Add a chunk."""
        self.chunks.append((chunk, groups))
        self.groups += sum(bool(group.items) for group in groups)
        self._records += sum(len(group.items) for group in groups)
        self._bytes += len(chunk.data)


def _read_groups(grouping: Grouping[Item], tolerant: bool, chunk: Chunk) -> Iterator[_Group[Item]]:
    """Yield the groups, and at the end an empty one with the lines behind them."""
    items: list[Item] = []
    rejects: list[Reject] = []
    later: list[Reject] = []  # bad lines after the last of the items
    start = end = 0
    lines = parsed(chunk.data)
    for index, line in enumerate(lines):
        try:
            item = grouping.read(parse(line) if isinstance(line, bytes) else line)
        except RecordError as error:
            raw = chunk.data.split(b"\n", index + 1)[index]
            later.append(Reject(chunk.name, chunk.line + index, str(error), raw))
            if not tolerant:
                yield _Group([], start, later)
                return
            continue
        if items and not grouping.continues(items[-1], item):
            yield _Group(items, end, rejects)
            items, rejects, start = [], [], index
        items.append(item)
        rejects, later, end = [*rejects, *later], [], index + 1
    if items:
        yield _Group(items, end, rejects)
    yield _Group([], chunk.data.count(b"\n"), later)
