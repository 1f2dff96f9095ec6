"""The passes of a shuffle on disk as worker functions: partition, count, copy, write."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llamax_cli.mixing.buckets import (
    CHECK,
    COPIES,
    ENTRY_SIZE,
    ID_HASH,
    ROWS,
    SHUFFLE_KEY,
    SUBSET,
    Buckets,
    arrange_lines,
    disk_full_error,
    sort_order,
)
from llamax_cli.mixing.chunk_reader import ChunkReader, ReaderSettings
from llamax_cli.mixing.near_duplicates import Signatures, add_bands, without_near
from llamax_cli.mixing.samples import JOINT, SampleRows, flip_line
from llamax_cli.mixing.sampling_plan import SamplingPlan, SubsetTable, find_duplicates
from llamax_cli.mixing.subsets import EpochRandomness, Subset
from llamax_cli.randomness import fold_in
from llamax_cli.streams.chunks import Chunk, Tally
from llamax_cli.streams.rejects import Reject

COPIES_AT_ONCE = 4096  # or as many as there are rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from llamax_cli.mixing.buckets import Index, Mask


class InputChunks(NamedTuple):
    """Chunks of a file of `--para`, `--mono`, `--aug` or `--mt`: each fits the cache, which doubles the speed."""

    option: str
    chunks: list[Chunk]


class ChunkReport(NamedTuple):
    """What chunks held beside their rows."""

    lines: int
    rejects: list[Reject]
    left_out: Tally
    removed_sentences: int
    subsets: set[Subset]


class BucketPart(NamedTuple):
    """The `number`-th (from 0) of `total` parts of a bucket, by shuffle key; `limit` is how many rows to write."""

    bucket: int
    number: int
    total: int
    limit: int | None = None

    def contains(self, index: "Index") -> "Mask":
        """Return which rows of the bucket are in this part."""
        import numpy as np

        # The 32 bits of the key after the byte that names the bucket: so the product below does not overflow.
        within_bucket = index[:, SHUFFLE_KEY] << np.uint64(8) >> np.uint64(32)
        is_inside: Mask = (within_bucket * np.uint64(self.total) >> np.uint64(32)) == self.number
        return is_inside


class WrittenPart(NamedTuple):
    """The samples of a part or a file with them, their number, and that by subset and whether they are flipped."""

    samples: bytes | Path
    rows: int
    counts: "NDArray[np.int64]"


@dataclass(frozen=True)
class PartitionPass:
    """Pass 1: input lines become rows in their buckets."""

    folder: Path
    settings: ReaderSettings
    with_lines: bool
    near: float | None = None  # the least similarity of near duplicates, whose signatures are written too

    def __call__(self) -> "Callable[[InputChunks], ChunkReport]":
        """Return the function of a worker, which keeps its files open."""
        reader, buckets = ChunkReader(self.settings), Buckets(self.folder, ROWS)
        signatures = None if self.near is None else Signatures(self.near)

        def partition(item: InputChunks) -> ChunkReport:
            rows, rejects = SampleRows(), list[Reject]()
            for chunk in item.chunks:
                chunk_rows, chunk_rejects = reader.read(item.option, chunk)
                rows.extend(chunk_rows)
                rejects += chunk_rejects
            if signatures is not None:
                add_bands(self.folder, rows, signatures)
            entries = rows.index
            buckets.append(entries, rows.lines if self.with_lines else [b""] * (len(entries) // ENTRY_SIZE))
            return ChunkReport(rows.lines_read, rejects, rows.left_out, rows.removed_sentences, rows.subsets)

        return partition


@dataclass(frozen=True)
class CountPass:
    """Pass 2: how many different records of each subset a bucket has, how many duplicates, and near duplicates."""

    folder: Path
    table: SubsetTable

    def __call__(self) -> "Callable[[int], tuple[NDArray[np.int64], ...]]":
        """Return the function of a worker."""
        import numpy as np

        buckets, nothing = Buckets(self.folder, ROWS), np.zeros(len(self.table.subsets), np.int64)

        def count(bucket: int) -> "tuple[NDArray[np.int64], ...]":
            if not buckets.size(bucket):  # most of them, where there are few records
                return nothing, nothing, nothing
            index = self.table.replace_numbers(buckets.index(bucket))
            different, duplicates = find_duplicates(index)
            different, near = without_near(self.folder, bucket, index, different)
            return tuple(self.table.count(index, rows) for rows in (different, duplicates, near))

        return count


class SampledRows(NamedTuple):
    """The entries and the texts of rows that are sampled, how often each is, and their order by shuffle key."""

    entries: "Index"
    texts: list[bytes]
    copies: "NDArray[np.int64]"
    order: "NDArray[np.intp]"


@dataclass(frozen=True)
class SampledBuckets:
    """The rows on disk and which of them are sampled: what the last two passes read."""

    folder: Path
    table: SubsetTable
    plan: SamplingPlan
    randomness: EpochRandomness

    def sampled_rows(self, part: BucketPart) -> "SampledRows":
        """Return the rows sampled from a part."""
        import numpy as np

        buckets = Buckets(self.folder, ROWS)
        index = self.table.replace_numbers(buckets.index(part.bucket))
        different, _ = without_near(self.folder, part.bucket, index, find_duplicates(index)[0])
        copies = np.zeros(len(index), np.int64)
        copies[different] = self.plan.copies(index, different, part.bucket)
        is_sampled = (copies > 0) & part.contains(index)
        places = np.cumsum(is_sampled) - 1  # of the rows of the bucket among those sampled
        order = places[different[is_sampled[different]]]
        return SampledRows(index[is_sampled], buckets.texts(part.bucket, is_sampled), copies[is_sampled], order)

    def replay_rows(self, part: BucketPart) -> "tuple[Index, Mask]":
        """Return the index of a bucket, and which of its rows are in a part and may be replayed."""
        import numpy as np

        index = self.table.replace_numbers(Buckets(self.folder, ROWS).index(part.bucket))
        different, _ = without_near(self.folder, part.bucket, index, find_duplicates(index)[0])
        is_different = np.zeros(len(index), bool)
        is_different[different] = True
        return index, is_different & part.contains(index) & self.plan.is_replayed[index[:, SUBSET].astype(np.int64)]

    def is_flipped(self, index: "Index") -> "Mask":
        """Return which rows are pairs in the other direction, as their checks say."""
        import numpy as np

        bound = self.randomness.flip_bound
        is_below: Mask = index[:, CHECK] < np.uint64(bound) if bound < 1 << 64 else np.ones(len(index), bool)
        is_flipped: Mask = is_below & self.table.can_flip[index[:, SUBSET].astype(np.int64)]
        return is_flipped


@dataclass(frozen=True)
class CopyPass:
    """Pass 3: each further copy of a record gets its own shuffle key and its own random direction (Algorithm 1)."""

    sampled: SampledBuckets
    size: int  # bytes of copies that are written at once, about; each write goes to all buckets
    replays: bool = False  # copy the records that are replayed, instead of the others

    def __call__(self) -> "Callable[[list[BucketPart]], None]":
        """Return the function of a worker, which keeps its files open."""
        buckets = Buckets(self.sampled.folder, COPIES)

        def copy(parts: list[BucketPart]) -> None:
            rows, size = SampleRows(), 0
            for entries, text in chain.from_iterable(map(self._copies, parts)):
                rows.entries.append(entries)
                rows.lines.append(text)
                size += len(entries) + len(text)
                if size >= self.size:
                    buckets.append(rows.index, rows.lines)
                    rows, size = SampleRows(), 0
            buckets.append(rows.index, rows.lines)

        return copy

    def _copies(self, part: BucketPart) -> "Iterator[tuple[bytes, bytes]]":
        """Yield the entries and the joined lines of copies of the rows of a part, some thousands at a time."""
        import numpy as np

        index, texts, copies, _ = self.sampled.sampled_rows(part)
        lines = b"\n".join(texts).split(b"\n")
        copies[self.sampled.plan.is_replayed[index[:, SUBSET].astype("int64")] != self.replays] = 0
        further = np.maximum(copies - 1, 0)
        ends = np.cumsum(further)
        size = max(COPIES_AT_ONCE, len(index))
        for start in range(0, int(further.sum()), size):
            places = np.arange(start, min(start + size, ends[-1]))
            rows = np.searchsorted(ends, places, side="right")
            yield self._copy_rows(index, lines, rows, (places - (ends - further)[rows] + 1).astype(np.uint64))

    def _copy_rows(
        self, index: "Index", lines: list[bytes], rows: "NDArray[np.intp]", numbers: "NDArray[np.uint64]"
    ) -> tuple[bytes, bytes]:
        """Return the entries and the joined lines of copies of some rows, which have these numbers."""
        table = self.sampled.table
        old = index[rows]
        new = old.copy()
        for column in (SHUFFLE_KEY, CHECK):
            new[:, column] = fold_in(old[:, column], numbers)
        was_flipped, is_flipped = self.sampled.is_flipped(old), self.sampled.is_flipped(new)
        copied = [lines[row] for row in rows.tolist()]
        for row in (was_flipped != is_flipped).nonzero()[0].tolist():
            subset = table.subsets[int(old[row, SUBSET])]
            copied[row] = flip_line(copied[row], subset, is_flipped=bool(was_flipped[row]))
        new[:, SUBSET] = table.numbers[old[:, SUBSET].astype("int64")]
        return new.astype(">u8").tobytes(), b"\n".join(copied)


@dataclass(frozen=True)
class WritePass:
    """Pass 4: the samples of a part of a bucket, sorted by shuffle key; `in_files` if another process writes them."""

    sampled: SampledBuckets
    in_files: bool

    def __call__(self) -> "Callable[[BucketPart], WrittenPart]":
        """Return the function of a worker."""
        return self._write

    def _write(self, part: BucketPart) -> WrittenPart:
        import numpy as np

        table = self.sampled.table
        index, texts, _, order = self.sampled.sampled_rows(part)
        copies = Buckets(self.sampled.folder, COPIES)
        if copies.size(part.bucket):
            copies_index = table.replace_numbers(copies.index(part.bucket))
            is_inside = part.contains(copies_index)
            index = np.concatenate([index, copies_index[is_inside]])
            texts += copies.texts(part.bucket, is_inside)
            order = sort_order(index, CHECK, SUBSET, ID_HASH)
        order = order[: part.limit]
        samples = b""
        if len(order):
            (text,) = arrange_lines(texts, order, np.array([0, len(order)]))
            samples = text.replace(JOINT, b" ") + b"\n"
        sorted_index = index[order]
        kinds = sorted_index[:, SUBSET].astype(np.int64) * 2 + self.sampled.is_flipped(sorted_index)
        counts = np.bincount(kinds, minlength=2 * len(table.subsets))
        if not self.in_files:
            return WrittenPart(samples, len(order), counts)
        path = self.sampled.folder / f"out-{part.bucket:03}-{part.number}"
        try:
            path.write_bytes(samples)
        except OSError as error:
            raise disk_full_error(error) from error
        return WrittenPart(path, len(order), counts)
