"""The 102 languages of FLORES-101: languages.tsv as Python objects, and the codes by which the table finds them.

languages.tsv has one row for each language: its codes and names; the authors' names in prompts, slips included; its
family and corpus sizes (Table 9); high or low resource, as the published averages split them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

# In ISO 639 these codes are all of Kurdish; here they are Sorani, except with a region or script of their own.
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
    """Return the 102 languages by code, in the order of the table: `languages()["ku"].iso639_3 -> "ckb"`."""
    text = Path(__file__).with_name("languages.tsv").read_text(encoding="utf-8")
    header, *rows = (line.split("\t") for line in text.rstrip("\n").split("\n"))
    table = [_language(dict(zip(header, row, strict=True))) for row in rows]
    return MappingProxyType({entry.code: entry for entry in table})


def _language(row: dict[str, str]) -> Language:
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
def aliases() -> dict[str, str]:
    """Return every folded spelling that the table knows, with its code: {"zho-hans": "zh", "cmn": "zh", ...}."""
    # The codes of mBART-50 are in the table, except for its one language outside it.
    codes = {"si-lk": "si"}
    for entry in languages().values():
        for spelling in _spellings(entry):
            # `zho` alone is in both rows of Chinese; it means the first, simplified.
            codes.setdefault(fold(spelling), entry.code)
    return codes


def _spellings(entry: Language) -> Iterator[str]:
    """Yield the codes of one row: ar, ara, arb_Arab, arb, ar-AR."""
    yield from (entry.code, entry.iso639_3, entry.flores101, entry.flores200, entry.bcp47)
    yield entry.flores200.partition("_")[0]
    yield from entry.aliases


def fold(code: str) -> str:
    """Return what all spellings of a code have in common: `fold("EN__") -> "en"`, `fold("zh_CN") -> "zh-cn"`."""
    return code.rstrip("_").replace("_", "-").lower()


def without_variety(code: str) -> str:
    """Return a PanLex code without the number of its variety: `without_variety("eng-000") -> "eng"`."""
    language, _, number = code.partition("-")
    return language if len(language) == 3 and len(number) == 3 and number.isdecimal() else code
