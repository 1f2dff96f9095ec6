"""BCP-47 tags, for languages and varieties outside the table: IANA's registry and CLDR's facts, as langcodes has them.

tag("srp-latn") -> "sr-Latn"
tag("fra-fr")   -> "fr"         CLDR's likely subtags say which script and which region a tag need not name
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamax_cli.language_table import KURDISH, aliases, fold, languages, without_variety

if TYPE_CHECKING:
    import langcodes


class Registry(Mapping[tuple[str, str], dict[str, Any]]):
    """The entries of a registry of subtags by kind and subtag, of which each is parsed when it is asked for."""

    def __init__(self, text: str) -> None:
        self._texts: dict[tuple[str, str], str] = {}
        for entry in text.split("\n%%\n"):
            kind, code, _ = entry.split("\n", 2)  # "Type: language", "Subtag: eu", its names and so on
            self._texts[kind.partition(": ")[2], code.partition(": ")[2].lower()] = entry

    def __getitem__(self, key: tuple[str, str]) -> dict[str, Any]:
        from langcodes.registry_parser import parse_file

        (entry,) = parse_file(self._texts[key].splitlines())  # type: ignore[no-untyped-call]
        return dict(entry)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


@cache
def registry() -> Registry:
    """Return IANA's registry of subtags by kind and subtag: {("language", "eu"): {"Description": ["Basque"], ...}}."""
    from langcodes.util import data_filename

    path = Path(data_filename("language-subtag-registry.txt"))  # type: ignore[no-untyped-call]
    return Registry(path.read_text(encoding="utf-8").partition("\n%%\n")[2])  # without the line with its date


@cache
def subtags_by_name() -> dict[str, list[str]]:
    """Return the subtags of languages by each of their registered names, in lower case: {"basque": ["eu"], ...}."""
    subtags: dict[str, list[str]] = {}
    for (kind, code), entry in registry().items():
        if kind == "language":
            for name in entry["Description"]:
                subtags.setdefault(name.lower(), []).append(code)
    return subtags


def tag(folded: str) -> str | None:
    """Return the code or tag that a well-formed tag stands for: "eus" -> "eu", "srp-latn" -> "sr-Latn"; else None."""
    from langcodes import Language as Tag
    from langcodes.tag_parser import LanguageTagError

    try:
        return _shortest(Tag.get(_preferred(folded), normalize=False))
    except LanguageTagError:
        return None


def _preferred(folded: str) -> str:
    """Return the tag that the registry prefers to an irregular one: "zh-min-nan" -> "nan", "i-lux" -> "lb"."""
    entry = registry().get(("grandfathered", folded)) or registry().get(("redundant", folded)) or {}
    return str(entry.get("Preferred-Value", folded))


def _shortest(parsed: langcodes.Language) -> str | None:
    """Return a parsed tag in its one spelling, or None where a subtag is not registered."""
    from langcodes import Language as Tag

    language = subtag(parsed.language or "")
    if language is None or not _is_registered(parsed):
        return None
    script = parsed.script or _usual_script(language, parsed.territory)
    region = None if parsed.territory == _usual_region(language, script) else parsed.territory
    short = Tag.make(
        language=language,
        script=None if script == _usual_script(language, region) else script,
        territory=region,
        variants=parsed.variants,
    )
    spelling = without_variety(short.to_tag())
    return aliases().get(fold(spelling), spelling)


def without_region(tag: str) -> str:
    """Return a canonical tag without region and variants, but with the script that the region implies.

    "pt-PT" -> "pt", "sr-ME" -> "sr-Latn"; Kurdish keeps its region, which distinguishes Kurmanji and Sorani.
    """
    from langcodes import Language as Tag

    parsed = Tag.get(tag, normalize=False)
    if parsed.language is None or parsed.language in KURDISH:
        return tag
    script = parsed.script or _usual_script(parsed.language, parsed.territory)
    spelling = Tag.make(
        language=parsed.language, script=None if script == _usual_script(parsed.language, None) else script
    ).to_tag()
    return aliases().get(fold(spelling), spelling)


