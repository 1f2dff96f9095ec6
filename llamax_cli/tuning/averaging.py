"""The mean of several models; the published LLaMAX is a mean of checkpoints."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llamax_cli import __version__
from llamax_cli.console import Progress, counted, say
from llamax_cli.documents import loads
from llamax_cli.errors import FileError, ModelError
from llamax_cli.models.config_file import read_config
from llamax_cli.models.fingerprint import fingerprint
from llamax_cli.models.model_files import find_descriptions
from llamax_cli.models.safetensors_writer import DTYPES
from llamax_cli.models.weight_files import Weights, write_weights
from llamax_cli.streams.atomic import atomic_folder

ALIKE = "only models of the same kind can be averaged"


def write_average(folders: Sequence[Path], output: Path, *, quiet: bool) -> None:
    """Write the mean of models into a new folder, which appears whole: weights, tokenizer and a model card.

    Each weight is averaged in fp32 and written in the number format of the first model, whose tokenizer and
    configuration are copied. A model that is named twice counts twice. ModelError if the models differ in kind.
    """
    started = time.monotonic()
    if output.exists() and output.samefile(Path()):
        raise FileError(f"{output} is the current folder; name a new folder for the mean")
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise FileError(f"{output} already exists; name a new folder for the mean")
    parents = [_open(folder) for folder in folders]
    for parent in parents[1:]:
        check_compatible(parents[0], parent)
    descriptions = find_descriptions(folders[0])  # its weights, its card and the traces of its training stay
    with atomic_folder(output) as partial:
        _average_weights(partial, parents, quiet=quiet)
        for path in descriptions:
            copy = partial / path.relative_to(folders[0])
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
        (partial / "README.md").write_text(model_card(folders), encoding="utf-8")
    if not quiet:
        count = len(parents[0].entries)
        say(
            "tune",
            f"the mean of {counted(len(folders), 'model')}, {counted(count, 'weight')}; {output}; "
            f"{time.monotonic() - started:.1f} s",
        )


def _open(folder: Path) -> Weights:
    read_config(str(folder))
    weights = Weights(folder)
    for name, entry in weights.entries.items():
        if entry.dtype not in DTYPES:
            raise ModelError(f"{folder}: {name} is in {entry.dtype}, which cannot be averaged")
    return weights


def _average_weights(folder: Path, parents: Sequence[Weights], *, quiet: bool) -> None:
    progress = Progress("tune", enabled=not quiet)
    done, total = 0, len(parents[0].entries)

    def tensor(name: str) -> Tensor:
        nonlocal done
        done += 1
        progress.update(done, lambda: (done, total))
        return average_weight(name, parents)

    try:
        write_weights(folder, parents[0], tensor)
    finally:
        progress.close()


def average_weight(name: str, parents: Sequence[Weights]) -> Tensor:
    """Return the mean of a weight in fp32; ModelError for whole numbers that are not the same in all models."""
    first = parents[0][name]
    if not first.is_floating_point():
        for parent in parents[1:]:
            if not torch.equal(parent[name], first):
                raise ModelError(
                    f"{name} holds whole numbers and differs in {parent.folder}; quantized models cannot be averaged"
                )
        return first
    total = first.to(torch.float32, copy=True)
    for parent in parents[1:]:
        total += parent[name]
    return total / len(parents)


# -- checks ------------------------------------------------------------------------------------------------------------


def check_compatible(first: Weights, other: Weights) -> None:
    """Raise ModelError if two models differ in architecture, in names or shapes of weights, or in vocabulary."""
    types = [read_config(str(weights.folder)).get("model_type") for weights in (first, other)]
    if types[0] != types[1]:
        raise ModelError(f"{other.folder} is a {types[1]}, {first.folder} a {types[0]}; {ALIKE}")
    for has, lacks in ((first, other), (other, first)):
        for name in has.entries:
            if name not in lacks.entries:
                raise ModelError(f"{lacks.folder} has no {name}, which {has.folder} has; {ALIKE}")
    for name, entry in first.entries.items():
        shapes = entry.shape, other.entries[name].shape
        if shapes[0] != shapes[1]:
            sizes = " and ".join(" x ".join(map(str, shape)) for shape in shapes)
            raise ModelError(f"{name} is {sizes} in {first.folder} and {other.folder}; {ALIKE}")
    vocabularies = [_read_vocabulary(weights.folder) for weights in (first, other)]
    if None not in vocabularies and vocabularies[0] != vocabularies[1]:
        raise ModelError(
            f"{first.folder} and {other.folder} have different vocabularies, so their weights do not match"
        )


def _read_vocabulary(folder: Path) -> Any:
    """Return the tokens of a model, None if it has no `tokenizer.json`."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        return None
    try:
        tokenizer = loads(path.read_text(encoding="utf-8"))
        added = {token["content"]: token["id"] for token in tokenizer.get("added_tokens") or ()}
        return tokenizer["model"].get("vocab"), added
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error


def model_card(folders: Sequence[Path]) -> str:
    """Return the model card, which names the averaged models with a hash of their files."""
    parents = "\n".join(f"- `{folder}`, xxh3 `{fingerprint(str(folder))}`" for folder in folders)
    return f"""---
library_name: transformers
pipeline_tag: text-generation
---

The mean of {len(folders)} models, weight by weight in fp32, by `llamax tune --average` (llamax {__version__}):

{parents}

Tokenizer and configuration are those of the first.
"""
