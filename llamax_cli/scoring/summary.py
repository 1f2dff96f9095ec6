"""The paper's tables: averages of a language into and out of all others, low-resource, high-resource and all."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypedDict

from llamax_cli.errors import DataError, LanguageError, UsageError
from llamax_cli.languages import canonical, languages
from llamax_cli.records import Score

# What the tables with 85 languages leave out; with the one in the middle, 86 are averaged over.
BEYOND_85 = ("as", "kam", "kea", "ku", "ky", "luo", "mi", "mt", "ny", "om", "sn", "te", "tg", "umb", "zhtrad")
OTHERS = "x"
COUNTED = {"spbleu", "bleu"}  # metrics for which the paper's line at 10 means something (figure 1)
LINE = 10.0


class Row(TypedDict, total=False):
    """A direction of many: `en-x` or `x-en`; an average is null where no language of its group has a score."""

    direction: str
    metric: str
    low: float | None
    high: float | None
    all: float | None
    directions: int
    above_10: int
    off_target: float


def left_out(names: Sequence[str]) -> tuple[str, ...]:
    """Return the codes of languages to leave out, `85` being those of the paper's 85-language tables."""
    codes = (code for name in names for code in (BEYOND_85 if name == "85" else (name,)))
    try:
        return tuple(dict.fromkeys(map(canonical, codes)))
    except LanguageError as error:
        raise UsageError(str(error)) from error


def summary(scores: Iterable[Score], central: Collection[str] = (), without: Collection[str] = ()) -> Iterator[Row]:
    """Yield the rows of each central language and metric: out of the language, then into it.

    `central` are by default all languages that are central in these scores. The language itself and those of `without`
    are never averaged over. UsageError where a language that was asked for has no scores.
    """
    by_metric: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        by_metric[score["metric"]].append(score)
    found: set[str] = set()
    for metric, some in by_metric.items():
        ends = _ends(some)
        for name in _rows(ends, central):
            chosen = [(other, score) for other, score in ends[name].items() if other not in without]
            if chosen:
                found.add(_code(name))
                yield _row(name, metric, chosen)
    if missing := [code for code in central if code not in found]:
        raise UsageError(f"--central {','.join(missing)}: there are no scores of directions into or out of it")


def _ends(scores: Iterable[Score]) -> Mapping[str, dict[str, Score]]:
    """Return the scores out of and into each language by the other one: {"en-x": {"de": ...}, "x-de": {"en": ...}}."""
    ends: dict[str, dict[str, Score]] = defaultdict(dict)
    for score in scores:
        source, target = score["src_lang"], score["tgt_lang"]
        if source != target:
            if target in ends.get(f"{source}-{OTHERS}", {}):
                raise DataError(
                    f"there are two {score['metric']} scores of {source}-{target}; summarise one system at a time"
                )
            ends[f"{source}-{OTHERS}"][target] = score
            ends[f"{OTHERS}-{target}"][source] = score
    return ends


def _rows(ends: Mapping[str, Mapping[str, Score]], central: Collection[str]) -> Sequence[str]:
    """Return which rows there are: of a language that has half as many others as the one with the most."""
    if central:
        rows = [row for code in central for row in (f"{code}-{OTHERS}", f"{OTHERS}-{code}")]
        return [row for row in rows if row in ends]
    most = max(map(len, ends.values()), default=0)
    codes = dict.fromkeys(map(_code, ends))
    rows = [row for code in codes for row in (f"{code}-{OTHERS}", f"{OTHERS}-{code}")]
    return [row for row in rows if 2 * len(ends.get(row, ())) >= most]


def _code(row: str) -> str:
    return row.removeprefix(f"{OTHERS}-").removesuffix(f"-{OTHERS}")


def _row(name: str, metric: str, chosen: Sequence[tuple[str, Score]]) -> Row:
    groups: dict[str, list[float]] = {"low": [], "high": [], "all": []}
    for code, score in chosen:
        groups["all"].append(score["score"])
        if code in languages():
            groups[languages()[code].resource].append(score["score"])
    low, high, all_ = (sum(group) / len(group) if group else None for group in groups.values())
    row: Row = {"direction": name, "metric": metric, "low": low, "high": high, "all": all_, "directions": len(chosen)}
    if metric in COUNTED:
        row["above_10"] = sum(score > LINE for score in groups["all"])
    if judged := [score["off_target"] for _, score in chosen if "off_target" in score]:
        row["off_target"] = sum(judged) / len(judged)
    return row
