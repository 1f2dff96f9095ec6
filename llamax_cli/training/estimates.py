"""What a run takes, estimated from the configuration of the model: memory of a GPU, disk space, operations, days."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from llamax_cli.config import ALL_LINEAR, LINEAR_LAYERS, NODE, SELECTIVE, Training, syncs_each_batch
from llamax_cli.errors import ModelError
from llamax_cli.training.machines import Machines

ASSUMED_MFU = 0.4  # model FLOPs utilization, the share of the peak that a GPU reaches, if no throughput is given
BYTES_SAVED = 12  # by a checkpoint for each trained weight: itself and the two moments of AdamW, in fp32
CONTEXT = 1.5e9  # bytes of GPU memory for CUDA, its libraries and their buffers
# Dense bf16 operations a second, as the makers state them, by part of the device name; the first match counts.
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
    """The size of an epoch: `squares` is the sum of the squared lengths, `filled` the used share of the blocks.

    `left_out` says in one line which records are not trained on, `bos` what begins each sample,
    `literals` how many special tokens are spelled out in them.
    """

    records: int
    tokens: int
    learned: int
    squares: int
    blocks: int
    steps: int
    filled: float
    left_out: str
    bos: str
    literals: str = ""


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a model; `weights` includes those of the output layer unless they are tied to the input's."""

    layers: int
    hidden: int
    attention: int  # number of heads x size of a head
    vocabulary: int
    layer_weights: int
    weights: int

    def flops(self, tokens: int, learned: int, squares: int) -> float:
        """Return the floating-point operations of a step; `squares` is the sum of the squared lengths of its documents.

        This counts the forward and the backward pass, half of the attention since it is causal, and the output layer
        on learned tokens only. Recomputed activations are not counted.
        """
        body = 6.0 * self.layers * self.layer_weights * tokens
        attention = 6.0 * self.layers * self.attention * squares
        return body + attention + 6.0 * self.vocabulary * self.hidden * learned


def read_shape(config: Mapping[str, Any]) -> ModelShape:
    """Return the sizes that a `config.json` describes; KeyError if one is missing, ModelError if one is no size.

    `read_shape(LLaMA-2 7B).weights -> 6738415616`
    """
    hidden, intermediate, layers, heads, vocabulary = (
        _size(config, name)
        for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
    )
    size = _size(config, "head_dim") if config.get("head_dim") else hidden // heads
    kv_heads = _size(config, "num_key_value_heads") if config.get("num_key_value_heads") else heads
    layer = hidden * size * (2 * heads + 2 * kv_heads) + 3 * hidden * intermediate + 2 * hidden
    embeddings = vocabulary * hidden * (1 if config.get("tie_word_embeddings") else 2)
    weights = embeddings + layers * layer + hidden
    return ModelShape(layers, hidden, heads * size, vocabulary, layer, weights)


