"""Records as a table, in place of lines of JSON: Markdown, CSV or LaTeX."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from llamax_cli.streams.outputs import Output, open_output

Records: TypeAlias = Sequence[dict[str, Any]]


class Table:
    """An output that takes lines of records and writes them as one table at the end.

    A column for each key, in the order in which keys come. CSV keeps every digit. Markdown and LaTeX round as papers
    do, p-values to four decimals and all else to two, and have the signatures below the table.
    """

    def __init__(self, path: Path | None, form: str) -> None:
        self._file: Output = open_output(path)
        self._form = form
        self._lines: list[bytes] = []
        self.name = self._file.name

    def write(self, data: bytes) -> None:
        """Take whole lines of records."""
        self._lines.append(data)

    def finish(self) -> None:
        """Write the table and make it last."""
        records = msgspec.json.Decoder(dict[str, Any]).decode_lines(b"".join(self._lines))
        self._file.write(FORMS[self._form](records).encode())
        self._file.finish()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def markdown(records: Records) -> str:
    """Return a table of Markdown."""
    columns = _columns(records)
    right = ["---:" if _is_numeric(records, column) else "---" for column in columns]
    rows = [columns, right, *([_shown(record, column).replace("|", r"\|") for column in columns] for record in records)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, *(f"\n`{each}`" for each in _signatures(records))]) + "\n"


def comma_separated(records: Records) -> str:
    """Return lines of CSV."""
    text = io.StringIO()
    columns = list(dict.fromkeys(key for record in records for key in record))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def latex(records: Records) -> str:
    """Return a `tabular` for the package booktabs."""
    columns = _columns(records)
    aligned = "".join("r" if _is_numeric(records, column) else "l" for column in columns)
    rows = [columns, *([_shown(record, column) for column in columns] for record in records)]
    head, *body = (" & ".join(map(_escaped, row)) + r" \\" for row in rows)
    lines = [
        rf"\begin{{tabular}}{{{aligned}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join([*lines, *(f"% {each}" for each in _signatures(records))]) + "\n"


FORMS: dict[str, Callable[[Records], str]] = {"md": markdown, "csv": comma_separated, "latex": latex}


def _columns(records: Records) -> list[str]:
    return [key for key in dict.fromkeys(key for record in records for key in record) if key != "signature"]


def _signatures(records: Records) -> list[str]:
    """Return what stands below a table: "spbleu nrefs:1|case:mixed|...", each once."""
    return list(dict.fromkeys(f"{each['metric']} {each['signature']}" for each in records if each.get("signature")))


def _is_numeric(records: Records, column: str) -> bool:
    return all(isinstance(record.get(column), int | float | None) for record in records)


def _shown(record: dict[str, Any], column: str) -> str:
    cell = record.get(column)
    if isinstance(cell, float):
        return f"{cell:.4f}" if column.startswith("p_") else f"{cell:.2f}"
    return "" if cell is None else str(cell)


def _escaped(cell: str) -> str:
    return "".join(f"\\{mark}" if mark in "&%$#_{}" else mark for mark in cell)
