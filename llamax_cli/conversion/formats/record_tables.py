"""Tables whose rows are records: the columns `src`, `tgt`, `src_lang` and `tgt_lang`, or `text` and `lang`.

Other columns with text, numbers, booleans or lists of them are further keys of the records. A null is a key that the
record does not have.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from llamax_cli.conversion.formats.columns import Column, ReadColumns, TableCorpus, is_plain, is_text
from llamax_cli.conversion.formats.records import Item, RecordFile
from llamax_cli.conversion.segments import Corpus, CorpusRequest, RejectLine
from llamax_cli.errors import RecordError
from llamax_cli.records import Record, serialise
from llamax_cli.streams.inputs import Input

SHAPES = ({"src", "src_lang", "tgt_lang"}, {"text", "lang"})  # columns of text that make rows records


def open_table(name: str, source: Input, request: CorpusRequest, schema: Any, read: ReadColumns) -> Corpus:
    """Return a table as a corpus; each call of `read(columns)` yields it as Arrow batches with these columns."""
    texts = {field.name for field in schema if is_text(field.type)}
    if request.columns or request.languages or not any(shape <= texts for shape in SHAPES):
        return TableCorpus(name, source.name, request, schema, read)
    columns = [Column(field.name) for field in schema if _is_value(field.type)]
    return RecordTable(name, source, request, lambda: _rows(read(columns)))


def _is_value(kind: Any) -> bool:
    types = import_module("pyarrow.types")
    is_list = types.is_list(kind) or types.is_large_list(kind)
    return _is_value(kind.value_type) if is_list else is_plain(kind)


def _rows(batches: Any) -> Iterator[Record]:
    for batch in batches:
        for row in batch.to_pylist():
            yield {key: value for key, value in row.items() if value is not None}


@dataclass(frozen=True)
class RecordTable(RecordFile):
    """A table of Pair and Mono records."""

    rows: Callable[[], Iterator[Record]]

    def spool(self) -> None:
        """Do nothing: a table is a file or a folder."""

    def read(self, read: Callable[[Record], Item], reject: RejectLine) -> Iterator[tuple[int, Item]]:
        """Yield (number, `read(record)`) for each row; `reject` gets those for which it raises RecordError."""
        for number, record in enumerate(self.rows(), 1):
            try:
                yield number, read(record)
            except RecordError as error:
                reject(self.source.name, number, str(error), serialise([record]).removesuffix(b"\n"))
