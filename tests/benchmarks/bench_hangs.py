"""How long the ranks of a training take to end when one of them is stopped or killed at a random moment.

Two ranks on this machine, with the default settings except where a case says otherwise. SIGSTOP makes a rank that hangs
in everything; then SIGTERM goes to the launcher. All cases run at the same time, most of which they wait.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.records import write
from support.runs import job, model_folder, sample, until
from support.zygote import zygote

from llamax_cli.training import launcher

LIMIT = 120  # seconds after which a try is given up
FIRST = 8.0  # seconds, from the start of the workers or the first step, in which the moment lies
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
    job(folder, model, mix, epochs=10_000, validation=(str(mix),), validation_every=20, **case.settings)
    environment = {**os.environ, **launcher.ENVIRONMENT, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    if case.call is TORCHRUN:
        environment.pop("TORCH_ELASTIC_SHUTDOWN_TIMEOUT")
    with (folder / "stderr").open("wb") as said:
        process = zygote().start([*case.call, folder], env=environment, stderr=said)
    agent = psutil.Process(process.pid)
    while len(workers := agent.children()) < 2:
        time.sleep(0.05)
    if not case.is_terminated:  # nothing limits how long data is prepared
        until(folder, 1)
    time.sleep(chance.random() * FIRST)
    if case.to_rank is not None:
        chance.choice(workers).send_signal(case.to_rank)
    if case.is_terminated:
        time.sleep(1)
        agent.send_signal(signal.SIGTERM)
    started = time.monotonic()
    try:
        code = process.wait(LIMIT)
        psutil.wait_procs(workers, LIMIT)
    finally:
        seconds = time.monotonic() - started
        for each in (agent, *workers):
            with suppress(psutil.NoSuchProcess):
                each.kill()
    lines = (folder / "stderr").read_text().splitlines()
    return End(seconds, code, sum(line.startswith("llamax") for line in lines))


def measure(case: Case, tries: int, folder: Path, model: Path, mix: Path, seed: int) -> None:
    """Print how the tries of a case ended."""
    chance = random.Random(seed)
    ends = []
    for number in range(tries):
        try:
            ends.append(attempt(case, folder / f"{CASES.index(case)}-{number}", model, mix, chance))
        except Exception as error:
            print(f"{case.name}, try {number}: {error!r}", flush=True)
    seconds = sorted(end.seconds for end in ends)
    codes, lines = Counter(end.code for end in ends), Counter(end.lines for end in ends)
    middle = seconds[len(seconds) // 2] if seconds else 0.0
    print(
        f"{case.name:<42} {len(ends):3} tries  median {middle:5.1f} s  longest {max(seconds, default=0):5.1f} s  "
        f"codes {dict(codes)}  lines {dict(lines)}",
        flush=True,
    )


def main() -> None:
    """Print the figures of each case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = model_folder(folder / "model")
        mix = write(folder / "mix.jsonl", [sample(number, 3 + number % 20) for number in range(300)])
        for number in range(len(CASES) * options.tries):
            (folder / f"{number // options.tries}-{number % options.tries}").mkdir()
        zygote()
        threads = [
            threading.Thread(target=measure, args=(case, options.tries, folder, model, mix, options.seed + place))
            for place, case in enumerate(CASES)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
