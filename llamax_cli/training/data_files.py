"""A check of data files before they are used: each must exist and be uncompressed."""

import os
from pathlib import Path

from llamax_cli.errors import DataError, FileError, because
from llamax_cli.streams.compression import LONGEST_MAGIC, compression_of


def stat_uncompressed(path: Path) -> os.stat_result:
    """Return the status of a file; FileError where it cannot be read, DataError where it is compressed."""
    try:
        status = path.stat()
        with path.open("rb") as file:
            head = file.read(LONGEST_MAGIC)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    if compression_of(head):
        raise DataError(f"{path} is compressed; records are read in any order, so unpack it first")
    return status
