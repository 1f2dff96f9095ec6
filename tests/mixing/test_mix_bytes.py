"""The bytes of a mixture stay the same from version to version, with every option and however lines are written."""

import json
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from support.processes import Outcome

Mix = Callable[..., Outcome]
WORDS = ["haus", "maji", "nyumba", "犬も歩けば", "ცა", "été", "naïve", "“quoted”", "say", '"so"', "back\\slash"]
WORDS += ["line\nend", "tab\there", "a/b", "🙂", "\x7f", "\x01", "1.5"]
STARTS = ["", "", "", "", " ", "\u00a0", "\u3000", "\u2003x ", "\n", '"', "\\", "“", "〜", "ქ", "\x1f"]
CODES = ["en", "eng", "eng_Latn", "de", "sw", "zho_Hans", "zh", "en-GB", "pt-BR"]


def sentence(draw: random.Random) -> str:
    """Return a text that begins with anything, now and then with nothing else."""
    start = draw.choice(STARTS)
    return start if draw.random() < 0.01 else start + " ".join(draw.choices(WORDS, k=draw.choice((1, 5, 12, 40))))


def line(draw: random.Random, record: dict[str, Any]) -> str:
    """Return a record as a line: mostly plain, but the keys in any order, escapes and white space are JSON, too."""
    if draw.random() < 0.3:
        record = dict(draw.sample(sorted(record.items()), len(record)))
    style = draw.random()
    separators = (", ", ": ") if style < 0.1 else (",", ":")
    written = json.dumps(record, ensure_ascii=style > 0.9, separators=separators)
    return written.replace("a/b", "a\\/b") if 0.1 < style < 0.2 else written


def identified(draw: random.Random, number: int) -> dict[str, Any]:
    """Return an id of any kind, or none, and sometimes more keys."""
    ids: list[Any] = [f"c:{number}", f"é {number}", f'"{number}"', f"\u0001{number}", number, number / 7, -number, None]
    found = {"id": draw.choice(ids)} if draw.random() < 0.9 else {}
    return found | draw.choice(
        [{}, {}, {"score": 0.5, "kept": None}, {"tags": ["a", {"b": 1}]}, {"ö": 'with "quotes"'}]
    )


