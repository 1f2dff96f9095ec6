"""The commands for data leave the card alone: langid and score load neither torch nor CUDA."""

import json
import subprocess
import sys
from pathlib import Path

from support.tiny_models import sentences

from gpu.checks import Bench, Check, Figure

# Runs a command of llamax, and then prints which libraries its process had loaded, and which devices it had open.
WATCHED = """
import os, sys
from llamax_cli import cli
try:
    cli.main()
finally:
    loaded = {line.split()[-1] for line in open("/proc/self/maps") if "/" in line}
    opened = {os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")}
    with open(os.environ["TOUCHED"], "w") as file:
        file.writelines(path + "\\n" for path in loaded | opened)
"""
CARD = ("libtorch", "libcuda", "libnvidia", "/dev/nvidia")


def touched(bench: Bench, arguments: list[str]) -> Figure:
    """Run a command and count the libraries and devices of the card in its process."""
    path = bench.work / "touched"
    path.unlink(missing_ok=True)
    command = [sys.executable, "-c", WATCHED, *arguments]
    environment = {"TOUCHED": str(path), "PYTHONPATH": ":".join(filter(None, sys.path))}
    written = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
    found = [line for line in path.read_text().splitlines() if any(name in line for name in CARD)]
    return Figure(len(found), f"{written.count(10)} lines written")


def translations(bench: Bench) -> Path:
    """Return a file of translations with their references."""
    path = bench.work / "translations.jsonl"
    kinds = {"src_lang": "en", "tgt_lang": "de"}
    lines = [{**kinds, "src": line, "tgt": line, "mt": line.replace("a", "e")} for line in sentences(200)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def langid(bench: Bench) -> Figure:
    """Identify the language of translations."""
    return touched(bench, ["langid", str(translations(bench)), "--workers", "1", "-q"])


def score(bench: Bench) -> Figure:
    """Score translations by what needs no model."""
    return touched(bench, ["score", str(translations(bench)), "--metric", "bleu,chrf++,ter", "--workers", "1", "-q"])


CHECKS = (
    Check("langid", "files of torch or the card that `llamax langid` opens", langid, most=0),
    Check("score", "files of torch or the card that `llamax score` opens", score, most=0),
)
