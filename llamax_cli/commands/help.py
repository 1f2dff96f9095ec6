"""`llamax help`: the manual."""

import sys
from pathlib import Path
from typing import Annotated

from typer import Argument, Context, Option

from llamax_cli.console import show_page
from llamax_cli.errors import UsageError
from llamax_cli.manual import pages
from llamax_cli.options.command import CompleteOptions
from llamax_cli.registry import nearest
from llamax_cli.streams.outputs import open_output


def _complete(ctx: Context, incomplete: str) -> list[str]:
    """Return the next word of all names of pages that begin with the words so far."""
    before = "".join(f"{word} " for word in ctx.params.get("words") or ())
    rests = (name.removeprefix(before) for name in pages.names() if name.startswith(before + incomplete))
    return list(dict.fromkeys(rest.partition(" ")[0] for rest in rests))


def _page_name(words: list[str] | None) -> str | None:
    """Return the page that the words name, `analyze fertility` or `analyze-fertility`; None without words."""
    if not words:
        return None
    by_stem = {pages.stem(each): each for each in pages.names()}
    name = " ".join(words)
    if pages.stem(name) not in by_stem:
        raise UsageError(f"no command or topic is called {name!r}; {nearest(name, by_stem.values())}")
    return by_stem[pages.stem(name)]


def help(  # noqa: A001
    words: Annotated[
        list[str] | None,
        Argument(
            metavar="[COMMAND|TOPIC]",
            autocompletion=_complete,
            help="The page to show; without it, the list of all pages.",
            show_default=False,
        ),
    ] = None,
    schema: Annotated[bool, Option("--schema", help="Of the topic records: write their JSON Schema.")] = False,
    man: Annotated[
        Path | None, Option("--man", metavar="FOLDER", help="Write all pages as man pages into this folder.")
    ] = None,
) -> None:
    """Show the manual: a page for each command and each topic.

    On a terminal pages are shown by the pager (PAGER, otherwise less); elsewhere they are written as Markdown. The
    manual is part of the installation and needs no network.

    `--schema` writes one JSON Schema with a definition for each shape of a record. `--man` writes a man page for each
    page, llamax-mix.1 for a command and llamax-records.7 for a topic, and llamax.1, which lists them.

    Example: llamax help mix
    """
    name = _page_name(words)
    if schema and name != "records":
        raise UsageError("--schema describes records: llamax help records --schema")
    if man and (name or schema):
        raise UsageError("--man writes all pages and takes no name: llamax help --man FOLDER")
    if schema:
        from llamax_cli.manual.schema import document

        open_output(None).write(document())
    elif man:
        from llamax_cli.manual import man_pages

        man_pages.write(man)
    else:
        text = pages.page(name) if name else pages.index()
        if sys.stdout is not None and sys.stdout.isatty():
            show_page(text)
        else:
            open_output(None).write(text.encode())


help.command_class = CompleteOptions  # type: ignore[attr-defined]
