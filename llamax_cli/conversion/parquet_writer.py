"""Records as a Parquet file: a column for each key, a null where a record does not have the key."""

from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from llamax_cli.errors import DataError, UsageError
from llamax_cli.records import Record
from llamax_cli.streams.compression import ENDINGS
from llamax_cli.streams.outputs import WholeFile, open_output

ROW_GROUP_ROWS = 1 << 16
USE_RECORDS = "use --as records"
ROW_GROUP_BYTES = 32 << 20  # of records in JSON

_decode = msgspec.json.Decoder(dict[str, Any]).decode_lines


class ParquetFile:
    """An output that writes lines of records as row groups; columns and their types are those of the first one.

    Raises DataError for values that columns cannot hold, and for a key that no record of the first row group has.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None and path.suffix in ENDINGS:
            raise UsageError(f"-o {path}: Parquet compresses its columns itself; drop {path.suffix}")
        self._output = open_output(path, WholeFile)
        self.name = self._output.name
        self._rows: list[Record] = []
        self._bytes = 0
        self._schema: Any = None
        self._writer: Any = None
        self._sink = _Sink(self._output)

    def write(self, data: bytes) -> None:
        """Take lines of records, and write a row group if there are enough."""
        self._rows += _decode(data)
        self._bytes += len(data)
        if len(self._rows) >= ROW_GROUP_ROWS or self._bytes >= ROW_GROUP_BYTES:
            self._write_rows()

    def _write_rows(self) -> None:
        arrow = import_module("pyarrow")
        names = list(dict.fromkeys(key for row in self._rows for key in row))
        if self._schema is not None:
            if new := [name for name in names if name not in self._schema.names]:
                raise DataError(
                    f"no record so far has the key {new[0]!r}, and a table cannot add a column; {USE_RECORDS}"
                )
            names = self._schema.names
        columns = [self._column(name) for name in names]
        if self._schema is None:
            self._schema = arrow.schema(zip(names, (column.type for column in columns), strict=True))
            parquet = import_module("pyarrow.parquet")
            self._writer = parquet.ParquetWriter(arrow.PythonFile(self._sink, "w"), self._schema, compression="zstd")
        self._writer.write_table(arrow.Table.from_arrays(columns, schema=self._schema))
        self._rows, self._bytes = [], 0

    def _column(self, name: str) -> Any:
        """Return the values of a key; DataError if they have no common type."""
        arrow = import_module("pyarrow")
        values = [row.get(name) for row in self._rows]
        kind = None if self._schema is None else self._schema.field(name).type
        if any(isinstance(value, dict) for value in values):
            raise DataError(f"{name!r} is an object, which a column cannot hold; {USE_RECORDS}")
        try:
            column = arrow.array(values, type=kind)
        except (arrow.ArrowException, OverflowError) as error:
            raise DataError(f"{name!r} has values of different types, or too large ones; {USE_RECORDS}") from error
        return column.cast(arrow.string()) if column.type == arrow.null() else column

    def complete(self) -> None:
        """Write the remaining records and the footer."""
        if self._rows or self._writer is None:
            self._write_rows()
        self._writer.close()
        self._output.complete()

    def finish(self) -> None:
        """Give the complete file its name."""
        self._output.finish()

    def close(self) -> None:
        """Close the file, and remove it if it is not finished, because it cannot be resumed."""
        self._sink.is_closed = True
        self._output.close()


class _Sink:
    """The output as a file object for Arrow, which writes to it even as it is thrown away."""

    closed = False

    def __init__(self, output: Any) -> None:
        self._output = output
        self._position = 0
        self.is_closed = False

    def write(self, data: Any) -> int:
        block = bytes(data)
        if not self.is_closed:
            self._output.write(block)
        self._position += len(block)
        return len(block)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None: ...

    def close(self) -> None: ...
