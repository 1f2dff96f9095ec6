"""Whether a text begins with bos: one rule for training, scoring and translating, and it is the tokenizer's own."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support.records import write
from support.runs import config, job, model_folder, sample, tokenizer, train

from llamax_cli.config import AUTO_BOS, BOS_CHOICES, Training
from llamax_cli.errors import ModelError, UsageError
from llamax_cli.models.bos import adds_bos, set_bos
from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.pretrained import load_tokenizer
from llamax_cli.models.request_encoding import load_encoder
from llamax_cli.models.sample_encoding import encoder_of, open_encoder
from llamax_cli.models.samples import Sample
from llamax_cli.tuning.predictors import LikelihoodPredictor

CASES = list(product((True, False), BOS_CHOICES))  # whether the tokenizer adds it, and the setting
KINDS = ("alone", "with eos", "in a sequence")


def made(kind: str, *, add_bos: bool) -> Any:
    """Return a tokenizer that adds special tokens by a post-processor of some kind."""
    from tokenizers import processors

    words = tokenizer(add_bos=add_bos)
    single = f"{'<s> ' if add_bos else ''}$A{' </s>' if kind == 'with eos' else ''}"
    template = processors.TemplateProcessing(single, f"{single} $B", [("<s>", 1), ("</s>", 2)])
    in_sequence = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    words.backend_tokenizer.post_processor = in_sequence if kind == "in a sequence" else template
    return words


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("own", "choice"), CASES)
def test_the_choice_is_saved_with_the_tokenizer(tmp_path: Path, kind: str, own: bool, choice: bool | str) -> None:
    """Only the first token changes: what else the tokenizer adds stays, also for who loads it elsewhere."""
    words = made(kind, add_bos=own)
    rest = [token for token in words("the dog")["input_ids"] if token != 1]
    set_bos(words, choice, "small")
    expected = own if choice == AUTO_BOS else choice
    words.save_pretrained(tmp_path)
    for each in (words, load_tokenizer(str(tmp_path))):
        assert adds_bos(each) == expected
        assert each("the dog")["input_ids"] == [1] * expected + rest


def test_a_tokenizer_without_bos_or_of_an_unknown_kind() -> None:
    """One line that names the setting."""
    from tokenizers import processors

    words = tokenizer(add_bos=False)
    words.bos_token = None
    set_bos(words, False, "M")
    with pytest.raises(ModelError, match=r"tokenizer of M has no bos_token to begin a text with; leave add_bos at"):
        set_bos(words, True, "M")
    other = tokenizer()
    other.backend_tokenizer.post_processor = processors.BertProcessing(("</s>", 2), ("<s>", 1))
    with pytest.raises(ModelError, match="tokenizer of M cannot be made not to begin texts with bos_token"):
        set_bos(other, False, "M")


@pytest.mark.parametrize(("own", "choice"), CASES)
def test_training_and_translating_read_the_same_tokens(tmp_path: Path, own: bool, choice: bool | str) -> None:
    """The prompt that a model was trained on, and the one that it is asked with, scored or not."""
    folder = model_folder(tmp_path / "model", words=tokenizer(add_bos=own))
    words, encoder = open_encoder(folder, add_bos=choice)
    words.save_pretrained(folder)
    (encoded,) = encoder.encode([Sample(prompt="the dog sees", completion="")])
    for asked in (AUTO_BOS, choice):
        _, requests = load_encoder(ModelChoice(str(folder), template="verbatim", add_bos=asked), Decoding())
        (request,), _ = requests.encode([TranslationRequest("the dog sees", "en", "sw")])
        assert request.tokens == encoded.tokens[:-1]
    (scored,) = LikelihoodPredictor(ModelChoice(str(folder)))._encoder.encode([Sample("", prompt="the dog sees")])
    assert scored == encoded


@pytest.mark.filterwarnings("ignore:.gradient_checkpointing:FutureWarning")  # which trl sets
@pytest.mark.parametrize("own", [True, False])
def test_the_tokens_are_those_of_trl(tmp_path: Path, own: bool) -> None:
    """TRL's SFTTrainer, the usual tool, prepares the same tokens and the same mask of a prompt with its completion."""
    from datasets import Dataset
    from transformers import LlamaForCausalLM
    from trl import SFTConfig, SFTTrainer

    words = tokenizer(add_bos=own)
    words.pad_token = "</s>"
    samples = [sample(number, 3 + number % 5, prompt="the dog") for number in range(8)]
    rows = [{"prompt": each["prompt"], "completion": f" {each['completion']}"} for each in samples]
    settings = SFTConfig(output_dir=str(tmp_path), report_to=[], use_cpu=True, bf16=False, max_length=None)
    trainer = SFTTrainer(
        LlamaForCausalLM(config()), args=settings, train_dataset=Dataset.from_list(rows), processing_class=words
    )
    theirs = [(row["input_ids"], [label != -100 for label in row["labels"]]) for row in trainer.train_dataset]
    ours = encoder_of(words, "small").encode([Sample(**row) for row in rows])
    assert [(encoded.tokens, encoded.learned) for encoded in ours] == theirs


def test_a_run_teaches_its_choice(tmp_path: Path) -> None:
    """The model's folder asks for translations as the run taught, whatever program reads it."""
    base = model_folder(tmp_path / "base", words=tokenizer(add_bos=False))
    mix = write(tmp_path / "mix.jsonl", [sample(number) for number in range(40)])
    for choice in BOS_CHOICES:
        folder = job(tmp_path / str(choice), base, mix, stop_after=1, add_bos=choice)
        train(folder)
        written = load_tokenizer(str(folder / "model"))("the dog")["input_ids"]
        assert (written[0] == 1) == (choice is True)
        assert json.loads((folder / "model" / "tokenizer_config.json").read_text())["add_bos_token"] == (choice is True)


def test_the_measured_lengths_know_it(tmp_path: Path) -> None:
    """Lengths with the token are not taken for those without; those of earlier versions, which had it, stay valid."""
    digests = {choice: encoder_of(tokenizer(add_bos=False), "small", add_bos=choice).digest for choice in BOS_CHOICES}
    assert digests[AUTO_BOS] == digests[False] != digests[True]
    with pytest.raises(UsageError, match="add_bos = 'ture': did you mean true"):
        Training(add_bos="ture")
