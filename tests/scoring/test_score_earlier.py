"""`llamax score` on scores of earlier runs and verdicts of langid: what no run writes is a bad line."""

import json
from collections.abc import Callable

import pytest
from support.processes import Outcome, one_line
from support.records import jsonl

Run = Callable[..., Outcome]

SCORE: dict[str, object] = {
    "src_lang": "en",
    "tgt_lang": "de",
    "metric": "spbleu",
    "score": 31.5,
    "signature": "s",
    "n": 5,
    "off_target": 0.5,
}
IMPOSSIBLE: dict[str, tuple[str, str]] = {
    "score below 0": ('"score":-5', "'score' is -5, not a number from 0 to 100"),
    "score above 100": ('"score":100.1', "'score' is 100.1, not a number from 0 to 100"),
    "score out of range": ('"score":1e999', "'score' is a number out of range"),
    "score of 400 digits": (f'"score":{"9" * 400}', "'score' is 9999999999999999999999999... (400 digits), not a"),
    "score true": ('"score":true', "'score' is a boolean, not a number"),
    "score null": ('"score":null', "'score' is null, not a number"),
    "comet without end": ('"metric":"comet","score":1e300', "'score' is 1e+300, not a number from -1e+06 to 1e+06"),
    "ter below 0": ('"metric":"ter","score":-1', "'score' is -1, not a number from 0 to 1e+06"),
    "n below 0": ('"n":-1', "'n' is -1, not a whole number from 1"),
    "n of nothing": ('"n":0', "'n' is 0, not a whole number from 1"),
    "n a string": ('"n":"a"', "'n' is a string, not a whole number from 1"),
    "n in parts": ('"n":1.5', "'n' is 1.5, not a whole number from 1"),
    "n of 400 digits": (f'"n":{"9" * 400}', "(400 digits), not a whole number from 1"),
    "off_target above 1": ('"off_target":5', "'off_target' is 5, not a number from 0 to 1"),
    "off_target below 0": ('"off_target":-1', "'off_target' is -1, not a number from 0 to 1"),
    "off_target a string": ('"off_target":"a"', "'off_target' is a string, not a number"),
    "off_target out of range": ('"off_target":1e999', "'off_target' is a number out of range"),
}


@pytest.mark.parametrize("mode", [(), ("--summary",), ("--table", "md")], ids=str)
@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_impossible_score_gets_into_no_table(case: str, mode: tuple[str, ...], llamax: Run) -> None:
    """Neither into averages nor beside them: it is one bad line, with a reason, and --rejects takes it."""
    written, reason = IMPOSSIBLE[case]
    changed = json.loads("{" + written.replace("1e999", "0") + "}")
    kept = {key: value for key, value in SCORE.items() if key not in changed}
    good, bad = jsonl([SCORE]), jsonl([kept])[:-2] + b"," + written.encode() + b"}\n"
    one_line(llamax("score", *mode, stdin=good + bad), 65, "stdin:2: ", reason)
    outcome = llamax("score", *mode, "--rejects", "bad.jsonl", stdin=good + bad)
    assert outcome.returncode == 0
    assert b"1 rejected" in outcome.stderr
    assert outcome.stdout == llamax("score", *mode, stdin=good).stdout


@pytest.mark.parametrize("metric", ["comet", "x"])
def test_scores_that_metrics_can_give_are_read(metric: str, llamax: Run) -> None:
    """COMET can be below 0, and identical texts have a BLEU a little above 100, as sacreBLEU rounds."""
    lines = jsonl([{**SCORE, "metric": metric, "score": -0.25}, {**SCORE, "score": 100.00000000000004}])
    assert llamax("score", stdin=lines).stdout == lines


def test_a_score_counts_once(llamax: Run) -> None:
    """Neither two records of one score nor a score beside its own translations make two rows."""
    line, other = jsonl([SCORE]), jsonl([{**SCORE, "signature": "t"}])
    one_line(llamax("score", stdin=line + other + line), 65, "stdin:3: a second spbleu score of en-de with the same")
    outcome = llamax("score", "--rejects", "bad.jsonl", stdin=line + other + line)
    assert (outcome.returncode, outcome.stdout) == (0, line + other)
    pair = {"id": "1", "src": "a", "mt": "Das Haus", "tgt": "Das Haus", "src_lang": "en", "tgt_lang": "de"}
    translations = jsonl([pair])
    scored = llamax("score", "--metric", "bleu", stdin=translations).stdout
    both = llamax("score", "--metric", "bleu", stdin=translations + scored)
    one_line(both, 65, "there are both translations and an earlier bleu score of en-de")


@pytest.mark.parametrize("verdict", ['"yes"', "1", "[]", "1e999", "null"])
def test_a_verdict_is_true_or_false(verdict: str, llamax: Run) -> None:
    """Nothing else counts as one, neither as on target nor as off target."""
    pair = {"id": "1", "src": "a", "mt": "Das Haus", "tgt": "Das Haus", "src_lang": "en", "tgt_lang": "de"}
    line = jsonl([pair])[:-2] + b',"on_target":%s}\n' % verdict.encode()
    one_line(llamax("score", "--metric", "bleu", stdin=line), 65, "stdin:1: 'on_target' is ")
    for mode in ("--summary",), ("--select", "on-target"):
        one_line(llamax("langid", *mode, stdin=line), 65, "stdin:1: 'on_target' is ")
