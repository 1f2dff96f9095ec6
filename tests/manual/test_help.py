"""llamax help: the list of pages, a page, what is made from declarations, the schema, man pages, the terminal."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import zygote
from support.processes import Outcome
from support.runs import model_folder

from llamax_cli import cli, records
from llamax_cli.cli import COMMAND_GROUPS, COMMANDS
from llamax_cli.config import SETTING_GROUPS, TUNING, Training
from llamax_cli.manual import pages
from llamax_cli.manual.declarations import options, settings, shown
from llamax_cli.manual.man_pages import man_page
from llamax_cli.manual.schema import document, shapes
from llamax_cli.manual.tables import prose

Llamax = Callable[..., Outcome]


def squashed(text: str) -> str:
    """Return text without spaces, as --help breaks lines at hyphens too, and without the marks of Markdown."""
    return "".join(text.replace("`", "").replace(r"\|", "|").split())


def text(done: Outcome) -> str:
    """Return what a command that went well wrote."""
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return done.stdout.decode()


# -- pages -------------------------------------------------------------------------------------------------------------


def test_the_list_names_every_page(llamax: Llamax) -> None:
    """Each command with the table's summary, each topic with the first sentence of its page."""
    listed = text(llamax("help"))
    for name, summary in COMMANDS.items():
        assert f"- `{name}`: {summary}\n" in listed
    assert {"changes", "languages", "records", "streams"} <= set(pages.topics())
    for name in (*COMMAND_GROUPS, *pages.topics()):
        assert f"- `{name}`: {pages.summary(name)}\n" in listed


def test_a_page_is_its_source_with_placeholders_filled(llamax: Llamax) -> None:
    """Off a terminal a page is Markdown, and nothing is left to fill in."""
    shown = text(llamax("help", "languages"))
    before, after = pages.source("languages").split("<!-- languages -->")
    assert shown.startswith(before)
    assert shown.endswith(after)
    assert "| `ku` | Central Kurdish (Sorani) | Indo-European | Arab | ckb | `ckb_Arab` | low |\n" in shown
    assert "<!--" not in shown


