"""The `command` decorator: a command declares its own options and gets the shared flags and an open run."""

import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial, wraps
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, cast

import typer
from typer.core import TyperCommand

from llamax_cli.console import say
from llamax_cli.errors import UsageError
from llamax_cli.options.completion import add_completion
from llamax_cli.options.values import LIST, named_file, portion, reject_limit, whole_number, worker_count
from llamax_cli.ranks import rank
from llamax_cli.streams.chunks import WHOLE, Portion
from llamax_cli.streams.outputs import partial_path
from llamax_cli.streams.paths import NamedPath, check_paths
from llamax_cli.streams.resume import left_behind, remove_states
from llamax_cli.streams.run import Run
from llamax_cli.streams.settings import Settings

if TYPE_CHECKING:
    from llamax_cli.cli import Command

Options = ParamSpec("Options")

# Marks an option that does not change the result, so that a resumed run may have another value of it:
# `workers: Annotated[int, whole_number(low=1), NEUTRAL] = 1`.
NEUTRAL = object()


def _each(value: Any) -> Iterable[str | Path]:
    """Return the values of an option that may be absent or repeated."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


@dataclass(frozen=True)
class Reads:
    """Marks an option that names files or folders to read; `paths` returns them from its value.

    A name that is not a path, such as that of a model on the hub, is left out by being the path of nothing.
    """

    paths: Callable[[Any], Iterable[str | Path]] = _each


@dataclass(frozen=True)
class Writes(Reads):
    """Marks an option that names files to write."""


READS, WRITES = Reads(), Writes()


@dataclass(frozen=True)
class Untrusted:
    """Marks an option that only a user may give, not a manifest.

    `reason` says why, or returns "", for a value and the folder in which relative paths begin.
    """

    reason: Callable[[Any, Path], str]


RUNS_CODE = Untrusted(lambda value, _: "runs code" if value else "")

_option = partial(typer.Option, rich_help_panel="Every command", show_default=False)
_number = partial(whole_number, rich_help_panel="Every command", show_default=False)


def _shared(
    output: Annotated[
        Path | None,
        _option(
            "-o",
            "--output",
            metavar="FILE",
            callback=named_file,
            help="Write to this file, which appears once it is complete; .gz, .zst, .bz2 and .xz compress.",
        ),
        NEUTRAL,
        WRITES,
    ] = None,
    resume: Annotated[
        bool, _option("--resume", help="Continue an interrupted run into -o FILE, to the same bytes."), NEUTRAL
    ] = False,
    limit: Annotated[int | None, _number(metavar="N", low=1, help="Stop after N records are written.")] = None,
    rejects: Annotated[
        Path | None,
        _option(
            metavar="FILE",
            callback=named_file,
            help="Move bad lines to this file, with the reason for each, and go on.",
        ),
        NEUTRAL,
        WRITES,
    ] = None,
    max_rejects: Annotated[
        str | None,
        _option(
            metavar="N|SHARE", callback=reject_limit, help="Fail if more lines are rejected, as in 20, 1% or 0.01."
        ),
        NEUTRAL,
    ] = None,
    manifest: Annotated[
        Path | None,
        _option(metavar="FILE", callback=named_file, help="Write a description of the run to this file, as JSON."),
        NEUTRAL,
        WRITES,
    ] = None,
    quiet: Annotated[bool, _option("-q", "--quiet", help="Show no progress and no summary line."), NEUTRAL] = False,
    debug: Annotated[bool, _option("--debug", help="Show the traceback of an error."), NEUTRAL] = False,
    shard: Annotated[
        Portion,
        _option(metavar="I/N", parser=portion, help="Do the I-th of N parts; joined in order, they are the whole."),
    ] = WHOLE,
    workers: Annotated[
        int,
        _number(
            metavar="N",
            low=1,
            callback=worker_count,
            help="Number of processes; it changes the speed and nothing else.",
        ),
        NEUTRAL,
    ] = 1,
) -> None:
    """The flags of every command; only some commands have `shard` and `workers`."""


def _shared_with_folder(
    output: Annotated[
        Path,
        _option(
            "-o",
            "--output",
            metavar="FOLDER",
            callback=named_file,
            help="Folder to make; it appears once it is complete.",
        ),
        NEUTRAL,
        WRITES,
    ],
) -> None:
    """What commands have that make a folder, instead of the flags for a file of records."""


@dataclass(frozen=True)
class Arguments:
    """What the arguments of a command are that are not options, and the path at which each of them is.

    Where a command `reads_stdin`, no argument is standard input.
    """

    metavar: str = "[FILE]..."
    help: str = "Files to read; - or no file is standard input."
    path: Callable[[str], str | Path] = str
    reads_stdin: bool = True
    completion: Callable[[str], list[Any]] | None = None

    def paths(self, files: Sequence[str]) -> list[NamedPath]:
        """Return the paths that the arguments stand for."""
        return [NamedPath("", str(self.path(file))) for file in files or ("-",) * self.reads_stdin]


FILES = Arguments()


@dataclass(frozen=True)
class OptionGroup:
    """Marks a parameter of a command that stands for several options: `choice: Annotated[Choice, OptionGroup(make)]`.

    The options are the parameters of the function `make`, and its result is the value of the parameter.
    """

    make: Callable[..., Any]

    @property
    def options(self) -> list[inspect.Parameter]:
        """The options, as parameters of `make`."""
        return list(inspect.signature(self.make, eval_str=True).parameters.values())

    def value(self, given: Mapping[str, Any]) -> Any:
        """Return the value of the parameter, given the values of all options."""
        return self.make(**{option.name: given[option.name] for option in self.options})


# A language, a direction or a metric.
_MAY_BE_VALUE = re.compile(
    r"(\*|[a-z]{2,3})(-(\*|[a-z]{2,3}))?|spbleu|bleu|chrf(\+\+)?|ter|[a-z-]*comet[a-z0-9-]*|metricx[a-z0-9-]+"
)
AFTER_LISTS = "llamax: arguments after lists"  # the key in a context, for arguments that may be files


class CompleteOptions(TyperCommand):
    """A command whose options lose no value that is given to them.

    An option with a list, as `--metric NAME,...`, adds up: `--metric bleu --metric ter` is `--metric bleu,ter`. Any
    other option that takes one value is refused when it is given twice. So is an empty value, of options and arguments
    alike: it would be the current folder, or as if nothing were given.
    """

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line; a required argument stands there without braces."""
        return [piece.removeprefix("{").removesuffix("}") for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Note which arguments follow the values of a list, as in `--metric bleu chrf++`: (option, values so far)."""
        lists = {flag for option in self.params if LIST in (option.metavar or "") for flag in option.opts}
        flag, values = "", list[str]()
        for argument in args:
            if argument.startswith("-") and argument != "-":
                name, has_value, value = argument.partition("=")
                flag, values = (name, [value] if has_value else []) if name in lists else ("", [])
            elif flag:
                if values:
                    ctx.meta.setdefault(AFTER_LISTS, {})[argument] = (flag, ",".join([*values, argument]))
                values.append(argument)
        return super().parse_args(ctx, args)

    def make_parser(self, ctx: Any) -> Any:
        """Return a parser that keeps all values of an option until it has joined or refused them."""
        parser = super().make_parser(ctx)
        single = [
            option for option in {*parser._long_opt.values(), *parser._short_opt.values()} if option.action == "store"
        ]
        for option in single:
            option.action = "append"
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            values, rest, order = parse(args)
            for given in () if ctx.resilient_parsing else order:
                value = values[str(given.name)]
                if value == "" or (isinstance(value, list | tuple) and "" in value):
                    raise typer.BadParameter("it is empty; is a variable of the shell not set?", ctx=ctx, param=given)
            for option in single:
                if option.dest in values:
                    values[option.dest] = _only_value(option.obj, values[option.dest], ctx)
            return values, rest, order

        parser.parse_args = parse_args  # type: ignore[method-assign]
        return parser


def _only_value(option: Any, values: Sequence[str], ctx: Any) -> str:
    """Return the value of an option that was given with some values, of which all but lists have one."""
    if len(values) > 1 and LIST in (option.metavar or ""):
        return ",".join(values)
    if len(values) > 1 and not ctx.resilient_parsing:
        raise typer.BadParameter(f"it takes one value, but was given {' and '.join(values)}", ctx=ctx, param=option)
    return values[-1]


class FilesAfterOptions(CompleteOptions):
    """A command whose repeatable options take all values that follow: `--para a b` is `--para a --para b`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat each such option before each of its values."""
        repeatable = {
            flag for parameter in self.params if getattr(parameter, "multiple", False) for flag in parameter.opts
        }
        spread: list[str] = []
        current = ""  # the repeatable option that takes the values
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
    formats: bool = False,
    folder: bool = False,
    standalone_options: Collection[str] = (),
    file_options: Collection[str] = (),
    group: str = "",
    takes: Arguments | None = FILES,
) -> "Callable[[Callable[Concatenate[Run, Options], None]], Command]":
    """Turn `function(run, its own options)` into a command with files, the shared flags and an open run.

    The command has the name of the function, and its docstring is the help. The name of one in a `group` begins with
    that: `analyze_fertility` is "analyze fertility". A command with one of its
    `standalone_options` reads nothing. With `file_options`, the files are the values of these options, and there are no
    other files. With `ranks`, several processes may be started together, and the first reads and writes for all. A
    command of `formats` finds files itself, as it may read folders and write several files; for any other, paths are
    checked before it begins. A command that makes a `folder` has `-o FOLDER`, which is required. It `takes` files,
    unless it says what else, or None.
    """

    def decorate(function: Callable[Concatenate[Run, Options], None]) -> "Command":
        name = " ".join([group, function.__name__.removeprefix(f"{group}_")]).strip().replace("_", "-")
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        options = [*chain(*map(_options, parameters)), *_shared_options(shard=shard, workers=workers, folder=folder)]
        neutral = {"files", *(option.name.rstrip("_") for option in options if NEUTRAL in marks(option))}

        @wraps(function)
        def start(ctx: typer.Context, files: list[str] | None = None, **given: Any) -> None:
            if file_options:
                files = _given_files(file_options, given)
            _refuse_values(files or (), ctx.meta.get(AFTER_LISTS, {}))
            if not files and not any(given[option] for option in standalone_options) and _stdin_is_terminal():
                typer.echo(ctx.get_help(), err=True)
                raise typer.Exit(2)
            arguments = {"files": tuple(files or ()), **{key.rstrip("_"): value for key, value in given.items()}}
            is_first = not ranks or rank() == 0
            settings = _settings(arguments)
            reads, writes = declared_paths(options, given)
            reads = [*(takes.paths(settings.files) if takes else ()), *reads]
            if is_first:
                check_paths(reads, writes, uses_stdout=settings.output is None)
            if settings.output is not None and settings.is_complete:
                if is_first:
                    remove_states(*left_behind(partial_path(settings.output)))
                    say(
                        name,
                        f"{settings.output} is already complete, so nothing is left to resume; remove it to run again",
                    )
                return
            with Run(name, settings if is_first else Settings(quiet=True), arguments, neutral) as run:
                run.declare(reads, writes)
                if is_first and not formats:
                    run.check_paths()
                function(run, **{parameter.name: _value(parameter, given) for parameter in parameters})  # type: ignore[call-arg]

        start.__signature__ = _signature(options, None if file_options else takes)  # type: ignore[attr-defined]
        start.__annotations__ = {p.name: p.annotation for p in start.__signature__.parameters.values()}  # type: ignore[attr-defined]
        start.command_class = FilesAfterOptions if file_options else CompleteOptions  # type: ignore[attr-defined]
        start.takes = None if file_options else takes  # type: ignore[attr-defined]  # for replay
        return cast("Command", start)

    return decorate


def _refuse_values(files: Iterable[str], after_lists: Mapping[str, tuple[str, str]]) -> None:
    """Raise UsageError where a file does not exist and stands where another value of a list may have been meant."""
    for file in files:
        if file in after_lists and _MAY_BE_VALUE.fullmatch(file) and not Path(file).exists():
            flag, values = after_lists[file]
            raise UsageError(f"{file}: no such file or directory; if it is a value of {flag}, write {flag} {values}")


def _given_files(file_options: Collection[str], given: Mapping[str, Any]) -> list[str]:
    files = [file for option in file_options for file in given[option] or ()]
    if not files:
        raise UsageError(f"nothing to read; name files after {', '.join(f'--{option}' for option in file_options)}")
    return files


def _stdin_is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _settings(arguments: Mapping[str, Any]) -> Settings:
    return Settings(**{field.name: arguments[field.name] for field in fields(Settings) if field.name in arguments})


def declared_paths(
    options: Iterable[inspect.Parameter], given: Mapping[str, Any]
) -> tuple[list[NamedPath], list[NamedPath]]:
    """Return the paths that options read, and those that they write, as their marks declare."""
    reads, writes = list[NamedPath](), list[NamedPath]()
    for option in options:
        for mark in marks(option):
            if isinstance(mark, Reads):
                paths = mark.paths(given[option.name])
                named = [NamedPath(_flag(option), str(path)) for path in paths]
                (writes if isinstance(mark, Writes) else reads).extend(named)
    return reads, writes


def _flag(option: inspect.Parameter) -> str:
    return f"--{option.name.strip('_').replace('_', '-')}"


def _shared_options(*, shard: bool, workers: bool, folder: bool) -> list[inspect.Parameter]:
    left_out = {name for name, is_taken in (("shard", shard), ("workers", workers)) if not is_taken}
    options = dict(inspect.signature(_shared).parameters)
    if folder:
        options |= inspect.signature(_shared_with_folder).parameters
        left_out |= {"resume", "limit"}
    return [option for name, option in options.items() if name not in left_out]


def marks(parameter: inspect.Parameter) -> tuple[Any, ...]:
    """Return the annotations of a parameter after its type."""
    return getattr(parameter.annotation, "__metadata__", ())


def _group(parameter: inspect.Parameter) -> OptionGroup | None:
    return next((mark for mark in marks(parameter) if isinstance(mark, OptionGroup)), None)


def _options(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    group = _group(parameter)
    return group.options if group else [parameter]


def _value(parameter: inspect.Parameter, given: Mapping[str, Any]) -> Any:
    group = _group(parameter)
    return group.value(given) if group else given[parameter.name]


def _signature(options: Sequence[inspect.Parameter], takes: Arguments | None) -> inspect.Signature:
    for option in options:
        add_completion(option)
    keyword = inspect.Parameter.KEYWORD_ONLY
    arguments = []
    if takes is not None:
        shown = typer.Argument(
            metavar=takes.metavar, help=takes.help, show_default=False, autocompletion=takes.completion
        )
        arguments = [inspect.Parameter("files", keyword, annotation=Annotated[list[str] | None, shown], default=None)]
    return inspect.Signature(
        [
            inspect.Parameter("ctx", keyword, annotation=typer.Context),
            *arguments,
            *(option.replace(kind=keyword) for option in options),
        ]
    )
