"""Layouts of shards over machines, and sums of gradients: the same losses and weights, whichever is chosen."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from support.runs import job, losses, train

from llamax_cli.errors import UsageError
from llamax_cli.training.parallelize import check_layout

COUNTED = "support.counted_worker"
CLOSE = {"rel": 1e-6, "abs": 0}
# Eight blocks in a step, one at a time.
STEPS = {"batch": 8, "micro_batch": 1, "stop_after": 2, "checkpoint_every": 0}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, model: Path, mix: Path) -> Path:
    """Return the folder of a run of one rank."""
    folder = job(tmp_path_factory.mktemp("alone"), model, mix, **STEPS)
    train(folder)
    return folder


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights of the model that a run wrote."""
    from safetensors.torch import load_file

    return load_file(folder / "model" / "model.safetensors")


def assert_same(folder: Path, other: Path) -> None:
    """Assert that two runs have the same losses and weights, but for the order of sums."""
    assert losses(folder) == pytest.approx(losses(other), **CLOSE)
    one, two = weights(folder), weights(other)
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)


def collectives(folder: Path) -> dict[str, int]:
    """Return what the first rank counted in the last step."""
    counted: dict[str, int] = json.loads((folder / "collectives-0").read_text().splitlines()[-1])
    return counted


def counted_run(folder: Path, model: Path, mix: Path, ranks: int, machines: int = 1, **more: Any) -> dict[str, int]:
    """Train and return what the first rank counted in the last step."""
    train(job(folder, model, mix, **{**STEPS, **more}), ranks, machines=machines, worker=COUNTED)
    return collectives(folder)


@pytest.mark.slow
def test_gradients_are_summed_once_a_step(tmp_path: Path, model: Path, mix: Path, alone: Path) -> None:
    """Or after each micro-batch: with the same losses and weights, for a quarter of the bytes."""
    each = counted_run(tmp_path / "each", model, mix, 2)
    once = counted_run(tmp_path / "once", model, mix, 2, sync_each_batch=False)
    groups = 3  # two layers, and what is around them
    assert each["micro_batches"] == once["micro_batches"] == 4
    assert (each["reduce_scatter_base"], once["reduce_scatter_base"]) == (4 * groups, groups)
    assert each["bytes"] == 4 * once["bytes"]
    assert each["allgather_base"] == once["allgather_base"]
    for name in ("each", "once"):
        assert_same(tmp_path / name, alone)


@pytest.mark.slow
def test_lora_sums_the_gradients_of_the_adapter_only(tmp_path: Path, model: Path, mix: Path) -> None:
    """Once a step: four bytes for each of its weights; none of the frozen weights has a gradient."""
    lora = {"lora": 4, "lora_targets": ("q_proj", "v_proj")}
    counted = counted_run(tmp_path / "two", model, mix, 2, **lora)
    (tmp_path / "one").mkdir()
    train(job(tmp_path / "one", model, mix, **STEPS, **lora))
    layers, hidden, values, rank = 2, 32, 16, 4
    assert counted["reduce_scatter_base"] == layers
    assert counted["bytes"] == 4 * layers * rank * (hidden + hidden + hidden + values)
    assert_same(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
def test_hybrid_shards_are_those_of_one_rank(tmp_path: Path, model: Path, mix: Path, alone: Path) -> None:
    """Two machines of two ranks: shards are summed within each after every micro-batch, between them once a step.

    Stopped in the middle, with a checkpoint in four parts written while it trained, the run is continued by two ranks
    that share all, and by one.
    """
    hybrid, groups = tmp_path / "hybrid", 3
    counted = counted_run(hybrid, model, mix, 4, 2, shard="node", stop_after=1, async_checkpoint=True)
    assert counted["micro_batches"] == 2
    assert (counted["reduce_scatter_base"], counted["allreduce"]) == (2 * groups, groups)
    assert losses(hybrid) == pytest.approx(losses(alone)[:1], **CLOSE)
    for ranks in (2, 1):
        run = tmp_path / f"on-{ranks}"
        shutil.copytree(hybrid, run)
        said = train(job(run, model, mix, **STEPS, resume=True), ranks)
        assert "changed: stop_after 1 -> 2, shard node -> full" in said
        assert_same(run, alone)


@pytest.mark.slow
def test_machines_of_one_rank_each_hold_copies(tmp_path: Path, model: Path, mix: Path, alone: Path) -> None:
    """Nothing is gathered, and gradients are summed once a step."""
    counted = counted_run(tmp_path, model, mix, 2, 2, shard="node")
    assert counted["micro_batches"] == 4
    assert {name for name in counted if name != "bytes"} == {"allreduce", "micro_batches"}
    assert counted["allreduce"] == 3
    assert_same(tmp_path, alone)


@pytest.mark.parametrize(
    "places", [[(0, 2), (1, 2), (0, 1)], [(0, 1), (0, 2), (1, 2)], [(0, 2), (0, 2), (1, 2), (1, 2)]]
)
def test_an_uneven_layout_is_refused(places: list[tuple[int, int]]) -> None:
    """Machines with different numbers of ranks, or whose ranks do not follow each other, would not form a rectangle."""
    counts = ", ".join(str(count) for place, count in places if place == 0)
    with pytest.raises(UsageError, match=f"same number of processes on each machine, which have {counts}; use shard"):
        check_layout(places)
    check_layout([(0, 2), (1, 2), (0, 2), (1, 2)])
