"""Run the checks that need a GPU, step by step, and write down their figures; tests/gpu/run.sh calls this."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from gpu import machine, processes
from gpu.checks import STEPS, Bench, Check, checks_of
from gpu.results import Results, describe

SKIPPED = 77  # what Automake and Meson take for a test that was skipped


def main() -> int:
    """Run the steps that the arguments name and return the exit code."""
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    device = "cpu" if given.cpu else "cuda"
    if given.cpu:  # on a machine with a card, too
        os.environ |= {"CUDA_VISIBLE_DEVICES": "", "ACCELERATE_USE_CPU": "true"}
    kind, facts = processes.in_child(partial(machine.describe, device), 120)
    if kind != "done":
        is_skipped = kind == "not run"
        how = "skipped: {}; --cpu tries the steps on a CPU" if is_skipped else "the GPU cannot be used: {}"
        print(how.format(facts), file=sys.stderr)
        return SKIPPED if is_skipped else 1
    print(f"{facts['name']}, driver {facts['driver']}", file=sys.stderr)
    bench = Bench(device, given.work)
    bench.work.mkdir(parents=True, exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(bench.work / "cache")  # converted models
    for step in STEPS:  # loaded once, before each check forks; the page names the checks of all steps
        checks_of(step)
    chosen = list(_chosen(given.steps or STEPS))
    results = Results(given.results, facts)
    for step, check in chosen:
        if given.again or not results.has_figure(step, check):
            print(f"{step}/{check.name}: {check.what}", file=sys.stderr)
            outcome = processes.run(check, bench)
            results.add(step, check, outcome)
            figure = f"{outcome['figure']:,.4g} {outcome['unit']} " if "figure" in outcome else ""
            print(f"    {figure}{describe(outcome)} ({outcome['seconds']} s)", file=sys.stderr)
    return 0 if all(results.is_good(step, check) for step, check in chosen) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests/gpu/run.sh", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"{', '.join(STEPS)}, or one check: speed/trl")
    parser.add_argument("--cpu", action="store_true", help="try the steps on a CPU, with small sizes")
    parser.add_argument("--again", action="store_true", help="measure anew what has a figure already")
    here, scratch = Path(__file__).parent, Path(tempfile.gettempdir()) / "llamax-gpu"
    parser.add_argument("--results", type=Path, default=here, help="folder of results.json and RESULTS.md")
    parser.add_argument("--work", type=Path, default=scratch, help="folder for models and runs: 50 GB on a GPU")
    given = parser.parse_args()
    for name in given.steps:
        step, _, check = name.partition("/")
        if step not in STEPS or (check and check not in [each.name for each in checks_of(step)]):
            parser.error(f"there is no {name}; have: {', '.join(STEPS)}")
    return given


def _chosen(names: Sequence[str]) -> Iterator[tuple[str, Check]]:
    """Yield (step, check) for names such as `speed` or `speed/trl`."""
    for name in names:
        step, _, wanted = name.partition("/")
        yield from ((step, check) for check in checks_of(step) if not wanted or check.name == wanted)


if __name__ == "__main__":
    sys.exit(main())
