"""Models in GGUF, the format of llama.cpp: unpacked once into a folder in the cache, which all commands can read.

Quantized weights become float32, so the model computes what the file holds, at 4 bytes a weight.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from llamax_cli.errors import FileError, ModelError
from llamax_cli.models.fingerprint import weights_fingerprint
from llamax_cli.models.model_cache import cached_model

SUFFIX = ".gguf"
BYTES = 4  # of a weight in float32
# How a byte-level BPE splits text before it merges, by the name that a file has for it in `tokenizer.ggml.pre`, as in
# llama.cpp's src/llama-vocab.cpp. The library knows those of LLaMA-3, Qwen, Mistral and others, but takes GPT-2's rule
# for all the rest, which is right for these only.
AS_GPT2 = ("gpt-2", "mpt", "olmo", "jais", "trillion", "granite-docling")
# The same with each digit on its own, in any script.
DIGITS_APART = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")


def model_folder(model: str) -> str:
    """Return the folder with the contents of a GGUF file, and any other model as it is.

    ModelError for a file that cannot be read, FileError if there is no space for what is in it.
    """
    file = Path(model)
    if file.suffix.lower() != SUFFIX or not file.is_file():
        return model
    if re.search(r"-\d{5}-of-\d{5}$", file.stem):
        raise ModelError(f"{model} is one of several files; join them first: llama-gguf-split --merge FIRST JOINED")
    return str(cached_model("gguf", f"{file.stem}-{weights_fingerprint(model)}", lambda folder: _unpack(file, folder)))


def _unpack(file: Path, folder: Path) -> None:
    """Write configuration, tokenizer and weights of a file into a folder."""
    from llamax_cli.models import pretrained

    pretrained.silence()
    try:
        from gguf import GGUFReader
    except ModuleNotFoundError as error:
        raise ModelError(f"{file}: a GGUF file needs the package gguf: pip install 'llamax[gguf]'") from error
    with pretrained.loading_errors(str(file)):
        reader: Any = GGUFReader(file)
        needed, free = sum(int(tensor.n_elements) for tensor in reader.tensors) * BYTES, shutil.disk_usage(folder).free
    if needed > free:
        raise FileError(
            f"{folder.parent}: {file.name} takes {needed / 1e9:.1f} GB there, and {free / 1e9:.1f} GB are free; "
            "set XDG_CACHE_HOME to another folder"
        )
    tokenizer = pretrained.load_gguf_tokenizer(file)
    _set_split(tokenizer, _text(reader, "tokenizer.ggml.model"), _text(reader, "tokenizer.ggml.pre"), file)
    model = pretrained.load_gguf_weights(file)
    tokenizer.save_pretrained(folder)
    _drop_additions(folder / "tokenizer.json", len(reader.get_field("tokenizer.ggml.tokens").data))
    model.save_pretrained(folder)


def _drop_additions(path: Path, count: int) -> None:
    """Remove the tokens that the library's class has by default, such as GPT-2's, and the model has no embedding of."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["added_tokens"] = [token for token in facts["added_tokens"] if token["id"] < count]
    path.write_text(json.dumps(facts, ensure_ascii=False, indent=2), encoding="utf-8")


def _text(reader: Any, key: str) -> str:
    field = reader.get_field(key)
    return str(field.contents()) if field else ""


def _set_split(tokenizer: Any, kind: str, rule: str, file: Path) -> None:
    """Let a byte-level BPE split text by the rule that its merges were learned with; ModelError if it is unknown."""
    from tokenizers import pre_tokenizers

    backend = tokenizer.backend_tokenizer
    if kind != "gpt2" or not isinstance(backend.pre_tokenizer, pre_tokenizers.ByteLevel) or rule in AS_GPT2:
        return
    if rule not in DIGITS_APART:
        raise ModelError(
            f"{file}: its tokenizer splits text by the rule {rule or '(none)'!r}, which is not known here; "
            "use the original model, or another GGUF file of it"
        )
    by_words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), by_words])
