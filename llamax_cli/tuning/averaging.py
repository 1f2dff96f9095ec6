"""The mean of several models, as the published LLaMAX is one of checkpoints."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llamax_cli import __version__
from llamax_cli.console import Progress, say
from llamax_cli.errors import FileError, ModelError
from llamax_cli.models.config_file import read_config
from llamax_cli.models.fingerprint import fingerprint
from llamax_cli.streams.atomic import atomic_folder
from llamax_cli.tuning import weight_files as weighing
from llamax_cli.tuning.weight_files import KINDS, Weights

# What a model's folder has besides weights, its card and what its training left there.
KEPT = (
    *("config.json", "generation_config.json", "tokenizer*", "special_tokens_map.json", "added_tokens.json"),
    *("vocab*", "merges.txt", "*.model", "*.tiktoken", "chat_template*", "LICENSE*"),
)
ALIKE = "only models of one kind have a mean"


def write_average(folders: Sequence[Path], output: Path, *, quiet: bool) -> None:
    """Write the mean of models into a new folder, which appears whole: weights, tokenizer and a card.

    Each weight is the mean in fp32 of that weight in all models, in the number format of the first one; tokenizer and
    configuration are those of the first one. A model that is named twice counts twice. ModelError where the models are
    not of one kind.
    """
    started = time.monotonic()
    if output.exists() and output.samefile(Path()):
        raise FileError(f"{output} is the current folder; name a new folder for the mean")
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise FileError(f"{output} exists; name a new folder for the mean")
    parents = [_open(folder) for folder in folders]
    for parent in parents[1:]:
        check(parents[0], parent)
    with atomic_folder(output) as partial:
        _write_weights(partial, parents, quiet=quiet)
        for path in sorted({path for pattern in KEPT for path in folders[0].glob(pattern) if path.is_file()}):
            shutil.copyfile(path, partial / path.name)
        (partial / "README.md").write_text(card(folders), encoding="utf-8")
    if not quiet:
        count = len(parents[0].places)
        say(
            "tune",
            f"the mean of {len(folders)} models, {count:,} weights; {output}; {time.monotonic() - started:.1f} s",
        )


def _open(folder: Path) -> Weights:
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; a model of the hub has to be downloaded first")
    read_config(str(folder))
    found = Weights(folder)
    for name, place in found.places.items():
        if place.dtype not in KINDS:
            raise ModelError(f"{folder}: {name} is in {place.dtype}, which cannot be averaged")
    return found


def _write_weights(folder: Path, parents: Sequence[Weights], *, quiet: bool) -> None:
    progress = Progress("tune", enabled=not quiet)
    done, total = 0, len(parents[0].places)

    def tensor(name: str) -> Tensor:
        nonlocal done
        done += 1
        progress.update(done, lambda: (done, total))
        return mean(name, parents)

    try:
        weighing.write(folder, parents[0], tensor)
    finally:
        progress.close()


def mean(name: str, parents: Sequence[Weights]) -> Tensor:
    """Return the mean of a weight in fp32; what is no fraction has to be the same in all models."""
    first = parents[0][name]
    if not first.is_floating_point():
        for parent in parents[1:]:
            if not torch.equal(parent[name], first):
                raise ModelError(
                    f"{name} is of whole numbers and differs in {parent.folder}; quantized models have no mean"
                )
        return first
    total = first.to(torch.float32, copy=True)
    for parent in parents[1:]:
        total += parent[name]
    return total / len(parents)


# -- checks ------------------------------------------------------------------------------------------------------------


def check(one: Weights, other: Weights) -> None:
    """Raise ModelError where two models are not of one kind: architecture, names and shapes of weights, vocabulary."""
    kinds = [read_config(str(each.folder)).get("model_type") for each in (one, other)]
    if kinds[0] != kinds[1]:
        raise ModelError(f"{other.folder} is a {kinds[1]}, {one.folder} a {kinds[0]}; {ALIKE}")
    for has, lacks in ((one, other), (other, one)):
        for name in has.places:
            if name not in lacks.places:
                raise ModelError(f"{lacks.folder} has no {name}, which {has.folder} has; {ALIKE}")
    for name, place in one.places.items():
        shapes = place.shape, other.places[name].shape
        if shapes[0] != shapes[1]:
            sizes = " and ".join(" x ".join(map(str, shape)) for shape in shapes)
            raise ModelError(f"{name} is {sizes} in {one.folder} and {other.folder}; {ALIKE}")
    before, after = (_vocabulary(each.folder) for each in (one, other))
    if before is not None and after is not None and before != after:
        raise ModelError(f"{one.folder} and {other.folder} have different vocabularies, so their weights do not match")


def _vocabulary(folder: Path) -> Any:
    """Return the tokens of a model, None where they are not written as `tokenizer.json`."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        added = {each["content"]: each["id"] for each in found.get("added_tokens") or ()}
        return found["model"].get("vocab"), added
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error


def card(folders: Sequence[Path]) -> str:
    """Return the model card, which names the parents with a hash of their files."""
    parents = "\n".join(f"- `{folder}`, xxh3 `{fingerprint(str(folder))}`" for folder in folders)
    return f"""---
library_name: transformers
pipeline_tag: text-generation
---

The mean of {len(folders)} models, weight by weight in fp32, by `llamax tune --average` (llamax {__version__}):

{parents}

Tokenizer and configuration are those of the first.
"""
