"""Options of every command, from the table of commands: hostile numbers, and options that are given twice."""

import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fakes import Tagger
from support.lexicons import ENGLISH, lexicon
from support.records import pair, text, write
from support.runs import model_folder, sample

from llamax_cli import cli
from llamax_cli.cli import COMMANDS, load
from llamax_cli.training import (
    accelerate_entry,  # noqa: F401  (torch and accelerate are loaded once, not in each run)
    preflight,
)
from llamax_cli.training.estimates import DataCounts

COUNTS = DataCounts(3, 20, learned=15, squares=140, blocks=1, steps=1, filled=0.5, left_out="", bos="none")
MT = {"mt": "Das Haus ist rot.", "tgt": "Das Haus ist rot."}
PAIRS = [pair(number, "en", "de", **MT, candidate=1) for number in range(3)]
CALLS = {
    "convert": ["convert", "pairs.jsonl"],
    "build-lexicon": ["build-lexicon", "en-de.txt"],
    "augment": ["augment", "--dict", "small.lex", "pairs.jsonl"],
    "mix": ["mix", "--para", "pairs.jsonl", "--mono", "texts.jsonl"],
    "train": ["train", "--model", "model", "--data", "mix.jsonl", "-o", "run", "--dry-run"],
    "tune": ["tune", "--model", "model", "--data", "mix.jsonl", "-o", "run", "--dry-run"],
    "translate": ["translate", "--model", "m", "pairs.jsonl"],
    "pivot": ["pivot", "--model", "m", "pairs.jsonl"],
    "langid": ["langid", "pairs.jsonl"],
    "score": ["score", "--metric", "bleu", "pairs.jsonl"],
    "analyze corpus": ["analyze", "corpus", "pairs.jsonl"],
    "analyze fertility": ["analyze", "fertility", "--tokenizer", "model", "pairs.jsonl"],
    "analyze lexicon": ["analyze", "lexicon", "small.lex"],
    "analyze representation": ["analyze", "representation", "--model", "model", "pairs.jsonl"],
    "analyze shift": ["analyze", "shift", "--base", "model", "--tuned", "model"],
    "extend-vocab": ["extend-vocab", "--model", "model", "--tokens", "pieces.txt", "-o", "extended"],
}
# What an option needs beside it to matter.
COMPANIONS = {
    ("langid", "--min-score"): ["--select", "on-target"],
    ("score", "--resamples"): ["--against", "pairs.jsonl"],
    ("score", "--swaps"): ["--against", "pairs.jsonl"],
    ("translate", "--temperature"): ["--sample"],
    ("translate", "--top-p"): ["--sample"],
    ("pivot", "--temperature"): ["--sample"],
    ("pivot", "--top-p"): ["--sample"],
    ("mix", "--mono-block"): ["--tokenizer", "model"],
    ("mix", "--temperature"): ["--para-size", "2"],
    **{(name, "--max-rejects"): ["--rejects", "bad.jsonl"] for name in COMMANDS},
    **{(name, "--throughput"): ["--preflight"] for name in ("train", "tune")},
}
OTHER_NUMBERS = {"--memory", "--shard", "--part", "--max-rejects", "--max-new-tokens"}  # written in a way of their own
HOSTILE = [
    *("nan", "-nan", "inf", "-inf", "infinity", "1e999", "-1e999", "-0", "-0.0", "0", "-1", "1e-400", "0.5", "1e3"),
    *("1000000000000000000000000000000", "9" * 400, "9" * 5000, "-" + "9" * 30, "9223372036854775808", "", " "),
    *("٣", "²", "0x10", "1_0", "+1", "1.", ".5", "1,5", "1/0", "0/1", "3/2", "1/" + "9" * 400, "9" * 400 + "M", "0M"),
    *("nan%", "%", "auto", "None", "true", "\0", "\u202e1", "1\n"),
]
NUMBERS = {"IntParamType", "FloatParamType", "IntRange", "FloatRange"}


def flags() -> Iterator[tuple[str, str]]:
    """Yield each option that takes a number, by command."""
    for name in COMMANDS:
        for option in load(name).params:
            if type(option.type).__name__ in NUMBERS or OTHER_NUMBERS & {*option.opts}:
                yield name, option.opts[-1]


FLAGS = list(flags())


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with input for each command."""
    folder = tmp_path_factory.mktemp("inputs")
    write(folder / "pairs.jsonl", PAIRS)
    write(folder / "texts.jsonl", [text(number) for number in range(3)])
    write(folder / "mix.jsonl", [sample(number) for number in range(3)])
    (folder / "en-de.txt").write_text("house haus\n")
    lexicon(folder / "small.lex", ("en", ENGLISH))
    model_folder(folder / "model")
    (folder / "pieces.txt").write_text("aa\n")
    return folder


@pytest.fixture
def run(
    inputs: Path, tagger: type[Tagger], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a command in the folder of its input, and returns its exit code and messages."""
    monkeypatch.chdir(inputs)
    # A process of its own counts the tokens, whatever the options say; it takes seconds.
    monkeypatch.setattr(preflight, "count_tokens", lambda job: COUNTS)
    capfd.readouterr()

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        shutil.rmtree("extended", ignore_errors=True)
        try:
            code = cli.run([*arguments])
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        return code, capfd.readouterr().err

    return call


