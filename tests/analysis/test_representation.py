"""`llamax analyze representation` against plain loops, for embeddings, layers and sentence encoders."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.processes import Outcome
from support.records import pair, text, write
from support.runs import WORDS, model_folder

from llamax_cli.analysis.correlation import spearman

Llamax = Callable[..., Outcome]
COUNT = 40
LANGUAGES = ("en", "de", "fr")


def sentences(lang: str) -> list[str]:
    """Return sentences of a language; those of one number share most of their words."""
    drawn = []
    for number in range(COUNT):
        words = random.Random(number).choices(" ".join(WORDS).split(), k=6)
        drawn.append(" ".join([*words, *random.Random(f"{lang}{number}").choices(words, k=2)]))
    return drawn


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model and texts in three languages, aligned by id."""
    folder = tmp_path_factory.mktemp("represented")
    model_folder(folder / "model")
    texts = [text(n, lang, id=f"x:{n}", text=line) for lang in LANGUAGES for n, line in enumerate(sentences(lang))]
    write(folder / "texts.jsonl", texts)
    return folder


def parsed(done: Outcome) -> list[dict[str, Any]]:
    """Return the records of a run that went well."""
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def vectors(folder: Path, lang: str, layer: str) -> torch.Tensor:
    """Return the vector of each sentence, one sentence at a time."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32).eval()
    rows = []
    for sentence in sentences(lang):
        ids = torch.tensor([tokenizer.encode(sentence, add_special_tokens=False)])
        if layer in ("embedding", "output"):
            matrix = model.get_input_embeddings() if layer == "embedding" else model.get_output_embeddings()
            rows.append(matrix.weight[ids[0]].mean(0))
        else:
            whole = torch.tensor([tokenizer.encode(sentence)])
            states = model(whole, output_hidden_states=True).hidden_states[-1 if layer == "sentence" else int(layer)][0]
            rows.append(states.mean(0) if layer == "sentence" else states[whole.shape[1] - ids.shape[1] :].mean(0))
    return torch.stack(rows).detach()


@pytest.mark.parametrize("layer", ["embedding", "output", "0", "1", "sentence"])
def test_every_layer_is_that_of_a_plain_loop(llamax: Llamax, folder: Path, layer: str) -> None:
    """Mean cosine, and the rank of the counterpart of each English sentence."""
    rows = parsed(llamax("analyze", "representation", "--model", "model", "texts.jsonl", "--layer", layer, cwd=folder))
    assert [(row["lang"], row["n"], row["layer"]) for row in rows] == [("de", COUNT, layer), ("fr", COUNT, layer)]
    english = vectors(folder, "en", layer)
    for row in rows:
        others = vectors(folder, row["lang"], layer)
        cosines = torch.nn.functional.cosine_similarity(english[:, None], others[None], dim=2)
        assert row["cosine"] == pytest.approx(float(cosines.diagonal().mean()), abs=1e-5)
        for cutoff in (1, 5, 10):
            nearest = cosines.topk(cutoff, dim=1).indices.tolist()
            expected = sum(place in found for place, found in enumerate(nearest)) / COUNT
            assert row[f"recall_at_{cutoff}"] == pytest.approx(expected, abs=1e-6)
    assert rows[0]["recall_at_1"] > 0
    assert layer != "embedding" or rows[0]["recall_at_1"] < 1


def test_pairs_and_absent_counterparts(llamax: Llamax, folder: Path, tmp_path: Path) -> None:
    """Pairs bring both sides; a sentence without a counterpart is counted, not compared."""
    pairs = [pair(n, "en", "de", id=f"x:{n}", src=f"the house {n}", tgt=f"the dog {n}") for n in range(3)]
    lone = text(9, "de", id="x:9", text="one more")
    file = write(tmp_path / "pairs.jsonl", [*pairs, lone])
    (row,) = parsed(llamax("analyze", "representation", "--model", "model", file, cwd=folder))
    assert (row["lang"], row["n"], row["absent"]) == ("de", 3, 1)
    (turned,) = parsed(llamax("analyze", "representation", "--model", "model", file, "--central", "de", cwd=folder))
    assert (turned["lang"], turned["central"], turned["cosine"]) == ("en", "de", row["cosine"])


def test_the_correlation_with_fertility(llamax: Llamax, folder: Path, tmp_path: Path) -> None:
    """Over the languages that have both, by one tokenizer; in the summary, the last line and the manifest."""
    langs = ["de", "fr", "it", "es", "pt"]
    texts = [text(n, lang, id=f"x:{n}", text=line) for lang in ["en", *langs] for n, line in enumerate(sentences(lang))]
    file = write(tmp_path / "texts.jsonl", texts)
    alone = parsed(llamax("analyze", "representation", "--model", "model", file, cwd=folder))
    ranked = sorted(alone, key=lambda row: -row["cosine"])
    fertility = [{"lang": row["lang"], "tokenizer": "t", "fertility": n + 1.0} for n, row in enumerate(ranked)]
    records = write(tmp_path / "fertility.jsonl", [*fertility, {"lang": "sw", "tokenizer": "t", "fertility": 9}])
    arguments = [
        "--model",
        "model",
        file,
        "--fertility",
        records,
        "--summary",
        "--manifest",
        tmp_path / "manifest.json",
    ]
    done = llamax("analyze", "representation", *arguments, cwd=folder)
    (row,) = parsed(done)
    assert (row["languages"], row["spearman_cosine"]) == (5, -1.0)
    assert row["cosine"] == pytest.approx(sum(each["cosine"] for each in alone) / 5, abs=1e-6)
    assert b"Spearman's correlation of fertility and cosine -1.000" in done.stderr
    assert json.loads((tmp_path / "manifest.json").read_text())["figures"]["spearman_cosine"] == -1.0
    write(records, [*fertility, {"lang": "sw", "tokenizer": "u", "fertility": 9}])
    refused = llamax("analyze", "representation", *arguments, cwd=folder)
    assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 1)
    assert b"has 2 tokenizers; choose one with --tokenizer" in refused.stderr


def test_spearman_and_its_interval() -> None:
    """Ranks of equal values are averaged, as scipy does; the interval is symmetric on Fisher's scale."""
    from scipy.stats import spearmanr  # takes seconds, and few processes of pytest need it

    first, second = [1, 2, 2, 4, 5, 6], [2, 1, 4, 3, 6, 5]
    result = spearman(first, second)
    assert result is not None
    assert result.value == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)
    half_width = 1.959964 * math.sqrt((1 + result.value**2 / 2) / 3)
    assert math.atanh(result.high) - math.atanh(result.value) == pytest.approx(half_width, abs=1e-6)
    assert math.atanh(result.value) - math.atanh(result.low) == pytest.approx(half_width, abs=1e-6)
    assert spearman([1, 2, 3], [1, 2, 3]) is None
    assert spearman([1, 1, 1, 1], [1, 2, 3, 4]) is None


