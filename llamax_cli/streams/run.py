"""One run of a command, from its flags to its last line.

A command calls one of these methods. Compression, rejects, complete outputs, resuming, shards, workers, progress, the
summary and the manifest come with them.

    run.map(make)       transform every record by itself, in any number of workers
    run.map_groups(make, grouping)   transform groups of consecutive records, in any number of workers
    run.map_prepared(stage, preparation, grouping)   the same in this process, where a model is asked for many at once
    run.stream(stage)   pass the records in order through a stage that may look ahead (batches for a model)
    run.write(records)  write records that are generated from something other than lines of records
    run.read()          read the records
    run.count(make)     count with a transform, in any number of workers, and write nothing
    run.make(build)     make something other than records, such as a folder
"""

import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeAlias, TypeVar

from llamax_cli import interruption
from llamax_cli.console import Progress, counted, say
from llamax_cli.errors import FileError, LlamaxError, RecordError, UnsyncedError, naming
from llamax_cli.records import Record, parse, serialise
from llamax_cli.streams import manifest
from llamax_cli.streams.atomic import AtomicFolder
from llamax_cli.streams.chunks import (
    BATCH,
    PACE,
    WHOLE,
    Chunk,
    Outcome,
    Tally,
    Transform,
    Work,
    chunks,
    paced,
    records,
    shard,
    transform_inputs,
)
from llamax_cli.streams.groups import (
    Grouping,
    GroupTransform,
    GroupWork,
    Preparation,
    transform_windows,
    whole_groups,
)
from llamax_cli.streams.inputs import Door, Input
from llamax_cli.streams.journal import Journal
from llamax_cli.streams.manifest import plain
from llamax_cli.streams.outputs import Output, WrittenHash, check_output, hash_stdout
from llamax_cli.streams.parallel import ordered
from llamax_cli.streams.paths import NamedPath, refuse_stdout
from llamax_cli.streams.rejects import Reject, check_reject_path, check_rejects
from llamax_cli.streams.resume import RunIdentity
from llamax_cli.streams.settings import Settings
from llamax_cli.streams.summary import summary

Item = TypeVar("Item")


class Results(NamedTuple):
    """The results of a stage for several records, one after the other: one record for each."""

    records: list[Record]


Stage: TypeAlias = Callable[[Iterator[Record]], Iterator[Iterable[Record] | RecordError | Results]]


