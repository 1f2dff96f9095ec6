"""Models in GGUF: what they compute, and how they split text, is what the original does."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
import transformers
from support.gguf_files import pack
from support.processes import Outcome
from support.records import write
from support.runs import metrics, sample, small_tokenizer
from tokenizers import Tokenizer, pre_tokenizers

from llamax_cli.errors import FileError, ModelError
from llamax_cli.models import gguf as gguf_models
from llamax_cli.models.gguf import model_folder

TEXTS = ["kalo 12345  miren٣٤ 3.14\n\n stavo", "١٢ டோ 𝟙𝟚 ½ x2y", "<|im_end|> pel<|endoftext|>"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is unpacked in a folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "llamax" / "gguf"


@pytest.fixture
def original(tiny_model: Callable[[str], Path]) -> Path:
    """Return the folder of a LLaMA."""
    return tiny_model("llama")


def logits(folder: Path, ids: list[int]) -> torch.Tensor:
    """Return what a model predicts after each of some tokens."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0]


def encode(folder: Path, text: str) -> list[int]:
    """Return the tokens of a text."""
    return list(transformers.AutoTokenizer.from_pretrained(folder)(text)["input_ids"])


def test_the_model_in_a_file_is_the_model(tmp_path: Path, original: Path, cache: Path) -> None:
    """Weights, tokens and bos are those of the original; a file is unpacked once."""
    file = pack(original, tmp_path / "tiny.gguf", chat_template="{{ messages[0].content }}")
    folder = Path(model_folder(str(file)))
    assert folder.parent == cache and folder.name.startswith("tiny-")
    assert torch.equal(logits(folder, list(range(5, 60))), logits(original, list(range(5, 60))))
    for text in TEXTS:
        assert encode(folder, text) == encode(original, text)
    config = json.loads((folder / "config.json").read_text())
    assert (config["architectures"], config["dtype"]) == (["LlamaForCausalLM"], "float32")
    assert "quantization_config" not in config
    assert transformers.AutoTokenizer.from_pretrained(folder).chat_template == "{{ messages[0].content }}"
    before = folder.stat().st_mtime_ns
    assert model_folder(str(file)) == str(folder)
    assert (folder.stat().st_mtime_ns, list(cache.iterdir())) == (before, [folder])


def test_a_tokenizer_beside_a_file_is_not_its_own(tmp_path: Path, original: Path, cache: Path) -> None:
    """Nor is a configuration; a folder may hold files of several models."""
    pack(original, tmp_path / "tiny.gguf")
    small_tokenizer().save_pretrained(tmp_path)
    (tmp_path / "tokenizer.model").write_bytes(b"not of this model")
    (tmp_path / "config.json").write_text('{"model_type": "mistral", "vocab_size": 7}')
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": 9}')
    folder = Path(model_folder(str(tmp_path / "tiny.gguf")))
    assert [encode(folder, text) for text in TEXTS] == [encode(original, text) for text in TEXTS]
    assert torch.equal(logits(folder, list(range(5, 60))), logits(original, list(range(5, 60))))


def test_its_tokenizer_is_counted_by(llamax: Callable[..., Outcome], tmp_path: Path, original: Path) -> None:
    """`analyze fertility` takes the file as it takes the folder."""
    file = pack(original, tmp_path / "tiny.gguf")
    texts = b'{"text":"kalo miren 12 stavo","lang":"en"}\n'
    found = [
        json.loads(llamax("analyze", "fertility", "--tokenizer", each, stdin=texts).stdout) for each in (file, original)
    ]
    assert found[0]["tokens"] == found[1]["tokens"] > 4


def test_quantized_weights_are_those_of_the_file(tmp_path: Path, original: Path) -> None:
    """Not those of the original, but close."""
    folder = Path(model_folder(str(pack(original, tmp_path / "tiny.gguf", quantized=True))))
    before, after = (transformers.AutoModelForCausalLM.from_pretrained(each) for each in (original, folder))
    weight = before.model.layers[1].mlp.up_proj.weight.detach().numpy()
    kind = gguf.GGMLQuantizationType.Q8_0
    expected = gguf.quants.dequantize(gguf.quants.quantize(weight, kind), kind)
    found = after.model.layers[1].mlp.up_proj.weight.detach().numpy()
    assert np.array_equal(found, expected)
    assert not np.array_equal(found, weight) and np.abs(found - weight).max() < 0.01 * np.abs(weight).max()


