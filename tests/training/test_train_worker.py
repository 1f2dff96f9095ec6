"""Runs: the same losses on any number of ranks, resumed from anywhere, with every record exactly once."""

import gc
import json
import os
import re
import shutil
import signal
import socket
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.processes import wait_until
from support.records import write
from support.runs import (
    begin,
    end,
    job,
    losses,
    metrics,
    model_folder,
    sample,
    small_tokenizer,
    steps_so_far,
    train,
    until,
)

from llamax_cli.config import LINEAR_LAYERS
from llamax_cli.errors import FileError, Terminated
from llamax_cli.models.packed_batch import Batch
from llamax_cli.models.sample_encoding import encoder_of
from llamax_cli.training import checkpoint, worker
from llamax_cli.training.dataloader import DataLoader
from llamax_cli.training.dataset import Cache
from llamax_cli.training.job import read_job
from llamax_cli.training.packed_dataset import PackedDataset, prepare
from llamax_cli.training.process_group import process_group
from llamax_cli.training.sampler import DataPosition
from llamax_cli.training.signals import Signals
from llamax_cli.training.train_state import TrainState

RECORDS = 150
CLOSE = {"rel": 1e-6, "abs": 0}
TWICE: dict[str, Any] = {"epochs": 2, "micro_batch": 2}  # through the data, with several micro-batches in a step


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small model."""
    return model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return samples of several lengths, some with a prompt."""
    records = [sample(number, 3 + number % 20, "the dog" if number % 3 == 0 else "") for number in range(RECORDS)]
    return write(tmp_path_factory.mktemp("data") / "mix.jsonl", records)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, model: Path, mix: Path) -> Path:
    """Return the folder of an uninterrupted run of one rank."""
    folder = job(tmp_path_factory.mktemp("whole"), model, mix, validation=(str(mix),), **TWICE)
    train(folder)
    return folder


# -- the same on any number of ranks -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_any_number_of_ranks_has_the_same_losses(
    tmp_path: Path, model: Path, mix: Path, whole: Path, ranks: int
) -> None:
    """The same losses, also by origin, language and direction, the same gradients and the same model."""
    train(job(tmp_path, model, mix, validation=(str(mix),), **TWICE), ranks)
    for event, keys in (
        ("step", ("loss", "gradient_norm", "language", "origin")),
        ("validation", ("loss", "direction")),
    ):
        for one, other in zip(metrics(whole, event), metrics(tmp_path, event), strict=True):
            for key in keys:
                assert other[key] == pytest.approx(one[key], **CLOSE)
    one, other = weights(whole), weights(tmp_path)
    assert all(torch.allclose(one[name], other[name], atol=1e-5) for name in one)


def weights(folder: Path) -> dict[str, Any]:
    """Return the weights of the model that a run wrote."""
    from safetensors.torch import load_file

    return load_file(folder / "model" / "model.safetensors")


@pytest.mark.slow
def test_a_run_stopped_at_three_ranks_resumes_at_four(tmp_path: Path, model: Path, mix: Path, whole: Path) -> None:
    """With the same batch, the losses are those of a run that never stopped; the metrics have no step twice."""
    train(job(tmp_path, model, mix, epochs=2, stop_after=4), 3)
    assert losses(tmp_path) == pytest.approx(losses(whole)[:4], **CLOSE)
    train(job(tmp_path, model, mix, epochs=2, resume=True), 4)
    assert losses(tmp_path) == pytest.approx(losses(whole), **CLOSE)
    assert [line["step"] for line in metrics(tmp_path)] == list(range(1, len(losses(whole)) + 1))


