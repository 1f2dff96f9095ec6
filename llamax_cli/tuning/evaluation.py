"""The accuracy of a model on the questions of a task, by language."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llamax_cli import __version__
from llamax_cli.console import Progress, counted, say
from llamax_cli.errors import DataError
from llamax_cli.instructions.questions import Question, read_questions
from llamax_cli.instructions.tasks.mgsm import final_number
from llamax_cli.models.contracts import ModelChoice
from llamax_cli.records import serialise

UNANSWERED, TOO_LONG = "without an answer in the file", "too long for the model"


class Accuracy:
    """Counts the questions of each language, and those that were answered correctly."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self.correct: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()

    def add(self, question: Question, answer: str | None) -> None:
        """Count a question with the model's answer, None if the question was too long for the model."""
        if answer is None:
            self.left_out[TOO_LONG] += 1
            return
        self.total[question.lang] += 1
        self.correct[question.lang] += answer == question.gold

    def records(self, task: str, predictor: str) -> list[dict[str, Any]]:
        """Return a record for each language, in the order of the files, with the accuracy in percent."""
        signature = f"task:{task}|by:{predictor}|prompt:llamax-alpaca|version:{__version__}"
        return [
            {"task": task, "lang": lang, "metric": "accuracy", "score": round(self._percent(lang), 4)}
            | {"signature": signature, "n": count}
            for lang, count in self.total.items()
        ]

    def _percent(self, lang: str) -> float:
        return 100 * self.correct[lang] / self.total[lang]

    def summary(self, task: str) -> str:
        """Return the result in one line: `xnli: accuracy 61.2 on average over 2 languages, 4,980 questions`."""
        mean = sum(map(self._percent, self.total)) / len(self.total)
        over = f" on average over {len(self.total)} languages" if len(self.total) > 1 else ""
        count = self.total.total()
        line = f"{task}: accuracy {mean:.1f}{over}, {counted(count, 'question')}"
        left_out = ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
        return f"{line}; left out: {left_out}" if left_out else line


def evaluate(choice: ModelChoice, task: str, files: Sequence[Path], *, quiet: bool) -> None:
    """Write the accuracy in each language as records to standard output."""
    started = time.monotonic()
    accuracy = Accuracy()
    questions = _with_gold([question for path in files for question in read_questions(path, task)], accuracy)
    if not questions:
        raise DataError(f"{', '.join(map(str, files))}: no question has an answer to compare with")
    method = _predict(choice, questions, accuracy, quiet=quiet)
    if not accuracy.total:
        raise DataError(f"{', '.join(map(str, files))}: all questions are {TOO_LONG}")
    sys.stdout.buffer.write(serialise(accuracy.records(task, method)))
    sys.stdout.flush()
    if not quiet:
        say("tune", f"{accuracy.summary(task)}; {time.monotonic() - started:.1f} s")


def _with_gold(questions: Sequence[Question], accuracy: Accuracy) -> list[Question]:
    """Return the questions whose answer is known, and count the others."""
    known = [question for question in questions if question.gold]
    if len(known) < len(questions):
        accuracy.left_out[UNANSWERED] += len(questions) - len(known)
    return known


def _predict(choice: ModelChoice, questions: Sequence[Question], accuracy: Accuracy, *, quiet: bool) -> str:
    """Answer the questions with a model and count the answers; return the name of the predictor."""
    from llamax_cli.tuning.predictors import open_predictor

    progress = Progress("tune", enabled=not quiet)
    predictor = open_predictor(choice, questions, final_number)
    try:
        for done, prediction in enumerate(predictor.predict(questions), 1):
            accuracy.add(questions[prediction.question], prediction.answer)
            progress.update(done, lambda done=done: (done, len(questions)))  # type: ignore[misc]
    finally:
        progress.close()
    return predictor.name
