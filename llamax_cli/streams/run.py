"""A run of one command from its flags to its last line.

A command says what it does with records, in one of these ways, and gets the rest from here: compression, rejects, whole
outputs, resuming, shards, workers, progress, the summary and the manifest.

    run.map(make)       every record by itself, over any number of workers
    run.stream(stage)   records in order through a stage that may look ahead (batches for a model)
    run.write(records)  records made from something else than records
    run.read()          just the records
    run.count(make)     what a stage counts in the records, over any number of workers
"""

import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar

from llamax_cli.console import Progress, say
from llamax_cli.errors import DataError, LlamaxError, RecordError, UsageError
from llamax_cli.records import Record, parse, serialise
from llamax_cli.streams import manifest
from llamax_cli.streams.chunks import (
    PACE,
    WHOLE,
    Chunk,
    Outcome,
    Portion,
    Tally,
    Transform,
    Work,
    chunks,
    paced,
    records,
    shard,
    transform,
)
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.journal import Journal
from llamax_cli.streams.outputs import Output, partial
from llamax_cli.streams.parallel import ordered
from llamax_cli.streams.rejects import Reject, allowed_rejects

BATCH = 1000  # records made before they are written, at most
NEUTRAL = {"files", "output", "quiet", "manifest", "rejects", "max_rejects", "resume", "workers", "debug", "memory"}
NEUTRAL |= {"device", "batch_tokens", "concurrency", "timeout", "per_minute"}  # where and how fast a model works

Made = TypeVar("Made")
Read = TypeVar("Read")
Stage: TypeAlias = Callable[[Iterator[Record]], Iterator[Iterable[Record] | RecordError]]


@dataclass(frozen=True)
class Settings:
    """The flags that mean the same in every command, as parsed."""

    files: tuple[str, ...] = ()
    output: Path | None = None
    quiet: bool = False
    manifest: Path | None = None
    rejects: Path | None = None
    max_rejects: str | None = None
    limit: int | None = None
    resume: bool = False
    shard: Portion = WHOLE
    workers: int = 1

    def __post_init__(self) -> None:
        if self.resume and self.output is None:
            raise UsageError("--resume continues a file: name it with -o")
        if self.max_rejects is not None and self.rejects is None:
            raise UsageError("--max-rejects limits what --rejects sets aside: give both")
        self._check_that_no_file_is_used_twice()

    def _check_that_no_file_is_used_twice(self) -> None:
        used = {os.path.realpath(path): path for path in self.files if path != "-"}
        # -o may name an input: the new file takes its place once it is whole.
        for flag, path in (("--output", self.output), ("--rejects", self.rejects), ("--manifest", self.manifest)):
            if path is None or (path.exists() and not path.is_file()):
                continue
            if flag != "--output" and os.path.realpath(path) in used:
                raise UsageError(f"{flag} {path} is read or written already by this run; name another file")
            used[os.path.realpath(path)] = str(path)

    @property
    def is_done(self) -> bool:
        """Whether `--resume` finds its file whole."""
        path = self.output
        return self.resume and path is not None and path.is_file() and not partial(path).exists()


