"""TensorBoard and W&B, by accelerate's trackers: what stands in the metrics, drawn as curves.

A resumed run goes on in the curves of the run that it was: TensorBoard hides the steps after the checkpoint that were
made twice, W&B keeps those that were made first.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llamax_cli.console import say
from llamax_cli.errors import FileError, TrainingError, because
from llamax_cli.training.job import Job

CURVES = {"step": "train", "validation": "validation", "translation": "translation"}
PROJECT = "llamax"  # W&B's, where WANDB_PROJECT names no other


class Trackers:
    """The trackers that a run asks for; `identity` stands for the run, over all that it is resumed."""

    def __init__(self, job: Job, identity: str, step: int, settings: Mapping[str, Any]) -> None:
        self._folder = job.folder
        if job.training.trackers:
            _tell_accelerate()
        self._open = [OPEN[name](job, identity, step, settings) for name in job.training.trackers]

    def log(self, event: str, step: int, facts: Mapping[str, Any]) -> None:
        """Draw the numbers of a line of metrics, where it is one of those that make curves."""
        if event not in CURVES:
            return
        numbers = dict(flat(CURVES[event], facts))
        for tracker in self._open:
            try:
                tracker.log(numbers, step=step)
            except OSError as error:
                raise FileError(f"{self._folder}: {tracker.name} cannot write: {because(error)}") from error

    def close(self) -> None:
        """Have all of it written, by each that can; FileError where one cannot."""
        failed: list[tuple[str, OSError]] = []
        for tracker in self._open:
            try:
                tracker.finish()
            except OSError as error:
                failed.append((tracker.name, error))
        for name, first in failed:
            raise FileError(f"{self._folder}: {name} cannot write: {because(first)}") from first


def flat(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """Yield the numbers in nested facts: `flat("train", {"origin": {"para": 2.3}}) -> [("train/origin/para", 2.3)]`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat(f"{name}/{key}", inner)
    elif isinstance(value, int | float):
        yield name, value


def _tell_accelerate() -> None:
    """Let accelerate, whose trackers ask it, find out that the ranks have joined already."""
    from accelerate import PartialState

    PartialState()


def _tensorboard(job: Job, identity: str, step: int, settings: Mapping[str, Any]) -> Any:
    from accelerate.tracking import TensorBoardTracker

    tracker = TensorBoardTracker("tensorboard", job.folder, purge_step=step + 1)
    tracker.main_process_only = False  # it is opened on the first rank only
    try:
        tracker.start()
    except OSError as error:
        raise FileError(f"{job.folder / 'tensorboard'}: {because(error)}") from error
    # As text: for settings as such accelerate would begin a run of their own.
    tracker.log({"settings": "\n".join(f"    {key} = {value}" for key, value in settings.items())}, step=step)
    return tracker


def _wandb(job: Job, identity: str, step: int, settings: Mapping[str, Any]) -> Any:
    import wandb
    from accelerate.tracking import WandBTracker

    tracker = WandBTracker(
        os.environ.get("WANDB_PROJECT", PROJECT),
        id=identity,
        name=Path(job.output).resolve().name,
        dir=str(job.folder),
        resume="allow",
        settings=wandb.Settings(silent=True, console="off"),
    )
    try:
        tracker.start()
    except (wandb.Error, OSError, ValueError) as error:
        line = str(error).strip().splitlines()[0]
        raise TrainingError(f"trackers: wandb: {line}; WANDB_MODE=offline keeps its files here") from error
    tracker.store_init_configuration(dict(settings))
    if tracker.run.url and not job.quiet:
        say(job.command, f"wandb: {tracker.run.url}")
    return tracker


OPEN = {"tensorboard": _tensorboard, "wandb": _wandb}