def test_the_needs_of_an_example_are_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader sees a sentence, not a mark for the tests; a need without words of its own is named as it is."""
    page = "# X\n\nX.\n\n```console needs=hub,GPU\n$ a\n```\n\n```console needs=patience\n$ b\n```\n\n```console\n$ c\n"
    monkeypatch.setattr(pages, "source", lambda name: page)
    assert pages.page("x") == (
        "# X\n\nX.\n\n(needs the Hugging Face hub and a GPU)\n\n```console\n$ a\n```\n\n"
        "(needs patience)\n\n```console\n$ b\n```\n\n```console\n$ c\n"
    )


def test_help_has_a_page_of_its_own(llamax: Llamax) -> None:
    """It is made from the docstring."""
    shown = text(llamax("help", "help"))
    assert shown.startswith(f"# llamax help\n\n{COMMANDS['help']}\n\nUsage: `llamax help [OPTIONS] [COMMAND|TOPIC]`\n")
    assert "llamax-records.7" in shown
    assert "| `--man FOLDER` |" in shown


ANALYZE = "analyze, analyze fertility, analyze shift"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("mxi", "no command or topic is called 'mxi'; nearest: mix"),
        ("recrods", "no command or topic is called 'recrods'; nearest: records"),
        ("lexicon", "no command or topic is called 'lexicon'; nearest: build-lexicon, analyze lexicon"),
        ("lang", "no command or topic is called 'lang'; nearest: langid, languages"),
        ("zzz", f"no command or topic is called 'zzz'; have: {', '.join(pages.names())}"),
        ("analyze fertilty", f"no command or topic is called 'analyze fertilty'; nearest: {ANALYZE}"),
        ("--schema", "--schema describes records: llamax help records --schema"),
        ("mix --schema", "--schema describes records: llamax help records --schema"),
        ("mix --man x", "--man writes all pages and takes no name: llamax help --man FOLDER"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(llamax: Llamax, arguments: str, message: str) -> None:
    """With the nearest name, and nothing on standard output."""
    done = llamax("help", *arguments.split())
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"llamax help: {message}\n")


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    """`llamax help languages | true` says nothing."""
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m llamax_cli help languages | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        timeout=60,
    )
    assert done.stderr == b""
    assert done.stdout in (b"0\n", b"141\n")  # whichever of the two was faster


# -- declarations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_manual_and_help_agree(llamax: Llamax, name: str) -> None:
    """The same call, and the same options with the same words and defaults, by any of the three doors."""
    done, short = llamax(*name.split(), "--help"), llamax(*name.split(), "-h")
    assert (short.returncode, short.stdout, short.stderr) == (0, done.stdout, b"")
    listed = squashed(text(done))
    usage, table = text(llamax("help", name)), options(name)
    rows = [row.replace(r"\|", "\0").split(" | ") for row in table.split("\n") if row.startswith("| `")]
    call = re.match(r"Usage: (.*?)\n\n", done.stdout.decode(), re.DOTALL)
    assert call
    if "<!-- synopsis -->" in pages.source(name):
        assert squashed(f"Usage: {call[1]}") in squashed(usage)
    if "<!-- options -->" in pages.source(name):
        assert table in usage
    for flags, meaning, default in rows:
        flags = flags.removeprefix("| ").replace("\0", "|")
        words = re.sub(r" (At least|At most|From) [\d.]+( to [\d.]+)?\.$", "", meaning.replace("\0", "|"))
        assert squashed(f"{flags} {words}") in listed
        value = squashed(default.removesuffix("|"))
        assert not value or (value if value == "required" else f"default:{value}") in listed
        assert not re.match(r"[(<\[]|\d{8}", value), "as a user types it"
    lists = re.split(r"^(?:Arguments|Options):$", done.stdout.decode(), maxsplit=1, flags=re.MULTILINE)[1]
    assert len(rows) == len(re.findall(r"^  [-\[A-Z]", lists, re.MULTILINE))


def test_limits_are_told() -> None:
    """What --help writes as `x>=1` and `0<=x<=1`."""
    table = options("mix")
    meaning = "Number of copies, in all, of each pair that is repeated. From 1 to 10000."
    assert f"| `--copies N` | {meaning} | `3` |" in table
    assert "From 0 to 1. | `0.5` |" in table


@pytest.mark.parametrize(("name", "defaults"), [("train", Training()), ("tune", TUNING)])
def test_every_setting_is_told(name: str, defaults: Training) -> None:
    """With its meaning, what it may be, and its default for the command."""
    text = settings(name)
    rows = [line for line in text.split("\n") if line.startswith("| `")]
    assert re.findall(r"^\*\*(.+)\*\*$", text, re.MULTILINE) == [*SETTING_GROUPS.values()]
    assert len(rows) == len(fields(Training))
    for row, each in zip(rows, fields(Training), strict=True):
        among = each.metadata.get("among")
        meaning = prose(each.metadata["help"]) + (f" ({', '.join(map(shown, among))})" if among else "")
        value, usual = shown(getattr(defaults, each.name)), shown(each.default)
        assert row == f"| `{each.name}` | {meaning} | {value if value == usual else f'{value} (train: {usual})'} |"


def test_settings_of_tune_differ_where_they_do() -> None:
    """As told in TUNING."""
    assert "| `batch` | Blocks or records in a step, over all GPUs. | 128 (train: 64) |" in settings("tune")
    assert "(train:" not in settings("train")


@pytest.mark.parametrize(
    ("plain", "marked"),
    [
        ("Directions; * is any: en-zh,en-*,*-*.", "Directions; `*` is any: `en-zh,en-*,*-*`."),
        ("as in model.embed_tokens.* here", "as in `model.embed_tokens.*` here"),
        ("instead of `tgt_lang` a <path>", "instead of `tgt_lang` a `<path>`"),
        ("nothing special (at all).", "nothing special (at all)."),
    ],
)
def test_plain_text_is_no_markup(plain: str, marked: str) -> None:
    """What Markdown would take for emphasis or a tag stands for itself."""
    assert prose(plain) == marked


# -- schema ------------------------------------------------------------------------------------------------------------


def test_the_schema_has_every_shape(llamax: Llamax) -> None:
    """One document of draft 2020-12: keys, which of them have to be there, and what the shape is."""
    schema = json.loads(text(llamax("help", "records", "--schema")))
    assert schema == json.loads(document())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(schema["$defs"]) == [shape.__name__ for shape in shapes()]
    assert set(schema["$defs"]) == set(
        re.findall(r"^class (\w+)\(TypedDict\)", Path(records.__file__).read_text(), re.MULTILINE)
    )
    for shape in shapes():
        told = schema["$defs"][shape.__name__]
        assert told["description"] == " ".join(str(shape.__doc__).split())
        assert set(told["properties"]) == shape.__required_keys__ | shape.__optional_keys__
        assert set(told.get("required", ())) == shape.__required_keys__
        assert told.get("additionalProperties", True) is not False


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Return records of every command that makes some, by the shape that they have."""
    folder = tmp_path_factory.mktemp("made")
    model_folder(folder / "model")
    (folder / "x.en").write_text("The house is red.\nA dog runs.\n")
    (folder / "x.de").write_text("Das Haus ist rot.\nEin Hund rennt.\n")
    (folder / "en-de.txt").write_text("house haus\ndog hund\n")
    (folder / "en-ru.txt").write_text("taxi taxi\ndog пёс\n")
    run = "--model model --beam 1 --max-new-tokens 3 --template llama"
    lines = {
        "Mono": "convert x.en -o texts.jsonl",
        "Pair": "convert x.en x.de -o pairs.jsonl",
        "Entry": "build-lexicon en-de.txt -o lexicon.jsonl",
        "": "build-lexicon en-de.txt -o lexicon.lex",
        " 2": "build-lexicon en-ru.txt --keep-identical -o kept.lex",
        "Pair 2": "augment pairs.jsonl --dict lexicon.lex --copies 2 -o augmented.jsonl",
        "Sample": "mix --para pairs.jsonl --mono texts.jsonl --aug augmented.jsonl --manifest mix.json -o mix.jsonl",
        "Missing": "mix --plan --para pairs.jsonl -o missing.jsonl",
        "Translation": f"translate pairs.jsonl {run} -o mt.jsonl",
        "Translation 2": f"translate texts.jsonl {run.replace('beam 1', 'beam 2')} --into de --nbest 2 -o nbest.jsonl",
        "Translation 3": f"pivot pairs.jsonl --via fr {run} -o pivoted.jsonl",
        "Identified": "langid texts.jsonl -o identified-texts.jsonl",
        "Identified 2": "langid pairs.jsonl -o identified-pairs.jsonl",
        "Identified 3": "langid pivoted.jsonl -o identified.jsonl",
        "Rates": "langid identified.jsonl --summary -o rates.jsonl",
        "CorpusLanguage": "analyze corpus identified-texts.jsonl identified-pairs.jsonl -o corpus.jsonl",
        "CorpusDirection": "analyze corpus identified-pairs.jsonl --directions -o directions.jsonl",
        "MixtureLanguage": "analyze corpus --mixture mix.json -o mixture.jsonl",
        "Fertility": "analyze fertility texts.jsonl --tokenizer model -o fertility.jsonl",
        "LexiconLanguage": "analyze lexicon lexicon.lex --corpus pairs.jsonl --model model -o languages.jsonl",
        "LexiconLanguage 2": "analyze lexicon lexicon.lex kept.lex -o both.jsonl",
        "ForeignTranslation": "analyze lexicon kept.lex --foreign -o foreign.jsonl",
        "Representation": "analyze representation --model model pairs.jsonl -o representation.jsonl",
        "Shift": "analyze shift --base model --tuned model --alpha 1 -o shift.jsonl",
        "TokenShift": "analyze shift --base model --tuned model --tokens -o token-shifts.jsonl",
        "Score": "score identified.jsonl --metric chrf++,bleu -o scores.jsonl",
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for shape, line in lines.items():
        with contextlib.chdir(folder):
            assert cli.run([*line.split(), "-q"]) == 0
        if shape.strip(" 2"):
            made = (folder / line.split()[-1]).read_text().splitlines()
            found.setdefault(shape.split()[0], []).extend(map(json.loads, made))
    found["Replay"] = [
        json.loads(line) for line in text(zygote.run("replay", "mix.json", "-q", cwd=folder)).splitlines()
    ]
    return found


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: str(shape.__name__))
def test_records_have_the_shapes_that_are_told(made: dict[str, list[dict[str, Any]]], shape: Any) -> None:
    """Values have the types, keys that are required are always there, and a required key is missed."""
    name = shape.__name__
    assert made[name]
    for record in made[name]:
        msgspec.convert(record, shape)
        for key in shape.__required_keys__:
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert({**record, key: None}, shape)
    told = shape.__required_keys__ | shape.__optional_keys__ | {"lid", "lid_score", "on_target"}
    if name != "Identified":  # which are records of any shape besides
        assert {key for record in made[name] for key in record} <= told


