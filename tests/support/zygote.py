"""Commands forked from a process that has torch and transformers loaded, so that each starts within milliseconds.

A command that a test starts this way behaves as one that a user starts: its own standard streams, folder, environment,
signals and exit code. What differs is only that the libraries are imported already.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

PRELOADED = ("llamax_cli.cli", "numpy", "torch", "transformers", "transformers.models.llama.modeling_llama")
MESSAGE = 1 << 20  # bytes of the longest message: arguments and environment of a command


class Zygote:
    """The process that commands are forked from, started when the first one is."""

    def __init__(self) -> None:
        self._connection: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def run(
        self, arguments: Sequence[str], stdin: bytes, cwd: Path, env: Mapping[str, str], timeout: float = 120
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `llamax ARGUMENTS` and return its exit code and output, as subprocess.run does."""
        connection = self._connection or self._start()
        theirs, ours = zip(*(os.pipe() for _ in range(3)), strict=True)
        child_ends = (theirs[0], ours[1], ours[2])
        request = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}).encode()
        socket.send_fds(connection, [request], child_ends)
        for descriptor in child_ends:
            os.close(descriptor)
        pid = int(connection.recv(MESSAGE))
        overdue = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
        overdue.start()
        output: dict[int, bytes] = {}
        readers = [threading.Thread(target=_read, args=(theirs[place], place, output)) for place in (1, 2)]
        for reader in readers:
            reader.start()
        _write(os.fdopen(ours[0], "wb"), stdin)
        for reader in readers:
            reader.join()
        code = int(connection.recv(MESSAGE))
        is_overdue = not overdue.is_alive()
        overdue.cancel()
        if is_overdue:
            raise subprocess.TimeoutExpired(list(arguments), timeout, output[1], output[2])
        return subprocess.CompletedProcess(list(arguments), code, output[1], output[2])

    def _start(self) -> socket.socket:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, __file__, str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()
        return self._connection

    def close(self) -> None:
        """End the process."""
        if self._connection is not None and self._process is not None:
            self._connection.close()
            self._process.wait(60)


def _read(descriptor: int, place: int, output: dict[int, bytes]) -> None:
    with os.fdopen(descriptor, "rb") as pipe:
        output[place] = pipe.read()


def _write(pipe: IO[bytes], data: bytes) -> None:
    try:
        with pipe:
            pipe.write(data)
    except BrokenPipeError:
        pass  # the command does not read to the end


def serve(connection: socket.socket) -> None:
    """Fork a process for each command that is asked for, until nobody is left who could ask."""
    for name in PRELOADED:
        import_module(name)
    while True:
        request, descriptors, *_ = socket.recv_fds(connection, MESSAGE, 3)
        if not request:
            return
        if (pid := os.fork()) == 0:
            connection.close()
            _become(json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.send(str(pid).encode())
        connection.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(request: dict[str, Any], descriptors: Sequence[int]) -> NoReturn:
    """Be the command, to the end of the process."""
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1, errors="backslashreplace")  # noqa: SIM115
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = ["llamax", *request["arguments"]]
    from llamax_cli.__main__ import main

    code: object = 1
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code
    except BaseException:  # as Python shows what nobody caught
        traceback.print_exc()
    # All that Python does at its end, but for taking apart the libraries, which takes a second.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
