"""How much a translation loses when it is killed: what it is at, and no answer that has come."""

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

import pytest
from support import fakes, zygote
from support.fakes import Tagger
from support.processes import wait_until
from support.translations import pair, put

from llamax_cli import cli
from llamax_cli.models import batching
from llamax_cli.models.batching import EncodedRequest, Pace, RunningBatch, batches, paced
from llamax_cli.models.contracts import Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.streams.settings import Settings
from llamax_cli.translation import kept_answers
from llamax_cli.translation.kept_answers import KeptAnswers

BATCH = 4  # sentences, of the engine `fakes.Batches`
COUNT = 40
CALLS = {
    "translate": ["translate", "in.jsonl", "--model", "m"],
    "translate --into": ["translate", "in.jsonl", "--model", "m", "--into", "de,fr"],
    "pivot": ["pivot", "in.jsonl", "--model", "m", "--via", "sw"],
}


def start(folder: Path, *call: object) -> zygote.Process:
    """Start a command with that engine."""
    return zygote.zygote("small").start([fakes.__file__, "Batches", *call], cwd=folder)


def asked(folder: Path) -> Counter[str]:
    """Return what the engine has translated so far, and how often."""
    path = folder / "asked"
    return Counter(path.read_text().splitlines() if path.exists() else [])


def wait_for_answers(folder: Path, count: int, process: zygote.Process) -> None:
    """Wait until the engine has translated so much, or the command has ended."""
    wait_until(lambda: asked(folder).total() >= count or process.poll() is not None)


