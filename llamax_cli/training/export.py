"""The trained model as a plain Hugging Face folder, with a model card."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.distributed.tensor import DTensor

from llamax_cli import __version__
from llamax_cli.config import Training
from llamax_cli.console import counted
from llamax_cli.errors import FileError, because
from llamax_cli.models import causal_lm, pretrained
from llamax_cli.models.bos import adds_bos
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.safetensors_writer import INDEX, TensorShape, file_order, write_safetensors
from llamax_cli.streams.atomic import atomic_folder
from llamax_cli.streams.manifest import package_version
from llamax_cli.training.job import Job
from llamax_cli.training.process_group import Ranks

LARGEST_FILE = 50 * 10**9  # bytes, as the library divides a model
PACKAGES = ("torch", "transformers", "accelerate", "tokenizers", "peft")


def export(job: Job, model: CausalLM, config: Any, tokenizer: Any, facts: Mapping[str, Any], ranks: Ranks) -> None:
    """Write the model to the folder `job.result`, complete or not at all: safetensors, tokenizer, settings, card.

    `config` is that of the original model, `facts` are what the card says. LoRA is merged into the weights, and also
    written to `adapter/`. The ranks gather one weight at a time, which the first rank writes, so that none ever holds
    the whole model.
    """
    plan = _plan(job, config)
    weights = _gather(model, plan, job.training, ranks)
    if not ranks.is_first:
        for _ in weights:
            pass
    ranks.run_on_first(lambda: _write(job, plan, weights, tokenizer, facts))


@dataclass(frozen=True)
class Plan:
    """The model that is written, without its weights; `split` is how the library divides them into files."""

    model: Any
    shapes: Mapping[str, TensorShape]
    split: Any

    def files(self) -> dict[str, dict[str, TensorShape]]:
        """Return the weights of each file."""
        return {
            file: {name: self.shapes[name] for name in names} for file, names in self.split.filename_to_tensors.items()
        }


def _plan(job: Job, config: Any) -> Plan:
    from huggingface_hub import split_torch_state_dict_into_shards

    # The precision of the original model; a model with new weights stays in fp32.
    dtype = torch.float32 if job.init else config.dtype or torch.float32
    model = causal_lm.empty_model(config).to(device="meta", dtype=dtype)
    model.tie_weights()
    weights = dict(model.named_parameters())  # of tied ones, the first only
    shapes = {name: TensorShape(weight.dtype, tuple(weight.shape)) for name, weight in weights.items()}
    return Plan(model, shapes, split_torch_state_dict_into_shards(weights, max_shard_size=LARGEST_FILE))


Adapter: TypeAlias = dict[str, Tensor]


def _gather(model: CausalLM, plan: Plan, training: Training, ranks: Ranks) -> Iterator[Tensor | Adapter]:
    """Yield, on the first rank, the weights of LoRA and then each weight of a plan, on the CPU; on all ranks together.

    The other ranks yield nothing of use.
    """
    parts = {name.removeprefix("model."): weight for name, weight in model.named_parameters(remove_duplicate=False)}
    adapter = {name: _whole(weight, ranks) for name, weight in parts.items() if ".lora_" in name}
    yield adapter
    weights = {name.replace(".base_layer.", "."): weight for name, weight in parts.items() if name not in adapter}
    for name in chain.from_iterable(map(file_order, plan.files().values())):
        dtype, stem = plan.shapes[name].dtype, name.removesuffix(".weight")
        if f"{stem}.lora_A.default.weight" not in adapter:
            yield _whole(weights[name].to(dtype), ranks)
            continue
        weight = _whole(weights[name], ranks)
        if ranks.is_first:
            low, high = adapter[f"{stem}.lora_A.default.weight"], adapter[f"{stem}.lora_B.default.weight"]
            weight = (weight + training.lora_alpha / training.lora * (high @ low)).to(dtype)
        yield weight


def _whole(weight: Tensor, ranks: Ranks) -> Tensor:
    """Return a weight on the CPU, whole on the first rank and empty on the others, which take part in gathering it."""
    weight = weight.detach()
    whole = weight.full_tensor() if isinstance(weight, DTensor) else weight
    return whole.cpu() if ranks.is_first else torch.empty(0)


def _write(job: Job, plan: Plan, weights: Iterator[Any], tokenizer: Any, facts: Mapping[str, Any]) -> None:
    """Write the folder from the weights of `_gather`, which are taken to their end even if it cannot be written."""
    path, training = job.result, job.training
    try:
        with atomic_folder(path, replace=True) as partial:
            adapter = next(weights)
            if training.lora:
                _write_adapter(adapter, training, job.model, partial / "adapter")
            plan.model.generation_config = _generation_config(job.model, plan.model.config)
            _write_model(plan, weights, partial)
            _write_tokenizer(tokenizer, partial)
            text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
            (partial / "training.json").write_text(text, encoding="utf-8")
            (partial / "README.md").write_text(card(facts), encoding="utf-8")
    except FileError as error:
        for _ in weights:  # the other ranks gather them all
            pass
        raise FileError(
            f"{error}; the last checkpoint is complete, and --resume auto writes the model again"
        ) from error


def _write_model(plan: Plan, weights: Iterator[Tensor], folder: Path) -> None:
    """Write what the library's `save_pretrained` writes, one weight at a time."""
    plan.model.save_pretrained(folder, state_dict={})  # the settings
    for file, shapes in plan.files().items():
        write_safetensors(folder / file, shapes, lambda name: next(weights))
    if plan.split.is_sharded:
        metadata = {"total_parameters": plan.model.num_parameters(), **plan.split.metadata}
        index = {"metadata": metadata, "weight_map": plan.split.tensor_to_filename}
        text = json.dumps(index, indent=2, sort_keys=True) + "\n"
        (folder / INDEX).write_text(text, encoding="utf-8")


