"""Measures of a text, and of the two sides of a pair, by which filters decide.

What is measured, and how, follows the filters of OpusFilter (its `filters.py`), so that the same thresholds make the
same choices there: lengths and their ratios, the share of letters, the digits without zeros, runs of repetitions. Two
measures go further: words are counted in scripts without spaces too, and digits of any script are compared.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import cache, lru_cache
from importlib import import_module
from math import inf
from typing import Any, NamedTuple
from unicodedata import digit

from llamax_cli.script import HAN, usual_scripts

# Characters that stand for one English word on average, in FLORES-101's devtest.
_WORD_LENGTHS = (
    ("々〆" + HAN, 1.7),
    ("ぁ-ゟァ-ヺー-ヿㇰ-ㇿ", 3.2),
    ("\u0e01-\u0e3a\u0e40-\u0e4e", 5.7),  # Thai
    ("\u0e81-\u0ecd\u0edc-\u0edf", 6.1),  # Lao
    ("\u1780-\u17d3\u17d7\u17dc\u17dd", 6.5),  # Khmer
    ("\u1000-\u103f\u1050-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff", 7.2),  # Burmese
)
_UNSPACED = re.compile("[" + "".join(characters for characters, _ in _WORD_LENGTHS) + "]")
_BY_SCRIPT = [(re.compile(f"[{characters}]+"), length) for characters, length in _WORD_LENGTHS]
_DIGIT = re.compile(r"[^\D0]")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'，。、）」]+", re.IGNORECASE)
_URL_END = ".,;:!?)]}»”’"
_ASCII_OTHERS = bytes(code for code in range(128) if not chr(code).isalpha())
_WINDOW, _LONGEST = 3, 101  # characters of the shortest and of the longest repeated string


def ratio(first: float, second: float) -> float:
    """Return how many times as large as the smaller the larger of two lengths is: `ratio(2, 5) -> 2.5`.

    Two empty sides are equal; one empty side is infinitely shorter.
    """
    small, large = (first, second) if first < second else (second, first)
    return large / small if small else inf if large else 0.0


@lru_cache(maxsize=8)  # several filters ask for the same sides
def count_words(text: str) -> float:
    """Return the number of words between spaces; in a script without spaces, characters count as parts of words.

    `count_words("It rains.") -> 2`, `count_words("下雨了") -> 1.76...`
    """
    if text.isascii() or not _UNSPACED.search(text):
        return len(text.split())
    words = 0.0
    for pattern, length in _BY_SCRIPT:
        words += sum(map(len, pattern.findall(text))) / length
        text = pattern.sub(" ", text)
    # What remains between the runs is words of other scripts, and signs that are none.
    return words + sum(any(map(str.isalnum, word)) for word in text.split())


def longest_word(text: str) -> int:
    """Return the number of characters of the longest run without spaces; 0 where a script writes no spaces."""
    if not text.isascii() and _UNSPACED.search(text):
        return 0
    return max(map(len, text.split()), default=0)


@cache
def _letters() -> tuple[Callable[..., str], Callable[..., str]]:
    """Return substitutions that leave of a text its letters, and its letters of some script."""
    regex = import_module("regex")  # it knows the scripts and letters of Unicode, but no types
    every: Any = regex.compile(r"\P{Alphabetic}+")
    scripted: Any = regex.compile(r"(?V1)[\P{Alphabetic}\p{Script=Common}\p{Script=Inherited}]+")
    return every.sub, scripted.sub


def letter_share(text: str) -> float:
    """Return the share of the characters, spaces included, that are letters: `letter_share("ab 1") -> 0.5`.

    It is 1 for an empty text.
    """
    if not text:
        return 1.0
    if text.isascii():
        return len(text.encode().translate(None, _ASCII_OTHERS)) / len(text)
    return len(_letters()[0]("", text)) / len(text)


class _Foreign(NamedTuple):
    """Finds letters in other scripts than those of a language, and leaves of letters those of its scripts."""

    search: Callable[[str], object]
    leave_own: Callable[..., str]
    is_latin: bool


@cache
def _foreign(language: str) -> _Foreign | None:
    """Return what finds letters that are foreign to a language, None where its scripts are unknown."""
    regex = import_module("regex")
    scripts = sorted(usual_scripts(language))
    if not scripts:
        return None
    own = "".join(f"\\p{{Script={script}}}" for script in scripts)
    letter: Any = regex.compile(rf"(?V1)[\p{{Alphabetic}}--[{own}\p{{Script=Common}}\p{{Script=Inherited}}]]")
    foreign: Any = regex.compile(f"(?V1)[^{own}]+")
    return _Foreign(letter.search, foreign.sub, "Latn" in scripts)


def script_share(text: str, language: str) -> float:
    """Return the share of the letters that are in a script of the language: `script_share("да ok", "ru") -> 0.5`.

    It is 1 for a text without letters and for a language whose script is unknown. Letters that all scripts share, such
    as the mark of a long vowel in katakana, are not counted.
    """
    foreign = _foreign(language)
    if foreign is None or (foreign.is_latin and text.isascii()) or not foreign.search(text):
        return 1.0
    letters = _letters()[1]("", text)
    return len(foreign.leave_own("", letters)) / len(letters)


def digit_agreement(source: str, target: str) -> float:
    """Return how similar the digits are, from 0 to 1, in their order and without zeros, which formats add and drop.

    `digit_agreement("In 1999, 5 of 10", "१९९९ में 10 में से 5") -> 1.0`, up to the order of the digits. It is 1 without
    any digits.
    """
    first, second = _digits(source), _digits(target)
    return 1.0 if first == second else SequenceMatcher(None, first, second).ratio()


def _digits(text: str) -> list[int]:
    found = _DIGIT.findall(text)
    if not found:
        return found
    return [number for character in found if (number := digit(character))]


def urls(text: str) -> Counter[str]:
    """Return the web addresses in a text, without punctuation after them."""
    if "//" not in text and "www." not in text.lower():
        return Counter()
    return Counter(address.rstrip(_URL_END) for address in _URL.findall(text))


@cache
def _run_of(times: int) -> Callable[[str, int], re.Match[str] | None]:
    return re.compile(rf"(\S.{{{_WINDOW - 1},{_LONGEST - 1}}}?)(?: *\1){{{times - 1},}}").match


def repeats_more_than(times: int, text: str) -> bool:
    """Return whether a string of 3 to 101 characters stands more than `times` times in a row, spaces between or not.

    `repeats_more_than(2, "no no no no") -> True`; the string there is "no " or "no no".
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place in range(len(text) - _WINDOW + 1):
        places[text[place : place + _WINDOW]].append(place)
    # A string that repeats begins with three characters that are there as often, so few places are looked at.
    return any(len(found) > times and _repeats_at(times, text, found) for found in places.values())


def _repeats_at(times: int, text: str, places: Sequence[int]) -> bool:
    """Return whether a string that begins at one of these places, which begin alike, repeats.

    Where it stands again, it has to begin alike up to there; few places do, and only these are looked at closely.
    """
    match = _run_of(times + 1)
    for index in range(len(places) - times):
        place = places[index]
        for later in range(index + 1, len(places)):
            again = places[later]
            string = text[place:again].rstrip(" ")
            if len(string) > _LONGEST:
                break
            if text.startswith(string, again):
                if match(text, place) is not None:
                    return True
                break
    return False
