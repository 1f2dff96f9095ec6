"""One code per language: what any corpus calls it, the paper's code comes out.

    canonical("zho_Hans") -> "zh"       codes of ISO 639, BCP-47, FLORES, NTREX, MUSE, PanLex, Tatoeba, mBART, mRASP
    canonical("eus")      -> "eu"       a language outside the 102 is written as its BCP-47 tag
    canonical("por-BR")   -> "pt-BR"    so is a variety by region or script: it is not the language of the table
    language("zho_Hans").script -> "Hans"

languages.tsv holds the facts of the 102 languages of FLORES-101, one row each: codes and names; the authors' names in
prompts, slips included; families and corpus sizes (Table 9); high or low resource as the published averages split them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from llamax_cli.errors import LanguageError

if TYPE_CHECKING:
    import langcodes

# ISO 639 means all of Kurdish by these, the paper Sorani; with a region or script of their own they mean what ISO says.
KURDISH = {"ku", "kur"}


@dataclass(frozen=True, slots=True)
class Language:
    """One row of languages.tsv.

    `spaced`: words are written with spaces between them. `mono`: sentences of monolingual text. `para`: sentence pairs.
    `directions`: how many directions have pairs. `aliases`: codes that none of the other columns holds.
    """

    code: str
    name: str
    prompt_name: str
    family: str
    iso639_3: str
    script: str
    spaced: bool
    flores101: str
    flores200: str
    bcp47: str
    aliases: tuple[str, ...]
    resource: str
    mono: int
    para: int
    directions: int


@cache
def languages() -> Mapping[str, Language]:
    """The 102 languages by code, in the order of the table: `languages()["ku"].iso639_3 -> "ckb"`."""
    text = Path(__file__).with_name("languages.tsv").read_text(encoding="utf-8")
    header, *rows = (line.split("\t") for line in text.rstrip("\n").split("\n"))
    table = [_language(dict(zip(header, row, strict=True))) for row in rows]
    return MappingProxyType({entry.code: entry for entry in table})


def canonical(code: str) -> str:
    """The one code that is written for a language, however it was typed: `canonical("EN__") -> "en"`.

    Case does not count, and `-` and `_` are the same. Raises LanguageError, with the nearest codes, for what names no
    language (or no single one: `mul`).
    """
    return _aliases().get(code) or _resolve(code)


def known(code: str) -> str | None:
    """Return the one code that is written for `code`, or None where it is no language."""
    try:
        return canonical(code)
    except LanguageError:
        return None


def language(code: str) -> Language:
    """The facts of one of the 102 by any of its codes: `language("deu_Latn").name -> "German"`.

    Raises LanguageError for any other language, a variety such as `pt-BR` included.
    """
    known = canonical(code)
    try:
        return languages()[known]
    except KeyError:
        raise LanguageError(f"{_label(known)} is not among the 102 languages of the recipe") from None


def name_of(code: str) -> str:
    """The name in English of a canonical code: `name_of("zh") -> "Chinese (Simplified)"`, `name_of("eu") -> "Basque"`.

    A variety is told in brackets: `name_of("pt-BR") -> "Portuguese (BR)"`.
    """
    if code in languages():
        return languages()[code].name
    subtag, _, variety = code.partition("-")
    known = languages().get(_aliases().get(subtag, ""))
    name = known.name if known else str(_registry()["language", subtag]["Description"][0])
    return f"{name} ({variety})" if variety else name


def spellings(code: str) -> Iterator[str]:
    """The codes by which models may know the language of a canonical code, best first: "ckb", "ckb_Arab" for `ku`."""
    entry = languages().get(code)
    if entry is None:
        yield from (code, code.replace("-", "_"))
        return
    for spelling in (
        entry.bcp47,
        *(() if code in KURDISH else (code,)),
        entry.flores200,
        entry.iso639_3,
        entry.flores101,
    ):
        yield from (spelling, spelling.replace("-", "_"))
    for spelling in entry.aliases:
        if spelling not in KURDISH:
            yield from (spelling, spelling.replace("-", "_"))


def _language(row: dict[str, str]) -> Language:
    """A typed row."""
    return Language(
        code=row["code"],
        name=row["name"],
        prompt_name=row["prompt_name"],
        family=row["family"],
        iso639_3=row["iso639_3"],
        script=row["script"],
        spaced=row["spaced"] == "1",
        flores101=row["flores101"],
        flores200=row["flores200"],
        bcp47=row["bcp47"],
        aliases=tuple(row["aliases"].split()),
        resource=row["resource"],
        mono=int(row["mono"]),
        para=int(row["para"]),
        directions=int(row["directions"]),
    )


@cache
def _aliases() -> dict[str, str]:
    """Every folded spelling the table knows, with its code: {"zho-hans": "zh", "cmn": "zh", ...}."""
    # mBART-50's codes stand in the table, but for its one language outside it.
    known = {"si-lk": "si"}
    for entry in languages().values():
        for spelling in _spellings(entry):
            # `zho` alone stands in both rows of Chinese; it means the first, simplified.
            known.setdefault(_fold(spelling), entry.code)
    return known


def _spellings(entry: Language) -> Iterator[str]:
    """The codes of one row: ar, ara, arb_Arab, arb, ar-AR."""
    yield from (entry.code, entry.iso639_3, entry.flores101, entry.flores200, entry.bcp47)
    yield entry.flores200.partition("_")[0]
    yield from entry.aliases


def _fold(code: str) -> str:
    """What two spellings of a code have in common: `_fold("EN__") -> "en"`, `_fold("zh_CN") -> "zh-cn"`."""
    return code.rstrip("_").replace("_", "-").lower()


def _without_variety(tag: str) -> str:
    """A PanLex code without the number of its variety: `_without_variety("eng-000") -> "eng"`."""
    code, _, number = tag.partition("-")
    return code if len(code) == 3 and len(number) == 3 and number.isdecimal() else tag


@lru_cache(maxsize=4096)
def _resolve(code: str) -> str:
    """What canonical() answers where the code is not in the table as typed."""
    folded = _fold(code)
    language_code = _without_variety(folded)
    known = _aliases().get(folded) or _aliases().get(language_code)
    answer = known or _tag(language_code)
    if answer is None:
        raise LanguageError(_unknown(code))
    return answer


# What follows serves languages and varieties outside the table; only there is langcodes imported.


@cache
def _registry() -> dict[tuple[str, str], dict[str, Any]]:
    """IANA's registry of subtags, by kind and subtag: {("language", "eu"): {"Description": ["Basque"], ...}, ...}."""
    from langcodes.registry_parser import parse_registry

    entries: Iterator[dict[str, Any]] = parse_registry()  # type: ignore[no-untyped-call]
    return {(entry["Type"], (entry.get("Subtag") or entry["Tag"]).lower()): entry for entry in entries}


