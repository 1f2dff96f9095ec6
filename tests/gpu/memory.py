"""The peak of memory against the estimate of `--preflight`, and what happens when memory is out."""

import json
import math
from typing import Any

import torch
from transformers import LlamaForCausalLM

from gpu.checks import Bench, Check, Figure
from gpu.correctness import packed
from gpu.models import config, documents, samples, untrained
from gpu.runs import first_steps, new_job, start
from llamax_cli.config import SELECTIVE, Training
from llamax_cli.models.causal_lm import CausalLM, prepare_for_training
from llamax_cli.training.estimates import CONTEXT, MemoryEstimate, estimate_memory, gigabytes, read_shape
from llamax_cli.training.machines import Machines

BLOCKS: dict[str, Any] = {"block": 2048, "batch": 4, "micro_batch": 4}
FULL_LINE = "the GPU's memory is full"


def estimated(size: str, **settings: Any) -> MemoryEstimate:
    """Return what `--preflight` estimates for one card."""
    return estimate_memory(read_shape(config(size).to_dict()), Training(**settings), Machines(has_gpus=True))


def against_estimate(bench: Bench, size: str, **settings: Any) -> Figure:
    """Take three steps and return the peak of memory over the estimate, both without what CUDA itself takes."""
    bench.need_gpu()
    settings = {**BLOCKS, **settings}
    folder = new_job(bench, f"memory-{size}", untrained(bench, size), samples(bench, 2000), **settings)
    measured = max(line["memory_gb"] for line in first_steps(bench, folder, 3)) * 1e9
    expected = estimated(size, **settings).total - CONTEXT
    return Figure(measured / expected, f"{gigabytes(measured)}, estimated {gigabytes(expected)}")


def chunked_loss(bench: Bench) -> Figure:
    """Compare the peaks with the logits of 2,048 tokens at once and of all, at the width and vocabulary of an 8B."""
    bench.need_gpu()
    peaks, losses = [], []
    batch = packed(documents(8192, 128256)).to(torch.device(bench.device))
    with torch.device(bench.device):
        whole: Any = LlamaForCausalLM(config("8b-of-8-layers", num_hidden_layers=1))
    model = prepare_for_training(whole.to(torch.bfloat16), Training(gradient_checkpointing=False))
    for chunk in (2048, 8192):
        model.zero_grad()
        torch.cuda.reset_peak_memory_stats()
        loss = CausalLM(model, chunk).train()(batch).mean()
        loss.backward()
        peaks.append(torch.cuda.max_memory_allocated())
        losses.append(float(loss.detach()))
    if not math.isclose(*losses, rel_tol=1e-4):
        raise RuntimeError(f"the losses differ: {losses}")
    return Figure(peaks[0] / peaks[1], f"{gigabytes(peaks[0])}, where whole logits take {gigabytes(peaks[1])}")


def out_of_memory(bench: Bench) -> Figure:
    """Train a 1B where another process leaves it too little of the card: it ends with 1 and says so in one line."""
    bench.need_gpu()
    free, _ = torch.cuda.mem_get_info()
    needed = estimated("1b", **BLOCKS).total
    ballast = torch.empty(max(0, int(free - 0.8 * needed)), dtype=torch.uint8, device="cuda")
    folder = new_job(bench, "out-of-memory", untrained(bench, "1b"), samples(bench, 2000), **BLOCKS)
    (process,) = start(bench, folder)
    code = process.wait()
    said = (folder / "stderr-0").read_text().splitlines()
    if code != 1 or not said or FULL_LINE not in said[-1]:
        raise RuntimeError(f"exit code {code}: {json.dumps(said[-3:])}")
    return Figure(len(said), f"with {gigabytes(ballast.numel())} of the card taken")


def _ratio(name: str, size: str, words: str, **settings: Any) -> Check:
    def measure(bench: Bench) -> Figure:
        return against_estimate(bench, size, **settings)

    return Check(name, f"{words}: peak over --preflight's estimate", measure, least=0.7, most=1.1)


CHECKS = (
    _ratio("1b", "1b", "1B"),
    _ratio("1b-selective", "1b", "1B, selective checkpointing", gradient_checkpointing=SELECTIVE),
    _ratio("1b-none", "1b", "1B, no checkpointing", gradient_checkpointing=False),
    _ratio("8b-of-8-layers", "8b-of-8-layers", "eight layers of an 8B"),
    _ratio("lora", "8b-of-8-layers", "eight layers of an 8B, LoRA", lora=16),
    Check("loss-chunk", "loss of an 8B in chunks over that at once: peak", chunked_loss, most=0.6),
    Check("out-of-memory", "lines that a run says when the memory is full", out_of_memory, "lines", least=1, most=1),
)
