"""Scripts: which one a word is written in, and whether Chinese is simplified or traditional.

script("слово") -> "Cyrl"      by the first letter that has one
chinese("zh", "個") -> ("zhtrad",)
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from llamax_cli.languages import base, languages

CHINESE = {"zh", "zhtrad"}
# Chinese characters, as in a class of a regular expression. By number: normalisation replaces the one at U+F900.
HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
ISO_15924 = {  # by the first word of a character's Unicode name; any other script is that word itself
    "ARABIC": "Arab", "ARMENIAN": "Armn", "BENGALI": "Beng", "CHEROKEE": "Cher", "CJK": "Hani", "CYRILLIC": "Cyrl",
    "DEVANAGARI": "Deva", "ETHIOPIC": "Ethi", "GEORGIAN": "Geor", "GREEK": "Grek", "GUJARATI": "Gujr",
    "GURMUKHI": "Guru", "HANGUL": "Hang", "HEBREW": "Hebr", "HIRAGANA": "Hira", "KANNADA": "Knda", "KATAKANA": "Kana",
    "KATAKANA-HIRAGANA": "Kana", "KHMER": "Khmr", "LAO": "Laoo", "LATIN": "Latn", "MALAYALAM": "Mlym",
    "MONGOLIAN": "Mong", "MYANMAR": "Mymr", "NKO": "Nkoo", "ORIYA": "Orya", "SINHALA": "Sinh", "SYRIAC": "Syrc",
    "TAMIL": "Taml", "TELUGU": "Telu", "THAANA": "Thaa", "THAI": "Thai", "TIBETAN": "Tibt", "TIFINAGH": "Tfng",
}  # fmt: skip
ISO_15924 |= {"FEMININE": "Latn", "MASCULINE": "Latn", "IDEOGRAPHIC": "Hani"}
WIDTHS = {"FULLWIDTH", "HALFWIDTH"}  # stand before the name of the script
SHARED = {"MICRO", "MODIFIER", "MATHEMATICAL", "DOUBLE-STRUCK", "BLACK-LETTER", "SCRIPT"}  # letters of no one script
PARTS = {"Hans": {"Hani"}, "Hant": {"Hani"}, "Jpan": {"Hani", "Hira", "Kana"}, "Hang": {"Hang", "Hani"}}
MERGED = {"Kore": "Hang", "Hrkt": "Jpan"}  # CLDR's codes for a mixture, and what the table calls it
NAMED = set(ISO_15924.values())
NONE = "Zyyy"  # a number or a sign


@lru_cache(maxsize=1 << 14)
def _script_of(character: str) -> str | None:
    if not character.isalpha():
        return None
    name, _, rest = unicodedata.name(character, "").partition(" ")
    if name in WIDTHS:
        name = rest.partition(" ")[0]
    return None if name in SHARED else ISO_15924.get(name, name.title() or NONE)


def script(word: str) -> str:
    """Return the ISO 15924 code of the script of the first letter: `script("3 дня") -> "Cyrl"`."""
    for character in word:
        code = _script_of(character)
        if code is not None:
            return code
    return NONE


def expected_scripts(language: str) -> set[str]:
    """Return the scripts that a language is written in; the set is empty for a language outside the table."""
    entry = languages().get(language)
    return PARTS.get(entry.script, {entry.script}) if entry else set()


def usual_scripts(language: str) -> set[str]:
    """Return the scripts of any language or variety, for one outside the table by CLDR; empty where that is unknown.

    `usual_scripts("az-Cyrl") -> {"Cyrl"}`

    So it is for a script that `script` calls by another name.
    """
    if scripts := expected_scripts(language) or expected_scripts(base(language)):
        return scripts
    from llamax_cli.language_tags import usual_script

    code = usual_script(language)
    code = MERGED.get(code, code)
    scripts = PARTS.get(code, {code})
    return scripts if scripts <= NAMED else set()


def foreign_script(language: str, words: Iterable[str]) -> str | None:
    """Return the script of the words if at most 2 % of them are in a script of the language, otherwise None."""
    scripts = expected_scripts(language)
    counts = Counter(script(word) for word in words)
    del counts[NONE]
    total = sum(counts.values())
    if not scripts or total < 50 or sum(counts[code] for code in scripts) > total / 50:
        return None
    return counts.most_common(1)[0][0]


@lru_cache(maxsize=1 << 17)
def chinese(language: str, word: str) -> tuple[str, ...]:
    """Return the languages of a word by its characters; `language`, `zh` or `zhtrad`, is that of its file.

    Characters of one script alone decide. A word whose characters are all in both scripts belongs to both languages. A
    word without Chinese characters, or with characters that are each in one script only, keeps `language`.
    """
    import hanzidentifier  # type: ignore[import-untyped]  # the characters of CC-CEDICT

    kind = hanzidentifier.identify(word)
    if kind == hanzidentifier.BOTH:
        return ("zh", "zhtrad")
    if kind == hanzidentifier.SIMPLIFIED:
        return ("zh",)
    return ("zhtrad",) if kind == hanzidentifier.TRADITIONAL else (language,)
