"""The best of several candidates: the choices and the digits of sacreBLEU's sentence scores, in a stream of groups."""

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from math import fsum
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF, TER
from support.comet_python import comet_python
from support.corpora import clipped, edited, flores
from support.processes import Outcome, wait_for
from support.records import jsonl, parsed, read

from llamax_cli.records import parse
from llamax_cli.scoring import candidate_choice, pair_matches
from llamax_cli.scoring.candidate_choice import mean_utilities
from llamax_cli.scoring.metrics import MetricSettings, load_metric, metric_class
from llamax_cli.scoring.pair_matches import count_pair_matches

Run = Callable[..., Outcome]
ORACLES: dict[str, Any] = {
    "bleu": BLEU(effective_order=True),
    "chrf++": CHRF(word_order=2),
    "chrf": CHRF(),
    "ter": TER(),
}
SELECT = ("score", "--select", "best", "--metric")

tokens = st.lists(st.one_of(st.integers(0, 3), st.integers(0, 2**32 - 3)), max_size=12)
words = st.lists(st.sampled_from(["a", "a.", "bb", "(c", "d", "中文", "é", "\u2028", "-"]), max_size=9)
candidates_of_a_segment = st.lists(words.map(" ".join), min_size=1, max_size=6)


@settings(max_examples=200)
@given(st.lists(tokens, max_size=5), st.integers(1, 6), st.sampled_from([1, 7, 1 << 20]))
def test_shared_ngrams_are_those_of_each_two_texts(texts: list[list[int]], max_order: int, cells: int) -> None:
    """As counting them one by one gives, in tables of any size."""
    encoded = [np.array(text, "<u4").tobytes() for text in texts]
    with patch.object(pair_matches, "CELLS", cells):
        found = count_pair_matches(encoded, max_order)
    assert found.shape == (len(texts), len(texts), max_order)
    for order in range(1, max_order + 1):
        counts = [Counter(tuple(text[n : n + order]) for n in range(len(text) - order + 1)) for text in texts]
        assert found[:, :, order - 1].tolist() == [[(one & other).total() for other in counts] for one in counts]


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=60)
@given(candidates_of_a_segment)
def test_utilities_are_means_of_sacrebleus_sentence_scores(name: str, candidates: list[str]) -> None:
    """To the last digit, with equal candidates as often as they are there, in any order."""
    metric = load_metric(name, MetricSettings((name,)))
    found = mean_utilities(metric, "en", candidates)
    oracle = ORACLES[name]
    scores = [[oracle.sentence_score(one, [other]).score for other in candidates] for one in candidates]
    assert found == [fsum(row) / len(candidates) for row in scores]
    assert mean_utilities(metric, "en", candidates[::-1]) == found[::-1]


def test_utilities_of_spbleu(data: Path) -> None:
    """With a SentencePiece model of FLORES, in scripts with and without spaces."""
    model = data / "sacrebleu" / "models" / "flores200sacrebleuspm"
    metric: Any = load_metric("spbleu", MetricSettings(spm=str(model), lowercase=True))
    for code in ("de", "th", "zh"):
        texts = [*edited(flores(data, code, 3)), "", "x"]
        rows = metric.statistics(code, [text for text in texts for _ in texts], texts * len(texts))
        assert metric.pair_scores(code, texts).ravel().tolist() == [metric.sentence(row) for row in rows]


def group(id_: str, texts: list[str], **more: Any) -> list[dict[str, Any]]:
    """Return the candidates for a translation, as translate writes them."""
    source = {"id": id_, "src": f"source {id_}", "src_lang": "en", "tgt_lang": "de", **more}
    return [{**source, "mt": text, "candidate": number} for number, text in enumerate(texts, 1)]


@pytest.fixture(scope="module")
def groups(data: Path) -> list[list[dict[str, Any]]]:
    """Return 20 segments with up to five candidates, some of which are equal."""
    lines = clipped(flores(data, "de", 20))
    once = edited(lines)
    versions = [once, edited(once), lines, once, edited(edited(once))]
    return [group(f"f:{n}", [version[n] for version in versions[: 1 + n % 5]], tgt=lines[n]) for n in range(len(lines))]


