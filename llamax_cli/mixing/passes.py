"""What a worker does in each pass over the rows: functions of some lines, of a bucket, or of a part of one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llamax_cli.mixing.buckets import CHECK, ENTRY, NAME, PLACE, STRATUM, Buckets, in_order, no_room
from llamax_cli.mixing.drawing import Shares, StratumTable, different
from llamax_cli.mixing.rows import JOINT, RowReader, Rows, RowSettings, turned
from llamax_cli.mixing.strata import Drawing, Stratum
from llamax_cli.randomness import fold_in
from llamax_cli.streams.chunks import Chunk, Tally, pieces
from llamax_cli.streams.inputs import CHUNK
from llamax_cli.streams.rejects import Reject

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from llamax_cli.mixing.buckets import Index, Mask

ROWS, COPIES = "rows", "copies"


class Lines(NamedTuple):
    """Some lines of an input of `--para`, `--mono`, `--aug` or `--mt`."""

    option: str
    chunk: Chunk


class ChunkReport(NamedTuple):
    """What was in some lines besides rows."""

    read: int
    rejects: list[Reject]
    left_out: Tally
    sentences: int
    strata: set[Stratum]


class Part(NamedTuple):
    """The `number`-th (from 0) of `total` parts of a bucket, by place; `room` is how many rows may be written."""

    bucket: int
    number: int
    total: int
    room: int | None = None

    def holds(self, index: "Index") -> "Mask":
        """Return which rows of the bucket are in this part."""
        import numpy as np

        within = index[:, PLACE] << np.uint64(8) >> np.uint64(32)  # 32 bits: no overflow below
        mine: Mask = (within * np.uint64(self.total) >> np.uint64(32)) == self.number
        return mine


class Written(NamedTuple):
    """Where the samples of a part are, how many there are, and how many of each stratum, turned ones apart."""

    path: Path
    rows: int
    counts: "NDArray[np.int64]"


@dataclass(frozen=True)
class Parting:
    """Pass 1: lines become rows in their buckets."""

    folder: Path
    reading: RowSettings
    with_lines: bool

    def __call__(self) -> "Callable[[Lines], ChunkReport]":
        """Return what a worker does, its files open."""
        reader, buckets = RowReader(self.reading), Buckets(self.folder, ROWS)

        def part(lines: Lines) -> ChunkReport:
            rows, rejects = Rows(), list[Reject]()
            for chunk in pieces(lines.chunk, CHUNK):  # what fits the cache goes twice as fast
                found, bad = reader.read(lines.option, chunk)
                rows.take(found)
                rejects += bad
            buckets.append(rows.entries, rows.lines if self.with_lines else [b""] * len(rows.entries))
            return ChunkReport(lines.chunk.data.count(b"\n"), rejects, rows.left_out, rows.sentences, rows.strata)

        return part


@dataclass(frozen=True)
class Counting:
    """Pass 2: how many different records of each stratum a bucket has, and how many that repeat one."""

    folder: Path
    table: StratumTable

    def __call__(self) -> "Callable[[int], tuple[NDArray[np.int64], NDArray[np.int64]]]":
        """Return what a worker does."""
        buckets = Buckets(self.folder, ROWS)

        def count(bucket: int) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
            index = self.table.placed(buckets.index(bucket))
            first, repeated = different(index)
            return self.table.counted(index, first), self.table.counted(index, repeated)

        return count


@dataclass(frozen=True)
class Drawn:
    """What the last two passes know: the strata, their shares and the coin."""

    folder: Path
    table: StratumTable
    shares: Shares
    drawing: Drawing

    def rows(self, part: Part) -> "tuple[Index, list[bytes], NDArray[np.int64]]":
        """Return the entries and lines that are drawn from a part of a bucket, and how often each is."""
        import numpy as np

        buckets = Buckets(self.folder, ROWS)
        index = self.table.placed(buckets.index(part.bucket))
        first, _ = different(index)
        copies = np.zeros(len(index), np.int64)
        copies[first] = self.shares.copies(index, first, part.bucket)
        wanted = (copies > 0) & part.holds(index)
        return index[wanted], buckets.lines(part.bucket, wanted), copies[wanted]

    def turned(self, index: "Index") -> "Mask":
        """Return which rows are pairs in the other direction, by their own coins."""
        import numpy as np

        turns = np.array([stratum.turns for stratum in self.table.strata], bool)
        bound = self.drawing.bound
        below: Mask = index[:, CHECK] < np.uint64(bound) if bound < 1 << 64 else np.ones(len(index), bool)
        turned: Mask = below & turns[index[:, STRATUM].astype(np.int64)]
        return turned


@dataclass(frozen=True)
class Copying:
    """Pass 3: what is drawn more than once goes to other places, each copy with its own coin for the direction."""

    drawn: Drawn

    def __call__(self) -> "Callable[[Part], None]":
        """Return what a worker does, its files open."""
        buckets = Buckets(self.drawn.folder, COPIES)

        def copy(part: Part) -> None:
            index, lines, copies = self.drawn.rows(part)
            for number in range(1, int(copies.max(initial=0))):
                entries, copied = self._copies(index, lines, copies > number, number)
                buckets.append(entries, copied)

        return copy

    def _copies(
        self, index: "Index", lines: list[bytes], wanted: "Mask", number: int
    ) -> tuple[list[bytes], list[bytes]]:
        """Return the entries and lines of one more copy of the wanted rows."""
        old, table = index[wanted], self.drawn.table
        new = old.copy()
        new[:, PLACE], new[:, CHECK] = fold_in(old[:, PLACE], number), fold_in(old[:, CHECK], number)
        was, turns = self.drawn.turned(old), self.drawn.turned(new)
        copied = [lines[row] for row in wanted.nonzero()[0].tolist()]
        for row in (was != turns).nonzero()[0].tolist():
            copied[row] = turned(copied[row], table.strata[int(old[row, STRATUM])], was=bool(was[row]))
        new[:, STRATUM] = table.numbers[old[:, STRATUM].astype("int64")]
        data = new.astype(">u8").tobytes()
        return [data[place : place + ENTRY] for place in range(0, len(data), ENTRY)], copied


@dataclass(frozen=True)
class Writing:
    """Pass 4: the samples of a part of a bucket in the order of their places, in a file of their own."""

    drawn: Drawn

    def __call__(self) -> "Callable[[Part], Written]":
        """Return what a worker does."""
        return self._write

    def _write(self, part: Part) -> Written:
        import numpy as np

        index, lines, _ = self.drawn.rows(part)
        copies = Buckets(self.drawn.folder, COPIES)
        if copies.size(part.bucket):
            more = self.drawn.table.placed(copies.index(part.bucket))
            mine = part.holds(more)
            index = np.concatenate([index, more[mine]])
            lines += copies.lines(part.bucket, mine)
        order = in_order(index, CHECK, STRATUM, NAME)[: part.room]
        samples = b"\n".join([*np.array(lines, object)[order].tolist(), b""])
        written = index[order]
        kinds = written[:, STRATUM].astype(np.int64) * 2 + self.drawn.turned(written)
        counts = np.bincount(kinds, minlength=2 * len(self.drawn.table.strata))
        path = self.drawn.folder / f"out-{part.bucket:03}-{part.number}"
        try:
            path.write_bytes(samples.replace(JOINT, b" "))
        except OSError as error:
            raise no_room(self.drawn.folder, error) from error
        return Written(path, len(order), counts)
