"""The parts of a mixture: evaluation sets, blocks, Algorithm 1, samples, tokenizers."""

import json
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from llamax_cli.errors import FileError
from llamax_cli.mixing.algorithm1 import Draw, MixtureParameters, apportion, count_pairs, missing_pairs, plan_samples
from llamax_cli.mixing.blocks import BlockCutter
from llamax_cli.mixing.buckets import BUCKETS, SHUFFLE_KEY
from llamax_cli.mixing.chunk_reader import ChunkReader, ReaderSettings
from llamax_cli.mixing.decontamination import EvaluationSet, normalise, normalise_lines
from llamax_cli.mixing.samples import flip_line
from llamax_cli.mixing.sampling_plan import SubsetTable, spread_over_buckets
from llamax_cli.mixing.subsets import EpochRandomness, Subset
from llamax_cli.streams.chunks import Chunk
from llamax_cli.tokenization import Tokenizer, load

# -- evaluation sets


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It rains.", "it rains"), (" «Ça  va ?»", "ça va"), ("ＡＢＣ", "abc"), ("e\u0301té", "été"),
        ("Tab\tand\u00a0space", "tab and space"), ("ΟΔΟΣ", "οδος"), ("天気。", "天気"), ("- a b -", "a b"),
        ("two\nlines", "two lines"), ("\u201cquoted\u201d…", "quoted"),
    ],
)  # fmt: skip
def test_equal_texts(one: str, other: str) -> None:
    """Compatibility forms, case, white space and punctuation at the ends do not matter."""
    assert normalise(one) == normalise(other) == other


@pytest.mark.parametrize(("one", "other"), [("a, b", "a b"), ("ab", "a b"), ("é", "e"), ("क", "कि"), ("1", "2")])
def test_different_texts(one: str, other: str) -> None:
    """Punctuation and spaces inside, marks and digits matter."""
    assert normalise(one) != normalise(other)


@given(some.lists(some.text(some.characters(codec="utf-8", exclude_characters="\n")), min_size=1))
def test_many_lines_are_normalised_like_each(lines: list[str]) -> None:
    """All at once gives the same as one by one."""
    whole = normalise_lines("\n".join(lines))
    assert whole == [normalise(line) for line in lines]


def test_sentences_are_found_in_lines_and_together() -> None:
    """A line, a sentence of a line, or several sentences that are one segment; the rest stays byte for byte."""
    held_out = EvaluationSet(["It rains.", "One. Two!  Three?", "雨が降る。", "Dr. Who lives", ""])
    assert held_out.remove_from("Look. It rains! Go in.\n\n  Then?") == ("Look. Go in.\n\n  Then?", 1)
    assert held_out.remove_from("A\nIT RAINS\nB") == ("A\nB", 1)
    assert held_out.remove_from("Zero. One. Two! Three? Four.") == ("Zero. Four.", 1)
    assert held_out.remove_from("晴れ。雨が降る。曇り。") == ("晴れ。曇り。", 1)
    assert held_out.remove_from("Dr. Who lives.") == ("", 1)
    for untouched in ("One. Two!", "It  rains in  Spain .", "", "\n\n", " Three? "):
        assert held_out.remove_from(untouched) == (untouched, 0)


def test_sentences_are_found_over_line_breaks() -> None:
    """A line end is white space like any other, wherever it stands; the lines around keep their ends."""
    held_out = EvaluationSet(["The cat sat.", "It rains. We stay at home today.", "no end"])
    assert held_out.remove_from("The cat\nsat.") == ("", 1)
    assert held_out.remove_from("Look.\nThe\ncat\n  sat. Go.\nOn.") == ("Look.\nGo.\nOn.", 1)
    assert held_out.remove_from("A title\nThe cat\nsat.\nThe cat sat. End.") == ("A title\nEnd.", 2)
    assert held_out.remove_from("Yes. It\nrains. We stay at\nhome today. No.") == ("Yes. No.", 1)
    assert held_out.remove_from("It rains.\nWe stay at home today.") == ("", 1)
    assert held_out.remove_from("There is no\nend\nto it.") == ("There is no\nend\nto it.", 0)
    for untouched in ("The cat\n\nsat down.", "It\nrains.\n", "The\n" * 30):
        assert held_out.remove_from(untouched) == (untouched, 0)


