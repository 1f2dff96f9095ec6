"""What `llamax train` and `llamax tune` do before torch is loaded: check what can be checked, become accelerate."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from llamax_cli.config import Training
from llamax_cli.console import say
from llamax_cli.errors import DataError, FileError, ModelError, RecordError, ResumeError, UsageError, because
from llamax_cli.instructions.data_files import items
from llamax_cli.instructions.forms import form_of
from llamax_cli.instructions.questions import questions
from llamax_cli.models import prompts
from llamax_cli.records import parse, text
from llamax_cli.scoring import spm_models
from llamax_cli.streams.inputs import Input
from llamax_cli.tokenization import is_tiktoken
from llamax_cli.training import estimates
from llamax_cli.training.data_files import stat_uncompressed
from llamax_cli.training.estimates import Shape
from llamax_cli.training.job import Job, found
from llamax_cli.training.request import accelerate_flags

ACCELERATE = "llamax_cli.training.accelerate_entry"
WORKER = "llamax_cli.training.worker"
MEASURING = "llamax_cli.training.count_tokens"
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
ENVIRONMENT = {
    "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "600",  # seconds that a worker has for a checkpoint after SIGTERM
    # Workers meet anew after each restart; a machine that comes back would never learn where the others are.
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    # No two batches are of one size, which leaves the memory of a GPU in pieces that fit nothing.
    "PYTORCH_ALLOC_CONF": "expandable_segments:True",
}
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")


# -- checks ------------------------------------------------------------------------------------------------------------


def check(job: Job) -> Shape:
    """Return the sizes of the model; an error in one line for the first thing that would stop the run later."""
    for path in (*job.data, *job.training.validation):
        (_check_data if job.command == "train" else _check_records)(Path(path), job)
    for path in job.tests:
        next(questions(Path(path), job.task))
    config = read_config(job.model)
    if Path(job.model).is_dir() and not job.init and not any(any(Path(job.model).glob(each)) for each in WEIGHTS):
        raise ModelError(f"{job.model} has no weights (*.safetensors); --init draws new ones")
    _check_tokenizer(Path(job.tokenizer))
    _check_output(job)
    _check_packages(job.training)
    _check_translation(job.training)
    try:
        shape = estimates.shape_of(config)
    except KeyError as error:
        raise ModelError(f"{job.model}: its config.json has no {error}; is it the model of a decoder?") from error
    return shape


def _check_records(path: Path, job: Job) -> None:
    """Raise what is wrong with the first record of a file to tune on."""
    if job.task:
        next(questions(path, job.task))
        return
    for where, record in items(path):
        try:
            form_of(record)
        except RecordError as error:
            raise DataError(f"{where}: {error}") from error
        return


def _check_data(path: Path, job: Job) -> None:
    stat_uncompressed(path)
    line = next(Input(path).blocks(), b"").partition(b"\n")[0]
    try:
        text(parse(line), "completion")
    except RecordError as error:
        raise DataError(f"{path}:1: {error}; {job.command} reads what llamax mix writes") from error


def read_config(model: str) -> dict[str, Any]:
    """Return the configuration of a folder, a file or a model of the hub; ModelError where there is none."""
    path = Path(model)
    if path.is_dir():
        if not (path / "config.json").is_file():
            inside = path / "model"
            is_run = (inside / "config.json").is_file()
            hint = f"is the folder of a run; its model is {inside}" if is_run else "is no model: it has no config.json"
            raise ModelError(f"{model} {hint}")
        path = path / "config.json"
    elif not path.is_file():
        path = _from_hub(model)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {because(error)}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds no configuration")
    return config


def _from_hub(model: str) -> Path:
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise ModelError(f"{model}: no such folder")
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(model, "config.json"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{model} is no folder here, and the hub does not give it: {str(error).splitlines()[0]}"
        ) from error


def _check_tokenizer(path: Path) -> None:
    if path.is_dir() and not any((path / name).is_file() for name in TOKENIZERS):
        raise ModelError(f"{path} has no tokenizer; --tokenizer names the folder of one")
    if path.is_file():
        raise UsageError(f"--tokenizer {path}: name the folder")
    file = path / "tokenizer.model"
    if file.is_file() and not (path / "tokenizer.json").is_file() and is_tiktoken(_head(file)):
        raise ModelError(
            f"{file} is tiktoken's, as Meta gives LLaMA-3, and has no token that ends a text; "
            "take the tokenizer.json of the model's Hugging Face edition"
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1000)


def _check_output(job: Job) -> None:
    if job.folder.exists() and not job.folder.is_dir():
        raise FileError(f"{job.folder} is a file, not a folder")
    if found(job.checkpoints) and not job.resume:
        raise ResumeError(f"{job.output} holds a run; --resume auto goes on with it, or train into another folder")


def _check_packages(training: Training) -> None:
    """Raise UsageError where a setting needs a package that is not installed."""
    needed = [("trackers", name, name) for name in training.trackers]
    needed += [("liger", "liger_kernel", "liger")] if training.liger else []
    for setting, package, extra in needed:
        if importlib.util.find_spec(package) is None:
            raise UsageError(f"{setting}: {package} is not installed: pip install 'llamax[{extra}]'")


def _check_translation(training: Training) -> None:
    """Raise an error where what is to be translated on the way, or what scores it, is not there."""
    for path in training.translate:
        Input(path).head()
    if training.translate:
        prompts.check(training.translate_template)
        spm_models.model(training.translate_spm)


def check_room(job: Job, shape: Shape) -> None:
    """Raise FileError where the disk has no room for what the run writes."""
    needed, free = estimates.room_on_disk(shape, job.training), _free(job.folder)
    if needed > free and not found(job.checkpoints):
        raise FileError(
            f"{job.folder}: {_gigabytes(free)} free, {_gigabytes(needed)} needed for {job.training.keep + 1} "
            "checkpoints and the model; set keep lower or train into another folder"
        )


def _free(folder: Path) -> int:
    existing = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    return shutil.disk_usage(existing).free


# -- machines ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Machines:
    """How many there are, which of them this is, where the first is, and how many processes and GPUs each has."""

    count: int = 1
    rank: int = 0
    address: str | None = None
    port: int | None = None
    processes: int = 1
    has_gpus: bool = False

    @property
    def ranks(self) -> int:
        """Return the processes on all machines."""
        return self.count * self.processes


def machines(environment: Mapping[str, str]) -> Machines:
    """Return what Slurm says, or one machine with the GPUs that it has."""
    gpus = count_gpus(environment)
    if "SLURM_JOB_ID" not in environment or "SLURM_NODEID" not in environment:
        return Machines(processes=max(1, gpus), has_gpus=gpus > 0)
    tasks = environment.get("SLURM_STEP_TASKS_PER_NODE") or environment.get("SLURM_TASKS_PER_NODE") or "1"
    if any(int(each) > 1 for each in re.findall(r"(\d+)(?:\(x\d+\))?", tasks)):
        raise UsageError(
            f"Slurm runs {tasks} tasks a node, where one starts all processes of the node; use srun --ntasks-per-node=1"
        )
    count = int(environment.get("SLURM_STEP_NUM_NODES") or environment.get("SLURM_JOB_NUM_NODES") or 1)
    hosts = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST") or ""
    port = 20_000 + int(environment["SLURM_JOB_ID"]) % 20_000
    return Machines(count, int(environment["SLURM_NODEID"]), first_host(hosts), port, max(1, gpus), gpus > 0)


def first_host(hosts: str) -> str:
    """Return the first of Slurm's list of hosts: `first_host("gpu[03-04,7],login") -> "gpu03"`."""
    matched = re.match(r"([^\[,]*)(?:\[(\w+)[^\]]*\])?([^,\[]*)", hosts)
    return "".join(part or "" for part in matched.groups()) if matched else ""


