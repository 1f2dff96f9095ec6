"""Filters of bitext: what stays and what does not, by measures and by scores; every record is somewhere."""

import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.processes import Outcome, one_line
from support.records import jsonl, pair, parsed, read, text, write

from llamax_cli.errors import RecordError, UsageError
from llamax_cli.filtering.measures import (
    count_words,
    digit_agreement,
    letter_share,
    longest_word,
    ratio,
    repeats_more_than,
    script_share,
    urls,
)
from llamax_cli.filtering.rules import FILTERS, RecordFilter, filter_settings

Llamax = Callable[..., Outcome]


def fault(record: dict[str, object], *filters: str, scores: tuple[str, ...] = ()) -> str | None:
    """Return the name of the filter that a record does not pass."""
    found = RecordFilter(filter_settings(filters, scores)).fault(record)  # type: ignore[arg-type]
    return found[0] if found else None


def sides(source: str, target: str, languages: str = "en-de") -> dict[str, object]:
    """Return a pair of these texts."""
    first, second = languages.split("-")
    return {"src": source, "tgt": target, "src_lang": first, "tgt_lang": second}


# -- measures ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 9), st.integers(0, 9))
def test_a_ratio_is_the_same_from_either_side(first: int, second: int) -> None:
    """At least 1 of what is not empty, infinite with one empty side."""
    assert ratio(first, second) == ratio(second, first)
    assert ratio(first, second) == (
        max(first, second) / min(first, second) if min(first, second) else float("inf") if first or second else 0
    )


def test_words_are_counted_in_every_script() -> None:
    """Between spaces; without spaces a translation of a sentence has about as many words as the sentence."""
    assert count_words("  It rains  today.\n") == 3
    assert count_words("मैं घर जाता हूँ") == 4
    assert count_words("") == 0
    assert count_words("우리는 내일 아침에 기차를 탄다") == 5
    long = {"zh": "我们明天早上要坐火车去北京看我们的老朋友。", "th": "พรุ่งนี้เช้าเราจะนั่งรถไฟไปปักกิ่งเพื่อไปเยี่ยมเพื่อนเก่าของเรา"}
    for translated in long.values():
        english = count_words("Tomorrow morning we will take the train to Beijing to visit our old friends.")
        assert ratio(count_words(translated), english) < 1.5
    assert count_words("iPhone很好 OK") == pytest.approx(2 + 2 / 1.7)
    assert longest_word("a bcd ef") == 3
    assert longest_word("我们明天早上要坐火车去北京看我们的老朋友") == 0


def test_letters_are_measured_with_their_marks() -> None:
    """Vowel signs are part of a word, and letters of all scripts count for none."""
    assert letter_share("हिन्दी") > 0.8
    assert letter_share("ab 1") == 0.5
    assert letter_share("") == script_share("123", "en") == 1
    assert script_share("да ok", "ru") == 0.5
    assert script_share("コーヒーを飲む", "ja") == 1
    assert script_share("Привет", "en") == 0
    assert script_share("qapla", "tlh-x-none") == 1


def test_digits_agree_in_any_script_and_without_zeros() -> None:
    """A number that is written in another format or script is the same."""
    assert digit_agreement("In 1999", "سنة ١٩٩٩") == digit_agreement("1,000.50", "1000,5") == 1
    assert digit_agreement("no", "none") == 1
    assert digit_agreement("12", "34") == 0
    assert digit_agreement("12", "") == 0


def test_addresses_are_compared_without_what_ends_the_sentence() -> None:
    """The same address in a sentence and at its end."""
    assert urls("see https://a.org/x.") == urls("(https://a.org/x)") == Counter(["https://a.org/x"])
    assert urls("http is fine") == Counter()
    assert fault(sides("www.a.org", "www.b.org"), "urls") == "urls"
    assert fault(sides("www.a.org", "siehe www.a.org!"), "urls") is None


@given(st.text("ab c", max_size=24), st.integers(1, 3))
def test_repetitions_are_those_that_a_pattern_finds(text: str, times: int) -> None:
    """A string of three characters or more, more than so many times in a row, with spaces between."""
    found = re.search(rf"(\S.{{2,100}}?)(?: *\1){{{times},}}", text)
    assert repeats_more_than(times, text) == (found is not None)


def test_long_texts_without_a_repetition_take_no_time() -> None:
    """Of one character or of different words; what a place is compared with is near it."""
    start = time.process_time()
    assert repeats_more_than(2, "a" * 300_000)
    assert not repeats_more_than(2, " ".join(f"x{number}y" for number in range(30_000)))
    assert time.process_time() - start < 10  # of a processor; comparing all places with all would take an hour


