"""Programs that read a line and write its answer, such as Apertium or a metric, kept running from batch to batch.

A program that writes only when its input ends, as most programs do with a pipe, is started again for each batch. To
find that out, the input is ended where no answer comes; one that was only slow, such as to load a model, then gets more
time.

Lines are matched by their number alone, so the answers to a batch count only if there are as many as were asked for. A
program that is kept gets the first line of a batch once more at its end: if the answer is another one, all between may
be shifted. Parts of such a batch are asked again, down to the line that the program loses, splits or fails at. What
cannot be found out is a line lost and another one doubled within one batch.
"""

import operator
import os
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, pairwise
from typing import NamedTuple

from llamax_cli.console import counted
from llamax_cli.errors import ModelError, RecordError, UsageError

KEPT = 4  # programs kept running at the same time
PATIENCE = 5.0  # seconds without an answer after which the input of a program is ended, in case it waits for that
QUICK = 1.0  # seconds after that in which a program that has waited for it begins to answer
ENDING = 2.0  # seconds that a program has to end after its input has
TRIES = 3  # lines of which a program has to answer one, if it fails at the first batch
FAILURES = 10  # lines in a row that end a run
SILENT = "no answer within"

Command = tuple[str, ...]


def split_command(option: str, line: str, example: str) -> list[str]:
    """Return the words of a command line; UsageError if it is none."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{option} {line} is not a command line: {error}") from error
    if not words:
        raise UsageError(f"{option} needs the command line of a program: {option} {example}")
    return words


def check_program(option: str, line: str, program: str) -> None:
    """Raise ModelError if there is no such program."""
    if shutil.which(program) is None:
        raise ModelError(f"{option} {line}: there is no program {program}")


class LinePrograms:
    """Programs by command line, the ones used last kept running.

    `agree`: whether two answers of a program are those to the same line.
    """

    def __init__(self, timeout: float, agree: Callable[[bytes, bytes], bool] = operator.eq) -> None:
        self.writes_at_end = False  # whether programs write only when their input ends
        self._timeout = timeout
        self._agree = agree
        self._programs: OrderedDict[Command, _Program] = OrderedDict()
        self._patience = PATIENCE
        self._has_answered: set[Command] = set()
        self._failures = 0

    def answers(self, command: Command, lines: Sequence[str]) -> Iterator[bytes | RecordError]:
        """Yield the answers to a batch of lines, and for a line without one the reason.

        If they are not as many as the lines, parts of the batch are asked again. ModelError once the program fails at
        every line.
        """
        outcome = self._ask(command, lines)
        if not outcome.reason:
            self._failures = 0
            self._has_answered.add(command)
            yield from outcome.lines
        elif len(lines) > 1 and (command in self._has_answered or self._answers_at_all(command, lines, outcome)):
            # A line at which the program ends or hangs is the one after those that it has answered.
            cut = len(outcome.lines) if outcome.is_cut_short else 0
            cuts = [0, cut, cut + 1, len(lines)] if 0 < cut < len(lines) else [0, len(lines) // 2, len(lines)]
            parts = chain.from_iterable(self.answers(command, lines[a:b]) for a, b in pairwise(cuts) if a < b)
            if len(lines) == 2:
                yield from self._unshifted(command, [*parts], outcome)
            else:
                yield from parts
        else:
            self._failures += 1
            if command not in self._has_answered or self._failures >= FAILURES:
                raise ModelError(f"{shlex.join(command)}: {outcome.reason}")
            yield RecordError(f"{command[0]}: {outcome.reason}")

    def _unshifted(
        self, command: Command, answers: list[bytes | RecordError], outcome: "_Outcome"
    ) -> list[bytes | RecordError]:
        """Return the answers to two lines asked one by one, after those to both; ModelError if they are not credible.

        A program that writes each answer twice agrees with itself on a line alone, and the next one gets the rest.
        """
        if outcome.is_shifted and not any(isinstance(answer, RecordError) for answer in answers):
            raise ModelError(f"{shlex.join(command)}: {outcome.reason}")
        return answers

    def _answers_at_all(self, command: Command, lines: Sequence[str], outcome: "_Outcome") -> bool:
        """Return whether a program that has not answered yet answers one of the first lines alone."""
        if outcome.reason.startswith(SILENT) and not outcome.lines:
            return False
        if all(self._ask(command, [line]).reason for line in lines[:TRIES]):
            return False
        self._has_answered.add(command)
        return True

    def _ask(self, command: Command, lines: Sequence[str]) -> "_Outcome":
        program = self._programs.pop(command, None) or _Program(command, self._agree)
        lines = [" ".join(line.splitlines()) for line in lines]
        try:
            patience = min(self._patience, self._timeout / 2)  # time is left for one that waits for the end
            outcome = program.ask(lines, patience, self._timeout, ends=self.writes_at_end)
        except BaseException:
            program.kill()
            raise
        if outcome.reason:
            program.kill()
        elif outcome.has_ended:
            self._learn_from(outcome)
        else:
            self._programs[command] = program
            while len(self._programs) > KEPT:
                self._end(*self._programs.popitem(last=False))
        return outcome

    def _learn_from(self, outcome: "_Outcome") -> None:
        """Note whether a program that has ended with its input had waited for that, or was slow."""
        was_patient = self._patience > PATIENCE
        self.writes_at_end |= 0 <= outcome.delay < QUICK or (outcome.delay >= QUICK and was_patient)
        self._patience = max(self._patience, 2 * outcome.longest)

    def _end(self, command: Command, program: "_Program") -> None:
        """End a program; ModelError if it has written more lines than it was sent, so that they were shifted."""
        if program.end() and sys.exception() is None:
            raise ModelError(
                f"{shlex.join(command)} wrote more lines than it was sent, so its answers cannot be told apart; "
                "it has to write one line for each, and nothing before them"
            )

    def close(self) -> None:
        """End all programs."""
        while self._programs:
            self._end(*self._programs.popitem())


class _Outcome(NamedTuple):
    """The lines that came; `reason` says why they do not count.

    `has_ended`: all came, and the program has ended with its input. `is_cut_short`: it ended or hung before the others.
    `is_shifted`: the first line had another answer when it was asked once more.
    `delay` is that of the first line after the end of the input, less than 0 if it came before; `longest` is the
    longest wait for a line; in seconds.
    """

    lines: list[bytes]
    reason: str = ""
    has_ended: bool = False
    is_cut_short: bool = False
    is_shifted: bool = False
    delay: float = 0.0
    longest: float = 0.0


class _Program:
    """A running program; threads read what it writes, so that no pipe fills up."""

    def __init__(self, command: Command, agree: Callable[[bytes, bytes], bool]) -> None:
        self._agree = agree
        self._errors: deque[str] = deque(maxlen=20)
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        try:
            # In a session of its own, so that Ctrl-C reaches this process alone, which then ends all of the program.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise ModelError(f"{shlex.join(command)} cannot be run: {error.strerror}") from error
        self._readers = [threading.Thread(target=each, daemon=True) for each in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip(b"\r\n"))
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._errors.append(line.decode(errors="replace").strip())

    def ask(self, asked_lines: Sequence[str], patience: float, timeout: float, *, ends: bool) -> _Outcome:
        """Send lines and return the answers; `ends`: end the input after them."""
        asked = len(asked_lines)
        sent = [*asked_lines, *([] if ends else asked_lines[:1])]
        writer = threading.Thread(target=self._write, args=(sent, ends), daemon=True)
        writer.start()
        lines: list[bytes] = []
        last = time.monotonic()
        ended, delay, longest = last if ends else None, -1.0, 0.0
        while ended is not None or len(lines) < len(sent):
            try:
                line = self._lines.get(timeout=0.1)  # short, to let signals in
            except queue.Empty:
                idle = time.monotonic() - last
                if ended is not None and len(lines) == len(sent) and idle > ENDING:
                    line = None
                elif idle > timeout:
                    return _Outcome(lines, f"{SILENT} {timeout:g} s", is_cut_short=True)
                else:
                    if idle > patience and ended is None and not writer.is_alive():
                        ended = time.monotonic()
                        self._close_input()
                    continue
            if line is None:
                return self._ended(lines, asked, len(sent))._replace(delay=delay, longest=longest)
            now = time.monotonic()
            if ended is not None and not lines:
                delay = now - ended
            last, longest = now, max(longest, now - last)
            lines.append(line)
        if not self._agree(lines[0], lines[-1]):
            reason = f"it wrote more than {counted(asked, 'line')} for {asked:,}, or its answers are random"
            return _Outcome(lines, reason, is_shifted=True)
        return _Outcome(lines[:asked])

    def _ended(self, lines: list[bytes], asked: int, sent: int) -> _Outcome:
        """Return the outcome of a program that writes no more and has been sent some lines, of which some count."""
        try:
            code = self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            code = 0
        self._readers[1].join(ENDING)
        said = next((f": {line}" for line in reversed(self._errors) if line), "")
        if code:
            how = f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
            return _Outcome(lines, f"it {how}{said}", is_cut_short=True)
        if len(lines) != sent:
            came = max(len(lines) - (sent - asked), 0)
            return _Outcome(lines, f"it wrote {counted(came, 'line')} for {asked:,}{said}")
        return _Outcome(lines[:asked], has_ended=True)

    def _write(self, lines: Sequence[str], ends: bool) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # where a program has ended, its answers are missing, which is told
            for line in lines:
                self._process.stdin.write(line.encode(errors="replace") + b"\n")
            self._process.stdin.flush()
            if ends:
                self._process.stdin.close()

    def _close_input(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.close()

    def end(self) -> bool:
        """End the input and then the program; return whether it wrote lines that nobody has asked for."""
        self._close_input()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING)
        self.kill()
        with suppress(queue.Empty):
            return self._lines.get_nowait() is not None
        return False

    def kill(self) -> None:
        """Kill the program with all that it has started."""
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close_input()
        for reader in self._readers:
            reader.join(ENDING)
