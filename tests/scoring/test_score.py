"""`llamax score` as a user runs it: input, output, refusals."""

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sacrebleu.metrics import BLEU, CHRF, TER
from support.processes import Outcome
from support.records import jsonl, parsed
from support.translations import translations

from llamax_cli.scoring.segments import SeenSegments, Segment, group_by_direction

ASIDE = b"; --rejects FILE sets such lines aside\n"
Run = Callable[..., Outcome]
CHRF_SIGNATURE = "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0"


def columns(records: list[dict[str, Any]], direction: str) -> tuple[list[str], list[str]]:
    """Return hypotheses and references of a direction."""
    own = [each for each in records if f"{each['src_lang']}-{each['tgt_lang']}" == direction]
    return [each["mt"] for each in own], [each["tgt"] for each in own]


def test_a_score_for_each_direction(llamax: Run) -> None:
    """In order of appearance, metrics in the requested order, with sacreBLEU's scores and signatures."""
    given = translations(["en-de", "de-en", "en-th"], 9)
    outcome = llamax("score", "--metric", "chrf++,bleu", stdin=jsonl(given))
    found = parsed(outcome)
    assert [(each["src_lang"], each["tgt_lang"], each["metric"]) for each in found] == [
        (a, b, name) for a, b in (("en", "de"), ("de", "en"), ("en", "th")) for name in ("chrf++", "bleu")
    ]
    for each in found:
        hypotheses, references = columns(given, f"{each['src_lang']}-{each['tgt_lang']}")
        oracle = CHRF(word_order=2) if each["metric"] == "chrf++" else BLEU()
        assert each["score"] == oracle.corpus_score(hypotheses, [references]).score
        assert (each["signature"], each["n"]) == (str(oracle.get_signature()), 9)
    assert outcome.stderr.startswith(b"llamax score: 6 records from 27; ")


def test_order_and_workers_change_nothing(llamax: Run, tmp_path: Path) -> None:
    """Shuffled and spread over files and processes, the same records give the same scores."""
    given = translations(["en-de", "de-en", "sw-en"], 300)
    want = {json.dumps(each) for each in parsed(llamax("score", "--metric", "chrf++,ter", stdin=jsonl(given)))}
    shuffled = random.Random(1).sample(given, len(given))
    (tmp_path / "a").write_bytes(jsonl(shuffled[:100]))
    (tmp_path / "b").write_bytes(jsonl(shuffled[100:]))
    mixed = llamax("score", "--metric", "chrf++,ter", "a", "b", "--workers", "3")
    assert {json.dumps(each) for each in parsed(mixed)} == want
    firsts = list(dict.fromkeys((each["src_lang"], each["tgt_lang"]) for each in shuffled))
    assert list(dict.fromkeys((each["src_lang"], each["tgt_lang"]) for each in parsed(mixed))) == firsts


def test_spbleu_by_default(llamax: Run, data: Path, tmp_path: Path) -> None:
    """With sacreBLEU's own model; if it is missing, with advice, and nothing is left behind."""
    given = jsonl(translations(["en-de"], 3))
    environment = {**os.environ, "SACREBLEU": str(data / "sacrebleu")}
    (found,) = parsed(llamax("score", "--spm", "flores200", stdin=given, env=environment))
    assert found["metric"] == "spbleu" and "|tok:flores200|" in found["signature"] and "|spm:" in found["signature"]
    nowhere = {**os.environ, "https_proxy": "http://127.0.0.1:9", "no_proxy": "", "SACREBLEU": "cache"}
    refused = llamax("score", stdin=given, env=nowhere)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr.decode().endswith(
        "(connection refused); put it there (SACREBLEU names another folder) or give a file with --spm\n"
    )
    assert not (tmp_path / "cache").exists()


def test_segments_keep_their_records(llamax: Run, tmp_path: Path) -> None:
    """Each record with its scores, everything else byte for byte, in order, with any number of workers."""
    given = translations(["en-de", "en-fr"], 3, more=12345678901234567890123)
    outcome = llamax("score", "--segments", "--metric", "bleu,chrf++", "--manifest", "m.json", stdin=jsonl(given))
    found = parsed(outcome)
    oracle = BLEU(effective_order=True)
    for before, after, line in zip(given, found, outcome.stdout.splitlines(), strict=True):
        assert after.pop("bleu") == oracle.sentence_score(before["mt"], [before["tgt"]]).score
        assert after.pop("chrf++") == CHRF(word_order=2).sentence_score(before["mt"], [before["tgt"]]).score
        assert after == before and b'"more":12345678901234567890123' in line
    signatures = json.loads((tmp_path / "m.json").read_bytes())["figures"]["signatures"]
    assert signatures == {"bleu": [str(oracle.get_signature())], "chrf++": [CHRF_SIGNATURE]}
    assert llamax("score", "--segments", "--metric", "bleu,chrf++", "--workers", "2", stdin=jsonl(given)).stdout == (
        outcome.stdout
    )


