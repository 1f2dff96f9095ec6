"""MGSM, and GSM8K, on which models are tuned for it: word problems whose answer is a number.

The readable files are:

    mgsm_sw.tsv         question and number, without a header
    GSM8K's *.jsonl     question, answer: the solution and, after "####", the number
    Hugging Face's MGSM question, answer (may be null), answer_number

A problem whose number is empty or null has no answer.

A model learns the solution, without GSM8K's calculator annotations (`<<48/2=24>>`), and then `The answer is 24.`
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from llamax_cli.console import counted
from llamax_cli.errors import DataError, RecordError
from llamax_cli.instructions.data_files import is_table, read_records, read_rows
from llamax_cli.instructions.fields import optional_scalar, optional_text
from llamax_cli.instructions.questions import Question, language_from_name, stated_language
from llamax_cli.records import Record, text

INSTRUCTION = "Solve the problem step by step. End with the answer, a number."
CONCLUSION = "The answer is"
CALCULATION = re.compile(r"<<[^>]*>>")
NUMBER = re.compile(r"[-−]?\d+(?:[.,]\d+)*")
THOUSANDS = re.compile(r"[-−]?\d{1,3}(,\d{3})+(\.\d+)?")
SHAPE = "MGSM has question and number, separated by a tab; GSM8K has question and answer, with '####' before the number"


def read_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file."""
    default = language_from_name(path)
    for where, problem, solution, gold, lang in _table(path, default) if is_table(path) else _records(path, default):
        answer = parse_number(gold)
        if gold and answer is None:
            raise DataError(f"{where}: {gold!r} is not a number; {SHAPE}")
        conclusion = f"{CONCLUSION} {answer}." if answer else ""
        response = f"{solution}\n{conclusion}" if solution and conclusion else conclusion
        yield Question(INSTRUCTION, problem, response, answer or "", (), lang)


def _table(path: Path, lang: str) -> Iterator[tuple[str, str, str, str, str]]:
    for where, cells in read_rows(path):
        if len(cells) != 2:
            raise DataError(f"{where}: {counted(len(cells), 'column')}, not 2; {SHAPE}")
        yield where, cells[0].strip(), "", cells[1].strip(), lang


def _records(path: Path, default: str) -> Iterator[tuple[str, str, str, str, str]]:
    for where, record in read_records(path):
        try:
            yield where, text(record, "question"), *_answer(record), stated_language(record, where, default)
        except RecordError as error:
            raise DataError(f"{where}: {error}; {SHAPE}") from error


def _answer(record: Record) -> tuple[str, str]:
    """Return the solution and the number."""
    solution, mark, gold = optional_text(record, "answer").partition("####")
    if not mark and "answer_number" not in record and (solution or "answer" not in record):
        raise RecordError("no '####' in 'answer'")
    gold = optional_scalar(record, "answer_number") or gold
    return CALCULATION.sub("", solution).strip(), gold.strip()


def final_number(response: str) -> str | None:
    """Return the number that a response ends with: the one after the last `The answer is`, otherwise the last one.

    `final_number("2 x 9 = 18. The answer is 1,018.00.") -> "1018"`; None if there is none.
    """
    _, concluded, rest = response.rpartition(CONCLUSION)
    match = NUMBER.search(rest) if concluded else None
    last = match[0] if match else next(reversed(NUMBER.findall(response)), None)
    return parse_number(last) if last is not None else None


def parse_number(numeral: str) -> str | None:
    """Return a number in a form that can be compared: `parse_number("1,018.50") -> "1018.5"`; None if it is not one.

    Digits may be of any script. A comma between thousands is dropped; any other comma is a decimal comma.
    """
    plain = numeral.strip().replace("−", "-")
    plain = plain.replace(",", "") if THOUSANDS.fullmatch(plain) else plain.replace(",", ".")
    try:
        number = Decimal(plain).normalize()
    except InvalidOperation:
        return None
    return f"{number:f}" if number.is_finite() else None