# -- filters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_filter", "bad", "good"),
    [
        ("length-ratio=2", ("abcdef", "ab"), ("abcd", "ab")),
        ("word-ratio=2", ("a b c", "a"), ("a b", "abcdefghijkl")),
        ("script-share=0.6", ("ok", "да"), ("ok", "sos да")),
        ("letter-share=0.5", ("abc", "1 2 a"), ("abc", "1a")),
        ("digits=0.6", ("12", "3"), ("12", "102")),
        ("urls", ("www.a.org", "a"), ("www.a.org", "www.a.org")),
        ("repetition=2", ("abcabcabc", "x"), ("abcabc", "x")),
        ("identical", ("A  b", "a B"), ("a", "b")),
        ("min-words=2", ("a b", "a"), ("a b", "b a")),
        ("max-words=2", ("a b c", "a"), ("a b", "b")),
        ("min-characters=2", ("ab", ""), ("ab", "ab")),
        ("max-characters=2", ("ab", "abc"), ("ab", "a")),
        ("long-word=3", ("abcd", "a"), ("abc abc", "a")),
    ],
)
def test_each_filter_takes_one_and_leaves_one(given_filter: str, bad: tuple[str, str], good: tuple[str, str]) -> None:
    """At the threshold a record stays, beyond it does not, whichever side is which."""
    name = given_filter.partition("=")[0]
    for source, target in (bad, bad[::-1]):
        assert fault(sides(source, target), given_filter) == name
    for source, target in (good, good[::-1]):
        assert fault(sides(source, target), given_filter) is None


def test_all_filters_are_tested() -> None:
    """The test above has a case of each."""
    (mark,) = test_each_filter_takes_one_and_leaves_one.pytestmark  # type: ignore[attr-defined]
    assert {case[0].partition("=")[0] for case in mark.args[1]} == set(FILTERS)


def test_texts_pass_filters_of_pairs_and_translations_are_judged_by_mt() -> None:
    """One side has no ratio; a translation without `tgt` is the pair of its source and `mt`."""
    assert fault({"text": "abc", "lang": "en"}, "length-ratio=1", "identical", "digits=1") is None
    assert fault({"text": "да", "lang": "en"}, "script-share=0.5") == "script-share"
    assert fault({"src": "abc", "mt": "a", "src_lang": "en", "tgt_lang": "de"}, "length-ratio=2") == "length-ratio"
    with pytest.raises(RecordError, match="no 'tgt'"):
        fault({"src": "abc", "src_lang": "en", "tgt_lang": "de"}, "length-ratio=2")


