"""`llamax pivot`: through a third language, all records or those that are off target."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.fakes import Tagger, watch_bar
from support.translations import got, pair, put

from llamax_cli import cli
from llamax_cli.models.contracts import TranslationRequest


def pivot(*arguments: str, code: int = 0) -> None:
    """Run the command on in.jsonl to out.jsonl and check its exit code."""
    assert cli.run(["pivot", "in.jsonl", "--model", "m", "-o", "out.jsonl", *arguments]) == code


def test_a_record_is_translated_through_english(tagger: type[Tagger]) -> None:
    """With one model; the text in between is kept, and a cut in either step is marked."""
    put(pair("a", src_lang="sw"), pair("b!", src_lang="sw"), pair("", src_lang="sw"))
    pivot()
    assert got() == [
        pair("a", src_lang="sw", mt="a>en>de", pivot="a>en"),
        pair("b!", src_lang="sw", mt="b!>en>de", pivot="b!>en", truncated=True),
        pair("", src_lang="sw", mt="", pivot=""),
    ]
    assert len(tagger.opened) == 1
    assert tagger.asked[0] == TranslationRequest("a", "sw", "en")


def test_the_translations_alone(tagger: type[Tagger], capfd: pytest.CaptureFixture[str]) -> None:
    """A line for each record with --as text, also for one that is passed on; one without a translation is bad."""
    verdict = {"src_lang": "sw", "on_target": True}
    put(pair("a", src_lang="sw", mt="x", on_target=False), pair("b", mt="y\nz", **verdict))
    pivot("--as", "text")
    assert Path("out.jsonl").read_text() == "a>en>de\nb>en>de\n"
    pivot("--as", "text", "--only", "off-target")
    assert Path("out.jsonl").read_text() == "a>en>de\ny z\n"
    put(pair("b", **verdict))
    pivot("--as", "text", "--only", "off-target", code=65)
    assert "in.jsonl:1: no 'mt' in the record" in capfd.readouterr().err


def test_a_direction_of_the_pivot_language_takes_one_step(tagger: type[Tagger]) -> None:
    """So it has no text in between."""
    put(pair("a"), pair("b", src_lang="sw", tgt_lang="en"))
    pivot()
    assert got() == [pair("a", mt="a>de"), pair("b", src_lang="sw", tgt_lang="en", mt="b>en")]


def test_the_bar_shows_both_steps(tagger: type[Tagger], monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a record can be written, which is after the second step of all."""
    shown = watch_bar(monkeypatch)
    put(*(pair(f"sentence {number:02}", src_lang="sw") for number in range(50)))
    pivot()
    shares = [share for _, share in shown]
    assert shares == sorted(shares)
    unwritten = [share for note, share in shown if note == "0 records"]
    assert unwritten[:-1] == pytest.approx([number / 100 for number in range(1, 100)], abs=2e-3)
    assert unwritten[-1] == pytest.approx(1)


def test_only_records_off_target(tagger: type[Tagger]) -> None:
    """The others are passed on byte for byte; keys derived from the old mt are dropped with it."""
    lines = [
        '{"id":1e1, "src":"a","src_lang":"sw","tgt_lang":"de","mt":"\\u0061","lid":"de","on_target":true}',
        '{"id":2,"src":"b","src_lang":"sw","tgt_lang":"de","mt":"x","lid":"en","lid_score":0.9,"on_target":false}',
        '{"id":3,"src":"c","src_lang":"sw","tgt_lang":"de","mt":"y","on_target":true}',
    ]
    put(*lines)
    pivot("--only", "off-target")
    out = Path("out.jsonl").read_text().splitlines()
    assert [out[0], out[2]] == [lines[0].replace(", ", ","), lines[2]]
    assert json.loads(out[1]) == {
        "id": 2,
        "src": "b",
        "src_lang": "sw",
        "tgt_lang": "de",
        "mt": "b>en>de",
        "pivot": "b>en",
    }
    assert [request.src for request in tagger.asked] == ["b", "b>en"]