def _is_registered(parsed: langcodes.Language) -> bool:
    """Return whether script and variants are registered; a region need not be (NTREX has the canton in gsw-ZH)."""
    if parsed.extlangs or parsed.extensions or parsed.private:
        return False
    parts = [("variant", variant) for variant in parsed.variants or ()]
    if parsed.script:
        parts.append(("script", parsed.script.lower()))
    return all(part in registry() for part in parts)


def subtag(code: str) -> str | None:
    """Return the registered subtag of a language: "eus" -> "eu", "kzj" -> "dtp"; None for "und" or "xx"."""
    known = aliases().get(code)
    if known:
        return "ku" if code in KURDISH else languages()[known].bcp47.partition("-")[0]
    shortest = _two_letters().get(code, code)
    entry = registry().get(("language", shortest))
    if entry is None or entry.get("Scope") == "special":
        return None
    # Only IANA's own replacements: CLDR's would turn hbs into sr-Latn and prs into fa-AF.
    return subtag(entry["Preferred-Value"]) if "Preferred-Value" in entry else shortest


@cache
def _two_letters() -> dict[str, str]:
    """Return ISO 639-1 codes by codes of three letters, bibliographic ones too: {"eus": "eu", "baq": "eu", ...}."""
    from langcodes.data_dicts import LANGUAGE_ALPHA3, LANGUAGE_ALPHA3_BIBLIOGRAPHIC

    pairs = [*LANGUAGE_ALPHA3.items(), *LANGUAGE_ALPHA3_BIBLIOGRAPHIC.items()]
    entries = ((three, two, registry().get(("language", two))) for two, three in pairs)
    return {three: two for three, two, entry in entries if entry and "Deprecated" not in entry}


def three_letters(subtag: str) -> str:
    """Return the code of three letters for one of two, any other as it is: `three_letters("eu") -> "eus"`."""
    from langcodes.data_dicts import LANGUAGE_ALPHA3

    return str(LANGUAGE_ALPHA3.get(subtag, subtag))


@cache
def macrolanguages() -> dict[str, str]:
    """Return the macrolanguages outside the table by the individual language that stands for each: {"als": "sq", ...}.

    They are CLDR's; the individual languages of the table are its aliases. Models and detectors use either code.
    """
    from langcodes.data_dicts import NORMALIZED_MACROLANGUAGES

    # Ayacucho Quechua is the Quechua of FLORES-200; Kurdish of Turkey is not our `ku`, which is Sorani.
    pairs = {**NORMALIZED_MACROLANGUAGES, "quy": "qu"}
    return {member: macro for member, macro in pairs.items() if not {member, macro} & (aliases().keys() | KURDISH)}


def _usual_region(language: str, script: str) -> str:
    """Return the region that a tag need not name: ("fr", "Latn") -> "FR", ("zh", "Hant") -> "TW"; "" if unknown."""
    from langcodes.data_dicts import LIKELY_SUBTAGS, NORMALIZED_MACROLANGUAGES

    if language in KURDISH:
        return ""
    tags = f"{language}-{script}", language, NORMALIZED_MACROLANGUAGES.get(language, "")
    likely = next((LIKELY_SUBTAGS[tag] for tag in tags if tag in LIKELY_SUBTAGS), "")
    return "".join(likely.split("-")[2:3])


def usual_script(tag: str) -> str:
    """Return the script of a canonical tag, named or implied: "sr-Latn" -> "Latn", "eu" -> "Latn"; "" if unknown."""
    from langcodes import Language as Tag

    parsed = Tag.get(tag, normalize=False)
    return parsed.script or _usual_script(parsed.language or "", parsed.territory)


def _usual_script(language: str, region: str | None) -> str:
    """Return the script that a tag need not name: ("uk", None) -> "Cyrl", ("zh", "TW") -> "Hant"; "" if unknown."""
    from langcodes.data_dicts import LIKELY_SUBTAGS, MACROLANGUAGES

    known = aliases().get(language)
    likely = LIKELY_SUBTAGS.get(f"{language}-{region}", "")
    if known and not likely:
        return languages()[known].script
    # Likely subtags lack most members of a macrolanguage: kmr is written like ku, acm like ar.
    likely = likely or LIKELY_SUBTAGS.get(language) or LIKELY_SUBTAGS.get(MACROLANGUAGES.get(language, ""), "")
    return "".join(likely.split("-")[1:2])
