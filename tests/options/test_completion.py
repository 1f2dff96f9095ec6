"""What the shell completes, and how options describe their values."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from support.lexicons import ENGLISH, lexicon

from llamax_cli import cli
from llamax_cli.augmentation.segmenters import NAMES as SEGMENTERS
from llamax_cli.cli import COMMANDS, load
from llamax_cli.config import Training, read_training
from llamax_cli.conversion.detection import FORMATS
from llamax_cli.languages import languages
from llamax_cli.lexicon.detection import FORMATS as DICTIONARIES
from llamax_cli.models.prompts import TEMPLATES
from llamax_cli.scoring.metrics import METRICS
from llamax_cli.translation.engines.registry import ENGINES

# Every word that describes a value. Upper case stands for something; lower case is typed as it is.
METAVARS = {
    "FILE", "FOLDER", "NAME", "LANGUAGE", "PAIR", "FORMAT", "KEY", "VALUE", "COLUMN", "PATTERN", "URL",
    "N", "I/N", "SHARE", "NUMBER", "SIZE", "SECONDS", "TEXT", "A:B",
    "auto", "true", "false", "off-target", "8bit", "4bit", "85",
}  # fmt: skip
# Options whose names are the user's own, or too many to know.
FREE = {
    "--name",
    "--split",
    "--config",
    "--model",
    "--base",
    "--tuned",
    "--second-model",
    "--tokenizer",
    "--comet-model",
}


def complete(words: str, place: int, shell: str = "bash") -> list[str]:
    """Return what a shell is given to choose from, when the user asks for the word at a place."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(place), "_TYPER_COMPLETE_ARGS": words}
    environment = {**os.environ, **asked, "_LLAMAX_COMPLETE": f"complete_{shell}"}
    command = [sys.executable, "-X", "importtime", "-m", "llamax_cli"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert not re.search(r"\| +(torch|transformers|numpy|pyarrow)$", done.stderr, re.MULTILINE)
    return done.stdout.split()


def options() -> Iterator[tuple[str, Any]]:
    """Yield each option that takes a value, by command."""
    for name in COMMANDS:
        for option in load(name).params:
            if option.param_type_name == "option" and not option.is_flag:
                yield name, option


OPTIONS = [pytest.param(name, option, id=f"{name} {option.opts[-1]}") for name, option in options()]


def offered(name: str, flag: str, word: str = "") -> list[str]:
    """Return the values that are offered for an option, where a word is begun."""
    command = load(name)
    context = command.context_class(command, info_name=name, **command.context_settings)
    option = next(option for option in command.params if flag in option.opts)
    return [item.value for item in option.shell_complete(context, word)]


def test_commands_pages_and_options_are_completed() -> None:
    """Without a command's module, where the table tells them."""
    assert complete("llamax con", 1) == ["convert"]
    assert complete("llamax help con", 2) == ["convert"]
    assert complete("llamax help rec", 2) == ["recipe", "records"]
    assert complete("llamax convert --man", 2) == ["--manifest"]


def test_values_are_completed() -> None:
    """By the protocol of bash and zsh, without loading a big library; zsh also shows what a value means."""
    assert complete("llamax score --metric bleu,ch", 3) == ["bleu,chrf++", "bleu,chrf"]
    assert complete("llamax translate --model x --engine ct", 5) == ["ctranslate2"]
    assert complete("llamax train --set precision=b", 3) == ["precision=bf16"]
    shown = complete("llamax augment --dict x --into sw,f", 0, "zsh")
    assert '"sw,fr":"French"' in " ".join(shown)
    assert complete("llamax score hyp", 2) == []  # the shell completes names of files


@pytest.mark.parametrize(
    ("name", "flag", "known"),
    [
        ("convert", "--from", FORMATS),
        ("langid", "--from", FORMATS),
        ("build-lexicon", "--from", DICTIONARIES),
        ("score", "--metric", METRICS),
        ("translate", "--engine", ENGINES),
        ("pivot", "--template", ["auto", *TEMPLATES]),
        ("augment", "--segmenter", SEGMENTERS),
        ("augment", "--into", languages()),
        ("augment", "--not", ["tgt", *languages()]),
        ("score", "--not", ["85", *languages()]),
        ("langid", "--langs", languages()),
        ("langid", "--select", ["on-target", "off-target", "match", "best"]),
    ],
)
def test_a_known_set_is_offered_whole(name: str, flag: str, known: Any) -> None:
    """It is the set that the command itself knows."""
    assert offered(name, flag) == list(known)


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_with_a_known_set_completes_it(name: str, option: Any) -> None:
    """One that takes a name, format, language or setting offers something, unless it can only be the user's own."""
    flag = option.opts[-1]
    if re.search("LANGUAGE|PAIR|FORMAT|KEY|NAME|[a-z]", option.metavar) and flag not in {*FREE, "--max-rejects"}:
        os.environ.setdefault("LLAMAX_DATA", os.devnull)
        assert offered(name, flag) or flag == "--dict"


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_values_are_described_in_the_same_words(name: str, option: Any) -> None:
    """Each option describes its value by the words of one table, as in `FILE...`, `LANGUAGE,...` or `NAME|FILE`."""
    assert option.metavar, f"{name} {option.opts[-1]} has no description of its value"
    words = re.split(r"[|=]|,?\.\.\.", re.sub(r"[\[\]]", "", option.metavar))
    assert set(filter(None, words)) <= METAVARS
    assert option.multiple == ("..." in option.metavar and ",..." not in option.metavar) or option.opts == ["--ref"]


def test_named_lexicons_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a list none is offered twice."""
    monkeypatch.setenv("LLAMAX_DATA", str(tmp_path))
    (tmp_path / "lexicons").mkdir()
    for name in ("muse", "panlex"):
        lexicon(tmp_path / "lexicons" / f"{name}.lex", ("en", ENGLISH))
    assert offered("augment", "--dict") == ["muse", "panlex"]
    assert offered("augment", "--dict", "muse,") == ["muse,panlex"]


def test_pairs_are_completed_in_two_steps() -> None:
    """First the language that is begun, then all pairs with it."""
    assert offered("convert", "--pairs", "en-fr,e") == ["en-fr,el-", "en-fr,en-", "en-fr,es-", "en-fr,et-"]
    assert offered("score", "--langs", "en-f") == ["en-fa", "en-ff", "en-fi", "en-fr"]
    assert len(offered("score", "--langs", "de")) == len(languages()) - 1
    assert offered("convert", "--columns", "en=1,d") == ["en=1,da=2", "en=1,de=2"]


@pytest.mark.parametrize("name", ["train", "tune"])
def test_every_setting_is_completed(name: str) -> None:
    """With a value that it can have; of tune with its own defaults."""
    values = [value for value in offered(name, "--set") if not value.endswith("=")]
    assert {value.partition("=")[0] for value in offered(name, "--set")} == {each.name for each in fields(Training)}
    for value in values:
        read_training(None, [value])
    assert ("batch=128" in values) == (name == "tune")


@pytest.mark.parametrize(
    ("words", "place", "values"),
    [
        ("llamax train --set precision =", 4, ["auto", "bf16", "fp32"]),
        ("llamax train --set precision = b", 5, ["bf16"]),
        ("llamax train --set block = 1024 opt", 6, ["optimizer=adamw"]),
        ("llamax tune --set seed=1 batch=", 4, ["batch=128"]),
        ("llamax train --model m mod", 4, []),
    ],
)
def test_further_settings_are_completed(
    words: str, place: int, values: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--set` takes several; bash splits each of them at its sign of equality."""
    monkeypatch.setenv("_LLAMAX_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(place))
    with pytest.raises(SystemExit):
        cli.run([])
    assert capsys.readouterr().out.split() == values
