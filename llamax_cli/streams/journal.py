"""What a run has done: its output, its rejects and its counts, kept in step so that a later run can take them up."""

import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from xxhash import xxh3_128

from llamax_cli.errors import DataError, FileError, ResumeError, UsageError
from llamax_cli.streams.chunks import Outcome, Tally, first_lines
from llamax_cli.streams.outputs import AtomicFile, Output, open_output
from llamax_cli.streams.rejects import Reject, RejectFile
from llamax_cli.streams.resume import ResumeFile, ResumeState, RunIdentity

CHECKPOINT = 5.0  # seconds of work that a killed run may lose


class Journal:
    """The record of a run.

    `commit` writes what became of some lines, `commit_output` what was made from something else; after each of them
    output, rejects, counts and the place in the input belong together, and every CHECKPOINT seconds they are saved.
    """

    def __init__(self, rejects: Path | None, limit: int | None) -> None:
        self.counts = Counter({"in": 0, "out": 0, "rejected": 0})
        self.tally: Tally = Counter()
        self._limit = limit
        self._output: Output | None = None
        self._reject_path = rejects
        self._rejects = RejectFile(None)
        self._resume_file: ResumeFile | None = None
        self._interrupted = self._state = ResumeState()  # how far the interrupted run is, and how far this one
        self._last_save = time.monotonic()
        self._digest = xxh3_128()
        self._consumed = 0

    # -- beginning and end --------------------------------------------------------------------------------------------

    def open(self, path: Path | None, identity: RunIdentity, *, resume: bool, generates: bool) -> None:
        """Begin to write to the file, or to standard output.

        A run that `generates` its records generates them again when it is resumed, and finds its bad lines again.
        """
        self._output = open_output(path)
        if isinstance(self._output, AtomicFile):
            self._restore(self._output, ResumeFile(self._output.partial, identity), resume)
        self._rejects = RejectFile(self._reject_path, 0 if generates else self._interrupted.rejects)

    def open_into(self, output: Output, *, resume: bool) -> None:
        """Begin to write to an output of a command's own, which cannot be continued."""
        if resume:
            raise UsageError("--resume continues one file of records, which this output is not; run it again without")
        self._output = output
        self._rejects = RejectFile(self._reject_path)

    def _restore(self, output: AtomicFile, resume_file: ResumeFile, resume: bool) -> None:
        state = (resume and resume_file.load()) or ResumeState()
        output.rewind(state.mark.written, state.mark.pending)
        if not resume:
            resume_file.remove()
        # Only now: a run that may not go on must leave what the interrupted one left.
        self._resume_file, self._interrupted, self._state = resume_file, state, state

    def finish(self) -> None:
        """Make the output whole."""
        if self._output is not None:
            self._output.finish()
        if self._resume_file is not None:
            self._resume_file.remove()

    def suspend(self, error: BaseException) -> None:
        """Keep what a later run needs, and tell of it; leave nothing where nothing was done."""
        if self._resume_file is None or not isinstance(self._output, AtomicFile):
            return
        if not self._output.partial.exists():  # it has its name already
            return
        state = self._state
        if not state.mark.written and not state.mark.pending:
            self._resume_file.remove()
            return
        with suppress(FileError):  # a full disk: the state of a few seconds ago is still there
            self._resume_file.save(state)
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
    def is_replaying(self) -> bool:
        """Whether there is input, or output made anew, that the interrupted run has done and this one has not seen."""
        return self._consumed < self._interrupted.consumed

    def replay(self, data: bytes) -> int:
        """Take note of what the interrupted run has done of `data` and return its length; ResumeError if it differs."""
        known = data[: self._interrupted.consumed - self._consumed] if self.is_replaying else b""
        self._digest.update(known)
        self._consumed += len(known)
        if known and not self.is_replaying and self._digest.hexdigest() != self._interrupted.digest:
            raise ResumeError("the input is not that of the interrupted run; start again without --resume")
        return len(known)

    def restore_counts(self) -> None:
        """Take up the counts of the interrupted run."""
        self.counts = Counter(self._interrupted.counts)
        self.tally = Counter(self._interrupted.tally)

    def expect_end(self) -> None:
        """Raise ResumeError where the input ended before the interrupted run did."""
        if self.is_replaying:
            raise ResumeError("the input is shorter than that of the interrupted run; start again without --resume")

    # -- doing --------------------------------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether as many records are written as were asked for."""
        return self._limit is not None and self.counts["out"] >= self._limit

    @property
    def remaining(self) -> int | None:
        """How many records may still be written, None for as many as come."""
        return None if self._limit is None else self._limit - self.counts["out"]

    @property
    def is_tolerant(self) -> bool:
        """Whether bad lines are set aside."""
        return self._rejects.is_open

    def commit(self, data: bytes, outcome: Outcome) -> None:
        """Write what became of the lines `data`; DataError where one of them ends the run."""
        failed = outcome.rejects if not self.is_tolerant else []
        done = data[: first_lines(data, outcome.read)] if failed else data
        self._write(outcome.data, outcome.written)
        self._rejects.write([] if failed else outcome.rejects)
        self.tally.update(outcome.tally)
        self.counts.update({"in": outcome.read, "rejected": 0 if failed else len(outcome.rejects)})
        self._advance(done)
        if failed:
            raise DataError(str(failed[0]))

    def commit_output(self, data: bytes) -> None:
        """Write lines that were made, but for those that the interrupted run has written."""
        known = self.replay(data)
        fresh = data[known:]
        self.counts["out"] += data.count(b"\n", 0, known)
        self._write(fresh, fresh.count(b"\n"))
        if fresh:
            self._advance(fresh)

    def reject(self, reject: Reject) -> None:
        """Set a line aside, or end the run with it."""
        if not self.is_tolerant:
            raise DataError(str(reject))
        self.counts.update({"in": 1, "rejected": 1})
        self._rejects.write([reject])

    def _write(self, data: bytes, count: int) -> None:
        if self._limit is not None and self.counts["out"] + count > self._limit:
            count = self._limit - self.counts["out"]
            data = data[: first_lines(data, count)]
        if data and self._output is not None:
            self._output.write(data)
        self.counts["out"] += count

    def _advance(self, done: bytes) -> None:
        """Remember that everything up to here is done; every few seconds, on disk."""
        self._digest.update(done)
        self._consumed += len(done)
        if self._resume_file is None or not isinstance(self._output, AtomicFile):
            return
        # One assignment, so that a signal finds either the old state or the new one.
        self._state = ResumeState(
            consumed=self._consumed,
            digest=self._digest.hexdigest(),
            mark=self._output.mark(),
            rejects=self._rejects.size,
            counts=dict(self.counts),
            tally=dict(self.tally),
        )
        if time.monotonic() - self._last_save > CHECKPOINT:
            self._output.sync()
            self._resume_file.save(self._state)
            self._last_save = time.monotonic()
