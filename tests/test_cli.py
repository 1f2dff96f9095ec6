"""The command line itself: help, completion, one-line usage errors."""

import gc
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from support.processes import Outcome

import llamax_cli
from llamax_cli import __version__
from llamax_cli.cli import COMMAND_GROUPS, COMMANDS, load
from llamax_cli.config import SETTING_GROUPS, TUNING, Training, written
from llamax_cli.console import counted
from llamax_cli.registry import find

Llamax = Callable[..., Outcome]


def test_help_lists_every_command(llamax: Llamax) -> None:
    """Help shows each command with its whole summary; so does `llamax` without arguments."""
    done = llamax("--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert llamax().stdout == done.stdout
    text = "".join(done.stdout.decode().split())
    for name, summary in {**COMMANDS, **COMMAND_GROUPS}.items():
        if " " in name:
            text_of = "".join(llamax(name.split()[0]).stdout.decode().split())
            assert "".join((name.split()[1] + summary).split()) in text_of
            continue
        assert "".join((name + summary).split()) in text


@pytest.mark.parametrize(
    "name", [name for name in COMMANDS if name not in ("train", "tune", "replay", "report", "help")]
)
def test_every_filter_has_the_shared_flags(llamax: Llamax, name: str) -> None:
    """Every filter has the shared flags; the commands left out here are none, and a folder is not continued."""
    text = llamax(*name.split(), "--help").stdout.decode()
    for flag in ("--output", "--quiet", "--manifest", "--rejects", "--max-rejects"):
        assert flag in text
    for flag in ("--limit", "--resume"):
        assert (flag in text) == (name != "extend-vocab")


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ("report", "llamax report [OPTIONS] SYSTEM=FILE,..."),
        ("analyze shift", "llamax analyze shift [OPTIONS]"),
        ("langid", "llamax langid [OPTIONS] [FILE]..."),
    ],
)
def test_usage_names_what_can_be_given(llamax: Llamax, words: str, usage: str) -> None:
    """In the notation that the manual explains: brackets for what may be absent, nothing for what is not taken."""
    assert llamax(*words.split(), "--help").stdout.decode().splitlines()[0] == f"Usage: {usage}"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_leaves_line_breaks_to_the_terminal(name: str) -> None:
    """Each paragraph of a docstring is one line, which help wraps to the width of the terminal."""
    paragraphs = load(name).help.split("\n\n")
    assert paragraphs[0] == COMMANDS[name]
    assert not any("\n" in paragraph for paragraph in paragraphs)


@pytest.mark.parametrize(("name", "defaults"), [("train", Training()), ("tune", TUNING)])
def test_help_lists_every_setting(llamax: Llamax, name: str, defaults: Training) -> None:
    """In groups, after the options, with the defaults of the command."""
    text = llamax(name, "--help").stdout.decode()
    assert re.findall(r"^(.+) \(--set KEY=VALUE\):$", text, re.MULTILINE) == [*SETTING_GROUPS.values()]
    words = " ".join(text.split())
    for setting in fields(Training):
        told = f" {setting.name} {setting.metadata['help']}"
        default = written(getattr(defaults, setting.name))
        assert re.search(f"{re.escape(told)}( One of [^.]*[.])? {re.escape(f'[default: {default}]')}", words)


def test_version(llamax: Llamax) -> None:
    """`--version` shows the version of the package."""
    assert llamax("--version").stdout.decode() == f"llamax {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("convrt", ": No such command 'convrt'. Did you mean 'convert'? (llamax --help)"),
        (
            "convert --outptu x",
            " convert: No such option: --outptu (Possible options: --output) (llamax convert --help)",
        ),
        ("convert --as mose", " convert: Invalid value for '--as': 'mose' is unknown; did you mean moses?"),
        ("convert --from tmy", " convert: Invalid value for '--from': 'tmy' is unknown; did you mean tmx?"),
        (
            "convert --part 4/3",
            " convert: Invalid value for '--part': '4/3' is not I/N with I from 1 to N, such as 3/8",
        ),
        ("convert --langs german", " convert: unknown language 'german'; did you mean de (German)?"),
        (
            "convert --pairs en-de --mono en",
            " convert: --pairs writes pairs and --mono writes texts; give only one of them",
        ),
        ("convert --resume", " convert: --resume requires -o, the file that it continues"),
        ("convert --as moses", " convert: --as moses writes several files: name their prefix with -o"),
        (
            "convert --max-rejects x",
            " convert: Invalid value for '--max-rejects': 'x' is not a count (20) or a share (1%, 0.01)",
        ),
    ],
)
def test_usage_errors_are_one_line(llamax: Llamax, arguments: str, message: str) -> None:
    """The line names what is wrong and the nearest name that exists; nothing is written to standard output."""
    done = llamax(*arguments.split())
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"llamax{message}\n")


def test_one_is_singular(llamax: Llamax) -> None:
    """A number stands with its noun in the form that it needs, in summaries as in errors."""
    assert [counted(count, "record") for count in (0, 1, 2, 1000)] == [
        "0 records",
        "1 record",
        "2 records",
        "1,000 records",
    ]
    line = b'{"text":"Good morning.","lang":"en"}\n'
    assert llamax("convert", "--from", "records", stdin=line).stderr.startswith(b"llamax convert: 1 record; ")


def test_no_module_forms_a_plural_itself() -> None:
    """There is one function for it, so that no message says `1 records`."""
    for path in Path(str(llamax_cli.__file__)).parent.rglob("*.py"):
        if path.name != "console.py":
            assert not re.search(r"""['"]s['"] (\* \(|if )""", path.read_text(encoding="utf-8")), path


def test_garbage_is_not_looked_for_while_libraries_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes long, and there is none; afterwards it is, also if a library cannot be loaded."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "large_library.py").write_text("import gc\nenabled = gc.isenabled()\n")
    (tmp_path / "broken_library.py").write_text("1 / 0\n")
    assert find("large_library:enabled") is False
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        find("broken_library:enabled")
    assert gc.isenabled()