def test_a_file_has_thresholds_of_its_own_for_a_pair(tmp_path: Path) -> None:
    """In either direction, with regions and patterns; what it does not say is as for all."""
    path = tmp_path / "filters.toml"
    path.write_text('length-ratio = 2\nidentical = true\n["en-zh"]\nlength-ratio = 9\n["*-ja"]\nlength-ratio = 5\n')
    long, short = "abcdefgh", "ab"
    for languages in ("en-zh", "zh-en", "eng-cmn", "de-ja", "ja-de"):
        assert fault(sides(long, short, languages), str(path)) is None
    assert fault(sides(long, short, "en-de"), str(path)) == "length-ratio"
    assert fault(sides(long, long, "en-zh"), str(path)) == "identical"


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ("lenth-ratio=2", "did you mean length-ratio?"),
        ("length-ratio", "from 1 to 1e+09, not nothing"),
        ("length-ratio=0.5", "from 1 to"),
        ("length-ratio=nan", "from 1 to"),
        ("identical=3", "takes no threshold"),
        ("max-words=2.5", "whole number"),
        ("script-share=2", "from 0 to 1"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(filters: str, words: str) -> None:
    """The message says which and what to write."""
    with pytest.raises(UsageError, match=re.escape(words)):
        filter_settings([filters], [])


@pytest.mark.parametrize("content", ["length-ratio = ", "x = 1", '["en"]\nidentical = true', "identical = 2"])
def test_a_file_that_cannot_be_is_refused(llamax: Llamax, tmp_path: Path, content: str) -> None:
    """In one line, which names the file."""
    (tmp_path / "f.toml").write_text(content)
    done = llamax("convert", write(tmp_path / "p.jsonl", [pair(1)]), "--filter", "f.toml")
    one_line(done, 2, "f.toml")


# -- in a stream -------------------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path: Path) -> list[dict[str, object]]:
    """Pairs and texts, good and bad."""
    records: list[dict[str, object]] = [pair(number, score=number / 20) for number in range(20)]
    records += [pair(30, src="x" * 200, score=1), pair(31, tgt="en text 31", score=0.9), text(32, score=0.5)]
    write(tmp_path / "mixed.jsonl", records)
    return records


def test_every_record_is_in_the_output_or_set_aside(
    llamax: Llamax, tmp_path: Path, mixed: list[dict[str, object]]
) -> None:
    """Byte for byte, with the reason; the summary counts each filter, and `--max-rejects` counts none."""
    arguments = "--filter", "length-ratio=2,identical", "--min", "score=0.5", "--rejects", "bad.jsonl"
    done = llamax("convert", "mixed.jsonl", *arguments, "--max-rejects", 0)
    aside = read((tmp_path / "bad.jsonl").read_bytes())
    lines = [*done.stdout.splitlines(), *(each["raw"].encode() for each in aside)]
    assert sorted(lines) == sorted(jsonl(mixed).splitlines())
    reasons = Counter(each["reason"].partition(":")[0] for each in aside)
    assert reasons == {"length-ratio": 1, "identical": 1, "score below 0.5": 10}
    assert b"left out: 10 by score below 0.5, 1 by length-ratio, 1 by identical" in done.stderr
    assert [record["id"] for record in parsed(done)] == [f"c:{n}" for n in range(10, 20)] + ["m:32"]


def test_nothing_is_lost_without_a_filter(llamax: Llamax, tmp_path: Path, mixed: list[dict[str, object]]) -> None:
    """The default is every record."""
    assert llamax("convert", "mixed.jsonl").stdout == jsonl(mixed)


def test_a_sample_is_drawn_from_what_stays(llamax: Llamax, tmp_path: Path) -> None:
    """As many records as are asked for, none of which a filter takes."""
    records = [pair(number, **({"src": "x" * 200} if number % 2 else {})) for number in range(40)]
    done = llamax("convert", write(tmp_path / "p.jsonl", records), "--filter", "length-ratio=2", "--sample", 20)
    assert len(parsed(done)) == 20


def test_a_record_without_the_score_is_a_bad_line(llamax: Llamax, tmp_path: Path) -> None:
    """It neither passes nor fails: the run stops, or sets it aside and counts it as rejected."""
    write(tmp_path / "p.jsonl", [pair(1, score=0.9), pair(2)])
    done = llamax("convert", "p.jsonl", "--min", "score=0.5")
    one_line(done, 65, "p.jsonl:2: no 'score' in the record", had_written=True)
    done = llamax("convert", "p.jsonl", "--min", "score=0.5", "--rejects", "bad.jsonl")
    assert len(parsed(done)) == 1
    assert b"1 rejected, see bad.jsonl" in done.stderr
    assert [(each["input"], each["line"]) for each in read((tmp_path / "bad.jsonl").read_bytes())] == [("p.jsonl", 2)]


def test_what_is_left_out_is_at_its_place(llamax: Llamax, tmp_path: Path) -> None:
    """In the file of each record, in any format and direction."""
    write(tmp_path / "a.jsonl", [pair(1, score=0.9)])
    write(tmp_path / "b.jsonl", [pair(2, score=0.9), pair(3, score=0.1)])
    (tmp_path / "c.en").write_text("one\nsame\n")
    (tmp_path / "c.de").write_text("eins\nsame\n")

    def places(*call: str) -> list[tuple[str, int]]:
        assert llamax("convert", *call, "--rejects", "bad.jsonl").returncode == 0
        return [(each["input"], each["line"]) for each in read((tmp_path / "bad.jsonl").read_bytes())]

    assert places("a.jsonl", "b.jsonl", "--min", "score=0.5") == [("b.jsonl", 2)]
    assert places("c.en", "c.de", "--pairs", "*-*", "--filter", "identical") == [
        ("c.en (en-de)", 2), ("c.de (de-en)", 2),
    ]  # fmt: skip


def test_the_highest_value_of_errors_is_kept(llamax: Llamax, tmp_path: Path) -> None:
    """`--max` is for metrics of which the lower value is better; both bounds may be given."""
    write(tmp_path / "p.jsonl", [pair(number, errors=number) for number in range(10)])
    done = llamax("convert", "p.jsonl", "--max", "errors=6", "--min", "errors=3")
    assert [record["id"] for record in parsed(done)] == [f"c:{n}" for n in (3, 4, 5, 6)]
    assert b"left out: 3 by errors below 3, 3 by errors above 6" in done.stderr
    one_line(llamax("convert", "p.jsonl", "--max", "errors"), 2, "--max errors: write KEY=NUMBER")
    one_line(llamax("convert", "p.jsonl", "--max", "errors=6", "--max", "errors=7"), 2, "--max errors is given twice")


def test_filters_work_in_every_format_and_direction(llamax: Llamax, tmp_path: Path) -> None:
    """Aligned files, in both directions, to any other form."""
    (tmp_path / "c.en").write_text("The house is red.\nsame\n")
    (tmp_path / "c.de").write_text("Das Haus ist rot.\nsame\n")
    done = llamax("convert", "c.en", "c.de", "--pairs", "*-*", "--filter", "identical", "--as", "hf")
    assert done.stdout.count(b"\n") == 2
    assert b"left out: 2 by identical" in done.stderr


def test_an_interrupted_run_does_not_go_on_with_another_file(llamax: Llamax, tmp_path: Path) -> None:
    """What a file of filters says belongs to the run, as its options do."""
    records = [pair(number, **({"tgt": 7} if number == 50 else {})) for number in range(100)]
    write(tmp_path / "p.jsonl", records)
    (tmp_path / "f.toml").write_text("length-ratio = 2\n")
    command = "convert", "p.jsonl", "--filter", "f.toml", "-o", "out.jsonl"
    assert llamax(*command).returncode == 65
    (tmp_path / "f.toml").write_text("length-ratio = 3\n")
    done = llamax(*command, "--resume")
    one_line(done, 1, "cannot resume")
