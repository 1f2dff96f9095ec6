"""The embeddings of a model, read from its files without the rest of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from llamax_cli.errors import ModelError
from llamax_cli.models.config_file import read_config
from llamax_cli.models.weight_files import Weights

# How the architectures of transformers call the matrix of input embeddings; what both sides of an encoder-decoder share
# stands before the copies of it, and text before other kinds of tokens.
INPUT = (
    *("shared.weight", "model.embed_tokens.weight", "embed_tokens.weight", "wte.weight", "embed_in.weight"),
    *("word_embeddings.weight", "tok_embeddings.weight"),
)
OUTPUT = ("lm_head.weight", "embed_out.weight", "output_projection.weight")


class Matrix(NamedTuple):
    """A matrix of embeddings, tokens x dimensions, and its name in the files."""

    name: str
    rows: Tensor


def local_folder(model: str) -> Path:
    """Return the folder of a model, after fetching a model of the hub; ModelError if there is none."""
    read_config(model)
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download

    try:
        kinds = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.model", "*.bin"]
        kinds += ["*.jinja", "*.txt", "LICENSE*"]  # what else describes a model
        return Path(snapshot_download(model, allow_patterns=kinds))
    except (OSError, ValueError) as error:
        raise ModelError(f"{model}: the hub does not provide its weights: {str(error).splitlines()[0]}") from error


def input_embeddings(model: str) -> Matrix:
    """Return the input embeddings, in the number format of the file; ModelError if they are not found."""
    return _find(model, INPUT, "input")


def output_embeddings(model: str) -> Matrix:
    """Return the output embeddings, which are the input embeddings of a model that ties them."""
    is_tied = read_config(model).get("tie_word_embeddings", False)
    return input_embeddings(model) if is_tied else _find(model, OUTPUT, "output")


def _find(model: str, endings: Sequence[str], kind: str) -> Matrix:
    weights = Weights(local_folder(model))
    for name in matrix_names(weights, endings):
        return Matrix(name, weights[name])
    raise ModelError(f"{model} has no {kind} embeddings by a name that is known ({', '.join(endings)})")


def matrix_names(weights: Weights, endings: Sequence[str]) -> list[str]:
    """Return the names of matrices that end so, in the order of the endings."""
    return [
        name
        for ending in endings
        for name, entry in weights.entries.items()
        if (name == ending or name.endswith(f".{ending}")) and len(entry.shape) == 2
    ]
