"""The processes that train together: who this one is, and what all of them agree on."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType
from typing import Any, TypeVar

import torch
from torch import distributed

from llamax_cli import ranks as processes
from llamax_cli.errors import LlamaxError, Terminated

PATIENCE = timedelta(days=2)  # others wait while rank 0 tokenises the data
SHARED = "on all ranks"
LEFT_ALONE = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Timed out waiting")  # gloo's
PR_SET_PDEATHSIG = 1  # of Linux's prctl

Made = TypeVar("Made")


@dataclass(frozen=True)
class Ranks:
    """One of `size` processes; `mesh` is all of them, each with one device.

    `plain` is all of them over gloo, for what is no tensor on a GPU; in it they wait for each other for days.
    """

    rank: int
    size: int
    device: torch.device
    mesh: Any
    plain: Any

    @property
    def is_first(self) -> bool:
        """Whether this is the one that speaks and writes for all."""
        return self.rank == 0

    def sum(self, values: Sequence[float]) -> list[float]:
        """Return the sums of each value over all ranks, the same on every one of them."""
        total = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(total, group=self.plain)
        return total.tolist()

    def gather(self, value: Made) -> list[Made]:
        """Return the values of all ranks on the first, nothing on the others."""
        found: list[Any] | None = [None] * self.size if self.is_first else None
        distributed.gather_object(value, found, dst=0, group=self.plain)
        return found or []

    def first(self, work: Callable[[], Made]) -> Made | None:
        """Do something on the first rank while the others wait; what fails there fails on all of them."""
        made = None
        outcome: list[Any] = [None]
        if self.is_first:
            try:
                made = work()
            except LlamaxError as error:
                outcome = [error]
        distributed.broadcast_object_list(outcome, src=0, group=self.plain)
        if outcome[0] is not None:
            outcome[0].add_note(SHARED)
            raise outcome[0]
        return made

    def each(self, work: Callable[[], Made]) -> Made:
        """Do what every rank has to do, the first one before the others: it fetches, and it tells what is wrong."""
        made = self.first(work)
        return made if self.is_first else work()  # type: ignore[return-value]

    def same(self, work: Callable[[], Made]) -> Made:
        """Do something on the first rank, and return on all of them what it made."""
        outcome: list[Any] = [self.first(work)]
        distributed.broadcast_object_list(outcome, src=0, group=self.plain)
        return outcome[0]  # type: ignore[no-any-return]


def is_shared(error: BaseException) -> bool:
    """Return whether all ranks have this error, so that the first alone tells it."""
    return SHARED in getattr(error, "__notes__", ())


def is_left_alone(error: RuntimeError) -> bool:
    """Return whether an error is only that another rank is gone."""
    return any(sign in str(error) for sign in LEFT_ALONE)


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the processes that the launcher started; alone where it started one."""
    size = processes.ranks()
    device = _device()
    backend = "gloo" if device.type == "cpu" else f"cpu:gloo,{device.type}:nccl"
    if size > 1:
        distributed.init_process_group(backend, device_id=device if device.index is not None else None)
    else:
        distributed.init_process_group(backend, store=distributed.HashStore(), rank=0, world_size=1)  # type: ignore[attr-defined]
    try:
        mesh = distributed.device_mesh.init_device_mesh(device.type, (size,))
        yield Ranks(processes.rank(), size, device, mesh, distributed.new_group(backend="gloo", timeout=PATIENCE))
    finally:
        distributed.destroy_process_group()


def _device() -> torch.device:
    if not torch.cuda.is_available() or os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes"):
        return torch.device("cpu")
    device = torch.device("cuda", processes.local_rank())
    torch.cuda.set_device(device)
    return device


class Signals:
    """What the outside asks for: SIGUSR1 a checkpoint, SIGTERM and SIGINT a checkpoint and the end.

    Inside `deferred` they are noted, to be heeded between steps; elsewhere the latter two end the process at once.
    """

    def __init__(self) -> None:
        self.checkpoint = False
        self.stop: BaseException | None = None
        self._defers = False
        self._ends = False
        signal.signal(signal.SIGUSR1, self._usr1)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)

    def _usr1(self, number: int, frame: FrameType | None) -> None:
        self.checkpoint = True

    def _end(self, number: int, frame: FrameType | None) -> None:
        error = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
        if not self._defers and not self._ends:
            self._ends = True  # a second one, from the terminal and the launcher, changes nothing
            raise error
        self.stop = self.stop or error

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Note signals instead of ending at once."""
        self._defers = True
        try:
            yield
        finally:
            self._defers = False


def die_with_parent() -> None:
    """Have the kernel send SIGTERM here when the launcher is gone, so that no worker trains on by itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
