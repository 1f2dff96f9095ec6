"""From a detector's labels to our codes: what the label says, and what the script of the text says where it may.

Identifier("fasttext")("這個字是繁體的", None) -> ("zhtrad", 0.9873)
"""

from collections import Counter
from functools import cache, lru_cache
from pathlib import Path

from llamax_cli.errors import UsageError
from llamax_cli.identification.detectors import Guess, open_detector
from llamax_cli.languages import canonical, known, languages
from llamax_cli.script import NONE, script

WIKIPEDIAS = {"als": "gsw", "bh": "bho", "eml": "egl", "ku": "kmr"}  # lid.176's labels, where they are not ISO's codes
CHINESE = {"zh", "zhtrad", "zh-Hani"}
SCRIPTS = {  # languages of the table that are written in two scripts or more
    "az": ("Latn", "Cyrl", "Arab"), "bs": ("Latn", "Cyrl"), "kk": ("Cyrl", "Latn", "Arab"), "ky": ("Cyrl", "Arab"),
    "mn": ("Cyrl", "Mong"), "pa": ("Guru", "Arab"), "sd": ("Arab", "Deva"), "sr": ("Cyrl", "Latn"),
    "tg": ("Cyrl", "Latn", "Arab"), "uz": ("Latn", "Cyrl"),
}  # fmt: skip


class Identifier:
    """A detector that answers in our codes.

    `known`: the codes it can answer; a language outside them it cannot be asked about. Raises UsageError for a model
    whose labels name no language.
    """

    def __init__(self, detector: str, model: Path | None = None) -> None:
        labels, self._guess = open_detector(detector, model)
        self._codes = {label: code for label in labels if (code := code_of(label))}
        if not self._codes:
            shown = ", ".join(sorted(labels)[:3])
            raise UsageError(f"the labels of {model or detector} name no languages: {shown}")
        self.known = frozenset(code for each in self._codes.values() for code in _varieties(each))

    def __call__(self, text: str, declared: str | None) -> Guess:
        """Return (code, probability), or None where the text has nothing in it or is in no language.

        `declared` settles nothing but which Chinese a text is that both scripts write alike.
        """
        if not text or text.isspace():
            return None
        guess = self._guess(text)
        code = guess and self._codes.get(guess[0])
        if not guess or not code:
            return None
        if code in CHINESE:
            code = _chinese(text) or (declared if declared in CHINESE else code if code != "zh-Hani" else "zh")
        elif code in SCRIPTS:
            code = _in_script(code, text)
        return code, min(1.0, round(guess[1], 4))

    def knows(self, declared: str) -> str | None:
        """Return the code that the detector answers for a language, less its region: `pt-BR` -> `pt`; None for none."""
        if declared in self.known:
            return declared
        bare = _without_region(declared)
        return bare if bare in self.known else None


def code_of(label: str) -> str | None:
    """Return our code for a label: `code_of("zho_Hant") -> "zhtrad"`; None where it names no language (`und_Latn`)."""
    return WIKIPEDIAS.get(label) or known(label)


def _varieties(code: str) -> set[str]:
    """Return every code that may come out where the detector says this one."""
    if code in CHINESE:
        return {"zh", "zhtrad"}
    return {code} if code not in SCRIPTS else {_written(code, each) for each in SCRIPTS[code]}


@cache
def _written(code: str, script: str) -> str:
    return canonical(f"{code}-{script}")


@lru_cache(maxsize=4096)
def _without_region(code: str) -> str | None:
    first, *rest = code.split("-")
    return known("-".join([first, *(part for part in rest if len(part) == 4 and part.isalpha())]))


def _in_script(code: str, text: str) -> str:
    """Return the code of a language in the script of most words: `_in_script("sr", "Dobar dan") -> "sr-Latn"`."""
    counts = Counter(map(script, text.split()))
    del counts[NONE]
    found = max(counts, key=lambda each: (counts[each], each == languages()[code].script), default=NONE)
    return _written(code, found) if found in SCRIPTS[code] else code


def _chinese(text: str) -> str | None:
    """Return which Chinese more of the characters belong to that only one of them has, None where neither has more."""
    simplified, traditional = _characters()
    lead = len(simplified.intersection(text)) - len(traditional.intersection(text))
    return None if lead == 0 else "zh" if lead > 0 else "zhtrad"


@cache
def _characters() -> tuple[frozenset[str], frozenset[str]]:
    from hanzidentifier import helpers  # type: ignore[import-untyped]  # the characters of CC-CEDICT

    simplified, traditional = helpers.SIMPLIFIED_CHARACTERS, helpers.TRADITIONAL_CHARACTERS
    return frozenset(simplified - traditional), frozenset(traditional - simplified)
