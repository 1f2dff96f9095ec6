"""Make the golden files of this version: what its commands leave when they are killed, and what they make.

python tests/support/golden.py NAME writes tests/golden/NAME.tar.xz, which every later version has to read or refuse.
"""

import json
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import fakes, lexicons, small_steps
from support.faults import faulty_zygote
from support.processes import wait_until
from support.records import pair, text, write
from support.runs import job, model_folder, sample, train
from support.zygote import PIPE, Process, zygote

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
COUNT = 12
STEPS = 3  # of the run of training, when it stops
COMMANDS = {
    "langid.jsonl": ["langid", "texts.jsonl"],
    "langid.jsonl.gz": ["langid", "texts.jsonl"],
    "augmented.jsonl": ["augment", "pairs.jsonl", "--dict", "small.lex"],
    "mix.jsonl": ["mix", "--para", "pairs.jsonl", "--mono", "texts.jsonl"],
    "translated.jsonl": ["translate", "pairs.jsonl", "--model", "m"],
    "pivoted.jsonl": ["pivot", "pairs.jsonl", "--model", "m", "--via", "sw"],
}


def fill(folder: Path) -> None:
    """Write what the commands read."""
    write(folder / "texts.jsonl", [text(number, "en", text=f"The black dog {number}.") for number in range(COUNT)])
    pairs = [pair(number, "en", "de", src=f"good dog {number}", tgt=f"guter Hund {number}") for number in range(COUNT)]
    write(folder / "pairs.jsonl", pairs)
    lexicons.lexicon(folder / "small.lex", ("en", lexicons.ENGLISH))


def start(folder: Path, *arguments: str, faults: str = "") -> Process:
    """Start a command in small steps; translate and pivot by an engine that takes its time."""
    how: dict[str, Any] = {"cwd": folder, "stdin": PIPE, "stdout": PIPE, "stderr": PIPE}
    if arguments[0] in ("translate", "pivot"):
        return zygote("small").start([fakes.__file__, "Batches", *arguments], **how)
    environment = {**os.environ, "FAULTS": faults} if faults else os.environ
    return faulty_zygote("small").start([small_steps.__file__, *arguments], env=environment, **how)


def interrupt(folder: Path, output: str) -> None:
    """Kill a command when it has written and saved a part of its output."""
    call = [*COMMANDS[output], "-o", output]
    if call[0] in ("translate", "pivot"):
        process = start(folder, *call)
        asked = folder / "asked"
        wait_until(lambda: asked.exists() and len(asked.read_text().splitlines()) >= COUNT // 2, process)
        process.kill()
        process.wait(60)
        asked.unlink()
        return
    log = folder.parent / "log"
    log.unlink(missing_ok=True)
    start(folder, *call, faults=f"0 error {log} {folder}").communicate(timeout=60)
    saves = [line.split()[0] for line in log.read_text().splitlines() if " rename " in line and ".state" in line]
    (folder / output).unlink()
    start(folder, *call, faults=f"{saves[1]} kill {log} {folder}").communicate(timeout=60)


def training(folder: Path) -> None:
    """Make a run of training that has stopped after some steps."""
    model_folder(folder / "model", hidden_size=8, intermediate_size=12, num_hidden_layers=1)
    data = write(folder / "mix.jsonl", [sample(number) for number in range(40)])
    run = folder / "run"
    run.mkdir()
    job(run, folder / "model", data, epochs=6, checkpoint_every=STEPS, stop_after=STEPS)
    train(run)
    facts = json.loads((run / "run.json").read_text().replace(f"{folder}/", ""))
    (run / "run.json").write_text(json.dumps(facts))
    for left in ("cache", "model", "stderr-0", ".lock"):
        path = run / left
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def main(name: str) -> None:
    """Make the archive."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve() / name
        (folder / "training").mkdir(parents=True)
        fill(folder)
        for output in COMMANDS:
            interrupt(folder, output)
        manifest = ["langid", "texts.jsonl", "-o", "whole.jsonl", "--manifest", "whole.manifest.json"]
        start(folder, *manifest).communicate(timeout=60)
        mixed = ["mix", "--para", "pairs.jsonl", "-o", "mixed.jsonl", "--manifest", "mixed.manifest.json"]
        start(folder, *mixed).communicate(timeout=60)
        training(folder / "training")
        with tarfile.open(GOLDEN / f"{name}.tar.xz", "w:xz") as archive:
            archive.add(folder, name)


if __name__ == "__main__":
    main(sys.argv[1])
