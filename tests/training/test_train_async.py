"""Checkpoints that are written while training goes on: the same as others, and never half a checkpoint."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from support.processes import wait_until
from support.runs import begin, end, job, losses, metrics, steps_so_far, train, until

from llamax_cli.training.job import list_checkpoints

GATED = "support.gated_worker"
CLOSE = {"rel": 1e-6, "abs": 0}


def written_meanwhile(folder: Path, model: Path, mix: Path, **more: Any) -> Path:
    """Return a job whose checkpoints are written in the background."""
    return job(folder, model, mix, **{"async_checkpoint": True, "checkpoint_every": 4, "epochs": 20, **more})


@pytest.mark.slow
def test_training_goes_on_while_a_checkpoint_is_written(tmp_path: Path, model: Path, mix: Path) -> None:
    """Up to the next one, for which it waits, as does the end at SIGTERM; resumed, the run has the same losses again.

    A checkpoint holds the weights of its step, although they have changed when it is written.
    """
    processes = begin(written_meanwhile(tmp_path, model, mix, keep=3), 2, worker=GATED)
    until(tmp_path, 8)
    time.sleep(0.3)
    assert len(steps_so_far(tmp_path)) == 8
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000004.partial"]
    for process in processes:
        os.kill(process.pid, signal.SIGTERM)
    time.sleep(0.3)
    assert [process.poll() for process in processes] == [None, None]
    (tmp_path / "gate").touch()
    codes, said = end(tmp_path, processes)
    assert codes == [143, 143]
    # The signal is seen at the end of the step after the one that waited.
    last = list_checkpoints(tmp_path / "checkpoints")[-1]
    assert f"terminated; step {int(last.name[5:])} is kept" in said
    assert [path.name for path in list_checkpoints(tmp_path / "checkpoints")] == [
        "step-00000004",
        "step-00000008",
        *([last.name] if last.name != "step-00000008" else []),
    ]
    before = losses(tmp_path)
    for path in list_checkpoints(tmp_path / "checkpoints")[1:]:  # go on from the first one, which was written late
        path.rename(path.with_suffix(".partial"))
    train(written_meanwhile(tmp_path, model, mix, stop_after=len(before), resume=True))
    assert metrics(tmp_path, "start")[-1]["step"] == 4
    assert losses(tmp_path) == pytest.approx(before, **CLOSE)


def test_a_run_killed_while_it_writes_has_no_half_checkpoint(tmp_path: Path, model: Path, mix: Path) -> None:
    """What is there does not count, and the next start removes it."""
    processes = begin(written_meanwhile(tmp_path, model, mix), worker=GATED)
    until(tmp_path, 6)
    processes[0].kill()
    end(tmp_path, processes)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000004.partial"]
    assert list_checkpoints(tmp_path / "checkpoints") == []
    train(written_meanwhile(tmp_path, model, mix, stop_after=2, resume=True))
    assert metrics(tmp_path, "start")[-1]["step"] == 0
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000002"]


def test_an_error_waits_for_the_checkpoint(tmp_path: Path, model: Path, mix: Path) -> None:
    """A run that a spike ends keeps what was being written."""
    run = written_meanwhile(tmp_path, model, mix, batch=2, checkpoint_every=20, spike=0.5)
    processes = begin(run, worker=GATED)
    until(tmp_path, 20)
    wait_until(lambda: (tmp_path / "metrics.jsonl").read_text().count('"skipped"') == 1)
    (tmp_path / "gate").touch()
    codes, said = end(tmp_path, processes)
    assert (codes, said.count("\n")) == ([1], 1)
    assert said.endswith("; on_spike=skip skips such steps\n")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000020"]
