"""Averages over directions as in the paper's tables: out of and into a language; low-resource, high-resource, all."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypedDict

from llamax_cli.errors import DataError, LanguageError, UsageError
from llamax_cli.languages import canonical, table_row
from llamax_cli.records import Score

# The languages that the paper's tables of 85 leave out; the averages of these tables are over 86 languages.
OUTSIDE_85 = ("as", "kam", "kea", "ku", "ky", "luo", "mi", "mt", "ny", "om", "sn", "te", "tg", "umb", "zhtrad")
OTHERS = "x"
ALL = "*"  # central languages
# Figure 1 counts the directions above 10 spBLEU; the number means nothing for other kinds of metrics.
BLEU_METRICS = {"spbleu", "bleu"}
BLEU_THRESHOLD = 10.0


class Row(TypedDict, total=False):
    """The averages of `en-x` or `x-en`; null if no language of the group has a score."""

    direction: str
    metric: str
    low: float | None
    high: float | None
    all: float | None
    directions: int
    above_10: int
    off_target: float


def parse_left_out(names: Sequence[str]) -> tuple[str, ...]:
    """Return the codes of languages to leave out; `85` stands for those that the paper's tables of 85 leave out."""
    codes = (code for name in names for code in (OUTSIDE_85 if name == "85" else (name,)))
    try:
        return tuple(dict.fromkeys(map(canonical, codes)))
    except LanguageError as error:
        raise UsageError(str(error)) from error


def summarise(scores: Iterable[Score], central: Collection[str] = (), without: Collection[str] = ()) -> Iterator[Row]:
    """Yield two rows for each metric and central language: out of the language, then into it.

    By default, `central` are all languages with many directions in these scores. For several that are asked for, two
    more rows, `*-x` and `x-*`, are the averages over them. Neither the central language itself nor those of `without`
    count in its averages. UsageError if a requested language has no scores.
    """
    by_metric: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        by_metric[score["metric"]].append(score)
    summarised: set[str] = set()
    for metric, metric_scores in by_metric.items():
        by_row = group_by_row(metric_scores)
        rows: list[Row] = []
        for name in choose_rows(by_row, central):
            row_scores = [(other, score) for other, score in by_row[name].items() if other not in without]
            if row_scores:
                summarised.add(_code(name))
                rows.append(average_row(name, metric, row_scores))
        yield from rows
        if len(central) > 1:
            yield from _average_over(central, metric, rows)
    if missing := [code for code in central if code not in summarised]:
        raise UsageError(f"--central {','.join(missing)}: there are no scores of directions into or out of it")


def _average_over(central: Collection[str], metric: str, rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the averages of the rows out of the central languages and of those into them, where each has one.

    Each central language counts once, however many directions it has.
    """
    for name, names in (
        (f"{ALL}-{OTHERS}", {f"{code}-{OTHERS}" for code in central}),
        (f"{OTHERS}-{ALL}", {f"{OTHERS}-{code}" for code in central}),
    ):
        chosen = [row for row in rows if row["direction"] in names]
        if len(chosen) < len(names):
            continue
        average: Row = {"direction": name, "metric": metric}
        for group in ("low", "high", "all"):
            values = [value for row in chosen if (value := row[group]) is not None]
            average[group] = sum(values) / len(values) if len(values) == len(chosen) else None
        average["directions"] = sum(row["directions"] for row in chosen)
        if all("above_10" in row for row in chosen):
            average["above_10"] = sum(row["above_10"] for row in chosen)
        if all("off_target" in row for row in chosen):
            average["off_target"] = sum(row["off_target"] for row in chosen) / len(chosen)
        yield average


def group_by_row(scores: Iterable[Score]) -> Mapping[str, dict[str, Score]]:
    """Return the scores by row and by the other language: `{"en-x": {"de": ...}, "x-de": {"en": ...}}`."""
    by_row: dict[str, dict[str, Score]] = defaultdict(dict)
    for score in scores:
        source, target = score["src_lang"], score["tgt_lang"]
        if source != target:
            if target in by_row.get(f"{source}-{OTHERS}", {}):
                raise DataError(
                    f"there are two {score['metric']} scores of {source}-{target}; summarise one system at a time"
                )
            by_row[f"{source}-{OTHERS}"][target] = score
            by_row[f"{OTHERS}-{target}"][source] = score
    return by_row


def choose_rows(by_row: Mapping[str, Mapping[str, Score]], central: Collection[str]) -> Sequence[str]:
    """Return the rows of the central languages: by default, those with at least half as many scores as the largest."""
    codes = central or dict.fromkeys(map(_code, by_row))
    rows = [row for code in codes for row in (f"{code}-{OTHERS}", f"{OTHERS}-{code}") if row in by_row]
    if central:
        return rows
    most = max(map(len, by_row.values()), default=0)
    return [row for row in rows if 2 * len(by_row[row]) >= most]


def _code(row: str) -> str:
    """Return the central language of a row: `_code("x-en") -> "en"`."""
    return row.removeprefix(f"{OTHERS}-").removesuffix(f"-{OTHERS}")


def average_row(name: str, metric: str, scores: Sequence[tuple[str, Score]]) -> Row:
    """Return the averages of the scores with each other language: `average_row("en-x", "spbleu", [("de", ...)])`."""
    groups: dict[str, list[float]] = {"low": [], "high": [], "all": []}
    for code, score in scores:
        groups["all"].append(score["score"])
        if entry := table_row(code):
            groups[entry.resource].append(score["score"])
    low, high, all_ = (sum(group) / len(group) if group else None for group in groups.values())
    row: Row = {"direction": name, "metric": metric, "low": low, "high": high, "all": all_, "directions": len(scores)}
    if metric in BLEU_METRICS:
        row["above_10"] = sum(score > BLEU_THRESHOLD for score in groups["all"])
    if judged := [score["off_target"] for _, score in scores if "off_target" in score]:
        row["off_target"] = sum(judged) / len(judged)
    return row
