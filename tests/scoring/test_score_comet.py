"""COMET in a separate process: requests, answers and failures."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.comet_python import comet_python
from support.processes import Outcome
from support.records import jsonl, parsed
from support.translations import translations

from llamax_cli.scoring import metric_worker
from llamax_cli.scoring.learned_metrics import LEARNED
from llamax_cli.scoring.metric_worker import Embeddings

Run = Callable[..., Outcome]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Return a substitute for a Python with COMET."""
    return comet_python(tmp_path)


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
        (("--comet-python", "./python", "--comet-model", "no number"), 1, "comet (no number): the score of '"),
        (
            ("--metric-model", "xcomet-lx=x"),
            2,
            "--metric-model xcomet-lx=...: no model is 'xcomet-lx'; did you mean xc",
        ),
        (
            ("--metric-model", "xcomet-xl"),
            2,
            "--metric-model xcomet-xl: write NAME=MODEL, such as xcomet-xl=model.ckpt\n",
        ),
        (
            ("--comet-python", sys.executable),
            1,
            f"comet (Unbabel/wmt22-comet-da): {sys.executable} lacks comet: {sys.executable} -m pip i",
        ),
    ],
)
def test_failures(llamax: Run, python: Path, flags: tuple[str, ...], code: int, message: str) -> None:
    """Each is one line that says what to do."""
    environment = {name: value for name, value in os.environ.items() if name != "LLAMAX_COMET_PYTHON"}
    outcome = llamax("score", "--metric", "comet", *flags, stdin=jsonl(translations(["en-de"], 2)), env=environment)
    assert (outcome.returncode, outcome.stdout) == (code, b"")
    assert outcome.stderr.decode().startswith(f"llamax score: {message}")


@pytest.mark.parametrize("metric", [name for name, row in LEARNED.items() if row.family == "comet"])
def test_every_row_names_a_model_and_what_it_takes(llamax: Run, python: Path, metric: str) -> None:
    """The process is asked for the model of the row; those without a reference get none, and records need none."""
    given = translations(["en-sw"], 5)
    needs_reference = LEARNED[metric].needs_reference
    if not needs_reference:
        for each in given:
            del each["tgt"]
    (found,) = parsed(llamax("score", "--metric", metric, "--comet-python", python, stdin=jsonl(given)))
    assert found["signature"] == f"nrefs:{int(needs_reference)}|model:{LEARNED[metric].model}|version:2.2.7"
    lengths = sum(len(each["mt"]) + len(each["src"]) / 10 for each in given) / 5
    assert found["score"] == pytest.approx(lengths + (0 if needs_reference else 50))


def test_a_reference_is_needed_by_one_of_several(llamax: Run, python: Path) -> None:
    """Then records without one are refused, and those with one still give none to the others."""
    given = translations(["en-de"], 2)
    flags = ("score", "--metric", "comet-kiwi,comet", "--comet-python", python)
    scores = [each["score"] for each in parsed(llamax(*flags, stdin=jsonl(given)))]
    assert scores[0] == pytest.approx(scores[1] + 50)
    del given[1]["tgt"]
    outcome = llamax(*flags, stdin=jsonl(given))
    assert outcome.returncode == 65
    assert b":2: no reference: the record has no 'tgt'" in outcome.stderr


def test_what_a_model_does_not_know_has_no_number(llamax: Run, tmp_path: Path, python: Path) -> None:
    """It is an error that names the direction, or set aside; with --any-language it is scored, and said."""
    given = translations(["en-de", "en-kam"], 2)
    flags = ("score", "--metric", "xcomet-xl,chrf++", "--comet-python", python)
    refused = llamax(*flags, stdin=jsonl(given))
    assert (refused.returncode, refused.stdout) == (65, b"")
    assert refused.stderr.decode() == (
        "llamax score: stdin:3: xcomet-xl does not know kam (Kamba), so there is no score of en-kam; "
        "--any-language scores it all the same; --rejects FILE sets such lines aside\n"
    )
    found = parsed(aside := llamax(*flags, "--rejects", "rejects.jsonl", stdin=jsonl(given)))
    assert {(each["tgt_lang"], each["metric"]) for each in found} == {("de", "xcomet-xl"), ("de", "chrf++")}
    assert b"2 rejected" in aside.stderr
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert len(reasons) == 2 and all("xcomet-xl does not know kam" in reason for reason in reasons)
    scored = llamax(*flags, "--any-language", stdin=jsonl(given))
    assert len(parsed(scored)) == 4
    assert b"; 1 direction with a language that xcomet-xl does not know: en-kam" in scored.stderr


def test_the_papers_metric_scores_all_languages(llamax: Run, python: Path) -> None:
    """As in its tables, and says of which it knows nothing; a variety of a language is known with it."""
    given = [{**each, "src_lang": "pt-PT"} for each in translations(["pt-kam"], 2)]
    outcome = llamax("score", "--metric", "comet", "--comet-python", python, stdin=jsonl(given))
    assert len(parsed(outcome)) == 1
    assert b"1 direction with a language that comet does not know: pt-PT-kam" in outcome.stderr


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


