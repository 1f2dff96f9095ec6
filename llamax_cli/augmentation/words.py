"""Words of a text: splitting and joining them, and their punctuation.

split_words("Hello, world") -> ["Hello,", "world"], " "
trim("“Hello,") -> ("“", "Hello", ",")
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias
from unicodedata import category

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


_find_address = re.compile(r"@\w|://|(?<!\w)www\.").search
# Where there are no spaces, an address of ASCII characters ends before the first other one.
_find_addresses = re.compile(
    r"[A-Za-z0-9_.+-]*@(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\w+)|(?:[A-Za-z]+://|(?<![A-Za-z0-9])www\.)[!-~]*"
).finditer


def is_address(word: str) -> bool:
    """Return whether a word is an address or has one: of the web, of e-mail, or the name of a user, `@house`."""
    return _find_address(word) is not None


def addresses_in(words: Sequence[str]) -> Iterator[int]:
    """Yield the indices of the words that are in an address, where there is nothing between words."""
    text = "".join(words)
    if not is_address(text):
        return
    inside = {place for address in _find_addresses(text) for place in range(*address.span())}
    end = 0
    for index, word in enumerate(words):
        start, end = end, end + len(word)
        if not inside.isdisjoint(range(start, end)):
            yield index


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
