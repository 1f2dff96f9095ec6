"""The checks on a GPU, as far as a machine without one can tell: tests/gpu does what it says of itself."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from gpu import paper
from gpu.checks import STEPS, Bench, Check, Figure, NotRun, checks_of
from gpu.processes import in_child, run
from gpu.results import Results, page, read

TESTS = Path(__file__).parent
GPU = TESTS / "gpu"


def no_gpu(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a Python where no GPU is visible."""
    hidden = {"CUDA_VISIBLE_DEVICES": "", "PYTHON": python, "WHEELS": str(folder / "none")}
    places = ["--results", str(folder), "--work", str(folder / "work")]
    command = ["bash", str(GPU / "run.sh"), *places]
    return subprocess.run(command, env={**os.environ, **hidden}, capture_output=True, text=True)


def test_it_is_skipped_without_a_gpu(tmp_path: Path) -> None:
    """It says why in one line and writes nothing."""
    skipped = no_gpu(tmp_path, sys.executable)
    assert (skipped.returncode, skipped.stdout) == (77, "")
    assert skipped.stderr == "skipped: torch finds no GPU; --cpu tries the steps on a CPU\n"
    skipped = no_gpu(tmp_path, "false")
    assert (skipped.returncode, skipped.stderr) == (77, "skipped: false has no torch; PYTHON names one that has\n")
    assert list(tmp_path.iterdir()) == []


def test_documentation_names_every_check() -> None:
    """Each step can be imported, and its checks are those in the table of tests/README.md, in that order."""
    table = re.findall(r"^\| (\w+) \| ((?:`[\w-]+` ?)+)\|$", (TESTS / "README.md").read_text(), re.MULTILINE)
    documented = {step: re.findall(r"`([\w-]+)`", checks) for step, checks in table}
    assert documented == {step: [check.name for check in checks_of(step)] for step in STEPS}
    assert list(documented) == list(STEPS)


def test_committed_results_are_one() -> None:
    """RESULTS.md is what results.json says."""
    assert (GPU / "RESULTS.md").read_text() == page(read(GPU))


def measured(figure: Figure | float | Exception, **goal: float) -> Check:
    """Return a check that measures a figure, or raises an exception."""

    def measure(bench: Bench) -> Figure | float:
        if isinstance(figure, Exception):
            raise figure
        return figure

    return Check("fp32", "a difference", measure, **goal)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("check", "said", "is_good", "is_kept"),
    [
        (measured(3.0), "|  |", True, True),
        (measured(Figure(3.0, "of 4"), least=2), "| at least 2 | met; of 4 |", True, True),
        (measured(3.0, most=2), "| at most 2 | **not met** |", False, True),
        (measured(float("nan"), least=0.7, most=1.1), "| 0.7 to 1.1 | **not met** |", False, True),
        (measured(NotRun("one card"), least=2), "| at least 2 | not run: one card |", True, False),
        (measured(ValueError("a\nb"), least=2), "| at least 2 | failed: ValueError: a |", False, False),
    ],
)
def test_an_outcome_is_kept_if_it_is_a_figure(
    tmp_path: Path, check: Check, said: str, is_good: bool, is_kept: bool
) -> None:
    """The next run on this machine knows it, one on another machine does not; the page shows it."""
    facts = {"name": "CPU, torch 2", "card": "none"}
    results = Results(tmp_path, facts)
    assert not results.has_figure("correctness", check)
    results.add("correctness", check, run(check, Bench("cpu", tmp_path)))
    assert results.is_good("correctness", check) == is_good
    assert Results(tmp_path, facts).has_figure("correctness", check) == is_kept
    assert not Results(tmp_path, {**facts, "name": "CPU, torch 3"}).has_figure("correctness", check)
    written = (tmp_path / "RESULTS.md").read_text()
    assert said in written
    assert "There is no figure of a GPU yet" in written
    assert written == page(read(tmp_path))


def test_a_trial_stands_below_the_figures_of_a_card(tmp_path: Path) -> None:
    """Once there is a card, the page no longer says that there is none."""
    check = measured(3.0)
    for facts in ({"name": "CPU, torch 2", "card": "none"}, {"name": "H100, torch 2", "card": "1 x H100"}):
        Results(tmp_path, facts).add("correctness", check, run(check, Bench("cpu", tmp_path)))
    written = (tmp_path / "RESULTS.md").read_text()
    assert "There is no figure of a GPU yet" not in written
    assert written.index("## H100") < written.index("## CPU") < written.index("A trial with small sizes")


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """A process that a check has started does not outlive it."""

    def work() -> Any:
        sleeper = subprocess.Popen(["sleep", "600"])
        (tmp_path / "pid").write_text(str(sleeper.pid))
        time.sleep(600)

    assert in_child(work, 1.5) == ("failed", "took more than 2 s")
    pid = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_process_that_dies_is_a_failure() -> None:
    """A check that is killed, as for want of memory, does not end the others."""
    assert in_child(lambda: os.kill(os.getpid(), 9), 60) == ("failed", "its process ended with code -9")


def test_a_table_of_the_paper_is_measured_by_the_scores_that_its_script_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far above one another as the means around a language are; the script finds the command of this clone."""
    lines = {
        "llamax-alpaca": [("zh", "fr", 5.0), ("fr", "es", 1.0)],
        "llamax-alpaca-pivoted": [("zh", "fr", 7.0), ("ta", "zh", 6.0), ("fr", "es", 40.0)],
    }
    script = "set -e\n[ $SCALE = tiny ]\nllamax --version >&2\nmkdir -p $WORK\necho '## In the paper'\n"
    for system, found in lines.items():
        scores = [json.dumps({"src_lang": one, "tgt_lang": other, "score": score}) for one, other, score in found]
        script += f"printf '%s\\n' {' '.join(map(shlex.quote, scores))} >$WORK/{system}.scores.jsonl\n"
    (tmp_path / "table8.sh").write_text(f"{script}printf '## Here, SCALE=tiny\\n\\n| ours |\\n'\n")
    monkeypatch.setattr(paper, "SCRIPTS", tmp_path)
    bench = Bench("cpu", tmp_path)
    assert paper.printed(bench, "table8") == "| ours |"
    assert paper.THROUGH_ENGLISH(bench) == Figure(1.5, "6.50 and 5.00")  # those of a trial are not worth a table


def test_a_table_is_not_made_without_the_corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which are missing."""
    (tmp_path / "flores101").mkdir()
    monkeypatch.setenv("LLAMAX_TEST_DATA", str(tmp_path))
    with pytest.raises(NotRun, match="LLAMAX_TEST_DATA names no folder with ntrex128, muse, panlex, alpaca, sacreb"):
        paper.THROUGH_ENGLISH(Bench("cuda", tmp_path))
