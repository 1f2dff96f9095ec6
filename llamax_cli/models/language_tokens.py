"""The tokens that name languages in the vocabularies of M2M-100, NLLB-200, mBART-50 and MADLAD-400.

token_of({"__de__", ...}, "de")   -> "__de__"     M2M-100
token_of({"deu_Latn", ...}, "de") -> "deu_Latn"   NLLB-200
token_of({"de_DE", ...}, "de")    -> "de_DE"      mBART-50
token_of({"<2de>", ...}, "de")    -> "<2de>"      MADLAD-400
"""

import re
from collections.abc import Collection

from llamax_cli.errors import LanguageError
from llamax_cli.languages import name_of, spellings

# Without marks around it, a code names a language only in these forms; "de" is a word.
BARE = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}|[a-z]{2}_[A-Z]{2}")
TOKEN = re.compile(rf"__([a-z]{{2,3}})__|({BARE.pattern})|<2([A-Za-z_]+)>")


def token_of(vocabulary: Collection[str], code: str) -> str:
    """Return the token that names a language; LanguageError if the model has none for it."""
    for spelling in spellings(code):
        for token in (f"__{spelling}__", f"<2{spelling}>", spelling):
            if token in vocabulary and (token != spelling or BARE.fullmatch(token)):
                return token
    known = sorted({code_in(token) for token in vocabulary if TOKEN.fullmatch(token)})
    raise LanguageError(f"the model does not know {code} ({name_of(code)}){_nearest(code, known)}")


def code_in(token: str) -> str:
    """Return the code in a token: `code_in("__de__") -> "de"`, `code_in("<2de>") -> "de"`."""
    return token.removeprefix("__").removesuffix("__").removeprefix("<2").removesuffix(">")


def has_prefix_tokens(vocabulary: Collection[str]) -> bool:
    """Return whether `<2xx>` before the source names the target language (MADLAD-400)."""
    return any(token.startswith("<2") and TOKEN.fullmatch(token) for token in vocabulary)


def has_forced_tokens(vocabulary: Collection[str]) -> bool:
    """Return whether the first token of a translation names its language (M2M-100, NLLB-200, mBART-50)."""
    return sum(1 for token in vocabulary if TOKEN.fullmatch(token) and not token.startswith("<2")) > 1


def _nearest(code: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(code, known, 3, 0.5)
    return f"; nearest: {', '.join(near)}" if near else f"; it knows {len(known)} languages"
