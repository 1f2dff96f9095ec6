"""Whether a checkpoint fits the run that wants to resume it, and which settings differ."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from llamax_cli.config import Training, is_fixed, typed_settings
from llamax_cli.errors import ResumeError, UsageError
from llamax_cli.models.fingerprint import weights_fingerprint
from llamax_cli.training.job import FACTS, Job, list_checkpoints, read_facts

BASE = "base"  # the key of the base model's fingerprint in a checkpoint's facts
KEEP = "repeat what the run was started with, or train into another folder"


def check_resumable(job: Job) -> None:
    """Raise ResumeError if a run has a checkpoint that the job cannot resume."""
    if checkpoints := list_checkpoints(job.checkpoints):
        compare(job, read_facts(checkpoints[-1]))


def compare(job: Job, facts: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the settings that differ from a checkpoint's, (there, here) by name: `{"batch": (4, 8)}`.

    ResumeError for a fixed setting, and for another base model. Checkpoints of versions that did not note the base
    model are not compared with it.
    """
    try:
        given = typed_settings(facts["training"], FACTS)
        # Earlier versions always wrote the token; the encoder's fingerprint tells whether the tokens are the same.
        given.setdefault("add_bos", job.training.add_bos)
        there = asdict(Training(**given))
    except (KeyError, UsageError) as error:
        raise ResumeError(f"{job.checkpoints}: the checkpoint is of another version of llamax: {error}") from error
    here = asdict(job.training)
    changed = {name: (there[name], value) for name, value in here.items() if value != there[name]}
    for name, (before, now) in changed.items():
        if is_fixed(name):
            raise ResumeError(f"{name} is {_shown(now)}, but {_shown(before)} in the checkpoint; {KEEP}")
    base = facts.get(BASE)
    if base is not None and base != weights_fingerprint(job.model):
        raise ResumeError(f"{job.model} is not the model that the checkpoint was trained from; {KEEP}")
    return changed


def describe_changes(changed: Mapping[str, tuple[Any, Any]]) -> str:
    """Return the changes in one line: `batch 4 -> 8, clip 1.0 -> 0.5`."""
    return ", ".join(f"{name} {_shown(before)} -> {_shown(now)}" for name, (before, now) in changed.items())


def _shown(value: Any) -> str:
    """Return a setting's value as it is written in TOML: `_shown(True) -> "true"`."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else str(value)
