"""The figures of a report: what there are data for, at the width of a page, in every format, always the same bytes."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from llamax_cli import cli
from llamax_cli.errors import DataError, UsageError
from llamax_cli.languages import languages
from llamax_cli.records import Score
from llamax_cli.reporting import figures
from llamax_cli.reporting.comparison import compare
from llamax_cli.reporting.report import read_seen
from llamax_cli.reporting.systems import Measure, System, add_score

SPBLEU = Measure("", "spbleu")


def star(name: str, shift: float, codes: Sequence[str], measure: Measure = SPBLEU) -> System:
    """Return a system with scores out of and into English, of which the n-th is `n + shift`."""
    system = System(name)
    for place, code in enumerate(code for code in codes if code != "en"):
        for source, target in (("en", code), (code, "en")):
            ends = {"src_lang": source, "tgt_lang": target}
            score: Score = {**ends, "metric": measure.metric, "score": place + shift, "signature": "", "n": 1}  # type: ignore[typeddict-item]
            add_score(system, measure, score)
    return system


def test_bars_are_the_scores_and_unseen_languages_are_hatched() -> None:
    """All 101 languages, each with a bar for each system; figures 4 and 5 tell apart what a mixture has not."""
    systems = [star("A", 0, list(languages())), star("B", 0.5, list(languages()))]
    comparison = compare(SPBLEU, systems, ("en",), ())
    drawing = figures.draw_by_language(comparison, "en-x", {"de", "fr"})
    bars = [bar for axes in drawing.axes for bar in axes.patches]
    codes = [label.get_text() for axes in drawing.axes for label in axes.get_xticklabels()]
    wanted = {code: n for n, code in enumerate(code for code in languages() if code != "en")}
    assert sorted(bar.get_height() for bar in bars) == sorted(n + half for n in wanted.values() for half in (0, 0.5))
    assert sorted(codes) == sorted(wanted)
    assert sum(bar.get_hatch() is None for bar in bars) == 4
    assert drawing.get_figwidth() == pytest.approx(17 / 2.54, abs=0.01)


def test_gaps_are_signed_and_the_scale_is_symmetric() -> None:
    """White is no difference; what one system lacks is not a difference."""
    ours, theirs = star("A", 5, ["en", "de", "fr"]), star("B", 2, ["en", "de"])
    drawing = figures.draw_gap(compare(SPBLEU, [ours, theirs], ("en",), ()), ours, theirs)
    image = next(image for axes in drawing.axes for image in axes.images)
    assert image.norm.vmin == -image.norm.vmax == -3
    assert set(image.get_array().compressed()) == {-3}


def test_colours_are_those_of_better_and_worse() -> None:
    """A metric of errors has the scales turned round, and its labels say so."""
    names = {}
    for metric in ("spbleu", "ter"):
        measure = Measure("", metric)
        systems = [star(name, shift, ["en", "de", "fr"], measure) for name, shift in (("A", 5), ("B", 2))]
        comparison = compare(measure, systems, ("en",), ())
        drawings = figures.draw_matrix(comparison, systems[0]), figures.draw_gap(comparison, *systems)
        names[metric] = [image.cmap.name for each in drawings for axes in each.axes for image in axes.images]
        labels = [axes.get_xlabel() for each in drawings for axes in each.axes]
        assert ("ter (lower is better) of A" in labels) == (metric == "ter")
    assert set(names["spbleu"]) == {"cividis", "PuOr"}
    assert names["ter"] == [f"{name}_r" for name in names["spbleu"]]


def test_figure_1_has_a_mark_for_each_system() -> None:
    """Into the language along, out of it up; no two systems look alike, however many there are."""
    systems = [star(f"S{n}", n, ["en", "de", "fr", "sw"]) for n in range(12)]
    drawing = figures.draw_above(compare(SPBLEU, systems, ("en",), ()))
    marks = [line for line in drawing.axes[0].lines if len(line.get_xdata()) == 1]
    assert [int(line.get_xdata()[0]) for line in marks] == [max(0, min(3, n - 8)) for n in range(12)]
    assert len({(line.get_color(), line.get_marker()) for line in marks}) == 12


def test_figure_6_says_the_correlation() -> None:
    """Spearman's, with its interval."""
    system = System(
        "A", fertility={"de": 1, "fr": 2, "sw": 3, "th": 4}, cosine={"de": 0.9, "fr": 0.8, "sw": 0.7, "th": 0.75}
    )
    (legend,) = [axes.get_legend() for axes in figures.draw_fertility([system]).axes]
    assert legend.get_texts()[0].get_text().startswith("A: Spearman -0.80 (95 %: ")


def test_files_of_all_formats_are_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs make the same bytes, and --figures none makes none."""
    monkeypatch.chdir(tmp_path)
    records = [
        {"task": task, "lang": lang, "metric": "accuracy", "score": 50.0, "signature": "s", "n": 4}
        for task in ("xnli", "mgsm") for lang in ("de", "sw")
    ]  # fmt: skip
    Path("a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    for name in ("one", "two"):
        assert cli.run(["report", "A=a.jsonl", "-o", name, "-q"]) == 0
    one, two = ({path.name: path.read_bytes() for path in Path(name, "figures").iterdir()} for name in ("one", "two"))
    begins = {"tasks.png": b"\x89PNG\r\n", "tasks.svg": b"<?xml ", "tasks.pdf": b"%PDF-"}
    assert {name: drawing[: len(begins[name])] for name, drawing in one.items()} == begins
    assert one == two
    assert cli.run(["report", "A=a.jsonl", "-o", "three", "-q", "--figures", "none"]) == 0
    assert not Path("three/figures").exists()
    with pytest.raises(UsageError, match="--figures bmp: not among png, svg, pdf, none"):
        figures.check_formats(["bmp"])


def test_the_languages_of_a_mixture_are_those_of_its_manifest(tmp_path: Path) -> None:
    """Those of which it has samples."""
    path = tmp_path / "m.json"
    path.write_text(
        json.dumps({"figures": {"realised": {"language": {"de": 3, "sw": 0, "fr": 1}, "direction": {"en-de": 3}}}})
    )
    assert read_seen(str(path)) == {"de", "fr", "en"}
    path.write_text("{}")
    with pytest.raises(DataError, match="no languages in this file; give what llamax mix --manifest wrote"):
        read_seen(str(path))
