"""Several processes share the work, as accelerate or torchrun start them, and the output is that of one process."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import fakes, zygote
from support.fakes import Tagger
from support.processes import free_port, wait_for
from support.translations import got, pair, put, text, translate

from llamax_cli import cli
from llamax_cli.errors import LlamaxError, ModelError
from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
from llamax_cli.translation import windows, worker, worker_pool
from llamax_cli.translation.engines import registry
from llamax_cli.translation.engines.registry import EngineSpec

CHOICES, DECODING = [ModelChoice("m")], Decoding()
Worker = Callable[[Any, Sequence[ModelChoice], Decoding], None]


@pytest.fixture
def workers(tagger: type[Tagger], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that makes this process the main one of several; the workers are threads of it."""
    threads: list[threading.Thread] = []

    def start(count: int = 3, serve: Worker = worker.serve) -> None:
        monkeypatch.setenv("WORLD_SIZE", str(count))

        def accept() -> dict[int, Any]:
            pipes = {number: Pipe() for number in range(1, count)}
            for _, end in pipes.values():
                threads.append(threading.Thread(target=serve, args=(end, CHOICES, DECODING)))
                threads[-1].start()
            return {number: end for number, (end, _) in pipes.items()}

        monkeypatch.setattr(worker_pool, "accept_workers", accept)

    yield start
    for each in threads:
        each.join(5)
        assert not each.is_alive()


def test_the_output_is_that_of_one_process(
    workers: Callable[..., None], tagger: type[Tagger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same order, with refused, cut, repeated and empty sources, over several windows, each translated once."""
    monkeypatch.setattr(windows, "WINDOW", 16)
    sources = [f"{number % 150} {'long ' * (number % 7)}{'!' * (number % 5 == 0)}" for number in range(200)]
    put(*(text(each) for each in [*sources[:90], "", "refuse", *sources[90:]]))
    translate("--into", "de,fr", "--rejects", "bad.jsonl")
    whole, bad = Path("out.jsonl").read_bytes(), Path("bad.jsonl").read_bytes()
    asked = len(tagger.asked)
    tagger.opened.clear()
    for count in (2, 5):
        workers(count)
        tagger.asked.clear()
        translate("--into", "de,fr", "--rejects", "bad.jsonl")
        assert Path("out.jsonl").read_bytes() == whole
        assert Path("bad.jsonl").read_bytes() == bad
        assert len(tagger.asked) == asked
        assert len(tagger.opened) == count
        tagger.opened.clear()
        Path("out.jsonl").unlink()


def test_both_steps_of_a_pivot_are_shared(workers: Callable[..., None], tagger: type[Tagger]) -> None:
    """Each process has both models."""
    put(*(pair(str(number), src_lang="sw") for number in range(40)))
    workers(2)
    CHOICES.append(ModelChoice("n"))
    try:
        command = ["pivot", "in.jsonl", "--model", "m", "--second-model", "n", "-o", "out.jsonl"]
        assert cli.run(command) == 0
    finally:
        CHOICES.pop()
    assert [record["mt"] for record in got()] == [f"{number}>en>de" for number in range(40)]
    assert sorted(choice.model for choice, _ in tagger.opened) == ["m", "m", "n", "n"]


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(1, 9))
def test_parts_are_contiguous_and_about_equal(lengths: list[int], processes: int) -> None:
    """Each request is in one part, in order; no part exceeds the mean by more than the longest sentence."""
    requests = [TranslationRequest("x" * length, "en", "de") for length in lengths]
    parts = worker_pool.split(requests, processes)
    assert len(parts) == processes
    assert [place for part in parts for place in part] == list(range(len(requests)))
    costs = [sum(lengths[place] + 20 for place in part) for part in parts]
    assert max(costs) <= sum(costs) / processes + max(lengths, default=0) + 20


def test_a_worker_that_disconnects_ends_the_run(
    workers: Callable[..., None], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is one line; finished records are kept, and any number of processes can resume."""
    monkeypatch.setattr(windows, "WINDOW", 8)
    put(*(pair(str(number)) for number in range(60)))
    translate()
    whole = Path("out.jsonl").read_bytes()
    Path("out.jsonl").unlink()

    def dying(main: Any, choices: Any, decoding: Any) -> None:
        engine = Tagger(choices[0], decoding)
        main.send(["m"])
        for answer in engine.translate(main.recv()[1]):
            main.send(answer)
        main.recv()
        main.close()

    workers(2, dying)
    capfd.readouterr()
    translate(code=1)
    error = capfd.readouterr().err
    assert error.startswith("llamax translate: process 1 of 2 has disconnected; ") and "go on with --resume" in error
    workers(3)
    translate("--resume")
    assert Path("out.jsonl").read_bytes() == whole


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ModelError("--device cuda:7: torch sees no CUDA devices (process 1 of 2, on node2)"), "--device cuda:7: "),
        (["another"], "process 1 of 2 has a different model or adapter under the same name"),
    ],
)
def test_the_main_process_reports_errors_of_workers(
    workers: Callable[..., None], capfd: pytest.CaptureFixture[str], answer: object, expected: str
) -> None:
    """Before anything is read or written."""
    put(pair("a"))
    workers(2, lambda main, *_: main.send(answer))
    translate(code=1)
    assert capfd.readouterr().err.startswith(f"llamax translate: {expected}")
    assert not Path("out.jsonl.partial").exists()


