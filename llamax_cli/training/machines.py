"""The machines of a run and their GPUs, as Slurm, the environment and the flags for accelerate describe them."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from llamax_cli.errors import TrainingError, UsageError, because


class Gpu(NamedTuple):
    """The name of a GPU and its memory in bytes."""

    name: str
    memory: float


@dataclass(frozen=True)
class Machines:
    """The machines of a run: their number, this one's rank, the first one's address, and the processes on each."""

    count: int = 1
    rank: int = 0
    address: str | None = None
    port: int | None = None
    processes: int = 1
    has_gpus: bool = False

    @property
    def ranks(self) -> int:
        """The number of processes on all machines."""
        return self.count * self.processes

    @property
    def gpu(self) -> Gpu | None:
        """The first GPU of this machine; None if the run uses no GPU, or if nvidia-smi is missing."""
        return next(iter(list_gpus()), None) if self.has_gpus else None


def detect_machines(environment: Mapping[str, str]) -> Machines:
    """Return the machines of the Slurm job, or without Slurm this machine with its GPUs."""
    gpus = count_gpus(environment)
    if "SLURM_JOB_ID" not in environment or "SLURM_NODEID" not in environment:
        return Machines(processes=max(1, gpus), has_gpus=gpus > 0)
    tasks = environment.get("SLURM_STEP_TASKS_PER_NODE") or environment.get("SLURM_TASKS_PER_NODE") or "1"
    if any(int(count) > 1 for count in re.findall(r"(\d+)(?:\(x\d+\))?", tasks)):
        raise UsageError(
            f"Slurm starts {tasks} tasks on each node, but one task starts all processes of its node; "
            "use srun --ntasks-per-node=1"
        )
    count = int(environment.get("SLURM_STEP_NUM_NODES") or environment.get("SLURM_JOB_NUM_NODES") or 1)
    hosts = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST") or ""
    port = 20_000 + int(environment["SLURM_JOB_ID"]) % 20_000
    return Machines(count, int(environment["SLURM_NODEID"]), first_host(hosts), port, max(1, gpus), gpus > 0)


def first_host(hosts: str) -> str:
    """Return the first host in a list of Slurm's: `first_host("gpu[03-04,7],login") -> "gpu03"`."""
    matched = re.match(r"([^\[,]*)(?:\[(\w+)[^\]]*\])?([^,\[]*)", hosts)
    return "".join(part or "" for part in matched.groups()) if matched else ""


def count_gpus(environment: Mapping[str, str]) -> int:
    """Return how many GPUs this process may use: the visible ones, those that Slurm allotted, or all."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1")])
    if (allotted := environment.get("SLURM_GPUS_ON_NODE", "")).isdecimal():
        return int(allotted)
    return len(list_gpus())


def list_gpus() -> list[Gpu]:
    """Return the GPUs that nvidia-smi lists; none if it is not installed, TrainingError if it cannot be started."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError as error:
        raise TrainingError(f"{tool} cannot be started: {because(error)}") from error
    rows = (line.rpartition(",") for line in output.splitlines())
    return [Gpu(name, float(size) * 2**20) for name, comma, size in rows if comma and size.strip().isdecimal()]


def override(machines: Machines, flags: Sequence[str]) -> Machines:
    """Return the machines with what the flags for accelerate say about them."""
    count = _number(flags, "--num_machines") or machines.count
    ranks = _number(flags, "--num_processes")
    if ranks and ranks % count:
        # accelerate would start fewer, the same number on each machine.
        raise UsageError(f"--num_processes {ranks} cannot be divided among {count} machines; give a multiple of it")
    processes = ranks // count if ranks else machines.processes
    rank = _number(flags, "--machine_rank", least=0)
    rank = machines.rank if rank is None else rank
    has_gpus = machines.has_gpus and "--cpu" not in flags
    return replace(machines, count=count, rank=rank, processes=processes, has_gpus=has_gpus)


def _number(flags: Sequence[str], name: str, least: int = 1) -> int | None:
    """Return the value of a flag, None if it is not given; UsageError unless it is a whole number from `least`."""
    for index, flag in enumerate(flags):
        if flag.partition("=")[0] == name:
            value = flag.partition("=")[2] or "".join(flags[index + 1 : index + 2])
            if not value.isdecimal() or int(value) < least:
                raise UsageError(f"{name} takes a whole number of at least {least}, not {value!r}")
            return int(value)
    return None
