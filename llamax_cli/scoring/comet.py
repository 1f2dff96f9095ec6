"""COMET, by a process with a Python of its own: its libraries do not live beside ours."""

import json
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np

from llamax_cli.errors import UsageError, WorkerError, because
from llamax_cli.scoring.matrix import COMET, Scored
from llamax_cli.scoring.metrics import Recipe, Statistics, metric

WORKER = Path(__file__).with_name("comet_worker.py")
WINDOW = 20_000  # segments asked for at once, of any directions, so that batches are of texts of one length
BATCH = 64
INSTALL = "python3 -m venv comet && comet/bin/pip install 'setuptools<81' unbabel-comet==2.2.7"


class Comet:
    """A COMET model, loaded once; two columns: scores, and how many."""

    def __init__(self, recipe: Recipe) -> None:
        self._name = recipe.comet_model
        self._errors: Any = tempfile.TemporaryFile(prefix="llamax-")  # noqa: SIM115 (open as long as the object)
        self._process = self._start(_python(recipe))
        weakref.finalize(self, self._process.kill)
        self._version = self._answer()["version"]

    def _start(self, python: str) -> "subprocess.Popen[bytes]":
        # Isolated: our own folders and PYTHONPATH are not where it looks for modules.
        command = [python, "-I", str(WORKER), self._name, str(BATCH)]
        try:
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        except OSError as error:
            raise UsageError(f"--comet-python {python}: {because(error)}") from error

    def rows(self, segments: Sequence[tuple[str, str, str]]) -> Statistics:
        """Return a row for each (source, translation, reference)."""
        pipe = cast("Any", self._process.stdin)
        try:
            pipe.write(json.dumps({"segments": segments}).encode() + b"\n")
            pipe.flush()
        except BrokenPipeError:
            pass  # it died; why, its last words tell
        scores = np.array(self._answer()["scores"], np.float64)
        return np.column_stack([scores, np.ones_like(scores)])

    def _answer(self) -> Any:
        line = cast("Any", self._process.stdout).readline()
        answer = json.loads(line) if line.endswith(b"\n") else {"error": self._last_words()}
        if "error" in answer:
            raise WorkerError(f"COMET ({self._name}): {answer['error']}")
        return answer

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().split("\n")
        return lines[-1] or f"its process ended with {self._process.wait()}"

    def score(self, total: Statistics) -> float:
        """Return the mean, times 100 as the paper has it."""
        return float(self.scores(total[None])[0])

    sentence = score

    def scores(self, totals: Statistics) -> Statistics:
        """Return the mean of each row, times 100."""
        return cast("Statistics", 100 * totals[:, 0] / totals[:, 1])

    def statistics(self, language: str, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
        """Refuse: COMET needs sources; see `rows`."""
        raise NotImplementedError

    def signature(self, language: str, *, by_sentence: bool = False) -> str:
        """Return the model and the version of COMET."""
        return f"nrefs:1|model:{self._name}|version:{self._version}"


def _python(recipe: Recipe) -> str:
    named = recipe.comet_python or os.environ.get("LLAMAX_COMET_PYTHON")
    if named is None and find_spec("comet") is None:
        raise UsageError(
            f"--metric comet needs unbabel-comet in an environment of its own: {INSTALL}; "
            "then --comet-python comet/bin/python, or LLAMAX_COMET_PYTHON"
        )
    return named or sys.executable


def added(done: Iterable[Scored], recipe: Recipe, *, by_segment: bool) -> Iterator[Scored]:
    """Yield the groups with COMET's statistics too, asked for in windows over many directions."""
    comet = cast("Comet", metric(COMET, recipe))
    window: list[Scored] = []
    for each in done:
        window.append(each)
        if sum(len(one.group.segments) for one in window) >= WINDOW:
            yield from _answered(comet, window, by_segment=by_segment)
            window = []
    if window:
        yield from _answered(comet, window, by_segment=by_segment)


def _answered(comet: Comet, window: Sequence[Scored], *, by_segment: bool) -> Iterator[Scored]:
    segments = [segment for one in window for segment in one.group.segments]
    rows = comet.rows([(each.source, each.hypothesis, each.reference) for each in segments])
    start = 0
    for one in window:
        own = rows[start : start + len(one.group.segments)]
        start += len(own)
        one.statistics[COMET] = own if by_segment else own.sum(axis=0, keepdims=True)
        yield one