def pairs(draw: random.Random, count: int, kind: str) -> Iterator[dict[str, Any]]:
    """Yield pairs for an option; some are there twice, and some the other way around."""
    told: list[dict[str, Any]] = []
    for number in range(count):
        if told and draw.random() < 0.1:
            again = {**draw.choice(told), **identified(draw, number)}
            if draw.random() < 0.5 and kind == "para":
                turned = {"src": again["tgt"], "tgt": again["src"]}
                again |= turned | {"src_lang": again["tgt_lang"], "tgt_lang": again["src_lang"]}
            yield again
            continue
        source, target = draw.sample(["en", "de", "sw", "zh"], 2)
        spelled = {
            "en": ["en", "eng", "eng_Latn"],
            "zh": ["zh", "zho_Hans"],
            "de": ["de"],
            "sw": ["sw", "swh", "en-GB"],
        }
        record = {
            **identified(draw, number),
            "src": sentence(draw),
            "tgt": sentence(draw),
            "src_lang": draw.choice(spelled[source]),
            "tgt_lang": draw.choice(spelled[target][: 2 if source == "en" else 3]),
        }
        if kind == "aug":
            record["origin"] = draw.choice(["aug-para", "aug-para", "para", ""])
            if draw.random() < 0.2:
                record |= {"tgt_lang": record["src_lang"], "origin": "aug-mono"}
        if kind == "mt" and draw.random() < 0.7:
            record["mt"] = sentence(draw)
            if draw.random() < 0.8:
                del record["tgt"]
            if draw.random() < 0.3:
                record["truncated"] = draw.random() < 0.3
        if "tgt" in record:
            told.append(record)
        yield record


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two files for each option, of several chunks together."""
    folder, draw = tmp_path_factory.mktemp("mix"), random.Random(20)
    for kind, sizes in (("para", (30, 1500)), ("aug", (30, 500)), ("mt", (30, 500))):
        for place, size in enumerate(sizes):
            lines = [line(draw, record) for record in pairs(draw, size, kind)]
            (folder / f"{kind}{place}.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8", newline="")
    bad = [
        '{"src":"a","tgt":"b","src_lang":"en"}',
        "{}",
        '{"id":true,"src":"a","tgt":"b","src_lang":"en","tgt_lang":"de"}',
    ]
    (folder / "para2.jsonl").write_text("\n".join([*lines[:20], *bad, *lines[20:40], '{"src":1}', ""]))
    texts = [
        line(draw, {**identified(draw, number), "text": sentence(draw), "lang": draw.choice(CODES)})
        for number in range(300)
    ]
    (folder / "mono.jsonl").write_text("\n".join([*texts, *texts[:20], ""]), encoding="utf-8", newline="")
    general = [{"text": sentence(draw)} for _ in range(50)] + [{"prompt": "Say it: ", "completion": "It."}]
    (folder / "replay.jsonl").write_text("\n".join([*(line(draw, record) for record in general), ""]))
    (folder / "held-out.txt").write_text("haus maji\nnyumba\n犬も歩けば\n1.5\n", encoding="utf-8")
    return folder


PARA = ["--para", "para0.jsonl", "para1.jsonl"]
ALL = [*PARA, "--aug", "aug0.jsonl", "aug1.jsonl", "--mt", "mt0.jsonl", "mt1.jsonl", "--mono", "mono.jsonl"]
HASHES = {
    "pairs": ([*PARA, "--copies", "1"], "68159c659b38adea"),
    "copies": (PARA, "5f3b411008fa773c"),
    "all": (ALL, "f7f62a6e7057c585"),
    "plan": ([*ALL, "--plan", "--per-language", "900"], "20255a92cbbacc5b"),
    "epoch": ([*ALL, "--epoch", "3", "--seed", "7", "--flip", "0.9"], "20b34ec21e08c244"),
    "thresholds": (
        [*ALL, "--per-language", "500", "--per-pair", "200", "--copies", "7", "--augment-high"],
        "bd1c1c71aa899d44",
    ),
    "sizes": ([*ALL, "--para-size", "100", "--mono-size", "40", "--temperature", "3"], "f63dafb1ad81e980"),
    "split": ([*ALL, "--parallel", "split"], "dda56b293378c439"),
    "excluded": ([*ALL, "--exclude", "held-out.txt"], "240c8b529fdcee60"),
    "near": ([*ALL, "--near-duplicates", "0.6"], "b1cd48cae72ae1f2"),
    "replay": ([*ALL, "--replay", "replay.jsonl", "--replay-share", "0.3"], "346fe58480e4b471"),
    "limit": ([*ALL, "--limit", "1000"], "77d9b9badd44ed84"),
    "rejects": (
        [*ALL, "--para", "para2.jsonl", "--rejects", "rejects.jsonl", "--max-rejects", "100"],
        "ca23a476627072ad",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", HASHES)
def test_bytes_are_those_of_earlier_versions(llamax: Mix, inputs: Path, tmp_path: Path, case: str) -> None:
    """With one worker, or two and little memory; and the same lines are rejected and left out."""
    options, expected = HASHES[case]
    arguments = [inputs / option if option.endswith((".jsonl", ".txt")) else option for option in options]
    for more in ([], ["--workers", "2", "--memory", "200K"]):
        outcome = llamax(
            "mix", *[tmp_path / "r" if str(each).endswith("rejects.jsonl") else each for each in arguments], *more
        )
        assert outcome.returncode == 0, outcome.stderr
        rejects = (tmp_path / "r").read_bytes().replace(str(inputs).encode(), b"") if case == "rejects" else b""
        left_out = outcome.stderr.partition(b"left out")[2].partition(b";")[0]
        assert sha256(outcome.stdout + rejects + left_out).hexdigest()[:16] == expected, outcome.stderr
