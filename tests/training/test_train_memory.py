"""The memory of the first step against the estimate: equal to the byte where nothing is activated, else told."""

from pathlib import Path

import pytest
from support.records import write
from support.runs import config, job, model_folder, sample, train

from llamax_cli.config import Training
from llamax_cli.training import estimates, memory_check, trainer
from llamax_cli.training.machines import Machines
from llamax_cli.training.process_group import Ranks, process_group


def test_the_estimate_is_what_the_optimizer_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 bytes a weight, measured after a step of AdamW; a difference of more than a tenth is told, in one line."""
    import torch
    from transformers import LlamaForCausalLM

    from llamax_cli.training.optimizer import make_optimizer

    monkeypatch.setattr(memory_check, "SMALLEST", 0)
    model, training = LlamaForCausalLM(config()), Training()
    optimizer = make_optimizer(model, training)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    shape = estimates.read_shape(config().to_dict())
    estimate = estimates.estimate_memory(shape, training, Machines())
    with process_group() as ranks:
        monkeypatch.setattr(memory_check, "TOLERANCE", 0.001)  # AdamW counts its steps, a number for each tensor
        assert memory_check.compare_memory(model, optimizer, estimate, ranks) is None
        monkeypatch.setattr(memory_check, "TOLERANCE", 0.1)
        twice = estimates.estimate_memory(shape, training, Machines(processes=2))
        assert memory_check.compare_memory(model, optimizer, twice, ranks) == (
            "memory of weights and optimizer of a process: 0.0 GB, where --preflight estimates 0.0 GB"
        )
        gpu = Ranks(0, 1, torch.device("cuda", 0), ranks.cpu_group, ranks.store)
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 40e9)
        expected = f"memory of a GPU: 40.0 GB, where --preflight estimates {(estimate.total - 1.5e9) / 1e9:.1f} GB"
        assert memory_check.compare_memory(model, optimizer, estimate, gpu) == expected
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: estimate.total - 1.5e9)
        assert memory_check.compare_memory(model, optimizer, estimate, gpu) is None


def test_a_run_compares_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small model differs by too few bytes to be told."""
    assert trainer.compare_memory is memory_check.compare_memory
    mix = write(tmp_path / "mix.jsonl", [sample(number) for number in range(60)])
    said = train(job(tmp_path / "run", model_folder(tmp_path / "model"), mix, stop_after=2), 2)
    assert "memory of" not in said
