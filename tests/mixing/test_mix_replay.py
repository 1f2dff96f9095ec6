"""`mix --replay`: a share of general text in every epoch, exact but for the size of a record."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.processes import Outcome, one_line
from support.records import pair, parsed, text, write

from llamax_cli.mixing.replay import BINS, SHIFT, Measured, ReplaySettings, ReplaySizes
from llamax_cli.tokenization import load

Mix = Callable[..., Outcome]
GENERAL: list[dict[str, Any]] = [
    *({"id": f"g:{n}", "text": f"General text number {n}, " + "with words " * (n % 7)} for n in range(60)),
    *({"id": f"p:{n}", "prompt": f"What is {n} + 1?", "completion": f" It is {n + 1}."} for n in range(20)),
    *({"id": f"i:{n}", "instruction": f"Count to {n}.", "output": "One, two.", "lang": "eng"} for n in range(20)),
]


@pytest.fixture
def files(tmp_path: Path) -> list[object]:
    """The arguments that name the files of a mixture with general text."""
    para = write(tmp_path / "p.jsonl", [pair(n) for n in range(50)])
    mono = write(tmp_path / "m.jsonl", [text(n) for n in range(20)])
    return ["--para", para, "--mono", mono, "--copies", 2, "--replay", write(tmp_path / "g.jsonl", GENERAL)]


def size(sample: dict[str, Any], count: Callable[[str], int] = len) -> int:
    """Return the size of a sample."""
    return count(sample["prompt"] + sample["completion"])


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_the_share_is_as_near_as_whole_records_can_be(
    llamax: Mix, tmp_path: Path, files: list[object], share: float
) -> None:
    """In characters; beyond all of it, every record is repeated equally often, but for one round."""
    done = llamax("mix", *files, "--replay-share", share, "--manifest", "m.json")
    mixed = parsed(done)
    replayed = [sample for sample in mixed if sample["origin"] == "replay"]
    others = sum(size(sample) for sample in mixed if sample["origin"] != "replay")
    total = sum(map(size, replayed))
    largest = max((size(sample) for sample in replayed), default=0)
    assert abs(total - others * share / (1 - share)) <= largest / 2 + 0.5
    copies = Counter(sample["id"] for sample in replayed)
    assert not copies or max(copies.values()) - (min(copies.values()) if len(copies) == 100 else 0) <= 1
    figures = json.loads((tmp_path / "m.json").read_text())["figures"]
    assert (figures["replay"]["replayed"], figures["replay"]["others"]) == (total, others)
    assert f"{100 * total / (total + others):.1f}% of {total + others:,} characters replayed" in done.stderr.decode()
    if len(copies) < 100:
        assert f"{100 - len(copies)} not drawn (replay)" in done.stderr.decode()


@pytest.mark.parametrize("name", ["llama2", "llama3"])
def test_the_share_is_exact_in_tokens(llamax: Mix, tmp_path: Path, data: Path, files: list[object], name: str) -> None:
    """Of the tokenizer that is given, copies in the other direction included."""
    folder = next(iter(sorted((data / "tokenizers").glob(f"*{name}*"))), None)
    if folder is None:
        pytest.skip(f"no tokenizer {name}")
    done = llamax("mix", *files, "--replay-share", 0.4, "--tokenizer", folder, "--manifest", "m.json")
    mixed = parsed(done)
    count = load(folder).count
    sizes = {is_replayed: sum(size(each, count) for each in mixed if (each["origin"] == "replay") == is_replayed)
             for is_replayed in (True, False)}  # fmt: skip
    figures = json.loads((tmp_path / "m.json").read_text())["figures"]["replay"]
    assert (figures["unit"], figures["replayed"], figures["others"]) == ("tokens", sizes[True], sizes[False])
    largest = max(size(each, count) for each in mixed if each["origin"] == "replay")
    assert abs(sizes[True] - sizes[False] * 0.4 / 0.6) <= largest / 2 + 0.5


def test_the_rest_of_the_mixture_is_as_it_was(llamax: Mix, files: list[object]) -> None:
    """The same samples in the same order; what is replayed is between them."""
    mixed = llamax("mix", *files).stdout.splitlines()
    alone = llamax("mix", *files[:6]).stdout.splitlines()
    assert [line for line in mixed if b'"origin":"replay"' not in line] == alone
    places = [place for place, line in enumerate(mixed) if b'"origin":"replay"' in line]
    assert places[0] < len(mixed) / 3 and places[-1] > len(mixed) * 2 / 3


def test_samples_keep_prompt_language_and_id(llamax: Mix, files: list[object]) -> None:
    """A text is all learned; of an instruction or a sample only the completion is."""
    found = {sample["id"]: sample for sample in parsed(llamax("mix", *files, "--replay-share", 0.9))}
    assert found["g:3"] == {"prompt": "", "completion": GENERAL[3]["text"], "id": "g:3", "origin": "replay"}
    assert found["p:3"] == {**GENERAL[63], "origin": "replay"}
    assert found["i:3"]["prompt"].endswith("### Instruction:\nCount to 3.\n### Response:")
    assert (found["i:3"]["completion"], found["i:3"]["lang"]) == (" One, two.", "en")


def test_order_workers_and_memory_change_nothing(llamax: Mix, tmp_path: Path, files: list[object]) -> None:
    """With whole rounds and a rest."""
    first = llamax("mix", *files, "--replay-share", 0.8)
    write(tmp_path / "g.jsonl", GENERAL[::-1])
    again = llamax("mix", *files, "--replay-share", 0.8, "--workers", 2, "--memory", "24K")
    assert first.returncode == again.returncode == 0
    assert again.stdout == first.stdout


def test_every_epoch_draws_others(llamax: Mix, files: list[object]) -> None:
    """So that all of the general text comes up in time."""
    drawn = [
        {sample["id"] for sample in parsed(llamax("mix", *files, "--epoch", epoch)) if sample["origin"] == "replay"}
        for epoch in range(3)
    ]
    assert len(drawn[0] | drawn[1] | drawn[2]) > 1.5 * len(drawn[0])


def test_evaluation_sets_are_kept_out_of_what_is_replayed(llamax: Mix, tmp_path: Path, files: list[object]) -> None:
    """Out of texts sentence by sentence, otherwise the whole sample."""
    (tmp_path / "test.en").write_text("It is 4.\nGeneral text number 0,\n")
    done = llamax("mix", *files, "--replay-share", 0.9, "--exclude", "test.en")
    assert not {"p:3", "g:0"} & {sample["id"] for sample in parsed(done)}
    assert b"2 in an evaluation set (replay)" in done.stderr


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"messages": []}, "chats need the template of a model"),
        ({"src": "a", "tgt": "b"}, "neither 'text', nor 'completion', nor 'instruction'"),
        ({"text": 3}, "'text' is a number, not a string"),
        ({"text": "a", "lang": "klingonese"}, "unknown language"),
        ({"instruction": "a"}, "no 'output' in the record"),
    ],
)
def test_what_cannot_be_replayed_is_a_bad_line(
    llamax: Mix, tmp_path: Path, files: list[object], record: dict[str, Any], reason: str
) -> None:
    """At its place; `--rejects` sets it aside."""
    write(tmp_path / "g.jsonl", [GENERAL[0], record])
    one_line(llamax("mix", *files), 65, "g.jsonl:2: ", reason)
    done = llamax("mix", *files, "--rejects", "bad.jsonl")
    assert done.returncode == 0
    assert b"1 rejected" in done.stderr


def test_a_share_needs_a_mixture_and_something_to_replay(llamax: Mix, tmp_path: Path, files: list[object]) -> None:
    """Both are said in one line."""
    one_line(llamax("mix", "--replay", "g.jsonl"), 2, "name files after --para, --mono, --aug or --mt, too")
    one_line(llamax("mix", *files[:4], "--replay-share", 0.1), 2, "name files after --replay")
    (tmp_path / "g.jsonl").write_text("")
    one_line(llamax("mix", *files), 65, "no record to replay is left")


def test_the_plan_asks_for_no_translations_into_what_is_replayed(
    llamax: Mix, tmp_path: Path, files: list[object]
) -> None:
    """Its languages are no part of the recipe."""
    write(tmp_path / "g.jsonl", [{"text": "Bonjour.", "lang": "fr"}])
    assert {line["tgt_lang"] for line in parsed(llamax("mix", *files, "--plan"))} == {"sw"}


@given(
    st.lists(
        st.tuples(st.integers(0, (1 << 64) - 1), st.integers(1, 50)), min_size=1, max_size=30, unique_by=lambda x: x[0]
    ),
    st.integers(0, 500),
    st.floats(0, 0.99),
)
def test_what_is_drawn_is_nearest_to_the_share(records: list[tuple[int, int]], others: int, share: float) -> None:
    """Of all numbers of records in the order of their draw keys, whole rounds included, none comes nearer."""
    records.sort()
    keys = np.array([key for key, _ in records], np.uint64)
    sizes = np.array([each for _, each in records], np.int64)
    bins = (keys >> np.uint64(SHIFT)).astype(np.int64)
    total = ReplaySizes()
    unique = np.unique(bins)
    total.add(
        Measured(
            others,
            unique,
            np.array([sizes[bins == each].sum() for each in unique]),
            np.array([(bins == each).sum() for each in unique]),
        )
    )
    assert total.sizes.shape == (BINS,)
    settings = ReplaySettings(share)
    draw, samples, size = total.draw(settings, lambda place: [(keys[bins == place], sizes[bins == place])])
    once_more = [each for key, each in records if key < draw.bound]
    assert samples == draw.rounds * len(records) + len(once_more)
    assert size == draw.rounds * sizes.sum() + sum(once_more)
    target = settings.target(others)
    whole = int(sizes.sum())
    ends = [rounds * whole + int(end) for rounds in (draw.rounds, draw.rounds + 1) for end in np.cumsum([0, *sizes])]
    assert abs(size - target) == pytest.approx(min(abs(end - target) for end in ends))