def test_a_run_resumes_with_another_batch(tmp_path: Path, model: Path, mix: Path) -> None:
    """Stopped at three ranks and resumed at one with another batch size, it sees every record."""
    train(job(tmp_path, model, mix, stop_after=3), 3)
    train(job(tmp_path, model, mix, batch=3, micro_batch=1, resume=True))
    (done,) = metrics(tmp_path, "end")
    assert done["records"] == RECORDS
    assert done["tokens"] == metrics(tmp_path, "start")[0]["tokens"]
    assert metrics(tmp_path)[-1]["epoch"] == 1


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, mix: Path) -> PackedDataset:
    """Return the samples, ready to train on."""
    return prepare([mix], encoder_of(small_tokenizer(), "small"), 64, 5, Cache(tmp_path_factory.mktemp("cache")))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 30), st.integers(1, 4), st.integers(1, 9)), max_size=5))
def test_no_record_twice_and_none_missed(prepared: PackedDataset, settings: list[tuple[int, int, int, int]]) -> None:
    """Whatever the ranks, batch and micro batch of a resumed run, and wherever it stopped."""
    position, seen, encoder = prepared.plan(0).start(), Counter[int](), encoder_of(small_tokenizer(), "small")
    for ranks, batch, micro, count in [*settings, (1, 7, 1, 10**9)]:
        shares = [DataLoader(prepared, encoder, batch, micro, rank, ranks).steps(position) for rank in range(ranks)]
        for _, steps in zip(range(count), zip(*shares, strict=True), strict=False):
            documents = [number for step in steps for each in step.batches if each for number in each.numbers]
            seen.update(documents)
            assert len({len(step.batches) for step in steps}) == len({step.position for step in steps}) == 1
            assert steps[0].records == len(documents)
            assert steps[0].learned == sum(len(each.targets) for step in steps for each in step.batches if each)
            position = steps[0].position
    assert seen == Counter(range(RECORDS))


