"""From a detector's labels to our codes; the script of the text decides where the label does not.

Identifier("fasttext")("這個字是繁體的", None) -> ("zhtrad", 0.9873)
"""

from collections import Counter
from functools import cache
from pathlib import Path

from llamax_cli.errors import UsageError
from llamax_cli.identification.codes import CHINESE, code_of
from llamax_cli.identification.detectors import Prediction, open_detector
from llamax_cli.languages import canonical, find, languages
from llamax_cli.script import NONE, script

MANY = 4096  # answers that are kept
SCRIPTS = {  # of languages of the table that are written in several; the first is that of our code
    "az": ("Latn", "Cyrl", "Arab"), "bs": ("Latn", "Cyrl"), "kk": ("Cyrl", "Latn", "Arab"), "ky": ("Cyrl", "Arab"),
    "mn": ("Cyrl", "Mong"), "pa": ("Guru", "Arab"), "sd": ("Arab", "Deva"), "sr": ("Cyrl", "Latn"),
    "tg": ("Cyrl", "Latn", "Arab"), "uz": ("Latn", "Cyrl"),
}  # fmt: skip


class Identifier:
    """A detector that answers in our codes; UsageError for a model whose labels name no language.

    known: the codes that it can answer; it cannot tell whether a text is in another language.
    """

    def __init__(self, detector: str, model: Path | None = None) -> None:
        labels, self._predict = open_detector(detector, model)
        self._codes = {label: code for label in labels if (code := code_of(label))}
        if not self._codes:
            shown = ", ".join(sorted(labels)[:3])
            raise UsageError(f"the labels of {model or detector} name no languages: {shown}")
        self._answers: dict[str, str | None] = {}  # to the languages asked for
        self.known = frozenset(variety for code in self._codes.values() for variety in _varieties(code))

    def __call__(self, text: str, declared: str | None) -> Prediction:
        """Return (code, probability); None if the text has no letter or the label names no language.

        A number or an emoji is in no language, though fastText names its most frequent one. It hardly knows capitals:
        of 11,200 sentences of FLORES-101 in capitals, lid.176 names 20 % rightly, and 87 % once they are lowered.
        `declared` only decides between the two Chinese if all characters of the text belong to both.
        """
        if not has_letters(text):
            return None
        prediction = self._predict(text.lower() if _is_in_capitals(text) else text)
        code = prediction and self._codes.get(prediction[0])
        if not prediction or not code:
            return None
        if code in CHINESE:
            code = _chinese_variety(text) or (declared if declared in CHINESE else code if code != "zh-Hani" else "zh")
        elif code in SCRIPTS:
            code = _variety_in_script(code, text)
        return code, min(1.0, round(prediction[1], 4))

    def known_code(self, declared: str) -> str | None:
        """Return the code that the detector answers for a language: `known_code("pt-PT") -> "pt"`.

        None if the detector does not know the language.
        """
        if declared not in self._answers:
            if len(self._answers) >= MANY:
                self._answers.clear()
            self._answers[declared] = find(declared, self.known)
        return self._answers[declared]


def has_letters(text: str) -> bool:
    """Return whether a text has a letter of any script, without which it is in no language."""
    return any(map(str.isalpha, text))


def _is_in_capitals(text: str) -> bool:
    """Return whether all letters are capitals: not so in 我爱USA, most of whose letters have no case."""
    return text.isupper() and all(letter.isupper() for letter in text if letter.isalpha())


def _varieties(code: str) -> set[str]:
    """Return every code that the identifier may answer for a label of this code."""
    if code in CHINESE:
        return {"zh", "zhtrad"}
    return {_code_in_script(code, each) for each in SCRIPTS[code]} if code in SCRIPTS else {code}


@cache
def _code_in_script(code: str, script: str) -> str:
    return canonical(f"{code}-{script}")


def _variety_in_script(code: str, text: str) -> str:
    """Return the code of a language in the script of most words: `("sr", "Dobar dan") -> "sr-Latn"`."""
    counts = Counter(map(script, text.split()))
    del counts[NONE]
    most_common = max(counts, key=lambda each: (counts[each], each == languages()[code].script), default=NONE)
    return _code_in_script(code, most_common) if most_common in SCRIPTS[code] else code


def _chinese_variety(text: str) -> str | None:
    """Return the Chinese with more characters in the text that the other one lacks; None if neither has more."""
    simplified, traditional = _chinese_characters()
    lead = len(simplified.intersection(text)) - len(traditional.intersection(text))
    return None if lead == 0 else "zh" if lead > 0 else "zhtrad"


@cache
def _chinese_characters() -> tuple[frozenset[str], frozenset[str]]:
    """Return the characters that only simplified and only traditional Chinese has."""
    from hanzidentifier import helpers  # type: ignore[import-untyped]  # the characters of CC-CEDICT

    simplified, traditional = helpers.SIMPLIFIED_CHARACTERS, helpers.TRADITIONAL_CHARACTERS
    return frozenset(simplified - traditional), frozenset(traditional - simplified)
