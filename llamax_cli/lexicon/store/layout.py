"""The format of a compiled lexicon: one file, written once, that begins with an LMDB database.

    pages       LMDB pages: `language NUL word` -> checksum, translations, their languages, numbers of the sources
    metadata    a JSON object: statistics by language, names of the sources, number of entries, hash of the entries
    footer      lengths and hashes of the two parts, format number, magic bytes

The value of a word is `Haus NUL domicile U+0001 maison NUL de,fr NUL 0,3`, which parses ten times as fast as JSON. A
key that would exceed LMDB's limit of 511 bytes is cut and ends in a hash; its value then ends in `U+0001 word`.

The footer is written last, so a file without one is incomplete.
"""

import os
import struct
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

import msgspec
from xxhash import xxh3_128, xxh3_128_digest

from llamax_cli.documents import decode
from llamax_cli.errors import FileError, LexiconError, because
from llamax_cli.lexicon.statistics import LanguageStatistics

FORMAT = 2
FOOTER = struct.Struct("<QQ16s16sI8s")  # the fields of Footer
MAGIC = b"llamaxLX"
LMDB_MAGIC, LMDB_MAGIC_OFFSET = b"\xde\xc0\xef\xbe", 16
MAX_KEY_BYTES = 511  # LMDB's limit
KEY_HASH_BYTES = 16
CHECKSUM_BYTES = 4  # xxh32 of a value, in front of it
HASH_WINDOW = 32 << 20  # bytes of a file that are mapped into memory and hashed at a time

# Separators in keys and values; spaced.h has the same ones.
FIELD_SEPARATOR = "\0"
ITEM_SEPARATOR = "\1"  # between synonyms, and between the sources of a row
LIST_SEPARATOR = ","  # between languages, and between numbers of sources


class Footer(NamedTuple):
    """The last bytes of a file: lengths of the two parts in bytes, their hashes, format number and magic bytes."""

    pages: int
    metadata: int
    pages_hash: bytes
    metadata_hash: bytes
    format: int
    magic: bytes


class Metadata(msgspec.Struct):
    """Number of entries, names of the sources by their number, statistics by language, and hash of the entries."""

    entries: int
    sources: list[str]
    languages: dict[str, LanguageStatistics]
    fingerprint: str = ""  # lexicons of version 0.1 have none


def key_of(lang: str, word: str) -> bytes:
    """Return the key of a word, which has at most MAX_KEY_BYTES."""
    key = f"{lang}\0{word}".encode()
    return key if len(key) <= MAX_KEY_BYTES else key[: MAX_KEY_BYTES - KEY_HASH_BYTES] + xxh3_128_digest(key)


def hash_of_head(file: int, size: int) -> bytes:
    """Return the hash of the first bytes of a file by its descriptor; mapping is three times as fast as reading."""
    state = xxh3_128()
    for start in range(0, size, HASH_WINDOW):
        with mmap(file, min(HASH_WINDOW, size - start), access=ACCESS_READ, offset=start) as window:
            state.update(window)
    return state.digest()


def read_end(path: Path) -> tuple[Footer, Metadata]:
    """Return the footer and the metadata of a compiled lexicon; raise LexiconError if the file is not valid."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - FOOTER.size))
            tail = file.read(FOOTER.size)
            footer = Footer(*FOOTER.unpack(tail)) if len(tail) == FOOTER.size else None
            if footer is None or footer.magic != MAGIC:
                file.seek(LMDB_MAGIC_OFFSET)
                if file.read(len(LMDB_MAGIC)) == LMDB_MAGIC:
                    raise LexiconError(f"{path} is cut short; build it again")
                raise LexiconError(
                    f"{path} is not a compiled lexicon; to make one: llamax build-lexicon ... -o FILE.lex"
                )
            if footer.format != FORMAT:
                raise LexiconError(f"{path} has format {footer.format} instead of {FORMAT}; build it again")
            if size != footer.pages + footer.metadata + FOOTER.size:
                raise damaged(path)
            file.seek(footer.pages)
            metadata = file.read(footer.metadata)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    if xxh3_128_digest(metadata) != footer.metadata_hash:
        raise damaged(path)
    try:
        return footer, decode(metadata, Metadata)
    except ValueError as error:
        raise damaged(path) from error


def damaged(path: str | Path) -> LexiconError:
    """Return the error for a file whose bytes have changed since it was written."""
    return LexiconError(f"{path} is damaged; build it again")
