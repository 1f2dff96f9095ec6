"""X-CSQA, and CommonsenseQA, from which it comes: which of five answers is right?

A file has JSON on each line: `id`, `lang` (CommonsenseQA has none: the name of the file or its folder may say it),
`question` with `stem` and `choices`, and `answerKey`. The choices are a list of `label` and `text`, or as Hugging Face
has them two lists. An `answerKey` that is empty, null or not there, as in the test set, leaves a question
without an answer.
"""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from llamax_cli.errors import DataError, RecordError
from llamax_cli.instructions.data_files import is_table, items
from llamax_cli.instructions.forms import identity, optional
from llamax_cli.instructions.questions import Question, language_in, language_of
from llamax_cli.records import Record, value

INSTRUCTION = "Which answer to the question is right? Answer with its letter."
ALIASES = {"jap": "ja"}  # X-CSQA's own
SHAPE = "X-CSQA has question (stem, choices with label and text) and answerKey"


def questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file."""
    if is_table(path):
        raise DataError(f"{path}:1: not JSON; {SHAPE}")
    named = language_in(path)
    for where, record in items(path):
        try:
            yield _question(where, record, named)
        except RecordError as error:
            raise DataError(f"{where}: {error}; {SHAPE}") from error


def _question(where: str, record: Record, named: str) -> Question:
    question = value(record, "question")
    if not isinstance(question, dict) or not isinstance(question.get("stem"), str):
        raise RecordError("'question' has no 'stem'")
    choices = _choices(question.get("choices"))
    labels = tuple(label for label, _ in choices)
    gold = optional(record, "answerKey")
    if gold and gold not in labels:
        raise RecordError(f"the answer {gold!r} is none of the choices {', '.join(labels)}")
    lang = optional(record, "lang")
    lang = language_of(ALIASES.get(lang, lang), where) if lang else named
    asked = "\n".join([question["stem"], *(f"{label}. {choice}" for label, choice in choices)])
    return Question(where, INSTRUCTION, asked, gold, gold, labels, lang, identity(record))


def _choices(given: Any) -> list[tuple[str, str]]:
    """Return label and text of each choice."""
    if isinstance(given, dict) and all(isinstance(given.get(key), list) for key in ("label", "text")):
        pairs = list(zip_longest(given["label"], given["text"]))
    elif isinstance(given, list) and all(isinstance(each, dict) for each in given):
        pairs = [(each.get("label"), each.get("text")) for each in given]
    else:
        raise RecordError("'question' has no 'choices'")
    if not all(isinstance(each, str) for pair in pairs for each in pair) or len(dict(pairs)) < max(2, len(pairs)):
        raise RecordError("the choices need a 'label' of their own and a 'text' each")
    return pairs