def test_segments_that_cannot_be_scored(llamax: Run, tmp_path: Path) -> None:
    """The run ends at the first one, or sets them aside in order."""
    good = translations(["en-de"], 4)
    bad = dict(good[1])
    del bad["mt"]
    lines = jsonl([good[0], bad]) + b"[]\n" + jsonl(good[2:])
    ended = llamax("score", "--segments", "--metric", "chrf++", stdin=lines)
    assert (ended.returncode, len(ended.stdout.splitlines())) == (65, 1)
    assert ended.stderr == (
        b"llamax score: stdin:2: no 'mt' in the record (it has id, src, tgt, src_lang, tgt_lang)"
        b"; --rejects FILE sets such lines aside\n"
    )
    went_on = llamax("score", "--segments", "--metric", "chrf++", "--rejects", "bad", stdin=lines)
    assert [each["id"] for each in parsed(went_on)] == ["t:1", "t:3", "t:4"]
    assert [json.loads(line)["line"] for line in (tmp_path / "bad").read_bytes().splitlines()] == [2, 3]


def test_a_limit_ends_within_a_batch(llamax: Run, tmp_path: Path) -> None:
    """The first records of the whole, and the bad lines before the last of them."""
    good = [jsonl([each]) for each in translations(["en-de", "de-en"], 6)]
    lines = b"".join([*good[:2], b"[]\n", good[2], good[2], *good[3:9], b"[]\n", *good[9:]])
    flags = ("score", "--segments", "--metric", "chrf++", "--rejects", "bad")
    whole = llamax(*flags, stdin=lines).stdout.splitlines()
    assert len(whole) == 12 and len((tmp_path / "bad").read_bytes().splitlines()) == 3
    for limit, bad in ((2, 0), (3, 1), (5, 2), (9, 2), (12, 3), (99, 3)):
        found = llamax(*flags, "--limit", limit, stdin=lines).stdout.splitlines()
        assert (found, len((tmp_path / "bad").read_bytes().splitlines())) == (whole[:limit], bad)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tgt": None}, "no reference: the record has no 'tgt'; give a file of references with --ref"),
        ({"mt": 7}, "'mt' is a number, not a string"),
        ({"candidate": 2}, "one of several candidates: choose one with llamax score --select best"),
        ({"tgt_lang": "german"}, "unknown language 'german'; did you mean de (German)?"),
        ({"id": "t:1"}, "segment 't:1' of en-de occurs twice"),
    ],
)
def test_what_is_refused(llamax: Run, change: dict[str, Any], reason: str) -> None:
    """With file and line, or set aside."""
    first, second = translations(["en-de"], 2)
    second = {key: value for key, value in {**second, **change}.items() if value is not None}
    ended = llamax("score", "--metric", "chrf++", stdin=jsonl([first, second]))
    assert (ended.returncode, ended.stdout) == (65, b"")
    assert ended.stderr.decode() == f"llamax score: stdin:2: {reason}; --rejects FILE sets such lines aside\n"
    (left,) = parsed(llamax("score", "--metric", "chrf++", "--rejects", "bad", stdin=jsonl([first, second])))
    assert left["n"] == 1


@pytest.mark.parametrize("mode", [(), ("--segments",)])
def test_a_segment_without_a_verdict_leaves_no_trace(mode: tuple[str, ...], llamax: Run, tmp_path: Path) -> None:
    """It is set aside before it counts, so a good one with its id is scored, and its direction may have no other."""
    first, second = translations(["en-de"], 2)
    odd = [{**first, "mt": "", "on_target": None}, {**first, "tgt_lang": "fr", "on_target": "yes"}]
    flags = "score", "--metric", "bleu", *mode, "--rejects", tmp_path / "bad"
    outcome = llamax(*flags, stdin=jsonl([*odd, first, second]))
    assert outcome.returncode == 0
    assert outcome.stdout == llamax("score", "--metric", "bleu", *mode, stdin=jsonl([first, second])).stdout
    assert b"empty" not in outcome.stderr
    reasons = {json.loads(line)["reason"] for line in (tmp_path / "bad").read_bytes().splitlines()}
    assert reasons == {"'on_target' is neither true nor false"}


