"""Translation shared by several processes, each with the model on its own GPU, on one machine or more.

`accelerate launch`, torchrun or another launcher starts the processes. The main process reads, writes and translates
its part; the workers only translate what it sends them. So the output is that of a single process.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any

from llamax_cli.errors import LlamaxError, ModelError, UsageError, WorkerError
from llamax_cli.models.contracts import Answer, Decoding, Engine, ModelChoice, TranslationRequest
from llamax_cli.models.fingerprint import fingerprints
from llamax_cli.ranks import ranks
from llamax_cli.translation.engines.registry import ENGINES, check_choice, open_engine
from llamax_cli.translation.rendezvous import DISCONNECTED, accept_workers
from llamax_cli.translation.worker import on_local_gpu

SHORT = 20  # characters added to the length of each sentence, as even a short one takes some time


def open_engines(choices: Sequence[ModelChoice], decoding: Decoding) -> list[Engine]:
    """Return an engine for each choice in the main process, shared with the workers if there are any."""
    for choice in choices:
        check_choice(choice, decoding)
    if ranks() == 1:
        return [open_engine(choice, decoding) for choice in choices]
    for choice in choices:
        _check_shareable(choice)
    pool = WorkerPool(accept_workers())
    try:
        engines = [open_engine(on_local_gpu(choice), decoding) for choice in choices]
        pool.wait_until_ready(fingerprints(choices))
    except BaseException:
        pool.close()
        raise
    return [PooledEngine(engine, number, pool) for number, engine in enumerate(engines)]


def _check_shareable(choice: ModelChoice) -> None:
    if not ENGINES[choice.engine].shareable:
        raise UsageError(f"--engine {choice.engine} runs in a single process; {ranks()} were started")
    if choice.device == "all":
        raise UsageError(f"--device all uses all GPUs from a single process; {ranks()} were started")


class WorkerPool:
    """Connections to the workers, by rank from 1; `size` counts the main process, too."""

    def __init__(self, workers: dict[int, Connection]) -> None:
        self._workers = workers
        self.size = len(workers) + 1
        self._received: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        for number, connection in workers.items():
            # Daemon threads, so that an interrupted run need not wait for the workers.
            threading.Thread(target=self._listen, args=(number, connection), daemon=True).start()

    def _listen(self, number: int, connection: Connection) -> None:
        """Read messages as they arrive: with full pipes, workers would wait while this process translates."""
        message: Any = None
        while not isinstance(message, LlamaxError):
            try:
                message = connection.recv()
            except (*DISCONNECTED, OSError):
                message = WorkerError(f"process {number} of {self.size} has disconnected")
            self._received.put((number, message))

    def send(self, number: int, message: object) -> None:
        """Send a message to a worker; if it has disconnected, `receive` raises that."""
        with suppress(*DISCONNECTED):
            self._workers[number].send(message)

    def receive(self, *, wait: bool) -> tuple[int, Any] | None:
        """Return the number of a worker and its message, None if there is none yet; raises an error it has sent."""
        while True:
            try:
                # Short timeouts let signals in.
                number, message = self._received.get(timeout=0.2) if wait else self._received.get_nowait()
            except Empty:
                if wait:
                    continue
                return None
            if isinstance(message, LlamaxError):
                raise message
            return number, message

    def wait_until_ready(self, expected: list[str]) -> None:
        """Wait until all workers have loaded their models; ModelError unless their fingerprints are as expected."""
        for _ in self._workers:
            message = self.receive(wait=True)
            if message and message[1] != expected:
                raise ModelError(
                    f"process {message[0]} of {self.size} has a different model or adapter under the same name"
                )

    def close(self) -> None:
        """Tell the workers to exit after their current work."""
        for number in self._workers:
            self.send(number, None)
        self._workers = {}


class PooledEngine:
    """One engine in every process; `number` tells it from other engines of the same pool."""

    def __init__(self, local: Engine, number: int, pool: WorkerPool) -> None:
        self._local = local
        self._number = number
        self._pool = pool

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (index, hypotheses): first those of the main process as they are done, then those of the workers."""
        parts = split(requests, self._pool.size)
        for number in range(1, self._pool.size):
            if parts[number]:
                self._pool.send(number, (self._number, [requests[index] for index in parts[number]]))
        pending = sum(map(len, parts[1:]))
        for index, answer in self._local.translate([requests[index] for index in parts[0]]):
            yield parts[0][index], answer
            while message := self._pool.receive(wait=False):
                pending -= 1
                yield _answer(parts, *message)
        while pending and (message := self._pool.receive(wait=True)):
            pending -= 1
            yield _answer(parts, *message)

    def close(self) -> None:
        """Close the engine and tell the workers to exit."""
        self._pool.close()
        self._local.close()


def _answer(parts: Sequence[range], number: int, answer: tuple[int, Answer]) -> tuple[int, Answer]:
    """Return a worker's answer with the index among all requests."""
    return parts[number][answer[0]], answer[1]


def split(requests: Sequence[TranslationRequest], processes: int) -> list[range]:
    """Return the indices for each process: contiguous, in order, with about the same number of characters."""
    costs = [len(request.src) + SHORT for request in requests]
    total, passed = sum(costs), 0
    ends: list[int] = []
    for index, cost in enumerate(costs):
        while len(ends) < processes - 1 and passed + cost / 2 >= total * (len(ends) + 1) / processes:
            ends.append(index)
        passed += cost
    ends += [len(costs)] * (processes - len(ends))
    return [range(start, end) for start, end in zip([0, *ends], ends, strict=False)]
