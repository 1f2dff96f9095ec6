"""Text files line by line: what ends a line, what is not text, and the name of a file without its compression."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from llamax_cli.errors import DataError, RecordError
from llamax_cli.streams.chunks import Chunk, chunks
from llamax_cli.streams.compression import ENDINGS
from llamax_cli.streams.inputs import Input


def bare(path: str | Path) -> str:
    """Return the name of a file without the ending of its compression: `bare("a/b.en.gz") -> "b.en"`."""
    name = Path(path).name
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)


def lines(source: Input) -> Iterator[bytes]:
    """Yield the lines of a text file without their ends, which are "\\n" or "\\r\\n" and nothing else.

    A byte order mark at the start of the file is removed: it tells the encoding and is not text.
    """
    for chunk in unmarked(source):
        yield from _split(chunk.data)


class Bad(NamedTuple):
    """A line that is not text: the reason, and its bytes."""

    reason: str
    raw: bytes


def texts(source: Input) -> Iterator[str | Bad]:
    """Yield the lines of a text file (see `lines`) as text, or as Bad where a line is not text."""
    for chunk in unmarked(source):
        yield from texts_of(chunk.data)


def texts_of(data: bytes) -> list[str | Bad]:
    """Return whole lines as text: `texts_of(b"a\\r\\nb\\n") -> ["a", "b"]`."""
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        whole = "\0"
    if "\0" in whole:
        return list(map(_text_or_bad, _split(data)))
    split = whole.split("\n")
    split.pop()
    return [line.removesuffix("\r") for line in split] if "\r" in whole else cast("list[str | Bad]", split)


def unmarked(source: Input) -> Iterator[Chunk]:
    """Yield the chunks of a text file without its byte order mark; DataError if it is in UTF-16."""
    for place, chunk in enumerate(chunks([source])):
        yield chunk if place else chunk._replace(data=_unmarked(source.name, chunk.data))


def _split(data: bytes) -> list[bytes]:
    split = data.split(b"\n")
    split.pop()
    return [line.removesuffix(b"\r") for line in split]


def _text_or_bad(line: bytes) -> str | Bad:
    try:
        return decode(line)
    except RecordError as error:
        return Bad(str(error), line)


def _unmarked(name: str, data: bytes) -> bytes:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{name}: UTF-16, not UTF-8; convert it first: iconv -f UTF-16 -t UTF-8")
    return data.removeprefix(b"\xef\xbb\xbf")


def decode(line: bytes) -> str:
    """Return the text of a line with all its white space; RecordError says why it is not text."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise RecordError(f"not UTF-8: byte 0x{line[error.start]:02x} at {error.start}") from None
    if "\0" in text:
        raise RecordError(f"NUL byte at {line.index(0)}; is this a binary or UTF-16 file?")
    return text