def test_batches_for_a_gpu_are_pinned(prepared: PackedDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, and the thread that reads them uses this rank's GPU."""
    devices, pinned = list[torch.device](), list[int]()

    def pin_memory(batch: Batch) -> Batch:
        pinned.append(id(batch))
        return batch

    monkeypatch.setattr(torch.cuda, "set_device", devices.append)
    monkeypatch.setattr(Batch, "pin_memory", pin_memory)
    device = torch.device("cuda", 1)
    loader = DataLoader(prepared, encoder_of(small_tokenizer(), "small"), 7, 2, device=device)
    steps = list(loader.steps(prepared.plan(0).start()))
    assert pinned == [id(batch) for step in steps for batch in step.batches]
    assert devices == [device]


def test_it_learns_as_the_trainer_of_transformers_does(tmp_path: Path, model: Path) -> None:
    """The oracle: after three steps over padded documents, Trainer has the same weights."""
    from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

    records = [sample(number, 4 + number % 9, "the dog" if number % 2 else "") for number in range(12)]
    mix = write(tmp_path / "mix.jsonl", records)
    folder = tmp_path / "ours"
    facts = {"learning_rate": 1e-3, "weight_decay": 0.1}
    train(job(folder, model, mix, batch=50, epochs=3, schedule="constant", warmup=0.0, beta2=0.999, **facts))
    encoder = encoder_of(small_tokenizer(), "small")
    with (folder / "cache").joinpath("x").open("w"):
        documents = encoder.encode(
            list(prepare([mix], encoder, 64, 0, Cache(tmp_path / "cache")).samples.between(0, 12))
        )
    longest = max(len(each.tokens) for each in documents)

    def padded(values: list[int], filler: int) -> torch.Tensor:
        return torch.tensor([*values, *[filler] * (longest - len(values))])

    rows = [
        {
            "input_ids": padded(tokens, 0),
            "attention_mask": padded([1] * len(tokens), 0),
            "labels": padded([t if wanted else -100 for t, wanted in zip(tokens, learned, strict=True)], -100),
        }
        for tokens, learned in documents
    ]
    theirs = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    arguments = TrainingArguments(
        output_dir=str(tmp_path / "theirs"),
        per_device_train_batch_size=12,
        num_train_epochs=3,
        lr_scheduler_type="constant",
        max_grad_norm=1.0,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
        **facts,
    )
    Trainer(theirs, arguments, train_dataset=rows).train()  # type: ignore[arg-type]
    for name, weight in weights(folder).items():
        assert torch.allclose(weight, theirs.state_dict()[name], atol=2e-6), name


# -- the trained model -------------------------------------------------------------------------------------------------


def test_the_result_is_a_plain_folder(whole: Path, mix: Path) -> None:
    """Transformers loads it, its held-out loss is the reported one, and its card names the data."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    result = whole / "model"
    model = AutoModelForCausalLM.from_pretrained(result)
    words = AutoTokenizer.from_pretrained(result)
    encoder = encoder_of(words, "result")
    total = count = 0.0
    documents = encoder.encode(prepare([mix], encoder, 64, 0, Cache(whole / "cache")).samples.between(0, RECORDS))
    with torch.no_grad():
        for tokens, learned in documents:
            labels = torch.tensor([[t if wanted else -100 for t, wanted in zip(tokens, learned, strict=True)]])
            wanted = sum(learned[1:])
            total += float(model(input_ids=torch.tensor([tokens]), labels=labels).loss) * wanted
            count += wanted
    assert metrics(whole, "validation")[-1]["loss"] == pytest.approx(total / count, rel=1e-5)
    assert model.generation_config.eos_token_id == 2
    assert model.config.use_cache
    card = (result / "README.md").read_text()
    facts = json.loads((result / "training.json").read_text())
    assert str(mix) in card
    assert facts["records"] == 2 * RECORDS
    assert facts["data"][0]["digest"] in card
    assert f"torch {torch.__version__}" in card
    assert losses(whole)[-1] < losses(whole)[0]


def test_the_result_can_be_converted(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CTranslate2 translates with it as transformers does."""
    from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
    from llamax_cli.translation.engines.registry import open_engine

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    requests = [TranslationRequest("the dog sees the man", "en", "de"), TranslationRequest("a tall woman", "en", "sw")]
    decoding = Decoding(beam=1, max_new_tokens=12)
    answers = []
    for name in ("hf", "ctranslate2"):
        engine = open_engine(ModelChoice(str(whole / "model"), engine=name, template="lines", device="cpu"), decoding)
        answers.append({place: hypotheses[0].text for place, hypotheses in engine.translate(requests)})
        engine.close()
    assert answers[0] == answers[1]
    assert any(answers[0].values())


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # which peft asks for
@pytest.mark.parametrize(
    ("targets", "ranks"), [(LINEAR_LAYERS, 2), (("all-linear",), 1), (("layers.1.mlp.up_proj",), 1)]
)
def test_lora_is_merged_and_also_written_as_an_adapter(
    tmp_path: Path, model: Path, mix: Path, targets: tuple[str, ...], ranks: int
) -> None:
    """Peft's own merge of the adapter is the merged model; only LoRA's weights are in checkpoints."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    lora = {"lora": 4, "lora_alpha": 8, "lora_targets": targets}
    train(job(tmp_path, model, mix, stop_after=2, learning_rate=1e-2, **lora), ranks)
    train(job(tmp_path, model, mix, stop_after=4, learning_rate=1e-2, resume=True, **lora))
    adapted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), tmp_path / "model" / "adapter")
    theirs = adapted.merge_and_unload().state_dict()
    ours, before = weights(tmp_path), AutoModelForCausalLM.from_pretrained(model).state_dict()
    changed = {name for name in ours if not torch.allclose(ours[name], before[name], atol=1e-3)}
    named = LINEAR_LAYERS if targets == ("all-linear",) else targets
    assert changed == {name for name in ours if name.removesuffix(".weight").endswith(named)}
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in ours)


def test_the_schedule_spans_max_steps_but_not_stop_after(tmp_path: Path, model: Path, mix: Path) -> None:
    """A run of `max_steps` ends at the final rate; one that is paused and resumed has the losses of one that is not."""
    settings = {"epochs": 20, "warmup": 0.25, "final_rate": 0.1, "max_steps": 8}
    train(job(tmp_path / "short", model, mix, **settings))
    train(job(tmp_path / "paused", model, mix, **settings, stop_after=4))
    train(job(tmp_path / "paused", model, mix, **settings, resume=True))
    rates = [line["learning_rate"] for line in metrics(tmp_path / "short")]
    assert len(rates) == 8
    assert max(rates) == rates[1] == 1e-3
    assert rates[-1] == pytest.approx(1e-4)
    assert losses(tmp_path / "paused") == pytest.approx(losses(tmp_path / "short"), **CLOSE)
    assert [line["learning_rate"] for line in metrics(tmp_path / "paused")] == rates


# -- interruptions -----------------------------------------------------------------------------------------------------


def slow(folder: Path, model: Path, mix: Path, **more: Any) -> Path:
    """Return a job of many steps."""
    return job(folder, model, mix, **{"epochs": 40, "checkpoint_every": 0, "keep": 3, **more})


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, model: Path, mix: Path) -> Path:
    """Return the folder of such a run that was stopped after three steps."""
    folder = slow(tmp_path_factory.mktemp("stopped") / "run", model, mix, stop_after=3)
    train(folder)
    return folder


def test_a_signal_makes_a_checkpoint(tmp_path: Path, model: Path, mix: Path) -> None:
    """SIGUSR1 makes one and SIGTERM another and ends the run; resumed, it has the losses of a run without signals."""
    slow(tmp_path, model, mix)
    processes = begin(tmp_path)
    until(tmp_path, 3)
    os.kill(processes[0].pid, signal.SIGUSR1)
    wait_until(lambda: list(tmp_path.glob("checkpoints/step-*[0-9]")))
    until(tmp_path, len(steps_so_far(tmp_path)) + 2)
    os.kill(processes[0].pid, signal.SIGTERM)
    codes, said = end(tmp_path, processes)
    steps = len(losses(tmp_path))
    kept = f"step {steps} is kept in {tmp_path}/checkpoints: go on with --resume auto"
    assert (codes, said) == ([143], f"llamax train: terminated; {kept}\n")
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2
    train(slow(tmp_path, model, mix, stop_after=steps + 5, resume=True))
    straight = slow(tmp_path / "straight", model, mix, stop_after=steps + 5)
    train(straight)
    assert losses(tmp_path) == pytest.approx(losses(straight), **CLOSE)


def test_a_tuning_run_that_is_stopped_before_its_first_step(tmp_path: Path, model: Path) -> None:
    """Nothing is kept, and no promise is made; the lines are those of the command that was called."""
    records = [{"instruction": f"the {number} dog", "input": "", "output": "runs"} for number in range(100_000)]
    data = write(tmp_path / "data.jsonl", records)
    processes = begin(job(tmp_path, model, data, command="tune"))
    wait_until(lambda: (tmp_path / "cache").exists())
    os.kill(processes[0].pid, signal.SIGINT)
    assert end(tmp_path, processes) == ([130], "llamax tune: interrupted; no checkpoint is kept\n")


def test_a_killed_run_resumes_from_the_last_complete_checkpoint(tmp_path: Path, model: Path, mix: Path) -> None:
    """A half-written checkpoint is not taken for a complete one."""
    slow(tmp_path, model, mix, checkpoint_every=4)
    processes = begin(tmp_path)
    until(tmp_path, 10)
    processes[0].kill()
    end(tmp_path, processes)
    last = max(int(path.name[5:]) for path in tmp_path.glob("checkpoints/step-????????"))
    shutil.copytree(tmp_path / "checkpoints" / f"step-{last:08}", tmp_path / "checkpoints" / "step-99999999.partial")
    train(slow(tmp_path, model, mix, stop_after=last + 3, resume=True))
    assert metrics(tmp_path, "start")[-1]["step"] == last
    assert [line["step"] for line in metrics(tmp_path)] == list(range(1, last + 4))


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_rank_that_dies_ends_the_others(tmp_path: Path, model: Path, mix: Path, killed: int) -> None:
    """They exit with an error, and one of them says why and how to go on."""
    slow(tmp_path, model, mix, checkpoint_every=2)
    processes = begin(tmp_path, 3)
    until(tmp_path, 3)
    processes[killed].kill()
    codes, said = end(tmp_path, processes)
    assert codes == [-9 if rank == killed else 1 for rank in range(3)]
    line = re.fullmatch(r"llamax train: rank (\d) stops: another rank ended unexpectedly; (.*)\n", said)
    assert line and int(line[1]) != killed
    kept = max(path.name for path in tmp_path.glob("checkpoints/step-????????"))
    assert line[2] == f"step {int(kept[5:])} is kept in {tmp_path}/checkpoints: go on with --resume auto"


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, model: Path, mix: Path, stopped: Path, meanwhile: bool
) -> None:
    """The error is one line, and the run resumes from the last complete checkpoint.

    Also if the checkpoint is written while training goes on.
    """
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    settings = {"checkpoint_every": 5, "async_checkpoint": meanwhile, "resume": True}
    processes = begin(slow(tmp_path, model, mix, **settings), 2, limit=60_000)
    codes, said = end(tmp_path, processes)
    assert codes == [1, 1]
    changes, error = said.splitlines()
    changed = "; changed: stop_after 3 -> 0, checkpoint_every 0 -> 5"
    assert changes.endswith(f"{changed}, async_checkpoint false -> true" if meanwhile else changed)
    assert "step-00000005.partial: file too large; the earlier checkpoints are intact: make room and go on" in error
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000003"]
    train(slow(tmp_path, model, mix, stop_after=6, resume=True))


@pytest.mark.parametrize("left", ["", '{"event": "step", "step": 1}\n{"event": "st'])
def test_a_log_that_is_gone_begins_anew(tmp_path: Path, model: Path, mix: Path, stopped: Path, left: str) -> None:
    """A log that was removed or rotated, or that lost its end, is continued with nothing but lines of JSON."""
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    (tmp_path / "metrics.jsonl").write_text(left) if left else (tmp_path / "metrics.jsonl").unlink()
    train(slow(tmp_path, model, mix, stop_after=5, resume=True))
    assert [line["step"] for line in metrics(tmp_path)] == [1] * bool(left) + [4, 5]


def test_what_killed_runs_left_is_removed(tmp_path: Path, model: Path, mix: Path, stopped: Path) -> None:
    """Half-written checkpoints, arrays and models go under the lock of the run, and nothing else does."""
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    for folder in ("checkpoints/step-00000040.partial", "model.partial"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "shard").write_bytes(b"half")
    (tmp_path / "cache" / "index-0123.npy.4711.partial").write_bytes(b"half")
    (tmp_path / "mine.partial").touch()
    train(slow(tmp_path, model, mix, stop_after=3, resume=True))
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "mine.partial"])


def test_a_checkpoint_needs_room(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not begun where the disk has no room for it; the earlier one stays. A frozen weight takes none."""
    weights = torch.nn.Linear(100, 10)
    weights.bias.requires_grad_(False)
    parts: Any = SimpleNamespace(model=weights, optimizer=torch.optim.AdamW([weights.weight]))
    run = read_job(job(tmp_path, model, tmp_path / "none"))
    with process_group() as ranks:
        checkpointer = checkpoint.Checkpointer(run, parts, ranks)
        position = DataPosition(0, 0, "")
        monkeypatch.setattr(checkpoint, "free_disk_space", lambda folder: 12_000)
        checkpointer.save(TrainState(step=1), position, {})
        monkeypatch.setattr(checkpoint, "free_disk_space", lambda folder: 11_999)
        with pytest.raises(FileError, match=r"step-00000002.partial: a checkpoint takes .*; the earlier .* intact"):
            checkpointer.save(TrainState(step=2), position, {})
    assert [path.name for path in run.checkpoints.iterdir()] == ["step-00000001"]


# -- what is refused ---------------------------------------------------------------------------------------------------


def refused(folder: Path, ranks: int = 1) -> str:
    """Return the stderr of a run that ends in an error."""
    codes, said = end(folder, begin(folder, ranks))
    assert 0 not in codes
    return said


def test_two_runs_in_one_folder(tmp_path: Path, model: Path, mix: Path) -> None:
    """The second is refused, and the first continues."""
    processes = begin(slow(tmp_path, model, mix))
    until(tmp_path, 1)
    who = f"process {processes[0].pid} on {socket.gethostname()}"
    assert refused(tmp_path) == f"llamax train: another run is training in {tmp_path}: {who}\n"
    os.kill(processes[0].pid, signal.SIGTERM)
    end(tmp_path, processes)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1


def test_a_run_does_not_resume_with_other_data(tmp_path: Path, model: Path, mix: Path) -> None:
    """The position in the checkpoint belongs to the plan of the earlier data."""
    data = tmp_path / "data.jsonl"
    shutil.copy(mix, data)
    run = tmp_path / "run"
    train(slow(run, model, data, stop_after=2))
    write(data, [sample(number) for number in range(10)])
    said = refused(slow(run, model, data, resume=True), 2)
    assert said.startswith("llamax train: the data, the tokenizer or its use of bos_token differs from the")
    assert said.count("\n") == 1


@pytest.mark.parametrize("policy", ["stop", "skip"])
def test_a_loss_that_is_not_a_number(tmp_path: Path, mix: Path, policy: str) -> None:
    """The run stops or skips the step, and names the records."""
    from transformers import AutoModelForCausalLM

    records = [{**sample(number), "completion": "the dog sees the man"} for number in range(40)]
    records[17] = {**records[17], "completion": "the paka", "id": "made:bad"}
    model = model_folder(tmp_path / "model")
    broken = AutoModelForCausalLM.from_pretrained(model)
    usual, unusual = (set(small_tokenizer()(records[n]["completion"])["input_ids"]) for n in (0, 17))
    broken.get_input_embeddings().weight.data[list(unusual - usual)] = float("nan")
    broken.save_pretrained(model)
    data = write(tmp_path / "mix.jsonl", records)
    folder = job(tmp_path / "run", model, data, batch=1, on_nan=policy)
    if policy == "skip":
        said = train(folder, 2)
        assert "; 1 skipped; " in said
    else:
        said = refused(folder, 2)
        assert said.count("\n") == 1
        assert said.endswith("; on_nan=skip skips such steps\n")
    assert "the loss is nan and the norm of the gradient nan; the records with the greatest loss: " in said
    assert f"{data}:18 (made:bad)" in said
    assert metrics(folder, "skipped")[0]["reason"] == "nan"


@pytest.mark.parametrize("policy", ["stop", "skip"])
def test_a_spike_of_the_loss(tmp_path: Path, model: Path, mix: Path, policy: str) -> None:
    """After 20 steps a loss is compared with the running mean; the records with the greatest loss are named.

    Here a loss above half the mean is a spike, and so every step from then on is one. Skipped steps change no weight.
    """
    facts = {"batch": 2, "epochs": 2, "spike": 0.5, "on_spike": policy, "schedule": "constant", "warmup": 0.0}
    folder = job(tmp_path / policy, model, mix, stop_after=25, **facts)
    if policy == "stop":
        said = refused(folder)
        assert said.endswith("; on_spike=skip skips such steps\n")
        assert len(losses(folder)) == 20
    else:
        said = train(folder)
        assert "; 5 skipped; " in said
        assert [line["step"] for line in metrics(folder, "skipped")] == [21, 22, 23, 24, 25]
        assert [line["step"] for line in metrics(folder)] == list(range(1, 26))
        train(job(tmp_path / "twenty", model, mix, stop_after=20, **facts))
        one, other = weights(folder), weights(tmp_path / "twenty")
        assert all(torch.equal(one[name], other[name]) for name in one)
    first = said.splitlines()[0]
    assert "step 21: the loss is " in first
    assert " on average; the records with the greatest loss: " in first
    assert first.count(f"{mix}:") == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"lora": 4, "lora_targets": ("layers.9.mlp.up_proj",)},
            "lora_targets: Target modules {'layers.9.mlp.up_proj'}",
        ),
        ({"freeze": ("layers.0.*",)}, "freeze: 'layers.0.*' matches no weight; weights have names like model.embed"),
    ],
)
def test_names_that_the_model_lacks_are_found_before_the_data_is_read(
    tmp_path: Path, model: Path, mix: Path, settings: dict[str, Any], message: str
) -> None:
    """Reading it may take hours."""
    said = refused(job(tmp_path, model, mix, **settings))
    assert said.startswith(f"llamax train: {message}")
    assert said.count("\n") == 1
    assert not (tmp_path / "cache").exists()


