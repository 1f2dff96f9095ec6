"""The launcher: what it checks, what it estimates, what it calls."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from support import zygote
from support.processes import Outcome
from support.records import write
from support.runs import config, free_port, metrics, model_folder, sample, small_tokenizer, until
from support.zygote import Process

from llamax_cli.config import Training
from llamax_cli.errors import UsageError
from llamax_cli.training import accelerate_entry, checks, estimates, launcher, machines, preflight, worker
from llamax_cli.training.estimates import DataCounts
from llamax_cli.training.job import make_job
from llamax_cli.training.machines import Gpu, Machines, detect_machines, first_host, override

Run = Callable[..., Outcome]
LLAMA2 = {
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
    "tie_word_embeddings": False,
}
LLAMA3 = {**LLAMA2, "intermediate_size": 14336, "num_key_value_heads": 8, "vocab_size": 128256}
SLURM = {
    "SLURM_JOB_ID": "1234567",
    "SLURM_NODEID": "1",
    "SLURM_STEP_NUM_NODES": "3",
    "SLURM_STEP_NODELIST": "gpu[03-05]",
    "SLURM_STEP_TASKS_PER_NODE": "1(x3)",
    "SLURM_GPUS_ON_NODE": "8",
}
PROCESSES = ("--num_processes", "2")
SMALL = ["--set", "block=64", "--set", "batch=7"]


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Return a folder with `model` and `mix.jsonl`."""
    model_folder(tmp_path / "model")
    records = [sample(number, 3 + number % 20) for number in range(100)]
    write(tmp_path / "mix.jsonl", [*records, {**sample(0, 90), "tgt_lang": "or"}])
    return tmp_path


# -- what is called ----------------------------------------------------------------------------------------------------


