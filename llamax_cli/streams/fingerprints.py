"""Hashes of files and folders, by which a later run tells whether they are still the same."""

import hashlib
from pathlib import Path

from llamax_cli.errors import naming

SMALL = 1 << 20  # bytes below which a file is hashed whole
SAMPLED = 1 << 16  # bytes hashed at either end of a larger file


def sha256_of(path: Path) -> tuple[int, str] | None:
    """Return the length and the SHA-256 of a regular file, None for anything else; FileError if it cannot be read."""
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # what is no path, such as the command line of an engine
        return None
    with naming(path):
        return sha256(path) if is_file else None


def sha256(path: Path) -> tuple[int, str]:
    """Return the length and the SHA-256 of a file; OSError if it cannot be read."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return file.tell(), digest.hexdigest()


def folder_fingerprint(folder: Path) -> str:
    """Return a hash of a folder: the names and sizes of its files, small files whole, the ends of large ones.

    FileError if one of them cannot be read.
    """
    from xxhash import xxh3_64

    digest = xxh3_64()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with naming(path):
            size = path.stat().st_size
            digest.update(f"{path.relative_to(folder)}:{size}\n".encode())
            digest.update(path.read_bytes() if size < SMALL else _ends(path, size))
    return digest.hexdigest()


def _ends(path: Path, size: int) -> bytes:
    """Return the first and last bytes of a large file: the header of safetensors, and some of the weights."""
    with path.open("rb") as file:
        head = file.read(SAMPLED)
        file.seek(size - SAMPLED)
        return head + file.read()
