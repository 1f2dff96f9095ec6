"""Metrics of the user's own programs: a number a line, and one line that says what went wrong."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.processes import Outcome
from support.records import jsonl, parsed
from support.translations import translations

from llamax_cli.errors import LlamaxError
from llamax_cli.scoring.metrics import MetricSettings, is_lower_better, metric_class
from llamax_cli.streams import line_programs

Run = Callable[..., Outcome]


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that makes a program of the body of a loop over segments, and returns its command line."""

    def make(body: str = "print(len(segment['mt']), flush=True)", before: str = "") -> str:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (tmp_path / "metric.py").write_text(
            f"import json, sys, time\n{before}\nfor line in sys.stdin:\n    segment = json.loads(line)\n"
            f"    open({str(tmp_path / 'asked')!r}, 'a').write(line)\n{lines}"
        )
        return f"{sys.executable} {tmp_path / 'metric.py'}"

    return make


def test_a_program_gets_segments_and_gives_numbers(llamax: Run, tmp_path: Path, program: Callable[..., str]) -> None:
    """One program for all directions; the score is the mean; `ref` is a list if there are several references."""
    given = translations(["en-de", "en-pt"], 300)
    given[0]["tgt"], given[0]["mt"] = ["one", "other"], "a\u2028b\nc"
    line = program()
    found = parsed(llamax("score", "--metric", "command,bleu", "--metric-command", line, stdin=jsonl(given)))
    assert [(each["tgt_lang"], each["metric"]) for each in found[::2]] == [("de", "command"), ("pt", "command")]
    means = [sum(len(each["mt"]) for each in given[n : n + 300]) / 300 for n in (0, 300)]
    assert [each["score"] for each in found[::2]] == pytest.approx(means)
    assert [each["signature"] for each in found[::2]] == [f"nrefs:{n}|command:{line}" for n in ("var", 1)]
    asked = [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]
    assert asked[0] == {"src": "s", "mt": "a\u2028b\nc", "ref": ["one", "other"], "langs": ["en", "de"]}
    assert {(each["mt"], each["langs"][1]) for each in asked} == {(each["mt"], each["tgt_lang"]) for each in given}


def test_by_segment_and_against(llamax: Run, tmp_path: Path, program: Callable[..., str]) -> None:
    """Each record has its number, and two systems differ in its mean; `command-qe` needs no reference."""
    given = translations(["en-de"], 20)
    for each in given:
        del each["tgt"]
    flags = ("score", "--metric", "command-qe", "--metric-command", program("print(len(segment['mt']), flush=True)"))
    found = parsed(llamax(*flags, "--segments", stdin=jsonl(given)))
    assert [each["command-qe"] for each in found] == [len(each["mt"]) for each in given]
    assert "ref" not in json.loads((tmp_path / "asked").read_text().splitlines()[0])
    (tmp_path / "other").write_bytes(jsonl({**each, "mt": each["mt"] + "!!"} for each in given))
    more = ("--against", "other", "--lower-is-better", "--resamples", "50", "--swaps", "50")
    row, _ = parsed(llamax(*flags, *more, stdin=jsonl(given)))
    assert (row["difference"], row["difference_low"], row["difference_high"]) == (-2, -2, -2)
    assert row["p_bootstrap"] == row["p_randomisation"] == pytest.approx(1 / 51)
    assert row["signature"].startswith("nrefs:0|bs:50|ar:50|seed:12345|better:lower|command:")
    assert is_lower_better("command-qe", row["signature"])


