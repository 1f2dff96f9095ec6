"""The trainer's data: random access to records, each record once an epoch, blocks with hardly an empty slot."""

import errno
import io
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.records import write
from support.runs import sample, small_tokenizer, tokenizer

from llamax_cli.config import Training
from llamax_cli.errors import DataError, FileError, LlamaxError, ModelError, ResumeError, TrainingError, UsageError
from llamax_cli.models.pretrained import load_tokenizer
from llamax_cli.models.sample_encoding import Encoder, encoder_of
from llamax_cli.models.samples import Sample
from llamax_cli.records import PLAIN_TEXT
from llamax_cli.training import count_tokens, packing, preflight
from llamax_cli.training.dataset import Cache, Dataset, open_sample_file
from llamax_cli.training.estimates import DataCounts
from llamax_cli.training.job import Job
from llamax_cli.training.machines import list_gpus
from llamax_cli.training.packed_dataset import NOTHING, TOO_LONG, describe_rejected, prepare
from llamax_cli.training.sampler import DataPosition, make_plan, open_plan, usable

LENGTHS = st.lists(st.integers(1, 40), max_size=200)


def opened(tmp_path: Path, *files: Path) -> Dataset:
    """Return the records of files."""
    return Dataset([open_sample_file(file, Cache(tmp_path / "cache")) for file in files])


# -- random access -----------------------------------------------------------------------------------------------------


def test_any_record_of_several_files_is_read_by_its_number(tmp_path: Path) -> None:
    """Numbers continue from file to file; the last line needs no line end."""
    records = [sample(number) for number in range(25)]
    first = write(tmp_path / "a.jsonl", records[:10])
    second = write(tmp_path / "b.jsonl", records[10:])
    second.write_bytes(second.read_bytes().rstrip(b"\n"))
    samples = opened(tmp_path, first, write(tmp_path / "none.jsonl", []), second)
    assert [each.id for each in samples] == [each["id"] for each in records]
    assert [each.completion for each in samples.between(3, 22)] == [each["completion"] for each in records[3:22]]
    assert samples.where(12) == f"{second}:3"
    assert samples.between(5, 5) == []


def test_a_file_is_indexed_once_and_again_when_it_changes(tmp_path: Path) -> None:
    """The cache keeps the index under path, size and time; the digest is a hash of the content."""
    path = write(tmp_path / "a.jsonl", [sample(1), sample(2)])
    cache = Cache(tmp_path / "cache")
    before = open_sample_file(path, cache)
    assert open_sample_file(path, cache).digest == before.digest
    assert len(list(cache.folder.iterdir())) == 1
    write(path, [sample(1), sample(3), sample(4)])
    after = open_sample_file(path, cache)
    assert (len(before), len(after)) == (2, 3)
    assert before.digest != after.digest


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "not JSON"),
        (
            b"house\tHaus",
            f"not JSON: invalid character (byte 0){PLAIN_TEXT}",
        ),
        (b'{"prompt":"x"}', "no 'completion' in the record (it has prompt)"),
        (b'{"completion":1}', "'completion' is a number, not a string"),
        (b'{"completion":"x","lang":null}', "'lang' is null, not a string"),
        (b"", "empty line"),
        (b'{"completion":"\xff"}', "not UTF-8"),
    ],
)
def test_a_bad_record_is_reported_with_its_place(tmp_path: Path, line: bytes, reason: str) -> None:
    """File, line and reason, whether it is read alone or with its neighbours."""
    path = tmp_path / "bad.jsonl"
    path.write_bytes(json.dumps(sample(1)).encode() + b"\n" + line + b"\n" + json.dumps(sample(2)).encode() + b"\n")
    samples = opened(tmp_path, path)
    for read in (lambda: samples[1], lambda: samples.between(0, 3)):
        with pytest.raises(DataError) as raised:
            read()
        assert str(raised.value).startswith(f"{path}:2: {reason}")


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08rest", b"\x28\xb5\x2f\xfdrest"])
def test_compressed_data_is_refused_with_what_to_do(tmp_path: Path, head: bytes) -> None:
    """Random access needs plain bytes."""
    (tmp_path / "a.jsonl.gz").write_bytes(head)
    with pytest.raises(DataError, match=r"is compressed; .* decompress it first"):
        opened(tmp_path, tmp_path / "a.jsonl.gz")
    with pytest.raises(FileError, match="no such file"):
        opened(tmp_path, tmp_path / "none.jsonl")


# -- blocks ------------------------------------------------------------------------------------------------------------


