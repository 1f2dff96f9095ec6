"""The flags that mean the same everywhere, and the run they open: a command says only what is its own."""

import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial, wraps
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer
from typer.core import TyperCommand

from llamax_cli.console import say
from llamax_cli.errors import LanguageError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.ranks import rank
from llamax_cli.registry import suggestion
from llamax_cli.streams.chunks import WHOLE, Portion
from llamax_cli.streams.rejects import allowed_rejects
from llamax_cli.streams.run import Run, Settings

Own = ParamSpec("Own")


def portion(value: str | Portion) -> Portion:
    """Return the part that is meant: `portion("3/8") -> Portion(3, 8)`."""
    index, _, count = str(value).partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise typer.BadParameter(f"{value!r} is not I/N with I from 1 to N, as in 3/8")
    return Portion(int(index), int(count))


def byte_size(value: str | int) -> int:
    """Return a number of bytes: `byte_size("512M") -> 536870912`; K, M, G and T are powers of 1024."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", str(value).strip(), re.IGNORECASE)
    if not found:
        raise typer.BadParameter(f"{value!r} is no size, as in 512M or 1.5G")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))


def listed(value: str | None) -> tuple[str, ...]:
    """Return the items of a list with commas: `listed("en-*,*-en") -> ("en-*", "*-en")`."""
    return tuple(item.strip() for item in value.split(",") if item.strip()) if value else ()


def codes(value: str | None) -> tuple[str, ...]:
    """Return canonical language codes: `codes("eng,zho_Hans") -> ("en", "zh")`; UsageError where one is unknown."""
    try:
        found = tuple(map(canonical, listed(value)))
    except LanguageError as error:
        raise UsageError(str(error)) from error
    if len(set(found)) < len(found):
        raise UsageError(f"{value} names a language twice")
    return found


def columns_by_language(value: str | None) -> dict[str, str]:
    """Return a mapping: `columns_by_language("eng=1,zh=chinese") -> {"en": "1", "zh": "chinese"}`."""
    columns: dict[str, str] = {}
    for item in listed(value):
        code, equals, column = item.partition("=")
        if not equals or not column:
            raise UsageError(f"{item!r} is not LANG=COLUMN, as in en=1 or zh=chinese")
        columns[codes(code)[0]] = column
    if len(columns) < len(listed(value)):
        raise UsageError(f"{value} names a language twice")
    return columns


def one_of(names: Collection[str]) -> Callable[[str | None], str | None]:
    """Return a check that an option is one of the names."""

    def check(value: str | None) -> str | None:
        if value is not None and value not in names:
            raise typer.BadParameter(f"{value!r} is unknown; {suggestion(value, names)}")
        return value

    return check


def format_option(flag: str, what: str, names: Collection[str]) -> Any:
    """Return an option that takes one of the names, which its help lists."""
    return typer.Option(flag, metavar="FORMAT", help=f"{what}: {', '.join(names)}.", callback=one_of(names))


def _flood(value: str | None) -> str | None:
    try:
        if value is not None:
            allowed_rejects(value, 0)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from error
    return value


def _file(value: Path | None) -> Path | None:
    if value is not None and str(value) == "-":
        raise typer.BadParameter("name a file; records go to standard output without -o")
    return value


_option = partial(typer.Option, rich_help_panel="Every command", show_default=False)


def _shared(
    output: Annotated[
        Path | None,
        _option("-o", "--output", callback=_file, help="Write here, whole or not at all; .gz .zst .bz2 .xz compress."),
    ] = None,
    resume: Annotated[bool, _option("--resume", help="Go on with an interrupted -o FILE, to the same bytes.")] = False,
    limit: Annotated[int | None, _option(metavar="N", min=1, help="Stop after N records are written.")] = None,
    rejects: Annotated[
        Path | None, _option(callback=_file, help="Set bad lines aside here, with reasons, and go on.")
    ] = None,
    max_rejects: Annotated[
        str | None, _option(metavar="N|SHARE", callback=_flood, help="Fail if more are rejected: 20, 1% or 0.01.")
    ] = None,
    manifest: Annotated[Path | None, _option(callback=_file, help="Write what the run was, as JSON.")] = None,
    quiet: Annotated[bool, _option("-q", "--quiet", help="No progress, no summary line.")] = False,
    debug: Annotated[bool, _option("--debug", help="Show the traceback of an error.")] = False,
    shard: Annotated[
        Portion, _option(metavar="I/N", parser=portion, help="The I-th of N parts; joined they are the whole.")
    ] = WHOLE,
    workers: Annotated[int, _option(min=1, help="Processes; more are faster and change nothing else.")] = 1,
) -> None:
    """The flags of every command; `shard` and `workers` are for those that say so."""


@dataclass(frozen=True)
class Flags:
    """Marks a parameter of a command that several options make: `asked: Annotated[Asked, Flags(asked)]`.

    The options are those of the function `make`, and what it returns is the parameter.
    """

    make: Callable[..., Any]

    @property
    def options(self) -> list[inspect.Parameter]:
        """The options, as parameters of `make`."""
        return list(inspect.signature(self.make, eval_str=True).parameters.values())

    def value(self, given: Mapping[str, Any]) -> Any:
        """Return the parameter, by the options that were given."""
        return self.make(**{each.name: given[each.name] for each in self.options})


FILES = typer.Argument(metavar="[FILE]...", help="What to read; - or nothing is standard input.", show_default=False)


class FilesAfterOptions(TyperCommand):
    """A command whose repeatable options take all that follows: `--para a b` is `--para a --para b`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat each such option before each of its values."""
        repeatable = {flag for each in self.params if getattr(each, "multiple", False) for flag in each.opts}
        spread: list[str] = []
        current = ""  # the repeatable option whose values these are
        for place, argument in enumerate(args):
            if argument == "--":
                return super().parse_args(ctx, spread + args[place:])
            if argument.startswith("-") and argument != "-":
                current = argument if argument in repeatable else ""
            elif current and args[place - 1] != current:
                spread.append(current)
            spread.append(argument)
        return super().parse_args(ctx, spread)


def command(
    *,
    shard: bool = False,
    workers: bool = False,
    ranks: bool = False,
    without_files: Collection[str] = (),
    files_of: Collection[str] = (),
) -> Callable[[Callable[Concatenate[Run, Own], None]], Callable[..., None]]:
    """Turn `function(run, own options)` into a command with files, the shared flags and an open run.

    The name of the function is the name of the command, its docstring the help. Where an option of `without_files` is
    given, nothing is read. Where options are named in `files_of`, the files are theirs, and there are no others. With
    `ranks` several processes may be started together, of which the first reads and writes for all.
    """

    def decorate(function: Callable[Concatenate[Run, Own], None]) -> Callable[..., None]:
        name = function.__name__.replace("_", "-")

        @wraps(function)
        def start(ctx: typer.Context, files: list[str] | None = None, **given: Any) -> None:
            if files_of:
                files = [file for option in files_of for file in given[option] or ()]
                if not files:
                    named = ", ".join(f"--{option}" for option in files_of)
                    raise UsageError(f"nothing to read; name files after {named}")
            reads = not any(given[option] for option in without_files)
            if reads and not files and sys.stdin is not None and sys.stdin.isatty():
                typer.echo(ctx.get_help(), err=True)
                raise typer.Exit(2)
            arguments = {"files": tuple(files or ()), **{key.rstrip("_"): value for key, value in given.items()}}
            settings = Settings(
                **{each.name: arguments[each.name] for each in fields(Settings) if each.name in arguments}
            )
            is_first = not ranks or rank() == 0
            if settings.is_done:
                if is_first:
                    say(name, f"{settings.output} is complete already, nothing to resume; remove it to make it anew")
                return
            if not is_first:
                settings = Settings(quiet=True)
            with Run(name, settings, arguments) as run:
                function(run, **{each.name: _value(each, given) for each in own})  # type: ignore[call-arg]

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        unwanted = {name for name, wanted in (("shard", shard), ("workers", workers)) if not wanted}
        shared = [each for each in inspect.signature(_shared).parameters.values() if each.name not in unwanted]
        if files_of:
            start.command_class = FilesAfterOptions  # type: ignore[attr-defined]
        start.__signature__ = _signature([*chain(*map(_options, own)), *shared], files=not files_of)  # type: ignore[attr-defined]
        start.__annotations__ = {p.name: p.annotation for p in start.__signature__.parameters.values()}  # type: ignore[attr-defined]
        return start

    return decorate


def _flags(parameter: inspect.Parameter) -> Flags | None:
    """Return what makes a parameter out of options, None where it is an option itself."""
    marks = getattr(parameter.annotation, "__metadata__", ())
    return next((each for each in marks if isinstance(each, Flags)), None)


def _options(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    flags = _flags(parameter)
    return flags.options if flags else [parameter]


def _value(parameter: inspect.Parameter, given: Mapping[str, Any]) -> Any:
    flags = _flags(parameter)
    return flags.value(given) if flags else given[parameter.name]


def _signature(options: Iterable[inspect.Parameter], *, files: bool) -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    argument = inspect.Parameter("files", keyword, annotation=Annotated[list[str] | None, FILES], default=None)
    return inspect.Signature(
        [
            inspect.Parameter("ctx", keyword, annotation=typer.Context),
            *([argument] if files else []),
            *(option.replace(kind=keyword) for option in options),
        ]
    )
