"""TensorBoard and W&B, through accelerate's trackers: the metrics as curves.

A resumed run continues the curves of the earlier one. Steps after the checkpoint are made twice: TensorBoard shows the
later ones, W&B keeps the earlier ones.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llamax_cli.console import say
from llamax_cli.errors import FileError, TrainingError, because
from llamax_cli.training.job import Job

CURVES = {"step": "train", "validation": "validation", "translation": "translation"}
PROJECT = "llamax"  # of W&B, unless WANDB_PROJECT names another


class Trackers:
    """The trackers that a run asks for; `run_id` identifies the run across resumptions."""

    def __init__(self, job: Job, run_id: str, step: int, settings: Mapping[str, Any]) -> None:
        self._folder = job.folder
        if job.training.trackers:
            _initialise_accelerate()
        self._trackers = [TRACKERS[name](job, run_id, step, settings) for name in job.training.trackers]

    def log(self, event: str, step: int, facts: Mapping[str, Any]) -> None:
        """Add the numbers of a line of metrics to the curves, if its event has any."""
        if event not in CURVES:
            return
        numbers = dict(flatten(CURVES[event], facts))
        for tracker in self._trackers:
            try:
                tracker.log(numbers, step=step)
            except OSError as error:
                raise FileError(f"{self._folder}: {tracker.name} cannot write: {because(error)}") from error

    def close(self) -> None:
        """Close every tracker; FileError, after trying all of them, where one cannot write its files."""
        failures: list[tuple[str, OSError]] = []
        for tracker in self._trackers:
            try:
                tracker.finish()
            except OSError as error:
                failures.append((tracker.name, error))
        if failures:
            name, first = failures[0]
            raise FileError(f"{self._folder}: {name} cannot write: {because(first)}") from first


def flatten(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """Yield the numbers in nested facts: `flatten("train", {"origin": {"mt": 2.3}}) -> [("train/origin/mt", 2.3)]`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flatten(f"{name}/{key}", inner)
    elif isinstance(value, int | float):
        yield name, value


def _initialise_accelerate() -> None:
    """Have accelerate find the process group, which exists already; its trackers need to know it."""
    from accelerate import PartialState

    PartialState()


def _tensorboard(job: Job, run_id: str, step: int, settings: Mapping[str, Any]) -> Any:
    from accelerate.tracking import TensorBoardTracker

    tracker = TensorBoardTracker("tensorboard", job.folder, purge_step=step + 1)
    tracker.main_process_only = False  # only the first rank opens it
    try:
        tracker.start()
    except OSError as error:
        raise FileError(f"{job.folder / 'tensorboard'}: {because(error)}") from error
    # As text, because accelerate would start a separate run for hyperparameters.
    tracker.log({"settings": "\n".join(f"    {key} = {value}" for key, value in settings.items())}, step=step)
    return tracker


def _wandb(job: Job, run_id: str, step: int, settings: Mapping[str, Any]) -> Any:
    import wandb
    from accelerate.tracking import WandBTracker

    tracker = WandBTracker(
        os.environ.get("WANDB_PROJECT", PROJECT),
        id=run_id,
        name=Path(job.output).resolve().name,
        dir=str(job.folder),
        resume="allow",
        settings=wandb.Settings(silent=True, console="off"),
    )
    try:
        tracker.start()
    except (wandb.Error, OSError, ValueError) as error:
        line = str(error).strip().splitlines()[0]
        raise TrainingError(f"trackers: wandb: {line}; set WANDB_MODE=offline to log to files only") from error
    tracker.store_init_configuration(dict(settings))
    if tracker.run.url and not job.quiet:
        say(job.command, f"wandb: {tracker.run.url}")
    return tracker


TRACKERS = {"tensorboard": _tensorboard, "wandb": _wandb}