def test_a_program_that_writes_at_the_end(
    llamax: Run, program: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started again for each window."""
    monkeypatch.setattr(line_programs, "PATIENCE", 0.3)
    metric = metric_class("command")(MetricSettings(("command",), command=program("print(len(segment['mt']))")))  # type: ignore[call-arg]
    given = [each["mt"] for each in translations(["en-de"], 400)]
    rows = metric.statistics("", given, given, given)
    assert rows[:, 0].tolist() == [len(mt) for mt in given]


FAULTS = {
    "dies": (
        "if segment['mt'] == 'bad': sys.exit('out of memory')",
        1,
        "failed with exit code 1: out of memory; it was",
    ),
    "hangs": ("if segment['mt'] == 'bad': time.sleep(60)", 1, "no answer within 1 s; it was given"),
    "loses": ("if segment['mt'] == 'bad': continue", 1, "it wrote 0 lines for 1; it was given"),
    "doubles": ("if segment['mt'] == 'bad': print(0, flush=True)", 1, "it wrote more than 1 line for 1"),
    "no number": (
        "if segment['mt'] == 'bad':\n    print('NaN', flush=True)\n    continue",
        65,
        "not a number: NaN; it was",
    ),
    "true": (
        "if segment['mt'] == 'bad':\n    print('true', flush=True)\n    continue",
        65,
        "not a number: true; it was",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_segment_without_a_number_ends_the_run(
    program: Callable[..., str], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """In one line, which has the segment; no other segment gets its number."""
    monkeypatch.setattr(line_programs, "PATIENCE", 0.3)
    body, code, message = FAULTS[fault]
    line = program(f"{body}\nprint(len(segment['mt']), flush=True)")
    metric = metric_class("command")(MetricSettings(("command",), command=line, timeout=1.0))  # type: ignore[call-arg]
    texts = ["good " * n for n in range(1, 12)]
    texts[6] = "bad"
    with pytest.raises(LlamaxError) as raised:
        metric.statistics("", texts, texts, texts)
    assert message in str(raised.value)
    assert '"mt": "bad"' in str(raised.value)
    assert (raised.value.exit_code, "\n" in str(raised.value)) == (code, False)


def test_a_program_that_writes_each_number_twice(program: Callable[..., str]) -> None:
    """It agrees with itself on each segment alone, and is found out all the same."""
    line = program("for _ in range(2): print(len(segment['mt']), flush=True)")
    metric = metric_class("command")(MetricSettings(("command",), command=line))  # type: ignore[call-arg]
    texts = ["good " * n for n in range(1, 12)]
    with pytest.raises(LlamaxError, match=r"it wrote more than \d+ lines for \d+"):
        metric.statistics("", texts, texts, texts)


def test_a_short_timeout_leaves_time_for_a_program_that_writes_at_the_end(program: Callable[..., str]) -> None:
    """Its input is ended within half of the timeout."""
    line = program("numbers.append(len(segment['mt']))", before="numbers = []")
    path = Path(line.split()[-1])
    path.write_text(path.read_text() + "print(*numbers, sep='\\n')\n")
    metric = metric_class("command")(MetricSettings(("command",), command=line, timeout=4.0))  # type: ignore[call-arg]
    assert metric.statistics("", ["a", "bc"], ["a", "bc"], ["a", "bc"])[:, 0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        ((), 2, "--metric command needs a program: --metric-command ./metric"),
        (("--metric-command", "no-such-program x"), 1, "--metric-command no-such-program x: there is no program no-"),
        (("--metric-command", "'open"), 2, "--metric-command 'open is not a command line: No closing quotation"),
        (("--metric-command", "false"), 1, "false: it failed with exit code 1"),
        (
            ("--metric", "chrf", "--metric-command", "cat"),
            2,
            "--metric-command requires --metric command or command-qe",
        ),
        (
            ("--metric", "chrf", "--lower-is-better"),
            2,
            "--lower-is-better requires --metric command or command-qe, or ",
        ),
        (("--metric-command", "echo Loading"), 1, "echo Loading: it wrote 0 lines for 2"),
    ],
)
def test_what_is_no_metric(llamax: Run, flags: tuple[str, ...], code: int, message: str) -> None:
    """Each is one line."""
    metric = [] if "--metric" in flags else ["--metric", "command"]
    outcome = llamax("score", *metric, *flags, stdin=jsonl(translations(["en-de"], 2)))
    assert (outcome.returncode, outcome.stdout) == (code, b"")
    assert outcome.stderr.decode().startswith(f"llamax score: {message}")
    assert outcome.stderr.count(b"\n") == 1
