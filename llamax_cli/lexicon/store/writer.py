"""Writing a compiled lexicon (layout.py describes the format)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from xxhash import xxh3_128, xxh3_128_digest, xxh32_digest

from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.layout import (
    FIELD_SEPARATOR,
    FOOTER,
    FORMAT,
    ITEM_SEPARATOR,
    LIST_SEPARATOR,
    MAGIC,
    MAX_KEY_BYTES,
    Metadata,
    hash_of_head,
    key_of,
)
from llamax_cli.lexicon.store.pages import Item, PageWriter
from llamax_cli.records import Entry
from llamax_cli.streams.outputs import WholeFile

TRANSACTION = 8 << 20  # bytes of entries in one transaction; each one writes the inner pages above its entries again


class LexiconWriter:
    """Writes a compiled lexicon, completely or not at all; two processes cannot write the same file at the same time.

    `encode` turns entries, which must be sorted by language and word, into the lines that `write` takes. `statistics`
    are read only in `complete`, when all are there.
    """

    def __init__(self, path: Path, statistics: Mapping[str, LanguageStatistics]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.name = str(path)
        self._statistics = statistics
        self._source_numbers: dict[str, int] = {}
        self._entries = 0
        self._batch: list[Item] = []
        self._batch_bytes = 0
        self._hashed: list[Item] = []
        self._fingerprint = xxh3_128()
        self._file = WholeFile(path)
        try:
            self._pages = PageWriter(self._file.partial)  # it needs no lock file, because the partial file is locked
            self._file.lock_again()
        except BaseException:
            self._file.close()
            raise

    def encode(self, entries: Sequence[Entry]) -> bytes:
        """Return a line for each entry: key, tab, value. Words must not contain a tab, a line end, NUL or U+0001."""
        number_of = self._source_numbers.setdefault
        lines = []
        for entry in entries:
            sources = LIST_SEPARATOR.join(
                [str(number_of(name, len(self._source_numbers))) for name in entry["sources"]]
            )
            translations = map(ITEM_SEPARATOR.join, entry["translations"].values())
            languages = LIST_SEPARATOR.join(entry["translations"])
            lines.append(
                f"{entry['lang']}\0{entry['word']}\t" + FIELD_SEPARATOR.join((*translations, languages, sources)) + "\n"
            )
        return "".join(lines).encode()

    def write(self, data: bytes) -> None:
        """Write the lines that `encode` returned."""
        for line in data.split(b"\n")[:-1]:
            key, _, value = line.partition(b"\t")
            self._fingerprint.update(
                line[: line.rindex(b"\0") + 1]
            )  # without the sources, which nothing is looked up by
            if len(key) > MAX_KEY_BYTES:
                self._hashed.append(_hashed_item(key, value))  # the hash changes its order: written at the end
                continue
            self._batch.append((key, xxh32_digest(value) + value))
            self._batch_bytes += len(line)
            if self._batch_bytes >= TRANSACTION:  # counted by line: how many come at once depends on the clock
                self._put_batch()
        self._entries += data.count(b"\n")

    def _put_batch(self) -> None:
        self._pages.put(self._batch, append=True)
        self._batch, self._batch_bytes = [], 0

    def complete(self) -> None:
        """Write the remaining entries, the metadata and the footer."""
        self._put_batch()
        self._pages.put(self._hashed)
        self._pages.finish(self._file.descriptor)
        size = os.fstat(self._file.descriptor).st_size
        pages_hash = hash_of_head(self._file.descriptor, size)
        statistics = dict(sorted(self._statistics.items()))
        entities = {lang: counts.entities for lang, counts in statistics.items()}
        self._fingerprint.update(msgspec.json.encode(entities))  # they decide which of several lexicons is used
        fingerprint = self._fingerprint.hexdigest()
        metadata = msgspec.json.encode(Metadata(self._entries, list(self._source_numbers), statistics, fingerprint))
        footer = FOOTER.pack(size, len(metadata), pages_hash, xxh3_128_digest(metadata), FORMAT, MAGIC)
        self._file.rewind(size, b"")
        self._file.write(metadata + footer)
        self._file.complete()

    def finish(self) -> None:
        """Give the complete file its name."""
        self._file.finish()

    def close(self) -> None:
        """Close the file, and remove it if it is not finished."""
        self._file.discard()
        # Close the pages first: closing any descriptor of a file releases the lock on it.
        self._pages.close()
        self._file.close()


def _hashed_item(key: bytes, value: bytes) -> Item:
    """Return the item of a word whose key is too long: the key is cut and hashed, and the value contains the word."""
    lang, _, word = key.decode().partition("\0")
    value += f"{ITEM_SEPARATOR}{word}".encode()
    return key_of(lang, word), xxh32_digest(value) + value
