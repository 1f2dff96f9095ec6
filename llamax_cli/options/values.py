"""Values of options: parsers and checks of the text that a user types."""

import math
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from typer import BadParameter, Option

from llamax_cli.errors import LanguageError, UsageError
from llamax_cli.language_table import languages
from llamax_cli.languages import canonical
from llamax_cli.registry import suggestion
from llamax_cli.streams.chunks import Portion
from llamax_cli.streams.rejects import allowed_rejects

MOST_WORKERS = 32  # on a machine with up to 16 processors
LIST = ",..."  # how the value of an option is described that holds several
LARGEST_WHOLE = 2**63 - 1  # what libraries, files and other languages can hold
LARGEST_REAL = 10**9


def whole_number(
    *flags: str,
    low: int | None = None,
    high: int | None = None,
    callback: Callable[[int], int] | None = None,
    **more: Any,
) -> Any:
    """Return an option that takes a whole number from `low` to `high`, and none beyond 64 bits.

    Every option with a number is made by this function or by `real_number`. `callback` makes the value of a number that
    is in the range; `more` is for `typer.Option`.
    """
    check: Any = _within(low, high, LARGEST_WHOLE)
    return Option(*flags, min=low, max=high, callback=_then(check, callback) if callback else check, **more)


def _then(check: Callable[[int], int], callback: Callable[[int], int]) -> Callable[[int], int]:
    def both(value: int) -> int:
        return callback(check(value))

    return both


def real_number(*flags: str, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    """Return an option that takes a finite number from `low` to `high`, and none beyond LARGEST_REAL."""
    return Option(*flags, min=low, max=high, callback=_within(low, high, LARGEST_REAL), **more)


def _within(low: float | None, high: float | None, largest: float) -> Callable[[float | None], float | None]:
    least, most = -largest if low is None else low, largest if high is None else high

    def check(value: float | None) -> float | None:
        if value is not None and not least <= value <= most:  # nor is "not a number" in between
            raise BadParameter(f"{value} is not in the range {least}<=x<={most}.")
        return value

    return check


def digits(value: str) -> int | None:
    """Return the number that digits write, None for other text and for a number beyond 64 bits."""
    number = int(value) if value.isdecimal() and len(value) <= len(str(LARGEST_WHOLE)) else None
    return number if number is None or number <= LARGEST_WHOLE else None


def portion(value: str | Portion) -> Portion:
    """Return one of N parts: `portion("3/8") -> Portion(3, 8)`."""
    index, count = (digits(part) or 0 for part in str(value).partition("/")[::2])
    if not 1 <= index <= count:
        raise BadParameter(f"{str(value)!r} is not I/N with I from 1 to N, such as 3/8")
    return Portion(index, count)


def byte_size(value: str | int) -> int:
    """Return a number of bytes: `byte_size("512M") -> 536870912`; K, M, G and T are powers of 1024."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", str(value).strip(), re.IGNORECASE)
    size = float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " ") if match else math.nan
    if not 1 <= size <= LARGEST_WHOLE:
        raise BadParameter(f"{value!r} is not a size, such as 512M or 1.5G")
    return int(size)


def share(*flags: str, **more: Any) -> Any:
    """Return an option that takes a share, a number from 0 to 1."""
    return real_number(*flags, low=0, high=1, **more)


def listed(value: str | None) -> tuple[str, ...]:
    """Return the items between commas: `listed("en-*,*-en") -> ("en-*", "*-en")`."""
    return tuple(item.strip() for item in value.split(",") if item.strip()) if value else ()


def codes(value: str | None) -> tuple[str, ...]:
    """Return canonical language codes: `codes("eng,zho_Hans") -> ("en", "zh")`; UsageError where one is unknown."""
    try:
        found = tuple(map(canonical, listed(value)))
    except LanguageError as error:
        raise UsageError(str(error)) from error
    if len(set(found)) < len(found):
        raise UsageError(f"{value} names a language twice")
    return found


def file_languages(value: str | None) -> tuple[str, ...]:
    """Return the language codes of files or columns, in their order: `file_languages("en,de") -> ("en", "de")`.

    UsageError for `en-de`, which is a direction in other options, and would be the English of Germany here: such a
    region is written in capitals.
    """
    found = codes(value)
    for item, code in zip(listed(value), found, strict=True):
        halves = item.split("-")
        if "-" in code and item.islower() and len(halves) == 2 and all(half in languages() for half in halves):
            pair = ",".join(halves)
            raise UsageError(f"--langs {item}: write two languages as {pair}, one language of a region as {code}")
    return found


def codes_and(word: str, value: str | None) -> tuple[str, ...]:
    """Return language codes and, if it is there, one other word: `codes_and("tgt", "tgt,eng") -> ("en", "tgt")`."""
    items = listed(value)
    return (*codes(",".join(item for item in items if item != word)), *({word} & set(items)))


def columns_by_language(value: str | None) -> dict[str, str]:
    """Return columns by language: `columns_by_language("eng=1,zh=chinese") -> {"en": "1", "zh": "chinese"}`."""
    columns: dict[str, str] = {}
    for item in listed(value):
        code, equals, column = item.partition("=")
        if not equals or not column:
            raise UsageError(f"{item!r} is not LANGUAGE=COLUMN, such as en=1 or zh=chinese")
        columns[codes(code)[0]] = column
    if len(columns) < len(listed(value)):
        raise UsageError(f"{value} names a language twice")
    return columns


def one_of(names: Collection[str]) -> Callable[[str | None], str | None]:
    """Return a check that an option is one of the names, which the shell completes."""

    def check(value: str | None) -> str | None:
        if value is not None and value not in names:
            raise BadParameter(f"{value!r} is unknown; {suggestion(value, names)}")
        return value

    check.names = tuple(names)  # type: ignore[attr-defined]  # for options.completion
    return check


def format_option(flag: str, what: str, names: Collection[str]) -> Any:
    """Return an option that takes one of the names, which its help lists."""
    return Option(flag, metavar="FORMAT", help=f"{what}: {', '.join(names)}.", callback=one_of(names))


def worker_count(value: int) -> int:
    """Return how many workers to use; more than a few for each processor take memory and make nothing faster."""
    return min(value, max(MOST_WORKERS, 2 * (os.cpu_count() or 1)))


def reject_limit(value: str | None) -> str | None:
    """Check that a value of --max-rejects is a count or a share."""
    try:
        if value is not None:
            allowed_rejects(value, 0)
    except UsageError as error:
        raise BadParameter(str(error)) from error
    return value


def named_file(value: Path | None) -> Path | None:
    """Check that a value names a file and is not `-`."""
    if value is not None and str(value) == "-":
        raise BadParameter("name a file; records go to standard output without -o")
    return value
