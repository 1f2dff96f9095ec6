"""`--summary` computes the published tables from the published scores."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamax_cli.errors import UsageError
from llamax_cli.languages import languages
from llamax_cli.records import Score
from llamax_cli.scoring.summary import OUTSIDE_85, parse_left_out, summarise

METRICS = {"spBLEU_score": "spbleu", "comet_score": "comet"}


def published(folder: Path, kind: str) -> Iterator[Score]:
    """Yield the per-direction scores of a system: a row for `en-x` or `x-en`, a column for each other language."""
    with (folder / kind / f"{kind}.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            source, _, target = row.pop("direct").partition("-")
            for other, score in row.items():
                if score != "/":
                    ends = (other if source == "x" else source, other if target == "x" else target)
                    yield {
                        "src_lang": ends[0],
                        "tgt_lang": ends[1],
                        "metric": METRICS[kind],
                        "score": float(score),
                        "signature": "",
                        "n": 1012,
                    }


def tables(folder: Path, kind: str, size: int) -> dict[str, dict[str, str]]:
    """Return a published summary by its first column."""
    with (folder / kind / f"summary_{size}.csv").open(encoding="utf-8") as file:
        return {row.pop("direct"): row for row in csv.DictReader(file)}


@pytest.mark.parametrize("kind", METRICS)
@pytest.mark.parametrize("size", [101, 85])
def test_every_published_summary_comes_out(data: Path, kind: str, size: int) -> None:
    """For all systems and central languages, to within 0.01."""
    systems = [path for path in (data / "llamax-published" / "experiment_results").iterdir() if path.is_dir()]
    assert len(systems) == 18
    for system in systems:
        wanted = tables(system, kind, size)
        # A direction between two central languages is in two published rows, not always with the same score. So each
        # central language is summarised from its own rows.
        scores = list(published(system, kind))
        rows = {}
        for name in dict.fromkeys(each.replace("x", "").strip("-") for each in wanted):
            own = list(
                {(s["src_lang"], s["tgt_lang"]): s for s in scores if name in (s["src_lang"], s["tgt_lang"])}.values()
            )
            rows.update(
                {row["direction"]: row for row in summarise(own, (name,), parse_left_out(["85"] if size == 85 else []))}
            )
        assert rows.keys() == wanted.keys()
        for name, row in wanted.items():
            for group, average in row.items():
                assert rows[name][group] == pytest.approx(float(average), abs=0.01), (system.name, name, group)


def scores(pairs: dict[str, float], **more: float) -> list[Score]:
    """Return scores by direction: `scores({"en-de": 30.0})`."""
    return [
        {"src_lang": a, "tgt_lang": b, "metric": "spbleu", "score": score, "signature": "s", "n": 1, **more}  # type: ignore[typeddict-item]
        for (a, _, b), score in ((name.partition("-"), score) for name, score in pairs.items())
    ]


def test_groups_and_counts() -> None:
    """Low and high are those of the table of languages; 10 is not above 10; the central language does not count."""
    rows = list(
        summarise(scores({"en-de": 30.0, "en-sw": 10.0, "en-th": 11.0, "en-en": 99.0, "de-en": 5.0, "en-eu": 20.0}))
    )
    assert rows == [
        {
            "direction": "en-x",
            "metric": "spbleu",
            "low": 10.5,
            "high": 30.0,
            "all": 17.75,
            "directions": 4,
            "above_10": 3,
        }
    ]


def test_off_target_is_the_mean_over_directions() -> None:
    """Each direction counts once, whatever its number of segments."""
    some = scores({"en-de": 1.0}, off_target=0.5) + scores({"en-sw": 1.0}, off_target=0.25) + scores({"en-th": 1.0})
    (row,) = summarise(some, ("en",))
    assert row["off_target"] == 0.375


def test_central_languages_are_found() -> None:
    """All of a full matrix; the one in the middle of a star; only rows that have scores."""
    codes = ("de", "en", "fr")
    full = scores({f"{a}-{b}": 1.0 for a in codes for b in codes if a != b})
    assert [row["direction"] for row in summarise(full)] == ["de-x", "x-de", "en-x", "x-en", "fr-x", "x-fr"]
    star = scores({f"en-{code}": 1.0 for code in languages() if code != "en"})
    assert [row["direction"] for row in summarise(star)] == ["en-x"]
    assert [row["direction"] for row in summarise(full, ("fr",))] == ["fr-x", "x-fr"]


def test_several_central_languages_are_averaged() -> None:
    """Each counts once; the rows of all that were asked for come first; without the wish there is no such row."""
    star = scores({"en-de": 12.0, "en-sw": 8.0, "fr-de": 20.0, "de-en": 1.0, "de-fr": 3.0})
    *rows, out_of, into = summarise(star, ("en", "fr"))
    assert [row["direction"] for row in rows] == ["en-x", "x-en", "fr-x", "x-fr"]
    assert out_of == {
        "direction": "*-x", "metric": "spbleu", "low": None, "high": 16.0, "all": 15.0, "directions": 3, "above_10": 2
    }  # fmt: skip
    assert (into["direction"], into["all"]) == ("x-*", 2.0)
    assert not [row for row in summarise(star, ("en",)) if "*" in row["direction"]]


def test_what_is_left_out() -> None:
    """Codes of any kind, and the paper's list; a language that is not central is named."""
    assert parse_left_out(["85", "deu"]) == (*OUTSIDE_85, "de")
    assert [row["all"] for row in summarise(scores({"en-de": 1.0, "en-as": 3.0}), ("en",), parse_left_out(["85"]))] == [
        1.0
    ]
    with pytest.raises(UsageError, match="unknown language 'german'"):
        parse_left_out(["german"])
    with pytest.raises(UsageError, match="--central sw: there are no scores"):
        list(summarise(scores({"en-de": 1.0}), ("sw",)))
