"""One code for each language: whatever a corpus calls it, the paper's code comes out.

    canonical("zho_Hans") -> "zh"       codes of ISO 639, BCP-47, FLORES, NTREX, MUSE, PanLex, Tatoeba, mBART, mRASP
    canonical("eus")      -> "eu"       a language outside the 102 is written as its BCP-47 tag
    canonical("por-BR")   -> "pt-BR"    so is a variety by region or script, which is not the language of the table
    language("zho_Hans").script -> "Hans"

language_table.py holds the 102 languages. Only for others is language_tags.py loaded, and langcodes with it.
"""

from collections.abc import Iterator
from functools import lru_cache

from llamax_cli.errors import LanguageError
from llamax_cli.language_table import KURDISH, Language, aliases, fold, languages, without_variety

__all__ = ["Language", "canonical", "known", "language", "languages", "name_of", "spellings"]


def canonical(code: str) -> str:
    """Return the one code that is written for a language, however it was spelled: `canonical("EN__") -> "en"`.

    Upper and lower case are the same, and so are `-` and `_`. Raises LanguageError, which names the nearest codes, for
    a code of no language, or of several (`mul`).
    """
    return aliases().get(code) or _resolve(code)


@lru_cache(maxsize=4096)
def _resolve(code: str) -> str:
    folded = fold(code)
    language_code = without_variety(folded)
    answer = aliases().get(folded) or aliases().get(language_code) or _tag(language_code)
    if answer is None:
        raise LanguageError(_unknown(code))
    return answer


def _tag(folded: str) -> str | None:
    from llamax_cli.language_tags import tag

    return tag(folded)


def known(code: str) -> str | None:
    """Return the canonical code of a language, or None where `code` is not one."""
    try:
        return canonical(code)
    except LanguageError:
        return None


def language(code: str) -> Language:
    """Return one of the 102 by any of its codes: `language("deu_Latn").name -> "German"`.

    Raises LanguageError for any other language, including a variety such as `pt-BR`.
    """
    canonical_code = canonical(code)
    try:
        return languages()[canonical_code]
    except KeyError:
        raise LanguageError(f"{_label(canonical_code)} is not among the 102 languages of the recipe") from None


def name_of(code: str) -> str:
    """Return the English name of a canonical code: `name_of("zh") -> "Chinese (Simplified)"`.

    A variety is named in brackets: `name_of("pt-BR") -> "Portuguese (BR)"`.
    """
    if code in languages():
        return languages()[code].name
    subtag, _, variety = code.partition("-")
    entry = languages().get(aliases().get(subtag, ""))
    name = entry.name if entry else _registered_name(subtag)
    return f"{name} ({variety})" if variety else name


def _registered_name(subtag: str) -> str:
    from llamax_cli.language_tags import registry

    return str(registry()["language", subtag]["Description"][0])


def spellings(code: str) -> Iterator[str]:
    """Yield the codes by which models may know a language, best first: "ckb", "ckb_Arab", ... for `ku`."""
    entry = languages().get(code)
    if entry is None:
        yield from (code, code.replace("-", "_"))
        return
    of_paper = () if code in KURDISH else (code,)
    columns = (entry.bcp47, *of_paper, entry.flores200, entry.iso639_3, entry.flores101)
    for spelling in (*columns, *(alias for alias in entry.aliases if alias not in KURDISH)):
        yield from (spelling, spelling.replace("-", "_"))


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
    """Return a code with its name in English: "de (German)", "pt-BR (Portuguese)"."""
    name = languages()[code].name if code in languages() else _registered_name(code.partition("-")[0])
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

    first = folded.partition("-")[0]
    if first in aliases():
        return [aliases()[first]]
    codes = {**{name: code for code, name in _names()}, **aliases()}
    near = get_close_matches(folded, codes, n=9, cutoff=0.6)
    return list(dict.fromkeys(codes[spelling] for spelling in near))[:3]
