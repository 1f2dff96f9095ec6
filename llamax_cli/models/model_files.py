"""The files in a model's folder, found without torch: those of its weights, and those that may be copied.

A folder comes from somebody else, so a name or a link in it must not lead to the user's other files.
"""

import os
from pathlib import Path
from typing import Any

from llamax_cli.documents import loads
from llamax_cli.errors import ModelError

# In the order in which transformers looks for them; the index of a sharded file is NAME.index.json.
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
# What transformers reads besides, and what belongs to it.
DESCRIPTIONS = (
    *("config.json", "generation_config.json", "tokenizer*", "special_tokens_map.json", "added_tokens.json"),
    *("vocab*", "merges.txt", "*.model", "*.tiktoken", "chat_template*", "additional_chat_templates/*", "LICENSE*"),
)


def find_weights(folder: Path) -> list[Path]:
    """Return the files of a folder that hold its weights, sorted; none if there are no weights.

    ModelError for an index that cannot be read or that names a file outside of the folder.
    """
    for name in _names(folder):
        file = folder / name
        if file.is_file():
            return _shards(file) if name.endswith(".json") else [file]
    return []


def _names(folder: Path) -> list[str]:
    """Return the names that the weights may have: one that the configuration gives, or else the usual ones."""
    try:
        named = loads((folder / "config.json").read_bytes()).get("transformers_weights")
    except (OSError, ValueError, AttributeError):
        named = None  # whoever reads the configuration reports what is wrong with it
    if isinstance(named, str):
        _check_inside(folder, named, folder / "config.json")
        return [named]
    return [variant for name in WEIGHT_FILES for variant in (name, f"{name}.index.json")]


def _shards(index: Path) -> list[Path]:
    try:
        names: Any = sorted(set(loads(index.read_bytes())["weight_map"].values()))
        files = [index.parent / name for name in names]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} is not an index of weights: {error}") from error
    for name in names:
        _check_inside(index.parent, name, index)
    return files


def _check_inside(folder: Path, name: str, source: Path) -> None:
    if os.path.isabs(name) or os.path.normpath(name).split(os.sep)[0] == os.pardir:
        raise ModelError(f"{source} names {name}, which is outside of {folder}; a model's files are all in its folder")


def find_descriptions(folder: Path) -> list[Path]:
    """Return the files of a folder that describe its model: configuration, tokenizer, chat templates, licence; sorted.

    ModelError if one of them is a link to somewhere outside of the folder: a model that is made from this one would
    publish what nobody asked to publish.
    """
    found = {path for pattern in DESCRIPTIONS for path in folder.glob(pattern) if path.is_file()}
    for path in found:
        check_link(path, folder)
    return sorted(found)


def check_link(path: Path, folder: Path) -> None:
    """Raise ModelError for a file in a folder that is a link to somewhere outside of it.

    In the hub's cache files are links from `snapshots/REVISION` to `blobs` beside `snapshots`, which belong to the
    model as well.
    """
    folder = Path(os.path.realpath(folder))
    homes = [folder, *(parent.parent / "blobs" for parent in (folder, *folder.parents) if parent.name == "snapshots")]
    target = Path(os.path.realpath(path))
    if not any(target.is_relative_to(home) for home in homes):
        raise ModelError(f"{path} is a link to {target}, outside of its folder; replace the link by the file itself")
