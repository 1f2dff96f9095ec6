"""What a run has done: its output, its rejects and its counts, kept in step so that a later run can take them up."""

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from xxhash import xxh3_128

from llamax_cli.errors import DataError, FileError, ResumeError, UsageError
from llamax_cli.streams.chunks import Outcome, Tally, first_lines
from llamax_cli.streams.outputs import AtomicFile, Output, open_output
from llamax_cli.streams.rejects import Reject, RejectFile
from llamax_cli.streams.resume import ResumeFile, ResumeState

CHECKPOINT = 5.0  # seconds of work that a killed run may lose


class Journal:
    """The record of a run.

    `commit` writes what became of some lines, `commit_made` what was made from something else; after each of them
    output, rejects, counts and the place in the input belong together, and every CHECKPOINT seconds they are saved.
    """

    def __init__(self, rejects: Path | None, limit: int | None) -> None:
        self.counts = Counter({"in": 0, "out": 0, "rejected": 0})
        self.tally: Tally = Counter()
        self._limit = limit
        self._output: Output | None = None
        self._reject_path = rejects
        self._rejects = RejectFile(None)
        self._checkpoint: ResumeFile | None = None
        self._before = self._snapshot = ResumeState()  # where the interrupted run stood, where this one stands
        self._saved = time.monotonic()
        self._digest = xxh3_128()
        self._consumed = 0

    # -- beginning and end --------------------------------------------------------------------------------------------

    def open(self, path: Path | None, command: str, arguments: Mapping[str, Any], *, resume: bool, anew: bool) -> None:
        """Begin to write to the file, or to standard output; `arguments` are those that a resumed run has to repeat."""
        self._output = open_output(path)
        if isinstance(self._output, AtomicFile):
            self._take_up(self._output, ResumeFile(self._output.partial, command, arguments), resume)
        # What is made anew finds its bad lines anew.
        self._rejects = RejectFile(self._reject_path, 0 if anew else self._before.rejects)

    def open_into(self, output: Output, *, resume: bool) -> None:
        """Begin to write to an output of a command's own, which cannot be continued."""
        if resume:
            raise UsageError("--resume continues one file of records, which this output is not; run it again without")
        self._output = output
        self._rejects = RejectFile(self._reject_path)

    def _take_up(self, output: AtomicFile, checkpoint: ResumeFile, resume: bool) -> None:
        state = (resume and checkpoint.load()) or ResumeState()
        output.rewind(state.mark.written, state.mark.pending)
        if not resume:
            checkpoint.remove()
        # Only now: a run that may not go on must leave what the interrupted one left.
        self._checkpoint, self._before, self._snapshot = checkpoint, state, state

    def finish(self) -> None:
        """Make the output whole."""
        if self._output is not None:
            self._output.finish()
        if self._checkpoint is not None:
            self._checkpoint.remove()

    def leave(self, error: BaseException) -> None:
        """Keep what a later run needs, and tell of it; leave nothing where nothing was done."""
        if self._checkpoint is None or not isinstance(self._output, AtomicFile):
            return
        if not self._output.partial.exists():  # it has its name already
            return
        state = self._snapshot
        if not state.mark.written and not state.mark.pending:
            self._checkpoint.remove()
            return
        with suppress(FileError):  # a full disk: the state of a few seconds ago is still there
            self._checkpoint.save(state)
        if isinstance(error, ResumeError):
            return
        count = state.counts.get("out", 0)
        kept = "1 record is" if count == 1 else f"{count:,} records are"
        error.add_note(f"{kept} kept in {self._output.partial}: go on with --resume")

    def close(self) -> None:
        """Let go of the files."""
        if self._output is not None:
            self._output.close()
        self._rejects.close()

    # -- what an interrupted run has done already ---------------------------------------------------------------------

    @property
    def is_behind(self) -> bool:
        """Whether there is input, or output made anew, that the interrupted run has done and this one has not seen."""
        return self._consumed < self._before.consumed

    def recognise(self, data: bytes) -> int:
        """Take note of what the interrupted run has done of `data` and return its length; ResumeError if it differs."""
        known = data[: self._before.consumed - self._consumed] if self.is_behind else b""
        self._digest.update(known)
        self._consumed += len(known)
        if known and not self.is_behind and self._digest.hexdigest() != self._before.digest:
            raise ResumeError("the input is not that of the interrupted run; start again without --resume")
        return len(known)

    def recall(self) -> None:
        """Take up the counts of the interrupted run."""
        self.counts = Counter(self._before.counts)
        self.tally = Counter(self._before.tally)

    def expect_end(self) -> None:
        """Raise ResumeError where the input ended before the interrupted run did."""
        if self.is_behind:
            raise ResumeError("the input is shorter than that of the interrupted run; start again without --resume")

    # -- doing --------------------------------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether as many records are written as were asked for."""
        return self._limit is not None and self.counts["out"] >= self._limit

    @property
    def room(self) -> int | None:
        """How many records may still be written, None for as many as come."""
        return None if self._limit is None else self._limit - self.counts["out"]

    @property
    def is_tolerant(self) -> bool:
        """Whether bad lines are set aside."""
        return self._rejects.wanted

    def commit(self, data: bytes, outcome: Outcome) -> None:
        """Write what became of the lines `data`; DataError where one of them ends the run."""
        failed = outcome.rejects if not self.is_tolerant else []
        done = data[: first_lines(data, outcome.read)] if failed else data
        self._emit(outcome.data, outcome.written)
        self._rejects.write([] if failed else outcome.rejects)
        self.tally.update(outcome.tally)
        self.counts.update({"in": outcome.read, "rejected": 0 if failed else len(outcome.rejects)})
        self._note(done)
        if failed:
            raise DataError(str(failed[0]))

    def commit_made(self, data: bytes) -> None:
        """Write lines that were made, but for those that the interrupted run has written."""
        known = self.recognise(data)
        fresh = data[known:]
        self.counts["out"] += data.count(b"\n", 0, known)
        self._emit(fresh, fresh.count(b"\n"))
        if fresh:
            self._note(fresh)

    def reject(self, reject: Reject) -> None:
        """Set a line aside, or end the run with it."""
        if not self.is_tolerant:
            raise DataError(str(reject))
        self.counts.update({"in": 1, "rejected": 1})
        self._rejects.write([reject])

    def _emit(self, data: bytes, count: int) -> None:
        if self._limit is not None and self.counts["out"] + count > self._limit:
            count = self._limit - self.counts["out"]
            data = data[: first_lines(data, count)]
        if data and self._output is not None:
            self._output.write(data)
        self.counts["out"] += count

    def _note(self, done: bytes) -> None:
        """Remember that everything up to here is done; every few seconds, on disk."""
        self._digest.update(done)
        self._consumed += len(done)
        if self._checkpoint is None or not isinstance(self._output, AtomicFile):
            return
        # One assignment, so that a signal finds either the old state or the new one.
        self._snapshot = ResumeState(
            consumed=self._consumed,
            digest=self._digest.hexdigest(),
            mark=self._output.mark(),
            rejects=self._rejects.size,
            counts=dict(self.counts),
            tally=dict(self.tally),
        )
        if time.monotonic() - self._saved > CHECKPOINT:
            self._output.sync()
            self._checkpoint.save(self._snapshot)
            self._saved = time.monotonic()