@pytest.mark.parametrize("name", CALLS)
def test_a_killed_run_loses_one_batch(tmp_path: Path, name: str) -> None:
    """However often it is killed, at any moment, and although the first records come last; the bytes are the same."""
    moments = random.Random(name)
    for folder in ("whole", "killed"):
        (tmp_path / folder).mkdir()
        records = (
            {"id": str(number), "src": f"text {number}", "src_lang": "en", "tgt_lang": "de"} for number in range(COUNT)
        )
        (tmp_path / folder / "in.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert start(tmp_path / "whole", *CALLS[name], "-o", "out.jsonl", "-q").wait(60) == 0
    folder = tmp_path / "killed"
    kills = 0
    while True:
        before = asked(folder)
        process = start(folder, *CALLS[name], "-o", "out.jsonl", "-q", "--resume")
        wait_for_answers(folder, before.total() + moments.randrange(1, 16), process)
        time.sleep(moments.random() / 10)
        process.send_signal(signal.SIGKILL)
        if process.wait(60) == 0:
            break
        kills += 1
    assert kills > 1
    assert (folder / "out.jsonl").read_bytes() == (tmp_path / "whole" / "out.jsonl").read_bytes()
    again = asked(folder).total() - asked(tmp_path / "whole").total()
    assert again <= kills * BATCH
    assert {path.name for path in folder.iterdir()} == {"in.jsonl", "out.jsonl", "asked"}


def decoded(
    planned: Iterable[list[EncodedRequest]],
    pace: Pace,
    speed: float,
    monkeypatch: pytest.MonkeyPatch,
    *,
    waiting: int = 0,
    busy: int = 0,
) -> list[float]:
    """Return the seconds of each batch, for a model that makes `speed` tokens a second.

    Each step waits for the weights as long as `waiting` sentences take, and the first `busy` batches take six times as
    long.
    """
    now = 0.0
    monkeypatch.setattr(batching.time, "monotonic", lambda: now)
    seconds, done = [], []
    for batch in paced(planned, 1, pace):
        took = max(request.cost(1) for request in batch) * (waiting + len(batch)) / speed
        took *= 6 if len(seconds) < busy else 1
        now += took
        seconds.append(took)
        done += [request.index for request in batch]
    assert sorted(done) == list(range(len(done)))
    return seconds


@pytest.mark.parametrize("speed", [50, 500, 5_000, 500_000])
def test_batches_are_sized_by_time(speed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a CPU no batch takes over 10 s unless it is a single sentence; where it is fast, they become full ones."""
    lengths = random.Random(1)
    requests = [EncodedRequest(index, [1] * lengths.randrange(5, 60), 256) for index in range(2000)]
    budget = batching.token_budget(None, on_cpu=True)
    planned = batches(requests, budget, 1)
    seconds = decoded(planned, Pace.of_tokens(budget, on_cpu=True), speed, monkeypatch)
    single = max(request.cost(1) for request in requests) / speed
    first = batching.CPU_FIRST / speed
    assert seconds[0] <= max(first, single)
    assert max(seconds[5:]) <= max(10, single)
    assert len(seconds) <= len(planned) + 3 or max(seconds) * 2 > batching.AIM


def test_batches_grow_again_on_a_machine_that_was_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the time that a batch may take is used, in which more sentences wait for the same weights."""
    requests = [EncodedRequest(index, [1] * 40, 256) for index in range(400)]
    budget = batching.token_budget(None, on_cpu=True)
    pace = Pace.of_tokens(budget, on_cpu=True)
    seconds = decoded(batches(requests, budget, 1), pace, 300, monkeypatch, waiting=6, busy=5)
    assert max(seconds[2:5]) <= 15  # a single sentence takes 13.4
    assert all(batching.AIM / 2 < each <= batching.SLOW for each in seconds[10:])  # nor are rests left
    assert max(seconds[10:]) > batching.AIM - 0.5


def test_batches_of_a_run_that_cannot_be_resumed_are_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept of it, so that a kill loses no more than it did; they are soon as large as there is time for."""
    requests = [EncodedRequest(index, [1] * 40, 256) for index in range(400)]
    budget = batching.token_budget(None, on_cpu=True)
    planned = batches(requests, budget, 1)
    seconds = decoded(planned, Pace.of_tokens(budget, on_cpu=True, is_resumable=False), 60, monkeypatch, waiting=6)
    assert batching.UNSAVED_AIM / 2 < median(seconds) <= max(seconds) <= batching.UNSAVED_AIM * 1.25
    seconds = decoded(planned, Pace.of_tokens(budget, on_cpu=True, is_resumable=False), 600, monkeypatch)
    assert seconds[1] > 3.5 * seconds[0]


class Clock:
    """Translates sentences of given lengths, one token a step, by a clock of its own.

    `seconds` is the time that it has taken, `at_risk` the work that a kill would have lost after each step.
    """

    def __init__(self, lengths: list[int], step: Callable[[int], float], monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        self.at_risk: list[float] = []
        self._lengths = lengths
        self._step = step
        self._now = 0.0
        monkeypatch.setattr(batching.time, "monotonic", lambda: self._now)

    def translate(self, pace: Pace) -> None:
        """Translate each sentence once."""
        batch = RunningBatch((EncodedRequest(index, [1] * 40, 256) for index in range(len(self._lengths))), 1, pace)
        done: list[int] = []
        steps: dict[int, int] = {}
        spent: dict[int, float] = {}
        while True:
            for request in batch.join():
                steps[request.index], spent[request.index] = 0, 0.0
            if not steps:
                break
            took = self._step(len(steps))
            self.seconds += took
            self._now += took
            for index in steps:
                steps[index] += 1
                spent[index] += took / len(steps)
            ended = [index for index in steps if steps[index] == self._lengths[index]]
            assert [request.index for request, _ in batch.leave([(index, None) for index in ended])] == ended
            for index in ended:
                del steps[index], spent[index]
            done += ended
            self.at_risk.append(sum(spent.values()))
            self._now += 100  # for which the answers wait to be read
        assert sorted(done) == list(range(len(self._lengths)))


@pytest.mark.parametrize("speed", [2, 20, 100, 1000])
@pytest.mark.parametrize("longest", [30, 250])
def test_sentences_join_while_little_is_at_risk(speed: int, longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill loses at most 10 s of work, or hardly more than a single sentence, and all that time is made use of.

    The first sentences may lose more, as it is not yet known how long they take.
    """
    draw = random.Random(2)
    lengths = [draw.randrange(1, longest) for _ in range(600)]
    clock = Clock(lengths, lambda sentences: (6 + sentences) / 6 / speed, monkeypatch)
    clock.translate(Pace.of_tokens(batching.token_budget(None, on_cpu=True), on_cpu=True, aim=batching.AT_RISK))
    longest_alone, all_alone = longest * 7 / 6 / speed, sum(lengths) * 7 / 6 / speed
    assert max(clock.at_risk[: 2 * longest]) <= max(10, 2 * longest_alone)
    assert max(clock.at_risk[2 * longest :]) <= max(10, 1.2 * longest_alone)
    assert clock.seconds <= all_alone * (1 if longest_alone > 5 else 0.2)


def test_as_many_join_again_when_the_machine_is_no_longer_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """While all takes eight times as long, and a sentence 28 s, hardly any are translated together."""
    counts: list[tuple[float, int]] = []

    def step(sentences: int) -> float:
        counts.append((clock.seconds, sentences))
        return (6 + sentences) / 100 * (8 if 50 < clock.seconds < 200 else 1)

    clock = Clock([50] * 1000, step, monkeypatch)
    clock.translate(Pace.of_tokens(1 << 14, on_cpu=True, aim=batching.AT_RISK))
    before, busy, after = (
        [count for seconds, count in counts if begin < seconds < end]
        for begin, end in ((25, 50), (100, 200), (250, clock.seconds - 10))
    )
    assert max(busy) <= 3 < 6 < min(median(before), median(after))


def test_a_constant_pace_does_not_depend_on_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same sentences are together at each step, so that evaluation during training can be repeated."""
    draw = random.Random(3)
    lengths = [draw.randrange(1, 50) for _ in range(100)]
    counts: dict[float, list[int]] = {0.001: [], 10: []}
    for seconds, seen in counts.items():
        step = lambda sentences, seconds=seconds, seen=seen: seen.append(sentences) or seconds  # noqa: E731
        Clock(lengths, step, monkeypatch).translate(Pace.constant(1000))
    assert counts[0.001] == counts[10]


def test_a_long_sentence_leaves_no_room_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sentences of a batch take as much memory as its longest."""
    requests = [EncodedRequest(index, [1] * 20, 40) for index in range(100)]
    batch = RunningBatch(requests, 1, Pace.constant(1000))
    assert len(batch.join()) == 1000 // requests[0].cost(1) == 17
    batch.leave([(index, None) for index in range(10)])
    assert len(batch.join(held=111)) == 1000 // 111 - 7 == 2
    batch.leave([])
    assert batch.join(held=200) == []


@pytest.mark.parametrize("options", [(), ("-o", "out.jsonl")])
@pytest.mark.parametrize("command", [("translate",), ("pivot", "--via", "fr", "--second-model", "n")])
def test_an_engine_knows_whether_its_answers_are_kept(
    tagger: type[Tagger], command: tuple[str, ...], options: tuple[str, ...]
) -> None:
    """They are in a file, but not in a pipe."""
    put(pair("a"))
    assert cli.run([*command, "in.jsonl", "--model", "m", "-q", *options]) == 0
    assert {choice.is_resumable for choice, _ in tagger.opened} == {bool(options)}


@pytest.mark.parametrize("speed", [2_000, 500_000])
def test_batches_on_a_gpu_stay_large(speed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step takes about as long for few sentences as for many, so that small batches would only be slower."""
    requests = [EncodedRequest(index, [1] * 40, 256) for index in range(20_000)]
    budget = batching.token_budget(None, on_cpu=False)
    planned = batches(requests, budget, 1)
    seconds = decoded(planned, Pace.of_tokens(budget, on_cpu=False), speed, monkeypatch)
    assert len(seconds) <= (len(planned) if speed > 100_000 else (len(planned) + 1) * batching.GPU_PARTS)


# -- the file --------------------------------------------------------------------------------------------------------

ASKED = [TranslationRequest(f"text {number}\r", "en", "de") for number in range(5)]


def kept(folder: Path, *, resume: bool = True, model: str = "m") -> KeptAnswers:
    """Return the kept answers of a run."""
    return KeptAnswers(Settings(output=folder / "out", resume=resume), ModelChoice(model), Decoding(), {})


@pytest.fixture
def answered(tmp_path: Path) -> Path:
    """Return the file with five answers."""
    first = kept(tmp_path, resume=False)
    for request in ASKED:
        first.add(request, [Hypothesis(request.src.upper(), False)])
    return tmp_path / "out.partial.answers"


def test_answers_are_there_at_once(answered: Path) -> None:
    """Nothing was closed or flushed."""
    assert kept(answered.parent).load() == {each: [Hypothesis(each.src.upper(), False)] for each in ASKED}
    assert kept(answered.parent, model="other").load() == {}
    assert kept(answered.parent, resume=False).load() == {}


def test_a_torn_answer_is_written_over(answered: Path) -> None:
    """Wherever the file ends, the answers before that count, and those of the resumed run follow them."""
    data = answered.read_bytes()
    for end in range(len(data)):
        answered.write_bytes(data[:end])
        resumed = kept(answered.parent)
        found = resumed.load()
        assert found == {each: [Hypothesis(each.src.upper(), False)] for each in ASKED[: len(found)]}
        assert len(found) == max(0, data[:end].count(b"\n") - 1)
        for each in ASKED[len(found) :]:
            resumed.add(each, [Hypothesis(each.src.upper(), False)])
        resumed.close()
        assert len(kept(answered.parent).load()) == len(ASKED)


def test_a_large_file_is_written_anew(answered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the answers that are not written elsewhere, and with those that come after it."""
    resumed = kept(answered.parent)
    answers = resumed.load()
    resumed.forget_all_but({})
    assert len(kept(answered.parent).load()) == 5
    monkeypatch.setattr(kept_answers, "LARGE", 100)
    resumed.forget_all_but({ASKED[0]: answers[ASKED[0]]})
    resumed.add(ASKED[3], answers[ASKED[3]])
    assert list(kept(answered.parent).load()) == [ASKED[0], ASKED[3]]


def test_answers_of_version_0_1_0_are_read(answered: Path) -> None:
    """They were one object; from the first answer on, it is a file of this version."""
    first, *lines = answered.read_bytes().splitlines()
    old = {"key": json.loads(first)["key"], "answers": [json.loads(line) for line in lines[:3]]}
    answered.write_text(json.dumps(old))
    resumed = kept(answered.parent)
    assert list(resumed.load()) == ASKED[:3]
    resumed.add(ASKED[4], [Hypothesis("x", False)])
    assert list(kept(answered.parent).load()) == [*ASKED[:3], ASKED[4]]
