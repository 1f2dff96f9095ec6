"""The words of one language as lexicons know them, looked up as they stand in a text.

Vocabulary([Source(lexicon)], "en", " ", room).words["Houses,"].after -> ","
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from unicodedata import normalize

import msgspec

from llamax_cli.augmentation.words import Capitals, capitals, has_letter, trimmed
from llamax_cli.lexicon.store.reader import Lexicon

if TYPE_CHECKING:
    from llamax_cli.augmentation.spaced import Packed

Value = TypeVar("Value")

OBJECTS = 300  # bytes that a word takes beside its translations
BLOCK = 96  # the same where it is packed
READ = 3  # times as many bytes as are stored do the translations take once they are read

SECOND = 100  # bytes that each word takes with which phrases go on


@dataclass(frozen=True)
class LexiconSource:
    """A lexicon and the languages that are taken from it; None is all of them."""

    lexicon: Lexicon
    languages: Collection[str] | None = None


class Forgetful(Protocol):
    """What keeps things that it can make anew."""

    def clear(self) -> None:
        """Forget all."""


class MemoryBudget:
    """The memory that several memos share, in bytes; when it is full they all forget."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept = 0
        self._memos: list[Forgetful] = []

    def memo(self, make: Callable[[str], tuple[Value, int]]) -> Memo[Value]:
        """Return a memo of what `make` gives for a text, with the bytes that takes."""
        memo = Memo(self, make)
        self.share(memo)
        return memo

    def share(self, memo: Forgetful) -> None:
        """Have what takes of this room forget with the others."""
        self._memos.append(memo)

    def take(self, size: int) -> None:
        """Count what a memo is about to keep."""
        self._kept += size
        if self._kept > self.size:
            for memo in self._memos:
                memo.clear()
            self._kept = size


class Memo(dict[str, Value], Generic[Value]):
    """What was made of texts before; `memo[text]` makes it where it is not there."""

    def __init__(self, room: MemoryBudget, make: Callable[[str], tuple[Value, int]]) -> None:
        super().__init__()
        self.room = room
        self._make = make

    def __missing__(self, text: str) -> Value:
        value, size = self._make(text)
        self.room.take(size)
        self[text] = value
        return value


class Word(msgspec.Struct, gc=False):  # tens of thousands of them would be gone through by every garbage collection
    """A word or phrase in a text: what lexicons have for it, the punctuation around it, its capitals.

    `translations` has a text for each of the `languages`, with ITEM_SEPARATOR between synonyms; both are empty until
    `Vocabulary.read` takes them from what is `stored`. `is_known`: there are some. `is_plain`: there is no punctuation
    and no capital. `opens`: longer entries begin so; `seconds` are the words with which they go on, where there are
    spaces between.
    """

    core: str
    before: str
    after: str
    capitals: Capitals
    is_plain: bool
    is_known: bool
    opens: bool
    seconds: Collection[str] = ()
    stored: Sequence[bytes] = ()
    languages: Sequence[str] = ()
    translations: Sequence[str] = ()

    def between(self, before: str, after: str) -> Word:
        """Return the word with punctuation around it."""
        return msgspec.structs.replace(self, before=before, after=after, is_plain=False) if before or after else self


