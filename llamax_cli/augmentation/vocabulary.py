"""The words of one language in some lexicons, looked up in the form in which a text has them.

Vocabulary([LexiconSource(lexicon)], "en", " ", MemoryBudget(1 << 20), has_phrases=True).words["Houses,"].suffix -> ","
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar
from unicodedata import normalize

import msgspec

from llamax_cli.augmentation.capitals import Capitals, capitals_of
from llamax_cli.augmentation.forms import forms_of, has_cases_of_its_own, is_greek_capitals, plain_forms
from llamax_cli.augmentation.words import has_letter, is_address, trim
from llamax_cli.lexicon.store.layout import CHECKSUM_BYTES, FIELD_SEPARATOR, ITEM_SEPARATOR, LIST_SEPARATOR
from llamax_cli.lexicon.store.reader import Lexicon

Value = TypeVar("Value")

NO_CAPITALS = Capitals.NONE  # quicker to look up

# Estimated bytes of memory, for MemoryBudget.
WORD_BYTES = 300  # of a Word, without its translations
PACKED_WORD_BYTES = 96  # of an entry of spaced.h, without its translations
SECOND_WORD_BYTES = 100
FORM_BYTES = 60
MOST_LONGER = 100  # entries that begin with a word, up to which the characters that follow it are looked for
ANY_CHARACTER = (1 << 64) - 1
UNPACKED = 3  # bytes of unpacked translations for each byte of a stored value


@dataclass(frozen=True)
class LexiconSource:
    """A lexicon and the languages to take from it (None: all of them)."""

    lexicon: Lexicon
    languages: Collection[str] | None = None


class Clearable(Protocol):
    """A cache that can be emptied."""

    def clear(self) -> None:
        """Remove everything."""


class MemoryBudget:
    """The memory that several caches share, in bytes; when it is used up, all of them are cleared."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._used = 0
        self._caches: list[Clearable] = []

    def memo(self, compute: Callable[[str], tuple[Value, int]]) -> Memo[Value]:
        """Return a Memo of `compute`, which returns the value for a text and the size of the value in bytes."""
        memo = Memo(self, compute)
        self.register(memo)
        return memo

    def register(self, cache: Clearable) -> None:
        """Add a cache that is cleared when the memory is used up."""
        self._caches.append(cache)

    def charge(self, size: int) -> None:
        """Count bytes that a cache is about to store; clear all caches first if they do not fit."""
        self._used += size
        if self._used > self.size:
            for cache in self._caches:
                cache.clear()
            self._used = size


class Memo(dict[str, Value], Generic[Value]):
    """Values by text; `memo[text]` computes a value that is missing."""

    def __init__(self, memory: MemoryBudget, compute: Callable[[str], tuple[Value, int]]) -> None:
        super().__init__()
        self.memory = memory
        self._compute = compute

    def __missing__(self, text: str) -> Value:
        value, size = self._compute(text)
        self.memory.charge(size)
        self[text] = value
        return value


class Word(msgspec.Struct, gc=False):  # else garbage collections would visit tens of thousands of them
    """A word or phrase of a text: its translations, the punctuation around it, and its capitals.

    `translations` has a text for each of the `languages`, with ITEM_SEPARATOR between synonyms; both are empty until
    `Vocabulary.unpack` fills them in from the stored `values`. `is_known`: a lexicon has the word. `is_plain`: the word
    has no punctuation around it and no capitals. `has_longer`: longer entries begin with the word. `second_words`: the
    second words of these longer entries, in languages with spaces.
    """

    core: str
    prefix: str
    suffix: str
    capitals: Capitals
    is_plain: bool
    is_known: bool
    has_longer: bool
    second_words: Collection[str] = ()
    values: Sequence[bytes] = ()
    languages: Sequence[str] = ()
    translations: Sequence[str] = ()

    def surrounded(self, prefix: str, suffix: str) -> Word:
        """Return the word with punctuation around it."""
        return msgspec.structs.replace(self, prefix=prefix, suffix=suffix, is_plain=False) if prefix or suffix else self


# A word or phrase of a text in the form for spaced.h: (value, prefix_size, suffix_size, capitals, second_words, forms).
#
#     value          translations and their languages, `Haus NUL domicile U+0001 maison NUL de,fr`; b"" for none
#     prefix_size    bytes of punctuation before the word
#     suffix_size    bytes of punctuation after the word
#     capitals       Capitals of the word without punctuation
#     second_words   second words of the phrases that begin with the word; None: no such phrases; True: any word; in
#                    languages without spaces what `next_characters` returns
#     forms          the forms of the word to find among second words; None: only as it is written
#
# It is a plain tuple for speed: one is created for each word that is seen for the first time.
PackedWord: TypeAlias = tuple[bytes, int, int, Capitals, Collection[str] | bool | int | None, tuple[str, ...] | None]


