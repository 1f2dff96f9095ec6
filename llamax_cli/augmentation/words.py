"""What a word is: where a text is cut, what its edges are, how it is written.

cut("Hello, world") -> ["Hello,", "world"], " "
trimmed("“Hello,")  -> ("“", "Hello", ",")
written("haus", capitals("Hello")) -> "Haus"
"""

import re
from collections.abc import Callable, Collection, Sequence
from enum import IntEnum
from typing import TypeAlias
from unicodedata import category


class Capitals(IntEnum):
    """Which letters of a word are capitals."""

    NONE = 0
    FIRST = 1
    ALL = 2


Gaps: TypeAlias = str | Sequence[str]
Cut: TypeAlias = Callable[[str], tuple[list[str], Gaps]]

_SPACE = re.compile(r"\s+")


def cut(text: str) -> tuple[list[str], Gaps]:
    """Return the words between white space and what stands between them: one text, or one for each gap.

    `cut("a b c") -> (["a", "b", "c"], " ")`, `cut("a\\u00a0b  c") -> (["a", "b", "c"], ["\\u00a0", "  "])`
    """
    if text.isprintable():  # no white space but U+0020, which is nearly every text
        return text.split(" "), " "
    return _SPACE.split(text), _SPACE.findall(text)


def joined(words: Sequence[str], gaps: Gaps, without: Collection[int] = ()) -> str:
    """Return the text of words and gaps; where a word is left out, so is the gap before it."""
    if not without and isinstance(gaps, str):
        return gaps.join(words)
    gaps = [gaps] * (len(words) - 1) if isinstance(gaps, str) else gaps
    parts = [words[0]]
    for place, (gap, word) in enumerate(zip(gaps, words[1:], strict=True), 1):
        if place not in without:
            parts += (gap, word)
    return "".join(parts)


def has_letter(word: str) -> bool:
    """Return whether there is a letter in a word: `has_letter("3rd") -> True`, `has_letter("2024,") -> False`."""
    return word.isalpha() or any(map(str.isalpha, word))


def is_letter(character: str) -> bool:
    """Return whether a character is part of a word: a letter, a sign on one, or a digit; not where there is none."""
    return character != "" and category(character)[0] in "LMN"


def trimmed(word: str) -> tuple[str, str, str]:
    """Return the punctuation before a word, the word, and that after it: `trimmed("(C++)!") -> ("(", "C", "++)!")`.

    Combining signs are no punctuation: they belong to a letter.
    """
    if word.isalpha():
        return "", word, ""
    start, end = 0, len(word)
    while start < end and category(word[start])[0] in "PSZC":
        start += 1
    while end > start and category(word[end - 1])[0] in "PSZC":
        end -= 1
    return word[:start], word[start:end], word[end:]


def capitals(word: str) -> Capitals:
    """Return how a word is written: `capitals("House") -> FIRST`; a single capital letter is FIRST."""
    if not word[0].isupper():
        return Capitals.NONE
    return Capitals.ALL if len(word) > 1 and word.isupper() else Capitals.FIRST


def written(word: str, wanted: int) -> str:
    """Return a word with the capitals wanted: `written("haus", Capitals.ALL) -> "HAUS"`.

    With NONE it stays as it is: a German noun keeps its own.
    """
    return word.upper() if wanted == Capitals.ALL else word[:1].upper() + word[1:] if wanted else word
