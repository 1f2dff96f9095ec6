"""One epoch: passes over rows on disk, each spread over workers, whose number and order change nothing.

1. Part: lines become rows, rows go to the bucket of their place.
2. Count: in each bucket, equal records are one; how many of each stratum there are settles how many are drawn.
3. Copy: what is drawn more than once gets other places, in other buckets. Only where something is.
4. Write: bucket by bucket, what is drawn, in the order of its place.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llamax_cli.errors import FileError, UsageError
from llamax_cli.mixing.buckets import BUCKETS, Buckets, no_room
from llamax_cli.mixing.drawing import StratumTable, shares
from llamax_cli.mixing.exclusion import EvaluationSet, evaluation_set
from llamax_cli.mixing.passes import COPIES, ROWS, Copying, Counting, Drawn, Lines, Part, Parting, Writing, Written
from llamax_cli.mixing.quotas import Quotas, missing, planned
from llamax_cli.mixing.rows import RowSettings
from llamax_cli.mixing.strata import Stratum
from llamax_cli.records import Missing
from llamax_cli.streams.chunks import Chunk, chunks
from llamax_cli.streams.inputs import CHUNK
from llamax_cli.streams.parallel import ordered
from llamax_cli.streams.run import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Item = TypeVar("Item")
Result = TypeVar("Result")

BLOCK = 1 << 16  # bytes of samples handed on at once
BURST = 16  # blocks written at once; for the end of a long write the workers, a few parts ahead, would have to wait


@dataclass(frozen=True)
class Recipe:
    """What to mix and how: files by option, how they are read, evaluation sets, the numbers of Algorithm 1, bytes."""

    inputs: Mapping[str, Sequence[str]]
    reading: RowSettings
    exclude: Sequence[str]
    numbers: Quotas
    memory: int

    def __post_init__(self) -> None:
        if (self.reading.block is None) != (self.reading.tokenizer is None):
            raise UsageError("--mono-block counts the tokens of a --tokenizer: give both")
        if [*chain(*self.inputs.values(), self.exclude)].count("-") > 1:
            raise UsageError("- is standard input, which can be read once")
        for path in chain(*self.inputs.values(), self.exclude):
            if path != "-" and not Path(path).exists():
                raise FileError(f"{path}: no such file or directory")
        self.reading.cutter()  # a tokenizer that cannot be loaded is told of before anything is read

    def part_size(self, workers: int) -> int:
        """Return the bytes of a bucket that one worker may take at once; in memory they are several times as many."""
        return max(1 << 10, self.memory // (12 * workers))

    def chunk_size(self, workers: int) -> int:
        """Return the bytes of input that one worker takes at once; several wait for each."""
        return min(8 << 20, max(CHUNK, self.memory // (64 * workers)))


def write(run: Run, recipe: Recipe, *, plan: bool) -> None:
    """Write one epoch, or with `plan` what it lacks."""
    mixture = Mixture(run, recipe)
    if plan:
        with closing(mixture.lacks()) as lacks:
            return run.write(lacks)
    with closing(mixture.samples()) as samples:
        return run.write(samples, encode=b"".join, batch_size=BURST)


class Mixture:
    """One epoch of a recipe, in a temporary folder that goes with `samples` and `lacks`."""

    def __init__(self, run: Run, recipe: Recipe) -> None:
        self._run = run
        self._recipe = recipe
        self._workers = run.settings.workers

    def samples(self) -> Generator[bytes]:
        """Yield the lines of the mixture, some thousand bytes at a time."""
        with _temporary_folder() as folder:
            table = self._part(folder, with_lines=True)
            counts = self._count(folder, table)
            plan = self._plan(table, counts)
            drawing = self._recipe.reading.drawing
            drawn = Drawn(folder, table, shares(table, counts, plan, drawing.seed, drawing.epoch), drawing)
            if drawn.shares.repeats:
                for _ in self._spread(Copying(drawn), self._parts(folder)):
                    pass
            yield from self._written(drawn)

    def lacks(self) -> Generator[Missing]:
        """Yield what Algorithm 1 lacks of each direction."""
        with _temporary_folder() as folder:
            table = self._part(folder, with_lines=False)
            counts = self._count(folder, table)
        yield from missing(_by_stratum(table, counts.sum(axis=1)), self._recipe.numbers.per_language)

    # -- the passes ---------------------------------------------------------------------------------------------------

    def _part(self, folder: Path, *, with_lines: bool) -> StratumTable:
        """Bring all rows into their buckets, and return the strata there are."""
        run, strata, sentences = self._run, set[Stratum](), 0
        reading = replace(self._recipe.reading, excluded=self._excluded())
        for _, seen in self._spread(Parting(folder, reading, with_lines), self._lines()):
            for reject in seen.rejects:
                run.reject(*reject)
            run.add_read(seen.read - len(seen.rejects))
            run.left_out.update(+seen.left_out)
            sentences += seen.sentences
            strata |= seen.strata
        if sentences:
            run.remarks.append(f"{sentences:,} sentences of evaluation sets taken out of texts")
        run.figures["sentences_removed"] = sentences
        return StratumTable(strata)

    def _excluded(self) -> EvaluationSet | None:
        paths, run = self._recipe.exclude, self._run
        if not paths:
            return None
        found = evaluation_set(paths, run.input, run.reject)
        run.figures["evaluation_sentences"] = len(found)
        return found

    def _lines(self) -> Iterator[Lines]:
        size = self._recipe.chunk_size(self._workers)
        for option, paths in self._recipe.inputs.items():
            for path in paths:
                yield from (Lines(option, chunk) for chunk in _gathered(chunks([self._run.input(path)]), size))

    def _count(self, folder: Path, table: StratumTable) -> "NDArray[np.int64]":
        """Return how many different records each stratum has in each bucket, and count those that repeat one."""
        import numpy as np

        found = [counts for _, counts in self._spread(Counting(folder, table), range(BUCKETS))]
        for stratum, repeated in _by_stratum(table, np.sum([again for _, again in found], axis=0)).items():
            if repeated and stratum.side != "tgt":
                self._run.left_out[f"duplicates ({stratum.origin})"] += repeated
        return np.stack([counts for counts, _ in found], axis=1)

    def _plan(self, table: StratumTable, counts: "NDArray[np.int64]") -> dict[Stratum, int]:
        """Return how many samples to draw of each stratum, and report it."""
        run, there = self._run, _by_stratum(table, counts.sum(axis=1))
        plan = planned(there, self._recipe.numbers)
        for stratum, count in there.items():
            if count > plan[stratum] and stratum.side != "tgt":
                reason = "not drawn" if stratum.origin in ("para", "mono") else "not needed"
                run.left_out[f"{reason} ({stratum.origin})"] += count - plan[stratum]
        run.figures["different"] = _figures((stratum, False, count) for stratum, count in there.items())
        run.figures["planned"] = _figures(_directed(plan, self._recipe.reading.drawing.flip))
        return plan

    def _parts(self, folder: Path) -> Iterator[Part]:
        """Yield the buckets, those that are too large for memory in several parts."""
        rows, copies, limit = Buckets(folder, ROWS), Buckets(folder, COPIES), self._recipe.part_size(self._workers)
        for bucket in range(BUCKETS):
            total = -(-(rows.size(bucket) + copies.size(bucket)) // limit)
            yield from (Part(bucket, number, total) for number in range(total))

    def _written(self, drawn: Drawn) -> Iterator[bytes]:
        """Yield the samples of all parts, count them, and give their room back."""
        room, total, write = self._run.settings.limit, Counter[tuple[Stratum, bool]](), Writing(drawn)
        try:
            for part, written in self._spread(write, self._parts(drawn.folder)):
                if room is not None and written.rows > room:
                    written = write()(part._replace(room=room))  # again, so that what is counted is what is written
                total.update(_counts(drawn.table, written))
                with written.path.open("rb") as file:
                    while block := file.read(BLOCK):
                        yield block
                self._give_back(drawn.folder, part, written.path)
                if room is not None and not (room := room - written.rows):
                    return
        finally:
            self._run.figures["realised"] = _figures((*kind, count) for kind, count in total.items())

    def _give_back(self, folder: Path, part: Part, path: Path) -> None:
        path.unlink()
        if part.number == part.total - 1:
            for name in (ROWS, COPIES):
                Buckets(folder, name).remove(part.bucket)

    def _spread(
        self, make: Callable[[], Callable[[Item], Result]], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Yield (item, result) in the order of the items; no worker outlives this."""
        with closing(ordered(make, items, self._workers)) as results:
            yield from results


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="llamax-")
    except OSError as error:
        raise no_room(Path(tempfile.gettempdir()) / "x", error) from error
    with folder as path:
        yield Path(path)