def test_empty_translations_count(llamax: Run) -> None:
    """They are scored as by sacreBLEU, and the summary line says how many there are."""
    given = translations(["en-de"], 3)
    given[1]["mt"] = ""
    outcome = llamax("score", "--metric", "bleu", stdin=jsonl(given))
    hypotheses, references = columns(given, "en-de")
    assert parsed(outcome)[0]["score"] == BLEU().corpus_score(hypotheses, [references]).score
    assert b"1 record from 3; 1 empty translation; " in outcome.stderr
    given[0]["tgt"], given[2]["tgt"] = "", ["", "a", ""]
    for more in ((), ("--segments",)):
        counted = llamax("score", "--metric", "bleu", *more, stdin=jsonl(given))
        assert b"; 1 empty translation; 3 empty references; " in counted.stderr


def test_without_ids_a_source_that_comes_again_is_another_segment(llamax: Run, tmp_path: Path) -> None:
    """Two systems are compared by the source, the first "Yes." of the one with the first of the other."""
    given = translations(["en-de", "en-fr"], 30)
    sources = ["Yes.", "Yes. (2)", "No.", "Yes."]
    ours = [{**each, "src": sources[n % 4]} for n, each in enumerate(given)]
    theirs = [{**each, "mt": each["mt"][::-1]} for each in ours]
    (tmp_path / "numbered").write_bytes(jsonl(theirs))
    (tmp_path / "bare").write_bytes(jsonl(_without_ids(theirs)))
    flags = ("score", "--metric", "bleu", "--swaps", "99", "--resamples", "99", "--against")
    want = llamax(*flags, "numbered", stdin=jsonl(ours))
    assert want.returncode == 0 and parsed(want)[0]["n"] == 30
    assert llamax(*flags, "bare", stdin=jsonl(_without_ids(ours))).stdout == want.stdout
    (score, _) = parsed(llamax("score", "--metric", "bleu", stdin=jsonl(_without_ids(ours))))
    hypotheses, references = columns(ours, "en-de")
    assert (score["n"], score["score"]) == (30, BLEU().corpus_score(hypotheses, [references]).score)


def _without_ids(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.items() if key != "id"} for each in records]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_several_references(llamax: Run, tmp_path: Path, workers: str) -> None:
    """As a list, or in several files of references, with sacreBLEU's scores and its number of references."""
    given = translations(["en-de", "en-fr"], 30)
    others = [each["mt"] for each in translations(["en-de", "en-fr"], 30, seed=5)]
    several = [{**each, "tgt": [each["tgt"], other]} for each, other in zip(given, others, strict=True)]
    flags = ("score", "--metric", "bleu,chrf++,ter", "--workers", workers)
    as_list = llamax(*flags, stdin=jsonl(several))
    hypotheses, references = columns(given, "en-de")
    for score, oracle in zip(parsed(as_list), (BLEU(), CHRF(word_order=2), TER()), strict=False):
        assert score["score"] == oracle.corpus_score(hypotheses, [references, others[:30]]).score
        assert (score["signature"], score["n"]) == (str(oracle.get_signature()), 30)
    (tmp_path / "first").write_bytes(jsonl(given))
    (tmp_path / "second").write_bytes(jsonl({**each, "tgt": t} for each, t in zip(given, others, strict=True)))
    for files in (("first", "second"), ("first", "first", "second")):  # the same references again are no other ones
        from_files = [flag for name in files for flag in ("--ref", name)]
        assert llamax(*flags, *from_files, stdin=jsonl(given)).stdout == as_list.stdout
    (tmp_path / "lists").write_bytes(jsonl(several))
    assert llamax(*flags, "--ref", "lists", stdin=jsonl(given)).stdout == as_list.stdout
    some = [each if n % 3 else given[n] for n, each in enumerate(several)]
    varying = parsed(llamax(*flags, stdin=jsonl(some)))[0]
    gaps = [other if n % 3 else None for n, other in enumerate(others[:30])]
    assert varying["score"] == BLEU().corpus_score(hypotheses, [references, gaps]).score
    assert varying["signature"].startswith("nrefs:var|")
    sentences = parsed(llamax(*flags, "--segments", stdin=jsonl(several)))
    assert sentences[3]["ter"] == TER().sentence_score(hypotheses[3], several[3]["tgt"]).score
    assert sentences[3]["tgt"] == several[3]["tgt"]
    against = parsed(llamax(*flags, "--swaps", "9", "--resamples", "9", "--against", "second", stdin=jsonl(several)))
    assert [row["signature"][:10] for row in against] == ["nrefs:var|"] * 9