@cache
def oracle_score(name: str, one: str, other: str) -> float:
    """Return sacreBLEU's score of a text by another."""
    return float(ORACLES[name].sentence_score(one, [other]).score)


@pytest.mark.parametrize(("name", "workers"), [("bleu", 1), ("chrf++", 2), ("ter", 2)])
def test_the_best_candidate_is_an_ordinary_translation(
    llamax: Run, groups: list[list[dict[str, Any]]], tmp_path: Path, name: str, workers: int
) -> None:
    """The one with the best mean score, in the order of the input, with its other keys as they were."""
    given = jsonl(record for each in groups for record in each).replace(b'"src":', b'"n":1.50,"src":')
    outcome = llamax(*SELECT, name, "--workers", workers, "--manifest", "m.json", stdin=given)
    expected = []
    for each in groups:
        texts = [record["mt"] for record in each]
        scores = [[oracle_score(name, one, other) for other in texts] for one in texts]
        means = [fsum(row) / len(row) for row in scores]
        best = means.index(min(means) if name == "ter" else max(means))
        expected.append({**each[best], "n": 1.5, "utility": means[best], "candidates": len(texts)})
        del expected[-1]["candidate"]
    assert parsed(outcome) == expected
    assert outcome.stdout.count(b'"n":1.50,') == 20
    assert outcome.stderr.startswith(b"llamax score: 20 records; left out: 40 not chosen; ")
    figures = json.loads((tmp_path / "m.json").read_bytes())["figures"]
    assert figures == {
        "signatures": {name: [load_metric(name, MetricSettings((name,))).signature("de", by_sentence=True)]},
        "left_out": {"not chosen": 40},
    }
    (score,) = parsed(llamax("score", "--metric", "chrf++", stdin=outcome.stdout))  # the next command takes them
    assert score["n"] == 20


def test_the_first_of_equally_good_candidates_is_chosen(llamax: Run) -> None:
    """Candidates that are equal are equally good; one that comes twice is preferred to one that comes once."""
    (record,) = parsed(llamax(*SELECT, "chrf++", "-q", stdin=jsonl(group("a", ["x y", "u v", "u v"]))))
    assert (record["mt"], record["candidates"]) == ("u v", 3)
    first, second, third = ({**each, "n": n} for n, each in enumerate(group("a", ["u v", "x y", "u v"])))
    (record,) = parsed(llamax(*SELECT, "bleu", "-q", stdin=jsonl([first, second, third])))
    assert (record["mt"], record["n"]) == ("u v", 0)


def test_segments_are_told_apart(llamax: Run) -> None:
    """By their ids and languages; without an id by their sources, and by ranks that begin again."""
    bare = [{key: value for key, value in each.items() if key != "id"} for each in group("c", ["x", "x", "y"])]
    french = [{**each, "tgt_lang": "fr"} for each in group("a", ["z", "z"])]
    given = [*group("a", ["a", "b", "b"]), *french, *group("b", ["k"])[:1], *bare, *bare[1:]]
    found = parsed(llamax(*SELECT, "chrf", "-q", stdin=jsonl(given)))
    assert [(record["mt"], record["candidates"]) for record in found] == [
        ("b", 3),
        ("z", 2),
        ("k", 1),
        ("x", 3),
        ("x", 2),
    ]


# -- off target --------------------------------------------------------------------------------------------------------

GERMAN = ["Das Haus ist rot und groß.", "Das Haus ist rot und sehr groß.", "Ein Haus ist rot und groß."]
ENGLISH = ["The house is red and it is big.", "The house is red and it is very big.", "A house is red."]


def test_candidates_that_langid_finds_off_target_are_left_out(llamax: Run) -> None:
    """Neither chosen nor compared with, unless there are no others; both are counted."""
    given = [*group("a", [*ENGLISH, *GERMAN[:2]]), *group("b", ENGLISH), *group("c", GERMAN)]
    identified = llamax("langid", "-q", stdin=jsonl(given)).stdout
    outcome = llamax(*SELECT, "chrf++", stdin=identified)
    found = parsed(outcome)
    assert [(record["mt"] in GERMAN, record["on_target"], record["candidates"]) for record in found] == [
        (True, True, 2),
        (False, False, 3),
        (True, True, 3),
    ]
    assert outcome.stderr.startswith(
        b"llamax score: 3 records; left out: 5 not chosen, 3 off target; 1 with no candidate on target; "
    )
    assert found[2]["mt"] == parsed(llamax(*SELECT, "chrf++", stdin=jsonl(group("c", GERMAN))))[0]["mt"]


