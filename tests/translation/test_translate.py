"""`llamax translate`: records in, the same records with translations out, in order, complete or resumable."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import fakes, tiny_models, zygote
from support.fakes import Tagger, watch_bar
from support.processes import Outcome, wait_for
from support.translations import got, pair, put, text, translate

from llamax_cli import cli
from llamax_cli.errors import Terminated
from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
from llamax_cli.records import Record, parse, serialise
from llamax_cli.streams.outputs import AtomicFile
from llamax_cli.translation import truncation, windows
from llamax_cli.translation.directions import DefaultLanguages, expand
from llamax_cli.translation.translate import translate_records
from llamax_cli.translation.windows import Translator

expand_record = partial(expand, defaults=DefaultLanguages())


def test_a_pair_gets_mt_and_keeps_the_rest_byte_for_byte(tagger: type[Tagger]) -> None:
    """Including big numbers, escapes, spaces and language codes as typed; keys derived from an old mt are dropped."""
    line = '{"id":1e2, "src":"\\u0061","tgt":"x","src_lang":"eng","tgt_lang":"deu_Latn","n":12345678901234567890.0}'
    put(line, pair("b", mt="old", lid="fr", lid_score=1, on_target=False, truncated=True, pivot="p", spbleu=3))
    translate()
    first, second = Path("out.jsonl").read_text().splitlines()
    assert first == line.replace(", ", ",").replace("}", ',"mt":"a>de"}')
    assert json.loads(second) == pair("b", mt="b>de")
    assert tagger.asked == [TranslationRequest("a", "en", "de"), TranslationRequest("b", "en", "de")]


def test_a_text_is_fanned_out(tagger: type[Tagger]) -> None:
    """Into every language but its own, in the order given; its other keys are kept."""
    put(text("a", origin="mono", note=1), {"text": "b"})
    translate("--into", "fr,eng,zho_Hans", "--src-lang", "de")
    shape = {"id": "a", "src": "a", "src_lang": "en", "origin": "mono", "note": 1}
    assert got() == [
        {**shape, "tgt_lang": "fr", "mt": "a>fr"},
        {**shape, "tgt_lang": "zh", "mt": "a>zh"},
        *({"src": "b", "src_lang": "de", "tgt_lang": code, "mt": f"b>{code}"} for code in ("fr", "en", "zh")),
    ]


def test_repeated_sources_are_translated_once_and_empty_ones_never(
    tagger: type[Tagger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a window and across windows."""
    monkeypatch.setattr(windows, "WINDOW", 4)
    put(*(pair(src) for src in ("a", "", "a", " \u3000", "b", "a", "b", "b", "a")))
    translate()
    assert [record["mt"] for record in got()] == ["a>de", "", "a>de", "", "b>de", "a>de", "b>de", "b>de", "a>de"]
    assert [request.src for request in tagger.asked] == ["a", "b"]


