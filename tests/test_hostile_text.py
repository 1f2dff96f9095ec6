"""Text that would control a terminal or forge a line: on stderr and in tables it is shown, not obeyed."""

import ast
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.processes import ROOT, Outcome

from llamax_cli import console
from llamax_cli.console import escape
from llamax_cli.streams.tables import FORMATS, Table

Run = Callable[..., Outcome]
# A title, a cleared screen, a forged line, a return, a C1 control, a line separator, reversed writing, rich's markup.
HOSTILE = "x\x1b]0;pwned\x07\x1b[2J\nllamax: fake\r\x9b31m\u2028\u202e[red]"
NAME = f"{HOSTILE}.jsonl"
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
PAIR = {"id": "1", "src": "a", "tgt": "b", "src_lang": "en", "tgt_lang": "de"}
SCORE = {"src_lang": "en", "tgt_lang": "de", "metric": HOSTILE, "score": 1.0, "signature": HOSTILE, "n": 5}
SERVER = ["--model", "m", "--engine", "openai", "--server", "http://127.0.0.1:9/v1"]

CASES: dict[str, tuple[list[str], object]] = {
    "a key": (["augment", "--dict", "d.lex"], {HOSTILE: 1}),
    "a key, score": (["score"], {HOSTILE: 1}),
    "a key, langid": (["langid"], {HOSTILE: 1}),
    "a key, mix": (["mix", "--para", "-"], {HOSTILE: 1}),
    "a key, convert": (["convert", "--as", "moses", "-o", "out"], {HOSTILE: 1}),
    "a key, translate": (["translate", *SERVER, "--into", "de"], {HOSTILE: 1}),
    "a key, pivot": (["pivot", *SERVER], {HOSTILE: 1}),
    "a language": (["augment", "--dict", "d.lex"], {**PAIR, "src_lang": HOSTILE}),
    "a language, mix": (["mix", "--para", "-"], {**PAIR, "tgt_lang": HOSTILE}),
    "an id, score": (["score", "-", "again.jsonl"], {**PAIR, "id": HOSTILE, "mt": "b"}),
    "no file": (["augment", NAME, "--dict", "d.lex"], PAIR),
    "no file, convert": (["convert", NAME], PAIR),
    "no file, mix": (["mix", "--para", NAME], PAIR),
    "no lexicon": (["augment", "--dict", HOSTILE], PAIR),
    "no dictionary": (["build-lexicon", NAME], PAIR),
    "a bad file": (["augment", f"bad{NAME}", "--dict", "d.lex"], PAIR),
    "a bad file, score": (["score", f"bad{NAME}"], PAIR),
    "a bad file, train": (["train", "--model", "m", "-o", "run", "--data", f"bad{NAME}"], PAIR),
    "a bad file, tune": (["tune", "--model", "m", "-o", "run", "--data", f"bad{NAME}"], PAIR),
    "no model": (["train", "--model", f"./{HOSTILE}", "-o", "run", "--data", "again.jsonl"], {"completion": "a"}),
    "no models": (["tune", "--average", HOSTILE, HOSTILE, "-o", "mean"], PAIR),
    "no model, translate": (["translate", "--model", f"./{HOSTILE}", "--into", "de"], PAIR),
    "a setting": (["train", "--model", "m", "-o", "run", "--data", "again.jsonl", "--set", f"{HOSTILE}=1"], PAIR),
    "a task": (["tune", "--model", "m", "--task", HOSTILE, "--eval", "again.jsonl"], PAIR),
    "a template": (["translate", *SERVER, "--template", HOSTILE], PAIR),
    "a server": (["translate", *SERVER[:-1], HOSTILE], PAIR),
    "an option": (["mix", f"--{HOSTILE}"], PAIR),
    "a command": ([HOSTILE], PAIR),
    "a page": (["help", HOSTILE], PAIR),
    "a metric's name": (["score", "--metric", HOSTILE], PAIR),
    "a folder for the output": (["augment", "--dict", "d.lex", "-o", f"{HOSTILE}/out"], PAIR),
    "rejects": (["augment", "--dict", "d.lex", "--rejects", f"rejects{NAME}"], {HOSTILE: 1}),
}