class Run:
    """One run, as a context: its output is complete if the context ends well, and can be resumed if it fails.

    `arguments` are all arguments after defaults; those named in `neutral` do not change the result, so that a resumed
    run may differ in them. `figures` are for the manifest, `remarks` for the summary line. `left_out` is for both: it
    counts, by reason, the records that a command did not take into its output. A command that `merges` lines writes
    other records than it reads, so that its summary does not compare their numbers. Inputs are hashed for the manifest;
    a command that needs their hashes itself sets `hashing` before it has an input.
    """

    def __init__(
        self, command: str, settings: Settings, arguments: Mapping[str, Any], neutral: Collection[str] = ()
    ) -> None:
        self.command = command
        self.settings = settings
        self.figures: dict[str, object] = {}
        self.remarks: list[str] = []
        self.left_out: Tally = Counter()
        self.products: list[Path] = []  # files that the run has written, where their names are not its options
        self._named_reads: Sequence[NamedPath] = ()
        self._named_writes: Sequence[NamedPath] = ()
        self._stdout: WrittenHash | None = None
        self.merges = False
        self._noun = "record"
        self.hashing = settings.manifest is not None
        self._arguments = arguments
        self._neutral = neutral
        self._dependencies: dict[str, object] = {}
        self._inputs: dict[str, Input] = {}
        self._door: Door | None = None
        self._started = time.time()
        self._show_progress(beside_output=not self._fills_the_terminal())
        self._journal = Journal(settings.rejects, settings.limit)
        self._generates = False
        self._phase = ""
        self._share: Callable[[], tuple[int, int | None]] = self._bytes_read
        self._bytes_of_lines, self._bytes_waiting = 0, 0  # of the lines read, and of those not done yet
        self._bytes_in_stage = 0  # of the lines whose records a stage has taken, and not done yet
        self._window = _Window(0, 0.0)
        self._encode: Callable[[list[Record]], bytes] = serialise
        self._rejected: set[tuple[str, int]] = set()

    def writes_elsewhere(self) -> None:
        """Note that the run writes a file that `-o` does not name, so that a terminal as standard output is free."""
        self._show_progress(beside_output=True)

    def _show_progress(self, *, beside_output: bool) -> None:
        self._progress = Progress(self.command, enabled=not self.settings.quiet and beside_output)

    def _fills_the_terminal(self) -> bool:
        return self.settings.output is None and sys.stdout is not None and sys.stdout.isatty()

    @property
    def lines_read(self) -> int:
        """How many lines of the input are done, including those of an interrupted run."""
        return self._journal.counts["in"]

    @property
    def is_resumable(self) -> bool:
        """Whether there is an output that an interrupted run can go on with."""
        return self.settings.output is not None

    @property
    def tally(self) -> Tally:
        """The counters of the command, by name."""
        return self._journal.tally

    def input(self, path: str | Path, *, through_door: bool = True) -> Input:
        """Return the input at a path (`-` is standard input), and list it in the manifest.

        The door of `read_through` opens those that are not lines of JSON, unless it is the door itself that asks.
        """
        key = str(path)
        if key not in self._inputs:
            if self.settings.output is None:
                refuse_stdout([NamedPath("", key)])  # it may be a file in a folder that the command line names
            self._inputs[key] = Input(key, hashing=self.hashing, door=self._door if through_door else None)
        return self._inputs[key]

    def declare(self, reads: Sequence[NamedPath], writes: Sequence[NamedPath]) -> None:
        """Say which paths the command line names, so that the manifest has the hashes of what is there."""
        self._named_reads, self._named_writes = reads, writes

    def read_through(self, door: "RunDoor") -> None:
        """Read inputs that are not lines of JSON through a door; call this before the run has an input."""
        self._door = _BoundDoor(door, self)

    @property
    def inputs(self) -> list[Input]:
        """The inputs named on the command line, or standard input if none is."""
        return [self.input(path) for path in self.settings.files or ("-",)]

    def check_paths(self) -> None:
        """Raise FileError where an input is not there or the output cannot be written, before anything is loaded."""
        for path in self.settings.files:
            Input(path).check()
        check_output(self.settings.output)
        if self.settings.rejects is not None:
            check_reject_path(self.settings.rejects)

    def add_dependencies(self, **facts: object) -> None:
        """Add what the result depends on besides the arguments, such as the content of a file that one names.

        The manifest lists it among the arguments, and `--resume` refuses to go on where it differs. Call this before
        records are written.
        """
        self._dependencies |= facts

    # -- reading and writing -----------------------------------------------------------------------------------------

    def map(self, make: Callable[[], Transform]) -> None:
        """Write the transformed records; `make()` returns the transform and is called once in each worker."""
        self._open()
        self._transform(Work(make, self._journal.is_tolerant), paced(self._chunks()))

    def map_groups(self, make: Callable[[], GroupTransform[Item]], grouping: Grouping[Item]) -> None:
        """Write the records that are made of each group, as `map` does of each record.

        There are no shards: a group must not be cut.
        """
        self._open()
        tolerant = self._journal.is_tolerant
        self._transform(GroupWork(make, grouping, tolerant), whole_groups(paced(self._chunks()), grouping, tolerant))

    def map_prepared(
        self, stage: GroupTransform[Item], preparation: Preparation[Item], grouping: Grouping[Item]
    ) -> None:
        """Write the record that the stage makes of each group, after many groups were prepared together."""
        self._open()
        tolerant = self._journal.is_tolerant
        stream = whole_groups(self._chunks(), grouping, tolerant)
        for chunk, outcome in transform_windows(
            stage, preparation, grouping, tolerant, stream, lambda: self._journal.remaining
        ):
            self._commit(chunk.data, outcome)

    def _transform(self, work: Callable[[], Callable[..., Outcome]], stream: Iterable[Chunk]) -> None:
        with closing(ordered(work, stream, self.settings.workers)) as outcomes:
            for chunk, outcome in outcomes:
                remaining = self._journal.remaining
                if remaining is not None and outcome.written >= remaining:
                    # Transform it again, up to the last record of the limit: a bad line after that must not count.
                    self._commit(chunk.data, work()(chunk, remaining))
                    return
                self._commit(chunk.data, outcome)

    def stream(
        self, stage: Stage, encode: Callable[[list[Record]], bytes] = serialise, first: int | None = None
    ) -> None:
        """Write the results of a stage, which yields one result for each record (of the `first` lines), in order.

        A result is the records to write, or the RecordError that rejects the input record; several at once cost less as
        Results. The stage may take several records before it yields the result of the first; with `start_window` it
        says how far it is with them. `encode` returns a line for each record.
        """
        self._encode = encode
        self._open()
        waiting: deque[_Waiting] = deque()
        for result in stage(self._ahead(waiting, first)):
            if isinstance(result, Results):
                self._answer_all(waiting, result.records)
            else:
                self._settle(waiting)
                self._answer(waiting.popleft(), result)
            if self._journal.is_full:
                return
        self._settle(waiting)

    def start_window(self) -> Callable[[float], None]:
        """Show how far a stage is with the records that it has taken by now, before it yields their results.

        The returned function takes the share of them that is done, from 0 to 1.
        """
        size = self._bytes_in_stage
        self._window = _Window(size, 0.0)

        def report(share: float) -> None:
            self._window = _Window(size, share)
            self._progress.update(self._journal.counts["out"], self._bytes_done)

        return report

    def write(
        self,
        records: Iterable[Item],
        *,
        encode: Callable[[list[Item]], bytes] = serialise,
        output: Output | None = None,
        batch_size: int = BATCH,
    ) -> None:
        """Write generated records; `encode` returns a line for each, for at most `batch_size` of them at once.

        A resumed run generates all records again. It checks that the first ones are those already written, and writes
        the others.
        """
        self._generates = True
        self._open(output)
        stream, size = iter(records), 1
        while True:
            batch: list[Item] = []
            start = time.monotonic()
            try:
                batch.extend(islice(stream, size))  # what comes before an error is in the list
            except LlamaxError:
                self._commit_output(encode(batch))
                raise
            if not batch:
                break
            self._commit_output(encode(batch))
            if self._journal.is_full:
                return
            size = self._next_size(size, time.monotonic() - start, batch_size)
        self._journal.expect_end()

    def make(self, build: Callable[[], int], noun: str) -> None:
        """Make something other than records: `build` reads what it needs, writes it, and returns how many it made.

        It calls `check_rejects` when all is read; what it makes then, such as a `folder`, appears whole or not at all.
        """
        self._journal.open_rejects()
        self._noun, self.merges = noun, True
        self._journal.counts["out"] = build()

    @contextmanager
    def folder(self, path: Path) -> Iterator[Path]:
        """Open a folder to write into, which becomes `path` at the end of the run, once its manifest is on disk."""
        folder = self._journal.folder = AtomicFolder(path)
        with naming(path):
            yield folder.partial

    def check_rejects(self) -> None:
        """Raise DataError where more lines are rejected than `--max-rejects` allows."""
        check_rejects(self._journal.counts, self.settings.max_rejects, self.settings.rejects)

    def _next_size(self, size: int, seconds: float, largest: int) -> int:
        """Return the size of the next batch, given what the last one took: small where records come slowly."""
        size = min(largest, size * 2) if seconds < PACE else max(1, size // 2)
        return size if self._journal.remaining is None else min(size, self._journal.remaining)

    def read(self, inputs: Iterable[Input] | None = None) -> Iterator[Record]:
        """Yield the records of the inputs, by default those of the command line; bad lines are rejected."""
        return self.read_as(lambda record: record, inputs)

    def read_as(self, read: Callable[[Record], Item], inputs: Iterable[Input] | None = None) -> Iterator[Item]:
        """Yield `read(record)` for each record; a line is also rejected if `read` raises RecordError."""
        return self.read_chunks(read, chunks(self.inputs if inputs is None else inputs))

    def read_chunks(self, read: Callable[[Record], Item], stream: Iterable[Chunk]) -> Iterator[Item]:
        """Yield what `read_as` does, of some of the lines."""
        for _, item in records(stream, read, self.reject):
            self._journal.counts["in"] += 1
            if not self._journal.counts["in"] % BATCH:
                self._progress.update(self._journal.counts["out"], self._bytes_read)
            yield item

    def count(self, make: Callable[[], Transform], inputs: Iterable[Input] | None = None) -> Tally:
        """Return the tally of a transform over the records of the inputs, by default those of the command line.

        The transformed records are not written.

        Like `read`, this is for commands that then call `write`.
        """
        tally: Tally = Counter()
        work = Work(make, self._journal.is_tolerant)
        with closing(self._outcomes(work, self.inputs if inputs is None else inputs)) as outcomes:
            for outcome in outcomes:
                for reject in outcome.rejects:
                    self.reject(*reject)
                self._journal.counts["in"] += outcome.read - len(outcome.rejects)
                self._progress.update(self._journal.counts["in"], self._bytes_read)
                tally.update(outcome.tally)
        return tally

    def _outcomes(self, work: Work, inputs: Iterable[Input]) -> Generator[Outcome]:
        if self.settings.workers > 1:
            with closing(ordered(work, chunks(inputs), self.settings.workers)) as outcomes:
                yield from (outcome for _, outcome in outcomes)
        else:
            yield from transform_inputs(work, inputs)

    def add_read(self, count: int) -> None:
        """Add to the count of records read, for a command that reads its inputs itself."""
        self._journal.counts["in"] += count
        self._show()

    def start_phase(self, name: str, total: int | None = None) -> Callable[[int], None]:
        """Show beside the bar what the run does from now on, for a command that works in several steps.

        The returned function takes how much more of `total` is done; with None the bar shows the share that is read.
        """
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            self._show()

        self._phase = name
        self._share = self._bytes_read_of_all if total is None else lambda: (done, total)
        return advance

    def reject(self, name: str, line: int, reason: str, raw: bytes) -> None:
        """Write a bad line to `--rejects`, or end the run with DataError where there is no such file."""
        # A corpus of several directions is read several times, but each bad line is reported once.
        if (name, line) not in self._rejected:
            self._journal.reject(Reject(name, line, reason, raw))
            self._rejected.add((name, line))

    def leave_out(self, reason: str, name: str, line: int, why: str, raw: bytes) -> None:
        """Count a record that the user asked to leave out, and keep it in the file of `--rejects` if there is one.

        It is no bad line: `--max-rejects` does not count it.
        """
        self.left_out[reason] += 1
        self._journal.set_aside([Reject(name, line, why, raw)])

    @property
    def keeps_rejects(self) -> bool:
        """Whether there is a file for what is rejected or left out."""
        return self.settings.rejects is not None

    def set_aside(self, left_out: Iterable[tuple[str, bytes]]) -> None:
        """Keep what is left out and stands on no line of an input, each with the reason, if there is a file for it."""
        self._journal.set_aside([Reject("", 0, why, raw) for why, raw in left_out])

    def _open(self, output: Output | None = None) -> None:
        if output is not None:
            self._journal.open_into(output, resume=self.settings.resume)
        else:
            identity = RunIdentity(
                self.command,
                {name: plain(value) for name, value in self._arguments.items() if name not in self._neutral},
                {name: plain(value) for name, value in self._dependencies.items()},
            )
            self._journal.open(self.settings.output, identity, resume=self.settings.resume, generates=self._generates)

    def _chunks(self) -> Iterator[Chunk]:
        """Yield the lines of this shard, except those that an interrupted run has done."""
        portion = self.settings.shard
        for chunk in chunks(self.inputs) if portion == WHOLE else shard(self.inputs, portion):
            self._bytes_of_lines += len(chunk.data)
            if not self._journal.is_replaying:
                self._bytes_waiting += len(chunk.data)
                yield chunk
                continue
            known = self._journal.replay(chunk.data)
            if not self._journal.is_replaying:
                self._journal.restore_counts()
            if known < len(chunk.data):
                self._bytes_waiting += len(chunk.data) - known
                yield Chunk(chunk.name, chunk.line + chunk.data.count(b"\n", 0, known), chunk.data[known:])
        self._journal.expect_end()

    def _ahead(self, waiting: "deque[_Waiting]", first: int | None) -> Iterator[Record]:
        taken: int | None = None
        for chunk in self._chunks():
            if taken is None:
                taken = self._journal.counts["in"]  # what an interrupted run has read, which is known by now
            for number, line in enumerate(chunk.data.split(b"\n")[:-1], chunk.line):
                if first is not None and taken >= first:
                    return
                taken += 1
                self._bytes_in_stage += len(line) + 1
                try:
                    record = parse(line)
                except RecordError as error:
                    waiting.append(_Waiting(chunk.name, number, line, error))
                    if self._journal.is_tolerant:
                        continue
                    return  # the stage finishes the records it has; then this line ends the run
                waiting.append(_Waiting(chunk.name, number, line, None))
                yield record

    def _settle(self, waiting: "deque[_Waiting]") -> None:
        """Reject the bad lines before the record of the next result."""
        while waiting and waiting[0].error is not None:
            line = waiting.popleft()
            self._answer(line, line.error or ())

    def _answer(self, line: "_Waiting", result: Iterable[Record] | RecordError) -> None:
        tally: Tally = Counter()
        if isinstance(result, RecordError):
            reject = Reject(line.name, line.number, str(result), line.data)
            outcome = Outcome(b"", int(self._journal.is_tolerant), 0, [reject], tally)
        else:
            written = list(result)
            outcome = Outcome(self._encode(written), 1, len(written), [], tally)
        self._bytes_in_stage -= len(line.data) + 1
        self._commit(line.data + b"\n", outcome)

    def _answer_all(self, waiting: "deque[_Waiting]", records: list[Record]) -> None:
        """Answer as many of the lines that wait, with a record for each; one by one if there is a limit."""
        start = 0
        while start < len(records) and not self._journal.is_full:
            self._settle(waiting)
            most = start + 1 if self.settings.limit is not None else len(records)
            end = start
            lines = []
            while end < most and waiting and waiting[0].error is None:
                lines.append(waiting.popleft().data)
                end += 1
            data = b"\n".join([*lines, b""])
            self._bytes_in_stage -= len(data)
            self._commit(data, Outcome(self._encode(records[start:end]), len(lines), len(lines), [], Counter()))
            start = end

    def _commit(self, data: bytes, outcome: Outcome) -> None:
        self._journal.commit(data, outcome)
        self._bytes_waiting -= len(data)
        self._progress.update(self._journal.counts["out"], self._bytes_done)

    def _commit_output(self, data: bytes) -> None:
        self._journal.commit_output(data)
        self._show()

    def _show(self) -> None:
        self._progress.update(self._journal.counts["out"], self._share, self._note if self._phase else None)

    def _note(self) -> str:
        records = self._journal.counts["out"]
        return f"{self._phase} {counted(records, 'record')}" if records else self._phase

    def _bytes_read_of_all(self) -> tuple[int, int | None]:
        """Return the share of all inputs that are known so far, whether the command line names them or their folder."""
        read, total = _bytes(self._inputs.values())
        return (read if total is None else min(read, total)), total  # the first lines of some are read twice

    def _bytes_done(self) -> tuple[int, int | None]:
        """Return the share of the input that is done; a model has read far ahead of it.

        What is translated counts before it can be written, because the longest sentences may be the last ones that the
        first ones wait for. Inputs may be compressed, so what waits counts for the bytes of the file that its lines
        take.
        """
        read, total = self._bytes_read()
        waiting = self._bytes_waiting - self._window.ahead(self._bytes_in_stage)
        return round(read * (1 - waiting / max(1, self._bytes_of_lines))), total

    def _bytes_read(self) -> tuple[int, int | None]:
        read, total = _bytes(self.inputs)
        is_second_pass = total is not None and read > total  # how many there will be is unknown
        return read, None if is_second_pass else total

    # -- end of the run -----------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self.settings.manifest is not None:
            manifest.check(self.settings.manifest)
            if self.settings.output is None:
                self._stdout = hash_stdout()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            interruption.notice()
        self._progress.close()
        try:
            if error is None:
                self._finish()
            else:
                self._journal.suspend(error)
        finally:
            self._journal.close()

    def _finish(self) -> None:
        counts = self._journal.counts
        if self._generates and counts["in"] == counts["rejected"]:
            counts["in"] += counts["out"] + self.left_out.total()
        has_manifest = False
        try:
            self.check_rejects()
            self._journal.complete()
            # Before the output has its name, since `--resume` does nothing for one that has.
            manifest_error = self._write_manifest()
            is_there = manifest_error is None or isinstance(manifest_error, UnsyncedError)
            has_manifest = self.settings.manifest is not None and is_there
            self._journal.finish()
        except BaseException as error:  # also a signal
            if has_manifest and not self._journal.is_complete:
                self._remove_manifest()
            self._journal.suspend(error)
            raise
        if manifest_error is not None:
            missing = "" if has_manifest else ", and only the manifest is missing"
            manifest_error.add_note(f"{self.settings.output or 'the output'} is complete{missing}")
            raise manifest_error
        if not self.settings.quiet:
            seconds = time.time() - self._started
            full = self._journal.is_full
            if self.merges:
                counts = Counter({**counts, "in": counts["out"] + counts["rejected"] + self.left_out.total()})
            say(
                self.command,
                summary(counts, self.left_out, self.remarks, self.settings.rejects, full, seconds, self._noun),
            )

    def _write_manifest(self) -> FileError | OSError | None:
        """Write the manifest, if there is to be one; return why it cannot be written, which is not worth the output."""
        if self.settings.manifest is not None:
            try:
                manifest.write(self.settings.manifest, self._manifest())
            except (FileError, OSError) as error:
                return error
        return None

    def _remove_manifest(self) -> None:
        """Remove the manifest of an output that is not complete after all."""
        path = self.settings.manifest
        if path is not None and path.is_file():  # not a device
            with suppress(OSError):
                path.unlink()

    def _manifest(self) -> dict[str, Any]:
        arguments = {**self._arguments, **self._dependencies}
        figures = {**self.figures, **manifest.tallies(tally=self.tally, left_out=self.left_out)}
        inputs = self._inputs.values()
        return manifest.describe(
            self.command,
            arguments,
            inputs,
            self._journal.counts,
            figures,
            self._started,
            reads=self._described_reads(),
            outputs=self._described_outputs(),
        )

    def _described_reads(self) -> Iterator[dict[str, object]]:
        """Yield what options name and the run has not read as an input; a folder of inputs is told by these."""
        known = {os.path.realpath(path) for path in self._inputs}
        for named in dict.fromkeys(each.path for each in self._named_reads):
            place = os.path.realpath(named)
            if place not in known and not any(path.startswith(place + os.sep) for path in known):
                entry = manifest.described(named)
                if entry is not None:
                    yield entry

    def _described_outputs(self) -> Iterator[dict[str, object]]:
        """Yield what the run has written, but for rejects and the manifest, which tell of it."""
        if self._stdout is not None and self._stdout.is_used:
            yield {"path": "-", "bytes": self._stdout.length, "sha256": self._stdout.sha256}
        output = self.settings.output
        aside = {self.settings.rejects, self.settings.manifest}
        for path in dict.fromkeys([*(Path(each.path) for each in self._named_writes), *self.products]):
            if path == output and self._journal.folder is not None:
                yield from manifest.described_files(path, self._journal.folder.partial)
            elif path not in aside and (entry := manifest.described_output(path)) is not None:
                yield entry


def _bytes(inputs: Iterable[Input]) -> tuple[int, int | None]:
    """Return how many bytes of the inputs are read, and how many there are, None if that is unknown."""
    read, total = 0, 0
    is_known = True
    for source in inputs:
        size = source.size()
        is_known = is_known and size is not None
        read, total = read + source.read, total + (size or 0)
    return read, total if is_known else None


class RunDoor(Protocol):
    """A door for the inputs of a run, which it may ask for its settings and tell what it has read."""

    def recognises(self, run: Run, source: Input) -> bool:
        """Return whether it reads this input."""

    def batches(self, run: Run, source: Input) -> Iterator[list[Record]]:
        """Yield the input as records."""


@dataclass(frozen=True)
class _BoundDoor:
    """A door of one run, as its inputs see it."""

    door: RunDoor
    run: Run

    def recognises(self, source: Input) -> bool:
        return self.door.recognises(self.run, source)

    def batches(self, source: Input) -> Iterator[list[Record]]:
        return self.door.batches(self.run, source)


class _Window(NamedTuple):
    """Lines that a stage works on together: how many bytes they have, and which share of them is done."""

    size: int
    share: float

    def ahead(self, unwritten: int) -> float:
        """Return how many bytes are done but not written, where `unwritten` are not written."""
        return max(0.0, self.share * self.size - max(0, self.size - unwritten))


class _Waiting(NamedTuple):
    """A line whose result the stage has not yielded yet, or a bad line, which has an error instead."""

    name: str
    number: int
    data: bytes
    error: RecordError | None