class Run:
    """One run, as a context: what is written inside it is whole when it ends well and resumable when it does not.

    `arguments` are all arguments after defaults. `figures` goes into the manifest, `remarks` into the summary line, and
    `left_out`, what a command that makes records passed over by reason, into both.
    """

    def __init__(self, command: str, settings: Settings, arguments: Mapping[str, Any]) -> None:
        self.command = command
        self.settings = settings
        self.figures: dict[str, object] = {}
        self.remarks: list[str] = []
        self.left_out: Tally = Counter()
        self._arguments = arguments
        self._inputs: dict[str, Input] = {}
        self._started = time.time()
        self._progress = Progress(command, wanted=not settings.quiet and not self._fills_the_terminal())
        self._journal = Journal(settings.rejects, settings.limit)
        self._makes = False
        self._rejected: set[tuple[str, int]] = set()

    def _fills_the_terminal(self) -> bool:
        return self.settings.output is None and sys.stdout is not None and sys.stdout.isatty()

    @property
    def done(self) -> int:
        """How many lines of the input were read and answered, those of an interrupted run counted in."""
        return self._journal.counts["in"]

    @property
    def tally(self) -> Tally:
        """What the command counts."""
        return self._journal.tally

    def input(self, path: str | Path) -> Input:
        """Return the input at a path (`-` is standard input), which the manifest then names."""
        key = str(path)
        if key not in self._inputs:
            self._inputs[key] = Input(key, hashing=self.settings.manifest is not None)
        return self._inputs[key]

    @property
    def inputs(self) -> list[Input]:
        """The inputs named on the command line, standard input where there are none."""
        return [self.input(path) for path in self.settings.files or ("-",)]

    def rest_on(self, **facts: object) -> None:
        """Note what the result depends on besides the arguments, such as the content of a model.

        The manifest tells it, and `--resume` asks for the same (resume.CONTENTS names them). To be called before
        records are written.
        """
        self._arguments = {**self._arguments, **facts}

    # -- the ways ----------------------------------------------------------------------------------------------------

    def map(self, make: Callable[[], Transform]) -> None:
        """Write what the stage makes of each record; `make()` gives the stage and is called once in each worker."""
        self._open()
        work = Work(make, self._journal.is_tolerant)
        for chunk, outcome in ordered(work, paced(self._chunks()), self.settings.workers):
            room = self._journal.room
            if room is not None and outcome.written >= room:
                # Again, to the record that fills it: lines after that are not read, so none of them can be bad.
                self._commit(chunk.data, transform(make(), work.tolerant, chunk, room))
                return
            self._commit(chunk.data, outcome)

    def stream(self, stage: Stage) -> None:
        """Write what the stage makes of the records: in order, one result for each record it was given.

        A result is what to write for the record, or the RecordError that rejects it. The stage may take records ahead.
        """
        self._open()
        waiting: deque[_Waiting] = deque()
        for result in stage(self._ahead(waiting)):
            self._settle(waiting)
            self._answer(waiting.popleft(), result)
            if self._journal.is_full:
                return
        self._settle(waiting)

    def write(
        self,
        records: Iterable[Made],
        *,
        encode: Callable[[list[Made]], bytes] = serialise,
        output: Output | None = None,
        batch_size: int = BATCH,
    ) -> None:
        """Write records that come from something other than lines of records; `encode` gives a line for each.

        At most `batch_size` are encoded and written at once.

        A resumed run makes the records once more and writes those that are missing, after it has seen that the ones
        before are the same.
        """
        self._makes = True
        self._open(output)
        batch: list[Made] = []
        size, start = 1, time.monotonic()
        try:
            for record in records:
                batch.append(record)
                if len(batch) >= size:
                    self._commit_made(encode(batch))
                    if self._journal.is_full:
                        return
                    size = self._next_size(size, time.monotonic() - start, batch_size)
                    batch, start = [], time.monotonic()
        except LlamaxError:
            self._commit_made(encode(batch))  # what came before a bad line is written
            raise
        self._commit_made(encode(batch))
        self._journal.expect_end()

    def _next_size(self, size: int, taken: float, most: int) -> int:
        """Return how many records to make before the next are written: few where they come slowly."""
        size = min(most, size * 2) if taken < PACE else max(1, size // 2)
        return size if self._journal.room is None else min(size, self._journal.room)

    def read(self, inputs: Iterable[Input] | None = None) -> Iterator[Record]:
        """Yield the records of the inputs (by default the files of the command line); bad lines are rejected."""
        return self.read_as(lambda record: record, inputs)

    def read_as(self, read: Callable[[Record], Read], inputs: Iterable[Input] | None = None) -> Iterator[Read]:
        """Yield what `read` makes of each record; lines are rejected where it raises RecordError, too."""
        for _, made in records(chunks(self.inputs if inputs is None else inputs), read, self.reject):
            self._journal.counts["in"] += 1
            if not self._journal.counts["in"] % BATCH:
                self._progress.update(self._journal.counts["out"], self._bytes_read)
            yield made

    def count(self, make: Callable[[], Transform]) -> Tally:
        """Return what the stage counts in the records of the files; what it makes of them is not written.

        For what `write` takes, as `read` is.
        """
        tally: Tally = Counter()
        work = Work(make, self._journal.is_tolerant)
        for _, outcome in ordered(work, chunks(self.inputs), self.settings.workers):
            for each in outcome.rejects:
                self.reject(*each)
            self._journal.counts["in"] += outcome.read - len(outcome.rejects)
            self._progress.update(self._journal.counts["in"], self._bytes_read)
            tally.update(outcome.tally)
        return tally

    def took(self, count: int) -> None:
        """Count records that the command has read in a way of its own."""
        self._journal.counts["in"] += count
        self._progress.update(self._journal.counts["out"], self._bytes_read)

    def reject(self, name: str, line: int, reason: str, raw: bytes) -> None:
        """Set a bad line aside, or end the run with it where there is no `--rejects`."""
        # A corpus that gives several directions is read several times: its bad lines are told once.
        if (name, line) not in self._rejected:
            self._journal.reject(Reject(name, line, reason, raw))
            self._rejected.add((name, line))

    def _open(self, output: Output | None = None) -> None:
        if output is not None:
            self._journal.open_into(output, resume=self.settings.resume)
        else:
            lasting = {name: manifest.plain(value) for name, value in self._arguments.items() if name not in NEUTRAL}
            self._journal.open(
                self.settings.output, self.command, lasting, resume=self.settings.resume, anew=self._makes
            )

    def _chunks(self) -> Iterator[Chunk]:
        """Yield the lines of this shard that an interrupted run has not done yet."""
        portion = self.settings.shard
        for chunk in chunks(self.inputs) if portion == WHOLE else shard(self.inputs, portion):
            if not self._journal.is_behind:
                yield chunk
                continue
            known = self._journal.recognise(chunk.data)
            if not self._journal.is_behind:
                self._journal.recall()
            if known < len(chunk.data):
                yield Chunk(chunk.name, chunk.line + chunk.data.count(b"\n", 0, known), chunk.data[known:])
        self._journal.expect_end()

    def _ahead(self, waiting: "deque[_Waiting]") -> Iterator[Record]:
        for chunk in self._chunks():
            for number, line in enumerate(chunk.data.split(b"\n")[:-1], chunk.line):
                try:
                    record = parse(line)
                except RecordError as error:
                    waiting.append(_Waiting(chunk.name, number, line, error))
                    if self._journal.is_tolerant:
                        continue
                    return  # the stage ends what it has taken; then this line ends the run
                waiting.append(_Waiting(chunk.name, number, line, None))
                yield record

    def _settle(self, waiting: "deque[_Waiting]") -> None:
        """Reject the bad lines that come before the next result."""
        while waiting and waiting[0].error is not None:
            line = waiting.popleft()
            self._answer(line, line.error or ())

    def _answer(self, line: "_Waiting", result: Iterable[Record] | RecordError) -> None:
        tally: Tally = Counter()
        if isinstance(result, RecordError):
            reject = Reject(line.name, line.number, str(result), line.data)
            outcome = Outcome(b"", int(self._journal.is_tolerant), 0, [reject], tally)
        else:
            made = list(result)
            outcome = Outcome(serialise(made), 1, len(made), [], tally)
        self._commit(line.data + b"\n", outcome)

    def _commit(self, data: bytes, outcome: Outcome) -> None:
        self._journal.commit(data, outcome)
        self._progress.update(self._journal.counts["out"], self._bytes_read)

    def _commit_made(self, data: bytes) -> None:
        self._journal.commit_made(data)
        self._progress.update(self._journal.counts["out"], self._bytes_read)

    def _bytes_read(self) -> tuple[int, int | None]:
        sizes = [source.size() for source in self.inputs]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        read = sum(source.read for source in self.inputs)
        return read, None if total is not None and read > total else total  # read again, nobody knows how often

    # -- the end ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self.settings.manifest is not None:
            manifest.check(self.settings.manifest)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.close()
        try:
            if error is None:
                self._finish()
            else:
                self._journal.leave(error)
        finally:
            self._journal.close()

    def _finish(self) -> None:
        counts = self._journal.counts
        if self._makes and counts["in"] == counts["rejected"]:
            counts["in"] += counts["out"] + self.left_out.total()
        try:
            self._check_flood()
            self._journal.finish()
        except BaseException as error:  # a signal, too
            self._journal.leave(error)
            raise
        if self.settings.manifest is not None:
            manifest.write(self.settings.manifest, self._manifest())
        if not self.settings.quiet:
            say(self.command, self._summary())

    def _check_flood(self) -> None:
        counts, limit = self._journal.counts, self.settings.max_rejects
        if limit is not None and counts["rejected"] > allowed_rejects(limit, counts["in"]):
            raise DataError(
                f"{counts['rejected']:,} of {counts['in']:,} lines were rejected, more than --max-rejects {limit}; "
                f"the reasons are in {self.settings.rejects}"
            )

    def _summary(self) -> str:
        counts = self._journal.counts
        parts = [f"{counts['out']:,} record{'s' if counts['out'] != 1 else ''}"]
        if self._journal.is_full:
            parts[0] += " (the limit)"
        elif counts["in"] != counts["out"] + counts["rejected"] + self.left_out.total():
            parts[0] += f" from {counts['in']:,}"
        if counts["rejected"]:
            parts.append(f"{counts['rejected']:,} rejected, see {self.settings.rejects}")
        if self.left_out:
            parts.append("left out: " + ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items()))
        return "; ".join([*parts, *self.remarks, f"{time.time() - self._started:.1f} s"])

    def _manifest(self) -> dict[str, Any]:
        counted = {"tally": self.tally, "left_out": self.left_out}
        figures = {**self.figures, **{name: dict(sorted(each.items())) for name, each in counted.items() if each}}
        inputs = self._inputs.values()
        return manifest.describe(self.command, self._arguments, inputs, self._journal.counts, figures, self._started)


class _Waiting(NamedTuple):
    """A line that a stage has taken and not answered yet, or one that never was a record."""

    name: str
    number: int
    data: bytes
    error: RecordError | None
