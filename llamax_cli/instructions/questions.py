"""Questions, which all tasks have in common: a prompt, an answer and, for a choice, options.

The templates are our own. They are in English for every language, because the model was tuned on English instructions:
each is the prompt of LLaMAX-Alpaca, with an instruction for the task and with the question as its input.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from llamax_cli.errors import DataError
from llamax_cli.instructions.fields import optional_text
from llamax_cli.languages import canonical, languages
from llamax_cli.models.prompts import alpaca
from llamax_cli.records import Record
from llamax_cli.registry import find

TASKS = {
    "xnli": "llamax_cli.instructions.tasks.xnli:read_questions",
    "x-csqa": "llamax_cli.instructions.tasks.xcsqa:read_questions",
    "mgsm": "llamax_cli.instructions.tasks.mgsm:read_questions",
}
UNKNOWN = "?"  # the language of a question if nothing names it
LANGUAGE = ("language", "lang")  # where a record names it: XNLI's key, and that of X-CSQA and of our own records


class Question(NamedTuple):
    """One question of a task.

    `gold` is the correct one of `options` or, without options, the correct number; "" if the file does not give it.
    `answer` is what the model learns to say; for a choice this is the option itself.
    """

    instruction: str
    input: str
    answer: str
    gold: str
    options: tuple[str, ...]
    lang: str
    id: str | int | None = None

    @property
    def prompt(self) -> str:
        """The prompt for the model."""
        return alpaca(self.instruction, self.input)

    def to_sample(self, task: str) -> dict[str, Any]:
        """Return the question as a Sample; its completion is empty if the file gives no answer."""
        identity = {} if self.id is None else {"id": self.id}
        completion = as_completion(self.answer) if self.answer else ""
        return {"prompt": self.prompt, "completion": completion, "origin": task, "lang": self.lang, **identity}


QuestionReader: TypeAlias = Callable[[Path], Iterator[Question]]


def as_completion(answer: str) -> str:
    """Return an answer as it follows a prompt: `as_completion("B") -> " B"`."""
    return f" {answer}"


def read_questions(path: Path, task: str) -> Iterator[Question]:
    """Yield the questions in a file of a task; DataError, with the place, if it is not one."""
    read: QuestionReader = find(TASKS[task])
    is_empty = True
    for question in read(path):
        is_empty = False
        yield question
    if is_empty:
        raise DataError(f"{path}: it has no questions")


def language_from_name(path: Path) -> str:
    """Return the language in the name of a file or else of its folder: `mgsm_sw.tsv -> "sw"`, "?" if there is none."""
    parts = [path.parent.name, *re.split(r"[._-]", path.name)]
    return next((part for part in reversed(parts) if part in languages()), UNKNOWN)


def stated_language(record: Record, where: str, default: str, aliases: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the canonical code of the language that a record names, `default` if it names none.

    `aliases` are codes of the task's own. RecordError if it is not a text, DataError for an unknown language.
    """
    code = next(filter(None, (optional_text(record, key) for key in LANGUAGE)), "")
    return parse_language(aliases.get(code, code), where) if code else default


def parse_language(code: str, where: str) -> str:
    """Return the canonical code of a language in a file; DataError, with the place, for an unknown one."""
    try:
        return canonical(code)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
