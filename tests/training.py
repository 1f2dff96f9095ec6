"""Small tokenizers, models and data for tests of training, made on the spot."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

TEXT = "a of the red blue tall small man woman dog cat runs sits sees house river in on under with mti nyumba paka"
WORDS = TEXT.split()


def sample(number: int, length: int = 5, prompt: str = "") -> dict[str, str]:
    """Return a Sample of `length` words, by its number another one."""
    words = [WORDS[(number * 7 + place * place + place) % len(WORDS)] for place in range(length)]
    record = {"prompt": prompt, "completion": " ".join(words), "id": f"made:{number}", "origin": "para"}
    return {**record, "src_lang": "en", "tgt_lang": "sw" if number % 2 else "de"}


def write(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """Write records as lines and return the path."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def tokenizer(texts: Sequence[str] = WORDS, size: int = 120, *, eos: str | None = "</s>") -> Any:
    """Return a byte-pair tokenizer in LLaMA-2's manner: a space opens a word, what is unknown falls back to bytes."""
    from tokenizers import Tokenizer, decoders, models, normalizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>"]
    backend = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=False))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    backend.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token=eos)


@cache
def small_tokenizer() -> Any:
    """Return one tokenizer for all tests that need just any."""
    return tokenizer()


def config(**changes: Any) -> Any:
    """Return the configuration of a LLaMA of some thousand weights."""
    from transformers import LlamaConfig

    facts = {"vocab_size": 128, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}
    return LlamaConfig(**{**facts, **heads, "bos_token_id": 1, "eos_token_id": 2, **changes})


def model_folder(folder: Path, seed: int = 0, **changes: Any) -> Path:
    """Write a small LLaMA with a tokenizer and return the folder."""
    import torch
    from transformers import LlamaForCausalLM

    torch.manual_seed(seed)
    LlamaForCausalLM(config(**changes)).save_pretrained(folder)
    small_tokenizer().save_pretrained(folder)
    return folder