def test_the_bar_shows_what_is_translated(tagger: type[Tagger], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what is read, which is all of a small file at once, and not what is written, which waits for the first."""
    monkeypatch.setattr(windows, "WINDOW", 50)
    shown = watch_bar(monkeypatch)
    put(*(pair(f"sentence {number:03}") for number in range(100)))
    translate()
    shares = [share for _, share in shown]
    assert shares == sorted(shares)
    assert {round(100 * share) for share in shares} == set(range(1, 101))
    assert max(share for note, share in shown if note == "1 records") == pytest.approx(0.5, abs=1e-3)


def test_candidates_are_numbered(tagger: type[Tagger]) -> None:
    """Consecutively, best first, also those of an empty source."""
    put(pair("a"), pair(""))
    translate("--nbest", "3")
    assert [(record["id"], record["candidate"], record["mt"]) for record in got()] == [
        ("a", 1, "a>de"),
        ("a", 2, "a>de'"),
        ("a", 3, "a>de''"),
        ("", 1, ""),
        ("", 2, ""),
        ("", 3, ""),
    ]


def test_what_was_cut_is_marked_and_counted(tagger: type[Tagger], capfd: pytest.CaptureFixture[str]) -> None:
    """By direction, in the summary and the manifest."""
    put(pair("a!"), pair("b"), pair("c!", tgt_lang="or"), pair("d!", tgt_lang="or"))
    translate("--manifest", "m.json")
    assert [record.get("truncated") for record in got()] == [True, None, True, True]
    assert "4 records; 3 cut at --max-new-tokens (en-or 2, en-de 1); " in capfd.readouterr().err
    manifest = json.loads(Path("m.json").read_text())
    assert manifest["figures"] == {"tally": {"cut en-de": 1, "cut en-or": 2}}
    assert manifest["arguments"]["model_content"] == ["m"]


def test_bad_records_have_a_place(tagger: type[Tagger], capfd: pytest.CaptureFixture[str]) -> None:
    """The first one ends the run, after the records before it are written; --rejects sets them aside."""
    put(
        pair("a"),
        {"id": 1},
        pair("refuse"),
        text("no target"),
        pair("b", tgt_lang="xx1"),
        {**pair("c"), "src": 7},
        "{",
        pair("d"),
    )
    translate(code=65)
    error = capfd.readouterr().err
    assert error.startswith(
        "llamax translate: in.jsonl:2: neither 'src' nor 'text' in the record (it has id); "
        "--rejects FILE sets such lines aside; 1 record is"
    )
    translate("--rejects", "bad.jsonl")
    assert [record["mt"] for record in got()] == ["a>de", "d>de"]
    reasons = [(bad["line"], bad["reason"]) for bad in got("bad.jsonl")]
    assert [line for line, _ in reasons] == [2, 3, 4, 5, 6, 7]
    assert reasons[1][1] == "refused"
    assert reasons[2][1] == "no 'tgt_lang' in the record; name it, as in --into fr"
    assert reasons[3][1].startswith("unknown language 'xx1'")


def test_a_plan_makes_the_pairs_that_are_missing(tagger: type[Tagger], capfd: pytest.CaptureFixture[str]) -> None:
    """Each direction gets its number of pairs; for one of them there are too few texts."""
    put(
        {"src_lang": "en", "tgt_lang": "wo", "have": 1, "missing": 2},
        {"src_lang": "en", "tgt_lang": "umb", "have": 0, "missing": 9},
        name="plan",
    )
    put(*(text(each) for each in "abcd"))
    translate("--plan", "plan")
    made = got()
    assert sorted(record["tgt_lang"] for record in made) == ["umb"] * 4 + ["wo"] * 2
    assert {record["origin"] for record in made} == {"mt"}
    assert "6 records from 4; too few texts for 1 direction, 5 pairs short; " in capfd.readouterr().err
    translate("--plan", "plan", "--shard", "1/2", code=2)
    translate("--plan", "plan", "--into", "de", code=2)
    put({"src_lang": "en", "tgt_lang": "wo"}, name="plan")
    translate("--plan", "plan", code=65)
    assert "plan:1: no 'missing' in the record" in capfd.readouterr().err


def test_an_interrupted_run_is_resumed_to_the_same_bytes(
    tagger: type[Tagger], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with a plan; --resume with another model, template or beam is refused."""
    monkeypatch.setattr(windows, "WINDOW", 3)
    put(
        {"src_lang": "en", "tgt_lang": "wo", "missing": 9},
        {"src_lang": "en", "tgt_lang": "om", "missing": 9},
        name="plan",
    )
    sources = [text(str(number) + "!" * (number == 2)) for number in range(12)]
    for more in (["--into", "de,fr"], ["--plan", "plan"]):
        put(*sources)
        translate(*more)
        whole = Path("out.jsonl").read_bytes()
        Path("out.jsonl").unlink()
        real = Tagger.translate

        def stopping(self: Tagger, requests: Any, real: Any = real) -> Any:
            for place, answer in real(self, requests):
                if requests[place].src == "7":
                    raise KeyboardInterrupt
                yield place, answer

        monkeypatch.setattr(Tagger, "translate", stopping)
        translate(*more, code=130)
        monkeypatch.setattr(Tagger, "translate", real)
        assert "go on with --resume" in capfd.readouterr().err
        for other in (["--model", "n"], ["--template", "qwen2"], ["--beam", "2"], ["--max-new-tokens", "9"]):
            translate(*more, "--resume", *other, code=1)
            assert "cannot resume with different arguments" in capfd.readouterr().err
        tagger.asked.clear()
        translate(*more, "--resume", "--batch-tokens", "99", "--device", "cpu")
        assert Path("out.jsonl").read_bytes() == whole
        assert 0 < len(tagger.asked) < 20
        assert "2!" not in {request.src for request in tagger.asked}
        assert " cut at --max-new-tokens" in capfd.readouterr().err  # counted by the run before


def test_a_changed_template_or_model_is_refused(tagger: type[Tagger], capfd: pytest.CaptureFixture[str]) -> None:
    """Even if the file or folder has the same name."""
    Path("model").mkdir()
    for changed, what in (("t.txt", "template"), ("model/config.json", "model")):
        Path("t.txt").write_text("{src_lang} {src} {tgt_lang}")
        Path("model/config.json").write_text("{}")
        put(pair("a"), pair("b"), pair("stop"))
        translate("--model", "model", "--template", "t.txt", code=130)
        Path(changed).write_text("{src_lang}: {src} {tgt_lang}: ")
        capfd.readouterr()
        translate("--model", "model", "--template", "t.txt", "--resume", code=1)
        assert f"cannot resume: not the same {what} as in the first part" in capfd.readouterr().err


def test_a_run_interrupted_at_its_very_end_is_kept(
    tagger: type[Tagger], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The final sync may take long; nothing is translated again if it is interrupted."""
    put(*(pair(str(number)) for number in range(9)))

    def interrupted(_: AtomicFile) -> None:
        raise Terminated

    with monkeypatch.context() as patch:
        patch.setattr(AtomicFile, "sync", interrupted)
        translate(code=143)
    assert "terminated; 9 records are kept in " in capfd.readouterr().err
    translate("--resume")
    assert [record["mt"] for record in got()] == [f"{number}>de" for number in range(9)]
    assert len(tagger.asked) == 9


def test_shards_joined_are_the_whole(tagger: type[Tagger]) -> None:
    """For Slurm arrays and GNU parallel."""
    put(*(pair(str(number)) for number in range(50)))
    translate()
    whole = Path("out.jsonl").read_bytes()
    parts = []
    for index in (1, 2, 3):
        Path("out.jsonl").unlink()
        translate("--shard", f"{index}/3")
        parts.append(Path("out.jsonl").read_bytes())
    assert b"".join(parts) == whole
    assert all(parts)


def test_a_limit_translates_no_more(tagger: type[Tagger]) -> None:
    """A quick look at the first two translates only these."""
    put(*(pair(str(number)) for number in range(50)))
    translate("--limit", "2")
    assert [record["mt"] for record in got()] == ["0>de", "1>de"]
    assert len(tagger.asked) == 2


def test_results_come_as_they_are_ready(tagger: type[Tagger]) -> None:
    """The first record is written before the last is translated."""
    translator = Translator(Tagger(ModelChoice("m"), Decoding()))
    records: list[Record] = [parse(json.dumps(pair(str(number))).encode()) for number in range(5)]
    stream = translate_records(iter(records), expand_record, translator, lambda *_: None)
    next(stream)
    assert len(tagger.asked) == 1


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "", "refuse", "c!"]), st.sampled_from(["de", "fr"])), max_size=30),
    st.integers(1, 40),
)
def test_one_result_for_each_record_in_order(sources: list[tuple[str, str]], window: int) -> None:
    """For any window and any repetition."""
    tally: Counter[str] = Counter()
    translator = Translator(Tagger(ModelChoice("m"), Decoding()))
    records = [parse(json.dumps(pair(src, tgt_lang=code)).encode()) for src, code in sources]
    results = list(
        translate_records(iter(records), expand_record, translator, partial(truncation.count, tally), window)
    )
    assert len(results) == len(records)
    assert tally.total() == sum(src == "c!" for src, _ in sources)
    for (src, code), result in zip(sources, results, strict=True):
        if src == "refuse":
            assert isinstance(result, Exception)
        else:
            assert not isinstance(result, Exception)
            (record,) = (json.loads(line) for line in serialise(result).splitlines())
            assert record["mt"] == (f"{src}>{code}" if src else "")


@pytest.mark.parametrize("name", ["translate", "pivot"])
def test_help_and_wrong_usage_load_no_torch(name: str) -> None:
    """Neither does a command line that is refused."""
    script = "import sys; from llamax_cli import cli; code = cli.run(sys.argv[1:]); "
    script += "assert not {'torch', 'transformers', 'numpy'} & set(sys.modules); sys.exit(code)"
    for arguments, code in ((["--help"], 0), (["--model", "m", "--template", "nonsense", __file__], 2)):
        outcome = subprocess.run([sys.executable, "-c", script, name, *arguments], capture_output=True, timeout=60)
        assert outcome.returncode == code, outcome.stderr


@pytest.mark.slow
def test_a_real_run_says_nothing_but_its_summary(
    tiny_model: Callable[[str], Path], llamax: Callable[..., Outcome], tmp_path: Path
) -> None:
    """No warning and no progress bar of a library; when its pipe is closed early, it ends with 0 or 141."""
    folder = tiny_model("llama")
    lines = "".join(json.dumps({"text": f"kalo mi {number}", "lang": "en"}) + "\n" for number in range(40))
    done = llamax(
        "translate",
        "--model",
        folder,
        "--template",
        "llamax-alpaca",
        "--into",
        "de",
        "--max-new-tokens",
        "8",
        stdin=lines.encode(),
    )
    assert done.returncode == 0
    assert done.stderr.count(b"\n") == 1 and done.stderr.startswith(b"llamax translate: 40 records; ")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["src"] for record in records] == [f"kalo mi {number}" for number in range(40)]
    (tmp_path / "in").write_text(lines)
    command = f"{zygote.commands()}/llamax translate in --model {folder} --into de --beam 1 --max-new-tokens 4 -q"
    script = f"{command} | head -n 1 > out; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, timeout=60)
    assert ended.stderr == b"" and ended.stdout in (b"0\n", b"141\n")


@pytest.mark.slow
def test_a_real_run_is_terminated_and_resumed(
    tiny_model: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A real model's batches differ after the interruption, but the bytes are those of an uninterrupted run."""
    monkeypatch.chdir(tmp_path)
    put(*(text(each) for each in tiny_models.sentences(16, seed=5)))
    options = ["in.jsonl", "--model", str(tiny_model("llama")), "--into", "de,fr", "--batch-tokens", "400"]
    options += ["--max-new-tokens", "24"]
    assert cli.run(["translate", *options, "-o", "whole.jsonl"]) == 0
    partial = tmp_path / "out.jsonl.partial"
    process = zygote.start("translate", *options, "-o", "out.jsonl", stderr=zygote.PIPE)
    wait_for(partial, 200, process)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 143, error
    assert error.startswith(b"llamax translate: terminated; ") and error.count(b"\n") == 1
    done = partial.read_bytes().count(b"\n")
    assert 0 < done < 32
    capfd.readouterr()
    assert cli.run(["translate", *options, "-o", "out.jsonl", "--resume"]) == 0
    assert capfd.readouterr().err.startswith("llamax translate: 32 records from 16; ")
    assert Path("out.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


def test_a_full_disk_keeps_what_was_done(tagger: type[Tagger], tmp_path: Path) -> None:
    """The error is one line, and --resume continues once there is space."""
    put(*(pair(str(number) * 20) for number in range(400)))
    translate()
    whole = Path("out.jsonl").read_bytes()
    Path("out.jsonl").unlink()
    command = fakes.command(Tagger, "translate", "in.jsonl", "--model", "m", "-o", "out.jsonl")

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    full = subprocess.run(command, capture_output=True, preexec_fn=small_files, env=environment, timeout=60)
    assert full.returncode == 1 and full.stderr.count(b"\n") == 1
    assert b"file too large" in full.stderr
    again = subprocess.run([*command, "--resume"], capture_output=True, env=environment, timeout=60)
    assert again.returncode == 0, again.stderr
    assert Path("out.jsonl").read_bytes() == whole
