"""Chunks: inputs are cut into chunks of whole lines, whose records are transformed.

Each chunk is transformed by itself. So any number of workers, any size of chunk and any division into shards give the
same lines in the same order.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

from llamax_cli.errors import DataError, LlamaxError, RecordError
from llamax_cli.records import Record, count_lines, parse, parse_lines, serialise
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.rejects import Reject

PACE = 0.1  # seconds of work in a chunk, about
SMALL, LARGE = 1 << 12, 1 << 20  # bytes in a chunk: of the first, and at most
BATCH = 1000  # records that are read or generated before the first of them is passed on, at most
MAX_LINE = 256 << 20  # bytes of the longest line; more is not a stream of records

Item = TypeVar("Item")
Tally: TypeAlias = Counter[str]
Transform: TypeAlias = Callable[[Record, Tally], Iterable[Record]]


@runtime_checkable
class BatchTransform(Protocol):
    """A transform that is faster with many records at once; it returns what it would return for each, in order.

    Where it raises RecordError, each record is transformed by itself. One for `transform_inputs`, which counts, leaves
    the records as they are for that.
    """

    def __call__(self, record: Record, tally: Tally) -> Iterable[Record]: ...  # noqa: D102
    def transform_batch(self, records: list[Record], tally: Tally) -> list[Record]: ...  # noqa: D102


@runtime_checkable
class LineTransform(Protocol):
    """A transform that makes lines of whole lines, which is faster than records of records and gives the same.

    It returns None where it leaves lines to be transformed as records. Where it raises RecordError, each record is
    transformed by itself.
    """

    def __call__(self, record: Record, tally: Tally) -> Iterable[Record]: ...  # noqa: D102
    def transform_lines(self, data: bytes) -> "Outcome | None": ...  # noqa: D102


@dataclass(frozen=True)
class Portion:
    """The `index`-th (from 1) of `count` parts: `str(Portion(3, 8)) -> "3/8"`."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


WHOLE = Portion(1, 1)


class Chunk(NamedTuple):
    """Whole lines of one input: its name, the number of the first line (from 1), and the bytes."""

    name: str
    line: int
    data: bytes


class Outcome(NamedTuple):
    """The outcome of a chunk: lines to write, how many lines are read and written, rejects, and the tally."""

    data: bytes
    read: int
    written: int
    rejects: list[Reject]
    tally: Tally


def chunks(inputs: Iterable[Input]) -> Iterator[Chunk]:
    """Yield the inputs one after the other, as chunks of whole lines, as soon as these arrive.

    Only "\\n" ends a line; U+0085, U+2028 and the like are text. A last line without "\\n" gets one.
    """
    for source in inputs:
        line, unfinished, length = 1, list[bytes](), 0  # the line that has no end yet, in pieces
        for block in source.blocks():
            cut = block.rfind(b"\n") + 1
            if cut:
                lines = b"".join([*unfinished, block[:cut]])
                yield Chunk(source.name, line, lines)
                line += count_lines(lines)
                unfinished, length = [], 0
            unfinished.append(block[cut:])
            length += len(block) - cut
            if length > MAX_LINE:
                where = f"{source.name}:{line}"
                raise DataError(f"{where}: no line end within {MAX_LINE >> 20} MiB; is this a stream of lines?")
        if length:
            yield Chunk(source.name, line, b"".join([*unfinished, b"\n"]))


def shard(inputs: list[Input], portion: Portion) -> Iterator[Chunk]:
    """Yield the lines of one shard; shards are contiguous, of nearly equal bytes, and joined they are the whole.

    A line belongs to the shard that holds its first byte. The inputs are measured first. One that cannot be read twice
    is copied to a temporary file.
    """
    for source in inputs:
        source.spool()
    total = sum(source.measure() for source in inputs)
    yield from between(
        chunks(inputs), total * (portion.index - 1) // portion.count, total * portion.index // portion.count
    )


def between(stream: Iterable[Chunk], start: int, end: int) -> Iterator[Chunk]:
    """Yield the lines whose first byte is at a position from `start` to `end` - 1 of the stream."""
    offset = 0
    for chunk in stream:
        low, high = (_line_start(chunk.data, place - offset) for place in (start, end))
        if low < high:
            yield Chunk(chunk.name, chunk.line + chunk.data.count(b"\n", 0, low), chunk.data[low:high])
        offset += len(chunk.data)
        if offset >= end:
            return


