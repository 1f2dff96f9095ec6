"""X-CSQA, and CommonsenseQA, of which it is a translation: which of five answers is correct?

A file has JSON on each line: `id`, `lang` (CommonsenseQA has none, so the name of the file or its folder may give it),
`question` with `stem` and `choices`, and `answerKey`. The choices are a list of `label` and `text` or, as on Hugging
Face, two lists. A question has no answer if its `answerKey` is empty, null or absent, as in the test set.
"""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from llamax_cli.errors import DataError, RecordError
from llamax_cli.instructions.data_files import is_table, read_records
from llamax_cli.instructions.fields import optional_text, record_id
from llamax_cli.instructions.questions import Question, language_from_name, stated_language
from llamax_cli.records import Record, value

INSTRUCTION = "Which answer to the question is right? Answer with its letter."
ALIASES = {"jap": "ja"}  # X-CSQA's own
SHAPE = "X-CSQA has question (stem, choices with label and text) and answerKey"


def read_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file."""
    if is_table(path):
        raise DataError(f"{path}:1: not JSON; {SHAPE}")
    default = language_from_name(path)
    for where, record in read_records(path):
        try:
            yield _question(where, record, default)
        except RecordError as error:
            raise DataError(f"{where}: {error}; {SHAPE}") from error


def _question(where: str, record: Record, default: str) -> Question:
    question = value(record, "question")
    if not isinstance(question, dict) or not isinstance(question.get("stem"), str):
        raise RecordError("'question' has no 'stem'")
    choices = _choices(question.get("choices"))
    labels = tuple(label for label, _ in choices)
    gold = optional_text(record, "answerKey")
    if gold and gold not in labels:
        raise RecordError(f"the answer {gold!r} is not one of the choices {', '.join(labels)}")
    lang = stated_language(record, where, default, ALIASES)
    problem = "\n".join([question["stem"], *(f"{label}. {choice}" for label, choice in choices)])
    return Question(INSTRUCTION, problem, gold, gold, labels, lang, record_id(record))


def _choices(choices: Any) -> list[tuple[str, str]]:
    """Return label and text of each choice."""
    if isinstance(choices, dict) and all(isinstance(choices.get(key), list) for key in ("label", "text")):
        pairs = list(zip_longest(choices["label"], choices["text"]))
    elif isinstance(choices, list) and all(isinstance(choice, dict) for choice in choices):
        pairs = [(choice.get("label"), choice.get("text")) for choice in choices]
    else:
        raise RecordError("'question' has no 'choices'")
    if not all(isinstance(cell, str) for pair in pairs for cell in pair) or len(dict(pairs)) < max(2, len(pairs)):
        raise RecordError("each choice needs a 'text' and a 'label' of its own")
    return pairs