class Vocabulary:
    """One language of some lexicons.

    `words[text]` is a Word if a lexicon has it, False if no lexicon has it or it is an address, and None if it has no
    letter.
    `phrases[core]` is the Word for one or several words without punctuation around them, known or not.

    `joiner`: the text between the words of a phrase, "" in languages without spaces. `has_phrases`: phrases are looked
    up too, so `words` also has a Word for an unknown word that begins a phrase. `is_exact`: punctuation is part of a
    word, addresses are words like any other, and a word is looked up only as it is written and in lower case.
    """

    def __init__(
        self,
        sources: Sequence[LexiconSource],
        lang: str,
        joiner: str,
        memory: MemoryBudget,
        *,
        has_phrases: bool,
        is_exact: bool = False,
    ) -> None:
        self.lang = lang
        self.joiner = joiner
        self.has_phrases = has_phrases
        self.memory = memory
        self.words: Memo[Word | bool | None] = memory.memo(self._word)
        self.phrases: Memo[Word] = memory.memo(self._phrase)
        self._second_words: Memo[Collection[str]] = memory.memo(self._find_second_words)
        self._has_plain_cases = not has_cases_of_its_own(lang)
        self._sources = sources
        self.is_exact = is_exact
        self._finds_longer = has_phrases or not joiner
        # If all languages are taken, a word that is stored is known, and its value can be unpacked later. Otherwise the
        # languages in its value decide whether it is known.
        self._is_lazy = len(sources) == 1 and sources[0].languages is None

    def unpack(self, word: Word) -> Sequence[str]:
        """Fill in the languages and translations of a word; return the translations."""
        word.languages, word.translations = self._merge([(self._sources[0], value) for value in word.values])
        word.values = ()
        return word.translations

    def find_entry(self, text: str) -> tuple[bool, bool]:
        """Return whether a lexicon has a word, in whatever languages, and whether longer entries begin with it."""
        found, has_longer = self._look_up(self.forms(text))
        return bool(found), has_longer

    def next_characters(self, text: str) -> int:
        """Return the bits of the characters that may follow a word in longer entries: bit `ord(character) % 64`.

        They are in Unicode's form NFD: a letter with marks has bits for its parts and none of its own. Any character
        may follow a word with several forms, since another one may be at the beginning of a longer entry.
        """
        return self._next_characters_of(self.forms(text))

    def pack(self, text: str) -> PackedWord | None:
        """Return the content of `words[text]` for spaced.h, or that of `phrases` if the text has several words."""
        size = PACKED_WORD_BYTES + len(text)
        prefix, core, prefix_size, suffix_size, is_phrase = "", text, 0, 0, False
        if not text.isalpha():  # which few words are not, as punctuation is mostly removed by spaced.h
            if not has_letter(text):
                self.memory.charge(size)
                return None
            prefix, core, suffix = self._trim(text)
            prefix_size, suffix_size = len(prefix.encode()), len(suffix.encode())
            is_phrase = " " in core
            if (prefix or not core.isalpha()) and not is_phrase and self._is_left_alone(text):
                self.memory.charge(size)
                return b"", prefix_size, suffix_size, NO_CAPITALS, None, None
        forms = self.forms(core)
        found, has_longer = self._look_up(forms)
        if self._is_lazy and len(found) == 1 and not _has_affixes(found[0][1]):
            value = self._sources[0].lexicon.without_sources(found[0][1])
        else:
            languages, translations = self._merge(found)
            value = FIELD_SEPARATOR.join((*translations, LIST_SEPARATOR.join(languages))).encode()
        size += len(value)
        second_words: Collection[str] | bool | int | None = None
        if has_longer and self.has_phrases:
            if not self.joiner:
                second_words = self._next_characters_of(forms)
            else:
                second_words = True if is_phrase else self._second_words_of(forms)
        other_forms = None
        if self.has_phrases and self.joiner and not (prefix or is_phrase) and forms != (core,):
            other_forms = forms
            size += len(forms) * (FORM_BYTES + len(core))
        self.memory.charge(size)
        capitals = NO_CAPITALS if core.islower() else capitals_of(core, self.lang)
        return value, prefix_size, suffix_size, capitals, second_words, other_forms

    def forms(self, core: str) -> tuple[str, ...]:
        """Return the forms of a word or phrase to look up in the lexicons, those nearest to how it is written first."""
        if self._has_plain_cases and core.isascii() and "'" not in core and not core.isupper():  # like most words
            lower = core.lower()
            return (core,) if lower == core else (core, lower)
        if self.is_exact:
            return plain_forms(core)
        if " " in core and is_greek_capitals(core, self.lang):
            # A phrase could have an accent in too many places: only beginnings of phrases are continued.
            head, _, last = core.rpartition(" ")
            heads = [form for form in self.forms(head) if self._look_up([form])[1]]
            return tuple(f"{form} {word}" for form in heads for word in forms_of(last, self.lang)) or (core,)
        return forms_of(core, self.lang)

    def _is_left_alone(self, text: str) -> bool:
        return not self.is_exact and is_address(text)

    def _second_words_of(self, forms: Sequence[str]) -> Collection[str]:
        """Return the second words of the phrases that begin with one of the forms of a word."""
        sets = [self._second_words[form] for form in forms]
        return sets[0] if len(sets) == 1 else frozenset[str]().union(*sets)

    def _next_characters_of(self, forms: Sequence[str]) -> int:
        """Return `next_characters` of a word with these forms."""
        bits = 0
        for source in self._sources:
            characters = source.lexicon.next_characters(self.lang, forms[0], MOST_LONGER) if len(forms) == 1 else None
            if characters is None:
                return ANY_CHARACTER
            for character in normalize("NFD", "".join(characters)):
                bits |= 1 << ord(character) % 64
        return bits

    def _trim(self, text: str) -> tuple[str, str, str]:
        return ("", text, "") if self.is_exact else trim(text)

    def _word(self, text: str) -> tuple[Word | bool | None, int]:
        if not has_letter(text):
            return None, WORD_BYTES
        prefix, core, suffix = self._trim(text)
        if self._is_left_alone(text):
            return False, WORD_BYTES
        word, size = self._phrase(core)
        if not word.is_known and not (self.has_phrases and word.has_longer):
            return False, WORD_BYTES
        if prefix or suffix:
            word.prefix, word.suffix, word.is_plain = prefix, suffix, False
        return word, size

    def _phrase(self, core: str) -> tuple[Word, int]:
        forms = self.forms(core)
        found, has_longer = self._look_up(forms)
        second_words: Collection[str] = ()
        if has_longer and self.joiner:
            second_words = self._second_words_of(forms)
        capitals = capitals_of(core, self.lang)
        word = Word(core, "", "", capitals, not capitals, bool(found), has_longer, second_words)
        size = WORD_BYTES
        for _, value in found:
            size += UNPACKED * len(value)
        if self._is_lazy and not any(_has_affixes(value) for _, value in found):
            word.values = [value for _, value in found]
        else:
            word.languages, word.translations = self._merge(found)
            word.is_known = bool(word.languages)
        return word, size

    def _look_up(self, forms: Iterable[str]) -> tuple[list[tuple[LexiconSource, bytes]], bool]:
        """Return the stored values of the forms of a word, and whether longer entries begin with one of the forms."""
        found = []
        has_longer = False
        for form in forms:
            for source in self._sources:
                if self._finds_longer:
                    value, is_prefix = source.lexicon.find(self.lang, form, self.joiner)
                    has_longer = has_longer or is_prefix
                else:
                    value = source.lexicon.get(self.lang, form)
                if value is not None:
                    found.append((source, value))
        return found, has_longer

    def _merge(self, found: Sequence[tuple[LexiconSource, bytes]]) -> tuple[Sequence[str], Sequence[str]]:
        """Return the chosen languages and the translations into each, from the first value that has the language."""
        if self._is_lazy and len(found) == 1 and not _has_affixes(found[0][1]):
            return self._sources[0].lexicon.unpack(found[0][1])
        merged: dict[str, str] = {}
        for source, value in found:
            for language, translations in zip(*source.lexicon.unpack(value), strict=True):
                if source.languages is None or language in source.languages:
                    words = translations if self.is_exact else _without_affixes(translations)
                    if words:
                        merged.setdefault(language, words)
        return tuple(merged), tuple(merged.values())

    def _find_second_words(self, form: str) -> tuple[Collection[str], int]:
        sets = [source.lexicon.second_words(self.lang, form) for source in self._sources]
        second_words = frozenset[str]().union(*sets)
        return second_words, WORD_BYTES + SECOND_WORD_BYTES * len(second_words)


# Finds a hyphen at an edge of a translation in a stored value. A pattern that begins with a letter is searched fast.
_find_affix = re.compile(rb"-(?:(?<=[\0\1]-)|(?=[\0\1]))").search


def _has_affixes(value: bytes) -> bool:
    """Return whether a stored value has translations that begin or end with a hyphen; such affixes are no words."""
    return _find_affix(value, CHECKSUM_BYTES) is not None or value.startswith(b"-", CHECKSUM_BYTES)


def _without_affixes(translations: str) -> str:
    """Return synonyms without those that are affixes: `er U+0001 -er -> er`."""
    words = translations.split(ITEM_SEPARATOR)
    return ITEM_SEPARATOR.join(word for word in words if not (word.startswith("-") or word.endswith("-")))