def test_errors_are_one_line(llamax: Llamax, folder: Path, tmp_path: Path) -> None:
    """Nothing in common, no English, two sentences with one id, a layer that is not there, broken embeddings."""
    apart = write(tmp_path / "apart.jsonl", [text(0, "en", id="a:1", text="a"), text(0, "de", id="b:1", text="b")])
    twice = write(tmp_path / "twice.jsonl", [text(0, "en", id="a:1", text="a"), text(0, "en", id="a:1", text="b")])
    cases = [
        ([apart], 65, "no sentence in de has the id of one in en"),
        ([apart, "--central", "fr"], 65, "there are no sentences in fr"),
        ([twice], 65, f"{twice}:2: there is another sentence in en with the id 'a:1'"),
        (["texts.jsonl", "--layer", "99"], 2, "--layer 99: model has layers up to "),
        (["texts.jsonl", "--layer", "last"], 2, "--layer last is unknown"),
        (["texts.jsonl", "--central", "en,de"], 2, "--central en,de: name one language"),
    ]
    for arguments, code, message in cases:
        done = llamax("analyze", "representation", "--model", "model", *arguments, cwd=folder)
        assert (done.returncode, done.stderr.count(b"\n")) == (code, 1), done.stderr
        assert message in done.stderr.decode()