@pytest.mark.parametrize("rule", ["smollm", "starcoder"])
def test_digits_stand_alone_where_the_merges_were_learned_so(tmp_path: Path, original: Path, rule: str) -> None:
    """Digits of any script, although the library splits words only."""
    folder = Path(model_folder(str(pack(original, tmp_path / "tiny.gguf", rule=rule))))
    expected: Any = Tokenizer.from_file(str(original / "tokenizer.json"))
    expected.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    for text in TEXTS:
        assert encode(folder, text) == expected.encode(text).ids
    split = transformers.AutoTokenizer.from_pretrained(folder).backend_tokenizer.pre_tokenizer
    assert [piece for piece, _ in split.pre_tokenize_str("a ١٢")] == ["a", "Ġ", "Ù¡", "Ù¢"]


@pytest.mark.parametrize("rule", ["", "default", "another"])
def test_an_unknown_split_is_refused(tmp_path: Path, original: Path, cache: Path, rule: str) -> None:
    """The text would be cut as the model never saw it, and the translations would only be a little worse."""
    file = pack(original, tmp_path / "tiny.gguf", rule=rule)
    with pytest.raises(ModelError, match=r"splits text by the rule '.*', which is not known here; use the original"):
        model_folder(str(file))
    assert not list(cache.iterdir())


def test_translations_are_those_of_the_folder(llamax: Callable[..., Outcome], tmp_path: Path, original: Path) -> None:
    """The same text comes out, and the file itself cannot be overwritten."""
    file = pack(original, tmp_path / "llamax-tiny.gguf")
    shutil.copytree(original, tmp_path / "llamax-tiny")
    pairs = b"".join(b'{"src":"kalo miren %d.","src_lang":"en","tgt_lang":"de"}\n' % number for number in range(3))
    outputs = [llamax("translate", "--model", name, "-q", stdin=pairs) for name in (file, tmp_path / "llamax-tiny")]
    assert [(each.returncode, each.stderr) for each in outputs] == [(0, b"")] * 2
    assert outputs[0].stdout == outputs[1].stdout
    refused = llamax("translate", "--model", file, "-o", file, stdin=pairs)
    assert refused.returncode == 2 and b"--model" in refused.stderr
    assert file.read_bytes()[:4] == b"GGUF"


@pytest.mark.slow
def test_a_run_begins_with_the_file(llamax: Callable[..., Outcome], tmp_path: Path, original: Path) -> None:
    """`train` and `tune` have the losses that they have with the folder."""
    file = pack(original, tmp_path / "tiny.gguf")
    samples = write(tmp_path / "mix.jsonl", [sample(number, 5) for number in range(20)])
    losses = []
    for command in ("train", "tune"):
        for model in (file, original):
            folder = tmp_path / f"{command}-{model.suffix}"
            call = [command, "--model", model, "--data", samples, "-o", folder, "--set", "max_steps=2", "log_every=1"]
            done = llamax(*call, "block=128", "batch=4", "micro_batch=4", "batch_of=records", "-q")
            assert done.returncode == 0, done.stderr
            losses.append([line["loss"] for line in metrics(folder)])
            assert (folder / "model" / "model.safetensors").is_file()
    assert losses[0] == losses[1] and losses[2] == losses[3] and len(losses[0]) == 2


def test_what_cannot_be_unpacked_is_one_line(
    llamax: Callable[..., Outcome], tmp_path: Path, original: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """A file cut anywhere, no file, one of several, a folder of one, no space, no package."""
    file = pack(original, tmp_path / "tiny.gguf")
    data = file.read_bytes()
    for size in (0, 3, 10, 1000, len(data) // 2, len(data) - 1):
        (tmp_path / "cut.gguf").write_bytes(data[:size])
        with pytest.raises(ModelError, match=r"cut\.gguf") as caught:
            model_folder(str(tmp_path / "cut.gguf"))
        assert "\n" not in str(caught.value)
    done = llamax("translate", "--model", "none.gguf", stdin=b'{"src":"a","src_lang":"en","tgt_lang":"de"}\n')
    assert (done.returncode, done.stderr) == (1, b"llamax translate: none.gguf: no such file\n")
    done = llamax("translate", "--model", tmp_path, stdin=b'{"src":"a","src_lang":"en","tgt_lang":"de"}\n')
    assert f"config.json is missing; name the file: {tmp_path}/cut.gguf\n" in done.stderr.decode()
    file.rename(tmp_path / "tiny-00001-of-00002.gguf")
    with pytest.raises(ModelError, match="one of several files; join them first"):
        model_folder(str(tmp_path / "tiny-00001-of-00002.gguf"))
    (tmp_path / "tiny-00001-of-00002.gguf").rename(file)
    monkeypatch.setattr(gguf_models, "BYTES", 1 << 60)
    with pytest.raises(FileError, match=r"tiny\.gguf takes .* GB there, and .* are free; set XDG_CACHE_HOME"):
        model_folder(str(file))
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    with pytest.raises(ModelError, match=r"needs the package gguf: pip install 'llamax\[gguf\]'"):
        model_folder(str(file))
    assert not list(cache.iterdir())
