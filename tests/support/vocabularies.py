"""Small models whose vocabulary can be extended, each with its tokenizer in other files."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.runs import config
from support.tiny_models import byte_level, sentences

GREEK = ["καλημέρα κόσμε", "ο κόσμος είναι μικρός", "η καλή μέρα του κόσμου", "μικρός κόσμος, καλημέρα"]


def texts() -> list[str]:
    """Return texts of the language that the tokenizers were made for."""
    return sentences(60)


def sentencepiece_model(texts: Sequence[str], size: int) -> bytes:
    """Return a BPE model of SentencePiece, learnt from texts."""
    from sentencepiece import SentencePieceTrainer

    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        model_type="bpe",
        vocab_size=size,
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def _sentencepiece(folder: Path) -> None:
    (folder / "tokenizer.model").write_bytes(sentencepiece_model(texts(), 360))
    facts = {"tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(facts))


def _both(folder: Path) -> None:
    """LLaMA-2's two forms, with a token that was added after the pieces, which `tokenizer.model` does not have."""
    from transformers import AutoTokenizer

    _sentencepiece(folder)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"pad_token": "<pad>"})
    tokenizer.save_pretrained(folder)


def _byte_level(folder: Path) -> None:
    """LLaMA-3's form: special tokens are behind the vocabulary and not in it."""
    tokenizer = byte_level(texts())
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|end|>"]})
    tokenizer.save_pretrained(folder)


def _gpt2(folder: Path) -> None:
    """Vocabulary and merges in files of their own, and no other."""
    model = json.loads(byte_level(texts()).backend_tokenizer.to_str())["model"]
    vocabulary = dict(sorted(model["vocab"].items(), key=lambda item: item[1]))
    (folder / "vocab.json").write_text(json.dumps({**vocabulary, "<|endoftext|>": len(vocabulary)}))
    merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}')


KINDS = {"sentencepiece": _sentencepiece, "both": _both, "byte-level": _byte_level, "gpt2": _gpt2}


def extensible(folder: Path, kind: str, rows: int = 0, **changes: Any) -> Path:
    """Write a small LLaMA with a tokenizer of a kind and return the folder; `rows` more embeddings than tokens."""
    import torch
    from transformers import AutoTokenizer, LlamaForCausalLM

    folder.mkdir()
    KINDS[kind](folder)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    size = len(AutoTokenizer.from_pretrained(folder))
    torch.manual_seed(0)
    changes = {"num_hidden_layers": 1, "dtype": torch.bfloat16, **changes}
    model = LlamaForCausalLM(config(vocab_size=size + rows, **changes))
    model.to(torch.bfloat16).save_pretrained(folder, **({"max_shard_size": "20KB"} if rows else {}))
    return folder
