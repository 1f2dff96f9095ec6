"""Parquet files: batch by batch, and of each only the columns that are used (columns.py says which hold the texts)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from llamax_cli.conversion.formats.columns import Column, Rows
from llamax_cli.conversion.segments import Corpus, CorpusRequest
from llamax_cli.errors import DataError, UsageError
from llamax_cli.streams.inputs import Input

MAGIC = b"PAR1"
BATCH = 4096  # rows


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return one corpus a file."""
    return [_open(request, path) for path in request.paths]


def _open(request: CorpusRequest, path: str) -> Rows:
    source = request.input(path)
    if not source.head().startswith(MAGIC):
        raise DataError(f"{source.name}: not a Parquet file")
    if source.size() is None:
        raise UsageError(f"{source.name}: Parquet is read from its end; save it to a file first")

    def read(places: Sequence[Column]) -> Iterator[Any]:
        with _table(source) as table:
            # One row group at a time: asked for all of them, Arrow holds on to what it has read.
            for group in range(table.num_row_groups):
                yield from table.iter_batches(BATCH, row_groups=[group], columns=[str(place) for place in places])

    with _table(source) as table:
        schema = table.schema_arrow
    return Rows(request.corpus_name(path, without=".parquet"), source.name, request, schema, read)


@contextmanager
def _table(source: Input) -> Iterator[Any]:
    """Open the file; what Arrow says of a broken one is a DataError in one line."""
    if source.hashing and source.sha256 is None:
        # Arrow reads parts of the file in an order of its own, and the manifest wants the hash of the whole.
        for _ in source.blocks():
            pass
    arrow = import_module("pyarrow")
    try:
        with import_module("pyarrow.parquet").ParquetFile(source.path) as table:
            yield table
    except (OSError, arrow.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{source.name}: broken Parquet: {reason}") from error
