"""How the processes that a launcher started find each other: connections from the main process to every worker.

The launcher's store tells the workers the port of the main process, and a key that proves they belong to the same run.
"""

import hmac
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

from llamax_cli.errors import WorkerError
from llamax_cli.ranks import rank, ranks

TIMEOUT = timedelta(minutes=10)  # until all processes are connected
KEY_TIMEOUT = 10.0  # seconds for a new connection to send the key
DISCONNECTED = (EOFError, ConnectionError)


def accept_workers() -> dict[int, Connection]:
    """Return connections to all workers by rank; WorkerError if some do not connect in time."""
    key = secrets.token_bytes(16)
    workers: dict[int, Connection] = {}
    dual_stack = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual_stack else socket.AF_INET
    with socket.create_server(("", 0), family=family, dualstack_ipv6=dual_stack) as server:
        with _store() as store:  # it answers workers until this function returns
            store.set("llamax/port", str(server.getsockname()[1]))
            store.set("llamax/key", key)
        server.settimeout(TIMEOUT.total_seconds())
        while len(workers) < ranks() - 1:
            try:
                connection = _connection(server.accept()[0])
            except TimeoutError as error:
                missing = ranks() - 1 - len(workers)
                raise WorkerError(f"{missing} of {ranks()} processes did not connect; were they started?") from error
            with suppress(*DISCONNECTED, OSError):  # anyone may connect
                if connection.poll(KEY_TIMEOUT) and hmac.compare_digest(connection.recv_bytes(len(key)), key):
                    workers[connection.recv()] = connection
    return workers


def connect_to_main() -> Connection:
    """Return a worker's connection to the main process; WorkerError if it cannot be reached."""
    with _store() as store:
        port, key = int(store.get("llamax/port")), store.get("llamax/key")
    try:
        connection = _connection(socket.create_connection((os.environ["MASTER_ADDR"], port), TIMEOUT.total_seconds()))
    except OSError as error:
        address = f"{os.environ['MASTER_ADDR']}:{port}"
        raise WorkerError(f"process {rank()} cannot connect to the main process at {address}") from error
    connection.send_bytes(key)
    connection.send(rank())
    return connection


def _connection(accepted: socket.socket) -> Connection:
    accepted.settimeout(None)
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # notices a machine that was switched off
    return Connection(accepted.detach())


@contextmanager
def _store() -> Iterator[Any]:
    """Give the key-value store that the launcher's variables name; WorkerError if it cannot be reached."""
    from torch.distributed.rendezvous import rendezvous

    try:
        yield next(rendezvous("env://", timeout=TIMEOUT))[0]
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise WorkerError(f"the {ranks()} processes of WORLD_SIZE cannot find each other: {reason}") from error
