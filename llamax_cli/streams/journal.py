"""The journal of a run: output, rejects and counts in step with each other, so that a later run can continue."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xxhash import xxh3_128

from llamax_cli.errors import FileError, ResumeError, UsageError, because
from llamax_cli.records import count_lines
from llamax_cli.streams.atomic import AtomicFolder
from llamax_cli.streams.chunks import Outcome, Tally, first_lines
from llamax_cli.streams.outputs import AtomicFile, Mark, Output, open_output
from llamax_cli.streams.rejects import Reject, RejectFile
from llamax_cli.streams.resume import ResumeFile, ResumeState, RunIdentity, left_behind, remove_states

CHECKPOINT = 5.0  # seconds of work that a killed run may lose


class Journal:
    """Writes the output and the rejects of a run, and counts.

    `commit` writes the outcome of lines of input, `commit_output` generated lines. After each call, output, rejects,
    counts and position in the input match. Every CHECKPOINT seconds they are saved.
    """

    def __init__(self, rejects: Path | None, limit: int | None) -> None:
        self.counts = Counter({"in": 0, "out": 0, "rejected": 0})
        self.tally: Tally = Counter()
        self._limit = limit
        self._output: Output | None = None
        self.folder: AtomicFolder | None = None  # that the run makes instead
        self._reject_path = rejects
        self._rejects = RejectFile(None)
        self._resume_file: ResumeFile | None = None
        self._interrupted = self._state = ResumeState()  # the state of the interrupted run, and of this one
        self._saved: ResumeState | None = None  # the state that is on disk
        self._last_save = time.monotonic()
        self._digest = xxh3_128()
        self._consumed = 0

    # -- start and end ------------------------------------------------------------------------------------------------

    def open(self, path: Path | None, identity: RunIdentity, *, resume: bool, generates: bool) -> None:
        """Open the file, or standard output for None.

        A run that `generates` its records does so again when it is resumed, and rejects its bad lines again.
        """
        self._output = open_output(path)
        if isinstance(self._output, AtomicFile):
            self._restore(self._output, ResumeFile(self._output.partial, identity), resume)
        self._rejects = RejectFile(self._reject_path, 0 if generates else self._interrupted.rejects)

    def open_into(self, output: Output, *, resume: bool) -> None:
        """Use the output that a command has opened itself; UsageError with `resume`, as it cannot be continued."""
        if resume:
            raise UsageError(
                "--resume continues one file of records, and this output is not one; run again without --resume"
            )
        self._output = output
        self._rejects = RejectFile(self._reject_path)

    def open_rejects(self) -> None:
        """Take rejects, for a run that makes a folder, or whose output is not written here."""
        self._rejects = RejectFile(self._reject_path)

    def _restore(self, output: AtomicFile, resume_file: ResumeFile, resume: bool) -> None:
        state = (resume and resume_file.load()) or ResumeState()
        output.rewind(state.mark.written, state.mark.pending)
        if not resume:
            remove_states(*left_behind(output.partial))
        # Only now: a run that cannot continue must keep the files of the interrupted one.
        self._resume_file, self._interrupted, self._state = resume_file, state, state
        self._saved = state if state.mark != Mark() else None

    def complete(self) -> None:
        """Complete the output, so that it lacks only its name."""
        if self._output is not None:
            with _named(self._output):
                self._output.complete()
        if self.folder is not None:
            self.folder.complete()

    def finish(self) -> None:
        """Give the output its name and remove what only `--resume` needs."""
        if self._output is not None:
            with _named(self._output):
                self._output.finish()
        if self.folder is not None:
            self.folder.finish()
        if isinstance(self._output, AtomicFile):
            remove_states(*left_behind(self._output.partial))

    @property
    def is_complete(self) -> bool:
        """Whether the output has its name, even if something failed after that."""
        output = self._output or self.folder
        return isinstance(output, AtomicFile | AtomicFolder) and not output.partial.exists()

    def suspend(self, error: BaseException) -> None:
        """Save the state for a later run and add a note about it to the error; keep no state if nothing was written."""
        if self._resume_file is None or not isinstance(self._output, AtomicFile):
            return
        if not self._output.partial.exists():  # it is complete and already renamed
            return
        state = self._state
        if not state.mark.written and not state.mark.pending:
            self._resume_file.remove()
            return
        note = self._save(self._output, self._resume_file)
        if not isinstance(error, ResumeError):
            error.add_note(note)

    def _save(self, output: AtomicFile, resume_file: ResumeFile) -> str:
        """Save the state, and return what a later run finds."""
        try:
            output.truncate(self._state.mark)  # on a full disk, what a failed write left makes room for the state
            resume_file.save(self._state)
        except FileError as error:
            if self._saved is None:
                return f"nothing can be resumed, because the state cannot be saved: {error}"
            return f"{_kept(self._saved, output)}; the state after that cannot be saved: {error}"
        return _kept(self._state, output)

    def close(self) -> None:
        """Close the files."""
        if self._output is not None:
            self._output.close()
        if self.folder is not None:
            self.folder.close()
        self._rejects.close()

    # -- replaying an interrupted run ---------------------------------------------------------------------------------

    @property
    def is_replaying(self) -> bool:
        """Whether the interrupted run consumed more input, or generated more output, than this run so far."""
        return self._consumed < self._interrupted.consumed

    def replay(self, data: bytes) -> int:
        """Return how many bytes of `data` the interrupted run has done; ResumeError where they differ from it."""
        known = data[: self._interrupted.consumed - self._consumed] if self.is_replaying else b""
        self._digest.update(known)
        self._consumed += len(known)
        if known and not self.is_replaying and self._digest.hexdigest() != self._interrupted.digest:
            raise ResumeError("the input differs from that of the interrupted run; start again without --resume")
        return len(known)

    def restore_counts(self) -> None:
        """Continue from the counts of the interrupted run."""
        self.counts = Counter(self._interrupted.counts)
        self.tally = Counter(self._interrupted.tally)

    def expect_end(self) -> None:
        """Raise ResumeError if the input has ended before the position of the interrupted run."""
        if self.is_replaying:
            raise ResumeError("the input is shorter than that of the interrupted run; start again without --resume")

    # -- writing ------------------------------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether as many records are written as `--limit` allows."""
        return self._limit is not None and self.counts["out"] >= self._limit

    @property
    def remaining(self) -> int | None:
        """How many more records may be written, or None without a limit."""
        return None if self._limit is None else self._limit - self.counts["out"]

    @property
    def is_tolerant(self) -> bool:
        """Whether bad lines are written to a file instead of ending the run."""
        return self._rejects.is_open

    def commit(self, data: bytes, outcome: Outcome) -> None:
        """Write the outcome of the lines in `data`; DataError where one of them ends the run."""
        failed = outcome.rejects if not self.is_tolerant else []
        done = data[: first_lines(data, outcome.read)] if failed else data
        self._write(outcome.data, outcome.written)
        self._rejects.write([] if failed else outcome.rejects)
        self.tally.update(outcome.tally)
        self.counts.update({"in": outcome.read, "rejected": 0 if failed else len(outcome.rejects)})
        self._advance(done)
        if failed:
            raise failed[0].error()

    def commit_output(self, data: bytes) -> None:
        """Write generated lines, except those that the interrupted run has written."""
        known = self.replay(data)
        fresh = data[known:]
        self.counts["out"] += data.count(b"\n", 0, known)
        self._write(fresh, count_lines(fresh))
        if fresh:
            self._advance(fresh)

    def reject(self, reject: Reject) -> None:
        """Write a bad line to the rejects, or raise DataError where there is no file for them."""
        if not self.is_tolerant:
            raise reject.error()
        self.counts.update({"in": 1, "rejected": 1})
        self._rejects.write([reject])

    def set_aside(self, rejects: list[Reject]) -> None:
        """Write records that are left out to the rejects, if there is a file for them, without counting them there."""
        if self.is_tolerant:
            self._rejects.write(rejects)

    def _write(self, data: bytes, count: int) -> None:
        if self._limit is not None and self.counts["out"] + count > self._limit:
            count = self._limit - self.counts["out"]
            data = data[: first_lines(data, count)]
        if data and self._output is not None:
            with _named(self._output):
                self._output.write(data)
        self.counts["out"] += count

    def _advance(self, done: bytes) -> None:
        """Update the state after `done` was consumed, and save it every few seconds."""
        self._digest.update(done)
        self._consumed += len(done)
        if self._resume_file is None or not isinstance(self._output, AtomicFile):
            return
        # One assignment, so that a signal never leaves a mixture of two states.
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
            self._saved = self._state
            self._last_save = time.monotonic()


@contextmanager
def _named(output: Output) -> Iterator[None]:
    """Raise FileError, with the name of the output, where a library could not write it and does not say what."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or isinstance(error, BrokenPipeError):
            raise
        raise FileError(f"{output.name}: {because(error)}") from error


def _kept(state: ResumeState, output: AtomicFile) -> str:
    count = state.counts.get("out", 0)
    kept = "1 record is" if count == 1 else f"{count:,} records are"
    return f"{kept} kept in {output.partial}: go on with --resume"
