"""How long training stands still for a checkpoint, and how much memory it takes to write the trained model.

    python tests/benchmarks/bench_checkpoint.py --layers 12

One rank on the CPU with a LLaMA of 134 million weights (12 layers). `checkpoint` writes checkpoints at
once, `async` while training goes on. `export` compares the memory above that of the model with
what it takes to gather the model, load it into an empty one and save that.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from transformers import LlamaConfig, LlamaForCausalLM

from llamax_cli.config import Training
from llamax_cli.models import causal_lm
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.packed_batch import idle_batch
from llamax_cli.training import export
from llamax_cli.training.checkpoint import Checkpointer
from llamax_cli.training.job import Job
from llamax_cli.training.optimizer import make_optimizer
from llamax_cli.training.parallelize import make_mesh, shard
from llamax_cli.training.process_group import Ranks, process_group
from llamax_cli.training.sampler import DataPosition
from llamax_cli.training.train_state import TrainState


def sharded_model(layers: int, ranks: Ranks) -> CausalLM:
    """Return a LLaMA as a run has it."""
    torch.manual_seed(0)
    facts = {"hidden_size": 768, "intermediate_size": 2048, "num_attention_heads": 12, "num_hidden_layers": layers}
    training = Training()
    plain = causal_lm.prepare_for_training(LlamaForCausalLM(LlamaConfig(vocab_size=32000, **facts)), training)
    model = CausalLM(plain, training.loss_chunk)
    shard(model, make_mesh(ranks, training), torch.float32, training)
    return model.train()


def job(folder: str, **settings: Any) -> Job:
    """Return a job in a folder."""
    (Path(folder) / "config.json").write_text("{}")
    return Job(folder, folder, (), folder, False, False, True, Training(checkpoint_minutes=0, **settings))


def step(model: CausalLM, optimizer: torch.optim.Optimizer) -> None:
    """Train on a batch of a few tokens."""
    model(idle_batch()).sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def seconds(work: Callable[[], Any]) -> float:
    """Return how long work takes by the clock."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def checkpoint(layers: int, *, meanwhile: bool = False) -> None:
    """Print how long the steps wait for a checkpoint, and how long steps take `meanwhile`."""
    with process_group() as ranks:
        model = sharded_model(layers, ranks)
        optimizer = make_optimizer(model, Training())
        weights = sum(weight.numel() for weight in model.parameters())
        steps = [seconds(lambda: step(model, optimizer)) for _ in range(4)][1:]
        print(f"{weights:,} weights, checkpoints of {12 * weights / 1e9:.2f} GB; a step takes {mean(steps):.2f} s")
        parts: Any = SimpleNamespace(model=model, optimizer=optimizer)
        with tempfile.TemporaryDirectory() as folder:
            checkpointer = Checkpointer(job(folder, async_checkpoint=meanwhile), parts, ranks)
            for number in range(1, 3):
                state = TrainState(step=number)
                start = time.perf_counter()
                stall = seconds(lambda: checkpointer.save(state, DataPosition(0, 0, ""), {}))  # noqa: B023
                steps = []
                while checkpointer._pending and not checkpointer._pending.failure.done():
                    steps.append(seconds(lambda: step(model, optimizer)))
                whole = time.perf_counter() - start
                name = "while training" if meanwhile else "at once"
                during = f"; {len(steps)} steps meanwhile, of {mean(steps):.2f} s" if steps else ""
                print(f"written {name}: stands still for {stall:.2f} s, complete after {whole:.2f} s{during}")
            checkpointer.wait()
            checkpointer.close()


def mean(values: list[float]) -> float:
    """Return the mean."""
    return sum(values) / max(1, len(values))


def memory(name: str) -> int:
    """Return a figure of this process's memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def exported(layers: int) -> None:
    """Print how much memory it takes to write the model, by weight and as a whole, and how long."""
    with process_group() as ranks, tempfile.TemporaryDirectory() as folder:
        model = sharded_model(layers, ranks)
        settings = model.model.config
        size = 4 * sum(weight.numel() for weight in model.parameters())
        largest = 4 * max(weight.numel() for weight in model.parameters())
        print(f"a model of {size / 1e6:,.0f} MB, whose largest weight has {largest / 1e6:,.0f} MB")
        facts = {"data": [], "training": {"seed": 0}, "versions": {}, "command": "train", "model": "m", "init": False}
        facts |= {"steps": 1, "records": 1, "tokens": 1}
        tokenizer: Any = SimpleNamespace(save_pretrained=lambda folder: None)

        def whole() -> None:
            options = StateDictOptions(full_state_dict=True, cpu_offload=True)
            weights = {
                name.removeprefix("model."): w for name, w in get_model_state_dict(model, options=options).items()
            }
            empty = causal_lm.empty_model(settings)
            empty.load_state_dict({name: weight.clone() for name, weight in weights.items()})
            empty.save_pretrained(Path(folder) / "whole")

        def by_weight() -> None:
            export.export(job(folder), model, settings, tokenizer, facts, ranks)

        for name, work in (("by weight", by_weight), ("as a whole", whole)):
            Path("/proc/self/clear_refs").write_text("5")
            before = memory("VmRSS")
            took = seconds(work)
            print(f"{name}: {(memory('VmHWM') - before) / 1e6:,.0f} MB above the model itself, {took:.1f} s")


PARTS = {"checkpoint": checkpoint, "async": partial(checkpoint, meanwhile=True), "export": exported}


def main() -> None:
    """Run the named parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--layers", type=int, default=12)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for part in given.parts:
        PARTS[part](given.layers)


if __name__ == "__main__":
    main()
