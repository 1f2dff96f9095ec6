"""Tables in Markdown, and the one of all languages."""

import re
from collections.abc import Iterable, Sequence

from llamax_cli.languages import languages

# What Markdown would take for something else: `en-*,*-*`, `embed_tokens`, `<path>`.
SPECIAL = re.compile(r"(?<![^\s(])[^\s`()]*[*_<>][^\s`()]*?(?=[.,;:)]*(?:\s|$))")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown: a line of titles, a rule, and a line for each row."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Return text that stands for itself: `code("-o FILE")` is "-o FILE" between backticks; nothing stays nothing."""
    return f"`{text}`" if text else ""


def prose(text: str) -> str:
    """Return plain text as Markdown, in which each word with a special character stands for itself."""
    pieces = text.split("`")  # those at odd places are code already
    return "`".join(SPECIAL.sub(r"`\g<0>`", piece) if at % 2 == 0 else piece for at, piece in enumerate(pieces))


def language_table() -> str:
    """Return the table of the 102 languages of the recipe."""
    columns = ("code", "name", "family", "script", "ISO 639-3", "FLORES-200", "resource")
    rows = (
        (code(each.code), each.name, each.family, each.script, each.iso639_3, code(each.flores200), each.resource)
        for each in languages().values()
    )
    return table(columns, rows)
