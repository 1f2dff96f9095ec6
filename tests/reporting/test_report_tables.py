"""`llamax report`: its tables are the averages of the same directions for all systems, and what is missing is named."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from llamax_cli import cli
from llamax_cli.errors import DataError, UsageError
from llamax_cli.reporting.comparison import compare, is_supported
from llamax_cli.reporting.report import ReportRequest, make_report, render
from llamax_cli.reporting.systems import Measure, SystemTest, read_systems, split_task
from llamax_cli.reporting.tables import Sheet

PUBLISHED = Path("llamax-published") / "experiment_results"
SCORES = {"en-de": 30.0, "en-sw": 10.0, "de-en": 40.0, "sw-en": 12.0}


def score_lines(scores: dict[str, float], metric: str = "spbleu", **more: Any) -> str:
    """Return Score records by direction, as lines."""
    ends = ((name.split("-"), score) for name, score in scores.items())
    return "".join(
        json.dumps({"src_lang": a, "tgt_lang": b, "metric": metric, "score": s, "signature": "s", "n": 5} | more) + "\n"
        for (a, b), s in ends
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with the scores of two systems."""
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text(score_lines(SCORES))
    Path("b.jsonl").write_text(score_lines({name: score + 2 for name, score in SCORES.items()}))
    return tmp_path


def sheets(*systems: str, **more: Any) -> dict[str, Sheet]:
    """Return the tables of a report by name."""
    report = make_report(ReportRequest(systems, Path("out"), **more))
    return {sheet.name: sheet for sheet in report.sheets}


@pytest.mark.parametrize("size", [101, 85])
def test_every_published_summary_comes_out(data: Path, size: int) -> None:
    """For all systems, metrics and central languages, to within 0.01, each system by itself."""
    folders = [path for path in (data / PUBLISHED).iterdir() if path.is_dir()]
    assert len(folders) == 18
    without = make_without(size)
    compared = 0
    for folder in folders:
        systems = read_systems([f"{folder.name}={folder}"])
        assert systems[0].scores.keys() == {Measure("", "spbleu"), Measure("", "comet")}
        for measure, rows in systems[0].scores.items():
            kind = "spBLEU_score" if measure.metric == "spbleu" else "comet_score"
            with (folder / kind / f"summary_{size}.csv").open(encoding="utf-8") as file:
                wanted = {row.pop("direct"): row for row in csv.DictReader(file)}
            central = tuple(dict.fromkeys(name.replace("x", "").strip("-") for name in wanted))
            averages = compare(measure, systems, central, without).averages
            assert averages.keys() == wanted.keys() == rows.keys()
            for name, row in wanted.items():
                for group, value in row.items():
                    found = averages[name][folder.name][group]  # type: ignore[literal-required]
                    assert found == pytest.approx(float(value), abs=0.01), (folder.name, name, group)
                    compared += 1
    assert compared > 1300


def make_without(size: int) -> tuple[str, ...]:
    """Return the languages that a published summary leaves out."""
    from llamax_cli.scoring.summary import parse_left_out

    return parse_left_out(["85"] if size == 85 else [])


def test_the_best_is_bold_and_groups_are_the_papers(folder: Path) -> None:
    """A row for each system; low, high, all, count above 10; in Markdown, LaTeX and CSV."""
    (sheet,) = [sheets("A=a.jsonl", "B=b.jsonl")["spbleu-en"]]
    assert render(sheet, "md") == (
        "# spbleu: out of and into English\n\n"
        "| system | en-x low | en-x high | en-x all | en-x above_10 | en-x directions "
        "| x-en low | x-en high | x-en all | x-en above_10 | x-en directions |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| A | 10.00 | 30.00 | 20.00 | 1 | 2 | 12.00 | 40.00 | 26.00 | 2 | 2 |\n"
        "| B | **12.00** | **32.00** | **22.00** | 2 | 2 | **14.00** | **42.00** | **28.00** | 2 | 2 |\n"
    )
    assert r"B & \textbf{12.00} & \textbf{32.00}" in render(sheet, "latex")
    assert render(sheet, "csv").splitlines()[2] == "B,12.0,32.0,22.0,2,2,14.0,42.0,28.0,2,2"


