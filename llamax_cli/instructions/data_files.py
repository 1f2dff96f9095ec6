"""Readers of data files: records in a JSON array or in JSON lines, and rows of tab-separated tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from llamax_cli.errors import DataError, RecordError
from llamax_cli.records import Record, parse
from llamax_cli.streams.chunks import chunks
from llamax_cli.streams.inputs import Input

_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class LocatedRecord(NamedTuple):
    """A record and where it is: `alpaca.jsonl:17`, or `alpaca.json: record 17` in an array."""

    where: str
    record: Record


def read_records(path: Path) -> Iterator[LocatedRecord]:
    """Yield the records of a file, compressed or not; DataError, with the place, for what is not a record."""
    if Input(path).head().lstrip().startswith(b"["):
        yield from _read_array(path)
        return
    for number, line in read_lines(path):
        where = f"{path}:{number}"
        yield LocatedRecord(where, _parse_at(where, line))


def _parse_at(where: str, content: bytes) -> Record:
    try:
        return parse(content)
    except RecordError as error:
        raise DataError(f"{where}: {error}") from error


def _read_array(path: Path) -> Iterator[LocatedRecord]:
    try:
        records = _array(b"".join(Input(path).blocks()))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error).removeprefix("JSON is malformed: ").replace("`", "'").lower()
        raise DataError(f"{path}: not an array of records: {reason}") from error
    for number, raw in enumerate(records, 1):
        where = f"{path}: record {number}"
        yield LocatedRecord(where, _parse_at(where, bytes(raw)))


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (number, line) for each line of a file, compressed or not."""
    for chunk in chunks([Input(path)]):
        yield from enumerate(chunk.data.split(b"\n")[:-1], chunk.line)


def is_table(path: Path) -> bool:
    """Return whether a file does not look like JSON."""
    return not Input(path).head().lstrip().startswith((b"{", b"["))


def read_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (place, cells) for each line of a tab-separated table without quoting."""
    for number, line in read_lines(path):
        where = f"{path}:{number}"
        try:
            yield where, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r").split("\t")
        except UnicodeDecodeError as error:
            raise DataError(f"{where}: not UTF-8: byte 0x{line[error.start]:02x}") from error