def paced(stream: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield the same lines in chunks of such a size that the next one is taken within about PACE seconds.

    So a slow stage in this process shows its progress, and an interruption costs little work, while a fast stage gets
    large chunks. With workers, chunks are taken before the work is done, so that they grow to those of the input.
    """
    size = SMALL
    for chunk in stream:
        low = 0
        while low < len(chunk.data):
            high = _line_start(chunk.data, low + size)
            start = time.monotonic()
            yield Chunk(chunk.name, chunk.line + chunk.data.count(b"\n", 0, low), chunk.data[low:high])
            seconds = time.monotonic() - start
            size = max(1, size // 2) if seconds > PACE else min(LARGE, size * 2) if seconds < PACE / 4 else size
            low = high


def _line_start(data: bytes, place: int) -> int:
    """Return the start of the first line that starts at `place` or later."""
    if place <= 0:
        return 0
    return len(data) if place >= len(data) else data.index(b"\n", place - 1) + 1


def first_lines(data: bytes, count: int) -> int:
    """Return the length in bytes of the first `count` lines: `first_lines(b"a\\nbc\\nd\\n", 2) -> 5`."""
    end = 0
    for _ in range(count):
        end = data.index(b"\n", end) + 1
    return end


def records(
    stream: Iterable[Chunk], read: Callable[[Record], Item], reject: Callable[[str, int, str, bytes], None]
) -> Iterator[tuple[int, Item]]:
    """Yield (line number, `read(record)`) for each line; `reject` gets the bad lines.

    A line is bad if it is not a record, or if `read` raises RecordError.
    """

    def read_line(line: bytes) -> Item:
        return read(parse(line))

    for chunk in stream:
        batch, lines = parse_lines(chunk.data), list[bytes]()
        if batch is None:
            lines = chunk.data.split(b"\n")[:-1]
        results = map(read_line, lines) if batch is None else map(read, batch)
        number = chunk.line
        for items, error in _until_errors(results):
            yield from enumerate(items, number)
            number += len(items)
            if error is not None:
                lines = lines or chunk.data.split(b"\n")
                reject(chunk.name, number, str(error), lines[number - chunk.line])
                number += 1


def batches(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    """Yield the items in lists; also those before an error, such as a bad line, with which the run then ends."""
    stream = iter(items)
    while True:
        batch: list[Item] = []
        try:
            batch.extend(islice(stream, size))  # up to the error, if there is one
        except LlamaxError:
            yield batch
            raise
        if not batch:
            return
        yield batch


def _until_errors(results: Iterator[Item]) -> Iterator[tuple[list[Item], RecordError | None]]:
    """Yield the results before each RecordError, and the error; None where another error or the end comes."""
    while True:
        items: list[Item] = []
        try:
            items.extend(results)  # quicker than one by one; what comes before an error is in the list
        except RecordError as error:
            yield items, error
        except LlamaxError:
            yield items, None
            raise
        else:
            yield items, None
            return


@dataclass(frozen=True)
class Work:
    """The work of a worker; `make()` returns the transform and is called once in each worker."""

    make: Callable[[], Transform]
    tolerant: bool

    def __call__(self) -> Callable[[Chunk], Outcome]:
        """Return the function that a worker applies to each chunk."""
        return partial(transform, self.make(), self.tolerant)


def transform(stage: Transform, tolerant: bool, chunk: Chunk, limit: int | None = None) -> Outcome:
    """Transform the records of a chunk, until `limit` are written.

    The first bad line ends the chunk unless `tolerant`. A LineTransform gets the lines, or a BatchTransform all records
    at once, if all are good and there is no limit.
    """
    if limit is None and isinstance(stage, LineTransform):
        with suppress(RecordError):
            if (outcome := stage.transform_lines(chunk.data)) is not None:
                return outcome
    if limit is None and isinstance(stage, BatchTransform) and (batch := parse_lines(chunk.data)):
        with suppress(RecordError):  # below, one record at a time shows which one it is
            return _transform_batch(stage, batch)
    written: list[Record] = []
    rejects: list[Reject] = []
    tally: Tally = Counter()
    lines: list[bytes] = []
    for index, line in enumerate(parsed(chunk.data)):
        if limit is not None and len(written) >= limit:
            return Outcome(serialise(written[:limit]), index, limit, rejects, tally)
        try:
            # As a list first: a transform that fails midway must write nothing.
            written.extend([*stage(parse(line) if isinstance(line, bytes) else line, tally)])
        except RecordError as error:
            lines = lines or chunk.data.split(b"\n")
            rejects.append(Reject(chunk.name, chunk.line + index, str(error), lines[index]))
            if not tolerant:
                return Outcome(serialise(written), index, len(written), rejects, tally)
    return Outcome(serialise(written[:limit]), chunk.data.count(b"\n"), len(written[:limit]), rejects, tally)


def _transform_batch(stage: BatchTransform, batch: list[Record]) -> Outcome:
    tally: Tally = Counter()
    transformed = stage.transform_batch(batch, tally)
    return Outcome(serialise(transformed), len(batch), len(transformed), [], tally)


def transform_inputs(work: Work, inputs: Iterable[Input]) -> Iterator[Outcome]:
    """Yield the outcomes of the inputs, transformed in this process.

    What a door makes of an input is not written as JSON and read again where the transform takes many records at once.
    """
    stage = work.make()
    for source in inputs:
        if isinstance(stage, BatchTransform) and (batches := source.batches()) is not None:
            yield from _transform_batches(stage, work.tolerant, source.name, batches)
        else:
            yield from (transform(stage, work.tolerant, chunk) for chunk in chunks([source]))


def _transform_batches(
    stage: BatchTransform, tolerant: bool, name: str, batches: Iterable[list[Record]]
) -> Iterator[Outcome]:
    line = 1
    for batch in batches:
        try:
            outcome = _transform_batch(stage, batch)
        except RecordError:
            outcome = transform(stage, tolerant, Chunk(name, line, serialise(batch)))
        yield outcome
        line += len(batch)


def parsed(data: bytes) -> Iterable[Record | bytes]:
    """Return the records, or the lines if some are bad."""
    records = parse_lines(data)
    return data.split(b"\n")[:-1] if records is None else records
