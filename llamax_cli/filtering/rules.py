"""The filters of `--filter`: their names and thresholds, on the command line or in a file of TOML.

length-ratio=2,script-share=0.7,identical

    length-ratio = 2
    identical = true
    ["en-zh"]           # other thresholds for these pairs, in either direction; * is any language
    length-ratio = 5

A record stays if all filters keep it. Filters of pairs keep single texts.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from llamax_cli.conversion.selection import Group, interpret_pattern, matches
from llamax_cli.documents import loads_toml
from llamax_cli.errors import FileError, RecordError, UsageError, because
from llamax_cli.filtering.measures import (
    count_words,
    digit_agreement,
    letter_share,
    longest_word,
    ratio,
    repeats_more_than,
    script_share,
    urls,
)
from llamax_cli.records import Record, language, number, text
from llamax_cli.registry import suggestion


class Side(NamedTuple):
    """A text of a record and its language, "" where the record names none."""

    text: str
    language: str


# From the sides of a record to what is wrong with it, None if nothing is.
Check: TypeAlias = Callable[[Sequence[Side]], str | None]


class Rule(NamedTuple):
    """What a filter does with its threshold, and from where to where that goes; None for a filter without one."""

    make: Callable[[float], Check]
    bounds: tuple[float, float] | None
    is_whole: bool = False


def _of_pair(check: Callable[[Side, Side], str | None]) -> Check:
    return lambda sides: check(*sides) if len(sides) == 2 else None


def _length_ratio(most: float) -> Check:
    def check(source: Side, target: Side) -> str | None:
        found = ratio(len(source.text), len(target.text))
        return None if found <= most else f"{found:.4g} times as many characters"

    return _of_pair(check)


def _word_ratio(most: float) -> Check:
    def check(source: Side, target: Side) -> str | None:
        found = ratio(count_words(source.text), count_words(target.text))
        return None if found <= most else f"{found:.4g} times as many words"

    return _of_pair(check)


def _least_share(measure: Callable[[Side], float], what: str, least: float) -> Check:
    def check(sides: Sequence[Side]) -> str | None:
        for side in sides:
            if (found := measure(side)) < least:
                return f"{found:.4g} of the {what}"
        return None

    return check


def _digits(least: float) -> Check:
    def check(source: Side, target: Side) -> str | None:
        found = digit_agreement(source.text, target.text)
        return None if found >= least else f"digits agree to {found:.4g}"

    return _of_pair(check)


def _urls(_: float) -> Check:
    def check(source: Side, target: Side) -> str | None:
        first, second = urls(source.text), urls(target.text)
        odd = next(iter((first - second) + (second - first)), None)
        return None if odd is None else f"{odd} on one side only"

    return _of_pair(check)


def _identical(_: float) -> Check:
    def check(source: Side, target: Side) -> str | None:
        same = " ".join(source.text.split()).casefold() == " ".join(target.text.split()).casefold()
        return "both sides are the same text" if same else None

    return _of_pair(check)


def _repetition(most: float) -> Check:
    def check(sides: Sequence[Side]) -> str | None:
        repeats = any(repeats_more_than(int(most), side.text) for side in sides)
        return f"a string stands more than {int(most)} times in a row" if repeats else None

    return check


def _least(measure: Callable[[str], float], what: str, least: float) -> Check:
    def check(sides: Sequence[Side]) -> str | None:
        for side in sides:
            if (found := measure(side.text)) < least:
                return f"{found:.4g} {what}"
        return None

    return check


def _most(measure: Callable[[str], float], what: str, most: float) -> Check:
    def check(sides: Sequence[Side]) -> str | None:
        for side in sides:
            if (found := measure(side.text)) > most:
                return f"{found:.4g} {what}"
        return None

    return check


RATIO, SHARE, COUNT = (1.0, 1e9), (0.0, 1.0), (0.0, 1e9)
FILTERS: dict[str, Rule] = {
    "min-characters": Rule(partial(_least, len, "characters"), COUNT, is_whole=True),
    "max-characters": Rule(partial(_most, len, "characters"), COUNT, is_whole=True),
    "length-ratio": Rule(_length_ratio, RATIO),
    "min-words": Rule(partial(_least, count_words, "words"), COUNT, is_whole=True),
    "max-words": Rule(partial(_most, count_words, "words"), COUNT, is_whole=True),
    "word-ratio": Rule(_word_ratio, RATIO),
    "long-word": Rule(partial(_most, longest_word, "characters in a word"), COUNT, is_whole=True),
    "identical": Rule(_identical, None),
    "urls": Rule(_urls, None),
    "digits": Rule(_digits, SHARE),
    "letter-share": Rule(partial(_least_share, lambda side: letter_share(side.text), "characters are letters"), SHARE),
    "script-share": Rule(
        partial(_least_share, lambda side: script_share(*side), "letters are in a script of the language"), SHARE
    ),
    "repetition": Rule(_repetition, (1.0, 1000.0), is_whole=True),
}  # the cheap ones first, because the first that rejects a record is the one that is counted

Thresholds: TypeAlias = Mapping[str, float]


@dataclass(frozen=True)
class FilterSettings:
    """Thresholds by filter, and others for some directions; `least` and `most` bound the values of keys."""

    thresholds: Thresholds = field(default_factory=dict)
    by_pair: Mapping[Group, Thresholds] = field(default_factory=dict)
    least: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.thresholds or self.by_pair or self.least or self.most)

    def facts(self) -> dict[str, object]:
        """Return what a result depends on, for the manifest and for `--resume`: also what a file says."""
        by_pair = {"-".join(pair): dict(thresholds) for pair, thresholds in self.by_pair.items()}
        return {"filters": {**self.thresholds, **by_pair}} if self.thresholds or by_pair else {}

    def checks(self, languages: Group) -> list[tuple[str, Check]]:
        """Return the filters of records in these languages, two for a pair, by name and in their order."""
        thresholds = dict(self.thresholds)
        for pair, others in self.by_pair.items():
            if len(languages) == 2 and (matches(languages, pair) or matches(languages[::-1], pair)):
                thresholds |= others
        return [(name, rule.make(thresholds[name])) for name, rule in FILTERS.items() if name in thresholds]


def filter_settings(filters: Sequence[str], least: Sequence[str], most: Sequence[str] = ()) -> FilterSettings:
    """Return the settings of `--filter` (names with thresholds, files of them), `--min` and `--max` (KEY=NUMBER)."""
    thresholds: dict[str, float] = {}
    by_pair: dict[Group, Thresholds] = {}
    for item in filters:
        if names_file(item):
            own, of_pairs = _read(item)
            thresholds |= own
            by_pair |= of_pairs
            continue
        name, equals, value = item.partition("=")
        thresholds[name] = _threshold("--filter", name, _typed(value) if equals else True)
    return FilterSettings(thresholds, by_pair, _bounds("--min", least), _bounds("--max", most))


def names_file(item: str) -> bool:
    """Return whether an item of `--filter` is a file of filters."""
    return item.endswith(".toml") or ("=" not in item and item not in FILTERS and os.path.exists(item))


def _read(path: str) -> tuple[dict[str, float], dict[Group, Thresholds]]:
    """Return the thresholds of a file, and those of its tables by pair."""
    try:
        found = loads_toml(Path(path).read_bytes().decode())
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    except ValueError as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    by_pair: dict[Group, Thresholds] = {}
    for pair in [name for name, value in found.items() if isinstance(value, dict)]:
        try:
            meanings = interpret_pattern(pair, 2)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error
        thresholds = {name: _threshold(f"{path}: [{pair}]", name, value) for name, value in found.pop(pair).items()}
        by_pair |= dict.fromkeys(meanings, thresholds)
    return {name: _threshold(path, name, value) for name, value in found.items()}, by_pair


def _typed(value: str) -> object:
    """Return a number that is typed, or the text where it is none."""
    try:
        return float(value)
    except ValueError:
        return value


def _threshold(where: str, name: str, value: object) -> float:
    """Return the threshold of a filter; UsageError where there is no such filter, or it cannot have this threshold."""
    if name not in FILTERS:
        raise UsageError(f"{where}: no filter is called {name!r}; {suggestion(name, FILTERS)}")
    rule = FILTERS[name]
    if rule.bounds is None:
        if value is not True:
            raise UsageError(f"{where}: {name} takes no threshold; write {name}, in a file {name} = true")
        return 0.0
    low, high = rule.bounds
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        shown = "nothing" if value is True else value
        raise UsageError(f"{where}: {name} takes a number from {low:g} to {high:g}, not {shown}: {name}=NUMBER")
    if rule.is_whole and value != int(value):
        raise UsageError(f"{where}: {name} takes a whole number, not {value}")
    return float(value)


def _bounds(option: str, items: Sequence[str]) -> dict[str, float]:
    """Return the least or the largest value of each key: `_bounds("--min", ["comet-kiwi=60"])`."""
    bounds: dict[str, float] = {}
    for item in items:
        key, _, value = item.rpartition("=")
        bound = _typed(value)
        if not key or not isinstance(bound, float) or not math.isfinite(bound):
            raise UsageError(f"{option} {item}: write KEY=NUMBER, such as {option} lid_score=0.5")
        if key in bounds:
            raise UsageError(f"{option} {key} is given twice")
        bounds[key] = bound
    return bounds


class RecordFilter:
    """Decides which records stay; it keeps the checks of each direction."""

    def __init__(self, settings: FilterSettings) -> None:
        self._settings = settings
        self._checks: dict[Group, list[tuple[str, Check]]] = {}

    def fault(self, record: Record) -> tuple[str, str] | None:
        """Return the filter that a record does not pass, and why; None if it passes all.

        RecordError where it is neither a text nor a pair, or has not the score that it is judged by.
        """
        sides = _sides(record)
        languages = tuple([side.language for side in sides])
        checks = self._checks.get(languages)
        if checks is None:
            checks = self._checks[languages] = self._settings.checks(languages)
        for name, check in checks:
            if (why := check(sides)) is not None:
                return name, why
        for key, least in self._settings.least.items():
            if (score := number(record, key)) < least:
                return f"{key} below {least:g}", f"{score:g}"
        for key, most in self._settings.most.items():
            if (score := number(record, key)) > most:
                return f"{key} above {most:g}", f"{score:g}"
        return None


def _sides(record: Record) -> list[Side]:
    """Return the text of a record, or its source and its target, which in translations without `tgt` is `mt`."""
    if "text" in record and "src" not in record:
        return [Side(text(record, "text"), _language(record, "lang"))]
    target = "tgt" if "tgt" in record or "mt" not in record else "mt"
    if target not in record:
        raise RecordError("no 'tgt' in the record: filters look at pairs and at texts")
    return [
        Side(text(record, "src"), _language(record, "src_lang")),
        Side(text(record, target), _language(record, "tgt_lang")),
    ]


def _language(record: Record, key: str) -> str:
    return language(record, key) if key in record else ""
