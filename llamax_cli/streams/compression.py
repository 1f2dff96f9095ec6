"""Compression: gzip, zstd, bzip2 and xz, detected by the first bytes of an input and the ending of an output."""

import io
import sys
import zlib
from typing import Any, BinaryIO, cast

MAGIC = {
    b"\x1f\x8b": "gz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"\x50\x2a\x4d\x18": "zst",  # the skippable frame at the start of a pzstd file
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
}
LONGEST_MAGIC = 6
DECOMPRESSION_ERRORS = [
    ("lzma", "LZMAError"),
    ("isal.isal_zlib", "error"),
    ("zlib_ng.zlib_ng", "error"),
    ("backports.zstd", "ZstdError"),
    ("compression.zstd", "ZstdError"),
    ("zstandard", "ZstdError"),
]
ENDINGS = {".gz": "gz", ".zst": "zst", ".bz2": "bz2", ".xz": "xz"}


def compression_of(head: bytes) -> str | None:
    """Return the compression of data that starts with `head`, or None if it is not compressed."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


def may_begin(head: bytes) -> bool:
    """Return whether `head` is an incomplete start of compressed data: `may_begin(b"B") -> True`."""
    return any(head and head != magic and magic.startswith(head) for magic in MAGIC)


def decompressed(stream: BinaryIO, compression: str) -> BinaryIO:
    """Return a stream of the decompressed data."""
    from xopen import xopen

    # threads=0 keeps the decompressor in this process: the piped zstd of xopen ends silently if a file is cut short.
    opened = xopen(stream, "rb", threads=0, format=compression)
    return opened if hasattr(opened, "read1") else io.BufferedReader(cast("Any", opened))


def decompression_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of the decompressors that are loaded; xopen chooses among several."""
    errors: list[type[Exception]] = [zlib.error]
    for module, name in DECOMPRESSION_ERRORS:
        if module in sys.modules:
            errors.append(getattr(sys.modules[module], name))
    return tuple(errors)


def compressed(text: bytes, compression: str) -> bytes:
    """Return the text as one compressed block; blocks can be joined."""
    from xopen import xopen

    block = io.BytesIO()
    with xopen(block, "wb", threads=0, format=compression) as stream:
        stream.write(text)
    return block.getvalue()
