"""What `llamax train` and `llamax tune` do before torch is loaded: check the job and become `accelerate launch`."""

import os
import shlex
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from llamax_cli.console import escape, say
from llamax_cli.errors import UsageError
from llamax_cli.training.checks import check_block_fits, check_disk_space, check_job
from llamax_cli.training.estimates import ModelShape, estimate_memory, gigabytes
from llamax_cli.training.job import Job
from llamax_cli.training.machines import Machines, detect_machines, override
from llamax_cli.training.preflight import estimate_run

ACCELERATE = "llamax_cli.training.accelerate_entry"
WORKER = "llamax_cli.training.worker"
ENVIRONMENT = {
    "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "600",  # seconds that a worker has to write a checkpoint after SIGTERM
    # Workers connect again after each restart. With a shared store, a machine that rejoins would not find the others.
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    # Batches differ in size, which would fragment the memory of a GPU.
    "PYTORCH_ALLOC_CONF": "expandable_segments:True",
}


def start(
    job: Job, flags: Sequence[str], *, preflight: bool = False, throughput: float | None = None, dry_run: bool = False
) -> None:
    """Check a job and become `accelerate launch`; or print what the run takes (`preflight`) or the call (`dry_run`).

    `flags` are passed on to accelerate.
    """
    _check_flags(flags)
    machines = override(detect_machines(os.environ), flags)
    shape = check_job(job)
    if not dry_run:
        check_block_fits(job)
    command = accelerate_command(job, machines, flags)
    if preflight:
        for name, value in estimate_run(job, shape, machines, throughput):
            print(f"{name:<10} {escape(value)}")
    if dry_run:
        print(shlex.join(command))
    if not (preflight or dry_run):
        check_disk_space(job, shape)
        _warn_of_small_gpus(job, shape, machines)
        _launch(job, machines, command)


def _check_flags(flags: Sequence[str]) -> None:
    """Raise UsageError if the first flag for accelerate is not a flag; it is probably a file."""
    if flags and not flags[0].startswith("-"):
        raise UsageError(f"{flags[0]!r} is not a flag of accelerate; name data files with --data")


def accelerate_command(job: Job, machines: Machines, flags: Sequence[str]) -> list[str]:
    """Return the call of accelerate; flags of the user replace ours."""
    ours: list[tuple[str, object]] = [
        ("--num_processes", machines.ranks),
        ("--num_machines", machines.count),
        ("--mixed_precision", "no"),  # the worker sets it itself
        ("--dynamo_backend", "no"),
    ]
    if machines.count > 1:
        ours += [("--machine_rank", machines.rank)]
        ours += [("--main_process_ip", machines.address)] if machines.address else []
        ours += [("--main_process_port", machines.port)] if machines.port else []
    elif machines.ranks > 1:
        ours += [("--main_process_port", 0)]  # any free one: accelerate's usual one may belong to another run
    given = {flag.partition("=")[0] for flag in flags}
    # --multi_gpu starts several processes on CPUs, too; --cpu starts only one.
    hardware = "--multi_gpu" if machines.ranks > 1 else "" if machines.has_gpus else "--cpu"
    command = ["accelerate", "launch", *([hardware] if hardware and hardware not in given else [])]
    for name, value in ours:
        command += [name, str(value)] if name not in given else []
    return [*command, *flags, "-m", WORKER, job.output]


def _warn_of_small_gpus(job: Job, shape: ModelShape, machines: Machines) -> None:
    """Warn if the GPUs look too small; the run goes on, since this is only an estimate."""
    gpu = machines.gpu
    needed = estimate_memory(shape, job.training, machines).total
    if gpu and needed > gpu.memory:
        say(
            job.command,
            f"each GPU needs about {gigabytes(needed)}, but a {gpu.name} has {gigabytes(gpu.memory)}; "
            "set micro_batch lower or use more GPUs",
        )


def _launch(job: Job, machines: Machines, command: Sequence[str]) -> NoReturn:
    """Become accelerate; the first machine writes the job to a file, and its worker sends it to the others."""
    if machines.rank == 0:
        job.write()
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // machines.processes)))
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Slurm's --signal reaches every process of a step; only the workers handle it.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", ACCELERATE, job.command, *command[1:]])