@given(some.lists(some.sampled_from(["The cat sat.", "It rains. We stay.", "Sun!", "x."]), max_size=6), some.data())
def test_wrapping_hides_nothing(sentences: list[str], data: some.DataObject) -> None:
    """Whichever spaces of a text are line ends, no sentence of the set is left in it."""
    text = "".join(data.draw(some.sampled_from(" \n")) if char == " " else char for char in " ".join(sentences))
    left, count = EvaluationSet(["The cat sat.", "It rains. We stay."]).remove_from(text)
    assert "cat" not in left and "stay" not in left
    assert count == sum(sentence not in ("Sun!", "x.") for sentence in sentences)


@given(some.lists(some.sampled_from(["It rains.", "Sun!", "One. Two.", "x."]), max_size=6))
def test_nothing_held_out_is_left(sentences: list[str]) -> None:
    """In any order of sentences."""
    left, count = EvaluationSet(["It rains.", "One. Two."]).remove_from(" ".join(sentences))
    assert "rains" not in left and "One. Two." not in left
    assert count == sum(sentence in ("It rains.", "One. Two.") for sentence in sentences)


# -- blocks


def words(text: str) -> list[int]:
    """Return where each token ends: runs of four letters or single others, with the space before them."""
    ends, start = [], 0
    for place, char in enumerate(text, 1):
        if place - start == 4 or not char.isalpha():
            ends.append(place)
            start = place
    return ends if start == len(text) else [*ends, len(text)]


@given(some.text(alphabet="ab \n\u0e01\u0e48é", max_size=200), some.integers(1, 20))
def test_pieces_joined_are_the_text_and_each_fits(text: str, block: int) -> None:
    """With a tokenizer that gives a block other tokens by itself than within its text."""
    pieces = list(BlockCutter(Tokenizer(lambda each: len(words(each)), words), block).cut(text))
    assert "".join(pieces) == text
    assert all(len(words(piece)) <= block for piece in pieces)
    assert all(pieces) or pieces == [""]


TOKENIZERS = ("llama2", "llama3", "mistral", "chinese-llama2")


@pytest.mark.parametrize("name", TOKENIZERS)
def test_real_tokenizers_cut_real_text(data: Path, name: str) -> None:
    """Every script, byte fallback included; blocks are well filled and no letter loses its marks."""
    tokenizer = load(data / "tokenizers" / name)
    for code in ("eng", "ory", "tha", "zho_simpl", "amh"):
        lines = (data / "flores101" / "devtest" / f"{code}.devtest").read_text(encoding="utf-8").split("\n")
        text = " ".join(lines[:60])
        pieces = list(BlockCutter(tokenizer, 128).cut(text))
        assert "".join(pieces) == text
        counts = [tokenizer.count(piece) for piece in pieces]
        assert max(counts) <= 128
        assert sum(counts[:-1]) / len(counts[:-1]) > 0.8 * 128, (code, counts)


@cache
def llama2(folder: Path) -> Tokenizer:
    """Return the tokenizer that falls back to bytes."""
    return load(folder / "tokenizers" / "llama2")


@settings(max_examples=50)
@given(text=some.text(max_size=300), block=some.integers(16, 40))
def test_any_text_is_cut(data: Path, text: str, block: int) -> None:
    """Any characters of Unicode."""
    tokenizer = llama2(data)
    pieces = list(BlockCutter(tokenizer, block).cut(text))
    assert "".join(pieces) == text
    assert all(tokenizer.count(piece) <= block for piece in pieces)


