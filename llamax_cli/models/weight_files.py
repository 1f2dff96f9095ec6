"""Weights in the folder of a model, in safetensors or PyTorch files, read and written one tensor at a time."""

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from llamax_cli.errors import ModelError, because
from llamax_cli.models.model_files import WEIGHT_FILES, find_weights
from llamax_cli.models.safetensors_writer import INDEX, TensorShape, write_safetensors

STOPPING = (signal.SIGTERM, signal.SIGINT)


class TensorEntry(NamedTuple):
    """The file, the shape and the number format of a tensor."""

    file: Path
    shape: tuple[int, ...]
    dtype: torch.dtype


class Weights:
    """The tensors in a folder by name, in the order of the files; ModelError if they cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = _list_files(folder)
        self._readers = {path: _open_file(path) for path in self.files}
        self.entries = dict(self._read_entries())

    def _read_entries(self) -> Iterator[tuple[str, TensorEntry]]:
        for path, (names, tensor) in self._readers.items():
            for name in names:
                with _signals_held():
                    view = tensor(name)  # of the file: nothing is read yet
                yield name, TensorEntry(path, tuple(view.shape), view.dtype)

    def __getitem__(self, name: str) -> Tensor:
        """Return a tensor; a signal that arrives meanwhile is handled afterwards."""
        with _signals_held():
            return self._readers[self.entries[name].file][1](name)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back SIGTERM and Ctrl-C: safetensors calls Python and takes what a handler raises for its own error."""
    received: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: received.append(number)) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if received:
        signal.raise_signal(received[0])


def _list_files(folder: Path) -> list[Path]:
    if files := find_weights(folder):
        return files
    raise ModelError(f"{folder} has no weights ({' or '.join(WEIGHT_FILES)})")


def _open_file(path: Path) -> tuple[list[str], Callable[[str], Tensor]]:
    """Return the names in a file, and a function that returns the tensor of a name."""
    try:
        if path.suffix == ".safetensors":
            opened: Any = safe_open(path, framework="pt")
            return list(opened.keys()), opened.get_tensor
        loaded: Any = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: {because(error)}") from error
    except (SafetensorError, RuntimeError, UnpicklingError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {str(error).strip().splitlines()[0]}") from error
    named = loaded.items() if isinstance(loaded, dict) else [(None, loaded)]
    if not all(isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in named):
        raise ModelError(f"{path} holds something other than named weights")
    return list(loaded), loaded.__getitem__


def write_weights(
    folder: Path,
    weights: Weights,
    tensor: Callable[[str], Tensor],
    resized: Mapping[str, tuple[int, ...]] | None = None,
) -> None:
    """Write `tensor(name)` for each of the weights into a folder, sharded as these weights are.

    `resized` are the shapes of those that have another one than the weights.
    """
    count = len(weights.files)
    weight_map: dict[str, str] = {}
    total = 0
    for number, file in enumerate(weights.files, 1):
        entries = {name: entry for name, entry in weights.entries.items() if entry.file == file}
        name = f"model-{number:05}-of-{count:05}.safetensors" if count > 1 else "model.safetensors"
        shapes = {
            each: TensorShape(entry.dtype, (resized or {}).get(each, entry.shape)) for each, entry in entries.items()
        }
        write_safetensors(folder / name, shapes, tensor)
        total += sum(shape.bytes for shape in shapes.values())
        weight_map |= dict.fromkeys(entries, name)
    if count > 1:
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")
