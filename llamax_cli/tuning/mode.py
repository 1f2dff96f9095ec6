"""What the options of `llamax tune` ask for: to train, to evaluate a model, or to average models."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from llamax_cli.errors import UsageError

Mode: TypeAlias = Literal["train", "evaluate", "average"]


def choose_mode(
    model: str | None,
    data: Sequence[str] | None,
    output: Path | None,
    task: str | None,
    tests: Sequence[str] | None,
    average: Sequence[str] | None,
    training_options: Sequence[str],
) -> Mode:
    """Return what the options ask for; UsageError where they do not go together.

    `training_options` are the names of those given that mean something only where a model is trained.
    """
    training = [*_names(data=data), *training_options]
    if average:
        _refuse([*_names(model=model, task=task, eval=tests), *training], "--average takes models and -o alone")
        if len(average) < 2 or output is None:
            raise UsageError("--average takes two models or more, and -o DIR for their mean")
        return "average"
    if model is None:
        raise UsageError("--model names what to tune or to measure")
    if tests and not task:
        raise UsageError("--eval measures a task: name it with --task")
    if data:
        if output is None:
            raise UsageError("-o DIR names where the tuned model goes")
        return "train"
    if not tests:
        raise UsageError("nothing to do: --data names what to tune on, --eval what to measure on")
    _refuse([*(["-o"] if output else []), *training], "without --data a model is only measured")
    return "evaluate"


def _names(**options: object) -> list[str]:
    """Return the options that are given: `_names(model="m", task=None) -> ["--model"]`."""
    return [f"--{name}" for name, value in options.items() if value is not None and value != []]


def _refuse(given: Sequence[str], reason: str) -> None:
    if given:
        raise UsageError(f"{reason}: leave {', '.join(given)} out")
