"""One epoch: a shuffle on disk in four passes, each spread over workers; their number and order change nothing.

1. Partition: input lines become rows in the bucket of their shuffle key.
   With --near-duplicates, rows that are nearly the same are found next (near_duplicates.py).
2. Count: duplicates are found in each bucket; the numbers of records decide how many of them are sampled.
3. Copy: further copies of records that are sampled more than once get shuffle keys in other buckets.
4. Write: bucket by bucket, the sampled rows are written, sorted by shuffle key.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llamax_cli.console import counted
from llamax_cli.errors import DataError, FileError, UsageError
from llamax_cli.mixing.algorithm1 import Draw, MixtureParameters, missing_pairs, plan_samples
from llamax_cli.mixing.buckets import ADVICE, BUCKETS, COPIES, ROWS, Buckets, disk_full_error
from llamax_cli.mixing.chunk_reader import ReaderSettings
from llamax_cli.mixing.decontamination import EvaluationSet, read_evaluation_set
from llamax_cli.mixing.near_duplicates import (
    BANDS,
    CANDIDATES,
    COMPARED,
    CandidatePass,
    ComparePass,
    ComparisonRows,
    KeyFiles,
    NearDuplicate,
    SendPass,
)
from llamax_cli.mixing.replay import BinPass, MeasurePass, ReplaySettings, ReplaySizes
from llamax_cli.mixing.sampling_plan import REPLAY, SubsetTable, spread_over_buckets
from llamax_cli.mixing.shuffle_passes import (
    BucketPart,
    CopyPass,
    CountPass,
    InputChunks,
    PartitionPass,
    SampledBuckets,
    WritePass,
    WrittenPart,
)
from llamax_cli.mixing.subsets import Subset
from llamax_cli.records import Missing
from llamax_cli.streams.chunks import chunks
from llamax_cli.streams.inputs import CHUNK
from llamax_cli.streams.parallel import ordered
from llamax_cli.streams.run import Run
from llamax_cli.streams.temporary import TemporaryFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Item = TypeVar("Item")
Result = TypeVar("Result")

BLOCK = 1 << 16  # bytes of samples read at once from the file of a worker
BURST = 1 << 20  # bytes written at once; workers are only a few parts ahead and would have to wait for a longer write


@dataclass(frozen=True)
class MixtureRequest:
    """What to mix and how: files by option, how they are read, evaluation sets, Algorithm 1's numbers, memory in bytes,
    the least similarity of near duplicates, and what is replayed.

    UsageError or FileError, before anything is read, if the request contradicts itself or names what does not exist.
    """

    inputs: Mapping[str, Sequence[str]]
    reader: ReaderSettings
    exclude: Sequence[str]
    parameters: MixtureParameters
    memory: int
    near_duplicates: float | None = None
    replay: ReplaySettings | None = None

    def __post_init__(self) -> None:
        measures = self.replay is not None and self.reader.tokenizer is not None
        if (self.reader.block_size is None) != (self.reader.tokenizer is None) and not measures:
            raise UsageError("--mono-block and --tokenizer require each other: a block is measured in tokens")
        if self.replay is not None and not any(files for option, files in self.inputs.items() if option != REPLAY):
            raise UsageError("--replay is a share of a mixture: name files after --para, --mono, --aug or --mt, too")
        if self.replay is not None:
            self.replay.measure()
        paths = [*chain(*self.inputs.values(), self.exclude)]
        if paths.count("-") > 1:
            raise UsageError("- is standard input, which can be read only once")
        for path in paths:
            if path != "-" and not Path(path).exists():
                raise FileError(f"{path}: no such file or directory")
        self.reader.block_cutter()

    @property
    def draws(self) -> bool:
        """Whether pairs may be drawn and then repeated."""
        return self.parameters.para_size is not None or bool(self.inputs["mt"])

    def part_size(self, workers: int) -> int:
        """Return the bytes of a bucket that one worker may process at once; in memory they take several times that."""
        return max(1 << 10, self.memory // (12 * workers))

    def chunk_size(self, workers: int) -> int:
        """Return the bytes of input that one worker gets at once; several chunks wait for each worker."""
        return min(6 << 20, max(CHUNK, self.memory // (64 * workers)))


def write_mixture(run: Run, request: MixtureRequest, *, plan: bool) -> None:
    """Write one epoch, or with `plan` the pairs that it lacks."""
    mixture = Mixture(run, request)
    if plan:
        with closing(mixture.missing_pairs()) as missing:
            return run.write(missing)
    if request.draws:
        # Version 0.1.0 drew other records, so what it left half-done cannot be completed.
        run.add_dependencies(**{"rules of sampling": 2})
    with closing(mixture.samples()) as samples:
        return run.write(samples, encode=b"".join, batch_size=BURST // mixture.block)


class Mixture:
    """One epoch, made in a temporary folder that is deleted at the end of `samples` or `missing_pairs`."""

    def __init__(self, run: Run, request: MixtureRequest) -> None:
        self._run = run
        self._request = request
        self._workers = run.settings.workers
        self.block = BURST if self._workers == 1 else BLOCK

    def samples(self) -> Generator[bytes]:
        """Yield the lines of the mixture in blocks of at most `block` bytes."""
        randomness = self._request.reader.randomness
        with TemporaryFolder(ADVICE) as folder:
            table = self._partition(folder, with_lines=True)
            self._find_near_duplicates(folder, table)
            counts = self._count(folder, table)
            draws = self._plan_samples(table, counts)
            plan = spread_over_buckets(table, counts, draws, randomness)
            sampled = SampledBuckets(folder, table, plan, randomness)
            if plan.repeats:
                self._copy(CopyPass(sampled, self._request.chunk_size(self._workers)))
            total = sum(draw.samples for draw in draws.values())
            if self._request.replay is not None:
                sampled, replayed = self._draw_replay(sampled, self._request.replay, counts)
                total += replayed
            yield from self._write(sampled, total)

    def missing_pairs(self) -> Generator[Missing]:
        """Yield the pairs that Algorithm 1 lacks in each direction."""
        with TemporaryFolder(ADVICE) as folder:
            table = self._partition(folder, with_lines=self._request.near_duplicates is not None)
            self._find_near_duplicates(folder, table)
            counts = self._count(folder, table)
        yield from missing_pairs(_by_subset(table, counts.sum(axis=1)), self._request.parameters.per_language)

    # -- the passes ---------------------------------------------------------------------------------------------------

    def _partition(self, folder: Path, *, with_lines: bool) -> SubsetTable:
        """Write all rows to their buckets, and return the subsets that they are in."""
        run, subsets, removed_sentences = self._run, set[Subset](), 0
        run.start_phase("reading")
        settings = replace(self._request.reader, excluded=self._read_excluded())
        partition = PartitionPass(folder, settings, with_lines, self._request.near_duplicates)
        for _, report in self._run_pass(partition, self._input_chunks()):
            for reject in report.rejects:
                run.reject(*reject)
            run.add_read(report.lines - len(report.rejects))
            run.left_out.update(+report.left_out)
            removed_sentences += report.removed_sentences
            subsets |= report.subsets
        if removed_sentences:
            run.remarks.append(f"{counted(removed_sentences, 'sentence')} of evaluation sets removed from texts")
        run.figures["sentences_removed"] = removed_sentences
        return SubsetTable(subsets)

    def _read_excluded(self) -> EvaluationSet | None:
        paths, run = self._request.exclude, self._run
        if not paths:
            return None
        excluded = read_evaluation_set(paths, run.input, run.reject)
        run.figures["evaluation_sentences"] = len(excluded)
        return excluded

    def _input_chunks(self) -> Iterator[InputChunks]:
        size = self._request.chunk_size(self._workers)
        for option, paths in self._request.inputs.items():
            for path in paths:
                for group in _grouped(chunks([self._run.input(path)]), lambda chunk: len(chunk.data), size):
                    yield InputChunks(option, group)

    def _count(self, folder: Path, table: SubsetTable) -> "NDArray[np.int64]":
        """Return how many different records each subset has in each bucket, and report the duplicates."""
        import numpy as np

        by_bucket = []
        advance = self._run.start_phase("counting", BUCKETS)
        for _, counts in self._run_pass(CountPass(folder, table), range(BUCKETS)):
            by_bucket.append(counts)
            advance(1)
        for place, kind in enumerate(("duplicates", "near duplicates"), 1):
            for subset, count in _by_subset(table, np.sum([counts[place] for counts in by_bucket], axis=0)).items():
                # The sides of a pair that is split are duplicates together, but near duplicates each by itself.
                if count and (subset.side != "tgt" or kind == "near duplicates"):
                    self._run.left_out[f"{kind} ({subset.origin})"] += count
        return np.stack([counts[0] for counts in by_bucket], axis=1)

    def _find_near_duplicates(self, folder: Path, table: SubsetTable) -> None:
        """Write the keys of near duplicates beside the rows, and the samples to `--rejects`, sorted by key."""
        threshold = self._request.near_duplicates
        if threshold is None:
            return
        run = self._run
        advance = run.start_phase("comparing", 3 * BUCKETS)
        bands, rows = KeyFiles(folder, BANDS, 2), ComparisonRows(folder, table, run.keeps_rejects)
        candidates, compared = KeyFiles(folder, CANDIDATES, 3), Buckets(folder, COMPARED)
        steps: list[tuple[Callable[[], Callable[[BucketPart], list[NearDuplicate] | None]], KeyFiles | Buckets]] = [
            (CandidatePass(folder), bands),
            (SendPass(rows), candidates),
            (ComparePass(rows, threshold), compared),
        ]
        for step, files in steps:
            for part, found in self._run_pass(step, list(self._parts_by(files.size))):
                run.set_aside(
                    (f"near duplicate of {each.id} ({each.similarity:.2f})", each.sample) for each in found or ()
                )
                if part.number == part.total - 1:
                    files.remove(part.bucket)
                    advance(1)

    def _plan_samples(self, table: SubsetTable, counts: "NDArray[np.int64]") -> dict[Subset, Draw]:
        """Return what to draw of each subset, and report it."""
        run, available = self._run, _by_subset(table, counts.sum(axis=1))
        plan = plan_samples(available, self._request.parameters)
        for subset, count in available.items():
            if count > plan[subset].records and subset.side != "tgt" and subset.origin != REPLAY:
                reason = "not drawn" if subset.origin in ("para", "mono") else "not needed"
                run.left_out[f"{reason} ({subset.origin})"] += count - plan[subset].records
        run.figures["different"] = _figures((subset, False, count) for subset, count in available.items())
        run.figures["planned"] = _figures(_split_by_direction(plan, self._request.reader.randomness.flip))
        return plan

    def _copy(self, copying: CopyPass) -> None:
        parts = list(self._parts(copying.sampled.folder))
        advance = self._run.start_phase("repeating", len(parts))
        # Parts of small buckets together, so that there is enough to write to all buckets at once.
        sizes = Buckets(copying.sampled.folder, ROWS)
        groups = list(_grouped(parts, lambda part: sizes.size(part.bucket) // part.total, copying.size))
        for group, _ in self._run_pass(copying, groups):
            advance(len(group))

    def _draw_replay(
        self, sampled: SampledBuckets, settings: ReplaySettings, counts: "NDArray[np.int64]"
    ) -> tuple[SampledBuckets, int]:
        """Return the plan with what is replayed, and how many samples that are; report it."""
        run, sizes = self._run, ReplaySizes()
        measuring = MeasurePass(sampled, settings)
        parts = list(self._parts(sampled.folder))
        advance = run.start_phase("measuring", len(parts))
        for _, measured in self._run_pass(measuring, parts):
            sizes.add(measured)
            advance(1)
        if not sizes.counts.sum():
            if sizes.others:
                raise DataError("no record to replay is left; is the file empty, or in an evaluation set?")
            return sampled, 0
        draw, samples, size = sizes.draw(
            settings, lambda place: (read for _, read in self._run_pass(BinPass(measuring, place), parts))
        )
        sampled = replace(sampled, plan=replace(sampled.plan, replay=draw))
        if draw.rounds:
            self._copy(CopyPass(sampled, self._request.chunk_size(self._workers), replays=True))
        elif left := int(counts[sampled.plan.is_replayed].sum()) - samples:
            run.left_out[f"not drawn ({REPLAY})"] += left
        share = size / max(1, size + sizes.others)
        run.figures["replay"] = {"unit": settings.unit, "replayed": size, "others": sizes.others, "share": share}
        run.remarks.append(f"{100 * share:.1f}% of {size + sizes.others:,} {settings.unit} replayed")
        return sampled, samples

    def _parts(self, folder: Path) -> Iterator[BucketPart]:
        """Yield the buckets; one that is too large for the memory in several parts."""
        rows, copies = Buckets(folder, ROWS), Buckets(folder, COPIES)
        return self._parts_by(lambda bucket: rows.size(bucket) + copies.size(bucket))

    def _parts_by(self, size: Callable[[int], int]) -> Iterator[BucketPart]:
        part_size = self._request.part_size(self._workers)
        for bucket in range(BUCKETS):
            total = -(-size(bucket) // part_size)
            yield from (BucketPart(bucket, number, total) for number in range(total))

    def _write(self, sampled: SampledBuckets, total: int) -> Iterator[bytes]:
        """Yield the samples of all parts, `total` in all, and count them; delete what is no longer needed."""
        advance = self._run.start_phase("writing", total)
        limit, totals = self._run.settings.limit, Counter[tuple[Subset, bool]]()
        write = WritePass(sampled, in_files=self._workers > 1)
        try:
            for part, written in self._run_pass(write, self._parts(sampled.folder)):
                if limit is not None and written.rows > limit:
                    written = write()(part._replace(limit=limit))  # again, so that the counts are those of the output
                totals.update(_counts(sampled.table, written))
                advance(written.rows)
                yield from _blocks(written.samples, self.block)
                self._delete(sampled.folder, part, written.samples)
                if limit is not None and not (limit := limit - written.rows):
                    return
        finally:
            self._run.figures["realised"] = _figures((*kind, count) for kind, count in totals.items())

    def _delete(self, folder: Path, part: BucketPart, samples: bytes | Path) -> None:
        """Delete the file with the samples of a part, and after the last part the bucket."""
        if isinstance(samples, Path):
            samples.unlink()
        if part.number == part.total - 1:
            for name in (ROWS, COPIES):
                Buckets(folder, name).remove(part.bucket)

    def _run_pass(
        self, make: Callable[[], Callable[[Item], Result]], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Yield (item, result) in the order of the items; the workers end with this generator."""
        with closing(ordered(make, items, self._workers)) as results:
            yield from results


