"""What a run takes, from the configuration of the model alone: memory of a GPU, room on disk, work, days."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llamax_cli.config import Training

REACHED = 0.4  # share of a GPU's peak that is assumed where nothing was measured
CONTEXT = 1.5e9  # bytes of a GPU that CUDA, its libraries and their buffers take
# Dense bf16 operations a second, as the makers state them, by what the name of a device contains; the first that fits.
PEAKS = {
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


@dataclass(frozen=True)
class Shape:
    """The sizes of a model; `head` are the weights of the output, in `weights` too where they are not tied."""

    layers: int
    hidden: int
    inner: int  # width of attention: heads x size of a head
    vocabulary: int
    layer: int  # weights of a layer
    weights: int

    @property
    def head(self) -> int:
        """Return the weights that make logits."""
        return self.vocabulary * self.hidden

    def operations(self, tokens: int, learned: int, squares: int) -> float:
        """Return the operations of a step; `squares` is the sum of the squared lengths of its documents.

        Forward and backward, causal attention counted as half, the head on learned tokens only, nothing for what is
        computed again.
        """
        body = 6.0 * self.layers * self.layer * tokens
        attention = 6.0 * self.layers * self.inner * squares
        return body + attention + 6.0 * self.head * learned


def shape_of(config: Mapping[str, Any]) -> Shape:
    """Return the sizes that a `config.json` describes.

    `shape_of(LLaMA-2 7B).weights -> 6738415616`
    """
    hidden, intermediate, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    heads = config["num_attention_heads"]
    size = config.get("head_dim") or hidden // heads
    kv_heads = config.get("num_key_value_heads") or heads
    layer = hidden * size * (2 * heads + 2 * kv_heads) + 3 * hidden * intermediate + 2 * hidden
    embeddings = config["vocab_size"] * hidden * (1 if config.get("tie_word_embeddings") else 2)
    weights = embeddings + layers * layer + hidden
    return Shape(layers, hidden, heads * size, config["vocab_size"], layer, weights)


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that one GPU needs."""

    weights: float  # with gradients and the optimiser's memory: this rank's part
    gathered: float  # layers and head while they are computed with
    activations: float
    logits: float

    @property
    def total(self) -> float:
        """Return all of it."""
        return self.weights + self.gathered + self.activations + self.logits + CONTEXT


def memory_of(shape: Shape, training: Training, ranks: int) -> MemoryEstimate:
    """Return an estimate of the memory of each of `ranks` GPUs in bf16; a part of frozen weights is not counted out."""
    tokens = training.block * training.micro_batch
    lora = 2 * training.lora * shape.layers * len(training.lora_targets) * shape.hidden
    trained = lora if training.lora else shape.weights
    own = (4.0 * shape.weights + 12.0 * trained) / ranks
    outer = shape.weights - shape.layers * shape.layer
    # In bf16: embeddings and head with their gradients, this layer and the next; a layer's gradient, in fp32 too.
    gathered = 4.0 * outer + 2 * 2.0 * shape.layer + 6.0 * shape.layer
    # What a layer keeps for the way back, and as much again in gradients while it is gone back through.
    inside = 4.0 * tokens * (8 * shape.hidden + 4 * shape.inner + 3 * (shape.layer // (3 * shape.hidden)))
    kept = 2.0 * tokens * shape.hidden * shape.layers
    activations = kept + inside if training.gradient_checkpointing else inside * shape.layers
    logits = 10.0 * min(training.loss_chunk, tokens) * shape.vocabulary
    return MemoryEstimate(own, gathered, activations, logits)


def room_on_disk(shape: Shape, training: Training) -> float:
    """Return the bytes that checkpoints and the final model need: one more than are kept, while it is written."""
    trained = 2 * training.lora * shape.layers * len(training.lora_targets) * shape.hidden or shape.weights
    return (training.keep + 1) * 12.0 * trained + 4.0 * shape.weights


def peak_of(device: str) -> float | None:
    """Return the operations a second of a device by its name: `peak_of("NVIDIA A100-SXM4-80GB") -> 312e12`."""
    return next((peak for name, peak in PEAKS.items() if name in device), None)


def days_of(operations: float, device: str, ranks: int) -> float | None:
    """Return how long so many operations take if REACHED of the peak is reached; None for a device without a known one.

    `days_of(1e21, "NVIDIA A100-SXM4-80GB", 24) -> 3.86`
    """
    peak = peak_of(device)
    return operations / (peak * ranks * REACHED) / 86_400 if peak else None