def test_a_worker_sends_its_error_to_the_main_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its number and machine; it ends when the main process says so or disconnects."""
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    first, second = Pipe()
    worker.serve(second, [ModelChoice("./nowhere")], DECODING)
    error = first.recv()
    assert isinstance(error, LlamaxError)
    assert str(error) == f"./nowhere: no such folder (process 1 of 2, on {socket.gethostname()})"
    monkeypatch.setitem(registry.ENGINES, "hf", EngineSpec("support.fakes:Tagger", shareable=True))
    for ending in (lambda: first.send(None), first.close):
        ending()
        worker.serve(second, CHOICES, DECODING)


@pytest.mark.parametrize("more", [["--engine", "vllm"], ["--device", "all"]], ids=str)
def test_what_needs_a_single_process(
    workers: Callable[..., None], capfd: pytest.CaptureFixture[str], more: list[str]
) -> None:
    """It is refused if several were started."""
    put(pair("a"))
    workers(2)
    translate(*more, code=2)
    assert "a single process; 2 were started" in capfd.readouterr().err


def test_processes_that_cannot_find_each_other(
    tagger: type[Tagger], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher's variables lack an address."""
    put(pair("a"))
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    translate(code=1)
    error = capfd.readouterr().err
    assert error.startswith("llamax translate: the 2 processes of WORLD_SIZE cannot find each other: ")
    assert error.count("\n") == 1


def start(folder: Path, rank: int, port: int) -> subprocess.Popen[bytes]:
    """Begin one of two processes, with a slow engine."""
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    environment = {**os.environ, "WINDOW": "8", **{name: str(value) for name, value in told.items()}}
    call = fakes.command(fakes.Sleeper, "translate", "in.jsonl", "--model", "m", "-o", "out.jsonl")
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(call, cwd=folder, env=environment, **pipes)


@pytest.mark.slow
def test_two_processes_are_terminated(tagger: type[Tagger], tmp_path: Path) -> None:
    """SIGTERM to the main process ends both, and it alone reports it; a single process can resume their work."""
    put(*(pair(str(number)) for number in range(120)))
    translate()
    whole = Path("out.jsonl").read_bytes()
    Path("out.jsonl").unlink()
    port = free_port()
    both = [start(tmp_path, rank, port) for rank in (0, 1)]
    partial = tmp_path / "out.jsonl.partial"
    wait_for(partial, 500, both[0])
    both[0].send_signal(signal.SIGTERM)
    (_, error), silence = (each.communicate(timeout=60) for each in both)
    assert [each.returncode for each in both] == [143, 0]
    assert error.startswith(b"llamax translate: terminated; ") and error.endswith(b": go on with --resume\n")
    assert silence == (b"", b"")
    translate("--resume")
    assert Path("out.jsonl").read_bytes() == whole


@pytest.mark.slow
def test_accelerate_starts_them(tiny_model: Callable[[str], Path], tmp_path: Path) -> None:
    """A real model in two processes, through a pipe: the bytes of one process, and one summary."""
    texts = b"".join(b'{"text":"kalo mi vo %d.","lang":"en"}\n' % number for number in range(6))
    (tmp_path / "in.jsonl").write_bytes(texts)
    options = ["--model", str(tiny_model("llama")), "--max-new-tokens", "6", "--into", "de"]
    one = tmp_path / "one.jsonl"
    assert cli.run(["translate", str(tmp_path / "in.jsonl"), *options, "-o", str(one)]) == 0
    flags = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    flags += ["--dynamo_backend", "no", "--main_process_port", str(free_port())]
    command = ["accelerate.commands.accelerate_cli", "launch", *flags, "-m", "llamax_cli", "translate", *options]
    both = zygote.run_module(*command, stdin=texts, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert both.returncode == 0, both.stderr
    assert both.stdout == one.read_bytes()
    assert both.stderr.count(b"llamax translate: 6 records") == both.stderr.count(b"llamax") == 1
