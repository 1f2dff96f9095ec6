"""`mix --near-duplicates`: what is left out is nearly there already, on both sides, whoever does the work."""

import json
import random
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import zygote
from support.processes import Outcome
from support.records import pair, parsed, read, text, write

from llamax_cli.mixing.decontamination import normalise
from llamax_cli.mixing.near_duplicates import Signatures, _gram_hashes, band_shape, sides, similarity
from llamax_cli.mixing.samples import HEAD, ID, JOINT
from llamax_cli.mixing.subsets import Subset

Mix = Callable[..., Outcome]
WORDS = [f"{a}{b}{c}" for a in "bdkmr" for b in ("a", "ei", "o") for c in ("n", "st", "l", "rk")]


def sentence(draw: random.Random, length: int = 14) -> str:
    """Return a sentence of made-up words."""
    return " ".join(draw.choices(WORDS, k=length)).capitalize() + "."


def edited(draw: random.Random, line: str, changes: int) -> str:
    """Return a sentence with some words replaced."""
    words = line.split(" ")
    for _ in range(changes):
        words[draw.randrange(len(words))] = draw.choice(WORDS)
    return " ".join(words)


@pytest.fixture(scope="module")
def corpus() -> list[dict[str, Any]]:
    """Pairs and texts, of which each has some that are more or less like it, on one side or on both."""
    draw = random.Random(3)
    records: list[dict[str, Any]] = []
    for number in range(60):
        source, target = sentence(draw), sentence(draw)
        records.append(pair(10 * number, src=source, tgt=target))
        for other in range(1, 5):
            first = edited(draw, source, draw.randrange(4))
            second = edited(draw, target, draw.randrange(4))
            made = pair(10 * number + other, src=first, tgt=second)
            if other == 4:  # the same languages the other way round
                made |= {"src": second, "tgt": first, "src_lang": "sw", "tgt_lang": "en"}
            records.append(made)
        records.append(text(10 * number, text=target))
        records.append(text(10 * number + 1, text=edited(draw, target, 1)))
    return records


def run(llamax: Mix, folder: Path, records: Iterable[dict[str, Any]], *arguments: object) -> Outcome:
    """Mix records without copies and without flips."""
    records = list(records)
    para = write(folder / "p.jsonl", [each for each in records if "src" in each])
    mono = write(folder / "m.jsonl", [each for each in records if "text" in each])
    return llamax("mix", "--para", para, "--mono", mono, "--copies", 1, *arguments)


def texts_of(record: dict[str, Any]) -> list[str]:
    """Return the texts of a record as they are compared, English first."""
    if "text" in record:
        return [normalise(record["text"])]
    found = [normalise(record["src"]), normalise(record["tgt"])]
    return found if record["src_lang"] == "en" else found[::-1]


def jaccard(one: set[str], other: set[str]) -> float:
    """Return the similarity of two texts by their 5-grams."""
    return len(one & other) / len(one | other)