def _tag(folded: str) -> str | None:
    """The code or BCP-47 tag of a well-formed tag: "eus" -> "eu", "srp-latn" -> "sr-Latn"; None where it is none."""
    from langcodes import Language as Tag
    from langcodes.tag_parser import LanguageTagError

    try:
        return _written(Tag.get(_preferred_tag(folded), normalize=False))
    except LanguageTagError:
        return None


def _preferred_tag(folded: str) -> str:
    """The tag that the registry puts in place of an irregular one: "zh-min-nan" -> "nan", "i-lux" -> "lb"."""
    entry = _registry().get(("grandfathered", folded)) or _registry().get(("redundant", folded)) or {}
    return str(entry.get("Preferred-Value", folded))


def _written(tag: langcodes.Language) -> str | None:
    """A parsed tag in its one spelling, or None where a subtag is not registered."""
    from langcodes import Language as Tag

    subtag = _subtag(tag.language or "")
    if subtag is None or not _is_registered(tag):
        return None
    script = None if tag.script == _usual_script(subtag, tag.territory) else tag.script
    shortest = Tag.make(language=subtag, script=script, territory=tag.territory, variants=tag.variants).to_tag()
    written = _without_variety(shortest)
    return _aliases().get(_fold(written), written)


def _is_registered(tag: langcodes.Language) -> bool:
    """Whether script and variants mean something; a region need only look like one (NTREX has the canton in gsw-ZH)."""
    if tag.extlangs or tag.extensions or tag.private:
        return False
    parts = [("variant", variant) for variant in tag.variants or ()]
    if tag.script:
        parts.append(("script", tag.script.lower()))
    return all(part in _registry() for part in parts)


