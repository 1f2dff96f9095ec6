"""Translations during training: those that the model generates by itself, on any number of ranks, and scored."""

import json
from pathlib import Path
from typing import Any

import pytest
import sacrebleu
import torch
from support.records import write
from support.runs import job, losses, metrics, model_folder, sample, small_tokenizer, train

from llamax_cli.config import Training
from llamax_cli.errors import DataError
from llamax_cli.models.sample_encoding import encoder_of
from llamax_cli.training import held_out_lines

PROMPTS = ["the dog", "a tall man sees", "the cat sits in", "red house", "the woman runs"]


def held_out(folder: Path) -> tuple[Path, Path]:
    """Write samples and pairs to translate; the pairs are more than are translated of one direction."""
    samples = [{**sample(number), "prompt": prompt} for number, prompt in enumerate(PROMPTS)]
    pairs = [{"src": prompt, "tgt": "mti nyumba paka", "src_lang": "en", "tgt_lang": "fr"} for prompt in PROMPTS]
    return write(folder / "samples.jsonl", samples), write(folder / "pairs.jsonl", pairs)


def translations(folder: Path, step: int) -> list[dict[str, str]]:
    """Return the translations made after a step."""
    text = (folder / "translations" / f"step-{step:08}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def generated(model: Any, prompt: str, limit: int) -> str:
    """Return the output of transformers' own greedy search for a prompt."""
    words = small_tokenizer()
    ids = torch.tensor([[1, *words(prompt, add_special_tokens=False)["input_ids"]]])
    found = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=limit)
    return str(words.decode(found[0, ids.shape[1] :], skip_special_tokens=True)).strip()


@pytest.mark.slow
def test_the_translations_are_those_of_the_model(tmp_path: Path, data: Path) -> None:
    """At intervals and at the end, on one rank and on three; the losses of training stay the same."""
    from transformers import AutoModelForCausalLM

    spm = str(data / "tokenizers" / "llama2" / "tokenizer.model")
    model = model_folder(tmp_path / "model")
    mix = write(tmp_path / "mix.jsonl", [sample(number, 8 + number % 9, PROMPTS[number % 5]) for number in range(200)])
    files = tuple(map(str, held_out(tmp_path)))
    more: dict[str, Any] = {"translate": files, "translate_every": 9, "translate_lines": 4, "translate_spm": spm}
    more |= {"stop_after": 14, "learning_rate": 1e-2, "epochs": 8}
    one, three, without = (tmp_path / name for name in ("one", "three", "without"))
    train(job(one, model, mix, **more))
    train(job(three, model, mix, **more), 3)
    train(job(without, model, mix, **{**more, "translate": ()}))
    assert losses(one) == losses(without)
    assert [line["step"] for line in metrics(one, "translation")] == [9, 14]
    made = translations(one, 14)
    assert any(each["mt"] for each in made)
    directions = [f"{each['src_lang']}-{each['tgt_lang']}" for each in made]
    assert sorted(directions) == ["en-de"] * 3 + ["en-fr"] * 4 + ["en-sw"] * 2
    for folder in (one, three):
        result = AutoModelForCausalLM.from_pretrained(folder / "model")
        for each in translations(folder, 14):
            limit = 16 + 2 * (2 + len(small_tokenizer()(each["tgt"], add_special_tokens=False)["input_ids"]))
            assert each["mt"] == generated(result, each["src"], limit).partition("\n")[0].strip()
    scores = metrics(one, "translation")[-1]
    for direction in set(directions):
        chosen = [each for each, other in zip(made, directions, strict=True) if other == direction]
        hypotheses, references = [each["mt"] for each in chosen], [[each["tgt"] for each in chosen]]
        chrf = sacrebleu.corpus_chrf(hypotheses, references, word_order=2)
        assert scores["chrf++"][direction] == pytest.approx(chrf.score, abs=0.006)
    assert set(scores["spbleu"]) == set(directions)


def test_lines_that_cannot_be_translated_are_reported(tmp_path: Path) -> None:
    """A bad record with its place, a prompt that leaves no space for a translation with its direction."""
    _, pairs = held_out(tmp_path)
    training = Training(translate=(str(pairs),), translate_lines=2)
    read = held_out_lines.read(training, "some-llama")
    assert [(line.prompt, line.reference) for line in read] == [
        (f"English: {prompt}\nFrench:", "mti nyumba paka") for prompt in PROMPTS[:2]
    ]
    encoder = encoder_of(small_tokenizer(), "small")
    with pytest.raises(DataError, match=r"translate: a prompt of en-fr has \d+ tokens; the model takes at most 8"):
        held_out_lines.decoding_jobs(read, encoder, 8)
    (made, *_) = held_out_lines.decoding_jobs(read, encoder, 512)
    assert made.tokens[0] == 1 and made.tokens[-1] != 2
    bad = write(tmp_path / "bad.jsonl", [{"src": "a", "src_lang": "en", "tgt_lang": "fr"}])
    with pytest.raises(DataError, match=r"bad.jsonl:1: no 'tgt' in the record .*; translate takes pairs, or samples"):
        held_out_lines.read(Training(translate=(str(bad),)), "m")
    with pytest.raises(DataError, match="nothing to translate"):
        held_out_lines.read(Training(translate=(str(write(tmp_path / "none.jsonl", [])),)), "m")
