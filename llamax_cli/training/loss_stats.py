"""Losses by origin, language and direction, and the documents with the greatest loss."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from llamax_cli.models.packed_batch import Batch
from llamax_cli.models.samples import Sample
from llamax_cli.training.dataset import Dataset

# (kind, name) -> [sum of losses, learned tokens]; keys are such as ("origin", "para") and ("language", "sw").
Sums: TypeAlias = dict[tuple[str, str], list[float]]
KINDS: dict[str, Callable[[Sample], str]] = {
    "origin": lambda sample: sample.origin or "?",
    "language": lambda sample: sample.language,
    "direction": lambda sample: sample.direction,
}


class DocumentLoss(NamedTuple):
    """The loss of a document: the number of its record, its learned tokens and the sum of their losses."""

    number: int
    learned: int
    loss: float


def by_document(batch: Batch, losses: Tensor) -> Tensor:
    """Return the sum of the losses of each document of a batch, (documents,), without waiting for the device."""
    sums = torch.zeros(len(batch.numbers), dtype=torch.float32, device=losses.device)
    return sums.index_add_(0, batch.owners, losses.detach())


class LossStats:
    """The losses of the documents that this rank has seen since the statistics were last taken."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._kinds = kinds
        self._batches: list[tuple[Batch, Tensor]] = []

    def add(self, batch: Batch, sums: Tensor) -> None:
        """Add the losses of a batch's documents; the tensor is read from the device only when it is needed."""
        self._batches.append((batch, sums))

    def documents(self) -> list[tuple[Sample, DocumentLoss]]:
        """Return each document with its loss."""
        return [
            (sample, DocumentLoss(number, learned, loss))
            for batch, sums in self._batches
            for sample, number, learned, loss in zip(
                batch.samples, batch.numbers, batch.target_counts, sums.tolist(), strict=True
            )
        ]

    def take(self) -> Sums:
        """Return the sums by kind and name, and start again from nothing."""
        sums: Sums = defaultdict(lambda: [0.0, 0.0])
        for sample, document in self.documents():
            for kind in self._kinds:
                entry = sums[kind, KINDS[kind](sample)]
                entry[0] += document.loss
                entry[1] += document.learned
        self._batches = []
        return dict(sums)


def mean_losses(parts: Iterable[Sums]) -> dict[str, dict[str, float]]:
    """Return the mean loss by kind and name over the sums of all ranks: `{"origin": {"para": 2.31}}`."""
    total: Sums = defaultdict(lambda: [0.0, 0.0])
    for part in parts:
        for key, (loss, count) in part.items():
            total[key][0] += loss
            total[key][1] += count
    means: dict[str, dict[str, float]] = {}
    for (kind, name), (loss, count) in sorted(total.items()):
        means.setdefault(kind, {})[name] = rounded(loss / count)
    return means


def worst(documents: Iterable[DocumentLoss], count: int = 5) -> list[DocumentLoss]:
    """Return the documents with the greatest mean loss, those whose loss is not finite first."""

    def mean(document: DocumentLoss) -> float:
        value = document.loss / max(1, document.learned)
        return value if math.isfinite(value) else math.inf

    return sorted(documents, key=mean, reverse=True)[:count]


def describe(documents: Iterable[DocumentLoss], samples: Dataset) -> str:
    """Return where documents come from: `mix.jsonl:17 (flores:3), mix.jsonl:20`."""
    places = []
    for document in documents:
        identity = samples[document.number].id
        places.append(samples.where(document.number) + (f" ({identity})" if identity is not None else ""))
    return ", ".join(places)


def rounded(value: float) -> float:
    """Return a number with its significant digits: `rounded(2.3456789012) -> 2.3456789`."""
    return float(f"{value:.8g}")
