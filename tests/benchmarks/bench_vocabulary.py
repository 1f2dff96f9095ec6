"""How long the extension of a vocabulary takes and how much memory, and what it does to fertility.

python tests/benchmarks/bench_vocabulary.py [--layers 8] [--tokens 8000]
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import DATA, LLAMAX

ROWS, WIDTH = 32_000, 4_096  # of LLaMA-2 7B's embeddings
LANGUAGES = {"ro": "ron", "sw": "swh", "bn": "ben", "ta": "tam", "lo": "lao", "th": "tha"}


def write_model(folder: Path, layers: int) -> int:
    """Write a model with LLaMA-2 7B's embeddings and some of its layers, its numbers random; return its bytes."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    generator = torch.Generator().manual_seed(0)

    def matrix(rows: int, width: int) -> torch.Tensor:
        return torch.randn(rows, width, generator=generator, dtype=torch.float32).bfloat16()

    shards = [{"model.embed_tokens.weight": matrix(ROWS, WIDTH), "lm_head.weight": matrix(ROWS, WIDTH)}]
    for layer in range(layers):
        shapes = {"self_attn.q_proj": WIDTH, "self_attn.k_proj": WIDTH, "self_attn.v_proj": WIDTH}
        shapes |= {"self_attn.o_proj": WIDTH, "mlp.gate_proj": 11_008, "mlp.up_proj": 11_008}
        shards.append(
            {f"model.layers.{layer}.{name}.weight": matrix(rows, WIDTH) for name, rows in shapes.items()}
            | {f"model.layers.{layer}.mlp.down_proj.weight": matrix(WIDTH, 11_008)}
        )
    names: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        save_file(shard, folder / file, {"format": "pt"})
        names |= dict.fromkeys(shard, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    facts = {"model_type": "llama", "vocab_size": ROWS, "hidden_size": WIDTH, "num_hidden_layers": layers}
    (folder / "config.json").write_text(json.dumps({**facts, "intermediate_size": 11_008}))
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}'
    )
    shutil.copy(DATA / "tokenizers" / "llama2" / "tokenizer.model", folder)
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def anonymous(pid: int) -> int:
    """Return the memory of a process without the pages of files that it maps, which the system takes back."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def main() -> None:
    """Print seconds, memory and fertility."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=8000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_model(folder / "base", options.layers)
        texts = [DATA / "flores101" / "dev" / f"{each}.dev" for each in LANGUAGES.values() if each != "tha"]
        call = [*LLAMAX, "extend-vocab", "--model", folder / "base", "--tokens", str(options.tokens), *texts]
        start = time.perf_counter()
        with subprocess.Popen([*call, "-o", folder / "new"], stderr=subprocess.PIPE) as process:
            peak = 0
            while process.poll() is None:
                peak = max(peak, anonymous(process.pid))
                time.sleep(0.1)
            said = process.stderr.read() if process.stderr else b""
        seconds = time.perf_counter() - start
        print(said.decode(), end="")
        print(f"{size / 1e9:.1f} GB of weights: {seconds:.0f} s, {peak / 1e9:.2f} GB of memory")
        held_out = [DATA / "flores101" / "devtest" / f"{each}.devtest" for each in LANGUAGES.values()]
        measure = [*LLAMAX, "analyze", "fertility", "--tokenizer", f"{folder / 'base'},{folder / 'new'}", *held_out]
        done = subprocess.run(measure, capture_output=True, check=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        for before, after in zip(rows[::2], rows[1::2], strict=True):
            print(f"{before['lang']}: {before['fertility']:.2f} to {after['fertility']:.2f}, on texts held out")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    main()
