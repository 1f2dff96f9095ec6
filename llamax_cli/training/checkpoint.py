"""Checkpoints: sharded over the ranks, readable by any number of them, and complete or absent."""

import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from llamax_cli.errors import FileError, ResumeError, because
from llamax_cli.models.fingerprint import weights_fingerprint
from llamax_cli.training.estimates import BYTES_SAVED, free_disk_space, gigabytes
from llamax_cli.training.job import FACTS, Job, list_checkpoints, read_facts
from llamax_cli.training.packed_dataset import PackedDataset
from llamax_cli.training.process_group import Ranks, describe_failure
from llamax_cli.training.resume import BASE, compare
from llamax_cli.training.sampler import DataPosition
from llamax_cli.training.setup import Components
from llamax_cli.training.train_state import TrainState


class Resumed(NamedTuple):
    """A checkpoint that a run goes on from, its facts, and the settings that differ: (there, here) by name."""

    path: Path
    facts: dict[str, Any]
    changed: dict[str, tuple[Any, Any]]


class Checkpointer:
    """Saves and loads the checkpoints of a run, of which the last `keep` stay.

    A checkpoint is a folder `step-00000500`: the shards of model and optimizer, and `facts.json`.
    """

    def __init__(self, job: Job, components: Components, ranks: Ranks) -> None:
        self._job = job
        self._folder = job.checkpoints
        self._training = job.training
        self._model = components.model
        self._optimizer = components.optimizer
        self._ranks = ranks
        self._saved_at = time.monotonic()
        self._saved_step = -1
        self._base = ranks.broadcast(lambda: weights_fingerprint(job.model))

    def is_due(self) -> bool:
        """Return whether `checkpoint_minutes` have passed since the last one; always False but on the first rank."""
        seconds = 60 * self._training.checkpoint_minutes
        return self._ranks.is_first and 0 < seconds < time.monotonic() - self._saved_at

    def save(self, state: TrainState, position: DataPosition, log_facts: Mapping[str, Any]) -> None:
        """Write a checkpoint, unless this step has one; FileError on all ranks if one fails, which leaves the earlier.

        `log_facts` say where the metrics log is.
        """
        if self._saved_step != state.step:
            # The keys and their order are those of every checkpoint since version 0.1.0.
            facts = {
                "count": asdict(state),
                "data": list(position),
                **log_facts,
                "training": asdict(self._training),
                BASE: self._base,
            }
            self._write(state.step, facts)
            self._saved_step = state.step
        self._saved_at = time.monotonic()

    def _write(self, step: int, facts: Mapping[str, Any]) -> None:
        path = self._folder / f"step-{step:08}"
        partial = path.with_name(f"{path.name}.partial")
        self._ranks.run_on_first(lambda: self._make_room(partial))
        try:
            save(self._state_dict(), checkpoint_id=partial, process_group=self._ranks.cpu_group)
        except CheckpointException as error:
            reason = _reason(error)
            self._ranks.run_on_first(lambda: _discard(partial, reason))
        self._ranks.run_on_first(lambda: self._complete(partial, path, facts))

    def _make_room(self, partial: Path) -> None:
        """Create the empty folder of a checkpoint; FileError if the disk has too little space for what goes into it."""
        _make_empty(partial)
        trained = sum(weight.numel() for weight in self._model.parameters() if weight.requires_grad)
        needed, free = BYTES_SAVED * trained, free_disk_space(partial)
        if needed > free:
            _discard(partial, f"a checkpoint takes {gigabytes(needed)}, but {gigabytes(free)} are free")

    def _complete(self, partial: Path, path: Path, facts: Mapping[str, Any]) -> None:
        """Add the facts to a checkpoint, give it its name, and remove the oldest ones."""
        try:
            with (partial / FACTS).open("w", encoding="utf-8") as file:
                json.dump(facts, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            _sync(partial)
            if path.exists():
                shutil.rmtree(path)
            partial.rename(path)
            _sync(self._folder)
        except OSError as error:
            _discard(partial, because(error))
        for old in list_checkpoints(self._folder)[: -self._training.keep]:
            shutil.rmtree(old, ignore_errors=True)

    def load_latest(self, data: PackedDataset) -> Resumed | None:
        """Load model and optimizer from the latest checkpoint and return what it says; None if there is none.

        ResumeError where the checkpoint cannot be read, or does not fit the job or the data.
        """
        resumed = self._ranks.broadcast(lambda: _latest(self._job, data))
        if resumed is not None:
            self._load(resumed.path)
            self._saved_step = resumed.facts["count"]["step"]
        return resumed

    def _load(self, path: Path) -> None:
        settings = [_settings(group) for group in self._optimizer.param_groups]
        state = self._state_dict()
        try:
            load(state, checkpoint_id=path, process_group=self._ranks.cpu_group)
        except (CheckpointException, RuntimeError, OSError) as error:
            if isinstance(error, RuntimeError) and describe_failure(error):
                raise
            raise ResumeError(f"{path} cannot be read ({_reason(error)}); was it made with another model?") from error
        set_state_dict(
            self._model,
            self._optimizer,
            model_state_dict=state["model"],
            optim_state_dict=state["optimiser"],
            options=_options(),
        )
        # The checkpoint's groups have its settings, such as weight decay; the run's own take effect.
        for group, own in zip(self._optimizer.param_groups, settings, strict=True):
            group.update(own)

    def _state_dict(self) -> dict[str, Any]:
        model, optimizer = get_state_dict(self._model, self._optimizer, options=_options())
        # A key of every checkpoint since version 0.1.0, which keeps its spelling.
        return {"model": model, "optimiser": optimizer}


def _options() -> Any:
    # Frozen weights are in the model already.
    return StateDictOptions(ignore_frozen_params=True, strict=False)


def _settings(group: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a parameter group; the schedule sets the learning rate."""
    return {name: value for name, value in group.items() if name not in ("params", "lr")}


def _latest(job: Job, data: PackedDataset) -> Resumed | None:
    """Return the latest checkpoint, None if there is none; ResumeError where it does not fit the job or the data.

    The launcher has refused a run that may not be resumed, so a checkpoint found here is always resumed: workers that
    are restarted after a crash find one too.
    """
    existing = list_checkpoints(job.checkpoints)
    if not existing:
        return None
    facts = read_facts(existing[-1])
    changed = compare(job, facts)
    position = DataPosition(*facts["data"])
    data.plan(position.epoch).check(position)
    return Resumed(existing[-1], facts, changed)


def reclaim(job: Job) -> None:
    """Remove what killed runs left half-written in a job's folder; the caller holds the lock of the folder.

    Numbers of steps and of processes hardly ever come back, so nothing would overwrite these names.
    """
    for folder, pattern in (
        (job.checkpoints, "step-*.partial"),
        (job.cache, "*.partial"),
        (job.translations, "*.partial"),
        (job.folder, f"{job.result.name}.partial"),
    ):
        for partial in folder.glob(pattern):
            if partial.is_dir() and not partial.is_symlink():
                shutil.rmtree(partial, ignore_errors=True)
            else:
                with suppress(OSError):
                    partial.unlink()


def _discard(partial: Path, reason: str) -> NoReturn:
    shutil.rmtree(partial, ignore_errors=True)
    raise FileError(f"{partial}: {reason}; the earlier checkpoints are intact")


def _make_empty(folder: Path) -> None:
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    except OSError as error:
        raise FileError(f"{folder}: {because(error)}") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _reason(error: BaseException) -> str:
    """Return why a checkpoint failed, in a few words."""
    failures = getattr(error, "failures", {})  # of a CheckpointException, by rank
    first = next((cause for cause, _ in failures.values()), error)
    return because(first) if isinstance(first, OSError) else str(first).strip().splitlines()[0]
