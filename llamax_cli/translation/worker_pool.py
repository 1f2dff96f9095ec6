"""One stream of sentences over several processes, each with the model on a GPU of its own, on one machine or more.

`accelerate launch`, torchrun and their like start the processes and tell each its number. The first reads, writes and
takes a share of the work; the others only translate what it sends them. So the output is that of one process.
"""

import hmac
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any

from llamax_cli.errors import LlamaxError, ModelError, UsageError, WorkerError
from llamax_cli.models.contracts import Answer, Decoding, Engine, ModelChoice, TranslationRequest
from llamax_cli.models.fingerprint import fingerprints
from llamax_cli.ranks import local_rank, rank, ranks
from llamax_cli.translation.engines.registry import ENGINES, open_engine

PATIENCE = timedelta(minutes=10)  # until all processes are there
KNOCK = 10.0  # seconds for one that is there to say that it is
GONE = (EOFError, ConnectionError)


def open_engines(choices: Sequence[ModelChoice], decoding: Decoding) -> list[Engine]:
    """Return an engine for each choice, shared with the other processes where there are some; for the first."""
    if ranks() == 1:
        return [open_engine(choice, decoding) for choice in choices]
    for choice in choices:
        _check(choice)
    team = Team(_gather())
    try:
        own = [open_engine(_placed(choice), decoding) for choice in choices]
        team.wait_until_ready(fingerprints(choices))
    except BaseException:
        team.close()
        raise
    return [SharedEngine(engine, number, team) for number, engine in enumerate(own)]


def _check(choice: ModelChoice) -> None:
    if not ENGINES[choice.engine].shareable:
        raise UsageError(f"--engine {choice.engine} is for one process; {ranks()} were started")
    if choice.device == "all":
        raise UsageError(f"--device all is for one process, which takes all GPUs; {ranks()} were started")


def _placed(choice: ModelChoice) -> ModelChoice:
    """Return the choice with the GPU of this process."""
    import torch

    if choice.device not in ("auto", "cuda") or not torch.cuda.is_available():
        return choice
    # Where each process sees a GPU of its own, that is number 0 to all of them.
    return replace(choice, device=f"cuda:{local_rank() % torch.cuda.device_count()}")


# -- the first process -------------------------------------------------------------------------------------------------


class Team:
    """The other processes, by number from 1: what is sent to them, and what comes back from any of them.

    `size` counts the first process, too.
    """

    def __init__(self, others: dict[int, Connection]) -> None:
        self._others = others
        self.size = len(others) + 1
        self._arrived: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        for number, connection in others.items():
            # Daemons, so that a run that is told to end need not wait for the others.
            threading.Thread(target=self._listen, args=(number, connection), daemon=True).start()

    def _listen(self, number: int, connection: Connection) -> None:
        # Read as it comes, or the others would wait, their pipes full, while this process translates.
        message: Any = None
        while not isinstance(message, LlamaxError):
            try:
                message = connection.recv()
            except (*GONE, OSError):
                message = WorkerError(f"process {number} of {self.size} is gone")
            self._arrived.put((number, message))

    def send(self, number: int, message: object) -> None:
        """Send to a process; that it is gone is told by `receive`."""
        with suppress(*GONE):
            self._others[number].send(message)

    def receive(self, *, wait: bool) -> tuple[int, Any] | None:
        """Return the next message and who sent it, None where none is there; raises what went wrong there."""
        while True:
            try:
                # In short waits, which let signals in.
                number, message = self._arrived.get(timeout=0.2) if wait else self._arrived.get_nowait()
            except Empty:
                if wait:
                    continue
                return None
            if isinstance(message, LlamaxError):
                raise message
            return number, message

    def wait_until_ready(self, wanted: list[str]) -> None:
        """Wait until all have their models; ModelError where they are not the `wanted` ones."""
        for _ in self._others:
            message = self.receive(wait=True)
            if message and message[1] != wanted:
                raise ModelError(f"process {message[0]} of {self.size} has another model or adapter under that name")

    def close(self) -> None:
        """Let the others end, as soon as they have done what they are at."""
        for number in self._others:
            self.send(number, None)
        self._others = {}


