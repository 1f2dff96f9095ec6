"""Every command with every shape of record: what it does not read is one bad line, which --rejects takes."""

import json
import re
import shutil
from pathlib import Path

import pytest
from support.fakes import Tagger
from support.lexicons import ENGLISH, lexicon
from support.runs import model_folder, small_tokenizer

from llamax_cli import cli

PAIR = {"id": "a", "src": "the house", "tgt": "das Haus", "src_lang": "en", "tgt_lang": "de"}
TRANSLATION = {"id": "a", "src": "the house", "mt": "das Haus", "src_lang": "en", "tgt_lang": "de"}
SHAPES: dict[str, object] = {
    "text": {"id": "a", "text": "the house", "lang": "en"},
    "pair": PAIR,
    "translation": TRANSLATION,
    "hypothesis": {**TRANSLATION, "tgt": "das Haus"},
    "candidate": {**TRANSLATION, "tgt": "das Haus", "candidate": 1},
    "identified": {**TRANSLATION, "tgt": "das Haus", "lid": "de", "lid_score": 0.9, "on_target": True},
    "score": {"src_lang": "en", "tgt_lang": "de", "metric": "bleu", "score": 3.5, "signature": "s", "n": 5},
    "rates": {"src_lang": "en", "tgt_lang": "de", "n": 5, "r_src": 0.5},
    "missing": {"src_lang": "en", "tgt_lang": "de", "have": 5, "missing": 7},
    "sample": {"prompt": "", "completion": "das Haus", "id": "a", "origin": "mono", "lang": "de"},
    "entry": {"word": "house", "lang": "en", "translations": {"de": ["haus"]}, "sources": ["x"]},
    "chat": {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
    "alpaca": {"instruction": "Say hi.", "input": "", "output": "hi"},
    "lines": {"id": "a", "translation": {"en": "the house", "de": "das Haus"}},
    "nulls": dict.fromkeys(("id", "text", "lang", "src", "tgt", "mt", "src_lang", "tgt_lang")),
    "numbers": dict.fromkeys(("id", "text", "lang", "src", "tgt", "mt", "src_lang", "tgt_lang"), 1),
    "empty": {},
    "list": [],
    "list of records": [PAIR],
    "number": 3,
    "string": "the house",
    "true": True,
    "null": None,
}
TEXTS = {"text"}
WITH_MT = {"translation", "hypothesis", "candidate", "identified"}
PAIRS = {"pair", "hypothesis", "candidate", "identified"}
SOURCES = PAIRS | {"translation"}
CALLS: dict[str, set[str]] = {
    "convert --from records": TEXTS | SOURCES,
    "convert --from records --sample 1": TEXTS | SOURCES,
    "convert --from records --drop-empty --part 1/1": TEXTS | SOURCES,
    "convert --from records --as hf": PAIRS,
    "convert --from records --as tsv": PAIRS,
    "convert --from records --as text": TEXTS | WITH_MT,
    "convert --from records --as moses -o out": PAIRS,
    "build-lexicon --from records": {"entry"},
    "augment --dict small.lex": TEXTS | PAIRS,
    "augment --dict small.lex --append --not tgt": TEXTS | PAIRS,
    "mix --para in.jsonl": PAIRS,
    "mix --mono in.jsonl": TEXTS,
    "mix --aug in.jsonl": TEXTS | PAIRS,
    "mix --mt in.jsonl": SOURCES,
    "mix --para in.jsonl --plan": PAIRS,
    "translate --model m": SOURCES,
    "translate --model m --into sw": TEXTS | SOURCES,
    "pivot --model m --via sw": SOURCES,
    "pivot --model m --via sw --only off-target": {"identified"},
    "langid": TEXTS | SOURCES,
    "langid --field src": SOURCES,
    "langid --select on-target": WITH_MT,
    "langid --select off-target": WITH_MT,
    "langid --select match": TEXTS | SOURCES,
    "langid --select best": {"candidate"},
    "langid --summary": WITH_MT,
    "score --metric bleu": {"hypothesis", "candidate", "identified", "score"},
    "score --select best --metric bleu": {"candidate"},
    "score --metric bleu --segments": {"hypothesis", "candidate", "identified"},
    "score --metric bleu --summary": {"hypothesis", "candidate", "identified", "score"},
    "score --metric bleu --table md": {"hypothesis", "candidate", "identified", "score"},
    "score --metric bleu --against in.jsonl": {"hypothesis", "candidate", "identified"},
    "score --metric bleu --ref references.jsonl": WITH_MT | {"score"},
    "analyze corpus": TEXTS | SOURCES | {"lines"},
    "analyze corpus --directions": TEXTS | SOURCES | {"lines"},
    "analyze fertility --tokenizer tokenizer.json": TEXTS | SOURCES,
    "extend-vocab --model model --tokens pieces.txt -o extended": TEXTS | SOURCES,
    "analyze lexicon small.lex --corpus in.jsonl": TEXTS | SOURCES,
}

NAMED = ("mix", "analyze lexicon")  # which read files that options name

CHOICES = [
    f"convert --from records {choice}{sample}"
    for choice in ("--pairs en-de", "--mono en")
    for sample in ("", " --sample 1")
]
BAD_VALUES = [
    "1e999",
    "-" + "9" * 400,
    "null",
    "true",
    "[]",
    "[[1e999]]",
    '{"a":1e999}',
    '""',
    '"\\u0000"',
    "-1",
    "2.5",
]


def _make_models(call: str) -> None:
    """Make the tokenizer, and the model where a call names one."""
    small_tokenizer().backend_tokenizer.save("tokenizer.json")
    if "--model model" in call:
        model_folder(Path("model"))
        Path("pieces.txt").write_text("aa\n")


def run(arguments: list[str]) -> int:
    """Return the exit code of a command; the folder that an earlier one has made is not in its way."""
    shutil.rmtree("extended", ignore_errors=True)
    return cli.run(arguments)


@pytest.mark.parametrize("call", CALLS)
def test_a_shape_is_read_or_refused(
    call: str, tagger: type[Tagger], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In one line that names the line, with exit code 65; with --rejects the run goes on without it, and all others."""
    lexicon(tmp_path / "small.lex", ("en", ENGLISH))
    _make_models(call)
    Path("references.jsonl").write_text('{"id":"a","text":"das Haus","lang":"de"}\n')
    capfd.readouterr()
    arguments = [*call.split(), *([] if call.startswith(NAMED) and "in.jsonl" in call else ["in.jsonl"])]
    read: set[str] = set()
    refused: list[str] = []
    for name, record in SHAPES.items():
        line = json.dumps(record, separators=(",", ":")) + "\n"
        Path("in.jsonl").write_text(line)
        code = run(arguments)
        out, said = capfd.readouterr()
        assert "Traceback" not in said
        if code == 0:
            read.add(name)
            continue
        assert (code, out) == (65, ""), (name, said)
        assert said.count("\n") == 1, (name, said)
        # A file that is one array has no line.
        is_array = name == "list of records" and "in.jsonl is a JSON array, not JSON lines" in said
        assert is_array or "in.jsonl:1: " in said, (name, said)
        refused.append(line)
    assert read == CALLS[call]
    array = json.dumps(SHAPES["list of records"], separators=(",", ":")) + "\n"
    refused.remove(array)
    for lines in (refused, [array]):
        Path("in.jsonl").write_text("".join(lines))
        code = run([*arguments, "--rejects", "bad.jsonl"])
        out, said = capfd.readouterr()
        assert code == 0, said
        assert f"{len(lines)} rejected, see bad.jsonl" in said
        rejected = [json.loads(line)["line"] for line in Path("bad.jsonl").read_text().splitlines()]
        assert rejected == [*range(1, len(lines) + 1)]


@pytest.mark.parametrize("call", [*CALLS, *CHOICES])
def test_a_bad_value_is_a_bad_line_or_none(
    call: str, tagger: type[Tagger], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Under any key, in any shape that the command reads: where it does not matter it is kept, else the line is bad."""
    lexicon(tmp_path / "small.lex", ("en", ENGLISH))
    _make_models(call)
    Path("references.jsonl").write_text('{"id":"a","text":"das Haus","lang":"de"}\n')
    arguments = [*call.split(), *([] if call.startswith(NAMED) and "in.jsonl" in call else ["in.jsonl"])]
    for name in sorted(CALLS.get(call, PAIRS | TEXTS)):
        shape: dict[str, object] = SHAPES[name]  # type: ignore[assignment]
        variants = (json.dumps({**shape, key: "VALUE"}) for key in shape)
        lines = [line.replace('"VALUE"', value) for line in variants for value in BAD_VALUES]
        if call in CHOICES:  # for something to choose
            lines[:0] = [json.dumps(SHAPES["pair"]), json.dumps(SHAPES["text"])]
        for batch in [[line] for line in lines] if name == "score" else [lines]:  # two scores of one kind are none
            Path("in.jsonl").write_text("".join(f"{line}\n" for line in batch))
            code = run([*arguments, "-q", "--rejects", "bad.jsonl"])
            assert code == 0, (name, capfd.readouterr().err)
            rejected = Path("bad.jsonl").read_bytes()
            capfd.readouterr()
            code = run([*arguments, "-q"])
            said = capfd.readouterr().err
            assert code == (65 if rejected else 0), (name, said)
            assert not code or re.search(r"(in\.jsonl|records):\d+: ", said), (name, said)


@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("call", CALLS)
def test_a_key_twice_is_refused(
    call: str, space: str, tagger: type[Tagger], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever the command reads a record with, no value is lost to another one under the same key."""
    lexicon(tmp_path / "small.lex", ("en", ENGLISH))
    _make_models(call)
    Path("references.jsonl").write_text('{"id":"a","text":"das Haus","lang":"de"}\n')
    arguments = [*call.split(), *([] if call.startswith(NAMED) and "in.jsonl" in call else ["in.jsonl"])]
    for name in sorted(CALLS[call]):
        line = json.dumps(SHAPES[name], separators=(",", ":" + space))
        first = line[1:].partition(":")[0]
        Path("in.jsonl").write_text(f'{line[:-1]},{first}:{space}"b"}}\n')
        assert run(arguments) == 65, name
        assert f"in.jsonl:1: not a record: it has the key '{first[1:-1]}' twice" in capfd.readouterr().err


@pytest.mark.parametrize("space", ["", " "])
def test_a_translation_twice_is_refused(space: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """At any depth, in what is read and in what is only passed on: whoever reads it next would lose a value."""
    line = '{"translation":{"en"SPACE:"a \\":","de":"b","en"SPACE:"c"}}\n'.replace("SPACE", space)
    (tmp_path / "hf.jsonl").write_text(line)
    assert cli.run(["convert", str(tmp_path / "hf.jsonl")]) == 65
    assert "hf.jsonl:1: not a record: 'translation' has the key 'en' twice" in capfd.readouterr().err
    (tmp_path / "hf.jsonl").write_text('{"text":"a","lang":"en","x":{"b":1,"b":2}}\n')
    assert cli.run(["convert", str(tmp_path / "hf.jsonl")]) == 65
    assert "hf.jsonl:1: not a record: 'x' has the key 'b' twice" in capfd.readouterr().err


@pytest.mark.parametrize("choice", [["--pairs", "en-de"], ["--mono", "en"]])
def test_convert_chooses_among_shapes(
    choice: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a choice of languages does not name is left out; if nothing is left, the choice is wrong, or the line is."""
    monkeypatch.chdir(tmp_path)
    for name, record in SHAPES.items():
        Path("in.jsonl").write_text(json.dumps(record, separators=(",", ":")) + "\n")
        for more in ([], ["--rejects", "bad.jsonl"]):
            code = cli.run(["convert", "--from", "records", *choice, *more, "in.jsonl"])
            out, said = capfd.readouterr()
            assert said.count("\n") == 1, (name, said)
            if code == 0:
                assert out.count("\n") == 1, (name, said)
            elif code == 65:
                assert "in.jsonl:1: " in said, (name, said)
            else:
                assert (code, out) == (2, ""), (name, said)
                assert "nothing matches" in said, (name, said)
