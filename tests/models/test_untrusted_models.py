"""Models that somebody else made: their code never runs unasked, and their files stay within their folders."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.processes import Outcome, one_line
from support.runs import model_folder, sample

from llamax_cli.errors import ModelError, RecordError
from llamax_cli.models import pretrained
from llamax_cli.models.chat_template import render_chat
from llamax_cli.models.model_files import check_link, find_descriptions, find_weights

Run = Callable[..., Outcome]
ANSWERS = b"y\ny\n1\nyes\n"  # what would let transformers run code if it asked
CODE = """
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

Path({ran!r}).write_text("it ran")


class Config(LlamaConfig):
    model_type = "zorg"


class Model(LlamaForCausalLM):
    pass


class Tokenizer(PreTrainedTokenizerFast):
    pass
"""


class Malice:
    """What runs a command when it is unpickled."""

    def __init__(self, ran: Path) -> None:
        self.ran = ran

    def __reduce__(self) -> tuple[Any, ...]:
        """Make a file."""
        return os.mkdir, (str(self.ran),)


def changed(path: Path, **facts: object) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def unknown_config(folder: Path, ran: Path) -> None:
    """Make the configuration one of an architecture that only the folder's code knows."""
    changed(folder / "config.json", model_type="zorg", auto_map={"AutoConfig": "evil.Config"})


def known_tokenizer(folder: Path, ran: Path) -> None:
    """Give a known architecture a tokenizer of its own."""
    changed(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Tokenizer", "evil.Tokenizer"]})


def unknown_tokenizer(folder: Path, ran: Path) -> None:
    """Give it a tokenizer of a class that nobody else knows."""
    changed(
        folder / "tokenizer_config.json",
        tokenizer_class="Tokenizer",
        auto_map={"AutoTokenizer": ["evil.Tokenizer", "evil.Tokenizer"]},
    )


def known_model(folder: Path, ran: Path) -> None:
    """Give a known architecture a model and a configuration of its own."""
    changed(folder / "config.json", auto_map={"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"})


def own_generate(folder: Path, ran: Path) -> None:
    """Give it a search of its own."""
    (folder / "custom_generate").mkdir()
    shutil.copy(folder / "evil.py", folder / "custom_generate" / "generate.py")


def pickled(folder: Path, ran: Path) -> None:
    """Put a command into pickled weights."""
    (folder / "model.safetensors").unlink()
    torch.save({"model.norm.weight": Malice(ran)}, folder / "pytorch_model.bin")


def bare_pickle(folder: Path, ran: Path) -> None:
    """Put a command into weights in the oldest format."""
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Malice(ran)))


def kernel(folder: Path, ran: Path) -> None:
    """Name compiled code on the hub."""
    changed(folder / "config.json", attn_implementation="somebody/kernel")


def known(folder: Path, ran: Path) -> None:
    """Give a known architecture all that it can have of its own, none of which is needed."""
    for spoil in (known_tokenizer, known_model, own_generate):
        spoil(folder, ran)


NEEDS_CODE = {unknown_config, kernel}
EVIL = [unknown_config, known, unknown_tokenizer, pickled, bare_pickle, kernel]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model without malice."""
    return model_folder(tmp_path_factory.mktemp("good") / "model")


@pytest.fixture
def inputs(tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a good model and data for every command."""
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))  # where code would be copied to
    shutil.copytree(good, tmp_path / "good")
    samples = "".join(json.dumps(sample(number)) + "\n" for number in range(3))
    (tmp_path / "samples.jsonl").write_text(samples)
    (tmp_path / "pair.jsonl").write_text('{"id":"1","src":"a b","src_lang":"en","tgt_lang":"sw"}\n')
    (tmp_path / "alpaca.json").write_text(json.dumps([{"instruction": "red", "input": "", "output": "blue"}]))
    question = {"premise": "a", "hypothesis": "b", "label": 0, "lang": "en"}
    (tmp_path / "xnli.jsonl").write_text(json.dumps(question) + "\n")
    return tmp_path


