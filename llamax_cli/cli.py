"""The command line: the table of commands, which are imported when they run, exit codes and signals."""

import os
import re
import sys
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Literal, NoReturn, Protocol

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from llamax_cli import __version__, interruption
from llamax_cli.console import say, show_traceback
from llamax_cli.errors import FileError, LlamaxError, Terminated, because

COMMANDS = {
    "convert": "Turn corpora of any common format into records, and records back.",
    "build-lexicon": "Merge dictionaries into one multilingual lexicon, as records or compiled.",
    "augment": "Replace words of the source by translations in other languages.",
    "mix": "Mix parallel, monolingual, augmented and translated text into one epoch of samples.",
    "train": "Train a model on samples, from one CPU to many GPUs.",
    "tune": "Tune a model on instructions, chats or a task; measure it; average models.",
    "translate": "Translate texts and pairs with a language model or an encoder-decoder.",
    "pivot": "Translate through a third language: all records, or those that are off target.",
    "langid": "Identify the language of texts and translations; report off-target rates; filter by language.",
    "score": "Score translations: spBLEU, chrF++, BLEU, TER, COMET, MetricX and others of any number of directions.",
    "analyze corpus": "Count texts, pairs, tokens and duplicates of each language of a corpus; write its dataset card.",
    "analyze fertility": "Count the tokens that tokenizers need for a word, a character and a byte of each language.",
    "analyze representation": "Compare the sentences of each language with their English counterparts, as a model "
    "represents them.",
    "analyze lexicon": "Compare lexicons by language: entities (Table 2), identity, scripts, coverage of a corpus, "
    "similarity.",
    "analyze shift": "Find the tokens whose embeddings a tuned model has shifted, by Kolmogorov-Smirnov tests "
    "(KS-Lottery).",
    "extend-vocab": "Add pieces to the vocabulary of a model, learnt from texts or listed, and their embeddings.",
    "replay": "Make what a manifest tells of again, and say whether the bytes are the same.",
    "report": "Put systems side by side: the paper's tables and figures, and one page, from records of other commands.",
    "help": "Show the manual: a page for each command and each topic.",
}
# Commands of two words are gathered under the first one.
COMMAND_GROUPS = {"analyze": "Analyze tokenizers, models, lexicons and corpora as the paper does."}

CONTEXT = {"help_option_names": ["-h", "--help"]}


class Command(Protocol):
    """The function of a command; `command_class` parses its arguments."""

    command_class: type[TyperCommand]

    def __call__(self, *args: Any, **kwargs: Any) -> None: ...  # noqa: D102


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they run; help and completion read the table instead."""

    prefix = ""  # what stands before the names of its commands in the table

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help where no command is named."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command to run, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        if name and not isinstance(command, LazyGroup):
            command = load(self.prefix + name)
        return name, command, rest

    def fill(self, prefix: str = "") -> "LazyGroup":
        """Add a command without its code for each name in the table that begins so, or a group of them."""
        self.prefix = prefix
        self.commands = {}
        for name, text in COMMANDS.items():
            first, _, rest = name.removeprefix(prefix).partition(" ")
            if name.startswith(prefix) and first not in self.commands:
                self.commands[first] = _group(first) if rest else TyperCommand(first, help=text, short_help=text)
        return self


def _group(name: str) -> LazyGroup:
    text = COMMAND_GROUPS[name]
    shape: dict[str, Any] = {"context_settings": CONTEXT, "rich_markup_mode": _markup()}
    return LazyGroup(name=name, help=text, short_help=text, **shape).fill(f"{name} ")


def function_of(name: str) -> Command:
    """Return the function of a command, after importing its module."""
    module = re.sub("[- ]", "_", name)
    function: Command = getattr(import_module(f"llamax_cli.commands.{module}"), module)
    return function


def load(name: str) -> Any:
    """Return the command of a name, after importing its module."""
    return _load(name, _markup())


@cache
def _load(name: str, markup: Literal["rich"] | None) -> Any:
    single = typer.Typer(add_completion=False, rich_markup_mode=markup)
    function = function_of(name)
    text = _unwrapped(str(function.__doc__))
    single.command(name, context_settings=CONTEXT, cls=function.command_class, help=text)(function)
    return typer.main.get_command(single)


def _unwrapped(docstring: str) -> str:
    """Return a docstring with a line for each paragraph, which help then wraps to the width of the terminal."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in docstring.split("\n\n"))


