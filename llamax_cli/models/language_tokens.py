"""The tokens that name languages in the vocabularies of M2M-100, NLLB-200, mBART-50 and MADLAD-400.

LanguageTokens({"__de__", ...}).token("de")   -> "__de__"     M2M-100
LanguageTokens({"deu_Latn", ...}).token("de") -> "deu_Latn"   NLLB-200
LanguageTokens({"de_DE", ...}).token("de")    -> "de_DE"      mBART-50
LanguageTokens({"<2de>", ...}).token("de")    -> "<2de>"      MADLAD-400
"""

import re
from collections.abc import Collection
from functools import cached_property

from llamax_cli.errors import LanguageError
from llamax_cli.languages import alternatives, code_of_token, find, name_of

# Without marks around it, a code names a language only in these forms; "de" is a word.
BARE = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}|[a-z]{2}_[A-Z]{2}")
TOKEN = re.compile(rf"__([a-z]{{2,3}})__|({BARE.pattern})|<2([A-Za-z_]+)>")


class LanguageTokens:
    """The language tokens of one vocabulary."""

    def __init__(self, vocabulary: Collection[str]) -> None:
        self._tokens = sorted(filter(TOKEN.fullmatch, vocabulary))

    @property
    def are_prefixes(self) -> bool:
        """Whether `<2xx>` before the source names the target language (MADLAD-400)."""
        return any(token.startswith("<2") for token in self._tokens)

    @property
    def are_forced(self) -> bool:
        """Whether the first token of a translation names its language (M2M-100, NLLB-200, mBART-50)."""
        return sum(1 for token in self._tokens if not token.startswith("<2")) > 1

    def token(self, code: str) -> str:
        """Return the token for a canonical code; LanguageError if the model has none for the language.

        If two tokens have the same canonical code (`<2ff>` and `<2fuv>`), it is the one that is spelled like the code.
        """
        found = find(code, self._by_code) or self._only_script(code)
        if found is None:
            raise LanguageError(f"the model does not know {code} ({name_of(code)}){self._nearest(code)}")
        return self._by_code[found]

    @cached_property
    def _by_code(self) -> dict[str, str]:
        """The token of each canonical code: {"de": "deu_Latn", "als": "als_Latn", ...}."""
        by_code: dict[str, str] = {}
        for token in self._tokens:
            code = code_of_token(token)
            if code is not None and (code not in by_code or code_in(token) == code):
                by_code[code] = token
        return by_code

    def _only_script(self, code: str) -> str | None:
        """Return the code of a language in the only script in which the model has it, for a code without a script.

        NLLB-200 has Crimean Tatar in Latin script only, although its usual script is Cyrillic: "crh" -> "crh-Latn".
        """
        languages = "|".join(map(re.escape, alternatives(code)))
        varieties = [known for known in self._by_code if re.fullmatch(rf"({languages})-[A-Z][a-z]{{3}}", known)]
        return varieties[0] if len(varieties) == 1 else None

    def _nearest(self, code: str) -> str:
        from difflib import get_close_matches

        known = [code_in(token) for token in self._tokens]
        near = get_close_matches(code, known, 3, 0.5)
        return f"; nearest: {', '.join(near)}" if near else f"; it knows {len(self._by_code)} languages"


def code_in(token: str) -> str:
    """Return the code in a token: `code_in("__de__") -> "de"`, `code_in("<2de>") -> "de"`."""
    return token.removeprefix("__").removesuffix("__").removeprefix("<2").removesuffix(">")
