"""Writing LMDB pages so that the same items give the same bytes, in no more address space than they need.

LMDB writes a page from a buffer that may have held another page before. What is left of that page stays in the gap
between the two ends of the new one, so `finish` clears the gaps.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from llamax_cli.errors import FileError

Item: TypeAlias = tuple[bytes, bytes]  # key and value

FIRST_MAP = 16 << 20  # bytes of address space of an empty database
MAP_PER_BYTE = 4  # bytes of pages that a transaction may add for each byte of its items: pages are not always full
ITEM_OVERHEAD = 16  # bytes that an item takes in its page beside its key and value

# From mdb.c of LMDB 0.9, whose data version is 1. A database is a tree of pages; its nodes stand at the end of a page,
# and pointers to them after the header.
META = struct.Struct("<94xH32xq8xQ")  # of page 0 or 1: depth and root of the main database, number of the transaction
PAGE_HEADER = struct.Struct("<12xHH")  # end of the pointers, start of the nodes
CHILD = struct.Struct("<HHH")  # the parts of the number of a page, in a node of the page above it


class PageWriter:
    """Writes items to a new LMDB database, which is locked by the caller and synced only at the end."""

    def __init__(self, path: Path) -> None:
        import lmdb

        self._path = path
        self._map_size = FIRST_MAP
        self._environment: Any = None
        with self._explained():
            self._environment = lmdb.open(
                str(path), subdir=False, lock=False, map_size=FIRST_MAP, sync=False, metasync=False
            )

    def put(self, items: Sequence[Item], *, append: bool = False) -> None:
        """Write items in one transaction; with `append` they are sorted and follow those written before."""
        import lmdb

        needed = os.stat(self._path).st_size + MAP_PER_BYTE * sum(map(_size, items))
        with self._explained():
            if needed > self._map_size:
                self._grow(needed)
            while True:
                try:
                    with self._environment.begin(write=True) as transaction, transaction.cursor() as cursor:
                        cursor.putmulti(items, append=append)
                    return
                except lmdb.MapFullError:  # the transaction is undone
                    self._grow(2 * self._map_size)

    def _grow(self, size: int) -> None:
        self._map_size = -(-size // FIRST_MAP) * FIRST_MAP
        self._environment.set_mapsize(self._map_size)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise errors of LMDB as FileError."""
        import lmdb

        try:
            yield
        except (lmdb.MemoryError, MemoryError) as error:
            size = f"{self._map_size / 2**20:,.0f} MiB"
            raise FileError(
                f"cannot write {self._path}: no {size} of address space to map it; raise the limit (ulimit -v)"
            ) from error
        except lmdb.Error as error:
            reason = str(error).rpartition(": ")[2].lower()  # from "mdb_put: No space left on device"
            raise FileError(f"cannot write {self._path}: {reason}") from error

    def finish(self, file: int) -> None:
        """Write everything to disk and clear the gaps in the pages; `file` is a descriptor of the file."""
        with self._explained():
            self._environment.sync(True)
            page_size = self._environment.stat()["psize"]
        clear_gaps(file, page_size)

    def close(self) -> None:
        """Close the database."""
        if self._environment is not None:
            self._environment.close()
            self._environment = None


def _size(item: Item) -> int:
    return len(item[0]) + len(item[1]) + ITEM_OVERHEAD


def clear_gaps(file: int, page_size: int) -> None:
    """Fill the gap in every page of the tree with zeros."""
    for place, page in _tree(file, page_size):
        lower, upper = PAGE_HEADER.unpack_from(page)
        empty = bytes(upper - lower)
        if page[lower:upper] != empty:
            os.pwrite(file, empty, place + lower)


def _tree(file: int, page_size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the pages of the main database, each with its place in the file."""
    depth, root, _ = max(
        (META.unpack(os.pread(file, META.size, page * page_size)) for page in (0, 1)), key=itemgetter(2)
    )
    pages = [(root, depth)] if depth else []
    while pages:
        number, height = pages.pop()
        page = os.pread(file, page_size, number * page_size)
        yield number * page_size, page
        if height > 1:
            pages += [(child, height - 1) for child in _children(page)]


def _children(page: bytes) -> Iterator[int]:
    end, _ = PAGE_HEADER.unpack_from(page)
    for (node,) in struct.iter_unpack("<H", page[PAGE_HEADER.size : end]):
        low, middle, high = CHILD.unpack_from(page, node)
        yield low | middle << 16 | high << 32
