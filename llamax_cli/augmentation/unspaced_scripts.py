"""Scripts without spaces between words: their characters, and where their texts may be cut.

thai = script_of("th")
thai.split_runs("แมว 2 ตัว") -> ["แมว", " ", "2", " ", "ตัว"]
thai.split_syllables("เหล่านี้") -> ["เหล่า", "นี้"]

The parts that `split_syllables` returns are not always whole syllables, but nothing is cut off that the spelling shows
to belong to one: a vowel, a mark, a final consonant, a silent letter.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple
from unicodedata import category

from llamax_cli.languages import table_row
from llamax_cli.script import HAN

CHINESE = ("zh", "zhtrad", "yue", "wuu", "lzh")

MARKS = "".join(
    chr(code) for start, end in ((0x1000, 0x10A0), (0x1780, 0x1800), (0xA9E0, 0xAA80)) for code in range(start, end)
    if category(chr(code))[0] == "M"
)  # fmt: skip


class UnspacedScript(NamedTuple):
    """How the texts of a language without spaces are cut.

    `split_runs`: split a text into runs of the script, runs of other characters, and white space. `begins`: whether a
    text begins with the script. `split_syllables`: split a run of the script into the parts that stay whole.
    `shortest`: characters of the shortest entry that counts; a single Thai or Khmer letter is usually part of a word
    that is not in the lexicon, and a single Japanese character is often a word. `is_seam`: whether the two characters
    around a place show that a word ends there. `find_names`: find the parts of a run that are cut only
    where all of them is known, such as names in katakana.
    """

    split_runs: Callable[[str], list[str]]
    begins: Callable[[str], object]
    split_syllables: Callable[[str], list[str]]
    shortest: int
    is_seam: Callable[[str, int], object]
    find_names: Callable[[str], Iterator[re.Match[str]]]


def _script(characters: str, syllable: str, shortest: int, seam: str, names: str = "(?!)") -> UnspacedScript:
    """Return a script from its characters, as a class of regular expressions, and from regular expressions."""
    return UnspacedScript(
        re.compile(rf"[{characters}]+|[^\s{characters}]+|\s+").findall,
        re.compile(f"[{characters}]").match,
        re.compile(f"(?:{syllable})|.", re.DOTALL).findall,
        shortest,
        re.compile(seam, re.DOTALL).match,
        re.compile(names).finditer,
    )


def _thai() -> UnspacedScript:
    """Return the script of Thai.

    Some vowels are written before the consonant that is spoken first, or around one or two of them; others need a
    consonant after them. A silent ห comes before the consonant that carries the vowel. ์ silences letters.
    """
    consonant, tone, vowel = "[ก-ฮ]", "[่-๋]?", "[ะ-ฺๅ็-๎]"
    syllable = "|".join(
        (
            f"เ{consonant}{{1,2}}ี{tone}ย",
            f"เ{consonant}{{1,2}}ื{tone}{consonant}",
            f"เ{consonant}ิ{tone}{consonant}",
            f"เ{consonant}{{2}}[่-๋]า",
            f"[เแ]{consonant}{{1,2}}็{consonant}",
            f"(?!ก็){consonant}็{consonant}",
            f"[เ-ไ]?(?:ห(?=[งญนมยรลว]{vowel}))?{consonant}(?:[ัื]{tone}{consonant}[ิุะ]?|{vowel}*)",
        )
    )
    syllable = f"(?:{syllable})(?:{consonant}{{1,2}}[ิุ]?์)*"
    return _script("\u0e01-\u0e3a\u0e40-\u0e4e", syllable, 2, "(?<=[ๆฯ])|(?=[ๆฯ])")


def _lao() -> UnspacedScript:
    """Return the script of Lao, which is spelled like Thai, but without silent letters."""
    consonant, tone, vowel = "[ກ-ຮໜໝ]", "[່-໋]?", "[ະ-ຽ່-ໍ]"
    lead = f"[ເ-ໄ]?(?:ຫ(?=[ງຍນມຣລວ]{vowel}))?"
    syllable = f"{lead}{consonant}ຼ?(?:[ັົ]{tone}{consonant}|{vowel}*)"
    return _script("\u0e81-\u0ecd\u0edc-\u0edf", syllable, 2, "(?<=[ໆຯ])|(?=[ໆຯ])")


def _khmer() -> UnspacedScript:
    """Return the script of Khmer: a sign stacks the next consonant below, others close the syllable or silence."""
    syllable = f"[ក-ឳ](?:្.|[{MARKS}])*(?:[ក-អ][់៍])*"
    return _script("\u1780-\u17d3\u17d7\u17dc\u17dd", syllable, 2, "(?<=ៗ)|(?=ៗ)")


def _burmese() -> UnspacedScript:
    """Return the script of Burmese: asat marks a final consonant, and a sign stacks the next consonant below."""
    stacked = "\u1039."
    syllable = f"[^{MARKS}](?:{stacked}|[{MARKS}])*(?:[က-အ](?:{stacked}|့?်)(?:{stacked}|[{MARKS}])*)*"
    return _script("\u1000-\u103f\u104c-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff", syllable, 2, "(?!)")


def _japanese() -> UnspacedScript:
    """Return the script of Japanese, where a small kana, a mark of length and a mark of repetition stay with a kana.

    Words end where katakana begin or end, and where kanji begin after hiragana. Hiragana after kanji may be the ending
    of a verb; after two kanji they rarely are, and after one kanji some particles are recognised by what follows them.
    """
    kanji, hiragana, katakana = f"々〆{HAN}", "ぁ-ゟ", "ァ-ヺㇰ-ㇿ"
    particle = "[をのはへ]|が(?![らりるれろっ])|と(?![さしすせそっ])|で(?![るりれてたっ])"
    return _script(
        f"{kanji}{hiragana}゠-ヿㇰ-ㇿ",
        ".[ぁぃぅぇぉっゃゅょゎゕゖ\u3099\u309aゝゞァィゥェォッャュョヮヵヶー-ヿㇰ-ㇿ々]*",
        1,
        f"(?<=[・゠])|(?=[・゠])|(?<=[{katakana}ー])(?=[{kanji}{hiragana}])|(?<=[{kanji}{hiragana}])(?=[{katakana}])"
        f"|(?<=[{hiragana}])(?=[{kanji}])|(?<=[{kanji}][{kanji}])(?=[{hiragana}])|(?<=[{kanji}])(?={particle})"
        f"|(?<=[{kanji}])(?<![特単主更共常])(?=に)",  # these with に are adverbs
        f"[{katakana}][{katakana}ー-ヿ]*",
    )


def _chinese() -> UnspacedScript:
    """Return the script of Chinese."""
    return _script(HAN, ".", 1, "(?!)")


_SCRIPTS: dict[str, Callable[[], UnspacedScript]] = {
    "ja": _japanese,
    "th": _thai,
    "lo": _lao,
    "km": _khmer,
    "my": _burmese,
    **dict.fromkeys(CHINESE, _chinese),
}
UNSPACED = frozenset(_SCRIPTS)


@cache
def script_of(lang: str) -> UnspacedScript:
    """Return the script of one of the languages in UNSPACED."""
    return _SCRIPTS[lang]()


def is_spaced(lang: str) -> bool:
    """Return whether a language is written with spaces between words: `is_spaced("th") -> False`."""
    known = table_row(lang)
    return known.spaced if known else lang not in UNSPACED
