"""Ranks that hang, die or are slow: the others end soon, one of them says why, and nothing that was kept is lost."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.processes import wait_for
from support.records import write
from support.runs import begin, end, job, losses, metrics, model_folder, sample, train, until
from support.zygote import Process, zygote

from llamax_cli.training import launcher
from llamax_cli.training.process_group import LOST, NOT_JOINED, TIMED_OUT, describe_failure

SOON = 30  # seconds within which all has to end, on a machine that does much else


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small model."""
    return model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return samples of several lengths."""
    return write(
        tmp_path_factory.mktemp("data") / "mix.jsonl", [sample(number, 3 + number % 20) for number in range(300)]
    )


SETTINGS: dict[str, Any] = {"epochs": 20, "checkpoint_every": 4, "stop_timeout": 1.0, "micro_batch": 7}


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory, model: Path, mix: Path) -> Path:
    """Return the folder of a run of one rank that nothing has stopped before its 60th step; few come so far."""
    folder = job(tmp_path_factory.mktemp("straight"), model, mix, **SETTINGS, stop_after=60)
    train(folder)
    return folder


# -- ranks that hang ---------------------------------------------------------------------------------------------------


def stop_and_terminate(processes: list[Process], hanging: int) -> None:
    """Stop one rank, so that it heeds nothing, and tell all ranks to end."""
    os.kill(processes[hanging].pid, signal.SIGSTOP)
    time.sleep(0.5)  # until the others wait for it
    for process in processes:
        process.send_signal(signal.SIGTERM)


def ended(folder: Path, processes: list[Process], hanging: int) -> tuple[list[int], str]:
    """Return the exit codes and the output of a run once all ranks but the hanging one have ended by themselves."""
    try:
        for rank, process in enumerate(processes):
            if rank != hanging:
                process.wait(SOON)
    finally:
        processes[hanging].kill()
    return end(folder, processes)


@pytest.mark.slow
@pytest.mark.parametrize("hanging", [0, 1])
def test_sigterm_ends_ranks_that_wait_for_one_that_hangs(
    tmp_path: Path, model: Path, mix: Path, straight: Path, hanging: int
) -> None:
    """They end without a checkpoint; one says who hangs and what is kept, from which the run resumes exactly."""
    job(tmp_path, model, mix, **SETTINGS)
    processes = begin(tmp_path, 2)
    until(tmp_path, 6)
    stop_and_terminate(processes, hanging)
    codes, said = ended(tmp_path, processes, hanging)
    assert codes == [-9 if rank == hanging else 143 for rank in range(2)]
    kept = max(int(path.name[5:]) for path in tmp_path.glob("checkpoints/step-????????"))
    assert re.fullmatch(
        rf"llamax train: terminated, but rank {1 - hanging} made no progress for \d s "
        rf"(in step \d+|writing a checkpoint), and rank {hanging} did not respond; "
        rf"step {kept} is kept in {tmp_path}/checkpoints: go on with --resume auto\n",
        said,
    )
    train(job(tmp_path, model, mix, resume=True, **SETTINGS, stop_after=kept + 5), 2)
    assert losses(tmp_path)[:60] == pytest.approx(losses(straight)[: kept + 5], rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("store", ["in rank 0", "in the launcher"])
def test_another_rank_speaks_for_the_first_where_that_hangs(
    tmp_path: Path, model: Path, mix: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    """SIGTERM reaches it outside of a collective, where it ends at once, as the first rank would."""
    from torch.distributed import TCPStore

    if store == "in the launcher":
        launchers = TCPStore("127.0.0.1", 0, 2, is_master=True, wait_for_workers=False)
        monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
        monkeypatch.setattr("support.runs.free_port", lambda: launchers.port)
    job(tmp_path, model, mix)
    processes = begin(tmp_path, 2, slow="1 preparing 60")
    wait_for(tmp_path / "slow")
    stop_and_terminate(processes, 0)
    codes, said = ended(tmp_path, processes, 0)
    assert codes == [-9, 143]
    assert said == "llamax train: terminated, and rank 0 did not respond; no checkpoint is kept\n"


@pytest.mark.slow
def test_a_collective_has_a_time_limit(tmp_path: Path, model: Path, mix: Path) -> None:
    """Without a signal, too, the others end when a rank hangs, and the line names the setting."""
    job(tmp_path, model, mix, epochs=20, checkpoint_every=3, collective_timeout=2.0)
    processes = begin(tmp_path, 2)
    until(tmp_path, 6)
    os.kill(processes[1].pid, signal.SIGSTOP)
    codes, said = ended(tmp_path, processes, 1)
    assert codes == [1, -9]
    assert said.startswith(f"llamax train: rank 0 stops: {TIMED_OUT}; step ")
    assert said.count("\n") == 1


LAUNCHERS = {
    "llamax": [launcher.ACCELERATE, "train", "launch", "--multi_gpu", "--main_process_port", "0"],
    "accelerate": ["accelerate.commands.accelerate_cli", "launch", "--multi_gpu", "--main_process_port", "0"],
    "torchrun": ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"],
}
TWO = ["--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]


@pytest.mark.slow
@pytest.mark.parametrize("name", LAUNCHERS)
def test_every_launcher_ends_a_worker_that_is_stopped(tmp_path: Path, model: Path, mix: Path, name: str) -> None:
    """Ours does not wait for it as long as for a checkpoint; torchrun and accelerate have a limit of their own."""
    job(tmp_path, model, mix, epochs=40, stop_timeout=1.0)
    how = {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "8"}
    if name == "llamax":
        how["TORCH_ELASTIC_SHUTDOWN_TIMEOUT"] = launcher.ENVIRONMENT["TORCH_ELASTIC_SHUTDOWN_TIMEOUT"]
    call = [*LAUNCHERS[name], *([] if name == "torchrun" else TWO), "-m", "llamax_cli.training.worker", str(tmp_path)]
    with (tmp_path / "stderr").open("wb") as file:
        process = zygote().start(call, env={**os.environ, **how}, stderr=file)
    until(tmp_path, 3)
    workers = psutil.Process(process.pid).children()
    _, second = sorted(workers, key=lambda worker: worker.create_time())
    second.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(SOON)
        assert not any(worker.is_running() for worker in workers)
    finally:
        for each in workers:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    said = [line for line in (tmp_path / "stderr").read_text().splitlines() if line.startswith("llamax")]
    assert [line.split(" made no progress")[0] for line in said] == ["llamax train: terminated, but rank 0"]
    if name == "llamax":
        assert code == 143


# -- ranks that are slow -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("slow", ["0 preparing 4", "1 step 1.5"])
def test_a_slow_rank_is_none_that_hangs(tmp_path: Path, model: Path, mix: Path, slow: str) -> None:
    """The others wait for the preparation of data beyond `collective_timeout`, for a step beyond `stop_timeout`."""
    limit = 2.0 if "preparing" in slow else 60.0
    job(tmp_path, model, mix, collective_timeout=limit, stop_timeout=1.0, max_steps=3)
    codes, said = end(tmp_path, begin(tmp_path, 2, slow=slow))
    assert codes == [0, 0], said
    assert len(metrics(tmp_path)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("slow", ["0 checkpoint 4", "1 checkpoint 4", "1 step 1.5"])
def test_sigterm_waits_for_a_checkpoint(tmp_path: Path, model: Path, mix: Path, slow: str) -> None:
    """It is written to the end, though one rank takes longer than `stop_timeout`; so is one after a slow step."""
    job(tmp_path, model, mix, epochs=20, checkpoint_every=3, stop_timeout=1.0)
    processes = begin(tmp_path, 2, slow=slow)
    until(tmp_path, 2)
    wait_for(tmp_path / "slow")
    for process in processes:
        process.send_signal(signal.SIGTERM)
    codes, said = end(tmp_path, processes)
    assert codes == [143, 143], said
    assert said.startswith(f"llamax train: terminated; step {len(losses(tmp_path))} is kept in ")
    assert said.count("\n") == 1


@pytest.mark.slow
def test_sigterm_while_validating_ends_with_a_checkpoint(tmp_path: Path, model: Path, mix: Path) -> None:
    """The validation takes several times `stop_timeout`, but each of its micro-batches is progress."""
    job(tmp_path, model, mix, epochs=20, validation=(str(mix),), validation_every=2, stop_timeout=1.0)
    processes = begin(tmp_path, 2, slow="1 micro-batch 0.3")
    until(tmp_path, 2)
    started = time.monotonic()
    for process in processes:
        process.send_signal(signal.SIGTERM)
    codes, said = end(tmp_path, processes)
    assert codes == [143, 143], said
    assert said.startswith("llamax train: terminated; step 3 is kept in ")
    assert metrics(tmp_path, "validation")
    assert time.monotonic() - started > 3


# -- the watchdog by itself --------------------------------------------------------------------------------------------

SCRIPT = """
import os, signal, sys, time
from llamax_cli.training.watchdog import Watchdog

