"""What the figures were measured on."""

import os
import platform
import shutil
import subprocess
from datetime import date
from importlib import metadata
from pathlib import Path

import torch

import llamax_cli
from gpu.checks import NotRun
from llamax_cli.training.estimates import peak_flops
from llamax_cli.training.machines import list_gpus

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "transformers",
    "accelerate",
    "flash_attn",
    "liger_kernel",
    "torchao",
    "trl",
    "torchtitan",
    "vllm",
    "ctranslate2",
)


def describe(device: str) -> dict[str, str]:
    """Return the facts of this machine, `name` first, by which its results are found again; NotRun without the device.

    Call it in a process of its own: it uses the card.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise NotRun("torch finds no GPU")
    torch_version = torch.__version__
    facts = {"name": f"CPU, torch {torch_version}", "card": "none", "driver": "none"}
    if device == "cuda":
        card, count = torch.cuda.get_device_name(), torch.cuda.device_count()
        peak = peak_flops(card)
        facts = {"name": f"{card}, torch {torch_version}", "card": f"{count} x {card}", "driver": _driver()}
        facts["memory"] = f"{list_gpus()[0].memory / 1e9:.1f} GB" if list_gpus() else "unknown"
        facts["peak"] = f"{peak / 1e12:.0f} TFLOPS in bf16, dense" if peak else "unknown"
        facts["cuda"] = str(torch.version.cuda)
    return {
        **facts,
        "torch": torch_version,
        "python": platform.python_version(),
        "system": f"{platform.machine()}, {os.cpu_count()} cores",
        "packages": ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name))) or "none",
        "llamax": f"{llamax_cli.__version__} {_commit()}".strip(),
        "date": date.today().isoformat(),
    }


def _driver() -> str:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "unknown"
    command = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    return (subprocess.run(command, capture_output=True, text=True).stdout.splitlines() or ["unknown"])[0]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    return subprocess.run([git, "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