@pytest.mark.parametrize("metric", ["ter", "metricx-24-xl", "metricx-24-xxl-qe", "command"])
def test_the_lowest_is_the_best_of_errors(folder: Path, metric: str) -> None:
    """It is bold in all tables, the test is of the difference from it, and titles say that lower is better."""
    signature = "nrefs:1|better:lower|command:./errors" if metric == "command" else "s"
    for name, shift in (("a", 0.0), ("b", 2.0)):
        scores = {direction: score / 4 + shift for direction, score in SCORES.items()}
        Path(f"{name}.jsonl").write_text(score_lines(scores, metric, signature=signature))
    p_values = {"p_bootstrap": 0.5, "against": 1, "score": 2, "metric": metric}
    lines = [{"src_lang": "en", "tgt_lang": lang} | p_values for lang in ("de", "sw")]
    Path("t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = sheets("A=a.jsonl", "B=b.jsonl", central=("en", "de"), gap="A:B", tests=("A:B=t.jsonl",))
    table = render(found[f"{metric}-en"], "md")
    assert table.startswith(f"# {metric} (lower is better): out of and into English\n")
    assert "| A | **2.50** | **7.50** | **5.00** |" in table
    assert "| B | 4.50† | 9.50† | 7.00† |" in table
    for name in ("rows", "all"):
        assert all(not value.best for value in found[f"{metric}-{name}"].rows[1].values() if hasattr(value, "best"))
        assert any(value.best for value in found[f"{metric}-{name}"].rows[0].values() if hasattr(value, "best"))
    gap = found[f"gap-{metric}"]
    assert [(row["A"].best, row["B"].best) for row in gap.rows] == [(True, False)] * len(gap.rows)


def test_scores_that_differ_in_what_is_better_are_refused(folder: Path) -> None:
    """Those of two programs are no column of one table."""
    Path("a.jsonl").write_text(score_lines(SCORES, "command", signature="nrefs:1|command:./a"))
    Path("b.jsonl").write_text(score_lines(SCORES, "command", signature="nrefs:1|better:lower|command:./b"))
    with pytest.raises(DataError, match="command: lower is better in some scores and higher in others"):
        sheets("A=a.jsonl", "B=b.jsonl")


def test_what_one_system_lacks_is_left_out_of_all_and_named(folder: Path) -> None:
    """The averages are over the directions that all have."""
    Path("b.jsonl").write_text(score_lines({"en-de": 20.0, "de-en": 40.0, "sw-en": 1.0}))
    report = make_report(ReportRequest(("A=a.jsonl", "B=b.jsonl"), Path("out"), central=("en",)))
    rows = report.sheets[0].rows
    assert [row["en-x all"] for row in rows] == [30.0, 20.0]
    assert [row["en-x low"] for row in rows] == [None, None]
    assert report.notes == [
        "spbleu: B lacks 1 of 2 directions of en-x: en-sw; averages of en-x are over the 1 that all systems have"
    ]


def test_a_difference_that_no_test_supports_is_marked(folder: Path) -> None:
    """With the average where the test is of the same directions, otherwise with the corrected p-values of most."""
    tests = [("en", "de", 0.2), ("en", "sw", 0.01), ("*", "*", 0.2)]
    lines = [
        {
            "src_lang": a,
            "tgt_lang": b,
            "metric": "spbleu",
            "score": 1,
            "against": 2,
            "p_bootstrap": 0,
            "p_bootstrap_holm": p,
        }
        for a, b, p in tests
    ]
    Path("t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    table = render(sheets("A=a.jsonl", "B=b.jsonl", tests=("B:A=t.jsonl",))["spbleu-en"], "md")
    assert "| A | 10.00 | 30.00† | 20.00† | 1 | 2 | 12.00 | 40.00 |" in table
    assert table.endswith("\n† no test supports the difference from the best\n")
    test = SystemTest(("A", "B"), {"spbleu": {("en", "de"): 0.01}}, {"spbleu": 0.9})
    assert is_supported([test], "spbleu", ("B", "A"), [("en", "de")]) is False
    assert is_supported([test], "comet", ("B", "A"), [("en", "de")]) is None
    assert is_supported([test], "spbleu", ("B", "A"), [("en", "de"), ("en", "sw")]) is False


def test_other_records_have_tables_of_their_own(folder: Path) -> None:
    """Rates (Tables 7 and 13), tasks (Table 6, figure 3), gaps (Table 8), fertility and likeness (figure 6)."""
    for name, value in (("a", 0.25), ("b", 0.5)):
        rates = {"src_lang": "en", "tgt_lang": "de", "n": 4, "r_src": value, "r_tgt": 1 - value}
        task = {"task": "xnli", "lang": "de", "metric": "accuracy", "score": 100 * value, "signature": "s", "n": 4}
        more = [
            rates,
            task,
            {"lang": "de", "fertility": 2 + value},
            {"lang": "de", "cosine": value, "recall_at_1": value / 2},
        ]
        with Path(f"{name}.jsonl").open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in more)
        results = {"mmlu": {"acc,none": value, "acc_stderr,none": 0.01}, "xnli_sw": {"acc,none": value}}
        results |= {"mmlu_law": {"acc,none": 0.0}, "lambada": {"perplexity,none": 20.0, "acc,none": value}}
        results |= {"wikitext": {"word_perplexity,none": 40 * value, "bits_per_byte,none": 0.9}}
        content = {"results": results, "group_subtasks": {"mmlu": ["mmlu_law"]}}
        Path(f"results_{name}.json").write_text(json.dumps(content))
    found = sheets("A=a.jsonl,results_a.json", "B=b.jsonl,results_b.json", gap="A:B")
    assert found["off-target-en-x"].rows == [
        {"language": "de", "R_src A": 25.0, "R_src B": 50.0, "R_tgt A": 75.0, "R_tgt B": 50.0}
    ]
    assert found["tasks"].rows[1] == {"system": "B", "xnli": 50.0, "mmlu": 50.0, "lambada": 50.0, "average": 50.0}
    assert found["task-xnli"].rows[0] == {"system": "A", "de": 25.0, "sw": 25.0}
    assert found["perplexity"].rows == [{"system": "A", "wikitext": 10.0}, {"system": "B", "wikitext": 20.0}]
    assert [found["perplexity"].rows[n]["wikitext"].best for n in (0, 1)] == [True, False]
    assert found["gap-spbleu"].rows[0]["difference"] == 2.0
    assert found["analysis"].rows[0] == {
        "language": "de",
        "A fertility": 2.25,
        "A cosine": 0.25,
        "A R@1": 0.125,
        "B fertility": 2.5,
        "B cosine": 0.5,
        "B R@1": 0.25,
    }
    assert split_task("mgsm_direct_sw") == ("mgsm_direct", "sw")
    assert split_task("arc_easy") == ("arc_easy", "")


def test_a_direction_without_rates_has_empty_cells(folder: Path) -> None:
    """As langid --summary writes it where no translation has a letter, or where the detector knows neither language."""
    lines = [{"no_letters": 2}, {"unsupported": ["en", "sw"]}, {"r_src": 0.5, "r_tgt": 0.25}]
    ends = zip(("de", "sw", "fr"), lines, strict=True)
    records = [{"src_lang": "en", "tgt_lang": code, "n": 2, **line} for code, line in ends]
    Path("r.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    rows = sheets("A=r.jsonl")["off-target-en-x"].rows
    assert [row["language"] for row in rows] == ["de", "sw", "fr"]
    assert [(row["R_src A"], row["R_tgt A"]) for row in rows] == [(None, None), (None, None), (50.0, 25.0)]


def test_the_rows_of_several_central_languages_stand_in_one_table(folder: Path) -> None:
    """A column for each, its average over all languages; empty where a system has nothing, absent of one language."""
    Path("b.jsonl").write_text(score_lines({name: score + 2 for name, score in SCORES.items() if name != "de-en"}))
    found = sheets("A=a.jsonl", "B=b.jsonl", central=("en", "de"))
    assert found["spbleu-rows"].rows == [
        {"system": "A", "en-x": 20.0, "x-en": 12.0, "de-x": 40.0, "x-de": 30.0},
        {"system": "B", "en-x": 22.0, "x-en": 14.0, "de-x": None, "x-de": 32.0},
    ]
    assert "spbleu-rows" not in sheets("A=a.jsonl", "B=b.jsonl", central=("en",))


def test_benchmarks_are_apart(folder: Path) -> None:
    """One system may have scores on several."""
    found = sheets("A=a.jsonl", "A@tico=b.jsonl")
    assert found["spbleu-en"].rows[0]["en-x all"] == 20.0
    assert found["tico-spbleu-en"].rows[0]["en-x all"] == 22.0


@pytest.mark.parametrize(
    ("systems", "message"),
    [
        (["A=a.jsonl", "A=b.jsonl"], "two systems are named A; name the files of one together: A=FILE,FILE"),
        (["a.jsonl"], "'a.jsonl' is not SYSTEM=FILE, such as LLaMAX=scores.jsonl"),
        (["A=a.jsonl", "B=comet.jsonl"], "B has no spbleu scores, only comet; --metric comet leaves it out"),
        (["A=pair.jsonl"], "pair.jsonl:1: not a record that a report shows (it has src, tgt); it shows scores, "),
        (["A=nan.jsonl"], "nan.jsonl:1: not JSON: NaN is not a JSON number; write null"),
        (["A=empty.jsonl"], "empty.jsonl: there is nothing to report of A; the file is empty"),
        (["A=twice.jsonl"], "twice.jsonl:5: a second spbleu score of en-de; give one system at a time"),
        (["A=against.jsonl"], "against.jsonl:1: a comparison of two systems; give it with --tests A:B=FILE"),
        (["A=nan_score.csv"], "nan_score.csv:2: 'score' is nan, not a "),
        (["A=none.jsonl"], "none.jsonl: no such file or directory"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(
    folder: Path, systems: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """They say what is wrong where, and no folder is left, nor a part of one."""
    Path("comet.jsonl").write_text(score_lines(SCORES, "comet"))
    Path("pair.jsonl").write_text('{"src":"a","tgt":"b"}\n')
    Path("nan.jsonl").write_text(score_lines(SCORES).replace("30.0", "NaN"))
    Path("empty.jsonl").write_text("")
    Path("twice.jsonl").write_text(score_lines(SCORES) * 2)
    Path("against.jsonl").write_text(score_lines(SCORES, against=3))
    Path("nan_score.csv").write_text("direct,de\nen-x,nan\n")
    before = sorted(folder.iterdir())
    assert cli.run(["report", *systems, "-o", "out"]) in (1, 2, 65)
    said = capfd.readouterr().err
    assert said.startswith(f"llamax report: {message}")
    assert said.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_a_folder_with_files_is_not_touched(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An empty one is taken."""
    Path("out").mkdir()
    Path("out/mine.txt").write_text("mine")
    assert cli.run(["report", "A=a.jsonl", "-o", "out"]) == 1
    assert capfd.readouterr().err == "llamax report: out is not empty; name another folder, or remove it\n"
    Path("out/mine.txt").unlink()
    assert cli.run(["report", "A=a.jsonl", "-o", "out", "-q"]) == 0
    assert Path("out/tables/spbleu-en.md").read_text().startswith("# spbleu: out of and into English\n")


def test_what_is_asked_for_must_be_there(folder: Path) -> None:
    """Central languages, metrics, and the systems of --gap and --tests."""
    with pytest.raises(UsageError, match="--central th: there are no spbleu scores of"):
        sheets("A=a.jsonl", central=("th",))
    with pytest.raises(UsageError, match="--metric ter: no system has such scores"):
        sheets("A=a.jsonl", metrics=("ter",))
    with pytest.raises(UsageError, match="--gap A:C: not A:B with two of the systems A"):
        sheets("A=a.jsonl", gap="A:C")
    with pytest.raises(UsageError, match=r"--tests A:C=t: not A:B=FILE with two of the systems A"):
        sheets("A=a.jsonl", tests=("A:C=t",))
    Path("t.jsonl").write_text(score_lines(SCORES))
    with pytest.raises(DataError, match=r"t.jsonl:1: no 'against' in the record; --tests takes what"):
        sheets("A=a.jsonl", "B=b.jsonl", tests=("A:B=t.jsonl",))
