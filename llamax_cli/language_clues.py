"""The languages of a file that does not say them itself: what its name tells, and what the header of its table tells.

Codes of languages are also words: `it` and `es` may be the first row of a dictionary, `mt.txt` the output of a machine.
So a name goes before a header, a word goes for nothing, and what was concluded is said in the summary of the run.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from llamax_cli.errors import UsageError
from llamax_cli.languages import known, languages, name_of

LANGUAGE_VARIETY = r"[A-Za-z]{2,3}[_-][A-Za-z]{2,4}"  # a language with its script or region
# Codes that are English words or usual names of files: `mt` is machine translation.
SHORT_WORDS = "am an as be ha he hi ho id in is it la lo mo mt my no om or pa pi so to"
# Codes that a whole name means something else by: a file `cv.txt`, `os.txt` or `ts.txt` is in no such language.
STEMS = "cv ee ie io ml mr ms na ng os ps sc si ss st ti ts tt"
# Codes of three letters that are words in English or another big language.
LONG_WORDS = """
arm ast bel ben bos bul cat dan est fil fin gaz geo ger hau hun ice ind kam kan kat lin lit lug mac mal mao mar may mol
mon nep nob ori pan per pol por pus som spa tam tel tur wel
"""
WORDS = frozenset(f"{SHORT_WORDS} {LONG_WORDS}".split())
STEM_WORDS = WORDS | frozenset(STEMS.split())
# Columns that tables have beside texts.
OTHER_NAMES = """
author category comment corpus date dataset doc docid document domain genre id ids key license line lineno link note
notes number origin score segid source speaker split talk timestamp title topic uri url user
"""
OTHER_COLUMNS = frozenset(OTHER_NAMES.split())
OTHER_COLUMN = re.compile(r"\w*[_\d]\w*")


def language_in(name: str) -> str | None:
    """Return the language that a file's ending or a column's name stands for: `language_in("eng") -> "en"`.

    Codes that are not in the table of languages count only if they have two letters, or a script or region. Other codes
    of three letters have to be declared, because they often mean something else: "src", "csv", "ids" and "url" are
    registered codes.
    """
    code = known(name)
    return code if code in languages() or len(name) == 2 or re.fullmatch(LANGUAGE_VARIETY, name) else None


class Columns(NamedTuple):
    """The language of each column of a table (None: another column), and whether the first row says them."""

    languages: Sequence[str | None]
    has_header: bool


def languages_of_columns(
    where: str, first_row: Sequence[str], declared: Sequence[str], named: Sequence[str], *, if_id: str
) -> Columns | None:
    """Return the languages of the columns of a table: as declared, else by the name of the file, else by a header.

    Returns None if none of these tells them. Raises UsageError if the name and a header contradict each other, or if
    it is not clear whether a column `id` is Indonesian; `if_id` says what to do if it is not.
    """
    header = _header(first_row)
    given = declared or named
    if given and [known(cell) for cell in first_row] == list(given):
        return Columns(given, has_header=True)
    if declared or (named and (header is None or not _contradicts(header, first_row, named))):
        return Columns(given, has_header=False)
    if header is None:
        return None
    codes = [code for code in header if code]
    if named and codes != list(named) and (len(codes) == len(named) or not set(named) <= set(codes)):
        raise UsageError(
            f"{where}: its name says {'-'.join(named)}, but its first row says {', '.join(codes)}; "
            "give the right languages with --langs"
        )
    if header[0] == "id" and first_row[0].lower() == "id" and "id" not in named:
        raise UsageError(
            f"{where}: is the column 'id' Indonesian or an identifier? If Indonesian, call it 'ind'; {if_id}"
        )
    return Columns(header, has_header=True)


def _header(cells: Sequence[str]) -> list[str | None] | None:
    """Return the languages in a first row, None for other columns; None if it may be a row of words.

    Every cell has to be a code or the usual name of another column, and one of them a code that is not a word.
    """
    codes = [None if cell.lower() in OTHER_COLUMNS - {"id"} else language_in(cell) for cell in cells]
    if not any(code and cell.lower() not in WORDS for cell, code in zip(cells, codes, strict=True)):
        return None
    if not all(code or _is_other_column(cell) for cell, code in zip(cells, codes, strict=True)):
        return None
    return codes


def _is_other_column(cell: str) -> bool:
    return cell.lower() in OTHER_COLUMNS or OTHER_COLUMN.fullmatch(cell) is not None


def _contradicts(header: Sequence[str | None], cells: Sequence[str], named: Sequence[str]) -> bool:
    """Return whether a first row of codes must be a header, although it does not say what the name says.

    Codes of two letters are words too often: the German for `it` is `es`, and the Italian for the French `de` is `da`.
    They count only if one of them is the code of its column, or if there are more columns than the name has languages.
    """
    if len(header) != len(named) or set(header) == set(named):
        return True
    if any(code == language for code, language in zip(header, named, strict=True)):
        return True
    return any(len(cell) > 2 and cell.lower() not in WORDS for cell, code in zip(cells, header, strict=True) if code)


def language_of_file(path: str, code_in_name: str, *, is_pair: bool, is_stem: bool) -> str:
    """Return the language that the ending of a file's name tells, or its whole name if that `is_stem`.

    A code that is also a word tells nothing, unless another file with the same stem, or the stem itself, shows that it
    `is_pair`, one of several languages: `train.it` beside `train.en`, `Europarl.en-it.it`. Raises UsageError if the
    name does not tell the language.
    """
    code = language_in(code_in_name)
    if code is None and path == "-":
        raise UsageError("stdin has no name that tells its language; say it with --langs")
    if code is None:
        raise UsageError(f"{path}: no language in the name; say it with --langs")
    if not is_pair and code_in_name.lower() in (STEM_WORDS if is_stem else SHORT_WORDS.split()):
        question = f"does {code_in_name!r} in the name mean {name_of(code)}?"
        raise UsageError(f"{path}: {question} Say the language: --langs {code}, or another one")
    return code


@dataclass
class Conclusions:
    """What was concluded from names of files and from first rows, for the summary."""

    names: dict[str, Sequence[str]] = field(default_factory=dict)  # languages by file
    headers: dict[str, Sequence[str]] = field(default_factory=dict)

    def add_columns(self, path: str, columns: Columns, declared: Sequence[str]) -> None:
        """Add how the languages of a table were found."""
        codes = [code for code in columns.languages if code]
        if columns.has_header:
            self.headers[path] = codes
        elif not declared:
            self.names[path] = codes

    def remarks(self, *, with_names: bool = True) -> list[str]:
        """Return them as parts of the summary: ["en (English) from the name", "first row of a.tsv taken for ..."]."""
        remarks = []
        codes = list(dict.fromkeys(code for codes in self.names.values() for code in codes))
        if codes and with_names:
            listed = " and ".join(f"{code} ({name_of(code)})" for code in codes)
            languages = listed if len(codes) < 3 else f"{len(codes)} languages"
            remarks.append(f"{languages} from {'the name' if len(self.names) == 1 else 'names'}")
        if len(self.headers) == 1:
            path, codes = next((path, list(codes)) for path, codes in self.headers.items())
            shown = ", ".join(codes) if len(codes) < 9 else f"{len(codes)} languages"
            remarks.append(f"first row of {path} taken for a header ({shown})")
        elif self.headers:
            remarks.append(f"first rows of {len(self.headers)} tables taken for headers")
        return remarks
