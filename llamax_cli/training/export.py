"""The trained model as a plain Hugging Face folder, with a model card."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llamax_cli import __version__
from llamax_cli.config import Training
from llamax_cli.console import counted
from llamax_cli.errors import FileError
from llamax_cli.models import causal_lm, pretrained
from llamax_cli.models.bos import adds_bos
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.streams.atomic import atomic_folder
from llamax_cli.training.job import Job
from llamax_cli.training.process_group import Ranks

PACKAGES = ("torch", "transformers", "accelerate", "tokenizers", "peft")


def export(job: Job, model: CausalLM, tokenizer: Any, facts: Mapping[str, Any], ranks: Ranks) -> None:
    """Write the model to the folder `job.result`, complete or not at all: safetensors, tokenizer, settings, card.

    `facts` are what the card says. LoRA is merged into the weights, and also written to `adapter/`.
    """
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    weights: dict[str, Any] = get_model_state_dict(model, options=options)
    ranks.run_on_first(lambda: _write(job, weights, model.model.config, tokenizer, facts))


def _write(job: Job, weights: Mapping[str, Tensor], config: Any, tokenizer: Any, facts: Mapping[str, Any]) -> None:
    path, training = job.result, job.training
    weights = {name.removeprefix("model."): weight for name, weight in weights.items()}
    try:
        with atomic_folder(path, replace=True) as partial:
            if training.lora:
                _write_adapter(weights, training, job.model, partial / "adapter")
            _write_model(merge_lora(weights, training), config, job.model, partial)
            _write_tokenizer(tokenizer, partial)
            text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
            (partial / "training.json").write_text(text, encoding="utf-8")
            (partial / "README.md").write_text(card(facts), encoding="utf-8")
    except FileError as error:
        raise FileError(
            f"{error}; the last checkpoint is complete, and --resume auto writes the model again"
        ) from error


def _write_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer with the choice of training: whether it begins a text with bos.

    transformers 5 and vLLM read that in tokenizer.json; earlier versions of transformers, and the converter of
    llama.cpp, read `add_bos_token`, which transformers 5 leaves out.
    """
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {"add_bos_token": adds_bos(tokenizer)}
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def merge_lora(weights: Mapping[str, Tensor], training: Training) -> dict[str, Tensor]:
    """Return the weights with LoRA merged: W + alpha / rank x B A."""
    merged: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if ".lora_" in name:
            continue
        if ".base_layer." in name and name.endswith("weight"):
            stem = name.removesuffix(".base_layer.weight")
            low, high = weights[f"{stem}.lora_A.default.weight"], weights[f"{stem}.lora_B.default.weight"]
            weight = weight + training.lora_alpha / training.lora * (high @ low)
        merged[name.replace(".base_layer.", ".")] = weight
    return merged


def _write_model(weights: Mapping[str, Tensor], config: Any, source: str, folder: Path) -> None:
    model = causal_lm.empty_model(config)
    model.load_state_dict(weights, assign=True)
    model.tie_weights()
    # The precision of the original model; a model with new weights stays in fp32.
    model.to(config.dtype or torch.float32)
    model.generation_config = _generation_config(source, config)
    model.save_pretrained(folder)


def _generation_config(source: str, config: Any) -> Any:
    import transformers

    if (Path(source) / "generation_config.json").is_file() or not Path(source).exists():
        try:
            return pretrained.load_generation_config(source)
        except OSError:
            pass  # a model on the hub need not have one
    generation_config: Any = transformers.GenerationConfig
    tokens = {name: getattr(config, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return generation_config(**tokens)


def _write_adapter(weights: Mapping[str, Tensor], training: Training, source: str, folder: Path) -> None:
    from safetensors.torch import save_file

    config = causal_lm.lora_config(training)
    config.base_model_name_or_path = source
    config.save_pretrained(folder)
    adapter = {
        f"base_model.model.{name.replace('.default.', '.')}": weight.contiguous()
        for name, weight in weights.items()
        if ".lora_" in name
    }
    save_file(adapter, folder / "adapter_model.safetensors")


def versions() -> dict[str, str]:
    """Return the versions of llamax and the libraries that a model is trained with."""
    return {"llamax": __version__, **{name: version(name) for name in PACKAGES}}


def card(facts: Mapping[str, Any]) -> str:
    """Return the model card: what the model was trained from, on which data, and with which settings."""
    data = "\n".join(
        f"- `{file['path']}`: {counted(file['records'], 'record')}, xxh3 `{file['digest']}`" for file in facts["data"]
    )
    settings = "\n".join(f"| {key} | {value} |" for key, value in facts["training"].items())
    libraries = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    size = ", ".join(counted(facts[f"{noun}s"], noun) for noun in ("step", "record", "token"))
    origin = "from weights drawn at random" if facts["init"] else "from"
    return f"""---
library_name: transformers
pipeline_tag: text-generation
---

Trained by `llamax {facts["command"]}` {origin} `{facts["model"]}`:
{size}. Seed {facts["training"]["seed"]}.

## Data

{data}

## Settings

| setting | value |
|---|---|
{settings}

Versions: {libraries}.
"""
