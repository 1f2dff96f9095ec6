"""One code for each language: whatever a corpus calls it, the paper's code comes out.

    canonical("zho_Hans") -> "zh"       codes of ISO 639, BCP-47, FLORES, NTREX, MUSE, PanLex, Tatoeba, mBART, mRASP
    canonical("fr-FR")    -> "fr"       without the script and the region that are the usual ones
    canonical("eus")      -> "eu"       a language outside the 102 is written as its BCP-47 tag
    canonical("fra-CA")   -> "fr-CA"    so is a variety by region or script, which is not the language of the table
    find("fr-CA", {"fr"}) -> "fr"       but what knows only the language is used for its varieties too
    language("zho_Hans").script -> "Hans"

language_table.py holds the 102 languages. Only for others is language_tags.py loaded, and langcodes with it.
"""

import re
from collections.abc import Container, Iterator
from functools import lru_cache

from llamax_cli.errors import LanguageError
from llamax_cli.language_table import KURDISH, Language, aliases, fold, languages, without_variety

__all__ = [
    "Language",
    "LanguageSet",
    "alternatives",
    "base",
    "canonical",
    "code_of_token",
    "covers",
    "find",
    "iso639_3",
    "known",
    "language",
    "languages",
    "name_of",
    "primary_subtag",
    "table_row",
    "variety",
]

# How M2M-100 and MADLAD-400 mark the codes in their vocabularies: `__de__`, `<2de>`.
MARKED = re.compile(r"__(?P<m2m>[a-z]{2,3})__|<2(?P<madlad>[a-z]{2,4}(?:_[A-Z][a-z]{3})?(?:_[A-Z]{2})?)>")


def canonical(code: str) -> str:
    """Return the one code that is written for a language, however it was spelled: `canonical("EN__") -> "en"`.

    Upper and lower case are the same, and so are `-` and `_`. Raises LanguageError, which names the nearest codes, for
    a code of no language, or of several (`mul`).
    """
    answer = aliases().get(code) or _resolve(code)
    if answer is None:
        raise LanguageError(_unknown(code))
    return answer


@lru_cache(maxsize=4096)
def _resolve(code: str) -> str | None:
    if MARKED.fullmatch(code) and (token_code := code_of_token(code)):
        return token_code
    folded = fold(code)
    language_code = without_variety(folded)
    return aliases().get(folded) or aliases().get(language_code) or _tag(language_code)


def _tag(folded: str) -> str | None:
    from llamax_cli.language_tags import tag

    return tag(folded)


def known(code: str) -> str | None:
    """Return the canonical code of a language, or None where `code` is not one."""
    return aliases().get(code) or _resolve(code)


def language(code: str) -> Language:
    """Return one of the 102 by any of its codes: `language("deu_Latn").name -> "German"`.

    Raises LanguageError for any other language, including a variety such as `pt-PT`.
    """
    canonical_code = canonical(code)
    try:
        return languages()[canonical_code]
    except KeyError:
        raise LanguageError(f"{_label(canonical_code)} is not among the 102 languages of the recipe") from None


def table_row(code: str) -> Language | None:
    """Return the row of the table for a canonical code or a region of it: `table_row("pt-PT").code -> "pt"`."""
    return languages().get(code) or languages().get(base(code))


def name_of(code: str) -> str:
    """Return the English name of a canonical code: `name_of("zh") -> "Chinese (Simplified)"`.

    A variety is named in brackets: `name_of("pt-PT") -> "Portuguese (PT)"`.
    """
    if code in languages():
        return languages()[code].name
    subtag, _, variety = code.partition("-")
    entry = languages().get(aliases().get(subtag, ""))
    name = entry.name if entry else _registered_name(subtag)
    return f"{name} ({variety})" if variety else name


def iso639_3(code: str) -> str:
    """Return the three letters of a canonical code in ISO 639-3: `iso639_3("pt-BR") -> "por"`."""
    if row := table_row(code):
        return row.iso639_3
    from llamax_cli.language_tags import three_letters

    return three_letters(primary_subtag(code))


def _registered_name(subtag: str) -> str:
    from llamax_cli.language_tags import registry

    return str(registry()["language", subtag]["Description"][0])


def primary_subtag(code: str) -> str:
    """Return a code without script, region and variants: `primary_subtag("az-Cyrl") -> "az"`."""
    return code.partition("-")[0]


def base(code: str) -> str:
    """Return a canonical code without its region: `base("pt-PT") -> "pt"`, `base("sr-ME") -> "sr-Latn"`."""
    return code if "-" not in code else _without_region(code)


@lru_cache(maxsize=4096)
def _without_region(code: str) -> str:
    from llamax_cli.language_tags import without_region

    return without_region(code)


