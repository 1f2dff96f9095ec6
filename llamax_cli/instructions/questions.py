"""What the tasks have in common: questions with a prompt, an answer and, where one of several is right, options.

The templates are our own, in English for every language, as the model was tuned on English instructions: each is the
prompt of LLaMAX-Alpaca with an instruction of the task, and the question as its input.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from llamax_cli.errors import DataError
from llamax_cli.languages import canonical, languages
from llamax_cli.models.prompts import alpaca
from llamax_cli.registry import find

TASKS = {
    "xnli": "llamax_cli.instructions.tasks.xnli:read_questions",
    "x-csqa": "llamax_cli.instructions.tasks.xcsqa:read_questions",
    "mgsm": "llamax_cli.instructions.tasks.mgsm:read_questions",
}
UNKNOWN = "?"  # the language of a question where nothing says it


class Question(NamedTuple):
    """One question of a task.

    `gold` is the right one of `options` or, where there are none, the right number; "" where the file does not say it.
    `answer` is what the model learns to say, which for a choice is the option itself.
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
        """Return what the model is asked."""
        return alpaca(self.instruction, self.input)

    def to_sample(self, task: str) -> dict[str, Any]:
        """Return it as a Sample; with nothing to learn where the file has no answer."""
        identity = {} if self.id is None else {"id": self.id}
        completion = as_completion(self.answer) if self.answer else ""
        return {"prompt": self.prompt, "completion": completion, "origin": task, "lang": self.lang, **identity}


QuestionReader: TypeAlias = Callable[[Path], Iterator[Question]]


def as_completion(answer: str) -> str:
    """Return an answer as it follows a prompt: `as_completion("B") -> " B"`."""
    return f" {answer}"


def read_questions(path: Path, task: str) -> Iterator[Question]:
    """Yield the questions of a task's file; DataError, with the place, where it is none."""
    read: QuestionReader = find(TASKS[task])
    is_empty = True
    for question in read(path):
        is_empty = False
        yield question
    if is_empty:
        raise DataError(f"{path}: no question in it")


def language_from_name(path: Path) -> str:
    """Return the language that a file's name, or else its folder's, says: `mgsm_sw.tsv -> "sw"`, "?" for none."""
    parts = [path.parent.name, *re.split(r"[._-]", path.name)]
    return next((part for part in reversed(parts) if part in languages()), UNKNOWN)


def parse_language(code: str, where: str) -> str:
    """Return the canonical code of a language that a file names; DataError, with the place, for an unknown one."""
    try:
        return canonical(code)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
