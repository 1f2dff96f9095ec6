"""Words of texts that are written without spaces, by a segmenter (Chinese) or the longest entries of a lexicon.

chinese("jieba")("我喜欢北京。") -> (["我", "喜欢", "北京", "。"], "")
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache

from llamax_cli.augmentation.vocabulary import Vocabulary
from llamax_cli.augmentation.words import Cut
from llamax_cli.errors import UsageError
from llamax_cli.languages import languages

# The characters a language is written with, and the fewest that make a word: a single Thai or Khmer letter is a piece
# of a word that the lexicon does not have, a single Japanese character is often a word.
SCRIPTS = {
    "ja": ("々〆〇ぁ-ヿㇰ-ㇿ㐀-䶿一-鿿豈-﫿𠀀-𯿿", 1),
    "th": ("\u0e01-\u0e3a\u0e40-\u0e4e", 2),
    "lo": ("\u0e81-\u0ecd\u0edc-\u0edf", 2),
    "km": ("\u1780-\u17d3\u17d7\u17dc\u17dd", 2),
    "my": ("\u1000-\u103f\u104c-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff", 2),
}
LEADING = frozenset("เแโใไເແໂໃໄ")  # vowels that are written before the consonant they follow
STACKING = frozenset("\u17d2\u1039")  # signs that put the next consonant below
CHINESE = frozenset({"zh", "zhtrad", "yue", "wuu", "lzh"})
SEGMENTERS = ("jieba", "rjieba")


def is_spaced(lang: str) -> bool:
    """Return whether a language has spaces between its words: `is_spaced("th") -> False`."""
    known = languages().get(lang)
    return known.spaced if known else lang not in CHINESE


@cache
def chinese(segmenter: str) -> Cut:
    """Return the cut of Chinese texts by one of the SEGMENTERS; UsageError where it is not installed."""
    words = _rjieba() if segmenter == "rjieba" else _jieba()
    return lambda text: (words(text) or [""], "")


def _jieba() -> Callable[[str], list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its source has escapes that Python 3.12 warns of
        import jieba  # type: ignore[import-untyped]

    # Its own way of loading talks on standard error and leaves a file in the folder for temporary files.
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    found: Callable[[str], list[str]] = tokenizer.lcut
    return found


def _rjieba() -> Callable[[str], list[str]]:
    try:
        import rjieba  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise UsageError("--segmenter rjieba is not installed: pip install 'llamax[rjieba]'") from error
    found: Callable[[str], list[str]] = rjieba.cut
    return found


def longest_match(vocabulary: Vocabulary) -> Cut:
    """Return the cut of texts of one of the SCRIPTS' languages at the longest entries of its lexicon.

    What lies between two entries is one word; other scripts and white space are cut off.
    """
    characters, shortest = SCRIPTS[vocabulary.lang]
    runs = re.compile(rf"[{characters}]+|[^\s{characters}]+|\s+").findall
    is_run = re.compile(f"[{characters}]").match

    def cut(text: str) -> tuple[list[str], str]:
        found: list[str] = []
        for run in runs(text):
            if is_run(run):
                found += _matched(run, vocabulary, shortest)
            else:
                found.append(run)
        return found or [""], ""

    return cut


def _matched(run: str, vocabulary: Vocabulary, shortest: int) -> Iterator[str]:
    unknown = place = 0
    while place < len(run):
        end = _end(run, place, vocabulary, shortest) if _may_cut(run, place) else None
        if end is None:
            place += 1
            continue
        if unknown < place:
            yield run[unknown:place]
        yield run[place:end]
        unknown = place = end
    if unknown < len(run):
        yield run[unknown:]


def _end(run: str, start: int, vocabulary: Vocabulary, shortest: int) -> int | None:
    """Return where the longest entry ends that starts at a place, None where there is none."""
    found = None
    for end in range(start + 1, len(run) + 1):
        word = vocabulary.phrases[run[start:end]]
        if word.is_known and end - start >= shortest and _may_cut(run, end):
            found = end
        if not word.opens:
            break
    return found


def _may_cut(run: str, place: int) -> bool:
    """Return whether no syllable is torn: a sign stays with the letter before it, a leading vowel with that after."""
    if place in {0, len(run)}:
        return True
    return not (_is_sign(run[place]) or run[place - 1] in LEADING or run[place - 1] in STACKING)


@cache
def _is_sign(character: str) -> bool:
    from unicodedata import category

    # The vowels of Thai and Lao that follow a consonant are letters by their category.
    return category(character)[0] == "M" or character in "ะาำๅະາຳ"
