"""The three modes of `llamax tune`: train a model, evaluate one, or average several."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from llamax_cli.errors import ModelError, UsageError

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
    """Return the mode that the options ask for; UsageError if they contradict each other.

    ModelError if a model to average is not a folder, which is told before anything is loaded.
    `training_options` are the names of the given options that only training uses.
    """
    training = [*_names(data=data), *training_options]
    if average:
        _refuse([*_names(model=model, task=task, eval=tests), *training], "--average takes only models and -o")
        if len(average) < 2 or output is None:
            raise UsageError("--average needs at least two models, and -o FOLDER for their mean")
        for folder in average:
            if not Path(folder).is_dir():
                raise ModelError(f"{folder}: no such folder; download a model of the hub first")
        return "average"
    if model is None:
        raise UsageError("--model is missing: it names the model to tune or to evaluate")
    if tests and not task:
        raise UsageError("--eval needs --task, the name of the task")
    if data:
        if output is None:
            raise UsageError("-o is missing: it names the folder for the tuned model")
        return "train"
    if not tests:
        raise UsageError("nothing to do: name files to tune on with --data, or files to evaluate on with --eval")
    _refuse([*(["-o"] if output else []), *training], "without --data the model is only evaluated")
    return "evaluate"


def _names(**options: object) -> list[str]:
    """Return the names of the options that are given: `_names(model="m", task=None) -> ["--model"]`."""
    return [f"--{name}" for name, value in options.items() if value is not None and value != []]


def _refuse(given: Sequence[str], reason: str) -> None:
    if given:
        raise UsageError(f"{reason}: leave out {', '.join(given)}")
