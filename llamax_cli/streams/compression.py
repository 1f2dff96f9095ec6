"""Compression: gzip, zstd, bzip2 and xz, detected by the first bytes of an input and the ending of an output."""

import io
import sys
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, cast

MAGIC = {
    b"\x1f\x8b": "gz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"\x50\x2a\x4d\x18": "zst",  # the skippable frame at the start of a pzstd file
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
}
LONGEST_MAGIC = 6
BLOCK = 1 << 16  # compressed bytes that are decompressed at once
XZ_PADDING = 4
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
    if compression == "bz2":
        from bz2 import BZ2Decompressor

        return io.BufferedReader(cast("Any", _Members(stream, BZ2Decompressor)))
    if compression == "xz":
        from lzma import FORMAT_XZ, LZMADecompressor

        return io.BufferedReader(
            cast("Any", _Members(stream, partial(LZMADecompressor, FORMAT_XZ), padding=XZ_PADDING))
        )
    from xopen import xopen

    # threads=0 keeps the decompressor in this process: the piped zstd of xopen ends silently if a file is cut short.
    opened = xopen(stream, "rb", threads=0, format=compression)
    return opened if hasattr(opened, "read1") else io.BufferedReader(cast("Any", opened))


class _Members(io.RawIOBase):
    """The decompressed bytes of bzip2 or xz streams, of which a file may hold several.

    Python's own files end in silence at the first bytes behind a stream that do not begin another one. These raise the
    error of the decompressor there, except for the zero bytes, a multiple of `padding`, that xz allows.
    """

    def __init__(self, source: BinaryIO, make: Callable[[], Any], padding: int = 0) -> None:
        self._source: Any = source
        self._make = make
        self._padding = padding
        self._decompressor = make()
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = b""
        while not data:
            if self._decompressor.eof and not self._open_next():
                return 0
            block = b""
            if self._decompressor.needs_input:
                block, self._pending = self._pending or self._source.read1(BLOCK), b""
                if not block:
                    raise EOFError
            data = self._decompressor.decompress(block, len(view))
        view[: len(data)] = data
        return len(data)

    def _open_next(self) -> bool:
        """Begin with the next stream; return whether there is one."""
        rest, zeros = self._decompressor.unused_data or self._source.read1(BLOCK), 0
        while self._padding and rest:
            stripped = rest.lstrip(b"\0")
            zeros += len(rest) - len(stripped)
            if stripped:
                rest = stripped
                break
            rest = self._source.read1(BLOCK)
        if zeros and zeros % self._padding:
            raise OSError(f"{zeros} zero bytes behind it, no multiple of {self._padding}")
        if rest:
            self._decompressor, self._pending = self._make(), rest
        return bool(rest)

    def close(self) -> None:
        self._source.close()
        super().close()


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