def test_why_a_model_of_the_hub_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is said in one line; a file and a name from before the hub are COMET's own."""

    class GatedRepoError(Exception):
        pass

    def refuse(repo_id: str) -> str:
        if repo_id == "Unbabel/free":
            return "/cache/free"
        raise GatedRepoError(f"\n401 Client Error.\n\nAccess to model {repo_id} is restricted.")

    comet = SimpleNamespace(download_model=lambda name: f"/old/{name}")
    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=refuse))
    (tmp_path / "model.ckpt").touch()
    wanted = {
        f"{tmp_path}/model.ckpt": f"{tmp_path}/model.ckpt",
        "wmt20-comet-da": "/old/wmt20-comet-da",
        "Unbabel/free": "/cache/free/checkpoints/model.ckpt",
    }
    assert {name: metric_worker._checkpoint(comet, name) for name in wanted} == wanted
    with pytest.raises(metric_worker.UnavailableError) as raised:
        metric_worker._checkpoint(comet, "Unbabel/XCOMET-XL")
    assert str(raised.value) == (
        "GatedRepoError: 401 Client Error.; if the model has a licence to accept, do so at "
        "https://huggingface.co/Unbabel/XCOMET-XL and log in with `hf auth login`"
    )


BUILD = """
import sys
from pathlib import Path
import torch, yaml, pytorch_lightning
from comet.models import ReferencelessRegression, RegressionMetric, UnifiedMetric, XCOMETMetric
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import XLMRobertaConfig, XLMRobertaModel, XLMRobertaTokenizerFast
folder = Path(sys.argv[1])
names = dict(bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>", mask_token="<mask>")
# Characters as pieces: what UnigramTrainer learns differs from run to run.
pieces = [*names.values(), "▁", *sorted(set(sys.argv[2]) - {" "})]
tokenizer = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=3))
tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
XLMRobertaTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
torch.manual_seed(0)
sizes = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
configuration = XLMRobertaConfig(vocab_size=len(pieces), max_position_embeddings=130, pad_token_id=1, **sizes)
XLMRobertaModel(configuration).save_pretrained(folder)
own = dict(encoder_model="XLM-RoBERTa", pretrained_model=str(folder), hidden_sizes=[16, 8])
for name, kind, more in [
    ("regression_metric", RegressionMetric, dict(layer="mix")),
    ("referenceless_regression_metric", ReferencelessRegression, dict(layer="mix")),
    ("unified_metric", UnifiedMetric, dict(input_segments=["mt", "src"])),
    ("xcomet_metric", XCOMETMetric, dict(word_layer=1)),
]:
    model = kind(**own, **more, local_files_only=True, train_data=["x"], validation_data=["x"])
    (folder / name / "checkpoints").mkdir(parents=True)
    (folder / name / "hparams.yaml").write_text(yaml.dump({**own, **more, "class_identifier": name}))
    saved = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}
    saved["pytorch-lightning_version"] = pytorch_lightning.__version__
    torch.save(saved, folder / name / "checkpoints" / "model.ckpt")
"""
PREDICT = """
import json, sys
import comet
samples = json.load(sys.stdin)
model = comet.load_from_checkpoint(sys.argv[1])
print("SCORES", json.dumps(model.predict(samples, batch_size=4, gpus=0, progress_bar=False).scores))
"""


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return small models of each class of COMET, made by a real installation of it."""
    python = os.environ.get("LLAMAX_COMET_PYTHON")
    if not python:
        pytest.skip("LLAMAX_COMET_PYTHON names no Python with unbabel-comet")
    folder = tmp_path_factory.mktemp("comet")
    words = " ".join(each["mt"] for each in GIVEN)
    subprocess.run([python, "-c", BUILD, folder, words], check=True, capture_output=True)
    return folder


GIVEN = translations(["en-de", "de-en"], 20)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "kind"),
    [
        ("comet", "regression_metric"),
        ("xcomet-xl", "xcomet_metric"),
        ("xcomet-xl-qe", "xcomet_metric"),
        ("comet-kiwi", "unified_metric"),
        ("comet-kiwi-23-xl", "referenceless_regression_metric"),
    ],
)
def test_its_scores_are_those_of_its_own_loop(llamax: Run, checkpoints: Path, metric: str, kind: str) -> None:
    """With a real installation of COMET and a checkpoint made by the test; some take no reference."""
    checkpoint = checkpoints / kind / "checkpoints" / "model.ckpt"
    keys = {"src": "src", "mt": "mt", "ref": "tgt"}
    if metric not in ("comet", "xcomet-xl"):
        del keys["ref"]
    asked = json.dumps([{key: each[ours] for key, ours in keys.items()} for each in GIVEN]).encode()
    python = os.environ["LLAMAX_COMET_PYTHON"]
    own = subprocess.run([python, "-c", PREDICT, checkpoint], input=asked, check=True, capture_output=True).stdout
    scores = json.loads(own.decode().partition("SCORES")[2])
    flags = ("--segments", "--metric", metric, "--metric-model", f"{metric}={checkpoint}")
    found = parsed(llamax("score", *flags, stdin=jsonl(GIVEN)))
    assert [each[metric] / 100 for each in found] == pytest.approx(scores, abs=1e-6)
    assert len(set(scores)) > 10