@pytest.mark.parametrize(
    ("tgt", "reason"),
    [
        ([], "'tgt' is an array, but not of one or several strings"),
        (["a", None], "'tgt' is an array, but not of one or several strings"),
        ({"a": "b"}, "'tgt' is an object, not a string"),
    ],
)
def test_references_that_are_none(llamax: Run, tgt: Any, reason: str) -> None:
    """An empty list and a gap in it are bad records."""
    (one,) = translations(["en-de"], 1)
    refused = llamax("score", "--metric", "bleu", stdin=jsonl([{**one, "tgt": tgt}]))
    assert (refused.returncode, refused.stderr.decode()) == (
        65,
        f"llamax score: stdin:1: {reason}; --rejects FILE sets such lines aside\n",
    )


def test_parts_of_the_references_are_one_set(llamax: Run, tmp_path: Path) -> None:
    """Files that agree wherever both have a segment are one reference, in however many files it is."""
    given = translations(["en-de", "en-fr"], 20)
    (tmp_path / "a").write_bytes(jsonl(given[:15]))
    (tmp_path / "b").write_bytes(jsonl(given[10:]))
    found = parsed(llamax("score", "--metric", "bleu", "--ref", "a", "--ref", "b", stdin=jsonl(given)))
    assert [score["signature"].partition("|")[0] for score in found] == ["nrefs:1", "nrefs:1"]


def test_lower_case(llamax: Run) -> None:
    """With sacreBLEU's scores and signatures."""
    given = [{**each, "mt": each["mt"].upper()} for each in translations(["en-de"], 9)]
    hypotheses, references = columns(given, "en-de")
    found = parsed(llamax("score", "--metric", "bleu,chrf++,ter", "--lowercase", stdin=jsonl(given)))
    for score, oracle in zip(found, (BLEU(lowercase=True), CHRF(word_order=2, lowercase=True), TER()), strict=True):
        assert score["score"] == oracle.corpus_score(hypotheses, [references]).score
        assert score["signature"] == str(oracle.get_signature()) and "|case:lc|" in score["signature"]


def test_references_in_files(llamax: Run, tmp_path: Path) -> None:
    """Texts or pairs, by language and id; they take precedence over `tgt`."""
    given = translations(["en-de"], 3)
    bare = [{key: value for key, value in each.items() if key != "tgt"} for each in given]
    (tmp_path / "texts").write_bytes(jsonl({"id": e["id"], "text": e["tgt"], "lang": "deu_Latn"} for e in given))
    (tmp_path / "pairs").write_bytes(jsonl(given))
    want = llamax("score", "--metric", "chrf++", stdin=jsonl(given)).stdout
    for name in ("texts", "pairs"):
        assert llamax("score", "--metric", "chrf++", "--ref", name, stdin=jsonl(bare)).stdout == want
    wrong = [{**each, "tgt": "x"} for each in given]
    assert llamax("score", "--metric", "chrf++", "--ref", "texts", stdin=jsonl(wrong)).stdout == want