def check(run: Callable[..., tuple[int, str]], name: str, flag: str, value: str) -> None:
    """Check that a value works or is refused in a line that names the option."""
    code, said = run(*CALLS[name], *COMPANIONS.get((name, flag), ()), f"{flag}={value}")
    lines = said.splitlines()
    if code == 2:
        assert len(lines) == 1
        assert flag in lines[0]
    else:
        assert code == 0, said


@pytest.mark.parametrize("name", CALLS)
def test_a_hostile_number_is_refused_or_works(name: str, run: Callable[..., tuple[int, str]]) -> None:
    """Whatever stands for a number: no traceback, no other failure, nothing that does not end."""
    for flag in [flag for command, flag in FLAGS if command == name]:
        for value in HOSTILE:
            check(run, name, flag, value)


@given(
    place=st.sampled_from(FLAGS),
    value=st.floats().map(str) | st.integers().map(str) | st.text(max_size=5) | st.decimals().map(str),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_number_is_refused_or_works(
    place: tuple[str, str], value: str, run: Callable[..., tuple[int, str]]
) -> None:
    """The same of numbers and texts that nobody thought of."""
    name, flag = place
    if flag in ("--workers", "--copies", "--nbest") and value.isdecimal():
        value = str(int(value) % 5)  # what it asks for would be done
    if "\n" not in flag:
        check(run, name, flag, value)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_number_is_told_the_range(name: str, run: Callable[..., tuple[int, str]]) -> None:
    """The range of the option, and not that of all numbers, as for a number beyond it."""
    for option in load(name).params:
        if type(option.type).__name__ == "FloatRange":
            flag, low, high = option.opts[-1], option.type.min, option.type.max
            _, said = run(*CALLS[name], *COMPANIONS.get((name, flag), ()), f"{flag}=nan")
            assert f"nan is not in the range {low}<=x<={10**9 if high is None else high}." in said


def test_every_number_is_walked() -> None:
    """The commands have so many options with numbers that one cannot be overlooked."""
    assert {name for name, _ in FLAGS} == set(CALLS)
    named = {flag for _, flag in FLAGS}
    assert named >= {"--flip", "--copies", "--rate", "--seed", "--limit", "--workers", "--keep", "--lora", "--timeout"}
    assert named >= OTHER_NUMBERS


# -- given twice -------------------------------------------------------------------------------------------------------


def valued(name: str) -> list[Any]:
    """Return the options of a command that take a value."""
    return [
        option
        for option in load(name).params
        if option.param_type_name == "option" and not getattr(option, "is_flag", 0)
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_value_of_an_option_is_lost(name: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An option that has one value is refused when given twice, in one line; one that has several adds up."""
    os.chdir(tmp_path)
    parsed = load(name)
    for option in valued(name):
        flag = option.opts[-1]
        parser = parsed.make_parser(parsed.context_class(parsed, **parsed.context_settings))
        if option.multiple or ",..." in (option.metavar or ""):
            values, _, _ = parser.parse_args([flag, "en", flag, "de"])
            assert values[option.name] == (["en", "de"] if option.multiple else "en,de")
        else:
            for second in ("1", "2"):
                assert cli.run([*name.split(), flag, "1", flag, second]) == 2
                said = capfd.readouterr()
                assert said.out == ""
                hint = option.get_error_hint(None)
                assert said.err.startswith(f"llamax {name}: Invalid value for {hint}: it takes one value, but")
                assert said.err.count("\n") == 1


def test_metrics_add_up(run: Callable[..., tuple[int, str]], capfd: pytest.CaptureFixture[str]) -> None:
    """As in sacreBLEU, where an option may be repeated; twice the same metric is still refused."""
    assert cli.run(["score", "--metric", "bleu", "--metric", "chrf++,ter", "pairs.jsonl", "-q"]) == 0
    apart = capfd.readouterr().out
    assert cli.run(["score", "--metric", "bleu,chrf++,ter", "pairs.jsonl", "-q"]) == 0
    assert apart == capfd.readouterr().out
    assert apart.count("\n") == 3
    assert run("score", "--metric", "bleu", "--metric", "bleu", "pairs.jsonl")[0] == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_an_empty_value_is_refused(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """It comes of a variable that is not set, and would be the current folder, or as if nothing were given."""
    arguments = [each for each in load(name).params if each.param_type_name == "argument"]
    for taker in [*arguments, *valued(name)]:
        given = [""] if taker in arguments else [taker.opts[-1], ""]
        assert cli.run([*name.split(), *given]) == 2
        reason = "it is empty; is a variable of the shell not set?"
        assert capfd.readouterr().err == f"llamax {name}: Invalid value for {taker.get_error_hint(None)}: {reason}\n"
