"""Files of data, looked at before they are used: there, and not compressed."""

import os
from pathlib import Path

from llamax_cli.errors import DataError, FileError, because
from llamax_cli.streams.compression import LONGEST_MAGIC, compression_of


def stat_uncompressed(path: Path) -> os.stat_result:
    """Return the status of a file whose records can be read in any order; FileError or DataError for another."""
    try:
        status = path.stat()
        with path.open("rb") as file:
            head = file.read(LONGEST_MAGIC)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    if compression_of(head):
        raise DataError(f"{path} is compressed; records are read in any order, so unpack it first")
    return status