def test_references_that_do_not_fit(llamax: Run, tmp_path: Path) -> None:
    """Segments that are missing on either side are named."""
    given = translations(["en-de"], 6)
    (tmp_path / "five").write_bytes(jsonl(given[:5]))
    lacking = llamax("score", "--metric", "chrf++", "--ref", "five", stdin=jsonl(given))
    assert lacking.stderr.decode() == (
        "llamax score: stdin:6: no reference in de for segment 't:6': the files of --ref have 5 segments in de; "
        "--rejects FILE sets such lines aside\n"
    )
    missing = llamax("score", "--metric", "chrf++", "--ref", "five", stdin=jsonl(given[:1]))
    assert (missing.returncode, missing.stdout) == (65, b"")
    assert missing.stderr == (
        b"llamax score: there is no translation in en-de of t:2, t:3, t:4, ... (4 in all); "
        b"with --rejects they are left out\n"
    )
    tolerant = llamax("score", "--metric", "chrf++", "--ref", "five", "--rejects", "bad", stdin=jsonl(given[:1]))
    assert b"left out: 4 segments without a counterpart" in tolerant.stderr
    other = llamax("score", "--metric", "chrf++", "--ref", "five", stdin=jsonl(translations(["en-fr"], 1)))
    assert other.stderr == b"llamax score: stdin:1: no reference in fr: the files of --ref have de, en" + ASIDE
    (tmp_path / "twice").write_bytes(jsonl([given[0], {**given[0], "tgt": "other"}]))
    twice = llamax("score", "--metric", "chrf++", "--ref", "twice", stdin=jsonl(given))
    assert (
        twice.stderr
        == b"llamax score: twice:2: segment 't:1' has two references in de; give them in two files, or as a list"
        + ASIDE
    )
    for more in ((), ("--segments",), ("--against", "five", "--swaps", "2", "--resamples", "2")):
        flags = ("--metric", "chrf++", "--ref", "twice", "--rejects", "bad", *more)
        assert parsed(llamax("score", *flags, stdin=jsonl(given[:1])))
        assert json.loads((tmp_path / "bad").read_bytes().splitlines()[0])["input"] == "twice"


def test_scores_of_earlier_runs(llamax: Run, tmp_path: Path) -> None:
    """They are passed through unchanged, and give the same summary as their translations."""
    given = translations(["en-de", "en-sw", "sw-en"], 4, on_target=False)
    scores = llamax("score", "--metric", "bleu", "-o", "scores.jsonl", stdin=jsonl(given))
    assert scores.returncode == 0
    written = (tmp_path / "scores.jsonl").read_bytes()
    assert llamax("score", "scores.jsonl").stdout == written
    summary = llamax("score", "scores.jsonl", "--summary", "--central", "en")
    assert (
        summary.stdout == llamax("score", "--metric", "bleu", "--summary", "--central", "en", stdin=jsonl(given)).stdout
    )
    rows = parsed(summary)
    assert [(row["direction"], row["directions"], row["off_target"]) for row in rows] == [
        ("en-x", 2, 1.0),
        ("x-en", 1, 1.0),
    ]
    assert rows[1]["high"] is None
    broken = llamax("score", stdin=b'{"src_lang":"en","tgt_lang":"de","metric":"bleu","score":"high"}\n')
    assert (
        broken.stderr
        == b"llamax score: stdin:1: 'score' is a string, not a number; --rejects FILE sets such lines aside\n"
    )
    double = llamax("score", "--summary", stdin=written + written)
    assert (double.returncode, double.stdout) == (65, b"")
    assert double.stderr == (
        b"llamax score: stdin:4: a second bleu score of en-de with the same signature; give one system at a time"
        + ASIDE
    )


def test_tables(llamax: Run, tmp_path: Path) -> None:
    """The records as a table; CSV with every digit."""
    given = jsonl(translations(["en-de"], 3))
    (score,) = parsed(llamax("score", "--metric", "chrf++", stdin=given))
    shown = f"{score['score']:.2f}"
    markdown = llamax("score", "--metric", "chrf++", "--table", "md", stdin=given)
    assert markdown.stdout.decode() == (
        "| src_lang | tgt_lang | metric | score | n |\n| --- | --- | --- | ---: | ---: |\n"
        f"| en | de | chrf++ | {shown} | 3 |\n\n`chrf++ {CHRF_SIGNATURE}`\n"
    )
    assert b"1 record from 3; " in markdown.stderr
    assert llamax("score", "--metric", "chrf++", "--table", "latex", "-o", "t.tex", stdin=given).stdout == b""
    assert (tmp_path / "t.tex").read_text() == (
        "\\begin{tabular}{lllrr}\n\\toprule\nsrc\\_lang & tgt\\_lang & metric & score & n \\\\\n\\midrule\n"
        f"en & de & chrf++ & {shown} & 3 \\\\\n\\bottomrule\n\\end{{tabular}}\n% chrf++ {CHRF_SIGNATURE}\n"
    )
    table = llamax("score", "--metric", "chrf++", "--table", "csv", stdin=given).stdout.decode()
    (row,) = csv.DictReader(io.StringIO(table))
    assert {key: str(value) for key, value in score.items()} == row


