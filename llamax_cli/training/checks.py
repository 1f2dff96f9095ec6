"""Everything about a run that can be checked before torch is loaded."""

import importlib.util
import shlex
from pathlib import Path

from llamax_cli.config import ALL_LINEAR, LINEAR_LAYERS, TRACKERS, Training
from llamax_cli.errors import DataError, FileError, ModelError, RecordError, ResumeError, UsageError
from llamax_cli.instructions.data_files import read_records
from llamax_cli.instructions.forms import form_of
from llamax_cli.instructions.questions import read_questions
from llamax_cli.models import prompts
from llamax_cli.models.config_file import check_architecture, check_block, read_config
from llamax_cli.models.model_files import WEIGHT_FILES, find_descriptions, find_weights
from llamax_cli.records import parse, text
from llamax_cli.scoring import spm_models
from llamax_cli.streams.inputs import Input
from llamax_cli.tokenization import is_tiktoken
from llamax_cli.training.data_files import stat_uncompressed
from llamax_cli.training.estimates import ModelShape, disk_space, free_disk_space, gigabytes, read_shape
from llamax_cli.training.job import Job, list_checkpoints
from llamax_cli.training.resume import check_resumable

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")


def check_job(job: Job) -> ModelShape:
    """Return the shape of the model; raise an error for the first thing that would stop the run later."""
    _check_lora(job.training)
    for path in (*job.data, *job.training.validation):
        (_check_samples if job.command == "train" else _check_tuning_data)(Path(path), job)
    for path in job.tests:
        next(read_questions(Path(path), job.task))
    config = read_config(job.model)
    if "auto_map" not in config:  # otherwise it needs code of its own, which is refused where it would be loaded
        check_architecture(job.model, str(config.get("model_type")))
    for folder in {Path(job.model), Path(job.tokenizer)}:
        find_descriptions(folder)  # for their links
    _check_weights(job)
    _check_tokenizer(Path(job.tokenizer))
    _check_output(job)
    _check_packages(job.training)
    _check_translation(job.training)
    try:
        return read_shape(config)
    except KeyError as error:
        raise ModelError(f"{job.model}: its config.json has no {error}; is it a decoder-only model?") from error


def check_block_fits(job: Job) -> None:
    """Raise ModelError for a block that is longer than the model allows."""
    check_block(read_config(job.model), job.training.block)


def _check_lora(training: Training) -> None:
    """Raise UsageError if LoRA would adapt anything but the linear layers of the decoder.

    The loss reads the weights of the output layer itself, past an adapter, and an adapter of the embeddings, which is
    of another form, could not be merged into the model.
    """
    if not training.lora or training.lora_targets == (ALL_LINEAR,):
        return
    for target in training.lora_targets:
        if target.rpartition(".")[2] not in LINEAR_LAYERS:
            raise UsageError(
                f"lora_targets: LoRA cannot adapt {target!r}; have: {', '.join(LINEAR_LAYERS)}, or {ALL_LINEAR} alone"
            )
    if not training.lora_targets:
        raise UsageError("lora_targets names no layer")


def _check_samples(path: Path, job: Job) -> None:
    """Raise an error if the first line of a file is not a Sample."""
    if not stat_uncompressed(path).st_size:
        raise DataError(f"{path} is empty")
    line = next(Input(path).blocks(), b"").partition(b"\n")[0]
    try:
        text(parse(line), "completion")
    except RecordError as error:
        raise DataError(f"{path}:1: {error}; {job.command} reads what llamax mix writes") from error


def _check_tuning_data(path: Path, job: Job) -> None:
    """Raise an error if the first record of a file is in none of the forms that tune reads."""
    if job.task:
        next(read_questions(path, job.task))
        return
    for where, record in read_records(path):
        try:
            form_of(record)
        except RecordError as error:
            raise DataError(f"{where}: {error}") from error
        return
    raise DataError(f"{path} is empty" if not path.stat().st_size else f"{path}: it has no records")


def _check_weights(job: Job) -> None:
    folder = Path(job.model)
    if not folder.is_dir() or job.init:
        return
    files = find_weights(folder)
    if not files:
        raise ModelError(f"{job.model} has no weights ({' or '.join(WEIGHT_FILES)}); --init starts from random ones")
    for file in files:
        if not file.is_file():
            raise ModelError(f"{file}: no such file; the index of the weights names it")


def _check_tokenizer(path: Path) -> None:
    if path.is_dir() and not any((path / name).is_file() for name in TOKENIZER_FILES):
        raise ModelError(f"{path} has no tokenizer; name a folder that has one with --tokenizer")
    if path.is_file():
        raise UsageError(f"--tokenizer {path} is a file; name its folder")
    file = path / "tokenizer.model"
    if file.is_file() and not (path / "tokenizer.json").is_file() and is_tiktoken(_head(file)):
        raise ModelError(
            f"{file} is in the format of tiktoken, in which Meta distributes LLaMA-3, and has no end-of-text token; "
            "use the tokenizer.json of the model on the Hugging Face hub"
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1000)


def _check_output(job: Job) -> None:
    if job.folder.exists() and not job.folder.is_dir():
        raise FileError(f"{job.folder} is a file, not a folder")
    if list_checkpoints(job.checkpoints) and not job.resume:
        raise ResumeError(f"{job.output} already holds a run; continue it with --resume auto or name another folder")
    check_resumable(job)


def _check_packages(training: Training) -> None:
    """Raise UsageError if a setting needs a package that is not installed."""
    needed = [("trackers", name, TRACKERS[name]) for name in training.trackers]
    needed += [("liger", "liger_kernel", "llamax[liger]")] if training.liger else []
    for setting, package, pip_name in needed:
        if importlib.util.find_spec(package) is None:
            raise UsageError(f"{setting}: {package} is not installed: pip install {shlex.quote(pip_name)}")


def _check_translation(training: Training) -> None:
    """Raise an error if a file to translate during training, its template or the model of spBLEU is missing."""
    for path in training.translate:
        Input(path).head()
    if training.translate:
        prompts.check(training.translate_template)
        spm_models.resolve_model(training.translate_spm)


def check_disk_space(job: Job, shape: ModelShape) -> None:
    """Raise FileError if the disk has too little space for what the run writes."""
    needed, free = disk_space(shape, job.training), free_disk_space(job.folder)
    if needed > free and not list_checkpoints(job.checkpoints):
        raise FileError(
            f"{job.folder}: {gigabytes(free)} are free, but {job.training.keep + 1} checkpoints and the model need "
            f"{gigabytes(needed)}; set keep lower or name a folder on another disk"
        )
