"""What a run takes, from the configuration of the model alone: memory of a GPU, disk space, work, days."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from llamax_cli.config import Training

ASSUMED_MFU = 0.4  # share of a GPU's peak that is assumed where nothing was measured
CONTEXT = 1.5e9  # bytes of a GPU that CUDA, its libraries and their buffers take
# Dense bf16 operations a second, as the makers state them, by what the name of a device contains; the first that fits.
PEAK_FLOPS = {
    "B200": 2250e12,
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H800": 989e12,
    "H20": 148e12,
    "A100": 312e12,
    "A800": 312e12,
    "L40S": 362e12,
    "A10G": 70e12,
}


class DataCounts(NamedTuple):
    """What an epoch is: `squares` is the sum of the squared lengths, `filled` the share of the blocks that is used.

    `left_out` says in a line which records are not trained on.
    """

    records: int
    tokens: int
    learned: int
    squares: int
    blocks: int
    steps: int
    filled: float
    left_out: str


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a model; `weights` counts the output's too where they are not tied to the input's."""

    layers: int
    hidden: int
    attention: int  # width of attention: heads x size of a head
    vocabulary: int
    layer_weights: int
    weights: int

    def flops(self, tokens: int, learned: int, squares: int) -> float:
        """Return the operations of a step; `squares` is the sum of the squared lengths of its documents.

        Forward and backward, causal attention counted as half, the head on learned tokens only, nothing for what is
        computed again.
        """
        body = 6.0 * self.layers * self.layer_weights * tokens
        attention = 6.0 * self.layers * self.attention * squares
        return body + attention + 6.0 * self.vocabulary * self.hidden * learned


def read_shape(config: Mapping[str, Any]) -> ModelShape:
    """Return the sizes that a `config.json` describes; KeyError where it lacks one.

    `read_shape(LLaMA-2 7B).weights -> 6738415616`
    """
    hidden, intermediate, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    heads = config["num_attention_heads"]
    size = config.get("head_dim") or hidden // heads
    kv_heads = config.get("num_key_value_heads") or heads
    layer = hidden * size * (2 * heads + 2 * kv_heads) + 3 * hidden * intermediate + 2 * hidden
    embeddings = config["vocab_size"] * hidden * (1 if config.get("tie_word_embeddings") else 2)
    weights = embeddings + layers * layer + hidden
    return ModelShape(layers, hidden, heads * size, config["vocab_size"], layer, weights)


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that one GPU needs."""

    weights: float  # with gradients and the optimizer's state: this rank's part
    gathered: float  # layers and head while they are computed with
    activations: float
    logits: float

    @property
    def total(self) -> float:
        """Return all of it."""
        return self.weights + self.gathered + self.activations + self.logits + CONTEXT


def estimate_memory(shape: ModelShape, training: Training, ranks: int) -> MemoryEstimate:
    """Return an estimate of the memory of each of `ranks` GPUs in bf16; a part of frozen weights is not counted out."""
    tokens = training.block * training.micro_batch
    weights = (4.0 * shape.weights + 12.0 * _trained_weights(shape, training)) / ranks
    outer = shape.weights - shape.layers * shape.layer_weights
    # In bf16: embeddings and head with their gradients, this layer and the next; a layer's gradient, in fp32 too.
    gathered = 4.0 * outer + 2 * 2.0 * shape.layer_weights + 6.0 * shape.layer_weights
    # What a layer keeps for the way back, and as much again in gradients while it is gone back through.
    inside = 4.0 * tokens * (8 * shape.hidden + 4 * shape.attention + 3 * (shape.layer_weights // (3 * shape.hidden)))
    kept = 2.0 * tokens * shape.hidden * shape.layers
    activations = kept + inside if training.gradient_checkpointing else inside * shape.layers
    logits = 10.0 * min(training.loss_chunk, tokens) * shape.vocabulary
    return MemoryEstimate(weights, gathered, activations, logits)


def _trained_weights(shape: ModelShape, training: Training) -> int:
    lora = 2 * training.lora * shape.layers * len(training.lora_targets) * shape.hidden
    return lora if training.lora else shape.weights


def disk_space(shape: ModelShape, training: Training) -> float:
    """Return the bytes that checkpoints and the final model need: one more than are kept, while it is written."""
    return (training.keep + 1) * 12.0 * _trained_weights(shape, training) + 4.0 * shape.weights


def free_disk_space(folder: Path) -> int:
    """Return the free bytes where a folder is or will be."""
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    return shutil.disk_usage(existing).free


def peak_flops(device: str) -> float | None:
    """Return the operations a second of a device by its name: `peak_flops("NVIDIA A100-SXM4-80GB") -> 312e12`."""
    return next((peak for name, peak in PEAK_FLOPS.items() if name in device), None)


def estimate_days(flops: float, device: str, ranks: int) -> float | None:
    """Return how long so many operations take at ASSUMED_MFU of the peak; None for a device without a known one.

    `estimate_days(1e21, "NVIDIA A100-SXM4-80GB", 24) -> 3.86`
    """
    peak = peak_flops(device)
    return flops / (peak * ranks * ASSUMED_MFU) / 86_400 if peak else None


def gigabytes(size: float) -> str:
    """Return bytes as a person reads them: `gigabytes(1.5e9) -> "1.5 GB"`."""
    return f"{size / 1e9:,.1f} GB"
