"""What recomputing activations saves in memory and costs in time, by the setting `gradient_checkpointing`.

    python tests/benchmarks/bench_activations.py --layers 8

Forward and backward passes of one packed block on the CPU, each setting in a process of its own. `memory` is the most
that a pass takes above what the process had before it, gradients included; the seconds are those of one processor.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import psutil
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from llamax_cli.config import Training
from llamax_cli.models import causal_lm
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.packed_batch import Batch, make_batch
from llamax_cli.models.sample_encoding import Encoded
from llamax_cli.models.samples import Sample

SETTINGS = {"off": False, "selective": "selective", "full": True}
DOCUMENT = 128  # tokens


def batch(tokens: int) -> Batch:
    """Return a block of documents of random tokens."""
    draw = torch.Generator().manual_seed(0)
    count = tokens // DOCUMENT
    rows = torch.randint(3, 8000, (count, DOCUMENT), generator=draw).tolist()
    encoded = [Encoded(row, [False, *[True] * (DOCUMENT - 1)]) for row in rows]
    return make_batch(encoded, range(count), [Sample("")] * count)


def measure(setting: str, layers: int, tokens: int, passes: int) -> dict[str, float]:
    """Return the median processor seconds of a pass and the megabytes that it takes at most."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    facts = {"hidden_size": 512, "intermediate_size": 1376, "num_attention_heads": 8, "num_hidden_layers": layers}
    training = Training(gradient_checkpointing=SETTINGS[setting])
    plain = LlamaForCausalLM(LlamaConfig(vocab_size=8000, max_position_embeddings=tokens, **facts))
    model = CausalLM(causal_lm.prepare_for_training(plain, training), training.loss_chunk).train()
    block = batch(tokens)
    seconds, before = [], psutil.Process().memory_info().rss
    for _ in range(passes):
        model.zero_grad()
        start = time.process_time()
        model(block).sum().backward()
        seconds.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # kibibytes, on Linux
    return {"seconds": statistics.median(seconds), "megabytes": (peak - before) / 1e6}


def main() -> None:
    """Print a line for each setting."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--setting", choices=SETTINGS, help="Measure this one in this process.")
    options = parser.parse_args()
    if options.setting:
        print(json.dumps(measure(options.setting, options.layers, options.tokens, options.passes)))
        return
    found = {}
    for setting in SETTINGS:
        command = [sys.executable, __file__, *sys.argv[1:], "--setting", setting]
        found[setting] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        one, off = found[setting], found["off"]
        print(
            f"{setting:<10} {one['seconds']:6.2f} s  {one['seconds'] / off['seconds']:5.2f}x"
            f"  memory {one['megabytes']:6.0f} MB  {one['megabytes'] / off['megabytes']:5.2f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()
