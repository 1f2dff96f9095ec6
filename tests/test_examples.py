"""The recipes in examples/ run as they stand."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT
from training import model_folder, sample, write

from llamax_cli.inputs import Input


def run(script: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run an example as a user does."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", str(ROOT / "examples" / script), *arguments]
    environment = {**os.environ, "PATH": path, **environment}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=True)


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
    assert again.stderr.count("is complete already") == 2


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
        " --num_machines 3 --num_processes 24 -m llamax_cli.model.training.worker run\n"
    )
    told = ("--preflight", "--throughput", "4600")
    rows = run("train-24-a100.sh", *given, *told, cwd=tmp_path, SLURM_JOB_ID="").stdout
    assert "model      model, 6,738,415,616 weights\n" in rows
    memory = re.search(r"memory     ([\d.]+) GB a GPU", rows)
    assert memory is not None
    assert 15 < float(memory[1]) < 40
    assert "days at 4,600 tokens/s each" in rows


def test_every_example_is_tested() -> None:
    """No recipe without a test here."""
    tests = Path(__file__).read_text(encoding="utf-8")
    for script in (ROOT / "examples").glob("*.sh"):
        assert f'"{script.name}"' in tests
