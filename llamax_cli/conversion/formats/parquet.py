"""Parquet files, read in batches of the columns that are used (columns.py finds those of the texts)."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from llamax_cli.conversion.formats.columns import Column, validated
from llamax_cli.conversion.formats.record_tables import open_table
from llamax_cli.conversion.segments import Corpus, CorpusRequest
from llamax_cli.errors import DataError, FileError, UsageError
from llamax_cli.records import Record
from llamax_cli.streams.inputs import Input

MAGIC = b"PAR1"
BATCH = 4096  # rows


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file."""
    return [_open(request, path) for path in request.paths]


def _open(request: CorpusRequest, path: str) -> Corpus:
    source = request.input(path)
    if not source.head().startswith(MAGIC):
        raise DataError(f"{source.name}: not a Parquet file")
    if source.size() is None:
        raise UsageError(f"{source.name}: Parquet is read from its end; save it to a file first")

    def read(columns: Sequence[Column]) -> Iterator[Any]:
        with _open_table(source) as table:
            # One row group at a time, because Arrow keeps in memory what it has read of one request.
            for group in range(table.num_row_groups):
                names = [str(column) for column in columns]
                yield from validated(table.iter_batches(BATCH, row_groups=[group], columns=names))

    with _open_table(source) as table:  # names of columns are decoded as they are looked at, which may fail
        return open_table(request.corpus_name(path, without=".parquet"), source, request, table.schema_arrow, read)


def rows(source: Input) -> Iterator[Record]:
    """Yield the rows of a file as objects, without nulls."""
    if source.size() is None:
        raise UsageError(f"{source.name}: Parquet is read from its end; save it to a file first")
    with _open_table(source) as table:
        for batch in validated(table.iter_batches(BATCH)):
            yield from ({key: value for key, value in row.items() if value is not None} for row in batch.to_pylist())


@contextmanager
def _open_table(source: Input) -> Iterator[Any]:
    """Open the file; an error of the system becomes a FileError, another one of Arrow a DataError of one line."""
    if source.hashing and source.sha256 is None:
        # For the hash in the manifest, because Arrow reads the parts of the file in its own order.
        for _ in source.blocks():
            pass
    arrow = import_module("pyarrow")
    try:
        with import_module("pyarrow.parquet").ParquetFile(source.path) as table:
            yield table
    except (OSError, arrow.ArrowException, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # those of Arrow itself have no number
            raise FileError(f"{source.name}: {os.strerror(error.errno).lower()}") from error
        reason = str(error).partition("\n")[0]
        raise DataError(f"{source.name}: broken Parquet: {reason}") from error
