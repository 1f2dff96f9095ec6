"""The pages as they are written, and as they are shown.

A page is `NAME.md` in this folder: a heading, one sentence that sums it up, and the rest. `<!-- options -->` and the
like, alone on a line, give way to what the declarations say.
"""

import re
from collections.abc import Callable
from pathlib import Path

from llamax_cli.cli import COMMAND_GROUPS, COMMANDS
from llamax_cli.manual import declarations, tables

FOLDER = Path(__file__).parent

PLACEHOLDERS: dict[str, Callable[[str], str]] = {
    "synopsis": declarations.synopsis,
    "options": declarations.options,
    "settings": declarations.settings,
    "shared options": lambda _: declarations.shared_options(),
    "languages": lambda _: tables.language_table(),
}

# What an example may need, as `needs=` names it, in the words of a reader.
NEEDS = {
    "GPU": "a GPU",
    "GPUs": "several GPUs",
    "hub": "the Hugging Face hub",
    "cluster": "a cluster",
    "network": "a network",
    "minutes": "some minutes",
    "vllm": "vLLM",
    "ctranslate2": "CTranslate2",
    "comet": "COMET",
    "server": "a server",
    "parallel": "GNU parallel",
    "apertium": "Apertium",
}


def topics() -> list[str]:
    """Return the names of all pages that are not about one command."""
    return sorted({path.stem for path in FOLDER.glob("*.md")} - set(map(stem, COMMANDS)))


def stem(name: str) -> str:
    """Return a name as that of a file: `stem("analyze fertility") -> "analyze-fertility"`."""
    return name.replace(" ", "-")


def names() -> list[str]:
    """Return the names of all pages: the commands in the order of the recipe, with their groups, then the topics."""
    return [*_commands(), *topics()]


def _commands() -> list[str]:
    """Return all commands, and each group of them before the first one in it."""
    with_groups = [name for command in COMMANDS for name in (command.partition(" ")[0], command)]
    return [name for name in dict.fromkeys(with_groups) if name in COMMANDS or name in COMMAND_GROUPS]


def source(name: str) -> str:
    """Return a page as it is written; a command without one is described by its own docstring, a group by its list."""
    if name in COMMAND_GROUPS:
        items = "".join(_item(each) for each in COMMANDS if each.startswith(f"{name} "))
        return f"# llamax {name}\n\n{COMMAND_GROUPS[name]}\n\nUsage: `llamax {name} COMMAND`\n\n{items}"
    path = FOLDER / f"{stem(name)}.md"
    if path.exists() or name not in COMMANDS:
        return path.read_text(encoding="utf-8")
    first, _, rest = declarations.docstring(name).partition("\n\n")
    return f"# llamax {name}\n\n{first}\n\n<!-- synopsis -->\n\n{rest}\n\n<!-- options -->\n"


def summary(name: str) -> str:
    """Return the sentence that sums a page up: the table's for a command, the first of the page for a topic."""
    return {**COMMANDS, **COMMAND_GROUPS}.get(name) or " ".join(source(name).split("\n\n")[1].split())


def page(name: str) -> str:
    """Return a page as it is shown, in Markdown: placeholders filled, what examples need said in words."""
    text = re.sub(r"^<!-- (.+) -->$", lambda found: PLACEHOLDERS[found[1]](name), source(name), flags=re.MULTILINE)
    return re.sub(r"^```console needs=(\S+)$", _needs, text, flags=re.MULTILINE)


def _needs(found: re.Match[str]) -> str:
    words = [NEEDS.get(each, each) for each in found[1].split(",")]
    return f"(needs {' and '.join(words)})\n\n```console"


def index() -> str:
    """Return the page that lists all others."""
    parts = {"Commands": _commands(), "Topics": topics()}
    lists = (f"## {title}\n\n{''.join(map(_item, names))}" for title, names in parts.items())
    opening = "`llamax help NAME` shows the page of a command or topic; `llamax NAME --help` lists a command's options."
    return "\n".join([f"# llamax\n\nThe manual of llamax, a page for each command and topic.\n\n{opening}\n", *lists])


def _item(name: str) -> str:
    return f"- `{name}`: {summary(name)}\n"