def _grouped(stream: Iterable[Item], measure: Callable[[Item], int], size: int) -> Iterator[list[Item]]:
    """Yield items in groups that together have at least `size` bytes, but for the last."""
    group, length = list[Item](), 0
    for item in stream:
        group.append(item)
        length += measure(item)
        if length >= size:
            yield group
            group, length = [], 0
    if group:
        yield group


def _by_subset(table: SubsetTable, counts: "NDArray[np.int64]") -> dict[Subset, int]:
    return dict(zip(table.subsets, map(int, counts), strict=True))


def _counts(table: SubsetTable, written: WrittenPart) -> dict[tuple[Subset, bool], int]:
    """Return how many samples were written by subset and whether they are flipped."""
    kinds = written.counts.nonzero()[0].tolist()  # two for each subset
    return {(table.subsets[kind // 2], bool(kind % 2)): int(written.counts[kind]) for kind in kinds}


def _split_by_direction(plan: Mapping[Subset, Draw], flip: float) -> Iterator[tuple[Subset, bool, int]]:
    """Yield the planned samples of each subset in its own direction and in the other."""
    for subset, (_, count) in plan.items():
        flipped = round(count * flip) if subset.can_flip else 0
        yield subset, False, count - flipped
        yield subset, True, flipped


def _figures(counts: Iterable[tuple[Subset, bool, int]]) -> dict[str, dict[str, int]]:
    """Return the number of samples by origin, by direction and by language; a pair counts for both its languages."""
    figures: dict[str, Counter[str]] = {"origin": Counter(), "direction": Counter(), "language": Counter()}
    for subset, is_flipped, count in counts:
        figures["origin"][subset.origin] += count
        codes = subset.sample_languages(flipped=is_flipped)
        figures["language"].update(dict.fromkeys(codes, count))
        if len(codes) == 2:
            figures["direction"]["-".join(codes)] += count
    return {name: {key: count for key, count in sorted(each.items()) if count} for name, each in figures.items()}


def _blocks(samples: bytes | Path, size: int) -> Iterator[bytes]:
    """Yield samples, or a temporary file with them, in blocks; FileError where the file cannot be read."""
    if isinstance(samples, bytes):
        yield from (samples[start : start + size] for start in range(0, len(samples), size))
        return
    try:
        with samples.open("rb") as file:
            while block := file.read(size):
                yield block
    except OSError as error:
        raise disk_full_error(error) from error
