"""Blocks as tensors, shared out among the ranks, and read ahead of the model."""

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from llamax_cli.config import BLOCKS
from llamax_cli.models.packed_batch import Batch, make_batch
from llamax_cli.models.sample_encoding import Encoder
from llamax_cli.training.dataset_cache import Dataset
from llamax_cli.training.sampler import DataPosition

AHEAD = 2  # steps that are read before the model asks for them

Item = TypeVar("Item")


class Step(NamedTuple):
    """The work of one rank in one step.

    `batches` are None where this rank has nothing to do while others still work; `records`, `learned` and `tokens`
    count records, learned tokens and tokens of all ranks; `state` is the place after it.
    """

    batches: list[Batch | None]
    records: int
    learned: int
    tokens: int
    state: DataPosition


@dataclass(frozen=True)
class Feed:
    """What one rank of several takes from the data: every `ranks`-th block of a step, `micro_batch` at a time.

    A step has `batch` blocks, or the blocks of about so many records where the `unit` is records.
    """

    prepared: Dataset
    encoder: Encoder
    batch: int
    micro_batch: int
    rank: int = 0
    ranks: int = 1
    unit: str = BLOCKS

    def steps(self, state: DataPosition) -> Iterator[Step]:
        """Yield the steps from a place to the end of its epoch."""
        plan = self.prepared.plan(state.epoch)
        plan.check(state)
        end = state.cursor
        while end < len(plan):
            start, end = end, plan.step_end(end, self.batch, self.unit)
            shares = -(-(end - start) // self.ranks)
            own = list(range(start + self.rank, end, self.ranks))
            places = range(0, shares, self.micro_batch)
            batches = [
                self._read([n for each in own[place : place + self.micro_batch] for n in plan.records(each)])
                for place in places
            ]
            records = plan.bins.items[plan.bins.starts[start] : plan.bins.starts[end]]
            learned = int(self.prepared.supervised[records].sum()) + len(records)  # and the end of each text
            tokens = int(self.prepared.lengths[records].sum())
            yield Step(batches, len(records), learned, tokens, state._replace(cursor=end))

    def _read(self, numbers: list[int]) -> Batch | None:
        if not numbers:
            return None
        samples = [self.prepared.samples[number] for number in numbers]
        return make_batch(self.encoder.encode(samples), numbers, samples)


def ahead(items: Iterable[Item], depth: int = AHEAD) -> Generator[Item, None, None]:
    """Yield the items, the next ones made meanwhile in a thread; what goes wrong there is raised here."""
    ready: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(depth)
    left = threading.Event()

    def put(item: Item | None, error: BaseException | None) -> bool:
        while not left.is_set():
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
        except BaseException as error:  # handed over, whatever it is
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
        left.set()
        # A thread that still frees a tensor while Python ends aborts the process.
        thread.join()
