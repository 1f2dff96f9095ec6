"""Reading a compiled lexicon: it opens in milliseconds, may exceed memory, and processes share it (see layout.py)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from xxhash import xxh32_digest

from llamax_cli.errors import LexiconError, because
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.layout import (
    CHECKSUM_BYTES,
    FIELD_SEPARATOR,
    FOOTER,
    ITEM_SEPARATOR,
    LIST_SEPARATOR,
    MAX_KEY_BYTES,
    damaged,
    hash_of_head,
    key_of,
    read_end,
)
from llamax_cli.records import Entry

VERIFIED_ON_OPEN = 64 << 20  # bytes; a lexicon with no more pages is verified when it is opened, in about 10 ms
Translations: TypeAlias = Mapping[str, Sequence[str]]


class Lexicon:
    """A compiled lexicon, open for reading; pickling keeps only its path, and unpickling opens it again.

    lexicon.translations("en", "house") -> {"de": ["Haus"], "fr": ["domicile", "maison"]}

    Every method that reads the file raises LexiconError if it is damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._footer, self._metadata = read_end(Path(path))
        if self._footer.pages <= VERIFIED_ON_OPEN:
            self.verify()
        self._pages: Any = None
        self._transaction: Any = None
        self._cursor: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Lexicon, (self.path,)

    def __len__(self) -> int:
        return self._metadata.entries

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._footer.pages + self._footer.metadata + FOOTER.size

    @property
    def fingerprint(self) -> str:
        """Hash of what the lexicon is read for: its entries, and how many entities each language has."""
        return self._metadata.fingerprint or self._footer.pages_hash.hex()

    @property
    def languages(self) -> Sequence[str]:
        """The languages that have entries, sorted by code."""
        return [lang for lang, statistics in self._metadata.languages.items() if statistics.entries]

    @property
    def sources(self) -> Sequence[str]:
        """The names of the dictionaries that the lexicon was built from, sorted."""
        return sorted(self._metadata.sources)

    @property
    def statistics(self) -> Mapping[str, LanguageStatistics]:
        """Statistics by language."""
        return self._metadata.languages

    def entities(self, lang: str) -> int:
        """Return the number of distinct words of a language in the dictionaries (Table 2)."""
        statistics = self._metadata.languages.get(lang)
        return statistics.entities if statistics else 0

    def max_words(self, lang: str) -> int:
        """Return the number of words in the longest entry of a language."""
        statistics = self._metadata.languages.get(lang)
        return statistics.longest if statistics else 0

    def translations(self, lang: str, word: str) -> Translations:
        """Return the translations of a word by language; the mapping is empty if the lexicon does not have the word."""
        value = self.get(lang, word)
        return {} if value is None else self._by_language(value)

    def get(self, lang: str, word: str) -> bytes | None:
        """Return the stored value of a word, for `unpack`, or None if the lexicon does not have the word."""
        key = f"{lang}\0{word}".encode()
        if len(key) > MAX_KEY_BYTES:
            return self._get_hashed(lang, word)
        return self._value(key)

    def _get_hashed(self, lang: str, word: str) -> bytes | None:
        """Return the value of a word whose key is hashed; the value has the word, in case two words share a key."""
        value = self._value(key_of(lang, word))
        return value if value is not None and self._sources_and_word(value)[1] == word else None

    def _value(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = (self._transaction or self._open()).get(key)
        except _lmdb_error() as error:
            raise _unreadable(self.path, error) from error
        return value

    def find(self, lang: str, word: str, joiner: str) -> tuple[bytes | None, bool]:
        """Return the stored value of a word, for `unpack`, and whether longer entries begin with `word + joiner`.

        With the joiner " " the longer entries are phrases, with "" they are longer words.
        """
        key = f"{lang}\0{word}".encode()
        if len(key) > MAX_KEY_BYTES:
            return self._get_hashed(lang, word), False
        try:
            return self._find(key, key + joiner.encode())
        except _lmdb_error() as error:
            raise _unreadable(self.path, error) from error

    def _find(self, key: bytes, longer: bytes) -> tuple[bytes | None, bool]:
        if self._cursor is None:
            self._cursor = self._open().cursor()
        cursor = self._cursor
        value = None
        if not cursor.set_range(key):
            return None, False
        if cursor.key() == key:
            value = cursor.value()
            if not cursor.next():
                return value, False
        next_key = cursor.key()
        # Control characters sort before a space: words that contain one may come before the phrases.
        if next_key.startswith(key) and next_key < longer and not cursor.set_range(longer):
            return value, False
        return value, cursor.key().startswith(longer)

    def second_words(self, lang: str, word: str) -> set[str]:
        """Return the second words of the phrases that begin with a word."""
        prefix = f"{lang}\0{word} ".encode()
        if len(prefix) >= MAX_KEY_BYTES:
            return set()
        size = len(prefix)
        return {key[size:].split(b" ", 1)[0].decode(errors="replace") for key, _ in self._scan(prefix)}

    def next_characters(self, lang: str, word: str, most: int) -> set[str] | None:
        """Return the characters that follow a word in longer ones; None if these are more than `most`.

        It is also None for a word so long that the keys of longer ones may be hashed.
        """
        prefix = f"{lang}\0{word}".encode()
        size = len(prefix)
        keys = [key for key, _ in islice(self._scan(prefix), most + 1)]
        if size > MAX_KEY_BYTES // 2 or len(keys) > most:
            return None
        return {key[size : size + 4].decode(errors="replace")[0] for key in keys if len(key) > size}

    def unpack(self, value: bytes) -> tuple[Sequence[str], list[str]]:
        """Return the languages of a value, and the translations into each language, joined with ITEM_SEPARATOR."""
        languages, translations, _ = self._fields(value)
        return languages, translations

    def without_sources(self, value: bytes) -> bytes:
        """Return the part of a value that `unpack` reads: `Haus NUL domicile U+0001 maison NUL de,fr`."""
        data, separator, _ = self._checked(value).rpartition(b"\0")
        if not separator:
            raise damaged(self.path)
        return data

    def _by_language(self, value: bytes) -> dict[str, list[str]]:
        languages, translations = self.unpack(value)
        return {lang: words.split(ITEM_SEPARATOR) for lang, words in zip(languages, translations, strict=True)}

    def _sources_and_word(self, value: bytes) -> tuple[str, str]:
        """Return the numbers of the sources, and the word if the key is hashed, else ""."""
        sources, _, word = self._fields(value)[2].partition(ITEM_SEPARATOR)
        return sources, word

    def _fields(self, value: bytes) -> tuple[Sequence[str], list[str], str]:
        """Return the languages of a value, the translations into each, and the rest; raise LexiconError for damage."""
        try:
            *translations, names, rest = self._checked(value).decode().split(FIELD_SEPARATOR)
        except ValueError as error:
            raise damaged(self.path) from error
        languages = _split_list(names)
        if len(languages) != len(translations):
            raise damaged(self.path)
        return languages, translations, rest

    def _checked(self, value: bytes) -> bytes:
        """Return a value without its checksum; raise LexiconError if the checksum is wrong."""
        data = value[CHECKSUM_BYTES:]
        if xxh32_digest(data) != value[:CHECKSUM_BYTES]:
            raise damaged(self.path)
        return data

    def _open(self) -> Any:
        """Open the pages and return a read transaction."""
        status = os.stat(self.path)
        inode = status.st_dev, status.st_ino
        self._pages = _open_pages.get(inode) or _Pages(self.path)
        _open_pages[inode] = self._pages
        self._transaction = self._pages.transaction
        return self._transaction

    def words(self, lang: str) -> Iterator[str]:
        """Yield the words of a language, sorted by the bytes of their keys."""
        for key, value in self._scan(f"{lang}\0".encode()):
            word = key.partition(b"\0")[2].decode(errors="replace")
            yield word if len(key) < MAX_KEY_BYTES else self._sources_and_word(value)[1] or word

    def entries(self) -> Iterator[Entry]:
        """Yield all entries, sorted by language and word."""
        for key, value in self._scan(b""):
            lang, _, key_word = key.decode(errors="replace").partition("\0")
            numbers, word = self._sources_and_word(value)
            yield {
                "word": word or key_word,
                "lang": lang,
                "translations": self._by_language(value),
                "sources": self._sources(numbers),
            }

    def _sources(self, numbers: str) -> list[str]:
        """Return the names of sources by their numbers, sorted: `_sources("0,3") -> ["en-de", "panlex"]`."""
        try:
            return sorted(self._metadata.sources[int(number)] for number in _split_list(numbers))
        except (IndexError, ValueError) as error:
            raise damaged(self.path) from error

    def translated_words(self) -> Iterator[tuple[str, str, Sequence[str], Sequence[str]]]:
        """Yield language, word, languages and translations as in `unpack` of all entries, in the order of `entries`.

        It takes less than half the time of `entries`.
        """
        for key, value in self._scan(b""):
            lang, _, word = key.decode(errors="replace").partition("\0")
            if len(key) == MAX_KEY_BYTES:
                word = self._sources_and_word(value)[1] or word
            yield lang, word, *self.unpack(value)

    def _scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the keys that begin with `prefix`, and their values."""
        with (self._transaction or self._open()).cursor() as cursor:
            try:
                if cursor.set_range(prefix):
                    for key, value in cursor:
                        if not key.startswith(prefix):
                            return
                        yield key, value
            except _lmdb_error() as error:
                raise _unreadable(self.path, error) from error

    def verify(self) -> None:
        """Read all pages; raise LexiconError if they are damaged."""
        try:
            with open(self.path, "rb") as file:
                found = hash_of_head(file.fileno(), self._footer.pages)
        except OSError as error:
            raise LexiconError(f"{self.path}: {because(error)}") from error
        if found != self._footer.pages_hash:
            raise damaged(self.path)


def _lmdb_error() -> type[Exception]:
    """Return what LMDB raises; it is loaded by the first lookup."""
    import lmdb

    return lmdb.Error


def _unreadable(path: str, error: Exception) -> LexiconError:
    """Return the error for pages that LMDB cannot read."""
    return LexiconError(f"{path} is damaged ({error}); build it again")


class _Pages:
    """The pages of a file, mapped into memory.

    LMDB can open a file only once in a process, so all Lexicon objects of the file share its pages. A forked process
    uses the pages of its parent; this is safe because reading takes no lock.
    """

    def __init__(self, path: str) -> None:
        import lmdb

        try:
            self._environment = lmdb.open(path, subdir=False, lock=False, readonly=True, readahead=False)
            self.transaction = self._environment.begin()
        except (lmdb.MemoryError, MemoryError) as error:
            size = f"{os.stat(path).st_size / 2**20:,.0f} MiB"
            raise LexiconError(f"{path}: no {size} of address space to map it; raise the limit (ulimit -v)") from error
        except lmdb.Error as error:
            raise _unreadable(path, error) from error

    def __del__(self) -> None:
        environment = getattr(self, "_environment", None)
        if environment is not None:
            environment.close()


_open_pages: WeakValueDictionary[tuple[int, int], _Pages] = WeakValueDictionary()  # by device and inode


@lru_cache(maxsize=1 << 12)
def _split_list(items: str) -> tuple[str, ...]:
    """Return the items of a comma-separated list; cached, because many words have the same languages and sources."""
    return tuple(items.split(LIST_SEPARATOR))
