"""When a run writes checkpoints, what they say of it, and how it begins at one."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llamax_cli.training.checkpoints import Checkpoints
from llamax_cli.training.dataset_cache import Dataset
from llamax_cli.training.job import Job, list_checkpoints, read_facts
from llamax_cli.training.process_group import Ranks, Signals
from llamax_cli.training.progress import Progress
from llamax_cli.training.sampler import DataPosition
from llamax_cli.training.setup import Components


class Saver:
    """Writes checkpoints, and knows when the clock or a signal asks for one."""

    def __init__(self, job: Job, parts: Components, ranks: Ranks, signals: Signals) -> None:
        self._job = job
        self._training = job.training
        self._parts = parts
        self._ranks = ranks
        self._signals = signals
        self._checkpoints = Checkpoints(job.checkpoints, job.training.keep, ranks)
        self._saved_at = time.monotonic()
        self._saved_step = -1

    def wants(self) -> bool:
        """Return whether this rank asks for a checkpoint: its clock or a signal says so."""
        minutes = self._training.checkpoint_minutes
        due = self._ranks.is_first and 0 < minutes * 60 < time.monotonic() - self._saved_at
        return due or self._signals.checkpoint

    def save(self, count: Progress, state: DataPosition, reports: Mapping[str, Any]) -> None:
        """Write a checkpoint, unless it is there; `reports` is where the reports are."""
        self._signals.checkpoint = False
        if self._saved_step != count.step:
            facts = {
                "count": asdict(count),
                "data": list(state),
                **reports,
                "training": asdict(self._training),
            }
            self._checkpoints.save(count.step, self._parts.learner, self._parts.optimiser, facts)
            self._saved_step = count.step
        self._saved_at = time.monotonic()

    def resume(self) -> tuple[Path | None, dict[str, Any]]:
        """Take learner and optimiser to the latest checkpoint; return it and what it says, nothing at the start."""
        path, facts = self._ranks.same(lambda: _latest(self._job, self._parts.data))
        if path is not None:
            self._checkpoints.load(path, self._parts.learner, self._parts.optimiser)
            self._saved_step = facts["count"]["step"]
        return path, facts


def _latest(job: Job, data: Dataset) -> tuple[Path | None, dict[str, Any]]:
    """Return the latest checkpoint and what it says; ResumeError where it does not fit the data.

    Whether a run may go on was asked when it was launched: here it goes on where its workers were started again.
    """
    existing = list_checkpoints(job.checkpoints)
    if not existing:
        return None, {}
    facts = read_facts(existing[-1])
    state = DataPosition(*facts["data"])
    data.plan(state.epoch).check(state)
    return existing[-1], facts
