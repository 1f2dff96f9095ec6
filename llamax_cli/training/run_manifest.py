"""The manifest of a training run: manifest.json in its folder, from which `llamax replay` trains the model again."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from llamax_cli.config import TUNING, Training
from llamax_cli.errors import FileError, because
from llamax_cli.streams import manifest
from llamax_cli.training.job import MANIFEST, Job

# What is done beside the training, and changes no weight.
ASIDE = {"validation", "translate", "trackers"}


def write_run_manifest(job: Job, figures: Mapping[str, Any], started: float) -> None:
    """Write the manifest of a run that is complete; `figures` are the numbers of ranks, steps and records."""
    try:
        _write(job, figures, started)
    except FileError as error:
        raise FileError(f"{error}; the model is complete") from error
    except OSError as error:
        raise FileError(f"{job.folder / MANIFEST}: {because(error)}; the model is complete") from error


def _write(job: Job, figures: Mapping[str, Any], started: float) -> None:
    data = [manifest.described(path) for path in job.data]
    named = [manifest.described(path) for path in dict.fromkeys((job.model, job.tokenizer))]
    counts = Counter({"in": figures["records"], "out": 1})
    content = manifest.describe(job.command, _arguments(job), (), counts, figures, started)
    content |= {
        "seed": job.training.seed,
        "inputs": list(filter(None, data)),
        "reads": list(filter(None, named)),
        "outputs": manifest.described_files(job.result),
    }
    manifest.write(job.folder / MANIFEST, content)


def _arguments(job: Job) -> dict[str, Any]:
    """Return the options of a command that trains the same model: all settings are in --set."""
    usual = asdict(TUNING if job.command == "tune" else Training())
    settings = {
        name: value for name, value in asdict(job.training).items() if value != usual[name] and name not in ASIDE
    }
    return {
        "model": job.model,
        "tokenizer": job.tokenizer if job.tokenizer != job.model else None,
        "data": list(job.data),
        "output": job.output,
        **({"init": job.init} if job.command == "train" else {"task": job.task or None}),
        "trust_remote_code": job.trust_remote_code,
        "set": [f"{name}={json.dumps(value)}" for name, value in settings.items()],
    }
