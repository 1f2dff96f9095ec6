"""Code-switching: a share of the words of a text replaced by translations (paper, section 2.1, step 2).

    switch = Switcher(vocabulary, words.cut, 0.3).switch
    switch("A black dog.", key) -> (b'"A schwarz dog."', 3, 3, 1, ["de"])

The rate is the share of words that are replaced in the end, which the paper does not give: of n words with a letter
n * rate are replaced, rounded up or down by chance so that the mean is right, at most those that the lexicon covers. A
phrase counts its words. Each replacement draws a language, all that have a translation alike, then a translation in it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, TypeAlias

import msgspec

from llamax_cli.augmentation.segmentation import is_spaced
from llamax_cli.augmentation.vocabulary import Vocabulary, Word
from llamax_cli.augmentation.words import Cut, is_letter, joined, trimmed, written
from llamax_cli.augmentation.words import cut as at_spaces
from llamax_cli.lexicon.store.layout import ITEM_SEPARATOR
from llamax_cli.randomness import draws

try:
    from llamax_cli.augmentation.spaced import Spaced
except ImportError:  # installed where there was no C compiler
    Spaced = None  # type: ignore[assignment,misc]

_encode = msgspec.json.Encoder().encode

LONG = 10_000  # words of a text


# A text after code-switching, how many words it had, were covered and were replaced, and by which languages. The text
# is a string of JSON, as it will be written.
Switched: TypeAlias = tuple[bytes, int, int, int, list[str]]


class Switcher:
    """Code-switches texts in the language of a vocabulary; `cut` gives their words."""

    def __init__(self, vocabulary: Vocabulary, cut: Cut, rate: float) -> None:
        self._vocabulary = vocabulary
        self._look_up = vocabulary.words.__getitem__
        self._read = vocabulary.read
        self._cut = cut
        self._rate = rate
        self._spaced: Spaced | None = None
        if Spaced is not None and cut is at_spaces:
            self._spaced = Spaced(vocabulary.packed, written, rate)
            vocabulary.room.share(self._spaced)

    def switch(self, text: str, key: int) -> Switched:
        """Return the text with some of its words replaced, chosen by the 64 random bits of `key`."""
        if self._spaced is not None and (switched := self._spaced(text, key)) is not None:
            return switched
        words, gaps = self._cut(text)
        found: list[Any] = list(map(self._look_up, words))  # a Word, or False, or None where there is no letter
        places = list(compress(range(len(found)), found))
        count = len(found) - found.count(None)
        lengths: Mapping[int, int] = {}
        if self._vocabulary.has_phrases:
            breaks = () if isinstance(gaps, str) else [place for place, gap in enumerate(gaps, 1) if "\n" in gap]
            places, lengths = self._entries(words, found, places, breaks)
        covered = len(places) + sum(lengths.values()) - len(lengths)
        wanted = min(covered, int(count * self._rate + (key >> 32) / 4294967296))
        chosen = _chosen(places, lengths, wanted, draws(key))
        languages: list[str] = []
        for place, bits in chosen:
            word = found[place]
            choices = word.translations or self._read(word)
            choice = (bits >> 20) % len(choices)
            translation = choices[choice]
            if ITEM_SEPARATOR in translation:
                synonyms = translation.split(ITEM_SEPARATOR)
                translation = synonyms[(bits >> 40) % len(synonyms)]
            if not word.is_plain:
                translation = word.before + written(translation, word.capitals) + word.after
            words[place] = translation
            languages.append(word.languages[choice])
        swallowed = _swallowed(chosen, lengths) if lengths else ()
        if gaps:
            text = joined(words, gaps, swallowed)
        else:
            text = _set_off(
                words, {place for (place, _), lang in zip(chosen, languages, strict=True) if is_spaced(lang)}, swallowed
            )
        return _encode(text), count, covered, len(chosen) + len(swallowed), languages

    def _entries(
        self, words: Sequence[str], found: list[Any], places: Iterable[int], breaks: Collection[int]
    ) -> tuple[list[int], Mapping[int, int]]:
        """Return the places of what may be replaced, and how many words each phrase among it has.

        What is found at the place of a phrase becomes the phrase: the longest entry goes first. No phrase goes on at
        one of the `breaks`, where a line begins.
        """
        entries: list[int] = []
        lengths: dict[int, int] = {}
        end = 0
        for place in places:
            if place < end:
                continue
            word: Word = found[place]
            if word.opens and place + 1 not in breaks and self._may_go_on(word, words, found, place + 1):
                phrase, end = self._longest(words, found, place, breaks)
                if phrase is not None:
                    found[place], lengths[place] = phrase, end - place
                    entries.append(place)
                    continue
            if word.is_known:
                entries.append(place)
        return entries, lengths

    def _may_go_on(self, word: Word, words: Sequence[str], found: Sequence[Any], place: int) -> bool:
        """Return whether what stands at a place may be the second word of a phrase."""
        if word.after or place == len(words) or found[place] is None:
            return False
        if not self._vocabulary.joint:
            return True
        second = found[place].core if found[place] else trimmed(words[place])[1]
        return second in word.seconds or second.lower() in word.seconds

    def _longest(
        self, words: Sequence[str], found: Sequence[Any], place: int, breaks: Collection[int]
    ) -> tuple[Word | None, int]:
        """Return the longest entry of several words that begins with one, and where it ends; punctuation ends it."""
        first: Word = found[place]
        core, after = first.core, first.after
        longest: tuple[Word | None, int] = None, place
        for end in range(place + 1, len(words)):
            word = found[end]
            if after or word is None or end in breaks:
                break
            before, more, after = (word.before, word.core, word.after) if word else trimmed(words[end])
            if before:
                break
            core += self._vocabulary.joint + more
            entry = self._vocabulary.phrases[core]
            if entry.is_known:
                longest = entry.between(first.before, after), end + 1
            if not entry.opens:
                break
        return longest


def _chosen(
    places: list[int], lengths: Mapping[int, int], wanted: int, draw: Callable[[int], int]
) -> list[tuple[int, int]]:
    """Return places drawn until as many words as are wanted are in them, each with further random bits.

    A phrase that has more words than are still wanted is passed over.
    """
    sizes = range(len(places), 0, -1)
    if not lengths and len(places) < LONG:
        return [(places.pop(bits % size), bits) for bits, size in zip(map(draw, range(wanted)), sizes, strict=False)]
    chosen: list[tuple[int, int]] = []
    for step, size in enumerate(sizes):
        if not wanted:
            break
        bits = draw(step)
        place = _taken(places, bits % size)
        length = lengths.get(place, 1)
        if length <= wanted:
            chosen.append((place, bits))
            wanted -= length
    return chosen


def _taken(places: list[int], number: int) -> int:
    """Remove and return a place; in a long list the last takes its room, as moving all after it would take long."""
    if len(places) < LONG:
        return places.pop(number)
    place, places[number] = places[number], places[-1]
    places.pop()
    return place


def _swallowed(chosen: Iterable[tuple[int, int]], lengths: Mapping[int, int]) -> Collection[int]:
    """Return the places of all words of the chosen phrases but their first."""
    return {inner for place, _ in chosen for inner in range(place + 1, place + lengths.get(place, 1))}


def _set_off(words: Sequence[str], spaced: Collection[int], without: Collection[int]) -> str:
    """Return the text of words without gaps; spaces set off those that come from a language that has spaces."""
    parts: list[str] = []
    before = -1
    for place, word in enumerate(words):
        if place in without:
            continue
        if parts and (place in spaced or before in spaced) and is_letter(parts[-1][-1:]) and is_letter(word[:1]):
            parts.append(" ")
        parts.append(word)
        before = place
    return "".join(parts)