def variety(code: str) -> str:
    """Return a code with the region that it names, even the usual one: `variety("por_BR") -> "pt-BR"`.

    It is for corpora that have a language with and without its usual region; everywhere else `canonical` is right.
    """
    match = re.fullmatch(r"[a-z]{2,3}(?:-[a-z]{4})?-([a-z]{2}|[0-9]{3})", fold(code))
    canonical_code = canonical(code)
    named = f"{canonical_code}-{match[1].upper()}" if match else canonical_code
    return named if known(named) == canonical_code else canonical_code


def covers(asked: str, code: str) -> bool:
    """Return whether a language is the one that was asked for or a region of it: `covers("en", "en-GB") -> True`."""
    return asked in (code, base(code))


class LanguageSet(frozenset[str]):
    """Canonical codes that were asked for; each stands for its regions too: `"en-GB" in LanguageSet(["en"])`."""

    def __contains__(self, code: object) -> bool:
        return super().__contains__(code) or super().__contains__(base(str(code)))


def find(code: str, available: Container[str]) -> str | None:
    """Return the code under which something has a language, None if it lacks it: `find("pt-PT", {"pt"}) -> "pt"`.

    Best is the code itself, then the language without its region, then the macrolanguage or the individual language
    that stands for it: `find("als", {"sq"}) -> "sq"`, `find("mg", {"plt"}) -> "plt"`.
    """
    return next((candidate for candidate in alternatives(code) if candidate in available), None)


@lru_cache(maxsize=4096)
def alternatives(code: str) -> tuple[str, ...]:
    """Return the codes under which something may have a language, best first: "als-XK" -> "als-XK", "als", "sq"."""
    plain = base(code)
    return tuple(dict.fromkeys((code, plain, *_partners(plain))))


def _partners(code: str) -> Iterator[str]:
    """Yield a code with its macrolanguage, or with the individual languages that stand for it: "knc-Arab" -> "kr-Arab".

    The languages of the table have none: there both are the same code.
    """
    subtag, hyphen, script = code.partition("-")
    if subtag in languages() or subtag in aliases():
        return
    from llamax_cli.language_tags import macrolanguages

    macros = macrolanguages()
    partners = [macros[subtag]] if subtag in macros else [member for member, macro in macros.items() if macro == subtag]
    yield from filter(None, (known(partner + hyphen + script) for partner in partners))


def code_of_token(token: str) -> str | None:
    """Return the canonical code of a model's language token, None if it names no language: `"<2de>" -> "de"`.

    `ku` is Kurmanji in every model that knows it; our `ku` is Sorani, which models call `ckb`.
    """
    match = MARKED.fullmatch(token)
    code = token if match is None else str(match[match.lastgroup or 0])
    return "kmr" if code in KURDISH else known(code)


@lru_cache(maxsize=256)  # a corpus has the same one in many lines, and to find the nearest takes long
def _unknown(code: str) -> str:
    """Return the message for a code of no language: `unknown language 'german'; did you mean de (German)?`."""
    from llamax_cli.language_tags import registry

    shown = repr(code if len(code) <= 40 else code[:40] + "...")
    if registry().get(("language", fold(code)), {}).get("Scope") == "special":
        return f"{shown} does not name one language"
    if named := _named(code.strip().lower()):
        return f"unknown language {shown}; did you mean {' or '.join(map(_label, named))}?"
    if near := _nearest(fold(code)[:40]):
        return f"unknown language {shown}; nearest: {', '.join(map(_label, near))}"
    return f"unknown language {shown}; a code is like de, deu, deu_Latn or de-AT"


def _label(code: str) -> str:
    """Return a code with its name in English: "de (German)", "pt-PT (Portuguese)"."""
    name = languages()[code].name if code in languages() else _registered_name(primary_subtag(code))
    return f"{code} ({name})"


def _named(name: str) -> list[str]:
    """Return the codes of the languages with a name, in lower case: "chinese" -> ["zh", "zhtrad"]."""
    from llamax_cli.language_tags import registry, subtag

    codes = [code for code, spelling in _names() if spelling == name or spelling.startswith(f"{name} (")]
    if not codes:
        entries = (item for item in registry().items() if item[0][0] == "language")
        tags = (tag for (_, tag), entry in entries if name in map(str.lower, entry["Description"]))
        codes = [canonical(tag) for tag in tags if subtag(tag)][:1]
    return list(dict.fromkeys(codes))


def _names() -> Iterator[tuple[str, str]]:
    """Yield the codes of the 102 with each of their names, in lower case."""
    for entry in languages().values():
        yield entry.code, entry.name.lower()
        yield entry.code, entry.prompt_name.lower()


def _nearest(folded: str) -> list[str]:
    """Return the codes, at most three, whose spelling or name is nearest to a misspelt one: "portugese" -> ["pt"]."""
    from difflib import get_close_matches

    first = primary_subtag(folded)
    if first in aliases():
        return [aliases()[first]]
    codes = {**{name: code for code, name in _names()}, **aliases()}
    near = get_close_matches(folded, codes, n=9, cutoff=0.6)
    return list(dict.fromkeys(codes[spelling] for spelling in near))[:3]
