"""What a run will take, for `--preflight`: the data counted, and estimates of memory, disk space and time."""

import json
import math
import signal
import subprocess
import sys
from dataclasses import replace

from llamax_cli.config import FULL, NODE, Training
from llamax_cli.console import counted
from llamax_cli.errors import TrainingError, because
from llamax_cli.training.estimates import (
    ASSUMED_MFU,
    CONTEXT,
    DataCounts,
    MemoryEstimate,
    ModelShape,
    disk_space,
    estimate_days,
    estimate_memory,
    estimate_traffic,
    free_disk_space,
    gigabytes,
)
from llamax_cli.training.job import Job
from llamax_cli.training.machines import Machines

COUNT_TOKENS = "llamax_cli.training.count_tokens"


def estimate_run(job: Job, shape: ModelShape, machines: Machines, throughput: float | None) -> list[tuple[str, str]]:
    """Return what a run will take, as rows; the data is tokenised for this, and the run uses the cached lengths.

    `throughput` is a measured number of tokens a second of one GPU.
    """
    counts = count_tokens(job)
    training = job.training
    rows = [
        ("model", f"{job.model}, {shape.weights:,} weights{', random' if job.init else ''}"),
        ("data", f"{counted(counts.records, 'record')}, {counted(counts.tokens, 'token')}"),
        ("blocks", f"{counts.blocks:,} of {training.block:,} tokens, {100 * counts.filled:.1f}% filled"),
        ("left out", counts.left_out),
        ("special", counts.literals),
        ("bos", counts.bos),
        ("steps", _steps_row(job, counts)),
        ("processes", f"{machines.ranks} on {counted(machines.count, 'machine')}"),
        ("memory", _memory_row(estimate_memory(shape, training, machines), machines)),
        ("shard", _shard_row(shape, training, machines)),
        ("disk", f"{gigabytes(disk_space(shape, training))} needed, {gigabytes(free_disk_space(job.folder))} free"),
        ("time", _time_row(job, shape, machines, counts, throughput)),
    ]
    return [(name, value) for name, value in rows if value]


def count_tokens(job: Job) -> DataCounts:
    """Count an epoch in a process of its own; it reports bad data itself, and this process exits with its code.

    TrainingError if it was not started or was killed, which it cannot report.
    """
    command = [sys.executable, "-m", COUNT_TOKENS]
    try:
        done = subprocess.run(command, input=job.to_json(), stdout=subprocess.PIPE, text=True)
    except OSError as error:
        raise TrainingError(f"the process that counts tokens cannot be started: {because(error)}") from error
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise TrainingError(f"the process that counts tokens was killed by {name}; did the memory run out?")
    if done.returncode:
        sys.exit(done.returncode)
    return DataCounts(**json.loads(done.stdout))


def _steps_row(job: Job, counts: DataCounts) -> str:
    training = job.training
    passes = _passes(job, counts)
    steps = min(counts.steps * training.epochs, training.max_steps or math.inf)
    length = counted(training.epochs, "epoch") if passes == training.epochs else f"{passes:.2f} epochs (max_steps)"
    return f"{steps:,} of {training.batch:,} {training.batch_of}, {length}"


def _passes(job: Job, counts: DataCounts) -> float:
    """Return how many times a run goes through its data: `epochs`, or less if `max_steps` ends it earlier."""
    training = job.training
    return min(training.epochs, (training.max_steps or math.inf) / max(1, counts.steps))


def _memory_row(memory: MemoryEstimate, machines: Machines) -> str:
    parts = f"weights and optimizer {gigabytes(memory.weights)}, gathered layers {gigabytes(memory.gathered)}"
    parts += f", activations {gigabytes(memory.activations)}, logits {gigabytes(memory.logits)}"
    if not machines.has_gpus:
        return f"{gigabytes(_total(memory, machines))} per process ({parts})"
    gpu = machines.gpu
    available = f"; a {gpu.name} has {gigabytes(gpu.memory)}" if gpu else ""
    return f"{gigabytes(memory.total)} per GPU ({parts}, CUDA {gigabytes(CONTEXT)}){available}"


def _shard_row(shape: ModelShape, training: Training, machines: Machines) -> str:
    """Return what each layout of shards takes, the chosen one first; nothing for one machine, where they are the same.

    `full: 20.5 GB per GPU, 49.6 GB between machines a step; with shard=node 29.5 GB and 35.9 GB`
    """
    if machines.count == 1:
        return ""
    takes = {}
    for layout in (FULL, NODE):
        changed = replace(training, shard=layout)
        memory, traffic = (estimate(shape, changed, machines) for estimate in (_total_memory, estimate_traffic))
        takes[layout] = gigabytes(memory), gigabytes(traffic)
    (memory_here, traffic_here), other = takes.pop(training.shard), next(iter(takes))
    per = "GPU" if machines.has_gpus else "process"
    return (
        f"{training.shard}: {memory_here} per {per}, {traffic_here} into each machine a step; "
        f"with shard={other} {takes[other][0]} and {takes[other][1]}"
    )


def _total_memory(shape: ModelShape, training: Training, machines: Machines) -> float:
    return _total(estimate_memory(shape, training, machines), machines)


def _total(memory: MemoryEstimate, machines: Machines) -> float:
    return memory.total if machines.has_gpus else memory.total - CONTEXT


def _time_row(job: Job, shape: ModelShape, machines: Machines, counts: DataCounts, throughput: float | None) -> str:
    """Return the days at a measured throughput, or an estimate from the peak of a known GPU."""
    passes = _passes(job, counts)
    if throughput:
        days = counts.tokens * passes / (throughput * machines.ranks) / 86_400
        return f"{days:,.2f} days at {throughput:,.0f} tokens/s per process"
    gpu = machines.gpu
    if gpu is None:
        return "unknown, as this machine has no GPU; --throughput N gives the tokens/s of one GPU"
    flops = shape.flops(counts.tokens, counts.learned, counts.squares) * passes
    estimate = estimate_days(flops, gpu.name, machines.ranks)
    if estimate is None:
        return f"unknown for a {gpu.name}; --throughput N gives the tokens/s of one GPU"
    assumed = f"{ASSUMED_MFU:.0%} of the peak of a {gpu.name}"
    return f"about {estimate:,.2f} days, assuming {assumed}; --throughput N gives a measured speed"