@pytest.fixture(scope="module")
def whole(corpus: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the samples of the mixture with all of the corpus."""
    folder = tmp_path_factory.mktemp("whole")
    return parsed(run(lambda *arguments: zygote.run(*arguments, cwd=folder), folder, corpus))


@pytest.fixture(scope="module")
def likeness(corpus: list[dict[str, Any]], whole: list[dict[str, Any]]) -> dict[str, float]:
    """How much each record is like the one most like it of those before it in the mixture, by comparing all."""
    by_id = {each["id"]: each for each in corpus}
    found, seen = dict[str, float](), list[list[set[str]]]()
    for name in (sample["id"] for sample in whole):
        own = [{line[place : place + 5] for place in range(len(line) - 4)} for line in texts_of(by_id[name])]
        others = (other for other in seen if len(other) == len(own))
        found[name] = max((min(map(jaccard, own, other)) for other in others), default=0.0)
        seen.append(own)
    return found


@pytest.mark.parametrize("threshold", [0.6, 0.8])
def test_what_is_left_out_is_like_an_earlier_one(
    llamax: Mix,
    tmp_path: Path,
    corpus: list[dict[str, Any]],
    whole: list[dict[str, Any]],
    likeness: dict[str, float],
    threshold: float,
) -> None:
    """Nothing that is not; and nearly all that is, by a comparison of all pairs."""
    order = [sample["id"] for sample in whole]
    done = run(llamax, tmp_path, corpus, "--near-duplicates", threshold, "--rejects", tmp_path / "r.jsonl")
    kept = [sample["id"] for sample in parsed(done)]
    should = {name for name, like in likeness.items() if like >= threshold}
    gone = set(order) - set(kept)
    assert gone <= should
    assert len(gone) >= 0.95 * len(should) > 30
    assert kept == [name for name in order if name not in gone]
    for letter, origin in (("c", "para"), ("m", "mono")):
        count = sum(name.startswith(letter) for name in gone)
        assert f"{count} near duplicates ({origin})" in done.stderr.decode()
    aside = read((tmp_path / "r.jsonl").read_bytes())
    samples = {sample["id"]: sample for sample in whole}
    by_id = {each["id"]: texts_of(each) for each in corpus}
    for each in aside:
        sample = json.loads(each["raw"])
        assert sample == samples[sample["id"]]
        named = re.fullmatch(r"near duplicate of (\S+) \((\d\.\d\d)\)", each["reason"])
        assert named and order.index(named[1]) < order.index(sample["id"]) and each.keys() == {"reason", "raw"}
        least = min(map(similarity, by_id[named[1]], by_id[sample["id"]]))
        assert least >= threshold and f"{least:.2f}" == named[2]
    assert [json.loads(each["raw"])["id"] for each in aside] == [name for name in order if name in gone]


def test_order_workers_and_memory_change_nothing(llamax: Mix, tmp_path: Path, corpus: list[dict[str, Any]]) -> None:
    """The same bytes, of the samples and of those that are set aside, also where each bucket is cut into parts."""
    flags = ("--near-duplicates", 0.7, "--rejects", tmp_path / "r.jsonl")
    first = run(llamax, tmp_path, corpus, *flags)
    aside = (tmp_path / "r.jsonl").read_bytes()
    shuffled = random.Random(1).sample(corpus, len(corpus))
    again = run(llamax, tmp_path, shuffled, *flags, "--workers", 2, "--memory", "24K")
    assert first.returncode == again.returncode == 0
    assert again.stdout == first.stdout
    assert (tmp_path / "r.jsonl").read_bytes() == aside


def test_a_resumed_run_sets_the_same_aside(llamax: Mix, tmp_path: Path, corpus: list[dict[str, Any]]) -> None:
    """Once, though it compares again what a full disk interrupted."""
    out, rejects = tmp_path / "out.jsonl", tmp_path / "r.jsonl"
    flags = ("--near-duplicates", 0.9, "--rejects", rejects, "-o", out)
    assert run(llamax, tmp_path, corpus, *flags).returncode == 0
    whole, aside = out.read_bytes(), rejects.read_bytes()
    out.unlink()
    size = (len(whole) + len(aside)) // 2
    assert len(aside) < size < len(whole)
    given = [tmp_path / "p.jsonl", "--mono", tmp_path / "m.jsonl", "--copies", 1, *flags]
    full = subprocess.run(
        [sys.executable, "-m", "llamax_cli", "mix", "--para", *map(str, given)],
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    assert full.returncode == 1 and b"go on with --resume" in full.stderr
    again = run(llamax, tmp_path, corpus, *flags, "--resume", "--workers", 2)
    assert again.returncode == 0, again.stderr
    assert (out.read_bytes(), rejects.read_bytes()) == (whole, aside)


def test_sides_of_a_split_pair_are_compared_each_by_itself(llamax: Mix, tmp_path: Path) -> None:
    """And what is left out is counted and set aside by side, whichever it is."""
    draw = random.Random(5)
    source, target = sentence(draw), sentence(draw)
    records = [pair(1, src=source, tgt=target), pair(2, src=sentence(draw), tgt=target + " x")]
    flags = ("--parallel", "split", "--near-duplicates", 0.7, "--rejects", tmp_path / "r.jsonl")
    done = run(llamax, tmp_path, records, *flags)
    assert len(parsed(done)) == 3
    assert b"left out: 1 near duplicates (para)" in done.stderr
    (aside,) = read((tmp_path / "r.jsonl").read_bytes())
    assert json.loads(aside["raw"])["lang"] == "sw"


def test_a_pair_stays_whose_other_side_differs(llamax: Mix, tmp_path: Path) -> None:
    """Both sides have to be alike; only within an origin and between the same languages."""
    draw = random.Random(5)
    source, target = sentence(draw), sentence(draw)
    near = source.replace(".", "!")[:-1] + " x."
    records = [
        pair(1, src=source, tgt=target), pair(2, src=near, tgt=sentence(draw)),
        pair(3, "en", "yo", src=near, tgt=target),
    ]  # fmt: skip
    assert len(parsed(run(llamax, tmp_path, records, "--near-duplicates", 0.7))) == 3
    assert len(parsed(run(llamax, tmp_path, [*records, pair(4, src=near, tgt=target)], "--near-duplicates", 0.7))) == 3
    augmented = write(tmp_path / "a.jsonl", [pair(1, src=near, tgt=target, origin="aug-para")])
    para = write(tmp_path / "p.jsonl", records[:1])
    both = llamax("mix", "--para", para, "--aug", augmented, "--augment-high", "--copies", 1, "--near-duplicates", 0.7)
    assert len(parsed(both)) == 2


def test_an_equal_record_of_another_origin_does_not_take_one_with_it(llamax: Mix, tmp_path: Path) -> None:
    """A translation that is equal to a pair is gone already; what it is like is not."""
    draw = random.Random(9)
    for number in range(8):
        source, target = sentence(draw), sentence(draw)
        para = write(tmp_path / "p.jsonl", [pair(1, src=source, tgt=target)])
        more = [pair(1, src=source, mt=target), pair(2, src=f"{source} {number}", mt=target)]
        for each in more:
            del each["tgt"]
        done = llamax("mix", "--para", para, "--mt", write(tmp_path / "t.jsonl", more), "--copies", 1,
                      "--near-duplicates", 0.8)  # fmt: skip
        assert {sample["origin"] for sample in parsed(done)} == {"para", "mt"}


def test_the_plan_counts_what_stays(llamax: Mix, tmp_path: Path) -> None:
    """Near duplicates are not pairs that a language has."""
    draw = random.Random(5)
    source, target = sentence(draw), sentence(draw)
    records = [pair(1, src=source, tgt=target), pair(2, src=source + " x", tgt=target)]
    plans = [parsed(run(llamax, tmp_path, records, "--plan", *more)) for more in ((), ("--near-duplicates", 0.8))]
    assert [plan[0]["have"] for plan in plans] == [2, 1]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 0.99, 1.0])
def test_a_pair_at_the_threshold_is_compared(threshold: float) -> None:
    """With at least the probability that is promised."""
    bands, rows = band_shape(threshold)
    assert bands * rows <= 128
    assert 1 - (1 - threshold**rows) ** bands >= 0.95


@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_the_hashes_of_n_grams_are_those_of_each_text_alone(lines: list[str]) -> None:
    """Whatever stands before and after it."""
    starts, hashes = _gram_hashes(lines)
    for line, part in zip(lines, np.split(hashes, starts[1:]), strict=True):
        (_, alone) = _gram_hashes([line])
        assert part.tolist() == alone.tolist()
        assert len(set(part.tolist())) == len({line.ljust(5, "\0")[n : n + 5] for n in range(max(1, len(line) - 4))})


def test_signatures_estimate_similarity() -> None:
    """The share of equal bands is that which theory says, for bands of one hash the similarity itself."""
    draw = random.Random(2)
    signatures = Signatures(0.3)
    line = sentence(draw, 60)
    other = edited(draw, line, 12)
    seeds = np.zeros(1, np.uint64)
    same = signatures.of_rows([[line]], seeds) == signatures.of_rows([[other]], seeds)
    assert same.mean() == pytest.approx(similarity(line, other) ** signatures.rows, abs=0.15)


@pytest.mark.parametrize("is_flipped", [False, True])
@pytest.mark.parametrize(("source", "target"), [("en", "sw"), ("sw", "en")])
def test_sides_are_in_one_order(source: str, target: str, is_flipped: bool) -> None:
    """That of the codes, whichever way the pair is written."""
    subset = Subset("para", source, target)
    texts = {"en": "one \\u0041", "sw": "moja"}
    first, second = subset.sample_languages(flipped=is_flipped)
    line = HEAD + texts[first].encode() + JOINT + texts[second].encode() + ID + b'"x"' + subset.tail(flipped=is_flipped)
    assert sides(line, subset) == ["one A", "moja"]
