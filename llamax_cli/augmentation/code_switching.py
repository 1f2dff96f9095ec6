"""Code-switching: replace a share of the words of a text with translations (paper, section 2.1, step 2).

    switch = Switcher(vocabulary, split_words, 0.3).switch
    switch("A black dog.", key) -> (b'"A schwarz dog."', 3, 3, 1, ["de"])

The rate is the share of all words that is replaced; the paper does not give its value. Of n words with a letter,
n * rate are wanted, rounded up or down at random so that the mean is exact, but no more than the lexicon covers. Words
and phrases are drawn until so many words are replaced. A phrase counts as its number of words; one with more words than
are still wanted is taken with the probability wanted / words, and is the last one either way, so that the mean is exact
with phrases too. For each replacement, a language is drawn uniformly from those that have a translation, and then one
of the translations into that language. Where that is the word itself, nothing is replaced, and another word is drawn.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, TypeAlias

import msgspec

from llamax_cli.augmentation.capitals import Capitals, apply_capitals, has_capitals_anywhere, opens_sentence
from llamax_cli.augmentation.segmentation import LexiconSplitter
from llamax_cli.augmentation.segmenters import PackageSplitter
from llamax_cli.augmentation.unspaced_scripts import is_spaced
from llamax_cli.augmentation.vocabulary import Vocabulary, Word
from llamax_cli.augmentation.words import (
    Gaps,
    WordSplitter,
    addresses_in,
    is_word_character,
    join_words,
    split_words,
    trim,
)
from llamax_cli.lexicon.store.layout import ITEM_SEPARATOR
from llamax_cli.randomness import draws

try:
    from llamax_cli.augmentation.spaced import LineSwitcher as LineSwitcher
    from llamax_cli.augmentation.spaced import SpacedSwitcher as SpacedSwitcher
except ImportError:  # llamax was installed without a C compiler
    LineSwitcher = SpacedSwitcher = None  # type: ignore[assignment,misc]

_encode = msgspec.json.Encoder().encode

# The random bits of each choice. spaced.h has the same constants.
ROUNDING_SHIFT = 32  # the high half of a text's key, divided by ROUNDING_RANGE, rounds the number of replacements
ROUNDING_RANGE = 1 << 32
LANGUAGE_SHIFT = 20  # a draw has 64 bits: all choose the word, those from this bit on choose the language,
SYNONYM_SHIFT = 40  # and those from this bit on choose one of several translations into the language
LONG_TEXT = 10_000  # words; spaced.h leaves longer texts to Python


# A text after code-switching, as (text, words, covered, replaced, languages): the text as a JSON string; how many of
# its words have a letter, are in a lexicon, and were replaced; and the language of each replacement. It is a plain
# tuple, because creating a named tuple takes longer than code-switching a short text.
Switched: TypeAlias = tuple[bytes, int, int, int, list[str]]


class Switcher:
    """Code-switches texts in the language of a vocabulary; `split` splits them into words."""

    def __init__(self, vocabulary: Vocabulary, split: WordSplitter, rate: float) -> None:
        self._vocabulary = vocabulary
        self._look_up = vocabulary.words.__getitem__
        self._unpack = vocabulary.unpack
        self._split = split
        self._rate = rate
        self._has_capitals_anywhere = has_capitals_anywhere(vocabulary.lang)
        self.compiled: SpacedSwitcher | None = None  # switches most texts
        segmenter = split.compiled if isinstance(split, LexiconSplitter | PackageSplitter) else None
        if SpacedSwitcher is not None and (split is split_words or segmenter is not None):
            charge = None if vocabulary.is_exact or segmenter is not None else vocabulary.memory.charge
            self.compiled = SpacedSwitcher(
                vocabulary.pack, apply_capitals, opens_sentence, rate, charge, segmenter, is_spaced, is_word_character
            )
            vocabulary.memory.register(self.compiled)

    def switch(self, text: str, key: int) -> Switched:
        """Return the text with some of its words replaced, chosen by the 64 random bits of `key`."""
        if self.compiled is not None and (switched := self.compiled(text, key)) is not None:
            return switched
        words, gaps = self._split(text)
        found: list[Any] = list(map(self._look_up, words))  # Word, or False if unknown, or None if without a letter
        count = len(found) - found.count(None)
        if not gaps and not self._vocabulary.is_exact:
            for place in addresses_in(words):
                found[place] = None
        places = list(compress(range(len(found)), found))
        lengths: Mapping[int, int] = {}
        if self._vocabulary.has_phrases:
            breaks = () if isinstance(gaps, str) else [place for place, gap in enumerate(gaps, 1) if "\n" in gap]
            places, lengths = self._find_entries(words, found, places, breaks)
        covered = len(places) + sum(lengths.values()) - len(lengths)
        if self._has_capitals_anywhere:
            _settle_capitals(words, gaps, found, places)
        target = min(covered, int(count * self._rate + (key >> ROUNDING_SHIFT) / ROUNDING_RANGE))
        replacements = self._draw_replacements(found, places, lengths, target, key)
        languages = [language for _, language in replacements.values()]
        swallowed = _inner_places(replacements, lengths) if lengths else ()
        for place, (translation, _) in replacements.items():
            word: Word = found[place]
            words[place] = translation if word.is_plain else word.prefix + translation + word.suffix
        if gaps:
            text = join_words(words, gaps, swallowed)
        else:
            spaced = {place for place, (_, language) in replacements.items() if is_spaced(language)}
            text = _join_unspaced(words, spaced, swallowed)
        return _encode(text), count, covered, len(replacements) + len(swallowed), languages

    def _draw_replacements(
        self, found: Sequence[Any], places: list[int], lengths: Mapping[int, int], target: int, key: int
    ) -> dict[int, tuple[str, str]]:
        """Return translations, each with its language, by the places of the words that they replace.

        The places are drawn, and are those of `target` words on average.
        """
        replacements: dict[int, tuple[str, str]] = {}
        draw = draws(key)
        wanted = target
        for step in range(len(places)):
            if wanted <= 0:
                break
            bits = draw(step)
            place = _pop(places, bits % len(places))
            word: Word = found[place]
            translation, language = self._translate(word, bits)
            if translation == word.core:
                continue
            length = lengths.get(place, 1)
            if length > wanted and draw(step + 1) % length >= wanted:
                break
            replacements[place] = translation, language
            wanted -= length
        return replacements

    def _translate(self, word: Word, bits: int) -> tuple[str, str]:
        """Return a translation of a word, chosen by random bits, with the capitals of the word; and its language."""
        choices = word.translations or self._unpack(word)
        choice = (bits >> LANGUAGE_SHIFT) % len(choices)
        translation = choices[choice]
        if ITEM_SEPARATOR in translation:
            synonyms = translation.split(ITEM_SEPARATOR)
            translation = synonyms[(bits >> SYNONYM_SHIFT) % len(synonyms)]
        language = word.languages[choice]
        return apply_capitals(translation, word.capitals, language), language

    def _find_entries(
        self, words: Sequence[str], found: list[Any], places: Iterable[int], breaks: Collection[int]
    ) -> tuple[list[int], Mapping[int, int]]:
        """Return the places of the words and phrases that may be replaced, and the number of words of each phrase.

        Where several entries match, the longest one is used; a phrase is stored in `found` at the place of its first
        word. No phrase crosses one of the `breaks`, which are the places where a line begins.
        """
        entries: list[int] = []
        lengths: dict[int, int] = {}
        end = 0
        for place in places:
            if place < end:
                continue
            word: Word = found[place]
            if word.has_longer and place + 1 not in breaks and self._may_continue(word, words, found, place + 1):
                phrase, end = self._longest_phrase(words, found, place, breaks)
                if phrase is not None:
                    found[place], lengths[place] = phrase, end - place
                    entries.append(place)
                    continue
            if word.is_known:
                entries.append(place)
        return entries, lengths

    def _may_continue(self, word: Word, words: Sequence[str], found: Sequence[Any], place: int) -> bool:
        """Return whether the word at a place may be the second word of a phrase that begins with `word`."""
        if word.suffix or place == len(words) or found[place] is None:
            return False
        if not self._vocabulary.joiner:
            return True
        second = found[place].core if found[place] else trim(words[place])[1]
        return any(form in word.second_words for form in self._vocabulary.forms(second))

    def _longest_phrase(
        self, words: Sequence[str], found: Sequence[Any], place: int, breaks: Collection[int]
    ) -> tuple[Word | None, int]:
        """Return the longest phrase that begins at a place, or None, and its end; phrases end at punctuation."""
        first: Word = found[place]
        core, suffix = first.core, first.suffix
        longest: tuple[Word | None, int] = None, place
        for end in range(place + 1, len(words)):
            word = found[end]
            if suffix or word is None or end in breaks:
                break
            prefix, next_core, suffix = (word.prefix, word.core, word.suffix) if word else trim(words[end])
            if prefix:
                break
            core += self._vocabulary.joiner + next_core
            phrase = self._vocabulary.phrases[core]
            if phrase.is_known:
                longest = phrase.surrounded(first.prefix, suffix), end + 1
            if not phrase.has_longer:
                break
        return longest


def _settle_capitals(words: Sequence[str], gaps: Gaps, found: list[Any], places: Iterable[int]) -> None:
    """Replace the Capitals.ANYWHERE of words by those that a translation has in their place."""
    for place in places:
        word: Word = found[place]
        if word.capitals != Capitals.ANYWHERE:
            continue
        start = place
        while start and (start == place or found[start] is None):  # back to another word with a letter
            start -= 1
        before = "".join(
            words[index] + (gaps if isinstance(gaps, str) else gaps[index]) for index in range(start, place)
        )
        capitals = Capitals.FIRST if opens_sentence(before + word.prefix) else Capitals.NONE
        found[place] = msgspec.structs.replace(word, capitals=capitals)


def _pop(places: list[int], index: int) -> int:
    """Remove and return a place; in a long list the last place moves to its position, which is faster than shifting."""
    if len(places) < LONG_TEXT:
        return places.pop(index)
    place, places[index] = places[index], places[-1]
    places.pop()
    return place


def _inner_places(places: Iterable[int], lengths: Mapping[int, int]) -> Collection[int]:
    """Return the places of all words of the phrases at some places, except for the first word of each phrase."""
    return {inner for place in places for inner in range(place + 1, place + lengths.get(place, 1))}


def _join_unspaced(words: Sequence[str], spaced: Collection[int], without: Collection[int]) -> str:
    """Return the text of words without gaps, with spaces around the words at the places in `spaced`."""
    parts: list[str] = []
    before = -1
    for place, word in enumerate(words):
        if place in without:
            continue
        has_space = place in spaced or before in spaced
        if parts and has_space and is_word_character(parts[-1][-1:]) and is_word_character(word[:1]):
            parts.append(" ")
        parts.append(word)
        before = place
    return "".join(parts)
