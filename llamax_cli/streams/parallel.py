"""Work in several processes, with results in order."""

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
AHEAD = 3  # items in flight for each worker: one in work, one queued, one that waits for a slower one


def ordered(
    make: Callable[[], Callable[[Item], Result]], items: Iterable[Item], workers: int
) -> Generator[tuple[Item, Result]]:
    """Yield (item, result) in the order of the items, at most `workers * AHEAD` of them in flight.

    Each worker calls `make` once, which may load what is slow to load, and then the returned function on every item.
    With one worker, that is this process itself. Raises what the function raises, and WorkerError if a process dies.
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

    # A fork shares what is already loaded; elsewhere forking is not safe or does not exist.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(workers, context, _start_worker, (make,))
    in_flight: deque[tuple[Item, Any]] = deque()
    try:
        for item in items:
            with _signals_held():  # a worker must not start with the handlers of its parent
                in_flight.append((item, pool.submit(_call, item)))
            if len(in_flight) >= workers * AHEAD:
                first, future = in_flight.popleft()
                yield first, future.result()
        while in_flight:
            first, future = in_flight.popleft()
            yield first, future.result()
    except BrokenProcessPool as error:
        raise WorkerError("a worker process was killed, perhaps because memory ran out; try fewer --workers") from error
    except BaseException:
        for worker in multiprocessing.active_children():  # nothing waits for their results any more
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
    # Workers hold both ends of the queue, so a killed parent does not close it: they would wait for ever.
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(item: Any) -> Any:
    return _function(item)
