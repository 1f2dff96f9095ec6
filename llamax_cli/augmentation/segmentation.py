"""Splitting texts without spaces into words: Chinese by a segmenter, other languages by the longest lexicon entries.

chinese_splitter("jieba")("我喜欢北京。") -> (["我", "喜欢", "北京", "。"], "")
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from llamax_cli.augmentation.vocabulary import Vocabulary
from llamax_cli.augmentation.words import WordSplitter
from llamax_cli.errors import UsageError
from llamax_cli.languages import table_row


class UnspacedScript(NamedTuple):
    """The characters of a language without spaces, and the length of its shortest words in characters.

    A single Thai or Khmer letter is usually part of a word that is not in the lexicon; a single Japanese character is
    often a word.
    """

    characters: str
    shortest: int


SCRIPTS = {
    "ja": UnspacedScript("々〆〇ぁ-ヿㇰ-ㇿ㐀-䶿一-鿿豈-﫿𠀀-𯿿", 1),
    "th": UnspacedScript("\u0e01-\u0e3a\u0e40-\u0e4e", 2),
    "lo": UnspacedScript("\u0e81-\u0ecd\u0edc-\u0edf", 2),
    "km": UnspacedScript("\u1780-\u17d3\u17d7\u17dc\u17dd", 2),
    "my": UnspacedScript("\u1000-\u103f\u104c-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff", 2),
}
LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")  # written before the consonant that is spoken first
FOLLOWING_VOWELS = frozenset("ะาำๅະາຳ")  # of Thai and Lao, which Unicode classes as letters
STACKING_SIGNS = frozenset("\u17d2\u1039")  # the next consonant is written below
CHINESE = frozenset({"zh", "zhtrad", "yue", "wuu", "lzh"})
SEGMENTERS = ("jieba", "rjieba")


def is_spaced(lang: str) -> bool:
    """Return whether a language is written with spaces between words: `is_spaced("th") -> False`."""
    known = table_row(lang)
    return known.spaced if known else lang not in CHINESE


@cache
def chinese_splitter(segmenter: str) -> WordSplitter:
    """Return a splitter of Chinese texts that uses one of the SEGMENTERS; UsageError if it is not installed."""
    segment = _rjieba() if segmenter == "rjieba" else _jieba()
    return lambda text: (segment(text) or [""], "")


def _jieba() -> Callable[[str], list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns about escapes in jieba's source
        import jieba  # type: ignore[import-untyped]

    # jieba's own way of loading prints to standard error and leaves a file in the temporary folder.
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    segment: Callable[[str], list[str]] = tokenizer.lcut
    return segment


def _rjieba() -> Callable[[str], list[str]]:
    try:
        import rjieba  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise UsageError("--segmenter rjieba is not installed: pip install 'llamax[rjieba]'") from error
    segment: Callable[[str], list[str]] = rjieba.cut
    return segment


def longest_match_splitter(vocabulary: Vocabulary) -> WordSplitter:
    """Return a splitter for a language of SCRIPTS that splits texts at the longest entries of a lexicon.

    The text between two entries is one word; so is each run of other characters or of white space.
    """
    characters, shortest = SCRIPTS[vocabulary.lang]
    split_runs = re.compile(rf"[{characters}]+|[^\s{characters}]+|\s+").findall
    is_script = re.compile(f"[{characters}]").match

    def split(text: str) -> tuple[list[str], str]:
        words: list[str] = []
        for run in split_runs(text):
            if is_script(run):
                words += _match(run, vocabulary, shortest)
            else:
                words.append(run)
        return words or [""], ""

    return split


def _match(run: str, vocabulary: Vocabulary, shortest: int) -> Iterator[str]:
    """Yield the longest entries in a run of one script, and the text between them."""
    unknown = place = 0  # where the text without an entry begins, and where the next entry may begin
    while place < len(run):
        end = _longest_end(run, place, vocabulary, shortest) if _is_boundary(run, place) else None
        if end is None:
            place += 1
            continue
        if unknown < place:
            yield run[unknown:place]
        yield run[place:end]
        unknown = place = end
    if unknown < len(run):
        yield run[unknown:]


def _longest_end(run: str, start: int, vocabulary: Vocabulary, shortest: int) -> int | None:
    """Return the end of the longest entry that starts at a place, or None if there is none."""
    longest = None
    for end in range(start + 1, len(run) + 1):
        word = vocabulary.phrases[run[start:end]]
        if word.is_known and end - start >= shortest and _is_boundary(run, end):
            longest = end
        if not word.has_longer:
            break
    return longest


def _is_boundary(run: str, place: int) -> bool:
    """Return whether a run may be split at a place without splitting a syllable.

    A sign belongs to the letter before it, and a leading vowel to the letter after it.
    """
    if place in {0, len(run)}:
        return True
    return not (_is_sign(run[place]) or run[place - 1] in LEADING_VOWELS or run[place - 1] in STACKING_SIGNS)


@cache
def _is_sign(character: str) -> bool:
    from unicodedata import category

    return category(character)[0] == "M" or character in FOLLOWING_VOWELS