def test_what_is_optional_may_be_absent(llamax: Llamax) -> None:
    """Commands take texts, pairs and translations without an id, as the schema says."""
    text, pair = {"text": "a", "lang": "en"}, {"src": "a", "tgt": "b", "src_lang": "en", "tgt_lang": "de"}
    for option, record in (("--mono", text), ("--para", pair), ("--mt", {**pair, "mt": "c"})):
        done = llamax("mix", option, "-", "--per-pair", "0", "--per-language", "9", stdin=json.dumps(record).encode())
        assert (done.returncode, len(done.stdout.splitlines())) == (0, 1), done.stderr
        sample = json.loads(done.stdout)
        msgspec.convert(sample, records.Sample)
        assert sample["id"]


# -- man pages ---------------------------------------------------------------------------------------------------------


def test_man_pages_are_written_for_every_page(llamax: Llamax, tmp_path: Path) -> None:
    """Commands in section 1, topics in section 7, the list as llamax.1; with a name and a summary for whatis."""
    assert text(llamax("help", "--man", "share/man")) == ""
    written = {path.name for path in (tmp_path / "share/man").iterdir()}
    commands = {f"llamax-{pages.stem(name)}.1" for name in (*COMMANDS, *COMMAND_GROUPS)}
    assert written == {"llamax.1", *commands, *(f"llamax-{name}.7" for name in pages.topics())}
    mix = (tmp_path / "share/man/llamax-mix.1").read_text()
    assert mix.startswith('.TH "LLAMAX\\-MIX" 1 "" "llamax ')
    name = r"\.SH NAME\nllamax\\-mix \\- Mix .+\n\.SH SYNOPSIS\n\\fBllamax mix \[OPTIONS\]\\fR\n"
    assert re.search(name, mix)
    assert "\n.TP\n\\fB\\-\\-para FILE...\\fR\nFiles of parallel pairs.\n" in mix


