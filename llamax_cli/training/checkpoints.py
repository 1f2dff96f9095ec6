"""Checkpoints: sharded over the ranks, read by any number of them, and whole or not there."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from llamax_cli.errors import FileError, ResumeError, because
from llamax_cli.training.job import FACTS, list_checkpoints
from llamax_cli.training.process_group import Ranks


class Checkpoints:
    """The checkpoints of a run in a folder, of which the last `keep` stay."""

    def __init__(self, folder: Path, keep: int, ranks: Ranks) -> None:
        self.folder = folder
        self._keep = keep
        self._ranks = ranks

    def save(self, step: int, learner: Any, optimiser: Any, facts: Mapping[str, Any]) -> None:
        """Write a checkpoint; FileError on all ranks where one of them cannot, the earlier ones untouched."""
        path = self.folder / f"step-{step:08}"
        partial = path.with_name(f"{path.name}.partial")
        self._ranks.first(lambda: _empty(partial))
        try:
            save(_state(learner, optimiser), checkpoint_id=partial, process_group=self._ranks.plain)
        except CheckpointException as error:
            reason = _reason(error)
            self._ranks.first(lambda: _give_up(partial, reason))
        self._ranks.first(lambda: self._finish(partial, path, facts))

    def _finish(self, partial: Path, path: Path, facts: Mapping[str, Any]) -> None:
        try:
            with (partial / FACTS).open("w", encoding="utf-8") as file:
                json.dump(facts, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            _sync(partial)
            if path.exists():
                shutil.rmtree(path)
            partial.rename(path)
            _sync(self.folder)
        except OSError as error:
            _give_up(partial, because(error))
        for old in list_checkpoints(self.folder)[: -self._keep]:
            shutil.rmtree(old, ignore_errors=True)

    def load(self, path: Path, learner: Any, optimiser: Any) -> None:
        """Give learner and optimiser what they had at a checkpoint, whatever number of ranks wrote it."""
        state = _state(learner, optimiser)
        try:
            load(state, checkpoint_id=path, process_group=self._ranks.plain)
        except (CheckpointException, RuntimeError, OSError) as error:
            raise ResumeError(f"{path} cannot be read ({_reason(error)}); is the model another one?") from error
        options = _options()
        set_state_dict(
            learner, optimiser, model_state_dict=state["model"], optim_state_dict=state["optimiser"], options=options
        )


def _options() -> Any:
    # Frozen weights are in the model already.
    return StateDictOptions(ignore_frozen_params=True, strict=False)


def _state(learner: Any, optimiser: Any) -> dict[str, Any]:
    weights, memory = get_state_dict(learner, optimiser, options=_options())
    return {"model": weights, "optimiser": memory}


def _give_up(partial: Path, reason: str) -> NoReturn:
    shutil.rmtree(partial, ignore_errors=True)
    raise FileError(f"{partial}: {reason}; the checkpoints before it are whole")


def _empty(folder: Path) -> None:
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
    """Return what made a checkpoint fail, in a few words."""
    causes = getattr(error, "failures", {})
    first = next((cause for cause, _ in causes.values()), error)
    return because(first) if isinstance(first, OSError) else str(first).strip().splitlines()[0]
