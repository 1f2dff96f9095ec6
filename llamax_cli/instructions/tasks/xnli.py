"""XNLI: does a premise entail a hypothesis?

The readable files are:

    xnli.dev.tsv, xnli.test.tsv     a header with language, gold_label, sentence1, sentence2
    multinli.train.en.tsv           a header with premise, hypo, label ("contradictory")
    dev-en.tsv (XTREME)             premise, hypothesis, label, without a header
    *.jsonl of XNLI, MultiNLI       gold_label, sentence1, sentence2
    *.jsonl of Hugging Face         premise, hypothesis, label (0, 1, 2)

A question has no answer if its label is "-" (no agreement), empty or null. A file that has no labels at all is an
error.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from llamax_cli.console import counted
from llamax_cli.errors import DataError, RecordError
from llamax_cli.instructions.data_files import is_table, read_records, read_rows
from llamax_cli.instructions.fields import optional_scalar
from llamax_cli.instructions.questions import LANGUAGE, Question, language_from_name, stated_language
from llamax_cli.records import text

INSTRUCTION = "Does the premise entail the hypothesis? Answer with entailment, neutral or contradiction."
LABELS = ("entailment", "neutral", "contradiction")  # in the order of their numbers
PREMISE = ("sentence1", "premise")
HYPOTHESIS = ("sentence2", "hypothesis", "hypo")
LABEL = ("gold_label", "label")
UNLABELLED = ("-", "", "-1")
SHAPE = "XNLI has premise, hypothesis and label"


def read_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file."""
    default = language_from_name(path)
    for where, row in _table(path) if is_table(path) else _records(path):
        premise, hypothesis, label = (_cell(row, names, where) for names in (PREMISE, HYPOTHESIS, LABEL))
        gold = _gold(label, where)
        lang = stated_language(dict(row), where, default)
        problem = f"Premise: {premise}\nHypothesis: {hypothesis}"
        yield Question(INSTRUCTION, problem, gold, gold, LABELS, lang, row.get("pairID") or None)


def _table(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    header: list[str] = []
    for where, cells in read_rows(path):
        if not header and (set(cells) & set(LABEL)):
            header = cells
            continue
        header = header or ["premise", "hypothesis", "label"]
        if len(cells) != len(header):
            raise DataError(f"{where}: {counted(len(cells), 'column')}, not {len(header)}; {SHAPE}, separated by tabs")
        yield where, dict(zip(header, cells, strict=True))


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    for where, record in read_records(path):
        try:
            row = {key: text(record, key) for key in (*PREMISE, *HYPOTHESIS) if key in record}
            row |= {key: optional_scalar(record, key) for key in (*LABEL, *LANGUAGE, "pairID") if key in record}
        except RecordError as error:
            raise DataError(f"{where}: {error}") from error
        yield where, row


def _cell(row: Mapping[str, str], names: tuple[str, ...], where: str) -> str:
    name = next((name for name in names if name in row), None)
    if name is None:
        raise DataError(f"{where}: no {names[0]!r} (it has {', '.join(row) or 'no known key'}); {SHAPE}")
    return row[name]


def _gold(label: str, where: str) -> str:
    label = "contradiction" if label == "contradictory" else label
    if label in UNLABELLED:
        return ""
    if label in LABELS:
        return label
    if label.isdecimal() and int(label) < len(LABELS):
        return LABELS[int(label)]
    raise DataError(f"{where}: {label!r} is not a label of XNLI; have: {', '.join(LABELS)}, or 0, 1 and 2")