class SharedEngine:
    """An engine in each process: the `number`-th of those that they have."""

    def __init__(self, own: Engine, number: int, team: Team) -> None:
        self._own = own
        self._number = number
        self._team = team

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (place, hypotheses): this process's part, the first, as it is done, then those of the others."""
        parts = dealt(requests, self._team.size)
        for number in range(1, self._team.size):
            if parts[number]:
                self._team.send(number, (self._number, [requests[place] for place in parts[number]]))
        missing = sum(map(len, parts[1:]))
        for place, answer in self._own.translate([requests[place] for place in parts[0]]):
            yield parts[0][place], answer
            while message := self._team.receive(wait=False):
                missing -= 1
                yield _placed_answer(parts, *message)
        while missing and (message := self._team.receive(wait=True)):
            missing -= 1
            yield _placed_answer(parts, *message)

    def close(self) -> None:
        """Let go of the engine, and let the others go."""
        self._team.close()
        self._own.close()


def dealt(requests: Sequence[TranslationRequest], processes: int) -> list[range]:
    """Return the places that each process takes: contiguous, about equal in letters, so that the first come first."""
    letters = [len(request.src) + 20 for request in requests]  # a short sentence costs something, too
    total, passed = sum(letters), 0
    ends, done = [], 0
    for place, count in enumerate(letters):
        while done < processes - 1 and passed + count / 2 >= total * (done + 1) / processes:
            ends.append(place)
            done += 1
        passed += count
    ends += [len(letters)] * (processes - done)
    return [range(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _placed_answer(parts: Sequence[range], number: int, answer: tuple[int, Answer]) -> tuple[int, Answer]:
    return parts[number][answer[0]], answer[1]


# -- the others --------------------------------------------------------------------------------------------------------


def serve(choices: Sequence[ModelChoice], decoding: Decoding) -> None:
    """Translate for the first process, for as long as it wants."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to every process; the first decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    work(_call_the_first(), choices, decoding)


def work(first: Connection, choices: Sequence[ModelChoice], decoding: Decoding) -> None:
    """Translate what the first process sends, until it sends None or is gone; it tells what goes wrong here."""
    with suppress(*GONE):
        try:
            engines = [open_engine(_placed(choice), decoding) for choice in choices]
            first.send(fingerprints(choices))
            while (message := first.recv()) is not None:
                number, requests = message
                for answer in engines[number].translate(requests):
                    first.send(answer)
        except LlamaxError as error:
            first.send(type(error)(f"{error} (process {rank()} of {ranks()}, on {socket.gethostname()})"))


# -- meeting -----------------------------------------------------------------------------------------------------------


def _gather() -> dict[int, Connection]:
    """Return connections to all other processes, which find this one through the launcher's store."""
    key = secrets.token_bytes(16)
    others: dict[int, Connection] = {}
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    with socket.create_server(("", 0), family=family, dualstack_ipv6=both) as server:
        with _meeting() as store:  # which lives as long as this function
            store.set("llamax/port", str(server.getsockname()[1]))
            store.set("llamax/key", key)
        server.settimeout(PATIENCE.total_seconds())
        while len(others) < ranks() - 1:
            try:
                connection = _lasting(server.accept()[0])
            except TimeoutError as error:
                missing = ranks() - 1 - len(others)
                raise WorkerError(f"{missing} of {ranks()} processes did not come; were they started?") from error
            with suppress(*GONE, OSError):  # anybody may knock
                if connection.poll(KNOCK) and hmac.compare_digest(connection.recv_bytes(len(key)), key):
                    others[connection.recv()] = connection
    return others


def _call_the_first() -> Connection:
    with _meeting() as store:
        port, key = int(store.get("llamax/port")), store.get("llamax/key")
    try:
        connection = _lasting(socket.create_connection((os.environ["MASTER_ADDR"], port), PATIENCE.total_seconds()))
    except OSError as error:
        raise WorkerError(f"process {rank()} cannot reach the first on {os.environ['MASTER_ADDR']}:{port}") from error
    connection.send_bytes(key)
    connection.send(rank())
    return connection


def _lasting(given: socket.socket) -> Connection:
    given.settimeout(None)
    given.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a machine that is switched off says nothing
    return Connection(given.detach())


@contextmanager
def _meeting() -> Iterator[Any]:
    """Give the store through which processes find each other; WorkerError where they do not."""
    from torch.distributed.rendezvous import rendezvous

    try:
        yield next(rendezvous("env://", timeout=PATIENCE))[0]
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise WorkerError(f"the {ranks()} processes that RANK and WORLD_SIZE tell of do not meet: {reason}") from error