signal.signal(signal.SIGTERM, lambda number, frame: None)
signal.signal(signal.SIGINT, lambda number, frame: None)
with Watchdog(lambda overdue: print(overdue.doing, flush=True), lambda: print("stopping", flush=True)) as watchdog:
    watchdog.stop_timeout = watchdog.collective_timeout = 0.5
    {code}
"""
BEATS = "for _ in range(12): watchdog.progress('looping'); time.sleep(0.1)"


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGTERM); watchdog.begin('hanging'); time.sleep(20)", 143, "stopping hanging"),
        ("os.kill(os.getpid(), signal.SIGINT); watchdog.progress('hanging'); time.sleep(20)", 130, "stopping hanging"),
        ("watchdog.progress('slow'); time.sleep(1)", 0, ""),
        (f"os.kill(os.getpid(), signal.SIGTERM); {BEATS}", 0, "stopping"),
        (f"{BEATS.replace('0.1', '0.7').replace('12', '3')}; os.kill(os.getpid(), 15); time.sleep(1)", 0, "stopping"),
        ("watchdog.limit_collectives(); watchdog.progress('hanging'); time.sleep(20)", 1, "hanging"),
        ("watchdog.limit_collectives(); watchdog.begin('tokenizing'); time.sleep(1)", 0, ""),
        ("os.kill(os.getpid(), 15); watchdog.leave(65); time.sleep(20)", 65, "stopping"),
        ("watchdog.leave(1, lambda: print('why', flush=True)); time.sleep(20)", 1, "why"),
        ("child = os.fork()\n    if not child: os.kill(os.getpid(), 15); os._exit(0)\n    time.sleep(1)", 0, ""),
    ],
)
def test_the_watchdog_tells_hanging_from_slow(code: str, exit_code: int, said: str) -> None:
    """It ends the process only after a signal, or after the limit of collectives, if nothing moves."""
    if code.startswith("for"):
        first, _, rest = code.rpartition("; os.kill")
        code = f"{first}\n    os.kill{rest}"
    code = code.replace("; for", "\n    for")
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(code=code)], capture_output=True, text=True, timeout=15)
    assert (done.returncode, done.stdout.split(), done.stderr) == (exit_code, said.split(), "")


def test_other_ranks_have_time_inside_patient() -> None:
    """There, `collective_timeout` is the limit."""
    for seconds, exit_code in ((1.0, 0), (20.0, 143)):
        code = "watchdog.collective_timeout = 2.0; os.kill(os.getpid(), 15)\n    "
        code += f"with watchdog.patient('writing'): time.sleep({seconds})"
        done = subprocess.run([sys.executable, "-c", SCRIPT.format(code=code)], capture_output=True, timeout=15)
        assert done.returncode == exit_code


# -- what libraries say ------------------------------------------------------------------------------------------------


# As gloo, NCCL and torch's store write them; what is longer than a line here is one line there.
MESSAGES = {
    TIMED_OUT: """
        [/__w/gloo/transport/tcp/unbound_buffer.cc:78] Timed out waiting 2000ms for recv operation to complete

        Application timeout caused pair closure

        NCCL communicator was aborted on rank 1.  Original reason for failure was: [Rank 1] Watchdog caught collective
        operation timeout: WorkNCCL(SeqNum=25, OpType=ALLREDUCE, Timeout(ms)=1800000) ran for 1809553 milliseconds
        before timing out.

        [PG 1 Rank 6] Process group watchdog thread terminated with exception: [Rank 6] Watchdog caught collective
        operation timeout: WorkNCCL(SeqNum=199, OpType=_REDUCE_SCATTER_BASE, NumelIn=709, NumelOut=44,
        Timeout(ms)=600000) ran for 882722 milliseconds before timing out.
    """,
    LOST: """
        [/__w/gloo/transport/tcp/pair.cc:538] Connection closed by peer [127.0.0.1]:4433

        [gloo/transport/tcp/pair.cc:547] Read error [10.0.0.7]:23514: Connection reset by peer

        [gloo/transport/tcp/pair.cc:534] writev [10.0.0.7]:40612: Broken pipe

        NCCL error in: /pytorch/torch/csrc/distributed/c10d/NCCLUtils.hpp:268, remote process exited or there was a
        network error, NCCL version 2.21.5 ncclRemoteError: A call failed possibly due to a network error or a remote
        process exiting prematurely. Last error: socketProgressOpt: Call to recv from 172.1.1.1<33759> failed

        NCCL communicator was aborted on rank 3.

        Failed to recv, got 0 bytes. Connection was likely closed. Did the remote server shutdown or crash?
    """,
    NOT_JOINED: """
        Timed out after 301 seconds waiting for clients. 1/2 clients joined.

        The client socket has timed out after 600000ms while trying to connect to (gpu01, 29500).

        wait timeout after 300000ms, keys: /default_pg/0//cpu//0/rank_1
    """,
    None: """
        CUDA error: an illegal memory access was encountered

        The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0
    """,
}


@pytest.mark.parametrize(
    ("meaning", "text"), [(key, " ".join(text.split())) for key in MESSAGES for text in MESSAGES[key].split("\n\n")]
)
def test_messages_about_other_ranks_are_known(meaning: str | None, text: str) -> None:
    """Any other error keeps its traceback."""
    assert describe_failure(RuntimeError(text)) == meaning
