"""The layout: which folder imports which, what a data command loads, and whether the table of commands is right."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

import pytest

from llamax_cli import cli, records
from llamax_cli.augmentation import code_switching
from llamax_cli.identification import detectors
from llamax_cli.mixing import chunk_reader
from llamax_cli.scoring import ngrams, spm_tokenizer

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "llamax_cli"
FILES = sorted(PACKAGE.rglob("*.py"))
# The rooms in the order of the recipe. Each may import those above it and the ground, which is the root folder.
ROOMS = [
    "streams",
    "conversion",
    "filtering",
    "lexicon",
    "augmentation",
    "mixing",
    "identification",
    "scoring",
    "models",
    "translation",
    "instructions",
    "training",
    "tuning",
    "analysis",
    "vocabulary",
    "reporting",
    "options",
    "provenance",
    "manual",
    "commands",
]
COMPUTING = {"scoring", "models", "translation", "instructions", "training", "tuning", "analysis", "vocabulary"} | {
    "reporting"
}
HEAVY = {"torch", "transformers", "accelerate", "datasets", "numpy", "pyarrow", "rich"}
EXTENSIONS = [
    "llamax_cli.augmentation.spaced",
    "llamax_cli.identification.quantised",
    "llamax_cli.plain_lines",
    "llamax_cli.scoring.ngram_matches",
    "llamax_cli.scoring.word_tokens",
    "llamax_cli.mixing.rows",
]
LAZY = {*HEAVY, "langcodes", "xopen"}


def folder(path: Path) -> str:
    """Return the room of a file: `folder(llamax_cli/mixing/blocks.py) -> "mixing"`, "" for the ground."""
    inside = path.relative_to(PACKAGE).parts
    return inside[0] if len(inside) > 1 else ""


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file, parsed once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """Return (module, whether it is imported when the file is) for each import that is not only for types."""
    return list(imported(parsed(path)))


def imported(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield what `imports` returns, of a part of a file."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((each.name, True) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module), True
            yield from ((f"{node.module}.{each.name}", True) for each in node.names)
        elif not isinstance(node, ast.expr):  # which holds no imports
            inside_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from ((name, top and not inside_function) for name, top in imported(node))


def test_every_room_has_its_place() -> None:
    """A folder that is missing from the order would not be checked."""
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ROOMS)


def test_imports_point_one_way() -> None:
    """A room imports those above it, the ground no room; the table in cli.py loads commands by name only."""
    for path in FILES:
        room = folder(path)
        above = {"", room, *(ROOMS[: ROOMS.index(room)] if room else ())}
        for name, _ in imports(path):
            if name.startswith("llamax_cli."):
                first = name.split(".")[1]
                target = first if first in ROOMS else ""
                assert target in above, (path, name)


def test_heavy_libraries_are_loaded_where_they_are_needed() -> None:
    """At module top only in the rooms that compute; rich only in console.py and only inside functions."""
    for path in FILES:
        for name, top in imports(path):
            library = name.partition(".")[0]
            if library == "rich":
                assert path.name == "console.py" and not top, (path, name)
            elif library in HEAVY:
                assert not top or folder(path) in COMPUTING, (path, name)


@cache
def resolves(name: str) -> bool:
    """Return whether a dotted name is a module of the package, or something in one."""
    try:
        resolve_name(name)
    except ModuleNotFoundError as error:
        return not str(error.name).startswith("llamax_cli")  # a library that is an extra
    except AttributeError:
        return False
    return True


def texts() -> list[Path]:
    """Return the files that may name modules: code, settings, scripts and pages."""
    endings = {".py", ".pyi", ".c", ".h", ".toml", ".md", ".sh"}
    folders = (PACKAGE, ROOT / "tests", ROOT / "examples")
    found = (path for folder in folders for path in folder.rglob("*") if path.suffix in endings)
    return sorted((*found, ROOT / "README.md", ROOT / "pyproject.toml"))


def test_every_module_that_is_named_is_there() -> None:
    """Tables, command lines, patches and documents name modules in strings, where no import would fail."""
    for path in texts():
        for name in re.findall(r"\bllamax_cli(?:\.[A-Za-z_]\w*)+(?::\w+)?", path.read_text(encoding="utf-8")):
            assert resolves(name.removesuffix(".py")), (path, name)


def test_every_file_that_a_comment_names_is_there() -> None:
    """Docstrings and comments point to other files by name, which nothing else would hold to a move."""
    there = {path.name for folder in (PACKAGE, ROOT / "tests", ROOT / "examples") for path in folder.rglob("*.py")}
    for path in FILES:
        assert set(re.findall(r"\b[a-z_0-9]+\.py\b", path.read_text(encoding="utf-8"))) <= there, path


def test_the_compiled_extensions_are_in_use() -> None:
    """The extensions that pyproject.toml builds are in use; without them commands are only slower."""
    modules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["ext-modules"]
    assert [(module["name"], *module["sources"]) for module in modules] == [
        (name, f"{name.replace('.', '/')}.c") for name in EXTENSIONS
    ]
    kind = import_module(EXTENSIONS[0]).SpacedSwitcher
    assert f"{kind.__module__}.{kind.__name__}" == f"{EXTENSIONS[0]}.SpacedSwitcher"
    assert code_switching.SpacedSwitcher is kind
    assert detectors.Classifier is import_module(EXTENSIONS[1]).Classifier
    assert records.outlines is import_module(EXTENSIONS[2]).outlines
    assert ngrams.ngram_matches is import_module(EXTENSIONS[3])
    assert spm_tokenizer.WordTokens is import_module(EXTENSIONS[4]).WordTokens
    assert chunk_reader.pair_rows is import_module(EXTENSIONS[5]).pair_rows


def loaded(*lines: str, stdin: bytes = b"") -> dict[str, set[str]]:
    """Return the libraries that a fresh process has loaded when each of some runs of `llamax` in it has ended."""
    script = "import sys, json; from llamax_cli import cli\n"
    script += "for line in sys.argv[1:]:\n code = cli.run(line.split())\n"
    script += " print(json.dumps([code, *{name.partition('.')[0] for name in sys.modules}]), file=sys.stderr)"
    outcome = subprocess.run([sys.executable, "-c", script, *lines], input=stdin, capture_output=True, timeout=60)
    found = [json.loads(said) for said in outcome.stderr.splitlines() if said.startswith(b"[")]
    assert [code for code, *_ in found] == [0] * len(lines), outcome.stderr
    return {line: set(names) for line, (_, *names) in zip(lines, found, strict=True)}


@pytest.mark.parametrize("stdin", [b"", b'{"text":"a","lang":"en"}\n'])
def test_a_data_command_loads_nothing_heavy(stdin: bytes) -> None:
    """A small conversion in a pipe loads none of the big libraries, nor those for rare inputs."""
    line = "convert --from records"
    assert loaded(line, stdin=stdin)[line] & LAZY == set()


def test_help_loads_nothing_heavy() -> None:
    """Off a terminal, help is plain text that needs no library to draw it."""
    lines = ["--help", "--version", *(f"{name} --help" for name in cli.COMMANDS)]
    for line, libraries in loaded(*lines).items():
        assert libraries & LAZY == set(), line


def test_importing_the_table_imports_no_command() -> None:
    """The module of a command is imported only when the command runs."""
    script = "import sys; from llamax_cli import cli; print(*[n for n in sys.modules if 'llamax_cli.commands' in n])"
    outcome = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert outcome.stdout == b"\n"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_table_is_what_the_commands_say(name: str) -> None:
    """Each command has a module and a function of its name, whose docstring begins with the summary in the table."""
    module = re.sub("[- ]", "_", name)
    function = getattr(import_module(f"llamax_cli.commands.{module}"), module)
    assert str(function.__doc__).splitlines()[0] == cli.COMMANDS[name]
    assert cli.COMMANDS[name].endswith(".")


def test_every_command_is_in_the_table() -> None:
    """No module in commands/ is left out."""
    modules = {path.stem for path in (PACKAGE / "commands").glob("*.py")} - {"__init__"}
    assert modules == {re.sub("[- ]", "_", name) for name in cli.COMMANDS}
    assert {name.partition(" ")[0] for name in cli.COMMANDS if " " in name} == set(cli.COMMAND_GROUPS)


def test_every_console_script_works() -> None:
    """Each name that the installation puts on the path runs and says its version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name in project["scripts"]:
        script = Path(sys.executable).with_name(name)
        outcome = subprocess.run([script, "--version"], capture_output=True, timeout=60)
        assert (outcome.returncode, outcome.stderr) == (0, b"")
        assert outcome.stdout.startswith(b"llamax ")


def test_models_are_loaded_in_one_place() -> None:
    """Only two files call what can run the code of a model, and there every call says whether it may.

    The second one runs in a process of its own, which imports nothing of llamax.
    """
    places = PACKAGE / "models" / "pretrained.py", PACKAGE / "scoring" / "metric_worker.py"
    calls = ((path, node) for path in FILES for node in ast.walk(parsed(path)) if isinstance(node, ast.Call))
    for path, call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in ("from_pretrained", "from_config") or name.startswith("AutoPeft"):
            assert path in places, (path, ast.unparse(call))
            owner = ast.unparse(call.func)
            has_no_code = owner.startswith(("transformers.GenerationConfig", "PeftModel"))
            assert has_no_code or "trust_remote_code" in {keyword.arg for keyword in call.keywords}, (path, owner)
        if name == "load" and ast.unparse(call.func) == "torch.load":
            assert "weights_only=True" in ast.unparse(call), (path, ast.unparse(call))