def test_langid_can_drop_candidates_before(llamax: Run) -> None:
    """Then a segment without a candidate on target is gone; what is left is still grouped."""
    given = [*group("a", [*ENGLISH, *GERMAN]), *group("b", ENGLISH), *group("c", [*GERMAN, *ENGLISH])]
    matching = llamax("langid", "-q", "--select", "match", stdin=jsonl(given)).stdout
    found = parsed(llamax(*SELECT, "chrf++", stdin=matching))
    assert [(record["id"], record["candidates"]) for record in found] == [("a", 3), ("c", 3)]


# -- by a number in the records ----------------------------------------------------------------------------------------


def test_candidates_can_be_ranked_by_a_number(llamax: Run, groups: list[list[dict[str, Any]]]) -> None:
    """Such as a score that `--segments` has written for each candidate; of TER the lowest is the best."""
    given = jsonl(record for each in groups for record in each)
    scored = llamax("score", "-q", "--segments", "--metric", "chrf++,ter", stdin=given)
    assert scored.returncode == 0, scored.stderr
    for key, best in (("chrf++", max), ("ter", min)):
        found = parsed(llamax("score", "--select", "best", "--by", key, "-q", stdin=scored.stdout))
        records = iter(read(scored.stdout))
        for each, chosen in zip(groups, found, strict=True):
            values = [next(records)[key] for _ in each]
            assert chosen[key] == best(values) and chosen["mt"] == each[values.index(best(values))]["mt"]
            assert chosen["candidates"] == len(each) and "utility" not in chosen


def test_a_number_can_be_one_of_errors(llamax: Run) -> None:
    """With --lower-is-better the lowest number is the best, whatever its key."""
    given = jsonl({**each, "errors": n} for n, each in zip((3, 1, 2), group("a", ["x", "y", "z"]), strict=True))
    for flags, best in (([], "x"), (["--lower-is-better"], "y")):
        (chosen,) = parsed(llamax("score", "--select", "best", "--by", "errors", *flags, "-q", stdin=given))
        assert chosen["mt"] == best


