"""The end of a run: a plain Hugging Face folder, with a card that says what it came from."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llamax_cli import __version__
from llamax_cli.config import Training
from llamax_cli.errors import FileError
from llamax_cli.models import causal_lm as learning
from llamax_cli.streams.atomic import atomic_folder
from llamax_cli.training.process_group import Ranks

PACKAGES = ("torch", "transformers", "accelerate", "tokenizers", "peft")


def export(
    learner: Any, training: Training, source: str, tokenizer: Any, facts: Mapping[str, Any], path: Path, ranks: Ranks
) -> None:
    """Write the model to a folder that appears whole: safetensors, tokenizer, generation settings, card.

    `source` is the model that was trained on; LoRA is merged, and stands besides in `adapter/`.
    """
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    weights: dict[str, Any] = get_model_state_dict(learner, options=options)
    ranks.first(lambda: _write(weights, learner.model.config, training, source, tokenizer, facts, path))


def _write(
    weights: Mapping[str, Tensor],
    config: Any,
    training: Training,
    source: str,
    tokenizer: Any,
    facts: Mapping[str, Any],
    path: Path,
) -> None:
    weights = {name.removeprefix("model."): weight for name, weight in weights.items()}
    try:
        with atomic_folder(path, replace=True) as partial:
            if training.lora:
                _write_adapter(weights, training, source, partial / "adapter")
            _write_model(merged(weights, training), config, source, partial)
            tokenizer.save_pretrained(partial)
            text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
            (partial / "training.json").write_text(text, encoding="utf-8")
            (partial / "README.md").write_text(card(facts), encoding="utf-8")
    except FileError as error:
        raise FileError(f"{error}; the last checkpoint is whole, --resume auto writes the model again") from error


def merged(weights: Mapping[str, Tensor], training: Training) -> dict[str, Tensor]:
    """Return the weights with LoRA added in: W + alpha / rank x B A."""
    plain: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if ".lora_" in name:
            continue
        if ".base_layer." in name and name.endswith("weight"):
            stem = name.removesuffix(".base_layer.weight")
            low, high = weights[f"{stem}.lora_A.default.weight"], weights[f"{stem}.lora_B.default.weight"]
            weight = weight + training.lora_alpha / training.lora * (high @ low)
        plain[name.replace(".base_layer.", ".")] = weight
    return plain


def _write_model(weights: Mapping[str, Tensor], config: Any, source: str, folder: Path) -> None:
    model = learning.skeleton(config)
    model.load_state_dict(weights)
    # As precise as what was trained on; a model from nothing stays fp32.
    model.to(config.dtype or torch.float32)
    model.generation_config = _generation(source, config)
    model.save_pretrained(folder)


def _generation(source: str, config: Any) -> Any:
    import transformers

    if (Path(source) / "generation_config.json").is_file() or not Path(source).exists():
        try:
            return transformers.GenerationConfig.from_pretrained(source)
        except OSError:
            pass  # a model of the hub need not have one
    kind: Any = transformers.GenerationConfig
    return kind(bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id)


def _write_adapter(weights: Mapping[str, Tensor], training: Training, source: str, folder: Path) -> None:
    from safetensors.torch import save_file

    config = learning.lora_config(training)
    config.base_model_name_or_path = source
    config.save_pretrained(folder)
    adapter = {
        f"base_model.model.{name.replace('.default.', '.')}": weight.contiguous()
        for name, weight in weights.items()
        if ".lora_" in name
    }
    save_file(adapter, folder / "adapter_model.safetensors")


def versions() -> dict[str, str]:
    """Return what a model was made with."""
    return {"llamax": __version__, **{name: version(name) for name in PACKAGES}}


def card(facts: Mapping[str, Any]) -> str:
    """Return the model card: what the model was trained from, on what, and how."""
    data = "\n".join(
        f"- `{each['path']}`: {each['records']:,} records, xxh3 `{each['digest']}`" for each in facts["data"]
    )
    settings = "\n".join(f"| {key} | {value} |" for key, value in facts["training"].items())
    used = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    beginning = "from weights drawn at random" if facts["init"] else "from"
    return f"""---
library_name: transformers
pipeline_tag: text-generation
---

Trained by `llamax {facts["command"]}` {beginning} `{facts["model"]}`:
{facts["steps"]:,} steps, {facts["records"]:,} records, {facts["tokens"]:,} tokens. Seed {facts["training"]["seed"]}.

## Data

{data}

## Settings

| setting | value |
|---|---|
{settings}

Versions: {used}.
"""
