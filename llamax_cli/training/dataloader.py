"""Packed batches for each rank, and reading them ahead of the model."""

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import torch

from llamax_cli.config import BLOCKS
from llamax_cli.models.packed_batch import Batch, make_batch
from llamax_cli.models.sample_encoding import Encoder
from llamax_cli.training.packed_dataset import PackedDataset
from llamax_cli.training.sampler import DataPosition

PREFETCHED = 2  # steps that are read before the model asks for them
CPU = torch.device("cpu")

Item = TypeVar("Item")


class Step(NamedTuple):
    """The work of one rank in one step of the optimizer.

    `batches` has None where this rank has nothing to do while others still compute; `records`, `learned` and `tokens`
    are the numbers of records, learned tokens and tokens of all ranks; `position` is the one after the step.
    """

    batches: list[Batch | None]
    records: int
    learned: int
    tokens: int
    position: DataPosition


@dataclass(frozen=True)
class DataLoader:
    """Reads the share of one rank: every `ranks`-th block of a step, `micro_batch` blocks to a batch.

    A step has `batch` blocks or, where the `unit` is records, the blocks of about that many records. Batches for a GPU
    are pinned.
    """

    data: PackedDataset
    encoder: Encoder
    batch: int
    micro_batch: int
    rank: int = 0
    ranks: int = 1
    unit: str = BLOCKS
    device: torch.device = CPU

    def steps(self, position: DataPosition) -> Iterator[Step]:
        """Yield the steps from a position to the end of its epoch."""
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)  # a thread that prefetches starts on the first GPU
        plan = self.data.plan(position.epoch)
        plan.check(position)
        end = position.cursor
        while end < len(plan):
            start, end = end, plan.step_end(end, self.batch, self.unit)
            blocks = list(range(start + self.rank, end, self.ranks))
            # All ranks have the same number of batches: that of the first rank, whose share is the largest.
            largest_share = -(-(end - start) // self.ranks)
            batches = [
                self._read([n for block in blocks[first : first + self.micro_batch] for n in plan.records(block)])
                for first in range(0, largest_share, self.micro_batch)
            ]
            records = plan.bins.items[plan.bins.starts[start] : plan.bins.starts[end]]
            learned = int(self.data.supervised[records].sum()) + len(records)  # each text's end is learned too
            tokens = int(self.data.lengths[records].sum())
            yield Step(batches, len(records), learned, tokens, position._replace(cursor=end))

    def _read(self, numbers: list[int]) -> Batch | None:
        if not numbers:
            return None
        samples = [self.data.samples[number] for number in numbers]
        batch = make_batch(self.encoder.encode(samples), numbers, samples)
        return batch.pin_memory() if self.device.type == "cuda" else batch


def prefetch(items: Iterable[Item], depth: int = PREFETCHED) -> Generator[Item, None, None]:
    """Yield the items while a thread makes the next ones; an error in the thread is raised where its item would be."""
    ready: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(depth)
    is_closed = threading.Event()

    def put(item: Item | None, error: BaseException | None) -> bool:
        while not is_closed.is_set():
            try:
                ready.put((item, error), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item, None):
                    return
            put(None, StopIteration())
        except BaseException as error:  # raised again in the main thread
            put(None, error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        is_closed.set()
        # A thread that still frees a tensor while Python exits aborts the process.
        thread.join()
