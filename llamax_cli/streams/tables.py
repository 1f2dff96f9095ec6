"""Records as a table instead of lines of JSON: Markdown, CSV or LaTeX."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from llamax_cli.console import escape
from llamax_cli.streams.outputs import Output, WholeFile, open_output

Records: TypeAlias = Sequence[dict[str, Any]]
DECODER = msgspec.json.Decoder(dict[str, Any])
LATEX = {mark: f"\\{mark}" for mark in "&%$#_{}"}
LATEX |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


class Marked(float):
    """A number that Markdown and LaTeX set in bold type where it is the `best`, and follow by a `sign`, such as †.

    CSV has neither: there it is the number.
    """

    def __new__(cls, value: float, *, best: bool = False, sign: str = "") -> "Marked":
        """Return the number with its marks."""
        made = super().__new__(cls, value)
        made.best, made.sign = best, sign
        return made

    best: bool
    sign: str


class Table:
    """An output that collects lines of records and writes them as one table at the end.

    It has a column for each key, in order of appearance. CSV keeps every digit. Markdown and LaTeX round as papers do,
    p-values to four decimals and other numbers to two, and list the signatures below the table. A list or an object is
    a cell of its items: `{"Thai":5702,"Latn":64}` is `Thai 5702, Latn 64`.
    """

    def __init__(self, path: Path | None, table_format: str) -> None:
        self._file: Output = open_output(path, WholeFile)
        self._format = table_format
        self._lines: list[bytes] = []
        self.name = self._file.name

    def write(self, data: bytes) -> None:
        """Collect whole lines of records."""
        self._lines.append(data)

    def complete(self) -> None:
        """Write the table."""
        records = [_escaped(record) for record in DECODER.decode_lines(b"".join(self._lines))]
        self._file.write((FORMATS[self._format](records) if records else NOTHING[self._format]).encode())
        self._file.complete()

    def finish(self) -> None:
        """Give the complete file its name."""
        self._file.finish()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _escaped(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record whose texts hold no controls: a table is for reading, on a terminal too."""
    return {
        escape(key): value if isinstance(value, int | float | None) else escape(_plain(value))
        for key, value in record.items()
    }


def _plain(value: Any) -> str:
    """Return the text of a value as a cell has it, without the marks of JSON or Python."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def markdown(records: Records) -> str:
    """Return a Markdown table."""
    columns = _columns(records)
    alignment = ["---:" if _is_numeric(records, column) else "---" for column in columns]
    rows = [columns, *([_format_cell(record, column) for column in columns] for record in records)]
    header, *body = ([cell.replace("|", r"\|") for cell in row] for row in rows)
    for record, row in zip(records, body, strict=True):
        row[:] = [_mark(record.get(column), cell, "**", "**") for column, cell in zip(columns, row, strict=True)]
    lines = [f"| {' | '.join(row)} |" for row in (header, alignment, *body)]
    return "\n".join([*lines, *(f"\n`{signature}`" for signature in _signatures(records))]) + "\n"


def comma_separated(records: Records) -> str:
    """Return lines of CSV."""
    text = io.StringIO()
    columns = list(dict.fromkeys(key for record in records for key in record))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def latex(records: Records) -> str:
    """Return a `tabular` that uses the package booktabs."""
    columns = _columns(records)
    alignment = "".join("r" if _is_numeric(records, column) else "l" for column in columns)
    rows = [columns, *([_format_cell(record, column) for column in columns] for record in records)]
    escaped = [[_escape(cell) for cell in row] for row in rows]
    for record, row in zip(records, escaped[1:], strict=True):
        row[:] = [_mark(record.get(column), cell, r"\textbf{", "}") for column, cell in zip(columns, row, strict=True)]
    header, *body = (" & ".join(row) + r" \\" for row in escaped)
    lines = [
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        header,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join([*lines, *(f"% {signature}" for signature in _signatures(records))]) + "\n"


FORMATS: dict[str, Callable[[Records], str]] = {"md": markdown, "csv": comma_separated, "latex": latex}

# What is written where a table would have no row and no column.
NOTHING = {"md": "There are no records.\n", "csv": "", "latex": "% There are no records.\n"}


def _columns(records: Records) -> list[str]:
    return [key for key in dict.fromkeys(key for record in records for key in record) if key != "signature"]


def _signatures(records: Records) -> list[str]:
    """Return the lines below a table, each once: `"spbleu nrefs:1|case:mixed|..."`."""
    return list(
        dict.fromkeys(f"{record['metric']} {record['signature']}" for record in records if record.get("signature"))
    )


def _is_numeric(records: Records, column: str) -> bool:
    return all(isinstance(record.get(column), int | float | None) for record in records)


def _format_cell(record: dict[str, Any], column: str) -> str:
    cell = record.get(column)
    if isinstance(cell, float):
        return f"{cell:.4f}" if column.startswith("p_") else f"{cell:.2f}"
    return "" if cell is None else str(cell)


def _mark(value: Any, cell: str, before: str, after: str) -> str:
    if not isinstance(value, Marked):
        return cell
    return (f"{before}{cell}{after}" if value.best else cell) + value.sign


def _escape(cell: str) -> str:
    return "".join(LATEX.get(mark, mark) for mark in cell)
