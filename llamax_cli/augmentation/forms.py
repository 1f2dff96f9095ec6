"""The forms in which a word of a text may stand in a lexicon.

forms_of("Don't", "en") -> ("Don't", "don't", "Don’t", "don’t")
"""

import re
from collections.abc import Iterator
from unicodedata import normalize

from llamax_cli.augmentation.capitals import APOSTROPHES, GREEK, WITH_DOTLESS_I
from llamax_cli.languages import primary_subtag

_APOSTROPHE = re.compile(f"[{APOSTROPHES}]")
_USUAL_APOSTROPHES = APOSTROPHES[:2]
_TONOS = "\u0301"
_DIALYTIKA = "\u0308"


def plain_forms(word: str) -> tuple[str, ...]:
    """Return a word as it is written and in lower case, in Unicode's form NFC."""
    text = word if word.isascii() else normalize("NFC", word)
    lower = text.lower()
    return (text,) if lower == text else (text, lower)


def forms_of(word: str, lang: str) -> tuple[str, ...]:
    """Return the forms of a word or phrase, those nearest to the word first.

    Besides the `plain_forms` they are: the lower case of a language that has one of its own; a word in capitals with
    only the first letter as a capital, as German nouns and names have it; a Greek word in capitals with an accent on
    each of its vowels, since capitals have none; and each of these with every kind of apostrophe.
    """
    found = plain_forms(word)
    text = found[0]
    if len(found) > 1 and (text.isupper() or primary_subtag(lang) in WITH_DOTLESS_I):
        found = tuple(dict.fromkeys(_other_cases(primary_subtag(lang), *found)))
    if _APOSTROPHE.search(text):
        is_usual = text.isascii() and primary_subtag(lang) != "uz"
        others = _with_other_apostrophes(found, _USUAL_APOSTROPHES if is_usual else APOSTROPHES)
        found = tuple(dict.fromkeys([*found, *others]))
    return found


def has_cases_of_its_own(lang: str) -> bool:
    """Return whether a language has pairs of capitals and small letters other than those of all languages."""
    return primary_subtag(lang) in WITH_DOTLESS_I | GREEK


def _with_other_apostrophes(found: tuple[str, ...], apostrophes: str) -> Iterator[str]:
    for apostrophe in apostrophes:
        for form in found:
            yield _APOSTROPHE.sub(apostrophe, form)


def _other_cases(lang: str, text: str, lower: str) -> Iterator[str]:
    lowered = [lower]
    if lang in WITH_DOTLESS_I:
        dotted = text.replace("İ", "i")
        # Foreign words keep their i: the entry of IBM is ibm.
        lowered = [dotted.replace("I", "ı").lower(), dotted.lower()]
    yield from (text, *lowered)
    if text.isupper():
        for form in lowered:
            pairs = zip(text.split(" "), form.split(" "), strict=True)
            yield " ".join(capital[:1] + small[1:] for capital, small in pairs)
    if is_greek_capitals(text, lang):
        yield from _with_accent(lower)


def is_greek_capitals(text: str, lang: str) -> bool:
    """Return whether a Greek word or phrase is in capitals without an accent."""
    return text.isupper() and len(text) > 1 and primary_subtag(lang) in GREEK and _TONOS not in normalize("NFD", text)


def _with_accent(word: str) -> Iterator[str]:
    """Yield a Greek word with an accent on each vowel: `_with_accent("και") -> "κάι", "καί"`.

    A dialytika that only stands for an accent on the vowel before it is dropped: ΜΑΪΟΣ is μάιος.
    """
    letters = normalize("NFD", word)
    for place, letter in enumerate(letters, 1):
        if letter not in "αεηιουω":
            continue
        end = place + letters.startswith(_DIALYTIKA, place)
        accented, rest = letters[:end] + _TONOS, letters[end:]
        yield normalize("NFC", accented + rest)
        if rest[:1] in {"ι", "υ"} and rest.startswith(_DIALYTIKA, 1):
            yield normalize("NFC", accented + rest[0] + rest[2:])
