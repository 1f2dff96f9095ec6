"""Runs that are killed, told to write a checkpoint or told to end, and a checkpoint of other ranks read on the card."""

import shutil
import signal
import time
from typing import Any

from support.processes import wait_until
from support.runs import metrics

from gpu.checks import Bench, Check, Figure
from gpu.models import samples, untrained
from gpu.runs import finish, new_job, resumed, running, said, stop

STEPS = 24
SETTINGS: dict[str, Any] = {"block": 512, "batch": 8, "micro_batch": 2, "max_steps": STEPS, "learning_rate": 1e-3}
TERMINATED = 143


def small_run(bench: Bench, name: str, **settings: Any) -> Any:
    """Write a run of the tiny model and return its folder."""
    return new_job(bench, name, untrained(bench, "tiny"), samples(bench, 2000), **{**SETTINGS, **settings})


def largest_change(found: list[float], expected: list[float]) -> float:
    """Return the largest difference of a loss; RuntimeError unless both runs took the same steps."""
    if len(found) != len(expected):
        raise RuntimeError(f"{len(found)} steps, where a run that was not stopped takes {len(expected)}")
    return max(abs(one - other) for one, other in zip(found, expected, strict=True))


def killed(bench: Bench) -> Figure:
    """Kill a run between two checkpoints, go on with it, and compare its losses with those of a run left alone."""
    expected = finish(bench, small_run(bench, "left-alone"))
    folder = small_run(bench, "killed", checkpoint_every=5)
    with running(bench, folder, 8):
        pass  # it is killed at the end of the block
    resumed(folder)
    change = largest_change(finish(bench, folder), expected)
    kept = next(line["resumed"] for line in reversed(metrics(folder, "start")))
    return Figure(change, f"{len(expected)} steps, resumed from {str(kept).rpartition('/')[2]}")


def checkpoint_at_usr1(bench: Bench) -> Figure:
    """Send SIGUSR1 to a run: how long until the checkpoint is whole, with the run going on."""
    folder = small_run(bench, "usr1", max_steps=100_000, epochs=100)
    with running(bench, folder, 3) as (process,):
        begun = time.monotonic()
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: list(folder.glob("checkpoints/step-*/facts.json")), process)
        seconds, step = time.monotonic() - begun, len(metrics(folder))
        wait_until(lambda: len(metrics(folder)) > step, process)
    return Figure(seconds, "the run went on")


def end_at_term(bench: Bench) -> Figure:
    """Send SIGTERM to a run of a 1B: how long until it has ended with a checkpoint."""
    settings: dict[str, Any] = {"block": 2048, "batch": 4, "micro_batch": 2}
    folder = new_job(bench, "term", untrained(bench, "1b"), samples(bench, 2000), **settings)
    with running(bench, folder, 2) as (process,):
        begun = time.monotonic()
        code = stop(process, signal.SIGTERM)
        seconds = time.monotonic() - begun
    kept = list(folder.glob("checkpoints/step-????????/facts.json"))
    if code != TERMINATED or not kept:
        raise RuntimeError(f"exit code {code}, {len(kept)} checkpoints; {said(folder)}")
    size = sum(path.stat().st_size for path in kept[0].parent.rglob("*") if path.is_file())
    shutil.rmtree(folder)
    return Figure(seconds, f"exit code {code}, a checkpoint of {size / 1e9:.1f} GB")


def from_three_ranks(bench: Bench) -> Figure:
    """Have three ranks on the CPU write a checkpoint, and go on from it on the card, in fp32."""
    expected = finish(bench, small_run(bench, "one-rank", precision="fp32"), on_cpu=True)
    folder = small_run(bench, "three-ranks", precision="fp32", checkpoint_every=6)
    with running(bench, folder, 8, ranks=3, on_cpu=True):
        pass
    resumed(folder)
    losses = finish(bench, folder)
    ranks = [line["ranks"] for line in metrics(folder, "start")]
    return Figure(largest_change(losses, expected), f"ranks {' and then '.join(map(str, ranks))}")


CHECKS = (
    Check("sigkill", "change of a loss when a run is killed and resumed", killed, most=1e-3),
    Check("sigusr1", "SIGUSR1 until the checkpoint is whole", checkpoint_at_usr1, "s", most=20),
    Check("sigterm", "SIGTERM until a 1B has ended with a checkpoint", end_at_term, "s", most=20),
    Check("ranks", "change of a loss when a checkpoint of three CPU ranks is resumed", from_three_ranks, most=1e-4),
)