def test_truncated_weights_are_reported(tmp_path: Path, model: Path, mix: Path) -> None:
    """In one line, whichever rank reads them."""
    truncated = tmp_path / "truncated"
    shutil.copytree(model, truncated)
    file = truncated / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    said = refused(job(tmp_path / "run", truncated, mix), 2)
    assert said.startswith(f"llamax train: cannot load {truncated}: ")
    assert said.count("\n") == 1


@pytest.mark.slow
def test_a_compiled_layer_is_the_layer(tmp_path: Path, model: Path, mix: Path, whole: Path) -> None:
    """Torch.compile changes no loss beyond rounding, under FSDP and with gradient checkpointing."""
    train(job(tmp_path, model, mix, compile=True, stop_after=2, **TWICE), worker="support.plainly_compiled_worker")
    assert losses(tmp_path) == pytest.approx(losses(whole)[:2], rel=1e-5)


def test_a_signal_does_not_replace_an_error() -> None:
    """When one rank fails, the launcher sends SIGTERM to the others, which may be about to say what they saw."""
    numbers = (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    signals = Signals()
    try:
        with pytest.raises(ZeroDivisionError), signals.ignored_after_failure():
            raise ZeroDivisionError
        signal.raise_signal(signal.SIGTERM)
        assert isinstance(signals.stop, Terminated)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@pytest.mark.parametrize("ranks", [1, 2])
def test_data_that_the_system_refuses_is_one_line(tmp_path: Path, ranks: int) -> None:
    """On all ranks the run ends, and the first says which file it is."""
    data = tmp_path / "data"
    data.mkdir()
    run = tmp_path / "run"
    run.mkdir()
    job(run, model_folder(tmp_path / "model"), data)
    codes, said = end(run, begin(run, ranks))
    assert codes == [1] * ranks
    assert said.count("\n") == 1, said
    assert "data: is a directory" in said


def test_garbage_is_looked_for_once_the_libraries_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that trains for days makes some; while torch loads, nothing is."""
    seen = []

    class Worker:
        watchdog = nullcontext()

        def __init__(self, folder: Path) -> None:
            seen.append(gc.isenabled())

        def run(self) -> int:
            return 1

    monkeypatch.setattr(worker, "_Worker", Worker)
    monkeypatch.setattr(worker, "die_with_parent", lambda: None)
    monkeypatch.setattr(sys, "argv", ["worker", "folder"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    gc.disable()
    try:
        with pytest.raises(SystemExit):
            worker.main()
    finally:
        gc.enable()
    assert seen == [True]