def application() -> Any:
    """Return the group of all commands."""
    return _application(_markup())


@cache
def _application(markup: Literal["rich"] | None) -> Any:
    summary = "The LLaMAX recipe as Unix tools: every command reads and writes records, one JSON object a line."
    app = typer.Typer(cls=LazyGroup, rich_markup_mode=markup, context_settings=CONTEXT, help=summary)
    app.callback()(llamax)
    group: Any = typer.main.get_command(app)
    return group.fill()


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"llamax {__version__}")
        raise typer.Exit


def llamax(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options before the command."""


def _markup() -> Literal["rich"] | None:
    # Boxes and colours on a terminal; plain text elsewhere, for which rich need not be loaded.
    return "rich" if sys.stdout is not None and sys.stdout.isatty() else None


def main() -> NoReturn:
    """Run the command line and end with its exit code."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is None:  # it is closed; occupy its number, so that no file gets it
            os.open(os.devnull, os.O_RDWR)
    sys.excepthook = show_traceback
    try:
        interruption.listen()
        code = run(sys.argv[1:])
        interruption.stop_listening()
    except (KeyboardInterrupt, Terminated) as error:  # it came before or after what `run` catches
        code = _report(sys.argv[1:], error)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command that the arguments name and return its exit code; print an error as one line."""
    try:
        code = _invoke(arguments)
        _flush_stdout()
        return code
    except BrokenPipeError:
        _close_stdout()
        return 141
    except (LlamaxError, TyperException, OSError, MemoryError, KeyboardInterrupt, Terminated) as error:
        return _report(arguments, _error_of_stdout(error) or error)
    except Exception as error:
        if interruption.raised() is None:
            raise
        return _report(arguments, error)


def _invoke(arguments: list[str]) -> int:
    try:
        group = application()  # inside, because an interrupt may come during its imports
        if "_LLAMAX_COMPLETE" in os.environ:
            group.main(arguments, prog_name="llamax")
        with group.make_context("llamax", list(arguments)) as context:
            group.invoke(context)
        return 0
    except typer.Exit as leaving:
        return leaving.exit_code


def _flush_stdout() -> None:
    """Write what was printed; BrokenPipeError or FileError if that cannot be written."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _close_stdout()
        raise FileError(f"standard output: {because(error)}") from error


def _close_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes at exit, which must not fail


def _error_of_stdout(error: BaseException) -> FileError | None:
    """Return why what was printed cannot be written, if that is the error: the system names no file then."""
    try:
        _flush_stdout()
    except BrokenPipeError:
        _close_stdout()
    except FileError as refused:
        return refused if isinstance(error, OSError) and error.filename is None else None
    return None


def _report(arguments: list[str], error: BaseException) -> int:
    """Print an error as one line and return its exit code; raise it again with `--debug`."""
    interruption.notice()
    if "--debug" in arguments:
        raise error
    name = _command_name(arguments)
    line = _line(error)
    cause = interruption.raised()
    if cause is not None and not isinstance(error, KeyboardInterrupt | Terminated):
        line, error = f"{_line(cause)}; {line}", cause
    if line:
        say(name, line)
    return 130 if isinstance(error, KeyboardInterrupt) else getattr(error, "exit_code", 1)


def _command_name(arguments: list[str]) -> str:
    """Return the command that the arguments name, in one word or two; "" where there is none."""
    words = [argument for argument in arguments if not argument.startswith("-")]
    return next((name for name in (" ".join(words[:2]), *words[:1]) if name in COMMANDS or name in COMMAND_GROUPS), "")


def _line(error: BaseException) -> str:
    """Return an error and its notes as one line."""
    if isinstance(error, TyperException):
        message = error.format_message().replace("\n", " ") + _door(error)
    elif isinstance(error, KeyboardInterrupt | Terminated):
        message = "interrupted" if isinstance(error, KeyboardInterrupt) else "terminated"
    elif isinstance(error, OSError):
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    elif isinstance(error, MemoryError):
        message = "out of memory; free some, or raise the limit (ulimit -v)"
    else:
        message = str(error)
    return "; ".join([message, *getattr(error, "__notes__", [])])


def _door(error: TyperException) -> str:
    """Return where help is found, after an error in what there is rather than in a value: ` (llamax mix --help)`."""
    context = getattr(error, "ctx", None)
    return f" ({context.command_path} --help)" if context and type(error) is not typer.BadParameter else ""
