"""What the README and the pages of the manual show is what a user gets, and their form is what the manual needs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import zygote
from support.processes import ROOT

from llamax_cli import errors
from llamax_cli.cli import COMMANDS
from llamax_cli.manual import declarations, pages
from llamax_cli.manual.schema import shapes

README = ROOT / "README.md"
PACKAGE = ROOT / "llamax_cli"
PAGES = [README, *sorted(pages.FOLDER.glob("*.md"))]
CORPORA = ("flores101", "ntrex128", "tatoeba", "muse", "panlex", "gatitos", "tokenizers")
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.name))


def command_of(path: Path) -> str:
    """Return the command that a page is about, "" for any other page."""
    return {pages.stem(name): name for name in COMMANDS}.get(path.stem, "")


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield (info string, content) of every block between fences."""
    yield from ((found[1], found[2]) for found in FENCE.finditer(text))


def examples(block: str) -> Iterator[tuple[str, str]]:
    """Yield (command, output) of every example in a console block; a line after `> ` goes on with the command."""
    for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        found = re.match(r"([^\n]*\n(?:> [^\n]*\n)*)(.*)", example, re.DOTALL)
        assert found
        yield found[1].rstrip("\n").replace("\n> ", "\n"), found[2]


def untimed(output: str) -> str:
    """Return output with every duration made the same."""
    return re.sub(r"\b\d+\.\d s\b", "N.N s", output)


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    """Return a folder of its own for a page, with the corpora and the examples that pages name."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in CORPORA:
        (folder / name).symlink_to((data / name).resolve())
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.mark.slow
@page
def test_every_example_prints_what_stands_below_it(folder: Path, path: Path) -> None:
    """The lines of a page are pasted one by one into a shell, in one folder, but where they need what is not here.

    Those of the README start real interpreters.
    """
    own = "" if path == README else f"{zygote.commands()}:"
    paths = f"{own}{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": paths, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    environment["STEPS"] = "10"  # of the toy models; no page shows what they have learnt
    for info, block in blocks(path.read_text(encoding="utf-8")):
        if info != "console":
            continue
        for command, output in examples(block):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=300,
            )
            assert untimed(done.stdout.decode()) == untimed(output), command
            assert done.returncode == 0, command


def test_continuation_lines_belong_to_the_command() -> None:
    """As a shell shows them; what follows is output."""
    block = "$ for n in 1; do\n>     echo $n\n> done\n1\n> 2\n$ true\n$ a\nb\n"
    assert list(examples(block)) == [("for n in 1; do\n    echo $n\ndone", "1\n> 2\n"), ("true", ""), ("a", "b\n")]


@page
def test_blocks_are_what_they_seem(path: Path) -> None:
    """Command lines stand in console blocks, where they are tested or say what they need; every block is closed."""
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(r"^```", text, re.MULTILINE)) == 2 * len(list(blocks(text)))
    for info, block in blocks(text):
        assert not info.startswith("console") or re.fullmatch(r"console( needs=\w+(,\w+)*)?", info), info
        if info.startswith("console"):
            assert block.startswith("$ "), block
        else:
            assert not re.search(r"^(llamax|\$) ", block, re.MULTILINE), block


@page
def test_every_page_shows_commands_in_use(path: Path) -> None:
    """A command's page shows that command, any other page some command."""
    shown = "\n".join(block for info, block in blocks(path.read_text(encoding="utf-8")) if info.startswith("console"))
    assert f"llamax {command_of(path)}" in shown


def test_the_page_for_extending_names_what_is_there() -> None:
    """Its skeletons are Python, its files exist, its names are in the code, and its tests are found."""
    text = pages.source("extending")
    sources = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "pyproject.toml"]
    words = {word for path in sources for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    for info, block in blocks(text):
        assert info != "python" or compile(block, "extending.md", "exec")
    for name in re.findall(r"`([\w./]+)`", FENCE.sub("", text)):
        if re.search(r"/|\.(py|tsv|toml)$", name):
            assert any((folder / name).exists() for folder in (ROOT, PACKAGE, *PACKAGE.iterdir())), name
        elif name not in ("NAME", "NAME.partial"):
            assert set(re.findall(r"\w+", name)) <= words, name
    for file, expression in re.findall(r"`(tests/[\w/]+\.py) -k ([^`]+)`", text):
        for part in expression.strip('"').split(" or "):
            assert re.search(rf"^def test_\w*{part}", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), part


@page
def test_what_is_mentioned_is_there(path: Path) -> None:
    """Pages that are named have to exist, and so have the files that are linked; placeholders are known."""
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"llamax help ([a-z][\w-]*)", text)) <= set(pages.names())
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        assert "://" in link or (path.parent / link).exists(), link
    for comment in re.findall(r"<!--.*?-->", text, re.DOTALL):
        assert comment[5:-4] in pages.PLACEHOLDERS, comment
        assert f"\n{comment}\n" in text, comment


@pytest.mark.parametrize("path", PAGES[1:], ids=lambda path: str(path.name))
def test_every_page_begins_alike(path: Path) -> None:
    """A heading, and one sentence that sums the page up; a command's page has its usage and its options."""
    name = command_of(path)
    heading, summary, *_ = path.read_text(encoding="utf-8").split("\n\n")
    assert re.fullmatch(f"# llamax {name}" if name else "# [A-Z].*", heading)
    assert re.fullmatch(r"[A-Z][^.]*(\.\w[^.]*)*\.", summary.replace("\n", " ")), summary
    if name:
        assert {"<!-- synopsis -->", "<!-- options -->"} <= set(path.read_text(encoding="utf-8").splitlines())
        assert name not in ("train", "tune") or "<!-- settings -->" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "help"])
def test_every_command_has_a_page_and_a_row(name: str) -> None:
    """One page, and one row of the README's table that names it."""
    assert (pages.FOLDER / f"{pages.stem(name)}.md").exists()
    assert re.search(rf"^\|.*`llamax {name}`.*\|$", README.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_shapes_are_told_as_they_are_declared() -> None:
    """Each row of the table names the keys of its shape, those that may be absent with a question mark."""
    rows = re.findall(r"^\| (\w+)[^|]* \| ([^|]*`[^|]*) \|", pages.source("records"), re.MULTILINE)
    told = {name: (set(re.findall(r"`(\w+)`", keys)), set(re.findall(r"`(\w+)\?`", keys))) for name, keys in rows}
    assert told == {each.__name__: (each.__required_keys__, each.__optional_keys__) for each in shapes()}


@pytest.mark.parametrize("flag", ["shard", "workers"])
def test_who_has_a_shared_option_is_told(flag: str) -> None:
    """The commands that the page names are those that have it."""
    sentence = re.search(rf"`--{flag}` belongs\s+to (.*?)\.", pages.source("streams"), re.DOTALL)
    assert sentence
    told = set(re.split(r",\s+|\s+and\s+", sentence[1]))
    assert told == {name for name in COMMANDS if f"| `--{flag} " in declarations.options(name)}


def test_every_exit_code_is_told() -> None:
    """Those of all errors, and those of runs that end otherwise."""
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", pages.source("streams"), re.MULTILINE)}
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "exit_code")]
    assert told == {0, 130, 141} | {each.exit_code for each in kinds}