def test_dry_run_shows_the_call(inputs: Path, llamax: Run) -> None:
    """The call is one line that a shell accepts, and nothing is written."""
    done = llamax("train", "--model", "model", "--data", "mix.jsonl", "-o", "my run", "--dry-run")
    assert done.stdout.decode() == (
        "accelerate launch --cpu --num_processes 1 --num_machines 1 --mixed_precision no --dynamo_backend no"
        " -m llamax_cli.training.worker 'my run'\n"
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (inputs / "my run").exists()
    several = llamax("train", "--model", "model", "--data", "mix.jsonl", "-o", "run", "--dry-run", "--", *PROCESSES)
    assert b" --main_process_port 0 --num_processes 2 -m " in several.stdout
    own = (*PROCESSES, "--main_process_port", "5")
    several = llamax("train", "--model", "model", "--data", "mix.jsonl", "-o", "run", "--dry-run", "--", *own)
    assert several.stdout.count(b"--main_process_port") == 1


def test_three_nodes_of_eight_gpus_under_slurm(inputs: Path, llamax: Run) -> None:
    """Machines, ranks and the first address come from the environment; flags after -- override them."""
    environment = {**os.environ, **SLURM}
    call = ("train", "--model", "model", "--data", "mix.jsonl", "-o", "run", "--dry-run")
    line = llamax(*call, env=environment).stdout.decode()
    assert line == (
        "accelerate launch --multi_gpu --num_processes 24 --num_machines 3 --mixed_precision no --dynamo_backend no "
        "--machine_rank 1 --main_process_ip gpu03 --main_process_port 34567 -m llamax_cli.training.worker run\n"
    )
    other = llamax(*call, "--", "--main_process_port=5", "--max_restarts", "3", env=environment).stdout.decode()
    assert "--main_process_ip gpu03 --main_process_port=5 --max_restarts 3 -m" in other
    refused = llamax(*call, env={**environment, "SLURM_STEP_TASKS_PER_NODE": "8(x3)"})
    assert refused.returncode == 2
    assert refused.stderr.decode() == (
        "llamax train: Slurm starts 8(x3) tasks on each node, but one task starts all processes of its node; "
        "use srun --ntasks-per-node=1\n"
    )


@pytest.mark.parametrize(
    ("hosts", "first"), [("gpu[03-05,9]", "gpu03"), ("a,b", "a"), ("n7", "n7"), ("r[1,3]-ib,x", "r1-ib"), ("", "")]
)
def test_the_first_host(hosts: str, first: str) -> None:
    """The first host is found in lists as Slurm writes them."""
    assert first_host(hosts) == first


def test_machines_are_what_the_environment_and_the_flags_say() -> None:
    """Visible GPUs are counted, and the user's flags override everything."""
    assert detect_machines({"CUDA_VISIBLE_DEVICES": "0,3"}) == Machines(processes=2, has_gpus=True)
    assert detect_machines({"CUDA_VISIBLE_DEVICES": ""}) == Machines()
    # One task of a job on several nodes, as a batch script itself is, is a machine by itself.
    assert detect_machines({**SLURM, "SLURM_STEP_NUM_NODES": "1"}).ranks == 8
    assert override(Machines(), ["--num_processes", "24", "--num_machines=3"]).ranks == 24
    assert override(Machines(), ["--machine_rank=2"]).rank == 2
    with pytest.raises(UsageError, match="--num_processes takes a whole number of at least 1, not 'x'"):
        override(Machines(), ["--num_processes", "x"])
    with pytest.raises(UsageError, match="--num_processes 20 cannot be divided among 3 machines"):
        override(Machines(), ["--num_processes", "20", "--num_machines=3"])


def test_the_launcher_loads_no_torch(inputs: Path) -> None:
    """The checks and the printed call do not import it."""
    script = "import sys; from llamax_cli import cli; code = cli.run(sys.argv[1:]); "
    script += "print(code, 'torch' in sys.modules, 'transformers' in sys.modules, file=sys.stderr)"
    call = ["train", "--model", "model", "--data", "mix.jsonl", "-o", "run", "--dry-run"]
    done = subprocess.run([sys.executable, "-c", script, *call], cwd=inputs, capture_output=True, timeout=60)
    assert done.stderr == b"0 False False\n"


# -- what it takes -----------------------------------------------------------------------------------------------------


def test_the_weights_of_real_models_are_counted_to_the_last() -> None:
    """The counts for LLaMA-2 7B and LLaMA-3 8B are exact."""
    assert estimates.read_shape(LLAMA2).weights == 6_738_415_616
    assert estimates.read_shape(LLAMA3).weights == 8_030_261_248


def test_weights_are_counted_as_the_model_has_them() -> None:
    """The count equals that of the library's own model, with tied weights and grouped heads too."""
    from transformers import LlamaForCausalLM

    for tied in (False, True):
        facts = config(tie_word_embeddings=tied)
        assert estimates.read_shape(facts.to_dict()).weights == LlamaForCausalLM(facts).num_parameters()


def gpus(count: int, machines: int = 1) -> Machines:
    """Return machines with so many GPUs altogether."""
    return Machines(machines, processes=count // machines, has_gpus=True)


def test_memory_is_in_the_right_order() -> None:
    """A weight takes 16 bytes over all GPUs; a 7B fits on 24 A100 but not on one, and with LoRA on one with 80 GB."""
    shape = estimates.read_shape(LLAMA2)
    assert estimates.estimate_memory(shape, Training(), gpus(24)).weights == 16 * shape.weights / 24
    assert estimates.estimate_memory(shape, Training(micro_batch=4), gpus(24)).total < 40e9
    assert estimates.estimate_memory(shape, Training(), gpus(1)).total > 100e9
    assert estimates.estimate_memory(shape, Training(lora=16), gpus(1)).total < 80e9
    plain, saving = Training(gradient_checkpointing=False), Training()
    some = estimates.estimate_memory(
        shape, Training(gradient_checkpointing="selective", micro_batch=8), gpus(24)
    ).activations
    # What LLaMA-2 7B keeps of 16,384 tokens without checkpointing, measured: 3.06 GB a layer.
    all_of_it = estimates.estimate_memory(
        shape, Training(gradient_checkpointing=False, micro_batch=8), gpus(24)
    ).activations
    assert all_of_it / 33 == pytest.approx(3.06e9, rel=0.2)
    assert 9e9 < some < all_of_it / 2
    assert (
        estimates.estimate_memory(shape, plain, gpus(8)).activations
        > 5 * estimates.estimate_memory(shape, saving, gpus(8)).activations
    )


def test_memory_and_traffic_of_each_layout() -> None:
    """With a copy on each machine, a weight takes 16 bytes over its 8 GPUs, and only gradients go between machines."""
    shape = estimates.read_shape(LLAMA2)
    full, node = (Training(batch=192, micro_batch=8, shard=layout) for layout in ("full", "node"))
    weights, one, three = shape.weights, gpus(8), gpus(24, 3)
    assert [estimates.estimate_memory(shape, each, three).weights for each in (full, node)] == [
        16 * weights / 24,
        16 * weights / 8,
    ]
    assert estimates.estimate_memory(shape, full, one) == estimates.estimate_memory(shape, node, one)
    assert estimates.estimate_traffic(shape, full, one) == estimates.estimate_traffic(shape, node, one) == 0
    layers = shape.layers * shape.layer_weights
    gathered, summed = 4 * layers + 2 * (weights - layers), 4 * weights
    once = estimates.estimate_traffic(shape, full, three)
    assert once == pytest.approx((gathered + summed) * 23 / 24)
    assert estimates.estimate_traffic(shape, node, three) == pytest.approx(2 * summed * 2 / 3)
    # Four micro-batches in a step: the sums of the first three are saved for 4 bytes a weight on every GPU.
    four, saving = replace(full, micro_batch=2), replace(full, micro_batch=2, sync_each_batch=False)
    assert estimates.estimate_traffic(shape, four, three) == pytest.approx(4 * once)
    assert estimates.estimate_traffic(shape, saving, three) == pytest.approx(4 * once - 3 * summed * 23 / 24)
    memory = [estimates.estimate_memory(shape, each, three).weights for each in (saving, four)]
    assert memory[0] - memory[1] == pytest.approx(4 * weights)


def test_operations_are_six_a_weight_and_token() -> None:
    """This includes the output layer on all tokens; attention is added."""
    shape = estimates.read_shape(LLAMA2)
    body = shape.weights - shape.vocabulary * shape.hidden - shape.hidden  # the embedding is looked up
    assert shape.flops(1000, 1000, 0) == 6 * 1000 * body
    assert shape.flops(2048, 2048, 2048**2) / shape.flops(2048, 2048, 0) == pytest.approx(1.04, abs=0.01)
    assert estimates.peak_flops("NVIDIA A100-SXM4-80GB") == 312e12
    assert estimates.peak_flops("Radeon") is None


def test_preflight_says_what_the_run_takes(inputs: Path, llamax: Run) -> None:
    """It prints records, blocks, steps, memory, disk space and days, and leaves the lengths in the cache."""
    call = ("--model", "model", "--data", "mix.jsonl", "-o", "run", *SMALL, "--set", "epochs=2")
    done = llamax("train", *call, "--preflight", "--throughput", 100, "--", "--num_processes", 4)
    assert (done.returncode, done.stderr) == (0, b"")
    rows = dict(line.split(maxsplit=1) for line in done.stdout.decode().splitlines())
    words = small_tokenizer()
    samples = [json.loads(line)["completion"] for line in (inputs / "mix.jsonl").read_text().splitlines()]
    tokens = sum(2 + len(words(text, add_special_tokens=False)["input_ids"]) for text in samples[:100])
    blocks = int(rows["blocks"].split()[0])
    assert rows["model"] == "model, 23,712 weights"
    assert rows["data"] == f"100 records, {tokens:,} tokens"
    assert rows["blocks"] == f"{blocks} of 64 tokens, {100 * tokens / blocks / 64:.1f}% filled"
    assert rows["bos"] == "<s> before each sample"
    assert rows["left"] == "out   1 record longer than the block (or 1)"
    assert rows["steps"] == f"{-(-blocks // 7) * 2} of 7 blocks, 2 epochs"
    assert rows["processes"] == "4 on 1 machine"
    assert "shard" not in rows
    assert rows["time"].startswith(f"{2 * tokens / 400 / 86_400:.2f} days at 100 tokens/s")
    assert list((inputs / "run" / "cache").glob("measures-*"))
    short = llamax("train", *call, "--set", "max_steps=1", "--preflight", "--throughput", 100).stdout.decode()
    assert f"1 of 7 blocks, {1 / -(-blocks // 7):.2f} epochs (max_steps)" in short


def test_days_are_estimated_for_a_known_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row says what is assumed. Without a GPU, or for an unknown one, there is no estimate."""
    from llamax_cli.training.job import Job

    job = Job("model", "model", ("mix.jsonl",), "run", False, False, False, Training())
    # The paper's 24 A100 and a LLaMA-2 7B, on 90 billion tokens of sentences.
    tokens = 90 * 10**9
    counts = DataCounts(
        1, tokens, learned=tokens, squares=tokens * 200, blocks=1, steps=1, filled=1.0, left_out="", bos="none"
    )
    monkeypatch.setattr(preflight, "count_tokens", lambda job: counts)

    def time_row(name: str | None) -> str:
        monkeypatch.setattr(machines, "list_gpus", lambda: [Gpu(name, 80e9)] * 8 if name else [])
        nodes = Machines(3, 0, None, None, 8, has_gpus=name is not None)
        rows = dict(preflight.estimate_run(job, estimates.read_shape(LLAMA2), nodes, None))
        per = "GPU" if name else "process"
        assert rows["shard"].startswith(f"full: {rows['memory'].split(' per')[0]} per {per}, ")
        assert " GB into each machine a step; with shard=node " in rows["shard"]
        return rows["time"]

    assert time_row("NVIDIA A100-SXM4-80GB") == (
        "about 13.84 days, assuming 40% of the peak of a NVIDIA A100-SXM4-80GB; --throughput N gives a measured speed"
    )
    assert time_row("Voodoo 2") == "unknown for a Voodoo 2; --throughput N gives the tokens/s of one GPU"
    assert time_row(None) == "unknown, as this machine has no GPU; --throughput N gives the tokens/s of one GPU"


def test_the_parts_of_the_memory_are_all_of_it() -> None:
    """To the rounding of each; what CUDA takes is only there on a GPU."""
    memory = estimates.MemoryEstimate(1e9, 2e9, 3e9, 4e9)
    gpu = preflight._memory_row(memory, Machines(has_gpus=True))
    parts = "weights and optimizer 1.0 GB, gathered layers 2.0 GB, activations 3.0 GB, logits 4.0 GB"
    assert gpu.startswith(f"11.5 GB per GPU ({parts}, CUDA 1.5 GB)")
    assert preflight._memory_row(memory, Machines()) == f"10.0 GB per process ({parts})"


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("--model nowhere/at/all", 1, "nowhere/at/all: no such folder"),
        ("--model empty", 1, "empty is not a model folder: config.json is missing"),
        (
            "--model bare",
            1,
            "bare has no weights (model.safetensors or pytorch_model.bin); --init starts",
        ),
        (
            "--model bare --init --tokenizer empty",
            1,
            "empty has no tokenizer; name a folder that has one with --tokenizer",
        ),
        ("--tokenizer llama3", 1, "llama3/tokenizer.model is in the format of tiktoken, in which Meta"),
        (
            "--model bare/config.json",
            2,
            "--model bare/config.json is a configuration file; add --init to start from random weights",
        ),
        ("--model other --init", 1, "other has the architecture gpt2; train supports llama, mistral, qwen2, qwen3, "),
        ("--data none.jsonl", 1, "none.jsonl: no such file or directory"),
        ("--data pairs.jsonl", 65, "pairs.jsonl:1: no 'completion' in the record (it has src, tgt); train reads what"),
        ("--data hollow.jsonl", 65, "hollow.jsonl is empty\n"),
        ("--set validation=hollow.jsonl", 65, "hollow.jsonl is empty\n"),
        ("--data packed.jsonl", 65, "packed.jsonl is compressed; training reads records in random order, so decom"),
        ("--set blok=1", 2, "--set blok=1: unknown key 'blok'; did you mean block?"),
        ("--set validation=none", 1, "none: no such file or directory"),
        ("--set translate=none", 1, "none: no such file or directory"),
        ("--set translate=mix.jsonl --set translate_spm=none", 1, "none: no such file or directory; --spm takes"),
        ("--set translate=mix.jsonl --set translate_template=lama", 2, "unknown template 'lama'; did you mean llama?"),
        ("--lora -1", 2, "Invalid value for '--lora': -1 is not in the range x>=0."),
        ("--lora --set lora_targets=embed_tokens", 2, "lora_targets: LoRA cannot adapt 'embed_tokens'; have: q_proj, "),
        ('--lora --set lora_targets=["q_proj","lm_head"]', 2, "lora_targets: LoRA cannot adapt 'lm_head'; have: q_pr"),
        ("--lora --set lora_targets=model.norm", 2, "lora_targets: LoRA cannot adapt 'model.norm'; have: q_proj, k_pr"),
        ('--lora --set lora_targets=["all-linear","q_proj"]', 2, "lora_targets: LoRA cannot adapt 'all-linear'; hav"),
        ("--lora --set lora_targets=[]", 2, "lora_targets names no layer"),
        ("-o mix.jsonl", 1, "mix.jsonl is a file, not a folder"),
        ("-o old", 1, "old already holds a run; continue it with --resume auto or name another folder"),
        ("extra.jsonl", 2, "'extra.jsonl' is not a flag of accelerate; name data files with --data"),
        ("--throughput 100", 2, "--throughput is for the estimate of --preflight; add --preflight, or leave it out"),
        ("--resume yes", 2, "Invalid value for '--resume': 'yes' is unknown; have: auto"),
        ("--data mix.jsonl --data mix.jsonl", 2, "--data names a file twice\n"),
        ("--data mix.jsonl ./mix.jsonl", 2, "--data names a file twice, as mix.jsonl and as ./mix.jsonl"),
        ("--data mix.jsonl linked.jsonl", 2, "--data names a file twice, as mix.jsonl and as linked.jsonl"),
        ("--data hard.jsonl mix.jsonl", 2, "--data names a file twice, as hard.jsonl and as mix.jsonl"),
        ('--set validation=["mix.jsonl","linked.jsonl"]', 2, "validation names a file twice, as mix.jsonl and as"),
    ],
)
def test_what_would_fail_later_is_refused_at_once(
    inputs: Path, llamax: Run, arguments: str, code: int, message: str
) -> None:
    """Each error is one line, with the exit code of its kind."""
    (inputs / "empty").mkdir()
    (inputs / "bare").mkdir()
    (inputs / "bare" / "config.json").write_bytes((inputs / "model" / "config.json").read_bytes())
    (inputs / "other").mkdir()
    (inputs / "other" / "config.json").write_text('{"model_type": "gpt2"}')
    (inputs / "llama3").mkdir()
    (inputs / "llama3" / "tokenizer.model").write_text("IQ== 0\nIg== 1\n")
    (inputs / "pairs.jsonl").write_text('{"src":"a","tgt":"b"}\n')
    (inputs / "packed.jsonl").write_bytes(b"\x28\xb5\x2f\xfd")
    (inputs / "hollow.jsonl").touch()
    (inputs / "linked.jsonl").symlink_to("mix.jsonl")
    (inputs / "hard.jsonl").hardlink_to(inputs / "mix.jsonl")
    (inputs / "old" / "checkpoints" / "step-00000001").mkdir(parents=True)
    (inputs / "old" / "checkpoints" / "step-00000001" / "facts.json").write_text("{}")
    given = arguments.split()
    for flag, value in (("--model", "model"), ("--data", "mix.jsonl"), ("-o", "run")):
        given += [] if flag in given else [flag, value]
    done = llamax("train", *given, "--dry-run")
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.decode().startswith(f"llamax train: {message}")
    assert done.stderr.count(b"\n") == 1


def test_a_block_longer_than_the_model_leaves_no_folder(inputs: Path, llamax: Run) -> None:
    """Neither --preflight nor the run begins."""
    call = ("train", "--model", "model", "--data", "mix.jsonl", "-o", "run", "--set", "block=4096")
    for more in ((), ("--preflight",)):
        done = llamax(*call, *more)
        message = "llamax train: a block of 4,096 tokens is longer than the model's 512 positions; set block\n"
        assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", message)
        assert not (inputs / "run").exists()


def test_too_little_disk_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error comes before the first step and says how much is needed."""
    from llamax_cli.errors import FileError
    from llamax_cli.training.job import make_job

    model = model_folder(tmp_path / "model")
    mix = write(tmp_path / "mix.jsonl", [sample(1)])
    monkeypatch.setattr(checks, "free_disk_space", lambda folder: 1_000)
    job = make_job(str(model), None, [str(mix)], tmp_path / "run")
    with pytest.raises(FileError, match=r"0.0 GB are free, but 3 checkpoints and the model need .*; set keep lower"):
        checks.check_disk_space(job, checks.check_job(job))


NOTHING_KEPT = "no checkpoint is kept"

# -- the whole way -----------------------------------------------------------------------------------------------------


@pytest.fixture
def accelerates_port_taken() -> Iterator[None]:
    """Listen where accelerate's processes meet unless they are told another port, if nobody does."""
    with socket.socket() as listener:
        with suppress(OSError):
            listener.bind(("127.0.0.1", 29500))
            listener.listen()
        yield


@pytest.mark.slow
def test_from_nothing_to_a_model_on_two_processes(inputs: Path, llamax: Run, accelerates_port_taken: None) -> None:
    """A configuration and data become a model, through accelerate as for a user, beside another such run."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = llamax(
        *("train", "--model", "model/config.json", "--init", "--data", "mix.jsonl", "-o", "run", *SMALL, "--keep", 1),
        *("--", "--num_processes", 2),
        env=environment,
        fresh=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stderr.decode().splitlines()
    assert lines[0] == "llamax train: left out: 1 record longer than the block (or 1)"
    assert lines[1].startswith("llamax train: 100 records in ")
    assert (inputs / "run" / "model" / "model.safetensors").is_file()
    start = json.loads((inputs / "run" / "metrics.jsonl").read_text().splitlines()[0])
    assert start["ranks"] == 2
    assert start["training"]["keep"] == 1


@pytest.fixture
def start(inputs: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that starts a run in the background; what is left of it is killed after the test."""
    started = []

    def begin(*arguments: object) -> Process:
        call = ["train", "--model", "model", "--data", "mix.jsonl", "-o", "run", *SMALL, *arguments]
        process = zygote.start(*call, cwd=inputs, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=zygote.PIPE)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            kill(process)
        process.communicate()


def kill(process: Process) -> None:
    """Kill a launcher and its workers at once, as when a machine dies."""
    for each in (*psutil.Process(process.pid).children(recursive=True), process):
        each.kill()


@pytest.mark.slow
def test_sigterm_to_the_launcher_ends_the_worker_with_a_checkpoint(inputs: Path, start: Callable[..., Any]) -> None:
    """The launcher waits for the worker and ends with its exit code."""
    process = start("--set", "epochs=200")
    until(inputs / "run", 1)
    process.send_signal(signal.SIGTERM)
    err = process.communicate(timeout=60)[1].decode()
    assert (process.returncode, err.splitlines()[1:]) == (143, [kept_line(inputs, "terminated")])


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(inputs: Path, start: Callable[..., Any]) -> None:
    """As the terminal sends it, to the launcher and to its worker."""
    process = start("--set", "epochs=200")
    until(inputs / "run", 1)
    for each in (process, *psutil.Process(process.pid).children()):
        each.send_signal(signal.SIGINT)
    err = process.communicate(timeout=60)[1].decode()
    assert (process.returncode, err.splitlines()[1:]) == (130, [kept_line(inputs, "interrupted")])


def test_an_interrupt_while_torch_loads_leaves_no_traceback(tmp_path: Path) -> None:
    """The worker ends at once; the launcher says that nothing was trained yet."""
    (tmp_path / "torch.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n")
    command = [sys.executable, "-m", "llamax_cli.training.worker", "run"]
    paths = f"{tmp_path}:{Path(launcher.__file__).parents[2]}"
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


def test_what_ends_before_the_training_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Not where a worker has ended another one, or by itself."""
    code = accelerate_entry._exit_code
    assert (code("train", {0: -2}, -2), code("tune", {1: -15}, -15)) == (130, 143)
    assert code("train", {0: 1, 1: -15}, 1) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "llamax train: interrupted before the training began",
        "llamax tune: terminated before the training began",
    ]


def test_processes_that_cannot_be_started_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The system has no more of them."""
    from accelerate.commands import accelerate_cli

    def failing() -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(sys, "argv", ["accelerate", "train", "launch"])
    monkeypatch.setattr(accelerate_entry, "_kill_stragglers_after_a_signal", lambda: None)
    monkeypatch.setattr(accelerate_entry, "EARLY", {})
    monkeypatch.setattr(accelerate_entry, "LOGGERS", ())
    monkeypatch.setattr(accelerate_cli, "main", failing)
    with pytest.raises(SystemExit, match="1"):
        accelerate_entry.main()
    said = "llamax train: the processes cannot be started: resource temporarily unavailable\n"
    assert capsys.readouterr().err == said


def test_a_run_that_is_complete_does_not_read_its_job_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read by then is no error."""

    class Complete:
        job = make_job("m", None, ["d"], tmp_path)
        watchdog = nullcontext()

        def __init__(self, folder: Path) -> None:
            assert folder == tmp_path

        def run(self) -> int:
            return 0

    monkeypatch.setattr(worker, "_Worker", Complete)
    monkeypatch.setattr(worker, "die_with_parent", lambda: None)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "argv", ["worker", str(tmp_path)])
    with pytest.raises(SystemExit, match="0"):
        worker.main()


def kept_line(folder: Path, what: str) -> str:
    """Return the line about the only checkpoint of the run in a folder."""
    (kept,) = (folder / "run" / "checkpoints").iterdir()
    return f"llamax train: {what}; step {int(kept.name[5:]):,} is kept in run/checkpoints: go on with --resume auto"


def test_only_the_worker_reports_an_error(inputs: Path, llamax: Run) -> None:
    """There is one line, with the exit code of its kind, through accelerate too."""
    with (inputs / "mix.jsonl").open("a") as file:
        file.write('{"completion": 7}\n')
    done = llamax("train", "--model", "model", "--data", "mix.jsonl", "-o", "run", *SMALL)
    assert done.stderr.decode() == "llamax train: mix.jsonl:102: 'completion' is a number, not a string\n"
    assert done.returncode == 65


@pytest.mark.slow
def test_a_worker_that_breaks_shows_its_traceback(tmp_path: Path) -> None:
    """The launcher adds none of its own."""
    (tmp_path / "broken.py").write_text("1 / 0\n")
    call = [launcher.ACCELERATE, "train", "launch", "--cpu", "--num_processes", "1"]
    call += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "broken"]
    done = zygote.run_module(*call, cwd=tmp_path)
    assert (done.returncode, done.stderr.count(b"Traceback")) == (1, 1)
    assert done.stderr.endswith(b"ZeroDivisionError: division by zero\n")


@pytest.mark.slow
def test_a_rank_that_is_killed_ends_all(inputs: Path, start: Callable[..., Any]) -> None:
    """The launcher names the killed rank, which cannot report itself; the other rank says why it stops."""
    process = start("--set", "epochs=200", "--", "--num_processes", 2, "--monitor_interval", 0.5)
    until(inputs / "run", 1)
    _, second = sorted(psutil.Process(process.pid).children(), key=lambda worker: worker.create_time())
    second.kill()
    err = process.communicate(timeout=60)[1].decode()
    kept = [int(path.name[5:]) for path in (inputs / "run" / "checkpoints").glob("step-????????")]
    which = f"step {max(kept):,} is kept in run/checkpoints: go on with --resume auto" if kept else NOTHING_KEPT
    assert sorted(err.splitlines()[1:]) == [
        f"llamax train: rank 0 stops: another rank ended unexpectedly; {which}",
        "llamax train: rank 1 was killed by SIGKILL; did the memory run out?",
    ]
    assert process.returncode in (1, 137)  # of the one or the other, whichever was seen first


# -- two machines ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_machines_of_which_one_dies_and_comes_back(inputs: Path, start: Callable[..., Any]) -> None:
    """The other machine waits, and both continue from the last checkpoint: no step is repeated, no record missed."""
    port = free_port()
    settings = ("epochs=8", "log_every=1", "checkpoint_every=10", "checkpoint_minutes=0")

    def machine(rank: int) -> Any:
        flags: list[object] = ["--num_machines", 2, "--num_processes", 2, "--machine_rank", rank]
        flags += ["--main_process_ip", "127.0.0.1", "--main_process_port", port, "--max_restarts", 3]
        conf = f"is_host={1 - rank},last_call_timeout=1,keep_alive_interval=1,join_timeout=120"
        flags += ["--rdzv_backend", "c10d", "--monitor_interval", 0.5, "--rdzv_conf", conf]
        return start("--resume", "auto", *(word for each in settings for word in ("--set", each)), "--", *flags)

    first, second = machine(0), machine(1)
    until(inputs / "run", 12)
    kill(second)
    back = machine(1)
    outcomes = [each.communicate(timeout=120)[1].decode() for each in (first, back)]
    assert [first.returncode, back.returncode] == [0, 0], outcomes
    begun, steps, (done,) = (metrics(inputs / "run", event) for event in ("start", "step", "end"))
    assert [(line["step"], line["ranks"]) for line in begun] == [(0, 2), (10, 2)]
    assert [line["step"] for line in steps] == list(range(1, done["step"] + 1))
    assert done["records"] == 8 * 100
    assert "Traceback" not in "".join(outcomes)
