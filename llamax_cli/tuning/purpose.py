"""What is asked of `llamax tune`: to train, to measure a model, or to average models."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from llamax_cli.errors import UsageError

Purpose: TypeAlias = Literal["train", "measure", "average"]


def purpose(
    model: str | None,
    data: Sequence[str] | None,
    output: Path | None,
    task: str | None,
    tests: Sequence[str] | None,
    average: Sequence[str] | None,
    settings: Mapping[str, object],
) -> Purpose:
    """Return what the flags ask for; UsageError where they do not go together.

    `settings` are flags, with their values, that mean something only where a model is trained.
    """
    trained: Mapping[str, object] = {"--data": data, **settings}
    if average:
        _refuse({"--model": model, "--task": task, "--eval": tests, **trained}, "--average takes models and -o alone")
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
    _refuse({"-o": output, **trained}, "without --data a model is only measured")
    return "measure"


def _refuse(flags: Mapping[str, object], reason: str) -> None:
    given = [flag for flag, value in flags.items() if not (value is None or value is False or value == [])]
    if given:
        raise UsageError(f"{reason}: leave {', '.join(given)} out")
