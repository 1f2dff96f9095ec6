"""How models that know languages by a token are told them: M2M-100, NLLB-200, mBART-50, MADLAD-400.

marker({"__de__", ...}, "de")   -> "__de__"     M2M-100
marker({"deu_Latn", ...}, "de") -> "deu_Latn"   NLLB-200
marker({"de_DE", ...}, "de")    -> "de_DE"      mBART-50
marker({"<2de>", ...}, "de")    -> "<2de>"      MADLAD-400
"""

import re
from collections.abc import Collection

from llamax_cli.errors import LanguageError
from llamax_cli.languages import name_of, spellings

# A bare code is a token for a language only in these forms; "de" is a word.
BARE = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}|[a-z]{2}_[A-Z]{2}")
MARKER = re.compile(rf"__([a-z]{{2,3}})__|({BARE.pattern})|<2([A-Za-z_]+)>")


def marker(vocabulary: Collection[str], code: str) -> str:
    """Return the token that names a language; LanguageError where the model has none for it."""
    for spelling in spellings(code):
        for token in (f"__{spelling}__", f"<2{spelling}>", spelling):
            if token in vocabulary and (token != spelling or BARE.fullmatch(token)):
                return token
    known = sorted({bare(token) for token in vocabulary if MARKER.fullmatch(token)})
    raise LanguageError(f"the model does not know {code} ({name_of(code)}){_nearest(code, known)}")


def bare(token: str) -> str:
    """Return the code in a token: `bare("__de__") -> "de"`, `bare("<2de>") -> "de"`."""
    return token.removeprefix("__").removesuffix("__").removeprefix("<2").removesuffix(">")


def is_prefixed(vocabulary: Collection[str]) -> bool:
    """Return whether the target language stands as `<2xx>` before the text (MADLAD-400)."""
    return any(token.startswith("<2") and MARKER.fullmatch(token) for token in vocabulary)


def is_marked(vocabulary: Collection[str]) -> bool:
    """Return whether a token begins the translation and names its language (M2M-100, NLLB-200, mBART-50)."""
    return sum(1 for token in vocabulary if MARKER.fullmatch(token) and not token.startswith("<2")) > 1


def _nearest(code: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(code, known, 3, 0.5)
    return f"; nearest: {', '.join(near)}" if near else f"; it knows {len(known)} languages"
