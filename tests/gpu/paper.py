"""Tables of the paper with SmolLM2 and real data, as `examples/paper` makes them, for what is left of the time.

A table of nine trainings takes longer than a check may. The scripts go on where they stopped, and so does a check that
was ended: it is run again until its table is there. On a CPU the scripts are tried with their made-up corpus.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gpu.checks import Bench, Check, Figure, NotRun, need_package
from gpu.machine import ROOT
from gpu.models import smollm2

SCRIPTS = ROOT / "examples" / "paper"
STEPS, SENTENCES = 300, 20  # of each training, and in each direction; on a CPU they are the scripts' own
CORPORA = ("flores101", "ntrex128", "muse", "panlex", "alpaca", "sacrebleu")  # that these tables read
OURS = "## Here"  # what a script prints after the table of the paper


def scores(bench: Bench, script: str, systems: Sequence[str]) -> tuple[str, list[float]]:
    """Return our part of what a script prints, and the mean score of each system over all directions."""
    work = bench.work / "paper"
    scale = {"SCALE": "tiny"} if bench.is_cpu else _small(bench, work)
    path = f"{_commands(bench)}:{os.environ['PATH']}"
    env = {**os.environ, **scale, "WORK": str(work), "PATH": path}
    printed = subprocess.run(["bash", SCRIPTS / f"{script}.sh"], env=env, check=True, stdout=subprocess.PIPE, text=True)
    return printed.stdout.partition(OURS)[2].strip(), [_mean(work / f"{system}.scores.jsonl") for system in systems]


def _small(bench: Bench, work: Path) -> dict[str, str]:
    """Return the settings of SmolLM2, whose file is put where a script would download it to."""
    need_package("gguf")
    data = Path(os.environ.get("LLAMAX_TEST_DATA", ""))
    if missing := [name for name in CORPORA if not (data / name).is_dir()]:
        raise NotRun(f"LLAMAX_TEST_DATA names no folder with {', '.join(missing)}")
    place = work / "smollm2" / "smollm2.gguf"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(smollm2(bench), place)
    return {"SCALE": "small", "DATA": str(data), "STEPS": str(STEPS), "SENTENCES": str(SENTENCES)}


def _commands(bench: Bench) -> Path:
    """Return a folder with the command `llamax`, which need not be installed where this clone is used."""
    folder = bench.work / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "llamax"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m llamax_cli "$@"\n')
    command.chmod(0o755)
    return folder


def _mean(path: Path) -> float:
    found = [json.loads(line)["score"] for line in path.read_text().splitlines()]
    return float(sum(found) / len(found))


def _difference(script: str, one: str, other: str) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        table, (better, worse) = scores(bench, script, (one, other))
        return Figure(better - worse, f"{better:.2f} and {worse:.2f}", table)

    return measure


def new_tokens(bench: Bench) -> Figure:
    """Measure what new tokens cost in the language that the model knows better."""
    code, size = ("de", 20) if bench.is_cpu else ("ro", 800)
    return _difference("table1", f"{code}+{size}", f"{code}+0")(bench)


def _check(name: str, what: str, measure: Callable[[Bench], Figure]) -> Check:
    return Check(name, f"{what}, spBLEU", measure, limit=560)


CHECKS = (
    _check("table3", "texts and augmented pairs beside pairs", _difference("table3", "DP1+aDP2+DM", "DP1")),
    _check("table12", "pairs connected over pairs split", _difference("table12", "connected", "split")),
    _check("table8", "through English over directly", _difference("table8", "llamax-alpaca-pivoted", "llamax-alpaca")),
    _check("table1", "new tokens over none", new_tokens),
)
