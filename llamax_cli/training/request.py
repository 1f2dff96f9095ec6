"""From the flags of `llamax train` and `llamax tune` to a job."""

import json
from collections.abc import Sequence
from pathlib import Path

from llamax_cli import config
from llamax_cli.errors import UsageError
from llamax_cli.training.job import Job


def shortcuts(*, freeze: Sequence[str] | None, lora: int | None, keep: int | None) -> list[str]:
    """Return flags as the settings that they stand for: `shortcuts(freeze=None, lora=8, keep=None) -> ["lora=8"]`."""
    given = {"freeze": list(freeze) if freeze else None, "lora": lora, "keep": keep}
    return [f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None]


def job(
    model: str,
    tokenizer: str | None,
    data: Sequence[str],
    output: Path,
    *,
    file: Path | None,
    settings: Sequence[str],
    resume: str | None,
    quiet: bool,
    init: bool = False,
    command: str = "train",
    task: str = "",
    tests: Sequence[str] = (),
) -> Job:
    """Return the job that is asked for; UsageError for what contradicts itself."""
    if len(set(data)) < len(data):
        raise UsageError("--data names a file twice")
    if Path(model).is_file():
        if not init:
            raise UsageError(f"--model {model} is a file: a configuration, whose weights --init draws")
        tokenizer = tokenizer or str(Path(model).parent)
    training = config.read(file, settings, config.TUNING if command == "tune" else None)
    places = (model, tokenizer or model, tuple(data), str(output))
    return Job(*places, init, resume is not None, quiet, training, command, task, tuple(tests))


def accelerate_flags(flags: Sequence[str] | None) -> list[str]:
    """Return what goes to accelerate; UsageError for what is no flag, which is likely a file."""
    given = list(flags or ())
    if given and not given[0].startswith("-"):
        raise UsageError(f"{given[0]!r} is no flag of accelerate; name data with --data")
    return given
