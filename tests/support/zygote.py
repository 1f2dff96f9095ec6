"""Commands forked from a process that has their libraries loaded, so that each starts within milliseconds.

There are two such processes: one with torch and transformers, and a smaller one, whose forks cost half as much, for
commands that load neither.

A command that a test starts this way behaves as one that a user starts: its own standard streams, folder, environment,
signals, children and exit code. What differs is only that the libraries are imported already, and that torch knows how
the weights of a small model are sharded on one rank (`warm_up`). When it becomes `python -m MODULE` (os.execv), or
starts that as a child (subprocess.Popen), no interpreter is started either: the module is run by the process itself, or
by a fork of it. A command that is `fresh` starts and becomes real ones.
"""

import atexit
import faulthandler
import gc
import inspect
import marshal
import os
import resource
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

from llamax_cli.cli import load

# The commands of each process, and what else it loads.
COMMANDS = {
    "small": ("augment", "build-lexicon", "convert", "langid", "mix", "report", "score", "analyze corpus"),
    "large": ("pivot", "train", "translate", "tune"),
}
PRELOADED = {
    "small": (
        # Not sacrebleu, which reads its folder from the environment when it is imported, but what it imports.
        *("colorama", "email.parser", "importlib.resources", "lxml.etree", "numpy.typing", "portalocker", "tabulate"),
        *("fasttext_pybind", "hanzidentifier", "jieba", "langcodes", "lmdb", "sentencepiece", "xxhash", "zipfile"),
        *(f"matplotlib.{each}" for each in ("backends.backend_agg", "backends.backend_pdf", "figure", "lines")),
        *("llamax_cli.reporting.report", "llamax_cli.reporting.figures"),
    ),
    "large": (
        *(f"llamax_cli.training.{each}" for each in ("accelerate_entry", "launcher", "preflight", "worker")),
        *("llamax_cli.translation.engines.hf", "llamax_cli.tuning.mode"),
        *("isal.igzip", "peft", "sentencepiece.sentencepiece_model_pb2"),
        *("accelerate.commands.accelerate_cli", "torch.distributed.run"),
        "torch.distributed.checkpoint._fsspec_filesystem",
        *("transformers.convert_slow_tokenizer", "transformers.models.auto.tokenization_auto"),
        *(f"transformers.models.llama.{each}_llama" for each in ("modeling", "tokenization")),
    ),
}
# The beginnings of the command lines of llamax that are forked from the small process.
SMALL = (*COMMANDS["small"], "help", "-h", "--")
TESTS = Path(__file__).parent.parent  # where modules of `support` are found
MESSAGE = 1 << 20  # bytes of the longest message: arguments and environment of a command
PIPE = subprocess.PIPE
Stream = int | IO[bytes] | None  # as subprocess.Popen takes them


