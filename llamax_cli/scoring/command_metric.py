"""A metric that any program computes: it reads a line of JSON for each segment and writes a line with its number."""

import json
import math
import shlex
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import ClassVar, cast

import numpy as np

from llamax_cli.documents import loads
from llamax_cli.errors import DataError, RecordError, UsageError, WorkerError
from llamax_cli.scoring.metrics import MARK_OF_LOWER, MetricSettings, Reference, Statistics
from llamax_cli.streams.line_programs import LinePrograms, check_program, split_command

BATCH_SIZE = 256  # segments that a program is sent before their numbers are counted
TOLERANCE = 1e-3  # share by which two numbers of one segment may differ, as those of batches on a GPU do


class CommandMetric:
    """The program of `--metric-command`, which is kept running; two columns: score, and 1.

    It gets `{"src": ..., "mt": ..., "ref": ..., "langs": ["en", "de"]}`, and `ref` is a list if there are several
    references. A number that is missing, too many, late or none ends the run.
    """

    needs_source: ClassVar[bool] = True
    needs_reference: ClassVar[bool] = True
    runs_in_workers: ClassVar[bool] = False  # one program for all directions
    lower_is_better = False

    def __init__(self, settings: MetricSettings) -> None:
        if settings.command is None:
            raise UsageError("--metric command needs a program: --metric-command ./metric")
        words = split_command("--metric-command", settings.command, "./metric")
        check_program("--metric-command", settings.command, words[0])
        self.lower_is_better = settings.lower_is_better
        self._command = tuple(words)
        self._programs = LinePrograms(settings.timeout, _agree)

    def statistics(
        self,
        language: str,
        hypotheses: Sequence[str],
        references: Sequence[Reference],
        sources: Sequence[str] = (),
        directions: Sequence[tuple[str, str]] = (),
    ) -> Statistics:
        """Return a row for each segment; WorkerError or DataError for one without a number."""
        segments = zip_longest(sources, hypotheses, references if self.needs_reference else (), directions)
        lines = [json.dumps(_request(*segment)) for segment in segments]
        scores = list(self._scores(lines))
        return np.column_stack([scores, np.ones(len(scores))])

    def _scores(self, lines: Sequence[str]) -> Iterator[float]:
        start = 0
        while start < len(lines):
            size = len(lines) if self._programs.writes_at_end else BATCH_SIZE
            batch = lines[start : start + size]
            for line, answer in zip(batch, self._programs.answers(self._command, batch), strict=True):
                if isinstance(answer, RecordError):
                    raise WorkerError(f"{answer}; it was given {line:.200}")
                if (number := _number(answer)) is None:
                    shown = answer.decode(errors="replace")
                    raise DataError(f"{self._command[0]}: not a number: {shown:.100}; it was given {line:.200}")
                yield number
            start += size

    def score(self, total: Statistics) -> float:
        """Return the mean."""
        return float(self.scores(total[None])[0])

    sentence = score

    def scores(self, totals: Statistics) -> Statistics:
        """Return the mean of each row."""
        return cast("Statistics", totals[:, 0] / totals[:, 1])

    def signature(self, language: str, *, by_sentence: bool = False, nrefs: int = 1) -> str:
        """Return the command line, and whether its numbers are errors."""
        shown = "var" if nrefs < 0 else nrefs if self.needs_reference else 0
        mark = f"|{MARK_OF_LOWER}" if self.lower_is_better else ""
        return f"nrefs:{shown}{mark}|command:{shlex.join(self._command)}"


class CommandMetricWithoutReference(CommandMetric):
    """The program of `--metric-command`, which gets no `ref`."""

    needs_reference: ClassVar[bool] = False


def _request(
    source: str | None, hypothesis: str | None, reference: Reference | None, direction: tuple[str, str] | None
) -> dict[str, object]:
    """Return what the program gets for a segment, without what is not known."""
    request = {"src": source, "mt": hypothesis, "ref": reference, "langs": direction}
    return {key: value for key, value in request.items() if value is not None}


def _number(line: bytes) -> float | None:
    """Return the number in a line of JSON, None if there is no finite one."""
    try:
        value = loads(line)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except (ValueError, OverflowError):  # the latter for an integer that is too large for any float
        return None
    return float(value) if is_number else None


def _agree(first: bytes, second: bytes) -> bool:
    """Return whether two answers may be those to one segment."""
    one, other = _number(first), _number(second)
    if one is None or other is None:
        return first == second
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
