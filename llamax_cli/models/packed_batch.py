"""A batch of documents packed into one row, without padding."""

from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec
import torch
from torch import Tensor

from llamax_cli.models.sample_encoding import Encoded
from llamax_cli.models.samples import Sample


class Documents(msgspec.Struct, frozen=True):
    """The lengths of the documents in a row of tokens; `ends` (count + 1) are their borders, on the device.

    Neither this nor Batch is a dataclass, because FSDP searches dataclasses for tensors at every layer.
    """

    lengths: tuple[int, ...]
    ends: Tensor

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Return (length, number of neighbouring documents of that length), in order."""
        return [(length, len(list(group))) for length, group in groupby(self.lengths)]


class Batch(msgspec.Struct, frozen=True):
    """Documents one after the other in one row, the longest first.

    Tensors: `input_ids` and `position_ids` (1, tokens); `logits_to_keep` (n,), the places in the row whose logits
    predict a learned token; `targets` (n,), the learned tokens; `owners` (n,), the document each of them is in.
    Per document, known without waiting for the device: `target_counts`, how many of its tokens are learned, and
    `numbers` and `samples`, its record.
    """

    input_ids: Tensor
    position_ids: Tensor
    logits_to_keep: Tensor
    targets: Tensor
    owners: Tensor
    documents: Documents
    target_counts: tuple[int, ...]
    numbers: tuple[int, ...]
    samples: tuple[Sample, ...]

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device; the copy from pinned memory does not wait."""
        return self._with_tensors(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """Return the batch in page-locked memory, from which a GPU copies while the CPU goes on."""
        return self._with_tensors(lambda tensor: tensor.pin_memory())

    def _with_tensors(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        return msgspec.structs.replace(
            self,
            input_ids=change(self.input_ids),
            position_ids=change(self.position_ids),
            logits_to_keep=change(self.logits_to_keep),
            targets=change(self.targets),
            owners=change(self.owners),
            documents=Documents(self.documents.lengths, change(self.documents.ends)),
        )


def make_batch(encoded: Sequence[Encoded], numbers: Sequence[int], samples: Sequence[Sample]) -> Batch:
    """Return documents packed into one row; `numbers` and `samples` are their records."""
    order = sorted(range(len(encoded)), key=lambda place: -len(encoded[place].tokens))
    ordered = [encoded[place] for place in order]
    lengths = [len(document.tokens) for document in ordered]
    input_ids = torch.tensor([token for document in ordered for token in document.tokens])
    learned = torch.tensor([is_learned for document in ordered for is_learned in document.learned])
    position_ids = torch.cat([torch.arange(length) for length in lengths])
    owners = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    # The logits at a place predict the token after it, so the first token of a document is never learned.
    target_places = torch.nonzero(learned & (position_ids > 0))[:, 0]
    owners = owners[target_places]
    return Batch(
        input_ids=input_ids[None],
        position_ids=position_ids[None],
        logits_to_keep=target_places - 1,
        targets=input_ids[target_places],
        owners=owners,
        documents=Documents(tuple(lengths), torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)),
        target_counts=tuple(torch.bincount(owners, minlength=len(lengths)).tolist()),
        numbers=tuple(numbers[place] for place in order),
        samples=tuple(samples[place] for place in order),
    )


def idle_batch() -> Batch:
    """Return the smallest batch, for a rank that has no work left while others still compute."""
    return make_batch([Encoded([0, 0], [False, True])], [-1], [Sample("")])
