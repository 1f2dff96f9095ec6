"""MGSM, and GSM8K, on which a model is tuned for it: a problem in words, the answer a number.

These files are read:

    mgsm_sw.tsv         question, number, without a header
    GSM8K's *.jsonl     question, answer: the way there and, after "####", the number
    Hugging Face's MGSM question, answer (may be null), answer_number

A number that is empty or null leaves a problem without an answer.

A model learns the way, without GSM8K's marks for a calculator (`<<48/2=24>>`), and then `The answer is 24.`
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from llamax_cli.errors import DataError, RecordError
from llamax_cli.instructions.data_files import is_table, items, rows
from llamax_cli.instructions.forms import optional, written
from llamax_cli.instructions.questions import Question, language_in
from llamax_cli.records import Record, text

INSTRUCTION = "Solve the problem step by step. End with the answer, a number."
CONCLUSION = "The answer is"
CALCULATION = re.compile(r"<<[^>]*>>")
NUMBER = re.compile(r"[-−]?\d+(?:[.,]\d+)*")
THOUSANDS = re.compile(r"[-−]?\d{1,3}(,\d{3})+(\.\d+)?")
SHAPE = "MGSM has question and number between a tab, GSM8K question and answer with '####' before the number"


def questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file."""
    lang = language_in(path)
    for where, asked, way, gold in _table(path) if is_table(path) else _records(path):
        found = number(gold)
        if gold and found is None:
            raise DataError(f"{where}: {gold!r} is no number; {SHAPE}")
        conclusion = f"{CONCLUSION} {found}." if found else ""
        answer = f"{way}\n{conclusion}" if way and conclusion else conclusion
        yield Question(where, INSTRUCTION, asked, answer, found or "", (), lang)


def _table(path: Path) -> Iterator[tuple[str, str, str, str]]:
    for where, cells in rows(path):
        if len(cells) != 2:
            raise DataError(f"{where}: {len(cells)} columns, not 2; {SHAPE}")
        yield where, cells[0].strip(), "", cells[1].strip()


def _records(path: Path) -> Iterator[tuple[str, str, str, str]]:
    for where, record in items(path):
        try:
            yield where, text(record, "question"), *_answer(record)
        except RecordError as error:
            raise DataError(f"{where}: {error}; {SHAPE}") from error


def _answer(record: Record) -> tuple[str, str]:
    """Return the way to the answer, and the number."""
    way, mark, gold = optional(record, "answer").partition("####")
    if not mark and "answer_number" not in record and (way or "answer" not in record):
        raise RecordError("no '####' in 'answer'")
    gold = written(record, "answer_number") or gold
    return CALCULATION.sub("", way).strip(), gold.strip()


def final(said: str) -> str | None:
    """Return the number in which an answer ends: the one after the last `The answer is`, otherwise the last one.

    `final("2 x 9 = 18. The answer is 1,018.00.") -> "1018"`; None where there is none.
    """
    _, concluded, rest = said.rpartition(CONCLUSION)
    found = NUMBER.search(rest) if concluded else None
    last = found[0] if found else next(reversed(NUMBER.findall(said)), None)
    return number(last) if last is not None else None


def number(written: str) -> str | None:
    """Return a number as it is compared: `number("1,018.50") -> "1018.5"`; None where it is none.

    Digits of any script count; a comma between thousands goes, and any other is a decimal comma.
    """
    plain = written.strip().replace("−", "-")
    plain = plain.replace(",", "") if THOUSANDS.fullmatch(plain) else plain.replace(",", ".")
    try:
        found = Decimal(plain).normalize()
    except InvalidOperation:
        return None
    return f"{found:f}" if found.is_finite() else None