def spoilt(inputs: Path, spoil: Callable[[Path, Path], None]) -> tuple[Path, Path]:
    """Return a model that was spoilt, and the file that is there once its code has run."""
    folder, ran = inputs / "evil", inputs / "ran"
    shutil.copytree(inputs / "good", folder)
    (folder / "evil.py").write_text(CODE.format(ran=str(ran)))
    spoil(folder, ran)
    return folder, ran


SMALL = ["--set", "block=256", "--set", "stop_after=1", "--set", "precision=fp32", "-q"]
COMMANDS = {
    "translate": ["translate", "--model", "evil", "--max-new-tokens", "2", "--into", "sw", "-q"],
    "pivot": ["pivot", "--model", "evil", "--max-new-tokens", "2", "--via", "de", "-q"],
    "second": ["pivot", "--model", "good", "--second-model", "evil", "--max-new-tokens", "2", "--via", "de", "-q"],
    "ctranslate2": ["translate", "--model", "evil", "--engine", "ctranslate2", "--into", "sw", "-q"],
    "train": ["train", "--model", "evil", "--data", "samples.jsonl", "-o", "run", *SMALL],
    "init": ["train", "--model", "evil", "--init", "--data", "samples.jsonl", "-o", "run", *SMALL],
    "tokenizer": ["train", "--model", "good", "--tokenizer", "evil", "--data", "samples.jsonl", "-o", "run", *SMALL],
    "preflight": ["train", "--model", "evil", "--data", "samples.jsonl", "-o", "run", "--preflight", *SMALL],
    "tune": ["tune", "--model", "evil", "--data", "alpaca.json", "-o", "run", *SMALL],
    "evaluate": ["tune", "--model", "evil", "--task", "xnli", "--eval", "xnli.jsonl", "-q"],
    "average": ["tune", "--average", "evil", "good", "-o", "mean", "-q"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("spoil", EVIL, ids=lambda spoil: spoil.__name__)
def test_no_command_runs_the_code_of_a_model(
    inputs: Path, llamax: Run, command: str, spoil: Callable[[Path, Path], None]
) -> None:
    """Whatever standard input says; a model that needs its code is refused in one line that names the option."""
    _, ran = spoilt(inputs, spoil)
    done = llamax(*COMMANDS[command], stdin=ANSWERS, env={**os.environ, "XDG_CACHE_HOME": str(inputs / "cache")})
    assert not ran.exists()
    assert b"Traceback" not in done.stderr and b"[y/N]" not in done.stdout + done.stderr
    if done.returncode:
        one_line(done, done.returncode)
    needs_model = command not in ("average", "preflight", "tokenizer")
    if spoil in NEEDS_CODE and needs_model:
        one_line(done, 1, "evil", "--trust-remote-code")
    elif spoil in (pickled, bare_pickle) and command not in ("preflight", "tokenizer", "init"):
        one_line(done, 1, "evil")


@pytest.mark.parametrize("spoil", [unknown_config, known_model, known_tokenizer])
def test_code_runs_where_it_is_trusted(inputs: Path, llamax: Run, spoil: Callable[[Path, Path], None]) -> None:
    """Or else the option would say nothing about the other test."""
    _, ran = spoilt(inputs, spoil)
    llamax(*COMMANDS["translate"], "--trust-remote-code", "pair.jsonl")
    assert ran.exists()
    ran.unlink()
    llamax(*COMMANDS["tune"], "--trust-remote-code")
    assert ran.exists()


def test_a_broken_file_of_any_kind_is_one_line(inputs: Path) -> None:
    """The libraries raise what they like, also Exception itself."""
    folder, _ = spoilt(inputs, known_model)
    for text in ("{}", "[]", '{"model": 3}', "{", "\0", '{"version":"1.0","model":{"type":"BPE"}}'):
        (folder / "tokenizer.json").write_text(text)
        with pytest.raises(ModelError, match=r"^cannot load [^\n]*evil: [^\n]+$"):
            pretrained.load_tokenizer(str(folder))


def test_weights_that_the_system_has_no_memory_for_are_one_line() -> None:
    """As where it cannot map their file."""
    with (
        pytest.raises(ModelError, match=r"^cannot load evil: Cannot allocate memory"),
        pretrained.loading_errors("evil"),
    ):
        raise MemoryError("Cannot allocate memory (os error 12)")


RUNAWAY = [
    "{{ ''.__class__.__mro__ }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{{ 1 // 0 }}",
    "{{ messages[9].role }}{{ messages[9]['role'] }}",
    "{{ 'a' * 10**18 }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ messages | nothing }}",
    "{% if %}",
    "{{ none.x.y }}",
    "{% include 'x' %}",
    "{{ '%d' % 'x' }}",
]


@pytest.mark.parametrize("template", RUNAWAY)
def test_a_runaway_chat_template_is_one_bad_record(good: Path, template: str) -> None:
    """In one line, whatever it does."""
    tokenizer = pretrained.load_tokenizer(str(good))
    tokenizer.chat_template = template
    with pytest.raises(RecordError, match=r"^the chat template refuses it: [^\n]+$"):
        render_chat(tokenizer, [{"role": "user", "content": "x"}], add_generation_prompt=True)


@pytest.mark.parametrize("command", ["translate", "tune"])
def test_a_runaway_chat_template_ends_a_command_in_one_line(inputs: Path, llamax: Run, command: str) -> None:
    """Of translating as of tuning."""
    chat = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    (inputs / "alpaca.json").write_text(json.dumps([chat]))
    spoilt(inputs, lambda folder, _: (folder / "chat_template.jinja").write_text(RUNAWAY[1]) and None)
    line = [*COMMANDS[command], *(["pair.jsonl"] if command == "translate" else [])]
    one_line(llamax(*line), 65, "the chat template refuses it: Range too big")


# -- files outside of the folder ---------------------------------------------------------------------------------------


def sharded(folder: Path, name: str) -> None:
    """Make the weights of a model those of a sharded one, whose only shard has this name."""
    keys = ["model.norm.weight", "lm_head.weight"]
    index = {"metadata": {"total_size": 1}, "weight_map": dict.fromkeys(keys, name)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").rename(Path(os.path.normpath(folder / name)))


@pytest.mark.parametrize(
    "name", ["../outside.safetensors", "x/../../outside.safetensors", "{root}/outside.safetensors"]
)
@pytest.mark.parametrize("command", ["translate", "train", "evaluate", "average", "ctranslate2"])
def test_weights_outside_of_the_folder_are_refused(inputs: Path, llamax: Run, command: str, name: str) -> None:
    """By every command that reads weights, in the same words."""
    name = name.format(root=inputs)
    spoilt(inputs, lambda folder, _: sharded(folder, name))
    environment = {**os.environ, "XDG_CACHE_HOME": str(inputs / "cache")}
    done = llamax(*COMMANDS[command], env=environment)
    one_line(done, 1, f"evil/model.safetensors.index.json names {name}, which is outside of evil")
    assert not (inputs / "mean").exists()


@pytest.mark.parametrize("command", ["translate", "train", "average"])
def test_weights_named_by_the_configuration_are_refused_too(inputs: Path, llamax: Run, command: str) -> None:
    """As transformers reads the file that `transformers_weights` names."""
    (inputs / "outside.safetensors").write_bytes((inputs / "good" / "model.safetensors").read_bytes())
    spoilt(
        inputs,
        lambda folder, _: changed(folder / "config.json", transformers_weights="../outside.safetensors"),
    )
    one_line(llamax(*COMMANDS[command]), 1, "evil/config.json names ../outside.safetensors, which is outside")


@pytest.mark.parametrize("command", ["train", "average"])
def test_shards_may_lie_in_a_folder_of_the_model(inputs: Path, llamax: Run, command: str) -> None:
    """Where transformers finds them."""
    folder, _ = spoilt(inputs, lambda folder, _: None)
    (folder / "shards").mkdir()
    sharded(folder, "shards/one.safetensors")
    assert find_weights(folder) == [folder / "shards" / "one.safetensors"]
    done = llamax(*COMMANDS[command])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["tokenizer_secret", "LICENSE", "config.json", "chat_template.jinja", "x.model"])
def test_a_link_to_a_file_elsewhere_is_not_copied(inputs: Path, llamax: Run, name: str) -> None:
    """The mean would publish it."""
    secret = inputs / "secret"
    folder, _ = spoilt(inputs, lambda folder, _: None)
    if (folder / name).exists():
        (folder / name).rename(secret)
    else:
        secret.write_text("password")
    (folder / name).symlink_to("../secret")
    one_line(llamax(*COMMANDS["average"]), 1, f"evil/{name} is a link to {secret}, outside of its folder")
    assert not (inputs / "mean").exists()


def test_links_in_the_cache_of_the_hub_are_followed(inputs: Path, llamax: Run) -> None:
    """A snapshot there consists of links to blobs, and of nothing else."""
    repository = inputs / "models--somebody--model"
    snapshot = repository / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for number, path in enumerate(sorted((inputs / "good").iterdir())):
        shutil.copy(path, repository / "blobs" / str(number))
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")
    done = llamax("tune", "--average", snapshot, "good", "-o", "mean")
    assert done.returncode == 0, done.stderr
    assert (inputs / "mean" / "config.json").read_bytes() == (inputs / "good" / "config.json").read_bytes()
    (repository / "blobs" / "secret").symlink_to(inputs / "samples.jsonl")
    (snapshot / "tokenizer_secret").symlink_to("../../blobs/secret")
    with pytest.raises(ModelError, match="outside of its folder"):
        check_link(snapshot / "tokenizer_secret", snapshot)


LINKS = ["chat_template.jinja", "generation_config.json", "additional_chat_templates/tools.jinja"]


@pytest.mark.parametrize("command", ["train", "tokenizer", "tune", "average"])
@pytest.mark.parametrize("name", LINKS)
def test_a_link_to_a_file_elsewhere_does_not_become_a_part_of_a_new_model(
    inputs: Path, llamax: Run, command: str, name: str
) -> None:
    """As the template of chats, which may be any text; neither of the model nor of a tokenizer by itself."""
    secret = inputs / "secret"
    secret.write_text("{}")
    folder, _ = spoilt(inputs, lambda folder, _: None)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(secret)
    one_line(llamax(*COMMANDS[command]), 1, f"evil/{name} is a link to {secret}, outside of its folder")
    assert not (inputs / "mean").exists() and not (inputs / "run" / "model").exists()


def test_a_folder_of_chat_templates_may_not_be_a_link_either(inputs: Path) -> None:
    """The folder in which a file lies is not what counts, but that of the model."""
    folder, _ = spoilt(inputs, lambda folder, _: None)
    (inputs / "secrets").mkdir()
    (inputs / "secrets" / "a.jinja").write_text("password")
    (folder / "additional_chat_templates").symlink_to(inputs / "secrets")
    with pytest.raises(ModelError, match=r"is a link to .*secrets/a\.jinja, outside of its folder"):
        find_descriptions(folder)
    (folder / "additional_chat_templates").unlink()
    (folder / "templates").mkdir()
    (folder / "templates" / "a.jinja").write_text("{{ messages }}")
    (folder / "additional_chat_templates").symlink_to("templates")
    assert folder / "additional_chat_templates" / "a.jinja" in find_descriptions(folder)


def test_the_mean_keeps_all_chat_templates(inputs: Path, llamax: Run) -> None:
    """Also those for special uses, in a folder of their own."""
    (inputs / "good" / "additional_chat_templates").mkdir()
    (inputs / "good" / "additional_chat_templates" / "tools.jinja").write_text("{{ messages }}")
    done = llamax("tune", "--average", "good", "good", "-o", "mean")
    assert done.returncode == 0, done.stderr
    assert (inputs / "mean" / "additional_chat_templates" / "tools.jinja").read_text() == "{{ messages }}"


@pytest.mark.parametrize("command", ["translate", "ctranslate2", "train", "tokenizer", "tune", "evaluate"])
def test_a_vocabulary_is_not_read_from_a_path_in_the_configuration(inputs: Path, llamax: Run, command: str) -> None:
    """Any text is a vocabulary of BERT's tokenizer, and would stand in the tokenizer of the trained model."""
    secret = inputs / "secret"
    secret.write_text("[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\npassword\n")
    folder, _ = spoilt(inputs, lambda folder, _: None)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "vocab": str(secret)})
    )
    done = llamax(*COMMANDS[command], env={**os.environ, "XDG_CACHE_HOME": str(inputs / "cache")})
    one_line(done, 1, f"evil: its tokenizer_config.json takes its vocab from {secret}")
