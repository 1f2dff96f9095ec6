"""Checks of data files before they are used: they exist and are not compressed."""

import os
from pathlib import Path

from llamax_cli.errors import DataError, FileError, because
from llamax_cli.streams.compression import LONGEST_MAGIC, compression_of


def stat_uncompressed(path: Path) -> os.stat_result:
    """Return the status of an uncompressed file; FileError if it cannot be read, DataError if it is compressed."""
    try:
        status = path.stat()
        with path.open("rb") as file:
            head = file.read(LONGEST_MAGIC)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    if compression_of(head):
        raise DataError(f"{path} is compressed; training reads records in random order, so decompress it first")
    return status
