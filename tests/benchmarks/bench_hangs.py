"""How long the ranks of a training take to end when one of them is stopped or killed at a random moment.

Two ranks on this machine, with the default settings except where a case says otherwise. SIGSTOP makes a rank that hangs
in everything; then SIGTERM goes to the launcher. Several tries run at once, since most of the time they wait.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.records import write
from support.runs import job, model_folder, sample, until
from support.zygote import zygote

from llamax_cli.training import launcher

LIMIT = 120  # seconds after which a try is given up
FIRST = 6.0  # seconds, from the start of the workers or the first step, in which the moment lies
TWO = ["--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
WORKER = ["-m", launcher.WORKER]
OURS = [launcher.ACCELERATE, "train", "launch", "--multi_gpu", "--main_process_port", "0", *TWO, *WORKER]
TORCHRUN = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2", *WORKER]


class Case(NamedTuple):
    """What is done to one rank, whether SIGTERM goes to the launcher a second later, and how the run was started."""

    name: str
    to_rank: int | None
    is_terminated: bool
    call: Sequence[str]
    settings: dict[str, Any]


CASES = (
    Case("SIGTERM", None, True, OURS, {}),
    Case("SIGSTOP to a rank, SIGTERM", signal.SIGSTOP, True, OURS, {}),
    Case("the same under torchrun", signal.SIGSTOP, True, TORCHRUN, {}),
    Case("SIGSTOP to a rank, collective_timeout=10", signal.SIGSTOP, False, OURS, {"collective_timeout": 10.0}),
    Case("SIGKILL to a rank", signal.SIGKILL, False, OURS, {}),
)


class End(NamedTuple):
    """How a try ended: seconds from the last signal, exit code, and the number of lines about it."""

    seconds: float
    code: int
    lines: int


def attempt(case: Case, folder: Path, model: Path, mix: Path, chance: random.Random) -> End:
    """Start a run, disturb it at a random moment and wait until none of its processes is left."""
    job(folder, model, mix, epochs=200, validation=(str(mix),), validation_every=20, **case.settings)
    environment = {**os.environ, **launcher.ENVIRONMENT, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    if case.call is TORCHRUN:
        environment.pop("TORCH_ELASTIC_SHUTDOWN_TIMEOUT")
    with (folder / "stderr").open("wb") as said:
        process = zygote().start([*case.call, folder], env=environment, stderr=said)
    agent, workers = psutil.Process(process.pid), []
    try:
        while len(workers) < 2:
            time.sleep(0.05)
            workers = agent.children()
        if not case.is_terminated:  # nothing limits how long data is prepared
            until(folder, 1)
        time.sleep(chance.random() * FIRST)
        if case.to_rank is not None:
            chance.choice(workers).send_signal(case.to_rank)
        if case.is_terminated:
            time.sleep(1)
            agent.send_signal(signal.SIGTERM)
        started = time.monotonic()
        code = process.wait(LIMIT)
        psutil.wait_procs(workers, LIMIT)
        seconds = time.monotonic() - started
    finally:
        for each in (agent, *workers):
            with suppress(psutil.NoSuchProcess):
                each.kill()
    lines = (folder / "stderr").read_text().splitlines()
    return End(seconds, code, sum(line.startswith("llamax") for line in lines))


def show(case: Case, ends: Sequence[End]) -> None:
    """Print how the tries of a case ended."""
    seconds = sorted(end.seconds for end in ends)
    codes, lines = Counter(end.code for end in ends), Counter(end.lines for end in ends)
    print(
        f"{case.name:<42} {len(ends):3} tries  median {seconds[len(seconds) // 2]:5.1f} s  longest {seconds[-1]:5.1f} s"
        f"  codes {dict(codes)}  lines {dict(lines)}",
        flush=True,
    )


def main() -> None:
    """Print the figures of each case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("cases", type=int, nargs="*", default=range(len(CASES)), help="Their numbers, from 0.")
    options = parser.parse_args()
    cases = [CASES[number] for number in options.cases]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.at_once) as pool:
        folder = Path(name)
        model = model_folder(folder / "model")
        mix = write(folder / "mix.jsonl", [sample(number, 3 + number % 20) for number in range(300)])
        zygote()
        tries = []
        for case, number in product(cases, range(options.tries)):
            place = folder / str(len(tries))
            place.mkdir()
            chance = random.Random(f"{options.seed} {number} {case.name}")
            tries.append((case, pool.submit(attempt, case, place, model, mix, chance)))
        for case in cases:
            ends = []
            for each, future in tries:
                if each is case:
                    try:
                        ends.append(future.result())
                    except Exception as error:
                        print(f"{case.name}: {error!r}", flush=True)
            show(case, ends)


if __name__ == "__main__":
    main()