# -- by a metric without references ------------------------------------------------------------------------------------


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Return a substitute for a Python with COMET."""
    return comet_python(tmp_path)


def mixed_groups() -> list[dict[str, Any]]:
    """Return candidates some of which are equal, empty, off target, or in a language that no metric knows."""
    draw = random.Random(7)
    words = ["a", "bb", "a bb", "ccc", "dd d", ""]
    made = []
    for n in range(60):
        given = group(f"r:{n}", draw.choices(words, k=draw.randint(1, 6)), src="s" * draw.randint(1, 9))
        for each in given:
            if n % 3:
                each["on_target"] = draw.random() < 0.6
            if n % 10 == 4:
                each["tgt_lang"] = "kam"
        made += given
    return made


@pytest.mark.parametrize("flags", [(), ("--any-language",), ("--lower-is-better",)])
def test_a_metric_without_references_ranks_as_its_scores_in_the_records_do(
    llamax: Run, tmp_path: Path, python: Path, flags: tuple[str, ...]
) -> None:
    """The same bytes as `--segments` and then `--by`, and the same lines set aside, in one command."""
    (tmp_path / "length.py").write_text(
        "import json, sys\nfor line in sys.stdin:\n    print(len(json.loads(line)['mt']), flush=True)\n"
    )
    program = f"{sys.executable} length.py"
    is_program = flags == ("--lower-is-better",)
    name = "command-qe" if is_program else "comet-kiwi"
    metric = ("--metric", name, *(("--metric-command", program) if is_program else ("--comet-python", python)))
    given = jsonl(mixed_groups())
    scored = llamax("score", "--segments", *metric, *flags, "--rejects", "one", "-q", stdin=given)
    by = ("--by", name, *(flags if is_program else ()))
    wanted = llamax("score", "--select", "best", *by, stdin=scored.stdout)
    (tmp_path / "asked").unlink(missing_ok=True)
    flags = (*flags, "--rejects", "other", "--manifest", "m.json", "--workers", "2")
    outcome = llamax("score", "--select", "best", *metric, *flags, stdin=given)
    assert outcome.stdout == wanted.stdout and outcome.stdout.count(b"\n") in (54, 60)
    assert (tmp_path / "other").read_bytes() == (tmp_path / "one").read_bytes()
    counts = [part for part in wanted.stderr.split(b"; ") if b"left out" in part or b"no candidate" in part]
    assert len(counts) == 2 and all(part in outcome.stderr for part in counts)
    assert b" empty translations" in outcome.stderr
    unknown = b"1 direction with a language that comet-kiwi does not know: en-kam"
    assert (unknown in outcome.stderr) == ("--any-language" in flags)
    figures = json.loads((tmp_path / "m.json").read_bytes())["figures"]
    model = f"command:{program}" if is_program else "model:Unbabel/wmt22-cometkiwi-da|version:2.2.7"
    mark = "better:lower|" * is_program
    assert figures["signatures"] == {name: [f"nrefs:0|{mark}{model}"]}
    assert set(figures) == {"signatures", "left_out", "tally"} and set(figures["tally"]) == {
        "with no candidate on target"
    }


def test_only_what_may_be_chosen_is_scored_and_once(llamax: Run, tmp_path: Path, python: Path) -> None:
    """In one request for all directions, and for no more translations than --limit lets through."""
    given = [
        *group("a", ["x", "x", "y", "z"], on_target=True),
        *group("b", ["x", "y"], on_target=False, tgt_lang="fr"),
        *group("c", ["x", "y"]),
    ]
    given[2]["on_target"] = False
    flags = ("score", "--select", "best", "--metric", "comet-kiwi", "--comet-python", python)
    assert len(parsed(llamax(*flags, stdin=jsonl(given)))) == 3
    assert (tmp_path / "asked").read_text() == "6\n"
    assert len(parsed(llamax(*flags, "--limit", 2, stdin=jsonl(given)))) == 2
    assert (tmp_path / "asked").read_text() == "6\n4\n"


def test_a_metric_of_errors_takes_the_lowest(monkeypatch: pytest.MonkeyPatch) -> None:
    """As MetricX; its class says so, which stands for the model here."""
    name, made = "metricx-24-xl-qe", MetricSettings()
    monkeypatch.setattr(candidate_choice, "load_metric", lambda name, _: metric_class(name))
    lines = jsonl(group("a", ["xx", "x", "xxx", "x"])).splitlines()
    read = [candidate_choice._read_source(parse(line), name, made) for line in lines]
    scored = candidate_choice._with_scores(name, read, iter([3.5, 1.25, 2.0]))
    (chosen,) = candidate_choice._choose_by_score(name, made)(scored, Counter())
    assert (bytes(chosen["mt"]), chosen[name], chosen["candidates"]) == (b'"x"', 1.25, 4)


def test_what_such_a_metric_needs(llamax: Run, python: Path) -> None:
    """The source and its language."""
    flags = (*SELECT, "comet-kiwi", "--comet-python", python)
    for key in ("src", "src_lang"):
        lines = [*group("b", ["x"]), *group("a", ["x", "y"])]
        del lines[2][key]
        ended = llamax(*flags, stdin=jsonl(lines))
        assert (ended.returncode, [each["id"] for each in read(ended.stdout)]) == (65, ["b"])
        assert ended.stderr.startswith(f"llamax score: stdin:3: no '{key}' in the record (it has".encode())


# -- streams -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"candidate": None}, "no 'candidate' in the record (it has id, src, src_lang, tgt_lang, mt)"),
        ({"candidate": 0}, "'candidate' is 0, not a whole number from 1"),
        ({"mt": 3}, "'mt' is a number, not a string"),
        ({"tgt_lang": None}, "no 'tgt_lang' in the record (it has id, src, src_lang, mt, candidate)"),
        ({"on_target": 1}, "'on_target' is neither true nor false"),
    ],
)
def test_bad_records(llamax: Run, tmp_path: Path, record: dict[str, Any], reason: str) -> None:
    """They end the run, or are set aside while the rest of their group stays together."""
    lines = group("a", ["x", "y", "y", "y"])
    lines[1] = {key: value for key, value in {**lines[1], **record}.items() if value is not None}
    ended = llamax(*SELECT, "chrf++", stdin=jsonl([*group("b", ["k", "k"]), *lines]))
    assert (ended.returncode, [each["id"] for each in read(ended.stdout)]) == (65, ["b"])
    assert ended.stderr.decode() == f"llamax score: stdin:4: {reason}; --rejects FILE sets such lines aside\n"
    (chosen,) = parsed(llamax(*SELECT, "chrf++", "--rejects", "bad", stdin=jsonl(lines)))
    assert (chosen["mt"], chosen["candidates"]) == ("y", 3)
    assert [json.loads(line)["line"] for line in (tmp_path / "bad").read_bytes().splitlines()] == [2]


def test_a_number_to_rank_by_must_be_there(llamax: Run) -> None:
    """In each record."""
    ended = llamax("score", "--select", "best", "--by", "qe", stdin=jsonl(group("a", ["x"])))
    assert ended.stderr.startswith(b"llamax score: stdin:1: no 'qe' in the record (it has id, src, ")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--select", "first"], "Invalid value for '--select': 'first' is unknown; have: best"),
        (["--by", "qe"], "--by requires --select best"),
        (["--select", "best", "--segments"], "--segments and --select: choose one"),
        (["--select", "best", "--table", "md"], "--select best writes translations, which it compares with each other"),
        (["--select", "best", "--ref", "in"], "--select best writes translations, which it compares with each other"),
        (["--select", "best", "--metric", "bleu,ter"], "--select best takes one metric, not 2"),
        (["--select", "best", "--metric", "ter", "--by", "qe"], "--by ranks by a number in the records: leave out --m"),
        (
            ["--select", "best", "--metric", "comet"],
            "--select best does not compare candidates with comet; score each of them with --segments --metric comet, ",
        ),
    ],
)
def test_contradictions(llamax: Run, tmp_path: Path, flags: list[str], message: str) -> None:
    """They are usage errors, in one line."""
    (tmp_path / "in").write_bytes(b"")
    outcome = llamax("score", *flags, stdin=b"")
    assert (outcome.returncode, outcome.stdout, outcome.stderr.count(b"\n")) == (2, b"", 1)
    assert outcome.stderr.decode().startswith(f"llamax score: {message}")


def test_a_terminated_run_is_resumed(llamax: Run, groups: list[list[dict[str, Any]]], tmp_path: Path) -> None:
    """To the same bytes, though it was killed inside of a group, with the same counts."""
    given = jsonl(
        {**record, "id": f"{turn}:{n}"} for turn in range(30) for n, each in enumerate(groups) for record in each
    )
    whole = llamax(*SELECT, "chrf++", stdin=given)
    command = [*SELECT, "chrf++", "-o", "out", "-"]
    (tmp_path / "in").write_bytes(given)
    process = subprocess.Popen(
        [sys.executable, "-m", "llamax_cli", *command], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdin is not None
    process.stdin.write(given[: len(given) // 2])
    process.stdin.flush()
    wait_for(tmp_path / "out.partial", 1, process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143 and b"go on with --resume" in err
    outcome = llamax(*command, "--resume", "--workers", 2, stdin=given)
    assert outcome.returncode == 0, outcome.stderr
    assert (tmp_path / "out").read_bytes() == whole.stdout
    assert outcome.stderr.split(b"; ")[:2] == whole.stderr.split(b"; ")[:2]


def test_a_new_translation_has_no_utility() -> None:
    """Neither it nor the number of candidates is of the new one."""
    from llamax_cli.models.contracts import Hypothesis
    from llamax_cli.translation.translated_records import with_mt

    record = {"src": "a", "mt": "b", "utility": 3.5, "candidates": 4}
    assert with_mt(record, Hypothesis("c", truncated=False)) == {"src": "a", "mt": "c"}
