"""How long the analyses take: fertility against the tokenizer itself, representation and shift of a 7B model.

python tests/benchmarks/bench_analyze.py
"""

import json
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from measure import DATA, LLAMAX, flores, seconds, timed

ROWS, WIDTH = 32_000, 4_096  # of LLaMA-2 7B's embeddings


def write_model(folder: Path, seed: int) -> Path:
    """Write a model that has embeddings of LLaMA-2's size and nothing else."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(ROWS, WIDTH, generator=generator).bfloat16()
    save_file({"model.embed_tokens.weight": rows}, folder / "model.safetensors")
    config = {"model_type": "llama", "vocab_size": ROWS, "hidden_size": WIDTH}
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(DATA / "tokenizers" / "llama2" / "tokenizer.model", folder)
    return folder


def fertility() -> None:
    """Print the seconds of one worker against a loop over the same texts that only encodes them."""
    from llamax_cli.tokenization import load

    lines = [line for texts in flores().values() for line in texts]
    for name in ("llama2", "llama3"):
        path = DATA / "tokenizers" / name
        counter = load(path).count
        loop, _ = timed(lambda counter=counter: [counter(line) for line in lines])
        _, ours = seconds([*LLAMAX, "analyze", "fertility", "--tokenizer", path, DATA / "flores101" / "devtest"])
        print(f"fertility, {name}: {ours:.1f} s, {ours / loop:.2f} times the loop ({loop:.1f} s)")


def models(folder: Path) -> None:
    """Print seconds and memory of representation and shift."""
    base, tuned = write_model(folder / "base", 0), write_model(folder / "tuned", 1)
    calls = {
        "representation": ["--model", base, DATA / "flores101" / "devtest"],
        "shift": ["--base", base, "--tuned", tuned],
    }
    for name, arguments in calls.items():
        start = time.perf_counter()
        seconds([*LLAMAX, "analyze", name, *arguments])
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        print(f"{name}: {time.perf_counter() - start:.0f} s; the largest process so far had {peak:.1f} GB")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    fertility()
    with tempfile.TemporaryDirectory() as name:
        models(Path(name))