def _subtag(code: str) -> str | None:
    """The registered subtag of a language: "eus" -> "eu", "por" -> "pt", "kzj" -> "dtp"; None for "und" or "xx"."""
    known = _aliases().get(code)
    if known:
        return "ku" if code in KURDISH else languages()[known].bcp47.partition("-")[0]
    shortest = _two_letters().get(code, code)
    entry = _registry().get(("language", shortest))
    if entry is None or entry.get("Scope") == "special":
        return None
    # Only IANA's own replacements: CLDR's would turn hbs into sr-Latn and prs into fa-AF.
    return _subtag(entry["Preferred-Value"]) if "Preferred-Value" in entry else shortest


@cache
def _two_letters() -> dict[str, str]:
    """ISO 639-1 for three letters, bibliographic ones too: {"eus": "eu", "baq": "eu", ...}."""
    from langcodes.data_dicts import LANGUAGE_ALPHA3, LANGUAGE_ALPHA3_BIBLIOGRAPHIC

    pairs = [*LANGUAGE_ALPHA3.items(), *LANGUAGE_ALPHA3_BIBLIOGRAPHIC.items()]
    current = {code for (kind, code), entry in _registry().items() if kind == "language" and "Deprecated" not in entry}
    return {three: two for two, three in pairs if two in current}


def _usual_script(subtag: str, region: str | None) -> str:
    """The script that goes without saying: ("uk", None) -> "Cyrl", ("zh", "TW") -> "Hant"; "" where nobody says."""
    from langcodes.data_dicts import LIKELY_SUBTAGS, MACROLANGUAGES

    known = _aliases().get(subtag)
    likely = LIKELY_SUBTAGS.get(f"{subtag}-{region}", "")
    if known and not likely:
        return languages()[known].script
    # Likely subtags lack most members of a macrolanguage: kmr is written as ku is, acm as ar.
    likely = likely or LIKELY_SUBTAGS.get(subtag) or LIKELY_SUBTAGS.get(MACROLANGUAGES.get(subtag, ""), "")
    return "".join(likely.split("-")[1:2])


def _unknown(code: str) -> str:
    """The message for a code that means nothing: `unknown language 'german'; did you mean de (German)?`."""
    shown = repr(code if len(code) <= 40 else code[:40] + "...")
    if _registry().get(("language", _fold(code)), {}).get("Scope") == "special":
        return f"{shown} does not name one language"
    if named := _named(code.strip().lower()):
        return f"unknown language {shown}; did you mean {' or '.join(map(_label, named))}?"
    if near := _nearest(_fold(code)[:40]):
        return f"unknown language {shown}; nearest: {', '.join(map(_label, near))}"
    return f"unknown language {shown}; a code is like de, deu, deu_Latn or de-AT"


def _label(code: str) -> str:
    """A code with its name in English: "de (German)", "pt-BR (Portuguese)"."""
    if code in languages():
        return f"{code} ({languages()[code].name})"
    return f"{code} ({_registry()['language', code.partition('-')[0]]['Description'][0]})"


def _named(name: str) -> list[str]:
    """The codes of what bears a name in lower case: "chinese" -> ["zh", "zhtrad"], "basque" -> ["eu"]."""
    codes = [code for code, spelling in _names() if spelling == name or spelling.startswith(f"{name} (")]
    if not codes:
        entries = (pair for pair in _registry().items() if pair[0][0] == "language")
        found = (tag for (_, tag), entry in entries if name in map(str.lower, entry["Description"]))
        codes = [canonical(tag) for tag in found if _subtag(tag)][:1]
    return list(dict.fromkeys(codes))


def _names() -> Iterator[tuple[str, str]]:
    """Codes of the 102 with each of their names, in lower case."""
    for entry in languages().values():
        yield entry.code, entry.name.lower()
        yield entry.code, entry.prompt_name.lower()


def _nearest(folded: str) -> list[str]:
    """The codes, three at most, whose spelling or name is nearest to a misspelt one: "portugese" -> ["pt"]."""
    from difflib import get_close_matches

    first = folded.partition("-")[0]
    if first in _aliases():
        return [_aliases()[first]]
    spellings = {**{name: code for code, name in _names()}, **_aliases()}
    near = get_close_matches(folded, spellings, n=9, cutoff=0.6)
    return list(dict.fromkeys(spellings[spelling] for spelling in near))[:3]
