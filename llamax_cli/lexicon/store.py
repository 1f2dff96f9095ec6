"""The compiled lexicon: one LMDB file that opens in milliseconds, is shared between processes and may exceed memory.

    pages of LMDB      `language NUL word` -> checksum, translations, their languages, numbers of the sources
    a JSON object      figures by language, names of the sources, number of entries
    the seal           what the file is, which format, how long each part is, and their hashes

Of a word is stored `Haus NUL domicile SOH maison NUL de,fr NUL 0,3`, which is taken apart ten times as fast as JSON. A
key that would be longer than LMDB's 511 bytes is cut and ends in a hash; its value then ends in `SOH word`.

The seal is written last, so a file without one is no whole lexicon.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakValueDictionary

import msgspec
from xxhash import xxh3_128, xxh3_128_digest, xxh32_digest

from llamax_cli.errors import FileError, LexiconError, because
from llamax_cli.lexicon.statistics import Figures
from llamax_cli.records import Entry
from llamax_cli.streams.outputs import AtomicFile

FORMAT = 2
SEAL = struct.Struct("<QQ16s16sI8s")  # bytes of pages, bytes of figures, hash of pages, hash of figures, format, MAGIC
MAGIC = b"llamaxLX"
LMDB_MAGIC = b"\xde\xc0\xef\xbe"
KEY = 511  # bytes in a key of LMDB
HASHED_AT_ONCE = 64 << 20  # pages up to this size are checked whole when a lexicon is opened, in about 10 ms
WINDOW = 32 << 20  # bytes that are hashed at a time
TRANSACTION = 8 << 20  # bytes written at once: each transaction writes the way to its pages anew
Translations: TypeAlias = Mapping[str, Sequence[str]]
AND = "\1"


@lru_cache(maxsize=1 << 12)
def _listed(items: str) -> tuple[str, ...]:
    """Return the items of a list with commas; many words share one, and then its tuple."""
    return tuple(items.split(","))


class _About(msgspec.Struct):
    entries: int
    sources: list[str]
    languages: dict[str, Figures]


class _Seal(NamedTuple):
    pages: int
    about: int
    pages_hash: bytes
    about_hash: bytes
    format: int
    magic: bytes


def key_of(lang: str, word: str) -> bytes:
    """Return the key of a word, at most KEY bytes."""
    key = f"{lang}\0{word}".encode()
    return key if len(key) <= KEY else key[: KEY - 16] + xxh3_128_digest(key)


class LexiconFile:
    """A lexicon that is being written: `encode` makes lines of entries, which have to come by language and word.

    `figures` are read at the end. It appears whole or not at all, and two runs cannot write one.
    """

    def __init__(self, path: Path, figures: Mapping[str, Figures]) -> None:
        import lmdb

        path.parent.mkdir(parents=True, exist_ok=True)
        self.name = str(path)
        self._figures = figures
        self._sources: dict[str, int] = {}
        self._entries = 0
        self._waiting: list[tuple[bytes, bytes]] = []
        self._waiting_bytes = 0
        self._long: list[tuple[bytes, bytes]] = []
        self._file = AtomicFile(path)
        self._file.rewind(0, b"")
        self._whole = False
        self._pages: Any = None
        try:
            # No lock file: the partial file is locked. Nothing is synced until the end, when all of it is.
            with self._writing():
                self._pages = lmdb.open(
                    str(self._file.partial), subdir=False, lock=False, map_size=1 << 40, sync=False, metasync=False
                )
        except FileError:
            self.close()
            raise
        self._file.lock_again()

    def encode(self, entries: Sequence[Entry]) -> bytes:
        """Return a line for each entry: key, tab, value. No word has a tab, a line end, NUL or U+0001 in it."""
        number = self._sources.setdefault
        lines = []
        for entry in entries:
            sources = ",".join([str(number(name, len(self._sources))) for name in entry["sources"]])
            translations = map(AND.join, entry["translations"].values())
            languages = ",".join(entry["translations"])
            lines.append(f"{entry['lang']}\0{entry['word']}\t" + "\0".join((*translations, languages, sources)) + "\n")
        return "".join(lines).encode()

    def write(self, data: bytes) -> None:
        """Write lines of `encode`."""
        items = self._waiting
        for line in data.split(b"\n")[:-1]:
            key, _, value = line.partition(b"\t")
            if len(key) > KEY:
                self._keep_long(key, value)
            else:
                items.append((key, xxh32_digest(value) + value))
        self._entries += data.count(b"\n")
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= TRANSACTION:
            self._put_waiting()

    def _put_waiting(self) -> None:
        self._put(self._waiting, append=True)
        self._waiting, self._waiting_bytes = [], 0

    def _keep_long(self, key: bytes, value: bytes) -> None:
        """Keep what does not sort as its key does until the end."""
        lang, _, word = key.decode().partition("\0")
        value += f"{AND}{word}".encode()
        self._long.append((key_of(lang, word), xxh32_digest(value) + value))

    def _put(self, items: list[tuple[bytes, bytes]], *, append: bool = False) -> None:
        with self._writing(), self._pages.begin(write=True) as transaction, transaction.cursor() as cursor:
            cursor.putmulti(items, append=append)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        import lmdb

        try:
            yield
        except lmdb.Error as error:
            reason = str(error).rpartition(": ")[2].lower()  # mdb_put: No space left on device
            raise FileError(f"cannot write {self._file.partial}: {reason}") from error

    def finish(self) -> None:
        """Write what was kept, the figures and the seal, and give the file its name."""
        self._put_waiting()
        self._put(self._long)
        with self._writing():
            self._pages.sync(True)
        size = os.stat(self._file.partial).st_size
        pages_hash = _hash(self._file.partial, size)
        about = msgspec.json.encode(_About(self._entries, list(self._sources), dict(sorted(self._figures.items()))))
        self._file.rewind(size, b"")
        self._file.write(about + SEAL.pack(size, len(about), pages_hash, xxh3_128_digest(about), FORMAT, MAGIC))
        self._file.finish()
        self._whole = True

    def close(self) -> None:
        """Let go; leave nothing of a run that failed."""
        if not self._whole:
            self._file.partial.unlink(missing_ok=True)
        # In this order: to close any descriptor of a file gives up the lock on it.
        if self._pages is not None:
            self._pages.close()
        self._file.close()


def _hash(path: Path, size: int) -> bytes:
    """Return the hash of the first `size` bytes, which are mapped: that takes a third of the time of reading them."""
    state = xxh3_128()
    with path.open("rb", buffering=0) as file:
        for start in range(0, size, WINDOW):
            with mmap(file.fileno(), min(WINDOW, size - start), access=ACCESS_READ, offset=start) as window:
                state.update(window)
    return state.digest()


class _Pages:
    """The pages of one file, mapped into memory.

    LMDB opens a file once in a process, so all lexicons of that file share it, those of a forked process with the
    parent's: reading takes no lock.
    """

    def __init__(self, path: str) -> None:
        import lmdb

        try:
            self._environment = lmdb.open(path, subdir=False, lock=False, readonly=True, readahead=False)
            self.transaction = self._environment.begin()
        except lmdb.Error as error:
            raise LexiconError(f"{path} is damaged ({error}); build it again") from error

    def __del__(self) -> None:
        environment = getattr(self, "_environment", None)
        if environment is not None:
            environment.close()


_pages: WeakValueDictionary[tuple[int, int], _Pages] = WeakValueDictionary()


class Lexicon:
    """A compiled lexicon, open for reading; it may be pickled, and a process that gets it opens the file itself.

    lexicon.translations("en", "house") -> {"de": ["Haus"], "fr": ["domicile", "maison"]}

    LexiconError where the file is damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._seal, self._about = _opened(Path(path))
        if self._seal.pages <= HASHED_AT_ONCE:
            self.verify()
        self._pages: Any = None
        self._transaction: Any = None
        self._cursor: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Lexicon, (self.path,)

    def __len__(self) -> int:
        return self._about.entries

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._seal.pages + self._seal.about + SEAL.size

    @property
    def fingerprint(self) -> str:
        """A hash of what it holds: the same for the same entries."""
        return self._seal.pages_hash.hex()

    @property
    def languages(self) -> Sequence[str]:
        """The languages that have entries, in order of their codes."""
        return [lang for lang, figures in self._about.languages.items() if figures.entries]

    @property
    def sources(self) -> Sequence[str]:
        """The dictionaries it was made of."""
        return sorted(self._about.sources)

    @property
    def figures(self) -> Mapping[str, Figures]:
        """What was counted of each language."""
        return self._about.languages

    def entities(self, lang: str) -> int:
        """Return how many distinct words of a language the dictionaries had (Table 2), 0 where it has none."""
        figures = self._about.languages.get(lang)
        return figures.entities if figures else 0

    def longest(self, lang: str) -> int:
        """Return how many words the longest entry of a language has, 0 where it has none."""
        figures = self._about.languages.get(lang)
        return figures.longest if figures else 0

    def translations(self, lang: str, word: str) -> Translations:
        """Return the translations of a word by language, an empty mapping where it is not in the lexicon."""
        stored = self.get(lang, word)
        return {} if stored is None else self._by_language(stored)

    def get(self, lang: str, word: str) -> bytes | None:
        """Return what is stored of a word, for `read`, None where it is not in the lexicon."""
        key = f"{lang}\0{word}".encode()
        if len(key) > KEY:
            return self._long(lang, word)
        stored: bytes | None = (self._transaction or self._open()).get(key)
        return stored

    def _long(self, lang: str, word: str) -> bytes | None:
        """Return what is stored of a word whose key is cut; of two with one key, the value says which is meant."""
        stored: bytes | None = (self._transaction or self._open()).get(key_of(lang, word))
        return stored if stored is not None and self._about_word(stored)[1] == word else None

    def find(self, lang: str, word: str, joint: str) -> tuple[bytes | None, bool]:
        """Return what is stored of a word, for `read`, and whether longer entries begin with it and `joint`.

        A phrase begins with a word and " ", a longer word with a shorter and "".
        """
        key = f"{lang}\0{word}".encode()
        if len(key) > KEY:
            return self._long(lang, word), False
        if self._cursor is None:
            self._cursor = self._open().cursor()
        cursor = self._cursor
        longer = key + joint.encode()
        stored = None
        if not cursor.set_range(key):
            return None, False
        if cursor.key() == key:
            stored = cursor.value()
            if not cursor.next():
                return stored, False
        found = cursor.key()
        # Control characters sort before a space: a word with one may stand between.
        if found.startswith(key) and found < longer and not cursor.set_range(longer):
            return stored, False
        return stored, cursor.key().startswith(longer)

    def seconds(self, lang: str, word: str) -> set[str]:
        """Return the words that come second in the phrases which begin with a word."""
        begun = f"{lang}\0{word} ".encode()
        if len(begun) >= KEY:
            return set()
        size = len(begun)
        return {key[size:].split(b" ", 1)[0].decode(errors="replace") for key, _ in self._items(begun)}

    def read(self, stored: bytes) -> tuple[Sequence[str], list[str]]:
        """Return the languages that `find` found a word to have, and the translations in each with AND between them."""
        *translations, languages, _ = self._parts(stored)
        return _listed(languages), translations

    def packed(self, stored: bytes) -> bytes:
        """Return what `read` takes apart as it is stored: `Haus NUL domicile SOH maison NUL de,fr`."""
        data = self._checked(stored)
        return data[: data.rindex(b"\0")]

    def _by_language(self, stored: bytes) -> dict[str, list[str]]:
        languages, translations = self.read(stored)
        return {lang: words.split(AND) for lang, words in zip(languages, translations, strict=True)}

    def _about_word(self, stored: bytes) -> tuple[str, str]:
        """Return the numbers of a word's sources and the word, which is empty where the key has it."""
        sources, _, word = self._parts(stored)[-1].partition(AND)
        return sources, word

    def _parts(self, stored: bytes) -> list[str]:
        return self._checked(stored).decode().split("\0")

    def _checked(self, stored: bytes) -> bytes:
        data = stored[4:]
        if xxh32_digest(data) != stored[:4]:
            raise LexiconError(f"{self.path} is damaged; build it again")
        return data

    def _open(self) -> Any:
        status = os.stat(self.path)
        key = status.st_dev, status.st_ino
        self._pages = _pages.get(key) or _Pages(self.path)
        _pages[key] = self._pages
        self._transaction = self._pages.transaction
        return self._transaction

    def words(self, lang: str) -> Iterator[str]:
        """Yield the words of a language, sorted by bytes (those whose key is cut among them)."""
        for key, value in self._items(f"{lang}\0".encode()):
            word = key.partition(b"\0")[2]
            yield word.decode() if len(key) < KEY else self._about_word(value)[1] or word.decode()

    def entries(self) -> Iterator[Entry]:
        """Yield all entries, by language and word."""
        sources = self._about.sources
        for key, stored in self._items(b""):
            lang, _, cut = key.decode(errors="replace").partition("\0")
            numbers, word = self._about_word(stored)
            yield {
                "word": word or cut,
                "lang": lang,
                "translations": self._by_language(stored),
                "sources": sorted(sources[int(number)] for number in _listed(numbers)),
            }

    def _items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        with (self._transaction or self._open()).cursor() as cursor:
            if cursor.set_range(prefix):
                for key, value in cursor:
                    if not key.startswith(prefix):
                        return
                    yield key, value

    def verify(self) -> None:
        """Read the file from end to end; LexiconError where it is not what was written."""
        if _hash(Path(self.path), self._seal.pages) != self._seal.pages_hash:
            raise LexiconError(f"{self.path} is damaged; build it again")


def _opened(path: Path) -> tuple[_Seal, _About]:
    """Return the seal and the figures of a lexicon; LexiconError says what is wrong with the file."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - SEAL.size))
            tail = file.read(SEAL.size)
            seal = _Seal(*SEAL.unpack(tail)) if len(tail) == SEAL.size else None
            if seal is None or seal.magic != MAGIC:
                file.seek(16)
                is_torn = file.read(4) == LMDB_MAGIC
                raise LexiconError(f"{path} is {'cut short; build it again' if is_torn else 'no compiled lexicon'}")
            if seal.format != FORMAT:
                raise LexiconError(f"{path} is of format {seal.format}, not {FORMAT}; build it again")
            if size != seal.pages + seal.about + SEAL.size:
                raise LexiconError(f"{path} is damaged; build it again")
            file.seek(seal.pages)
            about = file.read(seal.about)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    if xxh3_128_digest(about) != seal.about_hash:
        raise LexiconError(f"{path} is damaged; build it again")
    return seal, msgspec.json.decode(about, type=_About)