def best_fit_decreasing(lengths: list[int], block: int) -> list[int]:
    """Return how full each bin is after textbook best-fit decreasing, one item at a time."""
    bins: list[int] = []
    for length in sorted(lengths, reverse=True):
        fits = [place for place, full in enumerate(bins) if full + length <= block]
        if fits:
            bins[max(fits, key=lambda place: bins[place])] += length
        else:
            bins.append(length)
    return sorted(bins)


@given(LENGTHS, st.integers(40, 90))
def test_packing_is_best_fit_decreasing(lengths: list[int], block: int) -> None:
    """Every item is in exactly one bin, no bin is too full, and all are as full as the textbook's."""
    bins = packing.pack(np.array(lengths, np.int64), block)
    assert sorted(bins.items.tolist()) == list(range(len(lengths)))
    full = [sum(lengths[i] for i in bins.items[bins.starts[b] : bins.starts[b + 1]]) for b in range(len(bins))]
    assert sorted(full) == best_fit_decreasing(lengths, block)


def test_blocks_of_real_sentences_are_full(data: Path, tmp_path: Path) -> None:
    """At least 99% of the slots are used with the lengths of real sentences."""
    lengths = []
    for path in sorted((data / "ntrex128").rglob("*.txt"))[::6]:
        lengths += [1 + len(line.encode()) // 4 for line in path.read_text(encoding="utf-8").splitlines()]
    measured = np.array(lengths)
    bins = make_plan(measured, np.ones_like(measured), 2048, 0, 0)
    assert len(measured) > 10_000
    assert measured[measured <= 2048].sum() / (len(bins) * 2048) > 0.99


@given(LENGTHS, st.integers(0, 5), st.integers(1, 7), st.integers(1, 7))
def test_an_epoch_has_every_record_once_whatever_the_batch(
    lengths: list[int], seed: int, first: int, then: int
) -> None:
    """A run that stops anywhere and resumes with another batch size sees every record exactly once."""
    measured = np.array(lengths, np.int64)
    bins = make_plan(measured, np.ones_like(measured), 30, seed, 3)
    cursor, seen, stop = 0, list[int](), len(bins) // 2
    while cursor < len(bins):
        batch = first if cursor < stop else then
        for block in range(cursor, min(cursor + batch, len(bins))):
            seen += bins.items[bins.starts[block] : bins.starts[block + 1]].tolist()
        cursor += batch
    assert sorted(seen) == usable(measured, np.ones_like(measured), 30).tolist()
    assert len(set(seen)) == len(seen)


def test_seed_and_epoch_change_the_order_and_nothing_else_does(tmp_path: Path) -> None:
    """The same inputs give the same plan; another plan has another digest."""
    lengths = np.array([1 + number * 7919 % 37 for number in range(500)])
    plans = {
        (seed, epoch, block): open_plan(Cache(tmp_path), (lengths, lengths), ["facts"], block, seed, epoch)
        for seed in (0, 1)
        for epoch in (0, 1)
        for block in (64, 100)
    }
    orders = {tuple(plan.records(0) + plan.records(1)) for plan in plans.values()}
    assert len(orders) == len(plans) == len({plan.digest for plan in plans.values()})
    again = open_plan(Cache(tmp_path / "other"), (lengths, lengths), ["facts"], 64, 0, 1)
    assert [again.records(b) for b in range(len(again))] == [plans[0, 1, 64].records(b) for b in range(len(again))]
    again.check(again.start().advanced(3))
    with pytest.raises(ResumeError, match="differs from the checkpoint's"):
        again.check(DataPosition(1, 0, plans[1, 1, 64].digest))


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_prompt_and_completion_are_one_text(tmp_path: Path) -> None:
    """The tokens are those of the joined text, and the loss begins with the completion's first character."""
    words = small_tokenizer()
    encoder = encoder_of(words, "small")
    given = Sample(prompt="the dog sees", completion=" nyumba in the river")
    (encoded,) = encoder.encode([given])
    joined = words(given.prompt + given.completion, add_special_tokens=False)["input_ids"]
    assert encoded.tokens == [1, *joined, 2]
    learned = [token for token, wanted in zip(encoded.tokens, encoded.learned, strict=True) if wanted]
    assert words.decode(learned, skip_special_tokens=True).strip() == "nyumba in the river"
    assert learned[-1] == 2
    (whole,) = encoder.encode([Sample(completion="the dog")])
    assert whole.learned == [False] + [True] * (len(whole.tokens) - 1)


@settings(max_examples=50)
@given(st.text(max_size=12), st.text(max_size=12))
def test_every_token_of_the_completion_is_learned_and_none_of_the_prompt(prompt: str, completion: str) -> None:
    """Whatever the characters: a token that ends within the prompt is not learned, any other one is."""
    words = small_tokenizer()
    (encoded,) = encoder_of(words, "small").encode([Sample(prompt=prompt, completion=completion)])
    offsets = words.backend_tokenizer.encode(prompt + completion, add_special_tokens=False).offsets
    expected = [True] * len(offsets) if not prompt else [end > len(prompt) for _, end in offsets]
    assert encoded.learned == [False, *expected, True]
    assert encoded.supervised == sum(expected)


def test_the_rule_chooses_what_is_learned() -> None:
    """With `text`, all but the first token; lengths measured under one rule are not taken for those of another."""
    words = small_tokenizer()
    given = [
        Sample(prompt="the dog sees", completion=" nyumba"),
        Sample(completion="the dog", assistant_spans=((4, 7),)),
    ]
    by_completion, by_text = encoder_of(words, "small"), encoder_of(words, "small", "text")
    pair, chat = by_text.encode(given)
    assert pair.learned == [False] + [True] * (len(pair.tokens) - 1)
    assert chat.learned == [True] * len(chat.tokens)
    assert [each.tokens for each in by_completion.encode(given)] == [pair.tokens, chat.tokens]
    assert by_completion.digest != by_text.digest
    with pytest.raises(UsageError, match=r"loss = 'texts': did you mean text\?"):
        Training(loss="texts")


@pytest.mark.parametrize("name", ["llama2", "mistral"])
def test_real_tokenizers_mark_the_translation(data: Path, name: str) -> None:
    """With real SentencePiece files, the learned tokens spell the completion, byte fallback included."""
    words = load_tokenizer(str(data / "tokenizers" / name))
    encoder = encoder_of(words, name)
    for completion in (" Der Hund sitzt.", " ଓଡ଼ିଆ ଭାଷା", " ภาษาไทย", "日本語"):
        (encoded,) = encoder.encode([Sample(prompt="The dog sits.", completion=completion)])
        learned = [token for token, wanted in zip(encoded.tokens, encoded.learned, strict=True) if wanted]
        assert words.decode(learned, skip_special_tokens=True).strip() == completion.strip()
        assert encoded.tokens[:-1] == words(f"The dog sits.{completion}")["input_ids"]


def test_a_tokenizer_without_an_end_is_refused() -> None:
    """A model trained without one never stops."""
    with pytest.raises(ModelError, match="no end-of-text token"):
        encoder_of(tokenizer(eos=None), "endless")
    with pytest.raises(ModelError, match="cannot load the tokenizer of /nonexistent/model: "):
        load_tokenizer("/nonexistent/model")


# -- prepared data -----------------------------------------------------------------------------------------------------


def encoder() -> Encoder:
    """Return the encoder of the small tokenizer."""
    return encoder_of(small_tokenizer(), "small")


def test_what_cannot_be_trained_on_is_counted_by_language(tmp_path: Path) -> None:
    """Records that are too long or have nothing to learn are left out of the plan and reported."""
    records = [
        sample(0),
        {**sample(1, 200), "tgt_lang": "or"},
        {**sample(2), "completion": "", "tgt_lang": "lo"},
        sample(4),
    ]
    prepared = prepare([write(tmp_path / "a.jsonl", records)], encoder(), 64, 0, Cache(tmp_path / "cache"))
    assert prepared.rejected() == {TOO_LONG: Counter({"or": 1}), NOTHING: Counter({"lo": 1})}
    line = "1 record longer than the block (or 1); 1 record with nothing to learn (lo 1)"
    assert describe_rejected(prepared.rejected()) == line
    plan = prepared.plan(0)
    assert sorted(number for block in range(len(plan)) for number in plan.records(block)) == [0, 3]
    assert prepared.records == 2
    assert prepared.tokens == sum(
        length for length, *_ in encoder().measure([prepared.samples[0], prepared.samples[3]])
    )
    with pytest.raises(DataError, match=r"no record to train on .1 longer than the block"):
        prepare([write(tmp_path / "b.jsonl", records[1:2])], encoder(), 64, 0, Cache(tmp_path / "cache"))


def test_lengths_are_measured_once_for_a_file_and_a_tokenizer(tmp_path: Path) -> None:
    """A second run, or another block, takes them from the cache; another tokenizer does not."""
    path = write(tmp_path / "a.jsonl", [sample(number) for number in range(20)])
    measured: list[int] = []

    def run(encoder: Encoder, block: int = 64) -> None:
        prepare([path], encoder, block, 0, Cache(tmp_path / "cache"), lambda done, total: measured.append(done))

    run(encoder())
    run(encoder(), 32)
    assert measured == [20]
    run(encoder_of(tokenizer(size=60), "other"))
    assert measured == [20, 20]


@pytest.mark.parametrize(("epochs", "more", "planned"), [(0, 0, 10), (0, 1, 1), (1, 0, 1), (1, 1, 2), (20, 0, 10)])
def test_only_epochs_that_a_run_reaches_are_planned_before_it(
    tmp_path: Path, epochs: int, more: int, planned: int
) -> None:
    """However many epochs it may have; any other plan is made when it is asked for, and is the same."""
    cache = Cache(tmp_path / "cache")
    path = write(tmp_path / "a.jsonl", [sample(number) for number in range(40)])
    prepared = prepare([path], encoder(), 64, 0, cache)
    prepared.plan_ahead(10, epochs * prepared.plan(0).steps(2, "blocks") + more, 2, "blocks")
    assert len(list(cache.folder.glob("plan-*"))) == planned
    late, again = prepared.plan(9), prepare([path], encoder(), 64, 0, Cache(tmp_path / "other")).plan(9)
    assert (late.digest, late.bins.items.tolist()) == (again.digest, again.bins.items.tolist())


def test_a_cache_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """The error is ours, and names the cache."""
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(LlamaxError, match="cache"):
        prepare([write(tmp_path / "a.jsonl", [sample(1)])], encoder(), 64, 0, Cache(tmp_path / "cache"))


def test_a_disk_that_does_not_give_the_data_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the file: of records, or in the cache."""
    data = Dataset([open_sample_file(write(tmp_path / "a.jsonl", [sample(1)]), Cache(tmp_path / "cache"))])

    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pread", failing)
    with pytest.raises(FileError, match=r"/a\.jsonl: input/output error"):
        data[0]
    monkeypatch.setattr(np, "flatnonzero", failing)  # as if a read failed, which names no file
    with pytest.raises(FileError, match=r"/b\.jsonl: input/output error"):
        open_sample_file(write(tmp_path / "b.jsonl", [sample(1)]), Cache(tmp_path / "cache"))
    monkeypatch.setattr(np, "load", failing)
    with pytest.raises(FileError, match=r"cache/x\.npy: input/output error"):
        Cache(tmp_path / "cache").array("x", lambda: np.zeros(1))


def test_a_count_that_is_killed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which it cannot do itself."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], -9))
    with pytest.raises(TrainingError, match=r"counts tokens was killed by SIGKILL; did the memory run out\?"):
        preflight.count_tokens(Job("m", "m", (), "o", False, False, False, Training()))


def test_a_count_that_cannot_be_started_or_passed_on_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The system has no more processes, or nobody reads from the pipe."""
    job = Job("m", "m", (), "o", False, False, False, Training())

    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "run", failing)
    with pytest.raises(TrainingError, match=r"counts tokens cannot be started: resource temporarily unavailable"):
        preflight.count_tokens(job)
    monkeypatch.setattr("shutil.which", lambda tool: f"/bin/{tool}")
    with pytest.raises(TrainingError, match=r"/bin/nvidia-smi cannot be started: resource temporarily unavailable"):
        list_gpus()
    counted = DataCounts(*range(len(DataCounts._fields)))  # type: ignore[arg-type]
    monkeypatch.setattr(count_tokens, "count_tokens", lambda job: counted)
    monkeypatch.setattr(sys, "stdin", io.StringIO(job.to_json()))
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), open(writing, "w") as pipe, pytest.raises(SystemExit, match="1"):
        monkeypatch.setattr(sys, "stdout", pipe)
        count_tokens.main()
    assert capsys.readouterr().err == "llamax train: standard output: broken pipe\n"


def test_resuming_far_into_the_data_takes_no_time(tmp_path: Path) -> None:
    """The last record of the order is read at once, with the index and the plan from the cache."""
    count = 1_000_000
    path = tmp_path / "big.jsonl"
    path.write_bytes(b"".join(b'{"prompt":"","completion":" word","id":%d}\n' % number for number in range(count)))
    cache = Cache(tmp_path / "cache")
    source = open_sample_file(path, cache)
    lengths = np.random.Generator(np.random.Philox(1)).integers(10, 200, count)
    open_plan(cache, (lengths, lengths), ["facts"], 2048, 0, 0)
    start = time.perf_counter()
    samples = Dataset([open_sample_file(path, cache)])
    plan = open_plan(cache, (lengths, lengths), ["facts"], 2048, 0, 0)
    number = plan.records(len(plan) - 1)[-1]
    assert samples[number].id == number
    assert time.perf_counter() - start < 1
    assert len(source) == count
    assert random.Random(0).sample(range(count), 1) != [number]
