"""Several cards: the same losses as on one, an end for all when a rank dies, copies on two machines."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

import psutil
import torch
from support.processes import wait_until
from support.runs import steps_so_far

from gpu.checks import Bench, Check, Figure, NotRun
from gpu.models import samples, untrained
from gpu.resume import largest_change
from gpu.runs import finish, new_job

SETTINGS: dict[str, Any] = {"block": 512, "batch": 8, "micro_batch": 1, "max_steps": 10, "precision": "fp32"}


def cards(bench: Bench) -> int:
    """Return the number of cards, or of processes in a trial; NotRun if there is one card only."""
    count = 2 if bench.is_cpu else torch.cuda.device_count()
    if count < 2:
        raise NotRun("one card")
    return count


def job(bench: Bench, name: str, **settings: Any) -> Any:
    """Write a run of the tiny model and return its folder."""
    return new_job(bench, name, untrained(bench, "tiny"), samples(bench, 2000), **{**SETTINGS, **settings})


def all_cards(bench: Bench) -> Figure:
    """Train on all cards and on one, in fp32, and compare the losses."""
    count = cards(bench)
    expected = finish(bench, job(bench, "one-card"))
    found = finish(bench, job(bench, "all-cards"), ranks=count)
    return Figure(largest_change(found, expected), f"{count} ranks, {'gloo' if bench.is_cpu else 'NCCL'}")


def hybrid(bench: Bench) -> Figure:
    """Train on two machines, which are halves of this one, with a copy of the model on each."""
    ranks = 4 if bench.is_cpu or cards(bench) >= 4 else 2
    expected = finish(bench, job(bench, "one-card"))
    found = finish(bench, job(bench, "hybrid", shard="node"), ranks=ranks, machines=2)
    return Figure(largest_change(found, expected), f"2 x {ranks // 2} ranks")


def rank_killed(bench: Bench) -> Figure:
    """Kill one rank under the launcher: how long until the command has ended."""
    count = cards(bench)
    folder = job(bench, "rank-killed", max_steps=0, epochs=100)
    (folder / "run.json").unlink()  # the command writes its own
    command = [sys.executable, "-m", "llamax_cli", "train", "--model", str(untrained(bench, "tiny")), "--init"]
    command += ["--data", str(samples(bench, 2000)), "-o", str(folder), "--set", "block=512", "batch=8", "epochs=100"]
    command += ["log_every=1", "--", "--num_processes", str(count)]
    process = subprocess.Popen(command)
    wait_until(lambda: len(steps_so_far(folder)) >= 3, process, 380)
    family = psutil.Process(process.pid).children(recursive=True)
    victim = next(each for each in family if each.environ().get("RANK") == "1" and "worker" in " ".join(each.cmdline()))
    begun = time.monotonic()
    os.kill(victim.pid, signal.SIGKILL)
    code = process.wait()
    psutil.wait_procs(family, timeout=60)
    left = [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    if not code or left:
        raise RuntimeError(f"exit code {code}, {len(left)} processes left")
    return Figure(time.monotonic() - begun, f"exit code {code}")


CHECKS = (
    Check("all-cards", "change of a loss on all cards instead of one, in fp32", all_cards, most=1e-4),
    Check("rank-killed", "death of a rank until all have ended", rank_killed, "s", most=60),
    Check("hybrid", "change of a loss with shard=node on two machines, in fp32", hybrid, most=1e-4),
)