def _size(config: Mapping[str, Any], name: str) -> int:
    value = config[name]
    if type(value) is not int or not 0 < value < 1 << 48:
        raise ModelError(f"config.json: {name} is {value!r:.40}, which is no size")
    return value


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that one GPU needs."""

    weights: float  # with optimizer state, this rank's shard, and its part of the gradients
    gathered: float  # unsharded layers and output layer during the computation
    activations: float
    logits: float

    @property
    def total(self) -> float:
        """The sum, with the memory that CUDA itself takes."""
        return self.weights + self.gathered + self.activations + self.logits + CONTEXT


def estimate_memory(shape: ModelShape, training: Training, machines: Machines) -> MemoryEstimate:
    """Return the estimated memory of each GPU of the machines in bf16; frozen weights count as trained."""
    tokens = training.block * training.micro_batch
    trained = _trained_weights(shape, training)
    weights = (4.0 * shape.weights + 12.0 * trained) / _ranks_of_a_copy(training, machines)
    if machines.ranks > 1 and not syncs_each_batch(training) and _micro_batches(training, machines) > 1:
        weights += 4.0 * trained  # the gradient, whole until the last micro-batch of a step
    outer = shape.weights - shape.layers * shape.layer_weights
    # Embeddings and output layer with gradients, this layer and the next, all in bf16; a layer's gradient in both.
    gathered = 4.0 * outer + 2 * 2.0 * shape.layer_weights + 6.0 * shape.layer_weights
    # What a layer keeps for the backward pass, in bf16, and as much again for the gradients of the layer at work.
    intermediate = shape.layer_weights // (3 * shape.hidden)
    inside = 2.0 * tokens * (8 * shape.hidden + 4 * shape.attention + 3 * intermediate)
    kept = inside
    if training.gradient_checkpointing:
        kept = 2.0 * tokens * shape.hidden
    if training.gradient_checkpointing == SELECTIVE:  # every second product, and the output of attention
        kept += 2.0 * tokens * (shape.hidden + 3 * shape.attention + intermediate)
    activations = kept * shape.layers + inside * (2 if training.gradient_checkpointing else 1)
    logits = 10.0 * min(training.loss_chunk, tokens) * shape.vocabulary
    return MemoryEstimate(weights, gathered, activations, logits)


def estimate_traffic(shape: ModelShape, training: Training, machines: Machines) -> float:
    """Return the bytes that every machine receives from the others in a step; 0 for a single machine.

    A layer is gathered for the forward and for the backward pass of each micro-batch, in bf16, and the rest of the
    model once; gradients are summed in fp32. The ranks pass both on in a ring.
    """
    if machines.count == 1:
        return 0.0
    batches = _micro_batches(training, machines)
    gradient = 4.0 * _trained_weights(shape, training)
    if training.shard == NODE:  # the sum of what each machine has, and its way back
        return 2 * gradient * (machines.count - 1) / machines.count
    outer = shape.weights - shape.layers * shape.layer_weights
    gathered = 2.0 * (2 * shape.layers * shape.layer_weights + outer) * batches
    summed = gradient * (batches if syncs_each_batch(training) else 1)
    return (gathered + summed) * (machines.ranks - 1) / machines.ranks


def _micro_batches(training: Training, machines: Machines) -> int:
    """Return how many micro-batches a GPU has in a step; a batch of records counts as one of as many blocks."""
    return -(-training.batch // (training.micro_batch * machines.ranks))


def _ranks_of_a_copy(training: Training, machines: Machines) -> int:
    """Return how many ranks share a copy of the model."""
    return machines.processes if training.shard == NODE else machines.ranks


def _trained_weights(shape: ModelShape, training: Training) -> int:
    targets = LINEAR_LAYERS if training.lora_targets == (ALL_LINEAR,) else training.lora_targets
    lora = 2 * training.lora * shape.layers * len(targets) * shape.hidden
    return lora if training.lora else shape.weights


def disk_space(shape: ModelShape, training: Training) -> float:
    """Return the bytes for the checkpoints that are kept, one more while it is written, and the final model."""
    return (training.keep + 1) * float(BYTES_SAVED) * _trained_weights(shape, training) + 4.0 * shape.weights


def free_disk_space(folder: Path) -> int:
    """Return the free bytes on the disk where a folder is or will be."""
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    return shutil.disk_usage(existing).free


def peak_flops(device: str) -> float | None:
    """Return the peak FLOPS of a device, None if unknown: `peak_flops("NVIDIA A100-SXM4-80GB") -> 312e12`."""
    return next((peak for name, peak in PEAK_FLOPS.items() if name in device), None)


def estimate_days(flops: float, device: str, ranks: int) -> float | None:
    """Return the days that operations take at ASSUMED_MFU of the peak; None for a device whose peak is unknown.

    `estimate_days(1e21, "NVIDIA A100-SXM4-80GB", 24) -> 3.86`
    """
    peak = peak_flops(device)
    return flops / (peak * ranks * ASSUMED_MFU) / 86_400 if peak else None


def gigabytes(size: float) -> str:
    """Return bytes as a person reads them: `gigabytes(1.5e9) -> "1.5 GB"`."""
    return f"{size / 1e9:,.1f} GB"
