"""The trained model as a folder: the files that transformers itself would write, without the whole model in memory."""

import errno
import os
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from support.runs import config, job, small_tokenizer
from torch import nn
from transformers import AutoModelForCausalLM, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from llamax_cli.config import Training
from llamax_cli.errors import FileError
from llamax_cli.models import causal_lm
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.streams.manifest import PACKAGES, package_version
from llamax_cli.training import export
from llamax_cli.training.job import read_job
from llamax_cli.training.parallelize import broadcast_weights, make_mesh, shard
from llamax_cli.training.process_group import process_group

FACTS = {"data": [], "training": {"seed": 0}, "versions": {}, "command": "train", "model": "m", "init": False}
FACTS |= {"steps": 1, "records": 1, "tokens": 1}


def write_trained(folder: Path, source: Path, training: Training) -> None:
    """Load a model and write it as a run does, sharded by FSDP, into the folder of a run."""
    run = read_job(job(folder, source, source / "none"))
    settings = causal_lm.load_config(str(source))
    with process_group() as ranks:
        empty = causal_lm.prepare_for_training(causal_lm.empty_model(settings), training)
        trained = CausalLM(empty, training.loss_chunk)
        shard(trained, make_mesh(ranks, training), torch.float32, training)
        causal_lm.materialise(trained, ranks.device)
        model = causal_lm.load_weights(str(source), settings, 0, init=False)
        broadcast_weights(trained, causal_lm.prepare_for_training(model, training).state_dict())
        export.export(run, trained, settings, small_tokenizer(), FACTS, ranks)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("largest", [50 * 10**9, 20_000])
def test_the_files_are_those_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tied: bool, dtype: torch.dtype, largest: int
) -> None:
    """To the byte: weights, tied or not, in one file or several, their index, and the configuration."""
    model: Any = LlamaForCausalLM(config(tie_word_embeddings=tied, dtype=dtype))
    theirs, run = tmp_path / "theirs", tmp_path / "run"
    run.mkdir()
    model.to(dtype).save_pretrained(theirs, max_shard_size=largest)
    monkeypatch.setattr(export, "LARGEST_FILE", largest)
    write_trained(run, theirs, Training())
    for path in theirs.iterdir():
        assert (run / "model" / path.name).read_bytes() == path.read_bytes(), path.name
    weights = {path.name for path in (run / "model").iterdir() if path.name.startswith("model")}
    assert weights == {path.name for path in theirs.iterdir() if path.name.startswith("model")}
    assert (len(weights) > 2) == (largest == 20_000)


def test_versions_are_those_that_are_installed() -> None:
    """In cards and in manifests, although not all that a package says of itself is read."""
    installed = {name for name in PACKAGES if find_spec(name)}
    assert "torch" in installed
    assert {name: package_version(name) for name in installed} == {name: version(name) for name in installed}


def test_a_library_that_cannot_write_says_so_in_one_line(tmp_path: Path) -> None:
    """Those in Rust raise errors of their own, tokenizers no particular one."""
    said = "Input/output error (os error 5)"
    for error in (Exception(said), SafetensorError(f"Error while serializing: I/O error: {said}")):
        with pytest.raises(FileError, match=r"/model: input/output error$"), export._library_errors(tmp_path / "model"):
            raise error
    with pytest.raises(KeyError), export._library_errors(tmp_path):
        raise KeyError


def test_settings_that_cannot_be_read_are_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default ones, unless they are no JSON, so that the library ignores them as well."""
    path = tmp_path / "generation_config.json"
    path.write_text('{"eos_token_id": 7}')
    assert export._generation_config(str(tmp_path), config()).eos_token_id == 7

    def failing(source: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(export.pretrained, "load_generation_config", failing)
    with pytest.raises(FileError, match=r"generation_config\.json: input/output error"):
        export._generation_config(str(tmp_path), config())
    path.write_text("{")
    assert export._generation_config(str(tmp_path), config()).eos_token_id == 2


def test_lora_is_merged_by_weight(tmp_path: Path) -> None:
    """Layers with a bias too: in fp32, then in the number format of the model."""
    training = Training(lora=4, lora_alpha=8)
    facts = {"vocab_size": 128, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    settings = Qwen2Config(**facts, num_attention_heads=4, num_key_value_heads=2, dtype=torch.bfloat16)
    model: Any = Qwen2ForCausalLM(settings)
    for layer in model.model.layers:
        nn.init.normal_(layer.self_attn.q_proj.bias)
    base = {name: weight.clone() for name, weight in model.state_dict().items()}
    training_model = causal_lm.prepare_for_training(model, training)
    adapter = {name: weight for name, weight in training_model.state_dict().items() if ".lora_" in name}
    for weight in adapter.values():
        nn.init.normal_(weight)
    folder = tmp_path / "run"
    folder.mkdir()
    with process_group() as ranks:
        trained = CausalLM(training_model, training.loss_chunk)
        run = read_job(job(folder, tmp_path, tmp_path / "none", lora=4, lora_alpha=8))
        export.export(run, trained, settings, small_tokenizer(), FACTS, ranks)
    written: Any = AutoModelForCausalLM.from_pretrained(folder / "model")
    assert written.dtype == torch.bfloat16
    for name, weight in written.state_dict().items():
        stem = name.removesuffix(".weight")
        expected = base[name].float()
        if f"{stem}.lora_A.default.weight" in adapter:
            expected = (
                expected + 2 * adapter[f"{stem}.lora_B.default.weight"] @ adapter[f"{stem}.lora_A.default.weight"]
            )
        assert torch.equal(weight, expected.bfloat16()), name


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux's count of memory")
def test_the_model_is_never_whole_in_memory(tmp_path: Path) -> None:
    """Above what the rank holds of it anyway, writing takes a few of its weights, however many there are."""
    model = LlamaForCausalLM(config(hidden_size=512, intermediate_size=2048, num_hidden_layers=8, vocab_size=1000))
    size = 4 * sum(weight.numel() for weight in model.parameters())
    folder = tmp_path / "run"
    folder.mkdir()
    run = read_job(job(folder, tmp_path, tmp_path / "none"))
    with process_group() as ranks:
        trained = CausalLM(model, 64)
        shard(trained, make_mesh(ranks, Training()), torch.float32, Training())
        Path("/proc/self/clear_refs").write_text("5")
        before = memory("VmRSS")
        export.export(run, trained, model.config, small_tokenizer(), FACTS, ranks)
        took = memory("VmHWM") - before
    largest = 4 * 512 * 2048
    assert took < 20e6 + 4 * largest < size / 2


def memory(name: str) -> int:
    """Return a figure of this process's memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def test_a_full_disk_stops_no_rank_from_gathering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All weights are gathered although the first cannot be written, so the other ranks do not wait for ever."""
    model = LlamaForCausalLM(config())
    gathered: list[int] = []
    whole = export._whole

    def counted(weight: torch.Tensor, ranks: Any) -> torch.Tensor:
        gathered.append(1)
        return whole(weight, ranks)

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_whole", counted)
    monkeypatch.setattr(export, "write_safetensors", full)
    folder = tmp_path / "run"
    folder.mkdir()
    run = read_job(job(folder, tmp_path, tmp_path / "none"))
    with process_group() as ranks, pytest.raises(FileError, match="no space left on device; the last checkpoint is"):
        export.export(run, CausalLM(model, 64), model.config, small_tokenizer(), FACTS, ranks)
    assert len(gathered) == len(list(model.parameters()))
    assert not list(folder.glob("model*"))
