"""Work spread over processes, results in order."""

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from llamax_cli.errors import WorkerError

Item = TypeVar("Item")
Result = TypeVar("Result")

STOPPING = {signal.SIGINT, signal.SIGTERM}
AHEAD = 3  # items in flight for each worker: one in work, one waiting, one finished behind a slower one


def ordered(
    make: Callable[[], Callable[[Item], Result]], items: Iterable[Item], workers: int
) -> Generator[tuple[Item, Result]]:
    """Yield (item, result) in the order of the items, at most `workers * AHEAD` of them in flight.

    Each worker calls `make` once, for what is dear to open, and the function it returns on every item. One worker is
    this process itself. Raises what the function raised, and WorkerError where a process died.
    """
    if workers == 1:
        function = make()
        for item in items:
            yield item, function(item)
    else:
        yield from _spread(make, items, workers)


def _spread(
    make: Callable[[], Callable[[Item], Result]], items: Iterable[Item], workers: int
) -> Iterator[tuple[Item, Result]]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # Forking shares what is loaded already; elsewhere it is not safe, or not there.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(workers, context, _start_worker, (make,))
    in_flight: deque[tuple[Item, Any]] = deque()
    try:
        for item in items:
            with _signals_held():  # a worker must not be born with the parent's handlers
                in_flight.append((item, pool.submit(_call, item)))
            if len(in_flight) >= workers * AHEAD:
                first, future = in_flight.popleft()
                yield first, future.result()
        while in_flight:
            first, future = in_flight.popleft()
            yield first, future.result()
    except BrokenProcessPool as error:
        raise WorkerError("a worker process was killed, perhaps for want of memory; try fewer --workers") from error
    except BaseException:
        for worker in multiprocessing.active_children():  # nobody waits any more for what they do
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _signals_held() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


_function: Callable[[Any], Any]


def _start_worker(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _function
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to every process; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    threading.Thread(target=_follow_parent, daemon=True).start()
    _function = make()


def _follow_parent() -> None:
    # A killed parent closes no queue that its workers hold open too: without this they would wait for ever.
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(item: Any) -> Any:
    return _function(item)