def test_a_tokenizer_of_hugging_face_is_loaded_from_its_file_or_folder(tmp_path: Path) -> None:
    """Special tokens are not counted, and the file's truncation is ignored."""
    from tokenizers import Tokenizer as Fast
    from tokenizers import models, pre_tokenizers, processors

    fast = Fast(models.WordLevel({"<s>": 0, "?": 1, "a": 2}, unk_token="?"))
    fast.pre_tokenizer = pre_tokenizers.Whitespace()
    fast.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 0)])
    fast.enable_truncation(2)
    fast.save(str(tmp_path / "tokenizer.json"))
    for path in (tmp_path, tmp_path / "tokenizer.json"):
        assert load(path).count("a b a b") == 4
        assert load(path).ends("a b") == [1, 3]


def test_llama3_gives_the_tokens_that_its_file_says(data: Path) -> None:
    """Counts of a few texts, among them single tokens of the vocabulary."""
    tokenizer = load(data / "tokenizers" / "llama3")
    for text, count in [("Hello world", 2), (" the", 1), ("1234567", 3), ("don't", 2), ("\n\n", 1)]:
        assert tokenizer.count(text) == count


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", b"{}", "is not a tokenizer that Hugging Face tokenizers can load"),
        ("tokenizer.json", b'{"a":', "is not a tokenizer that Hugging Face tokenizers can load"),
        ("tokenizer.model", b"\x00\x01", "is not a tokenizer that SentencePiece can load"),
        ("tokenizer.model", b"", "is not a tokenizer that SentencePiece can load"),
        ("tokenizer.model", b"YQ== 0\n!!! 1\n", "is not a tokenizer that tiktoken can load"),
    ],
)
def test_a_bad_tokenizer_is_reported_in_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """With the file and the library that could not load it."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=message) as error:
        load(tmp_path)
    assert name in str(error.value) and "\n" not in str(error.value)


# -- Algorithm 1

SUBSETS = some.builds(
    Subset,
    some.sampled_from(["para", "mt", "aug-para", "mono"]),
    some.sampled_from(["de", "sw", "yo"]),
    some.sampled_from(["en", "fr"]),
    some.just(""),
).map(lambda subset: subset._replace(tgt_lang="") if subset.origin == "mono" else subset)
COUNTS = some.dictionaries(SUBSETS, some.integers(1, 500), max_size=8)


@given(some.dictionaries(some.integers(), some.floats(0, 1e6), min_size=1, max_size=20), some.integers(0, 10_000))
def test_apportioned_numbers_sum_to_the_total(weights: dict[int, float], total: int) -> None:
    """None is 0 if the total is large enough, and larger weights get larger numbers."""
    found = apportion(weights, total)
    assert sum(found.values()) == total or not any(weights.values())
    if total >= len(weights) and any(weights.values()):
        assert min(found.values()) >= 1
        ordered = sorted(weights, key=lambda key: weights[key])
        assert all(found[a] <= found[b] + 1 for a, b in pairwise(ordered))


@given(COUNTS, some.integers(0, 600), some.booleans())
def test_fill_reaches_the_threshold_or_takes_all(counts: dict[Subset, int], threshold: int, high: bool) -> None:
    """And never takes more than is available."""
    numbers = MixtureParameters(per_language=threshold, copies=1, augment_high=high)
    draws = plan_samples(counts, numbers)
    assert all(draw.records == draw.samples for draw in draws.values())
    plan = {subset: draw.records for subset, draw in draws.items()}
    assert plan.keys() == counts.keys()
    assert all(0 <= plan[subset] <= count for subset, count in counts.items())
    assert all(plan[subset] == count for subset, count in counts.items() if subset.origin in ("para", "mono"))
    have = count_pairs(plan)
    for code in ("sw", "yo"):  # low-resource languages
        offered = [s for s in counts if code in s.languages and s.origin in ("mt", "aug-para")]
        taken = all(plan[subset] == counts[subset] for subset in offered)
        assert have[code] >= threshold or taken


@given(COUNTS, some.floats(0.2, 50), some.integers(1, 4), some.one_of(some.none(), some.integers(1, 100)))
def test_no_direction_is_ever_cut_to_nothing(
    counts: dict[Subset, int], temperature: float, copies: int, size: int | None
) -> None:
    """At any temperature and with any sizes."""
    plan = plan_samples(
        counts, MixtureParameters(copies=copies, para_size=size, mono_size=size, temperature=temperature)
    )
    assert all(plan[subset].records >= 1 for subset in counts if subset.origin in ("para", "mono"))
    assert all(draw.records <= min(counts[subset], draw.samples) for subset, draw in plan.items())


def test_the_numbers_of_the_paper_are_the_defaults() -> None:
    """25,000 per language, 25,000 per pair, three copies."""
    counts = {Subset("para", "en", "sw"): 24_999, Subset("para", "de", "en"): 25_000}
    assert plan_samples(counts, MixtureParameters()) == {
        Subset("para", "en", "sw"): (24_999, 74_997),
        Subset("para", "de", "en"): (25_000, 25_000),
    }
    assert missing_pairs(counts, 25_000) == [{"src_lang": "en", "tgt_lang": "sw", "have": 24_999, "missing": 1}]


def test_a_region_has_the_resources_of_its_language() -> None:
    """No augmented pairs of high-resource languages, whatever their region."""
    counts = {Subset("aug-para", "de-AT", "fr-CA"): 5, Subset("aug-para", "de", "sw-UG"): 5}
    plan = plan_samples(counts, MixtureParameters())
    assert [plan[subset].samples for subset in counts] == [0, 5]


def test_regions_are_counted_with_their_language() -> None:
    """In the plan, which asks for nothing from English into English, and in filling and repeating."""
    counts = {
        Subset("para", "en-GB", "pt-PT"): 3,
        Subset("para", "en", "pt"): 4,
        Subset("para", "en", "en-GB"): 1,
        Subset("mono", "de-AT", ""): 9,
        Subset("mono", "en-GB", ""): 9,
        Subset("mt", "en", "pt-PT"): 2,
    }
    assert missing_pairs(counts, 10) == [
        {"src_lang": "en", "tgt_lang": "de", "have": 0, "missing": 10},
        {"src_lang": "en", "tgt_lang": "pt", "have": 9, "missing": 1},
    ]
    plan = plan_samples(counts, MixtureParameters(per_language=8, per_pair=8, copies=3))
    assert plan[Subset("mt", "en", "pt-PT")] == (1, 1)  # 7 are there, of 8
    assert plan[Subset("para", "en-GB", "pt-PT")] == (3, 3)  # 8 of English and Portuguese
    assert plan_samples(counts, MixtureParameters(per_pair=9))[Subset("para", "en", "pt")] == (4, 4)
    assert plan_samples(counts, MixtureParameters(per_pair=10))[Subset("para", "en", "pt")] == (4, 12)


EN_SW, MT_SW = Subset("para", "en", "sw"), Subset("mt", "en", "sw")


@pytest.mark.parametrize(
    ("counts", "numbers", "planned"),
    [
        # Few are drawn and then repeated, not more of them drawn.
        ({EN_SW: 20}, MixtureParameters(para_size=8), {EN_SW: (8, 24)}),
        # A pair does not become small by being sampled.
        ({EN_SW: 100}, MixtureParameters(per_pair=50, para_size=10), {EN_SW: (10, 10)}),
        ({EN_SW: 49}, MixtureParameters(per_pair=50, para_size=10), {EN_SW: (10, 30)}),
        # As many translations as are needed, however many there are.
        ({EN_SW: 2, MT_SW: 30}, MixtureParameters(per_language=12), {EN_SW: (2, 6), MT_SW: (10, 30)}),
        ({EN_SW: 2, MT_SW: 30}, MixtureParameters(per_language=12, per_pair=12), {EN_SW: (2, 2), MT_SW: (10, 10)}),
        # A direction that gets more by temperature gets it of what was drawn.
        (
            {EN_SW: 4, Subset("para", "de", "en"): 400},
            MixtureParameters(per_pair=0, para_size=100, temperature=100),
            {EN_SW: (4, 51), Subset("para", "de", "en"): (53, 53)},
        ),
    ],
)
def test_records_are_drawn_and_then_repeated(
    counts: dict[Subset, int], numbers: MixtureParameters, planned: dict[Subset, tuple[int, int]]
) -> None:
    """As in Algorithm 1."""
    assert plan_samples(counts, numbers) == planned


@given(
    some.lists(some.integers(0, 40), min_size=BUCKETS, max_size=BUCKETS), some.integers(1, 2000), some.integers(1, 5000)
)
@settings(max_examples=30)
def test_what_is_drawn_is_spread_over_the_buckets(counts: list[int], records: int, samples: int) -> None:
    """Exactly the planned numbers, and from no bucket more than it has."""
    records = min(records, sum(counts), samples)
    table, randomness = SubsetTable([EN_SW]), EpochRandomness(0, 0, 0.5)
    plan = spread_over_buckets(table, np.array([counts]), {EN_SW: Draw(records, samples)}, randomness)
    if not records:
        return
    found: Counter[int] = Counter()
    for bucket, count in enumerate(counts):
        index = np.zeros((count, 4), np.uint64)
        index[:, SHUFFLE_KEY] = np.arange(count, dtype=np.uint64) + np.uint64(bucket << 56)
        found.update(plan.copies(index, np.arange(count), bucket).tolist())
    del found[0]
    base, rest = divmod(samples, records)
    assert found == +Counter({base: records - rest}) + Counter({base + 1: rest} if rest else {})
    assert plan.repeats == (samples > records)


# -- samples


def rows_of(records: list[dict[str, object]], option: str = "para", **more: object) -> list[bytes]:
    """Return the lines of the rows that records become."""
    data = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
    rows, rejects = ChunkReader(ReaderSettings(EpochRandomness(0, 0, 0.5), **more)).read(option, Chunk("x", 1, data))  # type: ignore[arg-type]
    assert not rejects
    return rows.lines


@given(some.text(min_size=1).filter(str.strip), some.text(min_size=1).filter(str.strip), some.text())
def test_a_line_flipped_twice_is_unchanged(source: str, target: str, name: str) -> None:
    """Flipping swaps the texts and the languages and nothing else, whatever characters the texts have."""
    record = {"id": name, "src": source, "tgt": target, "src_lang": "en", "tgt_lang": "pt-PT"}
    (line,) = rows_of([record])
    subset = Subset("para", "en", "pt-PT")
    is_flipped = b'"src_lang":"pt-PT"' in line[-60:]
    other = flip_line(line, subset, is_flipped=is_flipped)
    sample, swapped = (json.loads(each.replace(b"\t", b" ")) for each in (line, other))
    assert {sample["completion"], swapped["completion"]} == {f"{source} {target}", f"{target} {source}"}
    assert (swapped["src_lang"], swapped["id"]) == (sample["tgt_lang"], name)
    assert flip_line(other, subset, is_flipped=not is_flipped) == line


def test_directions_are_even(data: Path) -> None:
    """On real text, about half of the pairs are flipped."""
    lines = [
        (data / "flores101" / "devtest" / f"{code}.devtest").read_text().split("\n")[:1000] for code in ("eng", "swh")
    ]
    records = [
        {"id": str(n), "src": a, "tgt": b, "src_lang": "en", "tgt_lang": "sw"}
        for n, (a, b) in enumerate(zip(*lines, strict=True))
    ]  # fmt: skip
    found = Counter(json.loads(line.replace(b"\t", b" "))["src_lang"] for line in rows_of(records))
    assert 430 < found["en"] < 570
