"""A run as it was requested: made from flags, written into its folder by the launcher, read there by the workers."""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamax_cli.config import TUNING, Training, read_training, typed_settings
from llamax_cli.documents import loads
from llamax_cli.errors import FileError, ResumeError, UsageError, because
from llamax_cli.streams.atomic import atomic_file
from llamax_cli.streams.paths import NamedPath, check_outside, check_paths

if TYPE_CHECKING:
    from llamax_cli.instructions.rendering import RenderedFile

FILE = "run.json"
MANIFEST = "manifest.json"
FACTS = "facts.json"  # in a checkpoint: the state of the run apart from tensors
_NAME = re.compile(r"step-(\d{8})")


@dataclass(frozen=True)
class Job:
    """A run; `init` starts from random weights, `resume` continues from the latest checkpoint.

    `command` is train, whose data are Samples, or tune, which turns its data into Samples. These data are files of
    `task` or, if that is empty, files in any of the forms of `instructions.forms`. `tests` are files of the task on
    which the model is evaluated after training. `trust_remote_code` lets Python code run that the model brings along.
    """

    model: str
    tokenizer: str
    data: tuple[str, ...]
    output: str
    init: bool
    resume: bool
    quiet: bool
    training: Training
    command: str = "train"
    task: str = ""
    tests: tuple[str, ...] = ()
    trust_remote_code: bool = False

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return Path(self.output)

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.folder / "checkpoints"

    @property
    def cache(self) -> Path:
        """The folder of indices, token lengths and plans."""
        return self.folder / "cache"

    @property
    def metrics(self) -> Path:
        """The file of its metrics."""
        return self.folder / "metrics.jsonl"

    @property
    def translations(self) -> Path:
        """The folder of what it translates during training."""
        return self.folder / "translations"

    @property
    def result(self) -> Path:
        """The folder of the trained model."""
        return self.folder / "model"

    def renderer(self, tokenizer: Any) -> "Callable[[Path], RenderedFile] | None":
        """Return a function that turns a user's file into a file of Samples; None if the data are Samples already."""
        if self.command == "train":
            return None
        from llamax_cli.instructions.rendering import render_file

        return partial(render_file, task=self.task, tokenizer=tokenizer, model=self.tokenizer, cache=self.cache)

    def to_json(self) -> str:
        """Return the job as JSON, which `parse_job` reads."""
        return json.dumps(asdict(self), indent=1) + "\n"

    def write(self) -> None:
        """Write the job into its folder, whole or not at all."""
        with atomic_file(self.folder / FILE) as file:
            file.write(self.to_json().encode())


def make_job(
    model: str,
    tokenizer: str | None,
    data: Sequence[str],
    output: Path,
    *,
    config: Path | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    quiet: bool = False,
    init: bool = False,
    command: str = "train",
    task: str = "",
    tests: Sequence[str] = (),
    trust_remote_code: bool = False,
) -> Job:
    """Return the job that the options of `train` or `tune` describe; UsageError if they contradict each other.

    `config` is a file of settings, `settings` are `key=value`.
    """
    _check_distinct("--data", data)
    if Path(model).is_file():
        if not init:
            raise UsageError(f"--model {model} is a configuration file; add --init to start from random weights")
        tokenizer = tokenizer or str(Path(model).parent)
    training = read_training(config, settings, TUNING if command == "tune" else None)
    for name in ("validation", "translate"):
        _check_distinct(name, getattr(training, name))
    job = Job(
        model,
        tokenizer or model,
        tuple(data),
        str(output),
        init=init,
        resume=resume,
        quiet=quiet,
        training=training,
        command=command,
        task=task,
        tests=tuple(tests),
        trust_remote_code=trust_remote_code,
    )
    _check_paths(job, config)
    return job


def _check_paths(job: Job, config: Path | None) -> None:
    """Raise UsageError if the run would replace or remove what it reads."""
    training = job.training
    settings = {"validation": training.validation, "translate": training.translate}
    options = {"--model": [job.model], "--tokenizer": [job.tokenizer], "--data": job.data, "--eval": job.tests}
    options["--config"] = [] if config is None else [str(config)]
    in_settings, in_options = (
        [NamedPath(name, path) for name, paths in named.items() for path in paths] for named in (settings, options)
    )
    files = [NamedPath("--output", str(path)) for path in (job.folder / FILE, job.folder / MANIFEST, job.metrics)]
    check_paths(in_settings, files, uses_stdout=False)
    check_outside([*in_options, *in_settings], [job.checkpoints, job.cache, job.translations, job.result])


def _check_distinct(option: str, paths: Sequence[str]) -> None:
    """Raise UsageError if an option names one file twice, be it by two paths or by links."""
    seen: dict[object, str] = {}
    for path in paths:
        try:
            status = os.stat(path)
            identity: object = (status.st_dev, status.st_ino)
        except OSError:
            identity = path  # whoever reads it says what is wrong
        if identity in seen:
            other = f", as {seen[identity]} and as {path}" if seen[identity] != path else ""
            raise UsageError(f"{option} names a file twice{other}")
        seen[identity] = path


def parse_job(text: str) -> Job:
    """Return a job from its JSON; ValueError, KeyError or TypeError if it is not one."""
    facts = loads(text)
    facts["training"].setdefault("add_bos", True)  # what versions did that had no such setting
    lists = {key: tuple(facts[key]) for key in ("data", "tests")}
    return Job(**{**facts, **lists, "training": Training(**typed_settings(facts["training"], FILE))})


def read_job(folder: Path) -> Job:
    """Return the job in the folder of a run; FileError if there is none."""
    path = folder / FILE
    try:
        return parse_job(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: {because(error)}; llamax train writes it") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{path}: {error}; llamax train writes it") from error


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints in a folder, the latest last."""
    return sorted(path for path in folder.glob("step-*") if _NAME.fullmatch(path.name) and (path / FACTS).is_file())


def checkpoint_step(checkpoint: Path) -> int:
    """Return the step after which a checkpoint was made: `checkpoint_step(Path("step-00000500")) -> 500`."""
    return int(checkpoint.name.removeprefix("step-"))


def read_facts(checkpoint: Path) -> dict[str, Any]:
    """Return the facts in a checkpoint; ResumeError if they cannot be read."""
    path = checkpoint / FACTS
    try:
        facts: dict[str, Any] = loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResumeError(
            f"{path}: {because(error)}; remove {checkpoint} to resume from the checkpoint before it"
        ) from error
    return facts