def test_records_without_a_verdict_are_passed_on_and_counted(
    tagger: type[Tagger], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`translate | langid | pivot` works even if the detector does not know a language."""
    into = {"src_lang": "sw", "tgt_lang": "umb", "src": "a"}
    put({**into, "mt": "Ovina viosi"}, {**into, "mt": ""}, {**into, "mt": "123"}, {**into, "mt": "b", "tgt_lang": "de"})
    assert cli.run(["langid", "in.jsonl", "-o", "found.jsonl", "-q"]) == 0
    Path("found.jsonl").rename("in.jsonl")
    pivot("--only", "off-target")
    out = Path("out.jsonl").read_text().splitlines()
    assert out[:3] == Path("in.jsonl").read_text().splitlines()[:3]
    assert json.loads(out[3])["mt"] == "a>en>de"
    assert (
        "4 records; 1 passed on, into languages that the detector did not know; 2 passed on, without letters; "
        in capfd.readouterr().err
    )


def test_directions_of_the_pivot_language_are_passed_on_off_target(
    tagger: type[Tagger], capfd: pytest.CaptureFixture[str]
) -> None:
    """From or into English, pivoting through English would repeat the translation that is off target."""
    astray = {"mt": "x", "lid": "fr", "on_target": False}
    put(pair("a", **astray), pair("b", src_lang="sw", tgt_lang="en", **astray), pair("c", src_lang="sw", **astray))
    pivot("--only", "off-target")
    out = Path("out.jsonl").read_text().splitlines()
    assert list(map(json.loads, out[:2])) == list(map(json.loads, Path("in.jsonl").read_text().splitlines()[:2]))
    assert json.loads(out[2])["mt"] == "c>en>de"
    assert [request.src for request in tagger.asked] == ["c", "c>en"]
    said = capfd.readouterr().err
    assert "3 records; 2 passed on off target, as they begin or end in the pivot language; " in said


def test_a_second_model_takes_the_second_step(tagger: type[Tagger]) -> None:
    """Each is opened once."""
    put({"text": "a", "lang": "sw"}, {"text": "b", "lang": "sw"})
    pivot("--second-model", "n", "--into", "de,fr", "--via", "fr")
    assert [record["mt"] for record in got()] == ["a>fr>de", "a>fr", "b>fr>de", "b>fr"]
    assert [choice.model for choice, _ in tagger.opened] == ["m", "n"]


def test_what_cannot_be_pivoted(tagger: type[Tagger], capfd: pytest.CaptureFixture[str]) -> None:
    """A refusal in either step, a record without a verdict of langid, two pivot languages."""
    put(pair("refuse", src_lang="sw"), pair("a", src_lang="sw"), pair("x", src_lang="??"))
    pivot("--rejects", "bad.jsonl")
    assert [record["mt"] for record in got()] == ["a>en>de"]
    assert [bad["line"] for bad in got("bad.jsonl")] == [1, 3]
    put(pair("a"))
    pivot("--only", "off-target", code=65)
    assert "no 'on_target' in the record; --only off-target comes after `llamax langid`" in capfd.readouterr().err
    put(pair("a", mt="x", on_target=None))
    pivot("--only", "off-target", code=65)
    assert "'on_target' is neither true nor false" in capfd.readouterr().err
    pivot("--via", "en,fr", code=2)
    pivot("--only", "on-target", code=2)


def test_a_real_model_is_loaded_once(
    tiny_model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both steps use the same weights."""
    from llamax_cli.models import loading

    loads: list[Any] = []
    load = loading.load_model
    monkeypatch.setattr(loading, "load_model", lambda *given: loads.append(given) or load(*given))
    monkeypatch.chdir(tmp_path)
    put(pair("ka lo mi.", src_lang="de", tgt_lang="fr"))
    assert cli.run(["pivot", "in.jsonl", "--model", str(tiny_model("nllb")), "-o", "out.jsonl"]) == 0
    assert len(loads) == 1
    assert set(got()[0]) >= {"mt", "pivot"}
