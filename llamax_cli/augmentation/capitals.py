"""The capitals of a word of a text, and a translation with the same capitals, as its own language writes them.

capitals_of("House", "en") -> Capitals.FIRST
apply_capitals("ijs", Capitals.FIRST, "nl") -> "IJs"

Where languages differ from what Unicode says of all (str.upper, str.title), this is after Unicode's SpecialCasing.txt
and CLDR's transforms to upper case.
"""

import re
from enum import IntEnum
from unicodedata import normalize

from llamax_cli.languages import primary_subtag


class Capitals(IntEnum):
    """Which letters of a word are capitals; spaced.h has the same numbers.

    ANYWHERE is a first capital that the word has in every place, such as that of English `I`. A translation has it only
    where a sentence begins.
    """

    NONE = 0
    FIRST = 1
    ALL = 2
    ANYWHERE = 3


_ALL = int(Capitals.ALL)
_INITIALS_BY_LANGUAGE = "iև"  # the letters whose title case depends on the language
CAPITAL_NOUNS = frozenset({"de", "lb", "nds", "gsw", "bar"})  # languages that write all nouns with a capital
WITH_DOTLESS_I = frozenset({"tr", "az", "crh", "gag"})  # İ is the capital of i, and I that of ı
GREEK = frozenset({"el", "grc"})
APOSTROPHES = "'’ʼʻ‘"  # a keyboard's, a typesetter's, and what is typed for either where it is a letter, as in Uzbek
_ENGLISH_I = re.compile(rf"I(?:[ {APOSTROPHES}]|$)").match
_CHEROKEE = re.compile("[\u13a0-\u13f5]").match  # usual letters, although Unicode classes them as capitals
_GEORGIAN = re.compile("[\u10d0-\u10ff]")  # these letters have capitals for headlines, which hardly any text uses
_GREEK_ACCENTS = re.compile("[\u0300\u0301\u0304\u0306\u0313\u0314\u0342]")  # all marks but the dialytika
# The first of two vowels that would be one sound without its accent: άι is written ΑΪ.
_GREEK_HIATUS = re.compile("((?:[αεουΑΕΟΥ](?=\u0301ι)|[αεοηΑΕΟΗ](?=\u0301υ))\u0301.)(?![\u0301\u0308])")


def has_capitals_anywhere(lang: str) -> bool:
    """Return whether words of a language may have capitals of the kind ANYWHERE."""
    lang = primary_subtag(lang)
    return lang == "en" or lang in CAPITAL_NOUNS


def capitals_of(word: str, lang: str) -> Capitals:
    """Return the Capitals of a word: `capitals_of("House", "en") -> FIRST`. A single capital letter is FIRST."""
    if not word[0].istitle() or _CHEROKEE(word):
        return Capitals.NONE
    if word.isupper() and any(map(str.isupper, word[1:])):
        return Capitals.ALL
    lang = primary_subtag(lang)
    is_usual = lang in CAPITAL_NOUNS or (lang == "en" and _ENGLISH_I(word))
    return Capitals.ANYWHERE if is_usual else Capitals.FIRST


def apply_capitals(word: str, capitals: int, lang: str) -> str:
    """Return a word of a language with the given Capitals: `apply_capitals("haus", Capitals.ALL, "de") -> "HAUS"`.

    NONE leaves the word unchanged, because a German noun must keep its capital.
    """
    if not capitals:
        return word
    if capitals == _ALL:
        return _upper(word, primary_subtag(lang))
    if word[:1] in _INITIALS_BY_LANGUAGE:
        return _title(word, primary_subtag(lang))
    return word[:1].title() + word[1:]  # the letter itself where a script has no capitals


def _title(word: str, lang: str) -> str:
    """Return a word with its first letter, one of _INITIALS_BY_LANGUAGE, in title case."""
    if lang in WITH_DOTLESS_I and word.startswith("i"):
        return "İ" + word[1:]
    if lang == "nl" and word.startswith("ij"):
        return "IJ" + word[2:]
    if lang == "hy" and word.startswith("և"):
        return "Եվ" + word[1:]
    return word[:1].title() + word[1:]


def _upper(word: str, lang: str) -> str:
    """Return a word in capitals, except for Georgian letters."""
    if lang in GREEK:
        return _upper_greek(word)
    if lang in WITH_DOTLESS_I:
        word = word.replace("i", "İ")
    elif lang == "hy":
        word = word.replace("և", "եվ")
    if _GEORGIAN.search(word):
        return "".join(letter if _GEORGIAN.match(letter) else letter.upper() for letter in word)
    return word.upper()


def _upper_greek(word: str) -> str:
    """Return a Greek word in capitals, which have no accents: `_upper_greek("μάιος") -> "ΜΑΪΟΣ"`."""
    if word == "ή":
        return "Ή"  # the word for "or" keeps its accent, which tells it from the article
    divided = _GREEK_HIATUS.sub("\\1\u0308", normalize("NFD", word))
    return normalize("NFC", _GREEK_ACCENTS.sub("", divided).upper())


_SENTENCE_ENDS = ".!?…"
_QUOTES = "\"'“”„‟‚‘’«»‹›"


def opens_sentence(before: str) -> bool:
    """Return whether a word begins a sentence, from the text before it: `opens_sentence("Yes. (") -> True`.

    A sentence begins with a line, after the end of another one, and with a quotation after a comma or colon.
    """
    begins_quotation = has_space = False
    for character in reversed(before):
        if character == "\n":
            return True
        if character.isalnum() or character in _SENTENCE_ENDS or character in ",:;":
            return character in _SENTENCE_ENDS or (begins_quotation and character in ",:")
        has_space = has_space or character.isspace()
        begins_quotation = begins_quotation or (character in _QUOTES and not has_space)
    return True