@pytest.fixture
def inputs(tmp_path: Path, llamax: Run) -> Path:
    """Return a folder with a lexicon, a file that does not fit, and one that comes a second time."""
    (tmp_path / "en-de.txt").write_text("house Haus\n")
    assert llamax("build-lexicon", "en-de.txt", "-o", "d.lex").returncode == 0
    (tmp_path / f"bad{NAME}").write_text(json.dumps({HOSTILE: HOSTILE}) + "\n")
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_is_lines_of_text(inputs: Path, llamax: Run, case: str) -> None:
    """Each of the command's own, whatever keys, values and names hold."""
    arguments, record = CASES[case]
    line = json.dumps(record).encode() + b"\n"
    (inputs / "again.jsonl").write_bytes(line)
    done = llamax(*arguments, stdin=line)
    said = done.stderr.decode()
    assert r"x\x1b]0;pwned\x07" in said, said
    assert not CONTROLS.search(said), said
    assert said.count("\n") == 1 and said.startswith("llamax") and said.endswith("\n"), said


def test_a_traceback_is_escaped_too(inputs: Path) -> None:
    """With --debug."""
    command = [sys.executable, "-m", "llamax_cli", "augment", "--dict", HOSTILE, "--debug"]
    done = subprocess.run(command, input=b"", capture_output=True, cwd=inputs, env=None)
    assert b"Traceback" in done.stderr and rb"x\x1b]0;pwned\x07" in done.stderr
    assert not CONTROLS.search(done.stderr.decode())


@pytest.mark.parametrize("form", FORMATS)
def test_tables_have_no_controls(inputs: Path, llamax: Run, form: str) -> None:
    """Of any format, and a row has one line."""
    line = json.dumps(SCORE).encode() + b"\n"
    done = llamax("score", "--table", form, stdin=line)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert "pwned" in shown and not CONTROLS.search(shown)
    plain = llamax("score", "--table", form, stdin=line.replace(b"\\n", b"").replace(b"\\r", b""))
    assert shown.count("\n") == plain.stdout.decode().count("\n")


def test_a_column_has_no_controls(tmp_path: Path) -> None:
    """Nor does a table of LaTeX run a command that a cell names."""
    for form in FORMATS:
        table = Table(tmp_path / form, form)
        table._file.rewind(0, b"")  # type: ignore[attr-defined]
        table.write(json.dumps({f"{HOSTILE}|": r"\input{x}"}).encode() + b"\n")
        table.complete()
        table.finish()
        shown = (tmp_path / form).read_text()
        assert "pwned" in shown and not CONTROLS.search(shown)
        assert r"\input" not in shown or form != "latex"


def test_rows_on_a_terminal_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without colours that a name asks for."""
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("COLUMNS", "200")
    console.print_table(["name"], [[HOSTILE]])
    assert "[red]" in shown.getvalue() and not CONTROLS.search(shown.getvalue())


@given(st.text())
def test_an_escaped_text_is_one_line_that_a_terminal_can_show(text: str) -> None:
    """What is harmless stays as it is, and nothing is escaped twice."""
    escaped = escape(text)
    assert not CONTROLS.search(escaped) and "\n" not in escaped
    assert escaped.encode().decode() == escape(escaped) == escaped
    assert escaped == text or any(not character.isprintable() for character in text)


def test_only_the_console_writes_to_standard_error() -> None:
    """So no message can forget to escape."""
    for path in sorted((ROOT / "llamax_cli").rglob("*.py")):
        tree = ast.parse(path.read_text())
        for call in [node for node in ast.walk(tree) if isinstance(node, ast.Call)]:
            text = ast.unparse(call)
            writes = text.startswith(("sys.stderr.write", "sys.stderr.buffer", "traceback.print", "warnings.warn"))
            prints = text.startswith(("print(", "typer.echo(", "typer.secho(")) and ("stderr" in text or "err=" in text)
            assert not (writes or prints) or path.name == "console.py" or "ctx.get_help()" in text, f"{path}: {text}"