def test_man_pages_are_not_written_by_half(llamax: Llamax, tmp_path: Path) -> None:
    """Where one cannot be written, none is."""
    (tmp_path / "man" / "llamax-records.7").mkdir(parents=True)
    done = llamax("help", "--man", "man")
    assert done.returncode == 1
    assert done.stderr == b"llamax help: %s is a folder, not a file\n" % str(tmp_path / "man/llamax-records.7").encode()
    assert [path.name for path in (tmp_path / "man").iterdir()] == ["llamax-records.7"]
    (tmp_path / "file").touch()
    done = llamax("help", "--man", "file/man")
    assert (done.returncode, done.stderr) == (1, b"llamax help: file/man: not a directory\n")


def test_markdown_becomes_troff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every form of text that a page may have, with what roff would misread."""
    page = """# Topic

A *summary* in `one` sentence.

Text - it's "quoted", **bold**, [linked](x.md) and
.broken \\ é.

## See also

- one
- two

  more

1. first

### Below

| a | b | c |
|---|---|---|
| `x` | y | z |
| v | w |  |

```
.code \\n 'a'

b
```
"""
    monkeypatch.setattr(pages, "source", lambda name: page)
    lines = man_page("topic").split("\n")
    assert lines[1:] == [
        ".nh",
        ".ad l",
        ".SH NAME",
        "llamax\\-topic \\- A \\fIsummary\\fR in \\fBone\\fR sentence",
        ".SH DESCRIPTION",
        ".PP",
        "Text \\- it\\(aqs \\(dqquoted\\(dq, \\fBbold\\fR, linked and .broken \\e \\[u00E9].",
        '.SH "SEE ALSO"',
        '.IP "\\(bu" 2',
        "one",
        '.IP "\\(bu" 2',
        "two",
        ".RS 4",
        ".PP",
        "more",
        ".RE",
        '.IP "1." 4',
        "first",
        '.SS "Below"',
        ".TP",
        "\\fBx\\fR",
        "y (c: z)",
        ".TP",
        "v",
        "w",
        ".PP",
        ".RS 4",
        ".nf",
        "\\&.code \\en \\(aqa\\(aq",
        "\\&",
        "b",
        ".fi",
        ".RE",
        "",
    ]


@pytest.mark.parametrize(
    "rest",
    ["Usage: `llamax mix`\n\nText.", "Text.\n\nUsage: `llamax mix`\n", "Text.\n\n## Synopsis\n\nUsage: `llamax mix`\n"],
)
def test_a_man_page_begins_with_the_usage(monkeypatch: pytest.MonkeyPatch, rest: str) -> None:
    """Wherever the page has it, and under one heading."""
    monkeypatch.setattr(pages, "source", lambda name: f"# llamax mix\n\nMix.\n\n{rest}")
    expected = [".SH SYNOPSIS", "\\fBllamax mix\\fR", ".SH DESCRIPTION", ".PP", "Text.", ""]
    assert man_page("mix").split("\n")[-6:] == expected


@pytest.mark.parametrize("name", ["", *pages.names()])
def test_groff_has_nothing_to_say(name: str) -> None:
    """Each page is valid: no unknown request, no character that is not there, no font left open."""
    troff = man_page(name)
    assert troff.isascii()
    for line in troff.split("\n"):
        assert re.match(r"\.(TH|SH|SS|PP|TP|IP|RS|RE|nf|fi|nh|ad)\b|[^.']|$", line), line
        assert len(re.findall(r"\\f[BI]", line)) == len(re.findall(r"\\fR", line)), line
    if shutil.which("groff"):
        done = subprocess.run(["groff", "-ww", "-man", "-Tutf8"], input=troff.encode(), capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
        assert len(done.stdout) > 100


# -- the terminal ------------------------------------------------------------------------------------------------------


def on_terminal(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run llamax on a terminal and return its exit code and all that stands on the screen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(environment)
        os.execv(sys.executable, [sys.executable, "-m", "llamax_cli", *arguments])
    screen = b""
    try:
        while data := os.read(terminal, 65536):
            screen += data
    except OSError:  # the end, on Linux
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen.decode()


def test_a_terminal_gets_a_drawn_page_by_way_of_the_pager() -> None:
    """PAGER is asked; Markdown's marks are gone and colours are there."""
    code, screen = on_terminal("help", "records", PAGER="sed s/^/paged:/", TERM="xterm-256color")
    assert code == 0
    assert all(line.startswith("paged:") for line in screen.splitlines() if line)
    assert "Records" in screen
    assert "# Records" not in screen
    assert "\x1b[" in screen


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1", "TERM": "xterm-256color"}], ids=str)
def test_colours_are_left_out_where_they_are_unwanted(environment: dict[str, str]) -> None:
    """NO_COLOR leaves bold letters; a dumb terminal gets neither them nor a pager."""
    pager = {} if environment["TERM"] == "dumb" else {"PAGER": "cat"}
    code, screen = on_terminal("help", "records", **environment, **pager)
    assert code == 0
    assert "Records" in screen
    assert not re.search(r"\x1b\[[\d;]*[34]\d", screen)
    assert environment["TERM"] != "dumb" or "\x1b" not in screen
