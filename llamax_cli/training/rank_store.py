"""What ranks tell each other outside of collectives, so that one of them says how a run ended if another is gone."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from llamax_cli import ranks as environment

ANSWER = 2.0  # seconds that the store has to answer: it may live in rank 0, which may hang or be gone

Result = TypeVar("Result")


class RankStore:
    """The store of a group of ranks, over a connection of its own: the main thread may wait in another one."""

    def __init__(self, store: Any, rank: int, size: int) -> None:
        self._store = store.clone()
        self._address = _address(store)
        self._rank = rank
        self._size = size
        self._asked = 0  # how often this rank has asked for the last word

    def note_stop(self) -> None:
        """Note that this rank was told to stop, and that it still runs."""
        self._ask(lambda: self._store.set(f"stop/{self._rank}", "1"))

    def unresponsive(self) -> list[int]:
        """Return the ranks that were not told to stop or cannot heed it; none if that is true of all others."""
        others = [rank for rank in range(self._size) if rank != self._rank]
        silent = self._ask(lambda: [rank for rank in others if not self._store.check([f"stop/{rank}"])])
        if silent is None:
            return [0]
        return silent if len(silent) < max(2, len(others)) else []

    def has_last_word(self) -> bool:
        """Return whether this rank is to say why the run ended: the first one that asks.

        If rank 0 does not answer, it is rank 1 and the first rank on each other machine.
        """
        self._asked += 1
        place = self._ask(lambda: self._store.add("last word", 1))
        return self._is_deputy() if place is None else bool(place == 1)

    def speaks_for_first(self) -> bool:
        """Return whether this rank is to say what rank 0 would, since that does not take the last word in time.

        The store may live in the launcher, and then answers although rank 0 hangs.
        """
        end = time.monotonic() + ANSWER
        while time.monotonic() < end:
            asked = self._ask(lambda: self._store.add("last word", 0))
            if asked is None:
                return self._is_deputy()
            if asked:
                self._ask(lambda: self._store.add("no word", 1))
                return False
            time.sleep(0.05)
        return self.has_last_word()

    def _is_deputy(self) -> bool:
        return self._rank == 1 or environment.local_rank() == 0

    def wait_for_others(self) -> None:
        """Give the other ranks time to ask who speaks, on rank 0, with which the store ends."""
        end = time.monotonic() + ANSWER
        while self._rank == 0 and time.monotonic() < end:
            asked = self._ask(lambda: self._store.add("last word", 0) + self._store.add("no word", 0))
            if asked is None or asked - self._asked >= self._size - 1:
                return
            time.sleep(0.05)

    def _ask(self, work: Callable[[], Result]) -> Result | None:
        """Return what the store answers; None if it does not."""
        answers: list[Result] = []

        def ask() -> None:
            with suppress(OSError, RuntimeError):  # the connection is lost
                if self._address:  # torch would print the stack of C++
                    socket.create_connection(self._address, ANSWER).close()
                answers.append(work())

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(ANSWER)
        return answers[0] if answers else None


def _address(store: Any) -> tuple[str, int] | None:
    """Return host and port of a store; None for one in this process."""
    while hasattr(store, "underlying_store"):
        store = store.underlying_store
    return (store.host, store.port) if hasattr(store, "port") else None
