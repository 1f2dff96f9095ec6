"""The four compressions: told by their first bytes when read, by the ending of the name when written."""

import io
import sys
import zlib
from typing import Any, BinaryIO, cast

MAGIC = {
    b"\x1f\x8b": "gz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"\x50\x2a\x4d\x18": "zst",  # the skippable frame that pzstd opens with
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
    """Return the compression of data that begins so, None where there is none."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


def may_begin(head: bytes) -> bool:
    """Return whether more bytes may make the head of compressed data of this: `may_begin(b"B") -> True`."""
    return any(head and head != magic and magic.startswith(head) for magic in MAGIC)


def decompressed(stream: BinaryIO, compression: str) -> BinaryIO:
    """Return a stream of the data in a compressed one."""
    from xopen import xopen

    # threads=0 keeps the decompressor in this process: the piped zstd of xopen ends silently where a file is torn.
    opened = xopen(stream, "rb", threads=0, format=compression)
    return opened if hasattr(opened, "read1") else io.BufferedReader(cast("Any", opened))


def decompression_errors() -> tuple[type[Exception], ...]:
    """Return what decompressors raise; of those that xopen may choose from, only what it has loaded can have raised."""
    errors: list[type[Exception]] = [zlib.error]
    for module, name in DECOMPRESSION_ERRORS:
        if module in sys.modules:
            errors.append(getattr(sys.modules[module], name))
    return tuple(errors)


def compressed(text: bytes, compression: str) -> bytes:
    """Return the text as one compressed block, which can be joined to others."""
    from xopen import xopen

    block = io.BytesIO()
    with xopen(block, "wb", threads=0, format=compression) as stream:
        stream.write(text)
    return block.getvalue()