class Vocabulary:
    """One language of some lexicons.

    `words[text]` is a Word where a lexicon knows it, False where it does not, None where there is no letter in it.
    `phrases[core]` is a Word for what stands between punctuation, several words or one, known or not.

    `joint` stands between the words of a phrase, "" where a language has no spaces. `has_phrases`: they are wanted, and
    a word that nothing is known of but phrases is a Word too. `exact`: words are taken punctuation and all.
    """

    def __init__(
        self,
        sources: Sequence[LexiconSource],
        lang: str,
        joint: str,
        room: MemoryBudget,
        *,
        has_phrases: bool,
        exact: bool = False,
    ) -> None:
        self.lang = lang
        self.joint = joint
        self.has_phrases = has_phrases
        self._has_longer = has_phrases or not joint
        self._sources = sources
        self._exact = exact
        self.room = room
        # Which languages a word has is not known until it is read, and a word without one that is wanted is no entry.
        self._reads_later = len(sources) == 1 and sources[0].languages is None
        self.words: Memo[Word | bool | None] = room.memo(self._word)
        self.phrases: Memo[Word] = room.memo(self._phrase)
        self._seconds: Memo[Collection[str]] = room.memo(self._second_words)

    def read(self, word: Word) -> Sequence[str]:
        """Fill in the languages and translations of a word; return the translations."""
        word.languages, word.translations = self._chosen([(self._sources[0], stored) for stored in word.stored])
        word.stored = ()
        return word.translations

    def packed(self, text: str) -> Packed | None:
        """Return what `words[text]` or, of a text of several words, `phrases` holds as `Spaced` keeps it."""
        self.room.take(BLOCK + len(text))
        if not has_letter(text):
            return None
        before, core, after = self._edges(text)
        forms = _forms(core)
        found, opens = self._found(forms)
        if self._reads_later and len(found) == 1:
            stored = self._sources[0].lexicon.without_sources(found[0][1])
        else:
            languages, translations = self._chosen(found)
            stored = "\0".join((*translations, ",".join(languages))).encode()
        self.room.take(len(stored))
        seconds = None if not opens else self._after(forms) if " " not in core else True
        return stored, len(before.encode()), len(after.encode()), capitals(core), seconds

    def _after(self, forms: Sequence[str]) -> Collection[str]:
        """Return the words with which the phrases go on that begin with a word."""
        seconds = [self._seconds[form] for form in forms]
        return seconds[0] if len(seconds) == 1 else frozenset[str]().union(*seconds)

    def _edges(self, text: str) -> tuple[str, str, str]:
        return ("", text, "") if self._exact else trimmed(text)

    def _word(self, text: str) -> tuple[Word | bool | None, int]:
        if not has_letter(text):
            return None, OBJECTS
        before, core, after = self._edges(text)
        word, size = self._phrase(core)
        if not word.is_known and not (self.has_phrases and word.opens):
            return False, OBJECTS
        if before or after:
            word.before, word.after, word.is_plain = before, after, False
        return word, size

    def _phrase(self, core: str) -> tuple[Word, int]:
        forms = _forms(core)
        found, opens = self._found(forms)
        seconds: Collection[str] = ()
        if opens and self.joint:
            seconds = self._after(forms)
        case = capitals(core)
        word = Word(core, "", "", case, not case, bool(found), opens, seconds)
        size = OBJECTS
        for _, stored in found:
            size += READ * len(stored)
        if self._reads_later:
            word.stored = [stored for _, stored in found]
        else:
            word.languages, word.translations = self._chosen(found)
            word.is_known = bool(word.languages)
        return word, size

    def _found(self, forms: Iterable[str]) -> tuple[list[tuple[LexiconSource, bytes]], bool]:
        """Return what is stored of the forms of a word, and whether longer entries begin with one."""
        found = []
        opens = False
        for form in forms:
            for source in self._sources:
                if self._has_longer:
                    stored, longer = source.lexicon.find(self.lang, form, self.joint)
                    opens = opens or longer
                else:
                    stored = source.lexicon.get(self.lang, form)
                if stored is not None:
                    found.append((source, stored))
        return found, opens

    def _chosen(self, found: Sequence[tuple[LexiconSource, bytes]]) -> tuple[Sequence[str], Sequence[str]]:
        """Return the languages wanted and the translations in each; what is found first for a language goes before."""
        if self._reads_later and len(found) == 1:
            return self._sources[0].lexicon.unpack(found[0][1])
        chosen: dict[str, str] = {}
        for source, stored in found:
            for language, translations in zip(*source.lexicon.unpack(stored), strict=True):
                if source.languages is None or language in source.languages:
                    chosen.setdefault(language, translations)
        return tuple(chosen), tuple(chosen.values())

    def _second_words(self, form: str) -> tuple[Collection[str], int]:
        found = [each.lexicon.second_words(self.lang, form) for each in self._sources]
        seconds = frozenset[str]().union(*found)
        return seconds, OBJECTS + SECOND * len(seconds)


def _forms(core: str) -> tuple[str, ...]:
    """Return how a lexicon may have a word: as it stands, and in small letters."""
    text = core if core.isascii() else normalize("NFC", core)
    small = text.lower()
    return (text,) if small == text else (text, small)
