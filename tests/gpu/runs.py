"""Runs of `llamax train` that are watched while they go on, killed, told to end, and gone on with."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.processes import free_port, wait_until
from support.runs import metrics, steps_so_far

from gpu.checks import Bench
from llamax_cli.config import Training
from llamax_cli.training.job import Job

SMALL: dict[str, Any] = {"block": 128, "batch": 4, "micro_batch": 2}  # for a trial on a CPU
Process = subprocess.Popen[bytes]


def new_job(bench: Bench, name: str, model: Path, data: Path, *, resume: bool = False, **settings: Any) -> Path:
    """Write what a run is to do and return its folder; without `resume`, what an earlier run left there is removed."""
    folder = bench.work / "runs" / name
    if not resume:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    usual = {"log_every": 1, "checkpoint_every": 0, "checkpoint_minutes": 0.0, "keep": 1}
    training = Training(**{**usual, **settings, **(SMALL if bench.is_cpu else {})})
    model_, data_ = str(model), (str(data),)
    Job(model_, model_, data_, str(folder), init=True, resume=resume, quiet=False, training=training).write()
    return folder


def start(bench: Bench, folder: Path, ranks: int = 1, machines: int = 1, *, on_cpu: bool = False) -> list[Process]:
    """Start the workers of a job without the launcher; ranks of different `machines` see different cards.

    The launcher would refuse a run for whose checkpoints the disk has no room, which is no matter if it writes none.
    """
    port, local, started = free_port(), ranks // machines, []
    for rank in range(ranks):
        place: dict[str, object] = {"RANK": rank, "WORLD_SIZE": ranks, "LOCAL_RANK": rank % local}
        place |= {"LOCAL_WORLD_SIZE": local, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        place |= {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}  # as the launcher sets it
        if bench.is_cpu or on_cpu:
            place |= {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": 1}
        elif machines > 1:
            first = rank // local * local
            place["CUDA_VISIBLE_DEVICES"] = ",".join(str(card) for card in range(first, first + local))
        env = {**os.environ, **{name: str(value) for name, value in place.items()}}
        with (folder / f"stderr-{rank}").open("wb") as said:
            command = [sys.executable, "-m", "llamax_cli.training.worker", str(folder)]
            started.append(subprocess.Popen(command, env=env, stderr=said))
    return started


@contextlib.contextmanager
def running(bench: Bench, folder: Path, steps: int, ranks: int = 1, seconds: float = 380, **how: Any) -> Iterator[Any]:
    """Run a job and give its processes once it has logged some steps; kill them at the end."""
    processes = start(bench, folder, ranks, **how)
    try:
        wait_until(lambda: len(steps_so_far(folder)) >= steps, processes[0], seconds)
        yield processes
    except AssertionError as error:
        raise RuntimeError(f"{error}; {said(folder) or 'it said nothing'}") from error
    finally:
        for process in processes:
            process.kill()
            process.wait()


def finish(bench: Bench, folder: Path, **how: Any) -> list[float]:
    """Run a job to its end and return the loss of each step so far; RuntimeError with what it said if it fails."""
    codes = [process.wait() for process in start(bench, folder, **how)]
    if any(codes):
        raise RuntimeError(f"exit codes {codes}; {said(folder)}")
    return [line["loss"] for line in metrics(folder)]


def said(folder: Path) -> str:
    """Return what the ranks of a run wrote to standard error, the last lines, as one line."""
    lines = [line for path in sorted(folder.glob("stderr-*")) for line in path.read_text().splitlines()]
    return " / ".join(lines[-3:])


def first_steps(bench: Bench, folder: Path, steps: int) -> list[dict[str, Any]]:
    """Run a job for some steps, kill it, and return their lines of metrics; no checkpoint is written."""
    with running(bench, folder, steps):
        return metrics(folder)[:steps]


def resumed(folder: Path) -> None:
    """Have a job go on from its checkpoint when it is run again."""
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "resume": True}))


def stop(process: Process, number: signal.Signals) -> int:
    """Send a signal to a process and return the exit code with which it ends."""
    process.send_signal(number)
    return process.wait()