def _write_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer with the choice of training: whether it begins a text with bos.

    transformers 5 and vLLM read that in tokenizer.json; earlier versions of transformers, and the converter of
    llama.cpp, read `add_bos_token`, which transformers 5 leaves out.
    """
    with _library_errors(folder):
        tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {"add_bos_token": adds_bos(tokenizer)}
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _generation_config(source: str, config: Any) -> Any:
    import transformers

    path = Path(source) / "generation_config.json"
    if path.is_file() or not Path(source).exists():
        try:
            return pretrained.load_generation_config(source)
        except OSError as error:  # a model on the hub need not have one, and another may be no JSON
            if path.is_file() and _is_json(path):
                raise FileError(f"{path}: {because(error)}") from error
    generation_config: Any = transformers.GenerationConfig
    tokens = {name: getattr(config, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return generation_config(**tokens)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


def _write_adapter(weights: Mapping[str, Tensor], training: Training, source: str, folder: Path) -> None:
    from safetensors.torch import save_file

    config = causal_lm.lora_config(training)
    config.base_model_name_or_path = source
    config.save_pretrained(folder)
    adapter = {
        f"base_model.model.{name.replace('.default.', '.')}": weight.contiguous() for name, weight in weights.items()
    }
    with _library_errors(folder):
        save_file(adapter, folder / "adapter_model.safetensors")


@contextmanager
def _library_errors(folder: Path) -> Iterator[None]:
    """Raise FileError where a library in Rust cannot write: safetensors has an error for it, tokenizers Exception."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, SafetensorError) and type(error) is not Exception:
            raise
        reason = re.search(r"([^:]+) \(os error \d+\)", str(error))
        raise FileError(f"{folder}: {reason[1].strip().lower() if reason else error}") from error


def versions() -> dict[str, str]:
    """Return the versions of llamax and the libraries that a model is trained with."""
    return {"llamax": __version__, **{name: package_version(name) for name in PACKAGES}}


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
