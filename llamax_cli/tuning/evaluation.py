"""Accuracy of a model on the questions of a task, by language."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from llamax_cli import __version__
from llamax_cli.console import Progress, say
from llamax_cli.errors import DataError
from llamax_cli.instructions.questions import Question, questions
from llamax_cli.instructions.tasks.mgsm import final
from llamax_cli.records import serialise

UNANSWERED, TOO_LONG = "without an answer in the file", "longer than the model takes"


class Tally:
    """How many questions of each language there are, and how many were answered right."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()

    def add(self, question: Question, answer: str | None) -> None:
        """Count a question with its answer, None where the model could not be asked."""
        if answer is None:
            self.left_out[TOO_LONG] += 1
            return
        self.asked[question.lang] += 1
        self.right[question.lang] += answer == question.gold

    def records(self, task: str, by: str) -> list[dict[str, Any]]:
        """Return the accuracy of each language in percent, in the order of the files."""
        signature = f"task:{task}|by:{by}|prompt:llamax-alpaca|version:{__version__}"
        return [
            {"task": task, "lang": lang, "metric": "accuracy", "score": round(self._score(lang), 4)}
            | {"signature": signature, "n": count}
            for lang, count in self.asked.items()
        ]

    def _score(self, lang: str) -> float:
        return 100 * self.right[lang] / self.asked[lang]

    def summary(self, task: str) -> str:
        """Return it in a line: `xnli: 61.2 over 2 languages, 4,980 questions`."""
        mean = sum(map(self._score, self.asked)) / len(self.asked)
        over = f" on average over {len(self.asked)} languages" if len(self.asked) > 1 else ""
        line = f"{task}: accuracy {mean:.1f}{over}, {self.asked.total():,} questions"
        left_out = ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
        return f"{line}; left out: {left_out}" if left_out else line


def evaluate(model: str, task: str, files: Sequence[Path], *, quiet: bool) -> None:
    """Write the accuracy of each language as records to standard output."""
    started = time.monotonic()
    tally = Tally()
    asked = _asked((question for path in files for question in questions(path, task)), tally)
    if not asked:
        raise DataError(f"{', '.join(map(str, files))}: no question has an answer to compare with")
    from llamax_cli.tuning.answering import answerer

    progress = Progress("tune", enabled=not quiet)
    found = answerer(model, asked, final)
    try:
        for done, (place, answer) in enumerate(found.answer(asked), 1):
            tally.add(asked[place], answer)
            progress.update(done, lambda done=done: (done, len(asked)))  # type: ignore[misc]
    finally:
        progress.close()
    if not tally.asked:
        raise DataError(f"{', '.join(map(str, files))}: all questions are {TOO_LONG}")
    sys.stdout.buffer.write(serialise(tally.records(task, found.name)))
    sys.stdout.flush()
    if not quiet:
        say("tune", f"{tally.summary(task)}; {time.monotonic() - started:.1f} s")


def _asked(found: Iterable[Question], tally: Tally) -> list[Question]:
    """Return the questions whose answer is known; the others are counted."""
    asked = []
    for question in found:
        if question.gold:
            asked.append(question)
        else:
            tally.left_out[UNANSWERED] += 1
    return asked