def _gathered(stream: Iterable[Chunk], size: int) -> Iterator[Chunk]:
    """Yield the lines of one input in chunks of about a size."""
    waiting, length = list[Chunk](), 0
    for chunk in stream:
        waiting.append(chunk)
        length += len(chunk.data)
        if length >= size:
            yield waiting[0]._replace(data=b"".join(each.data for each in waiting))
            waiting, length = [], 0
    if waiting:
        yield waiting[0]._replace(data=b"".join(each.data for each in waiting))


def _by_stratum(table: StratumTable, counts: "NDArray[np.int64]") -> dict[Stratum, int]:
    return dict(zip(table.strata, map(int, counts), strict=True))


def _counts(table: StratumTable, written: Written) -> dict[tuple[Stratum, bool], int]:
    """Return how many samples of each stratum were written, turned ones apart."""
    kinds = ((stratum, turned) for stratum in table.strata for turned in (False, True))
    return {kind: count for kind, count in zip(kinds, map(int, written.counts), strict=True) if count}


def _directed(plan: Mapping[Stratum, int], flip: float) -> Iterator[tuple[Stratum, bool, int]]:
    """Yield what is planned of each stratum in its own direction and in the other."""
    for stratum, count in plan.items():
        turned = round(count * flip) if stratum.turns else 0
        yield stratum, False, count - turned
        yield stratum, True, turned


def _figures(counted: Iterable[tuple[Stratum, bool, int]]) -> dict[str, dict[str, int]]:
    """Return samples by origin, by direction and by language; a pair counts for both of its languages."""
    figures: dict[str, Counter[str]] = {"origin": Counter(), "direction": Counter(), "language": Counter()}
    for stratum, turned, count in counted:
        figures["origin"][stratum.origin] += count
        codes = stratum.entry_languages(turned=turned)
        figures["language"].update(dict.fromkeys(codes, count))
        if len(codes) == 2:
            figures["direction"]["-".join(codes)] += count
    return {name: {key: count for key, count in sorted(each.items()) if count} for name, each in figures.items()}