def test_two_systems(llamax: Run, tmp_path: Path) -> None:
    """Paired by segment in any order, corrected over directions, with the average last."""
    names = ["en-de", "en-fr"]
    ours, theirs = translations(names, 40), translations(names, 40, seed=2)
    (tmp_path / "theirs").write_bytes(jsonl(random.Random(1).sample(theirs, len(theirs))))
    flags = ("--metric", "bleu,chrf++", "--resamples", "50", "--swaps", "50", "--against", "theirs")
    outcome = llamax("score", *flags, stdin=jsonl(ours))
    found = parsed(outcome)
    assert [(each["tgt_lang"], each["metric"], each["n"]) for each in found] == [
        ("de", "bleu", 40), ("de", "chrf++", 40), ("fr", "bleu", 40), ("fr", "chrf++", 40),
        ("*", "bleu", 80), ("*", "chrf++", 80),
    ]  # fmt: skip
    for each in found:
        assert each["difference"] == each["score"] - each["against"]
        assert each["difference_low"] <= each["difference_high"]
        assert "|bs:50|ar:50|seed:12345|" in each["signature"]
    assert all(each["p_bootstrap_holm"] >= each["p_bootstrap"] for each in found[:4])
    assert found[4]["score"] == (found[0]["score"] + found[2]["score"]) / 2
    assert llamax("score", *flags, "--workers", "2", stdin=jsonl(ours)).stdout == outcome.stdout
    (tmp_path / "theirs").write_bytes(jsonl(theirs[:-1]))
    lacking = llamax("score", *flags, stdin=jsonl(ours))
    assert (lacking.returncode, lacking.stdout) == (65, b"")
    assert lacking.stderr == (
        b"llamax score: theirs has no translation in en-fr of t:40 (1 in all); with --rejects they are left out\n"
    )
    tolerant = parsed(llamax("score", *flags, "--rejects", "bad", stdin=jsonl(ours)))
    assert [each["n"] for each in tolerant] == [40, 40, 39, 39, 79, 79]


def test_heat_map(llamax: Run, tmp_path: Path) -> None:
    """A picture beside the records, whole or not at all."""
    pytest.importorskip("matplotlib")
    given = jsonl(translations(["en-de", "de-en", "sw-en"], 3))
    outcome = llamax("score", "--metric", "bleu", "--heatmap", "map.png", stdin=given)
    assert outcome.stdout == llamax("score", "--metric", "bleu", stdin=given).stdout
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    again = llamax("score", "--metric", "bleu", "--heatmap", "again.png", stdin=given)
    assert again.returncode == 0
    assert (tmp_path / "map.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    nowhere = llamax("score", "--metric", "bleu", "--heatmap", "no/map.png", stdin=b"not read")
    assert nowhere.stderr == b"llamax score: no/map.png: no such file or directory\n"
    empty = llamax("score", "--metric", "bleu", "--heatmap", "map.png")
    assert empty.stderr == b"llamax score: --heatmap map.png: there are no scores to draw\n"


def test_heat_map_of_differences(llamax: Run, tmp_path: Path) -> None:
    """Two systems, with the records as they are without it; the scale is symmetric, so that white is no difference."""
    pytest.importorskip("matplotlib")
    (tmp_path / "other.jsonl").write_bytes(jsonl(translations(["en-de", "de-en"], 3)))
    given = jsonl([{**record, "mt": record["tgt"]} for record in translations(["en-de", "de-en"], 3)])
    flags = ("--metric", "bleu", "--against", "other.jsonl", "--resamples", "10", "--swaps", "10")
    outcome = llamax("score", *flags, "--heatmap", "gap.png", stdin=given)
    assert (outcome.returncode, outcome.stdout) == (0, llamax("score", *flags, stdin=given).stdout)
    assert (tmp_path / "gap.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--metric", "blue"), "unknown metric 'blue'; did you mean bleu?"),
        (("--summary", "--segments"), "--segments and --summary: choose one"),
        (("--central", "en"), "--central and --not require --summary or --table"),
        (
            ("--segments", "--table", "md"),
            "--segments cannot be combined with --table or --heatmap, which show scores of",
        ),
        (("--against", "x", "--table", "md", "--central", "en"), "--central and --not require --summary or --table"),
        (("--heatmap", "map.bmp"), "--heatmap map.bmp: the name must end in .png, .pdf or .svg"),
        (("--summary", "--not", "german"), "unknown language 'german'; did you mean de (German)?"),
        (("--tokenize", "14a"), "Invalid value for '--tokenize': '14a' is unknown; did you mean 13a?"),
    ],
)
def test_contradictory_options(llamax: Run, flags: tuple[str, ...], message: str) -> None:
    """They are refused before anything is read."""
    outcome = llamax("score", *flags)
    assert outcome.returncode == 2
    assert outcome.stderr.decode().startswith(f"llamax score: {message}")


