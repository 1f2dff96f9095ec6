"""Words of a text: splitting and joining them, their punctuation and their capitals.

split_words("Hello, world") -> ["Hello,", "world"], " "
trim("“Hello,") -> ("“", "Hello", ",")
apply_capitals("haus", capitals_of("Hello")) -> "Haus"
"""

import re
from collections.abc import Callable, Collection, Sequence
from enum import IntEnum
from typing import TypeAlias
from unicodedata import category


class Capitals(IntEnum):
    """Which letters of a word are capitals; spaced.c has the same numbers."""

    NONE = 0
    FIRST = 1
    ALL = 2


Gaps: TypeAlias = str | Sequence[str]  # the text between words: one for all gaps, or one for each gap
WordSplitter: TypeAlias = Callable[[str], tuple[list[str], Gaps]]

_SPACE = re.compile(r"\s+")
PUNCTUATION = "PSZC"  # Unicode's major categories of punctuation, symbols, separators and controls


def split_words(text: str) -> tuple[list[str], Gaps]:
    """Return the words of a text, split at runs of white space, and the gaps between them.

    `split_words("a b c") -> (["a", "b", "c"], " ")`
    `split_words("a\\u00a0b  c") -> (["a", "b", "c"], ["\\u00a0", "  "])`

    White space is what `\\s` is: zero-width and other format characters are part of a word. A text that begins or ends
    with white space begins or ends with an empty word.
    """
    if text.isprintable() and "  " not in text:  # nearly every text: all its gaps are U+0020
        return text.split(" "), " "
    return _SPACE.split(text), _SPACE.findall(text)


def join_words(words: Sequence[str], gaps: Gaps, without: Collection[int] = ()) -> str:
    """Join words and gaps; a word whose index is in `without` is left out, and so is the gap before it."""
    if not without and isinstance(gaps, str):
        return gaps.join(words)
    gaps = [gaps] * (len(words) - 1) if isinstance(gaps, str) else gaps
    parts = [words[0]]
    for index, (gap, word) in enumerate(zip(gaps, words[1:], strict=True), 1):
        if index not in without:
            parts += (gap, word)
    return "".join(parts)


def has_letter(word: str) -> bool:
    """Return whether a word contains a letter: `has_letter("3rd") -> True`, `has_letter("2024,") -> False`."""
    return word.isalpha() or any(map(str.isalpha, word))


def is_word_character(character: str) -> bool:
    """Return whether a character is a letter, a combining mark or a digit; return False for ""."""
    return character != "" and category(character)[0] in "LMN"


def trim(word: str) -> tuple[str, str, str]:
    """Return the punctuation before a word, the word, and the punctuation after it.

    `trim("(C++)!") -> ("(", "C", "++)!")`

    Combining marks belong to their letters, not to the punctuation.
    """
    if word.isalpha():
        return "", word, ""
    start, end = 0, len(word)
    while start < end and category(word[start])[0] in PUNCTUATION:
        start += 1
    while end > start and category(word[end - 1])[0] in PUNCTUATION:
        end -= 1
    return word[:start], word[start:end], word[end:]


def capitals_of(word: str) -> Capitals:
    """Return the Capitals of a word: `capitals_of("House") -> FIRST`. A single capital letter is FIRST."""
    if not word[0].isupper():
        return Capitals.NONE
    return Capitals.ALL if len(word) > 1 and word.isupper() else Capitals.FIRST


def apply_capitals(word: str, capitals: int) -> str:
    """Return a word with the given Capitals: `apply_capitals("haus", Capitals.ALL) -> "HAUS"`.

    NONE leaves the word unchanged, because a German noun must keep its capital.
    """
    return word.upper() if capitals == Capitals.ALL else word[:1].upper() + word[1:] if capitals else word
