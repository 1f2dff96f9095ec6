"""Metrics that are models, scored by a process with its own Python: COMET's dependencies conflict with ours."""

import json
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from llamax_cli.errors import DataError, UsageError, WorkerError, because
from llamax_cli.scoring.learned_metrics import LEARNED, LearnedMetric
from llamax_cli.scoring.metrics import MetricSettings, Reference, Statistics

WORKER = Path(__file__).with_name("metric_worker.py")
BATCH_SIZE = 64  # segments; the process halves it where the memory is too small
INSTALL = "python3 -m venv comet && comet/bin/pip install 'setuptools<81' unbabel-comet==2.2.7"


class ModelMetric:
    """A model in a process that runs as long as this object; two columns: score, and 1. `of_row` makes it a metric."""

    needs_source: ClassVar[bool] = True
    needs_reference: ClassVar[bool]
    runs_in_workers: ClassVar[bool] = False  # the model is loaded once
    lower_is_better: ClassVar[bool]
    name: ClassVar[str]
    row: ClassVar[LearnedMetric]

    @classmethod
    def of_row(cls, name: str) -> "type[ModelMetric]":
        """Return the class of a metric in the table."""
        row = LEARNED[name]
        facts = {"needs_reference": row.needs_reference, "lower_is_better": row.facts.lower_is_better}
        return type(cls.__name__, (cls,), {"name": name, "row": row, **facts})

    def __init__(self, settings: MetricSettings) -> None:
        self._model = dict(settings.models).get(self.name, self.row.model)
        self._errors: Any = tempfile.TemporaryFile(prefix="llamax-")  # noqa: SIM115 (open as long as the object)
        self._process = self._start(self._find_python(settings))
        weakref.finalize(self, self._process.kill)
        self._version = self._read_answer()["version"]

    def _start(self, python: str) -> "subprocess.Popen[bytes]":
        # Isolated: it does not look for modules in our folders or PYTHONPATH.
        command = [python, "-I", str(WORKER), self.row.family, self._model, self.row.tokenizer, str(BATCH_SIZE)]
        try:
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        except OSError as error:
            raise UsageError(f"--comet-python {python}: {because(error)}") from error

    def _find_python(self, settings: MetricSettings) -> str:
        if self.row.family != "comet":
            return sys.executable
        python = settings.comet_python or os.environ.get("LLAMAX_COMET_PYTHON")
        if python is None and find_spec("comet") is None:
            raise UsageError(
                f"--metric {self.name} needs unbabel-comet in a separate environment: {INSTALL}; "
                "then give --comet-python comet/bin/python or set LLAMAX_COMET_PYTHON"
            )
        return python or sys.executable

    def statistics(
        self,
        language: str,
        hypotheses: Sequence[str],
        references: Sequence[Reference],
        sources: Sequence[str] = (),
        directions: Sequence[tuple[str, str]] = (),
    ) -> Statistics:
        """Return a row for each segment; DataError if one has several references."""
        if not self.needs_reference:
            references = [""] * len(hypotheses)
        elif not all(isinstance(reference, str) for reference in references):
            raise DataError(
                f"{self.name} compares with one reference, but there are several: give one, or leave {self.name} out"
            )
        segments = [
            [source, hypothesis, reference if self.needs_reference else None]
            for source, hypothesis, reference in zip(sources, hypotheses, references, strict=True)
        ]
        pipe = cast("Any", self._process.stdin)
        try:
            pipe.write(json.dumps({"segments": segments}).encode() + b"\n")
            pipe.flush()
        except BrokenPipeError:
            pass  # the process died; its last words, read below, say why
        scores = np.array(self._read_answer()["scores"], np.float64)
        if not np.isfinite(scores).all():
            worst = hypotheses[int(np.argmin(np.isfinite(scores)))]
            raise WorkerError(f"{self.name} ({self._model}): the score of {worst!r:.100} is not a number")
        return np.column_stack([scores, np.ones_like(scores)])

    def _read_answer(self) -> Any:
        line = cast("Any", self._process.stdout).readline()
        answer = json.loads(line) if line.endswith(b"\n") else {"error": self._last_words()}
        if "error" in answer:
            raise WorkerError(f"{self.name} ({self._model}): {answer['error']}")
        return answer

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().split("\n")
        return lines[-1] or f"its process exited with {self._process.wait()}"

    def score(self, total: Statistics) -> float:
        """Return the mean; that of COMET models times 100, as in the paper (section 4)."""
        return float(self.scores(total[None])[0])

    sentence = score

    def scores(self, totals: Statistics) -> Statistics:
        """Return the mean of each row, in the scale of the metric."""
        return cast("Statistics", self.row.facts.scale * totals[:, 0] / totals[:, 1])

    def signature(self, language: str, *, by_sentence: bool = False, nrefs: int = 1) -> str:
        """Return the model and the version of the package that runs it."""
        return f"nrefs:{int(self.needs_reference)}|model:{self._model}|version:{self._version}"
