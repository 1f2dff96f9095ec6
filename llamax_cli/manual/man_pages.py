"""The manual as man pages: Markdown to troff, with the macros of man(7)."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from llamax_cli import __version__
from llamax_cli.errors import FileError, because
from llamax_cli.manual import pages
from llamax_cli.streams.outputs import WholeFile

# What roff would take for something else, or print as another character.
ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}
FONTS = {"strong_open": "\\fB", "strong_close": "\\fR", "em_open": "\\fI", "em_close": "\\fR"}


def write(folder: Path) -> None:
    """Write a man page for each page of the manual, and one that lists them; FileError where that cannot be."""
    texts = {file_name(name): man_page(name) for name in ("", *pages.names())}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: {because(error)}") from error
    files: list[WholeFile] = []
    try:
        for name in texts:
            files.append(WholeFile(folder / name))
        for file, text in zip(files, texts.values(), strict=True):
            file.write(text.encode("ascii"))
        for file in files:
            file.finish()
    finally:
        for file in files:
            file.close()


def file_name(name: str) -> str:
    """Return the file of a page: `file_name("mix") -> "llamax-mix.1"`; nothing names the list of all pages."""
    return f"{_title(name)}.{7 if name in pages.topics() else 1}"


def man_page(name: str) -> str:
    """Return a page as troff, in ASCII; nothing names the list of all pages."""
    markdown = pages.page(name) if name else pages.index()
    title, _, section = file_name(name).rpartition(".")
    _, summary, *rest = _blocks(MarkdownIt().enable("table").parse(markdown))
    head = [
        f'.TH "{_escaped(title.upper())}" {section} "" "llamax {__version__}" "Manual of llamax"',
        ".nh",  # words and options in one piece
        ".ad l",
        ".SH NAME",
        f"{_escaped(title)} \\- {_inline(summary[1]).rstrip('.')}",
    ]
    return "\n".join([*head, *_body(rest)]) + "\n"


def _title(name: str) -> str:
    return f"llamax-{pages.stem(name)}" if name else "llamax"


def _blocks(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Yield the tokens of each block that is in no other."""
    start = depth = 0
    for at, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield tokens[start : at + 1]
            start = at + 1


def _body(blocks: Sequence[Sequence[Token]]) -> Iterator[str]:
    """Yield the lines of all that follows the name: first the usage, wherever the page has it, then the rest."""
    usage = next((at for at, block in enumerate(blocks) if _text(block).startswith("Usage: ")), None)
    if usage is not None:
        yield from (".SH SYNOPSIS", _inline(blocks[usage][1]).removeprefix("Usage: "))
        has_heading = usage > 0 and _text(blocks[usage - 1]) == "Synopsis"
        blocks = [*blocks[: usage - has_heading], *blocks[usage + 1 :]]
    if blocks and blocks[0][0].type != "heading_open":
        yield ".SH DESCRIPTION"
    for block in blocks:
        yield from _lines(block)


def _text(block: Sequence[Token]) -> str:
    """Return the text of a heading or paragraph as it is written, nothing for another block."""
    return block[1].content if block[0].type in ("heading_open", "paragraph_open") else ""


def _lines(block: Sequence[Token]) -> Iterator[str]:
    """Yield the lines of one block."""
    match block[0].type:
        case "heading_open":
            heading = "".join(each.content for each in block[1].children or ())
            yield f'.SH "{_escaped(heading.upper())}"' if block[0].tag == "h2" else f'.SS "{_escaped(heading)}"'
        case "paragraph_open":
            yield from (".PP", _inline(block[1]))
        case "fence" | "code_block":
            yield from (".PP", ".RS 4", ".nf", *map(_line, block[0].content.rstrip("\n").split("\n")), ".fi", ".RE")
        case "bullet_list_open" | "ordered_list_open":
            yield from _list(block)
        case "table_open":
            yield from _table(block)
        case "blockquote_open":
            yield from (".RS 4", *(line for each in _blocks(block[1:-1]) for line in _lines(each)), ".RE")


def _list(block: Sequence[Token]) -> Iterator[str]:
    for item in _blocks(block[1:-1]):
        mark = '"\\(bu" 2' if block[0].type == "bullet_list_open" else f'"{item[0].info}." 4'
        yield f".IP {mark}"
        for place, part in enumerate(_blocks(item[1:-1])):
            lines = list(_lines(part))
            if place == 0 and lines[0] == ".PP":
                yield from lines[1:]
            else:
                yield from (".RS 4", *lines, ".RE")


def _table(block: Sequence[Token]) -> Iterator[str]:
    """Yield a table as a list: the first cell of a row, the second, and the others under their titles in brackets."""
    cells = [_inline(token) for token in block if token.type == "inline"]
    width = sum(token.type == "th_open" for token in block)
    titles, *rows = (cells[at : at + width] for at in range(0, len(cells), width))
    for row in rows:
        more = [f"{title}: {cell}" for title, cell in zip(titles[2:], row[2:], strict=True) if cell]
        meaning = " ".join([*row[1:2], *([f"({'; '.join(more)})"] if more else [])])
        yield from (".TP", row[0] or "\\&", meaning or "\\&")


def _inline(token: Token) -> str:
    """Return running text, on one line; nothing for nothing."""
    text = "".join(map(_piece, token.children or ()))
    return text and _guarded(text)


def _piece(token: Token) -> str:
    match token.type:
        case "text":
            return _escaped(token.content)
        case "code_inline":
            return f"\\fB{_escaped(token.content)}\\fR"
        case "softbreak" | "hardbreak":
            return " "
        case _:
            return FONTS.get(token.type, "")


def _line(text: str) -> str:
    """Return a line of an example."""
    return _guarded(_escaped(text))


def _guarded(line: str) -> str:
    """Return a line that roff does not take for a request or for the end of a paragraph."""
    return line if line and line[0] not in ". '" else "\\&" + line


def _escaped(text: str) -> str:
    """Return text as roff has to read it: `_escaped("a-b") -> "a\\-b"`, other letters than ASCII's by their numbers."""
    escaped = "".join(ESCAPES.get(character, character) for character in text)
    return re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", escaped)
