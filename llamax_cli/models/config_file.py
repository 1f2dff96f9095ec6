"""A model's config.json: found in a folder or on the hub, and read without torch or transformers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llamax_cli.documents import loads
from llamax_cli.errors import ModelError, because

# Decoders that call attention through transformers' interface, and whose logits are the output of the head, scaled or
# bounded at most: what train supports. The tests compare each with the library's own loss.
TRAINABLE = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "olmo2", "phi3", "cohere")
# Those of them that our own beam search does not know, which translates held-out lines during training.
WITHOUT_SEARCH = {"gemma2", "gemma3_text", "olmo2", "phi3"}


def check_model_path(model: str) -> None:
    """Raise ModelError for a folder without config.json, and for what looks like a path but does not exist."""
    path = Path(model)
    if path.is_dir():
        if (path / "config.json").is_file():
            return
        if (path / "model" / "config.json").is_file():
            raise ModelError(f"{model} is the output folder of a run; its model is in {path / 'model'}")
        if files := sorted(path.glob("*.gguf")):
            raise ModelError(f"{model} is not a model folder: config.json is missing; name the file: {files[0]}")
        raise ModelError(f"{model} is not a model folder: config.json is missing")
    if path.suffix == ".gguf":
        raise ModelError(f"{model}: no such file")
    if not path.exists() and (model.startswith((".", "/", "~")) or model.count("/") > 1):
        raise ModelError(f"{model}: no such folder")


def check_adapter_path(adapter: str) -> None:
    """Raise ModelError for a folder without an adapter, and for what is neither a folder nor a name on the hub."""
    if "{group}" in adapter:  # each group's is looked at once a direction needs it
        return
    path = Path(adapter)
    if path.is_dir() and not (path / "adapter_config.json").is_file():
        raise ModelError(f"--lora {adapter} is not the folder of an adapter: adapter_config.json is missing")
    if not path.is_dir() and (adapter.startswith((".", "/", "~")) or adapter.count("/") != 1):
        raise ModelError(f"--lora {adapter}: no such folder")


def read_config(model: str) -> dict[str, Any]:
    """Return the configuration of a folder, of a file or of a model on the hub; ModelError if there is none."""
    check_model_path(model)
    path = Path(model)
    if path.is_dir():
        path = path / "config.json"
    elif not path.is_file():
        path = _download(model)
    try:
        config = loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {because(error)}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} is not a model's configuration")
    return config


def check_architecture(model: str, architecture: str) -> None:
    """Raise ModelError for an architecture that cannot be trained."""
    if architecture not in TRAINABLE:
        raise ModelError(f"{model} has the architecture {architecture}; train supports {', '.join(TRAINABLE)}")


def check_block(config: Mapping[str, Any], block: int) -> None:
    """Raise ModelError for a block of more tokens than a model has positions."""
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and 0 < positions < block:
        raise ModelError(f"a block of {block:,} tokens is longer than the model's {positions:,} positions; set block")


def _download(model: str) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(model, "config.json"))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{model} is not a folder here, and the hub does not provide it: {reason}") from error
