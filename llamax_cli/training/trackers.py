"""The trackers of accelerate, such as TensorBoard and W&B: the metrics as curves.

A resumed run continues the curves of the earlier one in TensorBoard and W&B. Steps after the checkpoint are made twice:
TensorBoard shows the later ones, W&B keeps the earlier ones. In the others, each start of a run is a run of its own.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from llamax_cli.console import say
from llamax_cli.errors import FileError, TrainingError, because
from llamax_cli.training.job import Job

CURVES = {"step": "train", "validation": "validation", "translation": "translation"}
PROJECT = "llamax"  # unless WANDB_PROJECT, or a variable of another tracker, names another


class Trackers:
    """The trackers that a run asks for; `run_id` identifies the run across resumptions."""

    def __init__(self, job: Job, run_id: str, step: int, settings: Mapping[str, Any]) -> None:
        self._folder = job.folder
        if job.training.trackers:
            _initialise_accelerate()
        self._trackers = [
            OPENERS.get(name, partial(_open, name))(job, run_id, step, settings) for name in job.training.trackers
        ]

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


def _open(name: str, job: Job, run_id: str, step: int, settings: Mapping[str, Any]) -> Any:
    """Open any tracker of accelerate; TrainingError, in one line, where its service or its files cannot be reached."""
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    kind: Any = LOGGER_TYPE_TO_CLASS[name]
    folder = [str(job.folder)] if kind.requires_logging_directory else []
    try:
        tracker = kind(PROJECT, *folder)
        tracker.start()
        tracker.store_init_configuration({key: _plain(value) for key, value in settings.items()})
    except Exception as error:  # each package has exceptions of its own
        line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise TrainingError(f"trackers: {name}: {line}") from error
    return tracker


def _plain(value: Any) -> Any:
    """Return a setting in a form that every tracker takes."""
    return ", ".join(value) if isinstance(value, tuple) else value


# Those that continue the curves of an earlier run.
OPENERS: dict[str, Callable[..., Any]] = {"tensorboard": _tensorboard, "wandb": _wandb}