class Process:
    """A forked process: what tests need of subprocess.Popen."""

    def __init__(self, status: int, pipes: dict[int, int]) -> None:
        self._status = os.fdopen(status, "rb", 0)
        self._pipes = {place: os.fdopen(end, "rb" if place else "wb") for place, end in pipes.items()}
        self._output: dict[int, bytes] = {}
        self._readers: list[threading.Thread] = []
        self.pid = int(self._status.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or nothing while the process runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code, minus the signal of what was killed."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if the process is still there."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Terminate the process."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, stdin: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        """Write to the process, read all that it writes to pipes, wait for its end; return stdout and stderr."""
        pipes, self._pipes = self._pipes, {}
        started = [threading.Thread(target=self._read, args=each, daemon=True) for each in pipes.items() if each[0]]
        for reader in started:
            reader.start()
        self._readers += started
        if 0 in pipes:
            with suppress(BrokenPipeError), pipes[0] as pipe:  # the command need not read to the end
                pipe.write(stdin)
        self.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        return self._output.get(1, b""), self._output.get(2, b"")

    def _read(self, place: int, pipe: IO[bytes]) -> None:
        with pipe:
            self._output[place] = pipe.read()


class Zygote:
    """A process that others are forked from; `size` is a key of PRELOADED, `modules` are loaded besides.

    `preload` is a library for LD_PRELOAD.
    """

    def __init__(self, size: str, preload: Path | None = None, modules: Sequence[str] = ()) -> None:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self.address = Path(self._folder.name) / "socket"
        command = [sys.executable, __file__, str(theirs.fileno()), str(self.address), size, *modules]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # tensors of tests are slower in two threads
        environment |= {"LD_PRELOAD": str(preload)} if preload else {}
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()

    def start(
        self,
        arguments: Sequence[object],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] = os.environ,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        limit: int | None = None,
        fresh: bool = False,
        start_new_session: bool = False,
    ) -> Process:
        """Start `python -m ARGUMENTS`; `limit` bounds the size of its files."""
        theirs: list[int] = []
        ours: dict[int, int] = {}
        for place, stream in enumerate((stdin, stdout, stderr)):
            if stream == PIPE:
                pipe = os.pipe()
                ours[place] = pipe[place == 0]
                theirs.append(pipe[place != 0])
            else:
                chosen = place if stream is None else stream
                theirs.append(os.dup(chosen if isinstance(chosen, int) else chosen.fileno()))
        status, ending = os.pipe()
        request = {"arguments": list(map(str, arguments)), "cwd": str(cwd or Path.cwd()), "env": dict(env)}
        more = {"limit": limit, "fresh": fresh, "start_new_session": start_new_session}
        message = marshal.dumps({**request, **more})
        socket.send_fds(self._connection, [message], [*theirs, ending])
        for descriptor in (*theirs, ending):
            os.close(descriptor)
        return Process(status, ours)

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.wait(60)
        self._folder.cleanup()


def zygote(size: str = "large") -> Zygote:
    """Return a zygote of this process, started when it is asked for."""
    return _zygote(size)


@cache
def _zygote(size: str) -> Zygote:
    started = Zygote(size)
    atexit.register(started.close)
    return started


@cache
def commands() -> Path:
    """Return a folder for the PATH of a shell, with `llamax` and `python` that are started in this way.

    Python is itself for anything but a file that it is to run.
    """
    folder = Path(tempfile.mkdtemp(prefix="commands-"))
    atexit.register(shutil.rmtree, folder)
    client = f"exec {sys.executable} -IS {Path(__file__).with_name('zygote_client.py')}"
    small, large = (zygote(size).address for size in ("small", "large"))
    beginnings = "|".join(f"{each.replace(' ', chr(92) + ' ')}*" for each in SMALL)
    scripts = {
        "llamax": f'case "$1 $2" in {beginnings}) {client} {small} llamax_cli "$@" ;; '
        f'*) {client} {large} llamax_cli "$@" ;; esac',
        "python": f'case "$1" in *.py) {client} {large} "$@" ;; *) exec {sys.executable} "$@" ;; esac',
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    while not (small.exists() and large.exists()):  # they listen once they have loaded the libraries
        time.sleep(0.01)
    return folder


def start(*arguments: object, **how: Any) -> Process:
    """Start `llamax ARGUMENTS`."""
    is_small = " ".join(map(str, arguments)).startswith(SMALL)
    return zygote("small" if is_small else "large").start(["llamax_cli", *arguments], **how)


def run(*arguments: object, stdin: bytes = b"", timeout: float = 120, **how: Any) -> subprocess.CompletedProcess[bytes]:
    """Run `llamax ARGUMENTS` and return its exit code and output, as subprocess.run does."""
    how |= dict.fromkeys(("stdin", "stdout", "stderr"), PIPE)
    return _completed(start(*arguments, **how), arguments, stdin, timeout)


def run_module(
    *arguments: object, stdin: bytes = b"", timeout: float = 120, size: str = "large", **how: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m ARGUMENTS`, or `python ARGUMENTS` if the first is a file, as subprocess.run does."""
    process = zygote(size).start(arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, **how)
    return _completed(process, arguments[1:], stdin, timeout)


def _completed(
    process: Process, arguments: Sequence[object], stdin: bytes, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """Return how a process has ended, and what it has written."""
    try:
        output = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired as error:
        process.send_signal(signal.SIGABRT)  # shows where it hangs
        error.add_note(process.communicate(timeout=10)[1].decode(errors="replace"))
        raise
    return subprocess.CompletedProcess(list(map(str, arguments)), process.wait(), *output)


# -- in the zygote ----------------------------------------------------------------------------------------------------


def serve(connection: socket.socket, address: str, size: str, *modules: str) -> None:
    """Fork a process for each command that is asked for, until nobody is left who could ask.

    Commands are asked for over the connection, or over one of their own at the address.
    """
    gc.disable()  # nothing that libraries make while they are imported is garbage
    for name in (*PRELOADED[size], *modules):
        import_module(name)
    for name in COMMANDS[size]:
        load(name)
    import_module("llamax_cli.language_tags").registry()  # which each command that meets a variety would read first
    if size == "small":  # the dictionary of Chinese that each `augment` of it would read first
        import_module("llamax_cli.augmentation.segmenters").package_splitter("jieba")
    if size == "large":  # the regular expressions that each loading of weights would compile first
        import_module("transformers.conversion_mapping").get_checkpoint_conversion_mapping("llama")
        sys.path.append(str(TESTS))
        import_module("support.warm_up").train_steps()
        sys.path.remove(str(TESTS))
    gc.freeze()  # or looking for garbage would copy all that memory in each process that is forked
    gc.enable()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"{address}.partial")
    listener.listen(64)
    os.rename(f"{address}.partial", address)
    statuses: dict[int, int] = {}  # of what runs: where to tell how it ended
    clients: dict[socket.socket, int] = {}  # what runs for each of them

    def reap() -> None:
        with suppress(ChildProcessError):  # no child is left
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if (status := statuses.pop(found[0], None)) is not None:
                    with suppress(BrokenPipeError):  # nobody asks any more
                        os.write(status, f"{os.waitstatus_to_exitcode(found[1])}\n".encode())
                    os.close(status)

    # A handler that did the work itself would not run if the signal came just before the wait for a message begins.
    waking, wake = os.pipe()
    os.set_blocking(waking, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([connection, listener, waking, *clients], [], [])[0]
        if waking in ready:
            os.read(waking, 1 << 10)
            reap()
            continue
        if gone := [client for client in ready if client in clients]:
            for client in gone:
                client.close()
                # What runs for one that was killed is killed with it, as it would be in one group with it.
                if (pid := clients.pop(client)) in statuses:
                    with suppress(ProcessLookupError):
                        os.killpg(pid, signal.SIGKILL)
            continue
        client = None
        if connection in ready:
            message, descriptors, *_ = socket.recv_fds(connection, MESSAGE, 4)
            if not message:
                return
        else:
            client = listener.accept()[0]
            message, descriptors, *_ = socket.recv_fds(client, MESSAGE, 4)
            if not message:
                client.close()
                continue
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        *streams, status = descriptors
        if (pid := os.fork()) == 0:
            request = marshal.loads(message)
            if client is not None:
                os.setpgid(0, 0)
            if request["start_new_session"]:
                os.setsid()
            if request["limit"] is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"], request["limit"]))
            if not request["fresh"]:
                os.execv = _execv  # type: ignore[assignment]
                subprocess.Popen._execute_child = _fork_child  # type: ignore[attr-defined]
            _become(request["arguments"], streams, request["cwd"], request["env"])
        for descriptor in streams:
            os.close(descriptor)
        with suppress(BrokenPipeError):
            os.write(status, f"{pid}\n".encode())
        statuses[pid] = status
        if client is not None:
            with suppress(PermissionError, ProcessLookupError):  # it has done so itself
                os.setpgid(pid, pid)
            clients[client] = pid


def _become(
    arguments: Sequence[str], streams: Sequence[int] = (), cwd: str | None = None, env: Mapping[str, str] | None = None
) -> NoReturn:
    """Be `python -m ARGUMENTS`, to the end of the process; streams that are -1 stay as they are."""
    for place, descriptor in enumerate(streams):
        if descriptor not in (-1, place):
            os.dup2(descriptor, place)
    for descriptor in map(int, os.listdir("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")):
        with suppress(OSError):
            if descriptor > 2 and not os.get_inheritable(descriptor):
                os.close(descriptor)
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)) and number != signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    atexit._clear()
    if env is not None:
        os.environ.clear()
        os.environ.update(env)
    tempfile.tempdir = None  # it may be another in this environment
    if cwd is not None:
        os.chdir(cwd)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1, errors="backslashreplace")  # noqa: SIM115
    faulthandler.enable(2)  # of who is sent SIGABRT, as `run` does
    code: object = 1
    try:
        _run(*arguments)
        code = 0
    except SystemExit as leaving:
        code = leaving.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # as Python shows what nobody caught
        traceback.print_exc()
    # All that Python does at its end, but for taking apart the libraries, which takes a second.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _run(module: str, *arguments: str) -> None:
    """Run a module as `python -m` does, ours by their `main`, as they are imported already; or a file."""
    sys.argv = [module, *arguments]
    sys.path[0] = os.getcwd()
    if module.endswith(".py"):
        sys.path[0] = str(Path(module).resolve().parent)
        runpy.run_path(module, run_name="__main__")
        return
    if module == "llamax_cli":
        sys.argv[0] = "llamax"
        module += ".__main__"
    if module.startswith("llamax_cli."):
        import_module(module).main()
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def _module_of(command: Any) -> list[str] | None:
    """Return what follows -m in a command line of this Python; nothing if it is another one."""
    if isinstance(command, list | tuple) and list(command[:1]) == [sys.executable]:
        words = [str(word) for word in command[1:] if word != "-u"]
        if words[:1] == ["-m"]:
            return words[1:]
    return None


REAL_EXECV, REAL_CHILD = os.execv, subprocess.Popen._execute_child  # type: ignore[attr-defined]
SIGNATURE = inspect.signature(REAL_CHILD)


def _execv(path: str, command: Sequence[str]) -> NoReturn:
    """Do what os.execv does."""
    if (arguments := _module_of(command)) is None:
        REAL_EXECV(path, command)
    _become(arguments)  # type: ignore[arg-type]


def _fork_child(popen: Any, *given: Any) -> None:
    """Do what subprocess.Popen does."""
    how = SIGNATURE.bind(popen, *given).arguments
    arguments = _module_of(how["args"])
    if arguments is None or how["preexec_fn"] or how["shell"]:
        REAL_CHILD(popen, *given)
        return
    sys.stdout.flush()
    sys.stderr.flush()
    ends = [how[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")]
    if (pid := os.fork()) == 0:
        if how["start_new_session"]:
            os.setsid()
        _become(arguments, [ends[0], ends[3], ends[5]], how["cwd"], how["env"])
    popen.pid = pid
    popen._child_created = True
    popen._close_pipe_fds(*ends)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), *sys.argv[2:])
