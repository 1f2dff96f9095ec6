"""The picture of the matrix can be read on a page: all names are there, apart from each other, and large enough."""

from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamax_cli.languages import languages
from llamax_cli.scoring import heatmap

pytest.importorskip("matplotlib")
ALL = sorted(languages())[:102]


def drawn(monkeypatch: pytest.MonkeyPatch, sources: list[str], targets: list[str], order: str = "family") -> Any:
    """Return the figure of made-up scores."""
    figures: list[Any] = []
    monkeypatch.setattr(heatmap, "_save", lambda figure, path: figures.append(figure))
    scores: list[Any] = [
        {"src_lang": source, "tgt_lang": target, "metric": "spbleu", "score": (7 * n + 3 * m) % 50 + 0.1}
        for n, source in enumerate(sources)
        for m, target in enumerate(targets)
        if source != target
    ]
    heatmap.draw(Path("map.png"), scores, order)
    return figures[0]


@pytest.mark.parametrize("order", ["family", "resource"])
@pytest.mark.parametrize("sizes", [(102, 102), (30, 30), (3, 40), (6, 6), (1, 2)], ids=str)
def test_all_is_named_and_nothing_overlaps(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int], order: str) -> None:
    """Each language and each group on either side, the axes, the scale and the title; on at most 17 cm."""
    sources, targets = ALL[: sizes[0]], ALL[-sizes[1] :]
    figure = drawn(monkeypatch, sources, targets, order)
    assert figure.get_figwidth() * 2.54 <= 17
    figure.draw_without_rendering()
    sheet = next(axes for axes in figure.axes if axes.texts)
    texts = [text for text in sheet.texts if text.get_text()]
    count = Counter(text.get_text() for text in texts)
    for code, number in (Counter(sources) + Counter(targets)).items():
        assert count[code] == number
    for codes in (sources, targets):
        for group in {heatmap.group_of(code, order) for code in codes}:
            assert count[f"{group} resource" if order == "resource" else group] >= 1
    directions = len(sources) * len(targets) - len(set(sources) & set(targets))
    noun = "direction" if directions == 1 else "directions"
    assert count[f"spBLEU of {directions:,} translation {noun}"] == 1
    assert count["source language"] == count["target language"] == count["spBLEU; light grey: no score"] == 1
    assert min(text.get_fontsize() for text in texts) >= 5.5
    boxes = [text.get_window_extent() for text in texts]
    page = figure.bbox
    for text, box in zip(texts, boxes, strict=True):
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1, text
    for one, two in combinations(range(len(boxes)), 2):
        wide = min(boxes[one].x1, boxes[two].x1) - max(boxes[one].x0, boxes[two].x0)
        high = min(boxes[one].y1, boxes[two].y1) - max(boxes[one].y0, boxes[two].y0)
        assert wide <= 1 or high <= 1, (texts[one], texts[two])  # pixels, of which 300 are an inch


@pytest.mark.parametrize(("metric", "turned"), [("chrf++", ""), ("ter", "_r"), ("metricx-24-xl-qe", "_r")])
def test_bright_is_better(monkeypatch: pytest.MonkeyPatch, metric: str, turned: str) -> None:
    """Also of metrics of errors, which say so. Numbers are black on bright cells."""
    figures: list[Any] = []
    monkeypatch.setattr(heatmap, "_save", lambda figure, path: figures.append(figure))
    scores: list[Any] = [
        {"src_lang": "en", "tgt_lang": lang, "metric": metric, "score": score, "difference": score, "signature": "s"}
        for lang, score in (("de", 1.0), ("fr", 20.0))
    ]
    heatmap.draw(Path("map.png"), scores)
    heatmap.draw_differences(Path("map.png"), scores)
    images = [image for figure in figures for axes in figure.axes for image in axes.images]
    assert [image.cmap.name for image in images] == [f"viridis{turned}", f"PuOr{turned}"]
    texts = {text.get_text(): text.get_color() for axes in figures[0].axes for text in axes.texts}
    assert (texts["1.0"], texts["20.0"]) == (("black", "white") if turned else ("white", "black"))
    assert any("(lower is better)" in text for text in texts) == bool(turned)


def test_names_are_beside_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom and from left to right in the order of the cells, at equal steps."""
    figure = drawn(monkeypatch, ALL, ALL)
    sheet = next(axes for axes in figure.axes if axes.texts)
    places = [text.get_position() for text in sheet.texts if text.get_text() in ALL]
    order = heatmap.sort_codes(ALL, "family")
    assert [text.get_text() for text in sheet.texts if text.get_text() in ALL] == order * 2
    rows = [high - low for (_, low), (_, high) in pairwise(places[:102])]
    columns = [right - left for (left, _), (right, _) in pairwise(places[102:])]
    assert rows == pytest.approx([-heatmap.MATRIX / 102] * 101) and columns == pytest.approx([-step for step in rows])
    image = next(axes for axes in figure.axes if axes.images).images[0].get_array()
    for row, source in enumerate(order):
        for column, target in enumerate(order):
            expected = (7 * ALL.index(source) + 3 * ALL.index(target)) % 50 + 0.1
            assert image.mask[row, column] if source == target else image[row, column] == pytest.approx(expected)


@given(st.lists(st.floats(0, 100), max_size=20).map(sorted), st.floats(0.1, 5))
def test_places_are_spread_no_farther_than_needed(wanted: list[float], gap: float) -> None:
    """At least a gap apart, between the ends, in order; those that are far enough from each other stay."""
    places = heatmap.spread(wanted, gap, 0, 100)
    assert len(places) == len(wanted)
    assert all(right - left >= gap - 1e-9 for left, right in pairwise(places))
    if (len(wanted) - 1) * gap <= 100:
        assert all(-1e-9 <= place <= 100 + 1e-9 for place in places)
    if all(right - left >= gap for left, right in pairwise(wanted)):
        assert places == pytest.approx(wanted)


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_the_same_scores_are_the_same_bytes(tmp_path: Path, ending: str) -> None:
    """So that a run can be made again from its manifest; a file that was there before is replaced."""
    scores: list[Any] = [{"src_lang": "en", "tgt_lang": "de", "metric": "spbleu", "score": 30.5}]
    one, other = tmp_path / f"one.{ending}", tmp_path / f"other.{ending}"
    other.write_text("older")
    for path in (one, other):
        heatmap.draw(path, scores)
    assert one.read_bytes() == other.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [one.name, other.name]
