"""Losses by origin, language and direction, and the documents that lost most."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from llamax_cli.models.packed_batch import Batch
from llamax_cli.models.samples import Sample
from llamax_cli.training.dataset import Samples

# (kind, name) -> [sum of losses, learned tokens]: ("origin", "para"), ("language", "sw").
Sums: TypeAlias = dict[tuple[str, str], list[float]]
KINDS: dict[str, Callable[[Sample], str]] = {
    "origin": lambda sample: sample.origin or "?",
    "language": lambda sample: sample.language,
    "direction": lambda sample: sample.direction,
}


class Document(NamedTuple):
    """What a document lost: the record, its learned tokens and the sum of their losses."""

    number: int
    learned: int
    loss: float


def by_document(batch: Batch, losses: Tensor) -> Tensor:
    """Return the sum of the losses of each document of a batch, (documents,), without waiting for the device."""
    sums = torch.zeros(len(batch.numbers), dtype=torch.float32, device=losses.device)
    return sums.index_add_(0, batch.owners, losses.detach())


class LossStats:
    """Losses of the documents that this rank has seen since the meter was emptied."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._kinds = kinds
        self._seen: list[tuple[Batch, Tensor]] = []

    def add(self, batch: Batch, sums: Tensor) -> None:
        """Note what the documents of a batch lost; it stays on the device until somebody asks."""
        self._seen.append((batch, sums))

    def documents(self) -> list[tuple[Sample, Document]]:
        """Return what each document lost."""
        return [
            (sample, Document(number, learned, loss))
            for batch, sums in self._seen
            for sample, number, learned, loss in zip(
                batch.samples, batch.numbers, batch.target_counts, sums.tolist(), strict=True
            )
        ]

    def take(self) -> Sums:
        """Return the sums by kind and name, and begin anew."""
        sums: Sums = defaultdict(lambda: [0.0, 0.0])
        for sample, document in self.documents():
            for kind in self._kinds:
                entry = sums[kind, KINDS[kind](sample)]
                entry[0] += document.loss
                entry[1] += document.learned
        self._seen = []
        return dict(sums)


def merged(parts: Iterable[Sums]) -> dict[str, dict[str, float]]:
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


def worst(documents: Iterable[Document], count: int = 5) -> list[Document]:
    """Return the documents with the greatest loss a token, those without a number first."""

    def order(document: Document) -> float:
        mean = document.loss / max(1, document.learned)
        return mean if math.isfinite(mean) else math.inf

    return sorted(documents, key=order, reverse=True)[:count]


def named(documents: Iterable[Document], samples: Samples) -> str:
    """Return where documents stand: `mix.jsonl:17 (flores:3), mix.jsonl:20`."""
    places = []
    for document in documents:
        identity = samples[document.number].id
        places.append(samples.where(document.number) + (f" ({identity})" if identity is not None else ""))
    return ", ".join(places)


def rounded(value: float) -> float:
    """Return a number with the digits that mean something: `rounded(2.3456789012) -> 2.3456789`."""
    return float(f"{value:.8g}")