def test_resume_makes_the_same_file(llamax: Run, tmp_path: Path) -> None:
    """Records with segment scores are continued; other outputs are made again."""
    given = translations(["en-de"], 5)
    assert llamax("score", "--segments", "--metric", "bleu", "-o", "out", stdin=jsonl([*given, {}])).returncode == 65
    assert (tmp_path / "out.partial").exists()
    refused = llamax("score", "--metric", "bleu", "--table", "md", "-o", "new", "--resume", stdin=jsonl(given))
    assert refused.returncode == 2
    resumed = llamax("score", "--segments", "--metric", "bleu", "-o", "out", "--resume", stdin=jsonl(given))
    assert resumed.returncode == 0, resumed.stderr
    fresh = llamax("score", "--segments", "--metric", "bleu", stdin=jsonl(given))
    assert (tmp_path / "out").read_bytes() == fresh.stdout


def test_terminated_while_reading() -> None:
    """Nothing is written, and the exit code says why."""
    command = [sys.executable, "-m", "llamax_cli", "score", "--metric", "chrf++", "--workers", "2"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(jsonl(translations(["en-de", "de-en"], 2000)))
        process.stdin.flush()
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate(timeout=30)
    assert (process.returncode, out) in ((143, b""), (-signal.SIGTERM, b""))
    assert error in (b"llamax score: terminated\n", b"")


def test_the_reader_goes_away(tmp_path: Path) -> None:
    """`| head` ends the run quietly."""
    (tmp_path / "in").write_bytes(jsonl(translations(["en-de"], 3000)))
    score = f"{sys.executable} -m llamax_cli score --segments --metric bleu in -q"
    done = subprocess.run(
        ["bash", "-c", f"{score} | head -n 1 | wc -l; echo ${{PIPESTATUS[0]}}"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
    )
    assert (done.stdout.split(), done.stderr) == ([b"1", b"141"], b"")


def test_directions_are_grouped() -> None:
    """One after the other, only one is in memory; mixed, they wait for more segments."""

    def segments(names: Iterable[str]) -> Iterable[Segment]:
        for number, name in enumerate(names):
            yield Segment((name, "en"), str(number), "", "a", "b", None)

    taken: list[str] = []

    def watched(names: list[str]) -> Iterable[Segment]:
        for segment in segments(names):
            taken.append(segment.id)
            yield segment

    groups = group_by_direction(watched(["a"] * 300 + ["b"] * 300 + ["a"] * 2 + ["b"] + ["a"]))
    assert next(groups).direction == ("a", "en") and len(taken) == 301
    assert next(groups).direction == ("b", "en") and len(taken) == 601
    assert [(group.direction[0], len(group.segments)) for group in groups] == [("a", 3), ("b", 1)]


def test_seen_is_a_set() -> None:
    """Compared with a Python set."""
    draw = random.Random(1)
    seen, truth = SeenSegments(), set()
    for _ in range(2000):
        key = (draw.choice("ab"), "en"), str(draw.randrange(3000))
        assert seen.has(*key) == (key in truth)
        assert seen.add(*key) == (key not in truth)
        truth.add(key)
        lang, ids = draw.choice("ab"), [str(draw.randrange(3000)) for _ in range(draw.choice((1, 2, 40)))]
        keys = {((lang, "en"), id_) for id_ in ids}
        is_new = len(keys) == len(ids) and not keys & truth
        assert seen.add_all((lang, "en"), ids) == is_new
        truth |= keys if is_new else set()


@pytest.mark.parametrize(
    ("form", "text"), [("md", b"There are no records.\n"), ("csv", b""), ("latex", b"% There are no records.\n")]
)
@pytest.mark.parametrize("mode", [(), ("--summary",)])
def test_a_table_of_nothing_says_so(form: str, text: bytes, mode: tuple[str, ...], llamax: Run) -> None:
    """Instead of a table without a column, which is none."""
    outcome = llamax("score", "--metric", "bleu", "--table", form, *mode, stdin=b"")
    assert (outcome.returncode, outcome.stdout) == (0, text)
