"""The page of a report, in a browser: filters work, keys reach everything, nothing is fetched, no error is logged."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llamax_cli.languages import languages
from llamax_cli.records import Score
from llamax_cli.reporting.comparison import compare
from llamax_cli.reporting.page import make_page
from llamax_cli.reporting.systems import Measure, Segment, System, add_score

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MEASURE = Measure("", "spbleu")


def matrix(name: str, shift: float) -> System:
    """Return a system with a score in all 10,302 directions."""
    system = System(name)
    codes = list(languages())
    for row, source in enumerate(codes):
        for column, target in enumerate(codes):
            value = (row * 7 + column * 3) % 50 + shift
            score: Score = {
                "src_lang": source, "tgt_lang": target, "metric": "spbleu", "score": value, "signature": "", "n": 1
            }  # fmt: skip
            add_score(system, MEASURE, score)
    segment = Segment("</script><b>a", ("Das Haus ist rot.",), "Das Haus ist rot." if shift else "Ein Haus.")
    system.segments["en", "de"] = {"1": segment}
    return system


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of four systems with all directions."""
    systems = [matrix(f"S{n}", n / 2) for n in range(4)]
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(make_page(systems, [compare(MEASURE, systems, (), ())], ["a note"]), encoding="utf-8")
    return path


def test_the_page_is_small_and_whole(html: Path) -> None:
    """Under 3 MB with 10,302 directions of four systems; it names no other file and no host."""
    text = html.read_text(encoding="utf-8")
    assert html.stat().st_size < 3_000_000
    assert "http" not in text.replace('"http-equiv"', "")
    assert text.count("</script>") == 2
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert data["segments"][0]["rows"][0]["source"] == "</script><b>a"
    assert [each[1] for each in data["segments"][0]["rows"][0]["systems"]][1] == 100.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return a headless Chromium, Debian's or another one that is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    if BROWSER is None:
        pytest.skip("needs chromium: apt-get install chromium")
    with playwright.sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_works_in_a_browser(browser: Any, html: Path, scheme: str) -> None:
    """Views, filters, sorting, hovering and keys, in both colour schemes."""
    page = browser.new_page(color_scheme=scheme)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if request.url[:4] == "http" else None)
    page.goto(html.as_uri())
    page.wait_for_selector("html[data-ready]")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(22, 24, 27)" if scheme == "dark" else "rgb(255, 255, 255)")
    assert "S0" in page.inner_text("#view table")
    assert page.locator("#view table .best").count() == 6  # low, high and all, out of English and into it
    assert "101" in page.inner_text("#view tbody").split()

    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "tab-matrix"
    page.keyboard.press("Enter")
    assert page.get_attribute("#matrix", "data-languages") == "102"
    page.select_option("#choose-family", "Turkic")
    assert page.get_attribute("#matrix", "data-languages") == "5"
    page.select_option("#choose-script", "Latn")
    turkic = [each for each in languages().values() if each.family == "Turkic" and each.script == "Latn"]
    assert page.get_attribute("#matrix", "data-languages") == str(len(turkic))
    page.select_option("#choose-family", "")
    page.select_option("#choose-resource", "high")
    page.select_option("#choose-order", "score")
    high = [each for each in languages().values() if each.resource == "high" and each.script == "Latn"]
    assert page.get_attribute("#matrix", "data-languages") == str(len(high))
    page.focus("#matrix")
    page.keyboard.press("ArrowRight")
    first = page.inner_text("#status")
    assert "→" in first
    assert "S3" in first
    page.hover("#matrix", position={"x": 200, "y": 120})
    assert page.inner_text("#status") != first
    page.keyboard.press("Enter")
    assert page.get_attribute("#tab-language", "aria-selected") == "true"
    assert page.locator("#view tbody tr").count() > 10

    page.click("#tab-segments")
    assert page.inner_text("#view tbody tr td:nth-child(2)") == "Das Haus ist rot."
    assert "</script><b>a" in page.inner_text("#view tbody")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background
    assert faults == []
    page.close()


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of two systems by a metric of errors; the first one has fewer."""
    measure = Measure("", "ter")
    systems = [System("Few"), System("Many")]
    for system, shift in zip(systems, (0.0, 5.0), strict=True):
        for lang, value in (("de", 30.0), ("sw", 60.0), ("fr", 20.0)):
            score: Score = {
                "src_lang": "en", "tgt_lang": lang, "metric": "ter", "score": value + shift, "signature": "", "n": 1
            }  # fmt: skip
            add_score(system, measure, score)
    path = tmp_path_factory.mktemp("errors") / "index.html"
    path.write_text(make_page(systems, [compare(measure, systems, ("en",), ())], []), encoding="utf-8")
    return path


def test_a_page_knows_what_errors_are(html: Path, errors: Path) -> None:
    """Its measures say it."""
    for path, is_error in ((html, False), (errors, True)):
        data = json.loads(path.read_text(encoding="utf-8").partition('id="data">')[2].partition("</script>")[0])
        assert [measure["isError"] for measure in data["measures"]] == [is_error]


@pytest.mark.slow
def test_the_fewest_errors_are_best_in_a_browser(browser: Any, errors: Path) -> None:
    """They are bold, come first, are the bright cells, and a difference with fewer has the colour of better."""
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(errors.as_uri())
    page.wait_for_selector("html[data-ready]")
    assert "ter (lower is better)" in page.inner_text("#view h2")
    rows = page.locator("#view tbody tr")
    assert [rows.nth(n).locator(".best").count() for n in (0, 1)] == [3, 0]
    page.click("#tab-matrix")
    page.select_option("#choose-order", "score")
    shade = "([x, y]) => [...document.getElementById('matrix').getContext('2d').getImageData(x, y, 1, 1).data]"
    size, codes = 28, ["fr", "de", "en", "sw"]
    row = codes.index("en")
    bright, dark = (
        page.evaluate(shade, [60 + size * codes.index(code) + 9, 60 + size * row + 9]) for code in ("fr", "sw")
    )
    assert sum(bright[:3]) > sum(dark[:3])
    page.select_option("#choose-other", "1")
    better = page.evaluate(shade, [60 + 9, 60 + size * row + 9])
    assert better[2] > better[0]  # purple, not orange
    assert faults == []
    page.close()
