"""A LLaMA of 1B from a configuration: `llamax train --init` takes five steps and writes a model that can be loaded."""

import shutil
import subprocess
import sys
from pathlib import Path

import torch
from support.runs import metrics
from transformers import AutoModelForCausalLM

from gpu.checks import Bench, Check, Figure
from gpu.models import samples, untrained
from gpu.runs import SMALL

STEPS = 5


def five_steps(bench: Bench) -> Figure:
    """Run the command as a user would, launcher and last checkpoint included."""
    folder = _folder(bench)
    shutil.rmtree(folder, ignore_errors=True)
    settings = {"block": 2048, "batch": 8, "micro_batch": 2, "log_every": 1, "keep": 1, "max_steps": STEPS}
    settings |= SMALL if bench.is_cpu else {}
    command = [sys.executable, "-m", "llamax_cli", "train", "--model", str(untrained(bench, "1b")), "--init"]
    command += ["--data", str(samples(bench, 2000)), "-o", str(folder)]
    command += ["--set", *(f"{name}={value}" for name, value in settings.items())]
    subprocess.run([*command, *(["--", "--cpu"] if bench.is_cpu else [])], check=True)
    losses = [line["loss"] for line in metrics(folder)]
    return Figure(len(losses), f"loss {losses[0]:.3f} to {losses[-1]:.3f}")


def model_written(bench: Bench) -> Figure:
    """Load the model that was written and look for weights that are no numbers."""
    folder = _folder(bench)
    model = AutoModelForCausalLM.from_pretrained(folder / "model")
    wrong = sum(not bool(torch.isfinite(weight).all()) for weight in model.parameters())
    shutil.rmtree(folder)  # with the checkpoint, some 20 GB
    return Figure(wrong, f"{model.num_parameters():,} weights, {model.dtype}")


def _folder(bench: Bench) -> Path:
    return bench.work / "runs" / "smoke"


CHECKS = (
    Check("steps", "steps of a 1B by `llamax train --init`", five_steps, least=STEPS, most=STEPS, limit=400),
    Check("model", "weights of the written model that are not finite", model_written, most=0),
)
