"""COMET in a separate process: requests, answers and failures."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.processes import Outcome
from support.records import jsonl, parsed
from support.translations import translations

from llamax_cli.scoring.metric_worker import Embeddings

Run = Callable[..., Outcome]
FAKE = """
import json, sys
from pathlib import Path
isolated, worker, family, model, tokenizer, batch = sys.argv[1:]
assert isolated == "-I" and Path(worker).name == "metric_worker.py" and family == "comet" and int(batch) > 0
if model == "missing":
    print(json.dumps({"error": "KeyError: no such model"}), flush=True)
    sys.exit(1)
print(json.dumps({"version": "2.2.7", "model": model}), flush=True)
for number, line in enumerate(sys.stdin):
    segments = json.loads(line)["segments"]
    with open("asked", "a") as log:
        print(len(segments), file=log)
    if model == "dies":
        sys.exit("RuntimeError: out of memory")
    scores = [(len(mt) + len(source) / 10) / 100 for source, mt, reference in segments]
    print(json.dumps({"scores": scores}), flush=True)
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Return a substitute for a Python with COMET: it follows the protocol and scores by length."""
    path = tmp_path / "python"
    path.write_text(f"#!{sys.executable}\n{FAKE}")
    path.chmod(0o755)
    return path


def test_one_process_for_all_directions(llamax: Run, tmp_path: Path, python: Path) -> None:
    """All directions are scored in one request; the score is the mean times 100; other metrics come beside it."""
    given = translations(["en-de", "en-fr"], 5)
    outcome = llamax("score", "--metric", "comet,bleu", "--comet-python", python, "--workers", "2", stdin=jsonl(given))
    found = parsed(outcome)
    assert [(each["tgt_lang"], each["metric"]) for each in found] == [
        ("de", "comet"), ("de", "bleu"), ("fr", "comet"), ("fr", "bleu"),
    ]  # fmt: skip
    expected = [100 * sum(len(each["mt"]) + 0.1 for each in given[n : n + 5]) / 500 for n in (0, 5)]
    assert [found[0]["score"], found[2]["score"]] == pytest.approx(expected)
    assert found[0]["signature"] == "nrefs:1|model:Unbabel/wmt22-comet-da|version:2.2.7"
    assert (tmp_path / "asked").read_text() == "10\n"


def test_by_segment_and_against(llamax: Run, tmp_path: Path, python: Path) -> None:
    """Its statistics are used like those of any metric."""
    given = translations(["en-de"], 5)
    found = parsed(llamax("score", "--metric", "comet", "--segments", "--comet-python", python, stdin=jsonl(given)))
    assert [each["comet"] for each in found] == pytest.approx([len(each["mt"]) + 0.1 for each in given])
    (tmp_path / "other").write_bytes(jsonl({**each, "mt": each["mt"] + "!"} for each in given))
    flags = ("--metric", "comet", "--against", "other", "--swaps", "20", "--resamples", "20")
    row, _ = parsed(llamax("score", *flags, stdin=jsonl(given), env={**os.environ, "LLAMAX_COMET_PYTHON": str(python)}))
    assert row["difference"] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        ((), 2, "--metric comet needs unbabel-comet in a separate environment: python3 -m venv comet && "),
        (("--comet-python", "none/python"), 2, "--comet-python none/python: no such file or directory\n"),
        (("--comet-python", "./python", "--comet-model", "missing"), 1, "comet (missing): KeyError: no such model\n"),
        (("--comet-python", "./python", "--comet-model", "dies"), 1, "comet (dies): RuntimeError: out of memory\n"),
        (("--comet-python", sys.executable), 1, f"comet (Unbabel/wmt22-comet-da): {sys.executable} lacks comet; "),
    ],
)
def test_failures(llamax: Run, python: Path, flags: tuple[str, ...], code: int, message: str) -> None:
    """Each is one line that says what to do."""
    environment = {name: value for name, value in os.environ.items() if name != "LLAMAX_COMET_PYTHON"}
    outcome = llamax("score", "--metric", "comet", *flags, stdin=jsonl(translations(["en-de"], 2)), env=environment)
    assert (outcome.returncode, outcome.stdout) == (code, b"")
    assert outcome.stderr.decode().startswith(f"llamax score: {message}")


class Model:
    """A model with an encoder and an estimator, small enough to check by hand."""

    def __init__(self) -> None:
        self.device = "cpu"
        self.encoder = self
        self.output_units = 2
        self.encoded: list[str] = []

    def prepare_sample(self, texts: list[str]) -> Any:
        """Return the texts."""
        self.encoded += texts

        class Inputs(dict[str, Any]):
            def to(self, device: str) -> Any:
                return self

        return Inputs(input_ids=texts, attention_mask=None)

    def get_sentence_embedding(self, texts: list[str], mask: None) -> Any:
        """Return two numbers for each text."""
        import torch

        return torch.tensor([[float(len(text)), float(text.count("a"))] for text in texts])

    def estimate(self, source: Any, translation: Any, reference: Any) -> Any:
        """Return a score to which each of the three contributes differently."""

        class Prediction:
            score = source[:, 0] + 10 * translation[:, 1] + 100 * reference[:, 0]

        return Prediction


def test_each_text_is_encoded_once() -> None:
    """Sources and references are cached; translations are encoded if they are new."""
    model = Model()
    scorer = Embeddings(model, 2)
    segments = [["s", "aa", "ref"], ["s", "ba", "ref"], ["tt", "s", "ref"]]
    assert scorer.scores(segments) == [321.0, 311.0, 302.0]
    assert sorted(model.encoded) == ["aa", "ba", "ref", "s", "tt"]
    assert [len(text) for text in model.encoded[:3]] == [3, 2, 1]
    scorer.scores(segments)
    assert sorted(model.encoded[5:]) == ["aa", "ba"]


BUILD = """
import sys
from pathlib import Path
import torch, yaml, pytorch_lightning
from comet.models import RegressionMetric
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import XLMRobertaConfig, XLMRobertaModel, XLMRobertaTokenizerFast
folder = Path(sys.argv[1])
names = dict(bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>", mask_token="<mask>")
tokenizer = Tokenizer(models.Unigram())
tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=list(names.values()), unk_token="<unk>")
tokenizer.train_from_iterator([sys.argv[2]] * 50, trainer)
tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
XLMRobertaTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
torch.manual_seed(0)
sizes = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
configuration = XLMRobertaConfig(vocab_size=60, max_position_embeddings=130, pad_token_id=1, **sizes)
XLMRobertaModel(configuration).save_pretrained(folder)
own = dict(encoder_model="XLM-RoBERTa", pretrained_model=str(folder), hidden_sizes=[16, 8], layer="mix")
model = RegressionMetric(**own, local_files_only=True, train_data=["x"], validation_data=["x"])
(folder / "checkpoints").mkdir()
(folder / "hparams.yaml").write_text(yaml.dump({**own, "class_identifier": "regression_metric"}))
saved = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}
saved["pytorch-lightning_version"] = pytorch_lightning.__version__
torch.save(saved, folder / "checkpoints" / "model.ckpt")
"""
PREDICT = """
import json, sys
import comet
samples = [dict(src=s, mt=m, ref=r) for s, m, r in json.load(sys.stdin)]
model = comet.load_from_checkpoint(sys.argv[1])
print("SCORES", json.dumps(model.predict(samples, batch_size=4, gpus=0, progress_bar=False).scores))
"""


def test_its_scores_are_those_of_its_own_loop(llamax: Run, tmp_path: Path) -> None:
    """With a real installation of COMET and a checkpoint made by the test."""
    python = os.environ.get("LLAMAX_COMET_PYTHON")
    if not python:
        pytest.skip("LLAMAX_COMET_PYTHON names no Python with unbabel-comet")
    given = translations(["en-de", "de-en"], 20)
    words = " ".join(each["mt"] for each in given)
    subprocess.run([python, "-c", BUILD, tmp_path / "model", words], check=True, capture_output=True)
    checkpoint = tmp_path / "model" / "checkpoints" / "model.ckpt"
    asked = json.dumps([(each["src"], each["mt"], each["tgt"]) for each in given]).encode()
    own = subprocess.run([python, "-c", PREDICT, checkpoint], input=asked, check=True, capture_output=True).stdout
    scores = json.loads(own.decode().partition("SCORES")[2])
    found = parsed(llamax("score", "--metric", "comet", "--segments", "--comet-model", checkpoint, stdin=jsonl(given)))
    assert [each["comet"] / 100 for each in found] == pytest.approx(scores, abs=1e-6)
