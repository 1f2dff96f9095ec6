"""Work in several processes, with results in order.

Each worker has a pipe for its items and one for its results, and this process has no threads that wait for them. So
nothing has to be in order when a run ends early: workers are killed in the middle of whatever they do. A worker whose
parent is gone reads the end of its items and exits.
"""

import atexit
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from llamax_cli.errors import WorkerError, because

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Item = TypeVar("Item")
Result = TypeVar("Result")

STOPPING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
AHEAD = 3  # items in flight for each worker: one in work, one queued, one that waits for a slower one
QUEUED = 2  # items that a worker has at once, so that it need not wait for this process
REAPING = 0.5  # seconds to wait for a killed worker; one that the disk holds longer ends by itself
PIPE = 1 << 20  # bytes of a result that a worker may write before this process reads


def ordered(
    make: Callable[[], Callable[[Item], Result]], items: Iterable[Item], workers: int
) -> Generator[tuple[Item, Result]]:
    """Yield (item, result) in the order of the items, at most `workers * AHEAD` of them in flight.

    Each worker calls `make` once, which may load what is slow to load, and then the returned function on every item.
    With one worker, that is this process itself. A worker is started once there is an item that no other could begin.
    Raises what `make` or the function raises, and WorkerError if a process dies. Close the generator where it may not
    come to its end, so that the workers end there and then.
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
    pool = _Pool(make, workers)
    in_flight: deque[Item] = deque()
    try:
        for item in items:
            in_flight.append(item)
            pool.submit(item)
            if len(in_flight) >= workers * AHEAD:
                yield in_flight.popleft(), pool.next_result()
        while in_flight:
            yield in_flight.popleft(), pool.next_result()
    finally:
        pool.close()


# -- in the parent ----------------------------------------------------------------------------------------------------

_OURS: set["Connection"] = set()  # this process's ends of all pipes, which a worker must not keep open


class _Worker(NamedTuple):
    """A process, this process's ends of its pipes, and the numbers of the items that it has."""

    process: "BaseProcess"
    items: "Connection"
    results: "Connection"
    has: deque[int]


class _Pool:
    """Workers that are started when they are needed, and what they have to do and have done, by number."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]], size: int) -> None:
        self._make = make
        self._size = size
        self._workers: list[_Worker] = []
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._done: dict[int, _Outcome] = {}
        self._submitted = self._returned = 0
        atexit.register(self.close)

    def submit(self, item: object) -> None:
        """Give an item to the worker that has the fewest, as soon as one has room."""
        self._waiting.append((self._submitted, pickle.dumps(item, pickle.HIGHEST_PROTOCOL)))
        self._submitted += 1
        self._receive(0)

    def next_result(self) -> Any:
        """Return the result of the first item that has not been returned yet, or raise its error."""
        while self._returned not in self._done:
            self._receive(None)
        outcome = self._done.pop(self._returned)
        self._returned += 1
        if outcome.error is not None:
            raise outcome.error from _WorkerTraceback(outcome.trace)
        return outcome.result

    def _receive(self, timeout: float | None) -> None:
        """Take the results that are there, or wait for one, and give the workers more to do."""
        from multiprocessing.connection import wait

        self._hand_out()
        busy = {worker.results: worker for worker in self._workers if worker.has}
        for connection in wait(list(busy), timeout):
            worker = busy[connection]  # type: ignore[index]  # they are the connections above
            try:
                data = worker.results.recv_bytes()
            except (EOFError, OSError) as error:
                raise _died() from error
            self._done[worker.has.popleft()] = _Outcome(*pickle.loads(data))
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting:
            worker = min(self._workers, key=lambda each: len(each.has), default=None)
            if worker is None or (worker.has and len(self._workers) < self._size):
                worker = self._start()
            if len(worker.has) >= QUEUED:
                return
            number, data = self._waiting.popleft()
            worker.has.append(number)
            try:
                worker.items.send_bytes(data)  # a thread of the worker reads it, whatever else the worker does
            except OSError as error:
                raise _died() from error

    def _start(self) -> _Worker:
        import multiprocessing

        # A fork shares what is already loaded; elsewhere forking is not safe or does not exist.
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        its_items, items = context.Pipe(duplex=False)
        results, its_results = context.Pipe(duplex=False)
        _widen(its_results)
        process: BaseProcess = context.Process(target=_work, args=(self._make, its_items, its_results), daemon=True)  # type: ignore[attr-defined]
        _OURS.update((items, results))
        worker = _Worker(process, items, results, deque())
        with _signals_held():  # a worker must not start with the handlers of its parent, nor unknown to `close`
            try:
                process.start()
            except OSError as error:
                raise WorkerError(f"cannot start a worker process: {because(error)}; try fewer --workers") from error
            self._workers.append(worker)
        its_items.close()
        its_results.close()
        return worker

    def close(self) -> None:
        """Kill the workers; nothing waits for their results any more."""
        atexit.unregister(self.close)
        with _signals_held():
            for worker in self._workers:
                worker.process.kill()
            for worker in self._workers:
                worker.process.join(REAPING)
                for connection in (worker.items, worker.results):
                    connection.close()
                    _OURS.discard(connection)
            self._workers = []


class _WorkerTraceback(Exception):  # noqa: N818 (it is no error but says where one came from)
    """Where in a worker an error arose, as text: `--debug` shows it as the cause of the error."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def _died() -> WorkerError:
    return WorkerError("a worker process was killed, perhaps because memory ran out; try fewer --workers")


def _widen(connection: "Connection") -> None:
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # the system allows each user so many bytes of pipes
            fcntl.fcntl(connection.fileno(), fcntl.F_SETPIPE_SZ, PIPE)


@contextmanager
def _signals_held() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- in a worker ------------------------------------------------------------------------------------------------------


class _Outcome(NamedTuple):
    """What became of an item: the result, or the error and its traceback."""

    result: Any
    error: BaseException | None = None
    trace: str = ""


def _work(make: Callable[[], Callable[[Any], Any]], items: "Connection", results: "Connection") -> None:
    """Apply the function to the items until there are no more, which is until the parent ends or kills this process."""
    import threading
    from queue import SimpleQueue

    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)  # the terminal sends it to every process; the parent decides
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    for connection in _OURS:  # otherwise the end of the parent would not be the end of these pipes
        connection.close()
    received: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(items, received), daemon=True).start()
    function: Callable[[Any], Any] | None = None
    while True:
        data = received.get()
        try:
            function = function or make()
            answer = _pickled(_Outcome(function(pickle.loads(data))))
        except BaseException as error:  # whatever it is, the parent raises it
            answer = _pickled_error(error)
        try:
            results.send_bytes(answer)
        except OSError:
            os._exit(1)


def _read(items: "Connection", received: Any) -> None:
    """Read items while the worker is busy, so that the parent never waits for it, and exit when the parent is gone."""
    try:
        while True:
            received.put(items.recv_bytes())
    except (EOFError, OSError):
        os._exit(1)


def _pickled(outcome: _Outcome) -> bytes:
    return pickle.dumps(tuple(outcome), pickle.HIGHEST_PROTOCOL)


def _pickled_error(error: BaseException) -> bytes:
    import traceback

    trace = "".join(traceback.format_exception(error))
    try:
        answer = _pickled(_Outcome(None, error, trace))
        pickle.loads(answer)  # an error with arguments of its own can be pickled, but not always read again
    except Exception:
        return _pickled(_Outcome(None, RuntimeError("".join(traceback.format_exception_only(error)).strip()), trace))
    return answer
