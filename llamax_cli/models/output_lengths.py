"""How long a translation may become: the paper's fixed number, or a number that fits the sentence and the tokenizer.

256 tokens are too few where a tokenizer breaks a script into bytes: of the FLORES references, in LLaMA-2 tokens, 78 %
in Odia are longer.
"""

import math
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache

from llamax_cli.languages import language, languages

EXPANSION = 2.0  # characters of a translation for each of the source, at most
WIDE = 3.0  # characters of an alphabet that one of Chinese or Japanese is worth
ROOM = 16  # tokens that any translation may have
STEP = 32  # limits are rounded up to a multiple, so that sentences of like length share a batch
IDEOGRAPHS = "的一是不了人我在有他这上们来到时大地为子中你说生国年着就那和要她出也得里后自以会"
TRADITIONAL = "的一是不了人我在有他這上們來到時大地為子中你說生國年著就那和要她出也得裡後自以會"
SAMPLES = {
    "Hans": IDEOGRAPHS,
    "Hant": TRADITIONAL,
    "Jpan": IDEOGRAPHS[:10] + "のにはをたがでてとしれさあるいもなっこよ",
}
# How the Unicode names of a script's letters begin, by ISO 15924 code.
NAMES = {
    "Arab": "ARABIC",
    "Armn": "ARMENIAN",
    "Beng": "BENGALI",
    "Cyrl": "CYRILLIC SMALL",
    "Deva": "DEVANAGARI",
    "Ethi": "ETHIOPIC SYLLABLE",
    "Geor": "GEORGIAN LETTER",
    "Grek": "GREEK SMALL",
    "Gujr": "GUJARATI",
    "Guru": "GURMUKHI",
    "Hebr": "HEBREW",
    "Khmr": "KHMER",
    "Knda": "KANNADA",
    "Hang": "HANGUL SYLLABLE",
    "Laoo": "LAO",
    "Latn": "LATIN SMALL LETTER",
    "Mlym": "MALAYALAM",
    "Mymr": "MYANMAR",
    "Orya": "ORIYA",
    "Taml": "TAMIL",
    "Telu": "TELUGU",
    "Thai": "THAI",
}


@cache
def letters(script: str) -> str:
    """Return some letters of a script as words: `letters("Thai")[:7] -> "กขฃคฅ ฆ"`; Latin's for an unknown one."""
    if script in SAMPLES:
        return SAMPLES[script]
    name = NAMES.get(script, NAMES["Latn"])
    found = [chr(point) for point in range(0x61, 0xD7A4) if unicodedata.name(chr(point), "").startswith(name)]
    found = [letter for letter in found if letter.isalpha()][:40]
    return " ".join("".join(found[start : start + 5]) for start in range(0, len(found), 5))


class Lengths:
    """The most new tokens a translation of a sentence may have; `count` gives the tokens of a text."""

    def __init__(self, fixed: int | None, count: Callable[[str], int]) -> None:
        self.fixed = fixed
        self._tokens_per_letter = lru_cache(maxsize=None)(lambda script: _fertility(count, letters(script)))

    def limit(self, src: str, tgt_lang: str) -> int:
        """Return the limit for a source into a language: the fixed one, or one that adapts to both."""
        if self.fixed is not None:
            return self.fixed
        script = language(tgt_lang).script if tgt_lang in languages() else ""
        tokens = ROOM + EXPANSION * _weight(src) * self._tokens_per_letter(script)
        return STEP * math.ceil(tokens / STEP)


def _fertility(count: Callable[[str], int], text: str) -> float:
    return count(text) / len(text)


def _weight(text: str) -> float:
    """Return the characters of a text, those of Chinese and Japanese counted for more."""
    return sum(WIDE if unicodedata.east_asian_width(letter) in "WF" else 1.0 for letter in text)