def count_gpus(environment: Mapping[str, str]) -> int:
    """Return how many GPUs this process may use: those that are made visible, Slurm's, or all that there are."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([each for each in visible.split(",") if each.strip() not in ("", "-1")])
    if (given := environment.get("SLURM_GPUS_ON_NODE", "")).isdecimal():
        return int(given)
    return len(gpus())


def gpus() -> list[tuple[str, float]]:
    """Return name and bytes of each GPU of this machine."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rows = (line.rpartition(",") for line in listed.splitlines())
    return [(name, float(size) * 2**20) for name, comma, size in rows if comma and size.strip().isdecimal()]


def adjusted(places: Machines, flags: Sequence[str]) -> Machines:
    """Return the machines that the flags for accelerate mean, where they say something else."""
    count = _number(flags, "--num_machines") or places.count
    ranks = _number(flags, "--num_processes")
    processes = -(-ranks // count) if ranks else places.processes
    has_gpus = places.has_gpus and "--cpu" not in flags
    rank = _number(flags, "--machine_rank", least=0)
    return Machines(count, places.rank if rank is None else rank, places.address, places.port, processes, has_gpus)


def _number(flags: Sequence[str], name: str, least: int = 1) -> int | None:
    """Return the number that a flag has, None where it is not among the flags."""
    for place, flag in enumerate(flags):
        if flag.partition("=")[0] == name:
            value = flag.partition("=")[2] or "".join(flags[place + 1 : place + 2])
            if not value.isdecimal() or int(value) < least:
                raise UsageError(f"{name} takes a whole number from {least}, not {value!r}")
            return int(value)
    return None


def command_line(job: Job, places: Machines, flags: Sequence[str]) -> list[str]:
    """Return the call of accelerate; a flag that the user gives stands in place of ours."""
    ours: list[tuple[str, object]] = [
        ("--num_processes", places.ranks),
        ("--num_machines", places.count),
        ("--mixed_precision", "no"),  # the worker's own
        ("--dynamo_backend", "no"),
    ]
    if places.count > 1:
        ours += [("--machine_rank", places.rank)]
        ours += [("--main_process_ip", places.address)] if places.address else []
        ours += [("--main_process_port", places.port)] if places.port else []
    given = {flag.partition("=")[0] for flag in flags}
    # Several processes on CPUs are started by what starts those on GPUs: --cpu knows one only.
    kind = ["--multi_gpu"] if places.ranks > 1 else [] if places.has_gpus else ["--cpu"]
    line = ["accelerate", "launch", *(each for each in kind if each not in given)]
    for name, value in ours:
        line += [name, str(value)] if name not in given else []
    return [*line, *flags, "-m", WORKER, job.output]


# -- going -------------------------------------------------------------------------------------------------------------


def estimate(job: Job, shape: Shape, places: Machines, throughput: float | None) -> list[tuple[str, str]]:
    """Return what a run will take, as rows; the data is tokenised for that, which the run then need not do."""
    measures = _measure(job)
    training, ranks = job.training, places.ranks
    steps = measures["steps"] * training.epochs
    memory = estimates.memory_of(shape, training, ranks)
    filled = 100 * measures["filled"]
    rows = [
        ("model", f"{job.model}, {shape.weights:,} weights{' drawn anew' if job.init else ''}"),
        ("data", f"{measures['records']:,} records, {measures['tokens']:,} tokens"),
        ("blocks", f"{measures['blocks']:,} of {training.block:,} tokens, {filled:.1f}% filled"),
    ]
    if measures["left_out"]:
        rows.append(("left out", measures["left_out"]))
    rows += [
        ("steps", f"{steps:,} of {training.batch:,} {training.batch_of}, {_counted(training.epochs, 'epoch')}"),
        ("processes", f"{ranks} on {_counted(places.count, 'machine')}"),
        ("memory", _memory_row(memory, places)),
        ("disk", f"{_gigabytes(estimates.room_on_disk(shape, training))} needed, {_gigabytes(_free(job.folder))} free"),
    ]
    rows.append(("time", _time_row(job, shape, places, measures, throughput)))
    return rows


def _time_row(job: Job, shape: Shape, places: Machines, measures: Mapping[str, Any], throughput: float | None) -> str:
    """Return the days at a throughput, or by what a known GPU can do, and what that assumes."""
    epochs = job.training.epochs
    if throughput:
        days = measures["tokens"] * epochs / (throughput * places.ranks) / 86_400
        return f"{days:,.2f} days at {throughput:,.0f} tokens/s each"
    found = gpus() if places.has_gpus else []
    if not found:
        return "not known without a GPU here; --throughput N says the tokens/s of one"
    name = found[0][0]
    operations = shape.operations(measures["tokens"], measures["learned"], measures["squares"]) * epochs
    guessed = estimates.days_of(operations, name, places.ranks)
    if guessed is None:
        return f"not known for a {name}; --throughput N says the tokens/s of one"
    assumed = f"{estimates.REACHED:.0%} of the peak of {name}"
    return f"about {guessed:,.2f} days at {assumed}, which is assumed; --throughput N says what was measured"


def _memory_row(memory: estimates.MemoryEstimate, places: Machines) -> str:
    parts = f"weights and optimiser {_gigabytes(memory.weights)}, gathered layers {_gigabytes(memory.gathered)}"
    parts += f", activations {_gigabytes(memory.activations)}, logits {_gigabytes(memory.logits)}"
    found = gpus() if places.has_gpus else []
    has = f"; a {found[0][0]} has {_gigabytes(found[0][1])}" if found else ""
    return f"{_gigabytes(memory.total)} a GPU ({parts}){has}"


def _measure(job: Job) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", MEASURING], input=job.text(), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)  # it has said why
    measures: dict[str, Any] = json.loads(done.stdout)
    return measures


def start(job: Job, given: Sequence[str] | None, *, preflight: bool, throughput: float | None, dry_run: bool) -> None:
    """Check a job and become what carries it out, or say what that would take (`preflight`) or be (`dry_run`)."""
    flags = accelerate_flags(given)
    places = adjusted(machines(os.environ), flags)
    shape = check(job)
    line = command_line(job, places, flags)
    if preflight:
        for name, value in estimate(job, shape, places, throughput):
            print(f"{name:<10} {value}")
    if dry_run:
        print(shlex.join(line))
    if not (preflight or dry_run):
        check_room(job, shape)
        warn(job, shape, places)
        launch(job, places, line)


def warn(job: Job, shape: Shape, places: Machines) -> None:
    """Say where the GPUs look too small; it is an estimate, so the run goes on."""
    found = gpus() if places.has_gpus else []
    needed = estimates.memory_of(shape, job.training, places.ranks).total
    if found and needed > found[0][1]:
        say(
            job.command,
            f"about {_gigabytes(needed)} a GPU are needed, and a {found[0][0]} has {_gigabytes(found[0][1])}; "
            "lower micro_batch or take more GPUs",
        )


def launch(job: Job, places: Machines, line: Sequence[str]) -> NoReturn:
    """Become accelerate; the first machine writes down what is to be done, and its worker tells the others."""
    if places.rank == 0:
        job.write()
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // places.processes)))
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Slurm's --signal reaches every process of a step; only the workers know what it means.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", ACCELERATE, job.command, *line[1:]])


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count > 1)}"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
