"""The group of processes that train together: who this one is, and what all of them agree on."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import distributed
from torch.distributed.distributed_c10d import _get_default_store, _set_pg_timeout, _world

from llamax_cli import ranks as environment
from llamax_cli.errors import FileError, LlamaxError, because
from llamax_cli.training.rank_store import RankStore

PATIENCE = timedelta(days=2)  # the other ranks wait while rank 0 tokenizes the data or writes the model
# On a GPU, the watchdog ends a rank that waits too long with one line; NCCL would do so with pages.
MARGIN = timedelta(minutes=1)
ON_ALL_RANKS = "on all ranks"
TIMED_OUT = "another rank hangs, or is slower by more than collective_timeout"
LOST = "another rank ended unexpectedly"
NOT_JOINED = "not all ranks have started in time"
# What the messages of gloo, NCCL and torch's store contain, the cause before its consequences.
FAILURES = (
    ("Watchdog caught collective operation timeout", TIMED_OUT),  # NCCL
    (re.compile(r"Timed out waiting \d+ms for \w+ operation"), TIMED_OUT),  # gloo
    ("Application timeout caused pair closure", TIMED_OUT),  # gloo, after that
    ("Connection closed by peer", LOST),  # gloo, and so on
    ("Connection reset by peer", LOST),
    ("Broken pipe", LOST),
    ("ncclRemoteError", LOST),
    ("remote process exited or there was a network error", LOST),
    ("NCCL communicator was aborted", LOST),
    ("Failed to recv, got 0 bytes", LOST),  # the store
    (re.compile(r"Timed out after \d+ seconds waiting for clients"), NOT_JOINED),
    (re.compile(r"client socket has timed out after .* while trying to connect"), NOT_JOINED),
    (re.compile(r"[Ww]ait timeout after \d+ms, keys"), NOT_JOINED),
)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Ranks:
    """One of `size` processes, each with one device.

    `cpu_group` is all of them over gloo, for anything that is not a tensor on a GPU; `store` is for what they tell each
    other when one of them is gone.
    """

    rank: int
    size: int
    device: torch.device
    cpu_group: Any
    store: RankStore

    @property
    def is_first(self) -> bool:
        """Whether this is the rank that prints and writes for all."""
        return self.rank == 0

    def set_timeout(self, seconds: float | None) -> None:
        """Set how long ranks wait for each other; None for days, while one of them works for all."""
        timeout = PATIENCE if seconds is None else timedelta(seconds=seconds)
        for group in list(_world.pg_map):  # those of the mesh's dimensions too
            is_on_cpu = group is self.cpu_group or self.device.type == "cpu"
            _set_pg_timeout(timeout if is_on_cpu else timeout + MARGIN, group)

    def sum(self, values: Sequence[float]) -> list[float]:
        """Return the sum of each value over all ranks, the same on every rank."""
        total = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(total, group=self.cpu_group)
        return total.tolist()

    def gather(self, value: Result) -> list[Result]:
        """Return the values of all ranks on the first rank, an empty list on the others."""
        values: list[Any] | None = [None] * self.size if self.is_first else None
        distributed.gather_object(value, values, dst=0, group=self.cpu_group)
        return values or []

    def gather_on_all(self, value: Result) -> list[Result]:
        """Return the values of all ranks, on every rank."""
        values: list[Any] = [None] * self.size
        distributed.all_gather_object(values, value, group=self.cpu_group)
        return values

    def run_on_first(self, work: Callable[[], Result]) -> Result | None:
        """Run `work` on the first rank while the others wait, and return its result there, None elsewhere.

        A LlamaxError is raised on all ranks, and so is what the system refuses, as FileError.
        """
        result = None
        outcome: list[Any] = [None]
        if self.is_first:
            try:
                result = work()
            except LlamaxError as error:
                outcome = [error]
            except OSError as error:
                outcome = [FileError(f"{error.filename}: {because(error)}" if error.filename else str(error))]
        distributed.broadcast_object_list(outcome, src=0, group=self.cpu_group)
        if outcome[0] is not None:
            outcome[0].add_note(ON_ALL_RANKS)
            raise outcome[0]
        return result

    def run_first_then_others(self, work: Callable[[], Result]) -> Result:
        """Run `work` on every rank, on the first rank before the others: it downloads, and it reports errors."""
        result = self.run_on_first(work)
        return result if self.is_first else work()  # type: ignore[return-value]

    def broadcast(self, work: Callable[[], Result]) -> Result:
        """Run `work` on the first rank and return its result on all ranks."""
        outcome: list[Any] = [self.run_on_first(work)]
        distributed.broadcast_object_list(outcome, src=0, group=self.cpu_group)
        return outcome[0]  # type: ignore[no-any-return]


def is_on_all_ranks(error: BaseException) -> bool:
    """Return whether every rank has this error, so that only the first has to print it."""
    return ON_ALL_RANKS in getattr(error, "__notes__", ())


def describe_failure(error: RuntimeError) -> str | None:
    """Return what an error says about the other ranks: `another rank ended unexpectedly`; None for any other error."""
    text = str(error)
    for sign, meaning in FAILURES:
        if sign in text if isinstance(sign, str) else sign.search(text):
            return meaning
    return None


@contextmanager
def process_group() -> Iterator[Ranks]:
    """Join the processes that the launcher started, or form a group of one, and leave the group at the end."""
    size = environment.ranks()
    device = _device()
    backend = "gloo" if device.type == "cpu" else f"cpu:gloo,{device.type}:nccl"
    if size > 1:
        distributed.init_process_group(backend, device_id=device if device.index is not None else None)
    else:
        distributed.init_process_group(backend, store=distributed.HashStore(), rank=0, world_size=1)  # type: ignore[attr-defined]
    try:
        rank, cpu_group = environment.rank(), distributed.new_group(backend="gloo", timeout=PATIENCE)
        yield Ranks(rank, size, device, cpu_group, RankStore(_get_default_store(), rank, size))
    finally:
        distributed.destroy_process_group()


def _device() -> torch.device:
    if not torch.cuda.is_available() or os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes"):
        return torch.device("cpu")
    device = torch.device("cuda", environment.local_rank())
    torch.cuda.set_device(device)
    return device
