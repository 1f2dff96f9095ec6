"""What the shell completes: values of options that have a known set, out of the set that the command itself knows.

Languages, pairs and names that `one_of` checks need no declaration. Another option declares its set with
`autocompletion=completed(NAMES)`. Where nothing matches, shells complete the names of files.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import TypeAlias

from typer.models import OptionInfo

from llamax_cli.languages import languages
from llamax_cli.options.values import LIST

Completion: TypeAlias = str | tuple[str, str]  # a value, or a value and what it means
Completer: TypeAlias = Callable[[str], list[Completion]]


def completed(values: Iterable[str] | Callable[[], Iterable[Completion]], *, as_list: bool = False) -> Completer:
    """Return a function that completes an option to one of the values, or if `as_list` to several with commas.

    `values` may be a function, which is called when the shell asks. In a list no value is offered twice.
    """

    def complete(incomplete: str) -> list[Completion]:
        before = incomplete[: incomplete.rfind(",") + 1] if as_list else ""
        return [
            _after(before, each)
            for each in (values() if callable(values) else values)
            if _value(each) not in before.split(",")
        ]

    return complete


def _value(completion: Completion) -> str:
    return completion if isinstance(completion, str) else completion[0]


def _after(before: str, completion: Completion) -> Completion:
    return before + completion if isinstance(completion, str) else (before + completion[0], completion[1])


def language_codes() -> list[Completion]:
    """Return the codes of the table of languages, with their names."""
    return [(code, language.name) for code, language in languages().items()]


def complete_pairs(incomplete: str) -> list[Completion]:
    """Return the completions of a pair or a list of pairs: a first language, or all pairs that begin with it."""
    before = incomplete[: incomplete.rfind(",") + 1]
    source, dash, _ = incomplete.removeprefix(before).partition("-")
    if not dash and source not in languages():
        return [(f"{before}{code}-", language.name) for code, language in languages().items()]
    return [(f"{before}{source}-{code}", language.name) for code, language in languages().items() if code != source]


def complete_columns(incomplete: str) -> list[Completion]:
    """Return the completions of the columns of a table: any language, with the number of the next column."""
    before = incomplete[: incomplete.rfind(",") + 1]
    number = before.count(",") + 1
    return [(f"{before}{code}={number}", language.name) for code, language in languages().items()]


def add_completion(option: inspect.Parameter) -> None:
    """Let the shell complete an option that does not say how, if its declaration shows a known set."""
    for mark in getattr(option.annotation, "__metadata__", ()):
        if isinstance(mark, OptionInfo) and mark.autocompletion is None:
            mark.autocompletion = _completer(mark)


def _completer(option: OptionInfo) -> Completer | None:
    metavar = option.metavar or ""
    names = getattr(option.callback, "names", None)
    if names is not None:
        return completed(names)
    if metavar.startswith("PAIR"):
        return complete_pairs
    if metavar.startswith("LANGUAGE="):
        return complete_columns
    return completed(language_codes, as_list=LIST in metavar) if metavar.startswith("LANGUAGE") else None
