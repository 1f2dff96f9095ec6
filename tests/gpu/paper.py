"""Tables of the paper with SmolLM2 and real data, as `examples/paper` makes them, for what is left of the time.

A table of nine trainings takes longer than a check may. The scripts go on where they stopped, and so does a check that
was ended: it is run again until its table is there. On a CPU the scripts are tried with their made-up corpus.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gpu.checks import Bench, Check, Figure, NotRun, need_package
from gpu.machine import ROOT
from gpu.models import smollm2

SCRIPTS = ROOT / "examples" / "paper"
TRAINING_STEPS, SENTENCES = 300, 20  # of each training, and in each direction; on a CPU they are the scripts' own
CORPORA = ("flores101", "ntrex128", "muse", "panlex", "alpaca", "sacrebleu")  # that these tables read
OURS = "## Here"  # how the line begins that a script prints before our tables


def printed(bench: Bench, script: str) -> str:
    """Run a script, or what is left of it, and return our part of what it prints."""
    scale = {"SCALE": "tiny"} if bench.is_cpu else _small(bench)
    path = f"{_commands(bench)}:{os.environ['PATH']}"
    env = {**os.environ, **scale, "WORK": str(_work(bench)), "PATH": path}
    command = ["bash", str(SCRIPTS / f"{script}.sh")]
    output = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
    return output.partition(OURS)[2].partition("\n")[2].strip()


def _work(bench: Bench) -> Path:
    return bench.work / ("paper-tiny" if bench.is_cpu else "paper-small")


def _small(bench: Bench) -> dict[str, str]:
    """Return the settings of SmolLM2, whose file is put where a script would download it to."""
    data = Path(os.environ.get("LLAMAX_TEST_DATA", ""))
    if missing := [name for name in CORPORA if not (data / name).is_dir()]:
        raise NotRun(f"LLAMAX_TEST_DATA names no folder with {', '.join(missing)}")
    need_package("gguf")
    place = _work(bench) / "smollm2" / "smollm2.gguf"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(smollm2(bench))
    return {"SCALE": "small", "DATA": str(data), "STEPS": str(TRAINING_STEPS), "SENTENCES": str(SENTENCES)}


def _commands(bench: Bench) -> Path:
    """Return a folder with the command `llamax`, which need not be installed where this clone is used."""
    folder = bench.work / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "llamax"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m llamax_cli "$@"\n')
    command.chmod(0o755)
    return folder


def _mean(path: Path, code: str) -> float:
    """Return the mean score of the directions into and out of a language, or of all for ""."""
    records = map(json.loads, path.read_text().splitlines())
    found = [each["score"] for each in records if code in ("", each["src_lang"], each["tgt_lang"])]
    return float(sum(found) / len(found))


def _difference(script: str, one: str, other: str, code: str = "") -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        table = printed(bench, script)
        better, worse = (_mean(_work(bench) / f"{system}.scores.jsonl", code) for system in (one, other))
        return Figure(better - worse, f"{better:.2f} and {worse:.2f}", "" if bench.is_cpu else table)

    return measure


def split_or_connected(bench: Bench) -> Figure:
    """Measure the two forms of a pair around the language that stands in for Cebuano."""
    return _difference("table12", "connected", "split", "tr" if bench.is_cpu else "ta")(bench)


def new_tokens(bench: Bench) -> Figure:
    """Measure what new tokens cost in the language that the model knows better."""
    code, size = ("de", 20) if bench.is_cpu else ("ro", 800)
    return _difference("table1", f"{code}+{size}", f"{code}+0")(bench)


def _check(name: str, what: str, measure: Callable[[Bench], Figure]) -> Check:
    return Check(name, f"{what}, spBLEU", measure, limit=560)


THROUGH_ENGLISH = _difference("table8", "llamax-alpaca-pivoted", "llamax-alpaca", "zh")

CHECKS = (
    _check("table3", "texts and augmented pairs beside pairs", _difference("table3", "DP1+aDP2+DM", "DP1")),
    _check("table12", "pairs connected over pairs split", split_or_connected),
    _check("table8", "Chinese through English over directly", THROUGH_ENGLISH),
    _check("table1", "new tokens over none", new_tokens),
)
