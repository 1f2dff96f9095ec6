"""Corpora to records and back: nothing lost, nothing changed, in the order asked for."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpora import request_of, strict, written
from support.processes import Outcome, one_line
from support.records import parsed, read

from llamax_cli.conversion.convert import read_corpora
from llamax_cli.conversion.detection import FORMATS, open_corpora
from llamax_cli.conversion.segments import CorpusRequest
from llamax_cli.conversion.selection import Selection, interpret_pattern, plan_groups
from llamax_cli.errors import DataError, UsageError
from llamax_cli.streams.chunks import Portion
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import texts

Llamax = Callable[..., Outcome]
ODD = [
    "a\u00a0b",
    "\u200bzero",
    "next\u0085line",
    "ideo\u3000graphic",
    " two  spaces ",
    "",
    "line\u2028sep",
    "v\x0bt\x1c",
]


def records(*paths: Path, format: str | None = None, selection: Selection | None = None, **more: Any) -> list[Any]:
    """Return what a conversion yields."""
    return list(read_corpora(request_of(*paths, **more), format, selection or Selection(), Counter()))


# -- text stays as it is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["moses", "tsv", "hf"])
def test_a_round_trip_through_records_loses_nothing(llamax: Llamax, tmp_path: Path, form: str) -> None:
    """Odd spaces, separators and empty lines come back byte for byte from every form that holds pairs."""
    source = [text for text in ODD if text] if form == "tsv" else ODD
    one, two = written(tmp_path / "c.en", *source), written(tmp_path / "c.zh", *reversed(source))
    made = llamax("convert", one, two, "-o", "pairs.jsonl")
    assert made.returncode == 0, made.stderr
    back = llamax(
        "convert", "pairs.jsonl", "--as", form, *(["-o", "back"] if form == "moses" else ["-o", "en-zh." + form])
    )
    assert back.returncode == 0, back.stderr
    paths = ["back.en-zh.en", "back.en-zh.zh"] if form == "moses" else [f"en-zh.{form}"]
    again = llamax("convert", *paths, *(["--from", form]))
    assert [(r["src"], r["tgt"]) for r in parsed(again)] == list(zip(source, reversed(source), strict=True))
    if form == "moses":
        assert (tmp_path / "back.en-zh.en").read_bytes() == one.read_bytes()


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"])), min_size=1))
def test_text_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """Only the line ends are taken away, whatever the text holds."""
    if lines[0].startswith("\ufeff"):
        lines[0] = ""
    for end in ("\n", "\r\n"):
        path = written(tmp_path_factory.mktemp("text") / "x.en", *lines, end=end)
        assert list(texts(Input(path))) == lines


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """U+FEFF at the start of a file is left out, elsewhere it is kept."""
    path = written(tmp_path / "x.en", "\ufeffone", "\ufefftwo")
    assert [record["text"] for record in records(path)] == ["one", "\ufefftwo"]


def test_utf16_is_named(tmp_path: Path) -> None:
    """A file in UTF-16 is refused with the way to mend it."""
    (tmp_path / "x.en").write_bytes("hello\n".encode("utf-16"))
    with pytest.raises(DataError, match="iconv -f UTF-16"):
        records(tmp_path / "x.en")


def test_bad_lines_are_rejected_with_their_pairs(llamax: Llamax, tmp_path: Path) -> None:
    """A line that is no UTF-8 or holds NUL takes its pair with it, and both files' other lines stay aligned."""
    (tmp_path / "x.en").write_bytes(b"one\ntw\xffo\nthree\nfour\n")
    (tmp_path / "x.de").write_bytes(b"eins\nzwei\ndr\0ei\nvier\n")
    done = llamax("convert", "x.en", "x.de", "--rejects", "bad.jsonl")
    assert done.returncode == 0
    assert [(r["src"], r["tgt"]) for r in parsed(done)] == [("one", "eins"), ("four", "vier")]
    bad = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_bytes().splitlines()]
    assert [(each["input"], each["line"]) for each in bad] == [("x.en", 2), ("x.de", 3)]
    assert done.stderr.decode().startswith("llamax convert: 2 records; 2 rejected, see bad.jsonl; ")
    strict = llamax("convert", "x.en", "x.de")
    assert (strict.returncode, len(read(strict.stdout))) == (65, 1)
    assert strict.stderr == b"llamax convert: x.en:2: not UTF-8: byte 0xff at 2; --rejects FILE sets such lines aside\n"


def test_files_of_different_length_are_an_error_before_anything_is_written(llamax: Llamax, tmp_path: Path) -> None:
    """Misaligned pairs must not reach the next program: both counts are named, standard output stays empty."""
    written(tmp_path / "x.en", "1", "2", "3")
    written(tmp_path / "x.de", "1", "2")
    done = llamax("convert", "x.en", "x.de")
    assert (done.returncode, done.stdout) == (65, b"")
    assert done.stderr == b"llamax convert: x.en has 3 lines, x.de has 2 lines: aligned files must be equally long\n"


def test_an_empty_file_is_an_error(llamax: Llamax, tmp_path: Path) -> None:
    """A corpus file without a line is a failed download, not a corpus."""
    written(tmp_path / "x.en")
    done = llamax("convert", "x.en")
    assert (done.returncode, done.stderr) == (65, b"llamax convert: x.en is empty; is the download complete?\n")


# -- formats -----------------------------------------------------------------------------------------------------------


def test_moses_files_group_by_stem_and_compression_does_not_matter(tmp_path: Path) -> None:
    """train.* and val.* are two corpora; a compressed file is one of them."""
    written(tmp_path / "train.en", "a")
    (tmp_path / "train.de.gz").write_bytes(gzip.compress(b"A\n"))
    written(tmp_path / "val.en", "b")
    written(tmp_path / "val.de", "B")
    folder = tmp_path.name
    found = records(*(tmp_path / name for name in ("train.en", "train.de.gz", "val.en", "val.de")))
    assert [(r["id"], r["src"], r["tgt"]) for r in found] == [
        (f"{folder}/train:1", "a", "A"),
        (f"{folder}/val:1", "b", "B"),
    ]


def test_languages_of_files_can_be_declared(tmp_path: Path) -> None:
    """--langs names the files where their names do not."""
    one, two = written(tmp_path / "source.txt", "a"), written(tmp_path / "target.txt", "b")
    [record] = records(one, two, languages=("en", "sw"), format="moses")
    assert (record["src_lang"], record["tgt_lang"]) == ("en", "sw")


TED = [
    "talk_name\ten\tes\tpt-br\tzh-cn",
    "t1\thello\thola\t__NULL__\t你好",
    "t2\tbye\t\tadeus\t再见",
]


def test_a_table_with_a_header_gives_every_direction_that_a_row_has(tmp_path: Path) -> None:
    """Empty cells and TED's __NULL__ are absent translations; columns that are no language are kept."""
    path = written(tmp_path / "ted.tsv", *TED)
    found = records(path, selection=Selection(pairs=("en-*",)))
    assert [(r["id"].partition("/")[2], r["tgt_lang"], r["tgt"], r["talk_name"]) for r in found] == [
        ("ted:1", "es", "hola", "t1"),
        ("ted:2", "pt", "adeus", "t2"),
        ("ted:1", "zh", "你好", "t1"),
        ("ted:2", "zh", "再见", "t2"),
    ]


def test_columns_by_number_and_by_name(tmp_path: Path) -> None:
    """--columns takes numbers, or names of the header."""
    path = written(tmp_path / "t.tsv", "one\ttwo\tthree", "uno\tdos\ttres")
    assert [r["tgt"] for r in records(path, columns={"en": "1", "es": "3"})] == ["three", "tres"]
    [record] = records(path, columns={"en": "one", "es": "two"})
    assert (record["src"], record["tgt"], record["three"]) == ("uno", "dos", "tres")


def test_columns_that_are_not_there_are_named(tmp_path: Path) -> None:
    """An unknown column is an error that lists those that are there."""
    path = written(tmp_path / "t.tsv", "one\ttwo\tthree")
    with pytest.raises(UsageError, match="no column 'nothing'; it has one, two, three"):
        records(path, columns={"en": "one", "de": "nothing"})


def test_two_columns_of_one_language_ask_for_a_choice(tmp_path: Path) -> None:
    """TED has zh and zh-cn, which are one code: the user chooses."""
    path = written(tmp_path / "ted.tsv", "en\tzh-cn\tzh", "a\tb\tc")
    with pytest.raises(UsageError, match="--columns zh=zh"):
        records(path)
    [record] = records(path, columns={"zh": "zh"})
    assert (record["tgt"], record["zh-cn"]) == ("c", "b")


def test_rows_of_another_width_are_rejected(tmp_path: Path) -> None:
    """A row with more or fewer cells than the table has is a bad line."""
    bad: list[tuple[int, str]] = []
    path = written(tmp_path / "en-de.tsv", "a\tb", "a", "a\tb\tc")
    found = records(path, reject=lambda name, line, reason, raw: bad.append((line, reason)))
    assert len(found) == 1
    assert bad == [
        (2, "1 column instead of 2; choose columns with --columns"),
        (3, "3 columns instead of 2; choose columns with --columns"),
    ]


def test_translation_lines_keep_their_other_keys_byte_for_byte(llamax: Llamax, tmp_path: Path) -> None:
    """What stands beside `translation` comes through untouched, and goes back."""
    line = '{"id":"0","translation":{"en":"a","yor":"\\u1eb9"},"score":1.50,"meta":{"k": [1, 2]}}\n'
    (tmp_path / "x.jsonl").write_text(line)
    made = llamax("convert", "x.jsonl")
    assert made.stdout.decode() == (
        '{"id":"0","src":"a","tgt":"ẹ","src_lang":"en","tgt_lang":"yo","score":1.50,"meta":{"k": [1, 2]}}\n'
    )
    back = llamax("convert", "--as", "hf", stdin=made.stdout)
    assert back.stdout.decode() == '{"id":"0","translation":{"en":"a","yo":"ẹ"},"score":1.50,"meta":{"k": [1, 2]}}\n'


def test_translation_lines_need_no_id(llamax: Llamax) -> None:
    """A pair without an id keeps its other keys too."""
    pair = b'{"src":"a","tgt":"b","src_lang":"en","tgt_lang":"de","n":1}\n'
    assert llamax("convert", "--as", "hf", stdin=pair).stdout == b'{"translation":{"en":"a","de":"b"},"n":1}\n'


def test_lines_in_several_directions_read_back(llamax: Llamax, tmp_path: Path) -> None:
    """Each line says its own direction; the same lines can be selected from."""
    lines = b'{"id":"1","translation":{"en":"a","de":"b"}}\n{"id":"1","translation":{"en":"a","fr":"c"}}\n'
    made = llamax("convert", "--from", "hf", stdin=lines)
    assert [record["tgt_lang"] for record in parsed(made)] == ["de", "fr"]
    assert llamax("convert", "--as", "hf", stdin=made.stdout).stdout == lines
    (tmp_path / "x.jsonl").write_bytes(lines)
    assert [record["src"] for record in parsed(llamax("convert", "x.jsonl", "--pairs", "fr-en"))] == ["c"]


def test_records_pass_untouched_but_for_language_codes(llamax: Llamax) -> None:
    """A record that is one already is written as it came, with the one code of its languages."""
    line = (
        '{"id":"x:1","src":"caf\\u00e9","tgt":"b","src_lang":"eng","tgt_lang":"zho_Hans","n":12345678901234567890123}\n'
    )
    done = llamax("convert", stdin=line.encode())
    assert done.stdout.decode() == line.replace('"eng"', '"en"').replace("zho_Hans", "zh")


def test_records_can_be_turned_round(llamax: Llamax) -> None:
    """A direction that no record has is read from the records of its reverse; one that is there is taken as it is."""
    pair = b'{"id":"x:1","src":"a","tgt":"b","src_lang":"en","tgt_lang":"de"}\n'
    assert [(r["src"], r["src_lang"]) for r in parsed(llamax("convert", "--pairs", "de-en", stdin=pair))] == [
        ("b", "de")
    ]
    both = pair + b'{"id":"x:1","src":"B","tgt":"A","src_lang":"de","tgt_lang":"en"}\n'
    assert [r["src"] for r in parsed(llamax("convert", "--pairs", "*-*", stdin=both))] == ["a", "B"]


@pytest.mark.parametrize("key", ["src", "tgt"])
def test_text_that_a_line_cannot_hold_is_refused(llamax: Llamax, key: str) -> None:
    """A line break or a tab in a text would become a second line or cell: no form drops it silently."""
    record = {"id": "x:1", "src": "a", "tgt": "b", "src_lang": "en", "tgt_lang": "de", key: "one\ntwo"}
    for form in (["tsv"], ["moses", "-o", "m"], ["text", "--field", key]):
        done = llamax("convert", "--as", *form, stdin=json.dumps(record).encode())
        assert done.returncode == 65
        assert (
            f"{key!r} contains '\\n', which this format cannot express; use --as records or hf" in done.stderr.decode()
        )


def test_what_a_format_cannot_express_is_placed_where_it_was_read(llamax: Llamax, tmp_path: Path) -> None:
    """By file and line, in samples too; a line that is bad in two directions is counted in both."""
    written(tmp_path / "x.en", "1", "2", "", "4")
    written(tmp_path / "x.de", "eins", "", "", "vier")
    written(tmp_path / "x.fr", "un", "", "trois", "quatre")
    pairs = [{"src": text, "tgt": "b", "src_lang": "en", "tgt_lang": "de"} for text in ("a", "", "c")]
    written(tmp_path / "y.jsonl", *map(json.dumps, pairs))
    written(tmp_path / "hf.jsonl", *(json.dumps({"translation": {"en": "a", "de": text}}) for text in ("b", "")))
    calls = {
        "x.en x.de --as tsv": [("x.en", 2), ("x.en", 3)],
        "x.en x.de --as tsv --sample 3": [("x.en", 2)],
        "y.jsonl --as tsv": [("y.jsonl", 2)],
        "y.jsonl --as tsv --pairs de-en": [("y.jsonl", 2)],
        "hf.jsonl --as tsv": [("hf.jsonl", 2)],
    }
    for call, places in calls.items():
        done = llamax("convert", *call.split(), "--rejects", "bad.jsonl")
        assert done.returncode == 0, done.stderr
        bad = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_bytes().splitlines()]
        assert [(each["input"], each["line"]) for each in bad] == places
        assert all(json.loads(each["raw"])["src_lang"] in ("en", "de") for each in bad)
    many = ["x.en", "x.de", "x.fr", "--pairs", "en-de,en-fr", "--as", "text", "--field", "nothing"]
    done = llamax("convert", *many, "--rejects", "bad.jsonl", "--max-rejects", "8")
    bad = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_bytes().splitlines()]
    assert Counter(each["input"] for each in bad) == {"x.en (en-de)": 4, "x.en (en-fr)": 4}


def test_a_table_holds_one_direction(llamax: Llamax) -> None:
    """Two directions in one table could not be told apart."""
    pair = '{"id":"x:1","src":"a","tgt":"b","src_lang":"en","tgt_lang":"%s"}\n'
    done = llamax("convert", "--as", "tsv", stdin=(pair % "de" + pair % "fr").encode())
    assert done.returncode == 65
    assert b"after en-de comes en-fr" in done.stderr


def test_moses_files_appear_together_or_not_at_all(llamax: Llamax, tmp_path: Path) -> None:
    """A run that fails leaves no file of the prefix; one that is done leaves all directions."""
    pair = '{"id":"x:1","src":"a","tgt":"b","src_lang":"en","tgt_lang":"%s"}\n'
    failed = llamax("convert", "--as", "moses", "-o", "m", stdin=(pair % "de" + "broken\n").encode())
    assert failed.returncode == 65
    assert list(tmp_path.iterdir()) == []
    languages = ["de", "fr", "es", "it"] * 20  # comes back to each direction
    done = llamax("convert", "--as", "moses", "-o", "m", stdin="".join(pair % each for each in languages).encode())
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".en") == [
        f"m.en-{each}.{each}" for each in sorted(set(languages))
    ]
    assert (tmp_path / "m.en-fr.fr").read_text() == "b\n" * 20


# -- directions and samples --------------------------------------------------------------------------------------------


def test_directions_come_one_after_the_other_in_the_order_asked_for(tmp_path: Path) -> None:
    """Patterns are served in turn; nothing comes twice."""
    paths = [written(tmp_path / f"x.{code}", f"{code}1", f"{code}2") for code in ("en", "de", "zh")]
    found = records(*paths, selection=Selection(pairs=("zh-de", "en-*", "*-*")))
    seen = [(r["src_lang"], r["tgt_lang"]) for r in found]
    assert seen[::2] == [("zh", "de"), ("en", "de"), ("en", "zh"), ("de", "en"), ("de", "zh"), ("zh", "en")]
    assert seen[::2] == seen[1::2]


def test_more_than_two_languages_want_a_choice(tmp_path: Path) -> None:
    """A corpus in three languages is not guessed at."""
    paths = [written(tmp_path / f"x.{code}", "a") for code in ("en", "de", "zh")]
    with pytest.raises(UsageError, match=r"3 languages \(en, de, zh\); choose --pairs or --mono"):
        records(*paths)
    assert [r["lang"] for r in records(*paths, selection=Selection(mono=("*",)))] == ["en", "de", "zh"]


@pytest.mark.parametrize(
    ("pattern", "meaning"),
    [
        ("en-zh", {("en", "zh")}),
        ("zho_Hans-*", {("zh", "*")}),
        ("*-*", {("*", "*")}),
        ("zh-Hant-en", {("zhtrad", "en")}),
        ("en-pt-BR", {("en", "pt-BR"), ("en-PT", "br")}),
        ("en-GB-fr-FR", {("en-GB", "fr-FR")}),
    ],
)
def test_patterns_are_read_in_every_way_that_makes_sense(pattern: str, meaning: set[tuple[str, str]]) -> None:
    """A code may hold hyphens of its own."""
    assert interpret_pattern(pattern, 2) == meaning


@pytest.mark.parametrize("pattern", ["en", "en-xqx", "", "-", "en-"])
def test_patterns_that_mean_nothing_are_refused(pattern: str) -> None:
    """What cannot be a direction says so."""
    with pytest.raises(UsageError, match="is not a pair, such as en-de"):
        interpret_pattern(pattern, 2)


def test_a_language_with_and_without_its_usual_region_is_two(tmp_path: Path) -> None:
    """Each is selected by its own code; the language alone is the file without region, and its other regions."""
    codes = ("eng", "eng-US", "eng-GB", "deu")
    paths = [written(tmp_path / f"newstest2019-ref.{code}.txt", code) for code in codes]

    def selected(pattern: str) -> list[tuple[str, str]]:
        return [(r["src_lang"], r["src"]) for r in records(*paths, selection=Selection(pairs=(pattern,)))]

    assert selected("en-de") == [("en", "eng"), ("en-GB", "eng-GB")]
    assert selected("en-US-de") == [("en-US", "eng-US")]
    assert selected("*-de") == [("en", "eng"), ("en-US", "eng-US"), ("en-GB", "eng-GB")]


def test_columns_are_named_in_any_case(tmp_path: Path) -> None:
    """Unless two names differ in it only."""
    path = written(tmp_path / "a.tsv", "EN-gb\tde-DE", "colour\tFarbe")
    (record,) = records(path, columns={"en": "en-GB", "de": "DE-de"})
    assert (record["src_lang"], record["src"], record["tgt_lang"]) == ("en", "colour", "de")
    both = written(tmp_path / "b.tsv", "a\tA", "one\teins")
    (record,) = records(both, columns={"en": "a", "de": "A"})
    assert (record["src"], record["tgt"]) == ("one", "eins")


def test_parts_of_a_sample_share_no_segment_in_any_direction(tmp_path: Path) -> None:
    """What is held out in one direction is held out in all; the same seed draws the same."""
    paths = [written(tmp_path / f"x.{code}", *(f"{code}{n}" for n in range(500))) for code in ("en", "de", "zh")]

    def drawn(part: int, seed: int = 1) -> list[tuple[str, str, str]]:
        chosen = Selection(pairs=("*-*",), sample=50, part=Portion(part, 4), seed=seed)
        return [(r["id"], r["src_lang"], r["tgt_lang"]) for r in records(*paths, selection=chosen)]

    parts = [drawn(part) for part in (1, 2, 3, 4)]
    assert [len(part) for part in parts] == [6 * 50] * 4
    segments = [{name for name, _, _ in part} for part in parts]
    assert sum(map(len, segments)) == len(set().union(*segments)) == 200
    assert drawn(2) == parts[1]
    assert drawn(2, seed=2) != parts[1]
    numbers = [int(name.rpartition(":")[2]) for name, source, target in parts[0] if (source, target) == ("en", "de")]
    assert numbers == sorted(numbers)


def test_a_part_is_the_same_through_a_file_of_records(llamax: Llamax, tmp_path: Path) -> None:
    """What is held out does not depend on how the corpus was passed on; without ids the texts decide."""
    paths = [written(tmp_path / f"x.{code}", *(f"{code}{n}" for n in range(200))) for code in ("en", "de")]
    straight = llamax("convert", *paths, "--part", "1/3").stdout
    assert 0 < straight.count(b"\n") < 200
    made = llamax("convert", *paths).stdout
    assert llamax("convert", "--part", "1/3", stdin=made).stdout == straight
    pair = b'{"src":"%d","tgt":"x","src_lang":"en","tgt_lang":"de"}\n'
    back = b'{"src":"x","tgt":"%d","src_lang":"de","tgt_lang":"en"}\n'
    bare = b"".join(pair % number + back % number for number in range(50))
    kept = parsed(llamax("convert", "--part", "1/3", stdin=bare))
    assert [r["src"] for r in kept[::2]] == [r["tgt"] for r in kept[1::2]]


def test_records_beside_another_corpus_are_not_lost(llamax: Llamax, tmp_path: Path) -> None:
    """Streams of records are taken as they are, whatever is named beside them."""
    (tmp_path / "r.jsonl").write_text('{"id":"1","text":"a","lang":"en"}\n{"id":"2","text":"b","lang":"de"}\n')
    written(tmp_path / "x.fr", "c")
    assert [r["lang"] for r in parsed(llamax("convert", "r.jsonl", "x.fr"))] == ["en", "de", "fr"]


@pytest.mark.parametrize("name", ["c.csv", "train.src", "run.log", "a.ids"])
def test_endings_that_happen_to_be_codes_are_no_languages(llamax: Llamax, tmp_path: Path, name: str) -> None:
    """Three letters beyond the table have to be declared."""
    written(tmp_path / name, "a")
    done = llamax("convert", name)
    assert (done.returncode, done.stderr.decode()) == (
        2,
        f"llamax convert: {name}: no language in the name; say it with --langs\n",
    )


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"one\n", 2, "stdin has no name that tells its language; say it with --langs"),
        (b'[{"text":"a","lang":"en"}]\n', 65, "stdin is a JSON array, not JSON lines; convert it first: jq -c '.[]'"),
    ],
)
def test_standard_input_is_called_so(llamax: Llamax, data: bytes, code: int, message: str) -> None:
    """And not by its sign on the command line, `-`."""
    done = llamax("convert", stdin=data)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (code, b"", f"llamax convert: {message}\n")


def test_a_pair_in_one_language_is_no_translation_line(llamax: Llamax) -> None:
    """One key cannot hold two texts."""
    pair = b'{"id":"1","src":"big","tgt":"large","src_lang":"en","tgt_lang":"en"}\n'
    assert llamax("convert", stdin=pair).stdout == pair
    for form in (["hf"], ["moses", "-o", "m"], ["tsv"]):
        assert llamax("convert", "--as", *form, stdin=pair).returncode == 65


def test_a_bad_line_is_told_once(llamax: Llamax, tmp_path: Path) -> None:
    """Several directions are several passes over a file, but its bad line is one."""
    for code, text in (("en", b"a\nb\xff\n"), ("de", b"c\nd\n"), ("fr", b"e\nf\n")):
        (tmp_path / f"x.{code}").write_bytes(text)
    done = llamax("convert", "x.en", "x.de", "x.fr", "--pairs", "*-*", "--rejects", "bad.jsonl")
    assert (done.returncode, (tmp_path / "bad.jsonl").read_bytes().count(b"\n")) == (0, 1)


def test_the_limit_is_not_read_past(llamax: Llamax, tmp_path: Path) -> None:
    """A bad line after the last record that is wanted is none of our business."""
    (tmp_path / "x.en").write_bytes(b"a\n\xff\n")
    assert llamax("convert", "x.en", "--limit", 1).returncode == 0


def test_lengths_are_compared_through_pipes_too(llamax: Llamax, tmp_path: Path) -> None:
    """Standard input is kept aside where another file has to be as long."""
    written(tmp_path / "x.de", "c")
    done = llamax("convert", "-", "x.de", "--from", "moses", "--langs", "en,de", stdin=b"a\nb\n")
    assert (done.returncode, done.stdout) == (65, b"")
    assert b"- has 2 lines, x.de has 1 line" in done.stderr


def test_records_come_as_they_are_made() -> None:
    """A slow source is not held back until there are many."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "llamax_cli", "convert", "--langs", "en", "-q"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"one\n")
        process.stdin.flush()
        assert b'"one"' in process.stdout.readline()
        process.stdin.close()


def test_parts_without_a_size_make_up_the_whole(tmp_path: Path) -> None:
    """--part alone cuts a corpus into disjoint parts that lose nothing."""
    path = written(tmp_path / "x.en", *map(str, range(1000)))
    parts = [{r["text"] for r in records(path, selection=Selection(part=Portion(part, 3)))} for part in (1, 2, 3)]
    assert set().union(*parts) == set(map(str, range(1000)))
    assert sum(map(len, parts)) == 1000
    assert min(map(len, parts)) > 250


def test_what_is_left_out_is_counted(llamax: Llamax, tmp_path: Path) -> None:
    """Nothing is dropped without a count, in the summary and the manifest."""
    written(tmp_path / "ted.tsv", *TED, "t3\t \thola\tx\ty")
    done = llamax("convert", "ted.tsv", "--pairs", "en-es", "--drop-empty", "--manifest", "run.json")
    assert len(parsed(done)) == 1
    assert done.stderr.startswith(b"llamax convert: 1 record; left out: 1 absent, 1 empty; ")
    assert json.loads((tmp_path / "run.json").read_bytes())["figures"]["left_out"] == {"absent": 1, "empty": 1}


def test_standard_input_serves_several_directions(llamax: Llamax) -> None:
    """What can be read only once is kept for the passes that follow."""
    done = llamax("convert", "--from", "tsv", "--langs", "en,de", "--pairs", "en-de,de-en", stdin=b"a\tb\nc\td\n")
    assert [(r["id"], r["src"]) for r in parsed(done)] == [
        ("stdin:1", "a"),
        ("stdin:2", "c"),
        ("stdin:1", "b"),
        ("stdin:2", "d"),
    ]


def test_every_format_in_the_table_exists() -> None:
    """Each line of the table names a function."""
    from importlib import import_module

    for place in FORMATS.values():
        module, _, function = place.partition(":")
        assert callable(getattr(import_module(module), function))


# -- real data ---------------------------------------------------------------------------------------------------------


def test_flores_in_all_languages_is_as_it_is(llamax: Llamax, data: Path) -> None:
    """Each language of the folder comes out byte for byte; its id is the line in the corpus."""
    made = llamax("convert", data / "flores101" / "devtest", "--mono", "zho_simpl,amh,tha")
    text = llamax("convert", "--as", "text", stdin=made.stdout).stdout
    assert text == b"".join(
        (data / "flores101/devtest" / f"{name}.devtest").read_bytes() for name in ("zho_simpl", "amh", "tha")
    )
    assert parsed(made)[16]["id"] == "flores101/devtest:17"


def test_flores_has_all_directions(data: Path) -> None:
    """102 languages are 10,302 directions."""
    corpora = open_corpora(CorpusRequest([str(data / "flores101" / "devtest")], Input, strict), None)
    assert len(plan_groups(corpora, Selection(pairs=("*-*",)))) == 102 * 101


def test_ntrex_keeps_varieties_apart(llamax: Llamax, data: Path) -> None:
    """por, which is European, and por-BR stand side by side; CRLF is a line end."""
    done = llamax("convert", data / "ntrex128", "--pairs", "en-pt-PT,en-pt-BR,en-zhtrad")
    found = parsed(done)
    assert len(found) == 3 * 1997
    assert {r["tgt_lang"] for r in found} == {"pt", "pt-PT", "zhtrad"}
    assert not any("\r" in r["tgt"] for r in found)


def test_tatoeba_whole(llamax: Llamax, data: Path) -> None:
    """All files of Tatoeba convert in one call, every line of them."""
    paths = sorted((data / "tatoeba").glob("*.tsv"))
    done = llamax("convert", *paths)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == sum(path.read_bytes().count(b"\n") for path in paths)


def test_lafand_whole(llamax: Llamax, data: Path) -> None:
    """The data set's translation lines convert, Ewe included, which is not among the 102."""
    done = llamax("convert", *sorted((data / "lafand-mt").glob("*/train.json")))
    assert done.returncode == 0, done.stderr
    assert {(r["src_lang"], r["tgt_lang"]) for r in parsed(done)} == {("en", "yo"), ("en", "ha"), ("fr", "ee")}


@pytest.mark.parametrize("choice", [("--mono", "*"), ("--pairs", "*-*")])
def test_records_of_which_none_is_good_tell_why(llamax: Llamax, tmp_path: Path, choice: tuple[str, str]) -> None:
    """Samples have no languages to choose from: the first line is named, not a list of none."""
    (tmp_path / "samples.jsonl").write_text('{"prompt":"","completion":"a"}\n')
    outcome = llamax("convert", "samples.jsonl", *choice)
    assert (outcome.returncode, outcome.stdout) == (65, b"")
    assert outcome.stderr.startswith(b"llamax convert: samples.jsonl:1: no ")
    (tmp_path / "samples.jsonl").write_text("")
    outcome = llamax("convert", "samples.jsonl", *choice, "--from", "records")
    assert (outcome.returncode, outcome.stdout) == (2, b"")
    assert outcome.stderr.endswith(b"the input is empty\n")


@pytest.mark.parametrize("state", [b"{x", b"", b"\xff"])
def test_a_saved_data_set_that_is_no_json_is_bad_data(state: bytes, llamax: Llamax, tmp_path: Path) -> None:
    """The command line is right, the folder is not."""
    (tmp_path / "saved").mkdir()
    for name in ("state.json", "dataset_info.json"):
        (tmp_path / "saved" / name).write_bytes(state)
    one_line(llamax("convert", "--from", "dataset", "saved"), 65, "llamax convert: saved/state.json: not JSON; ")


@pytest.mark.parametrize(("form", "example"), [("flores", "deu.devtest"), ("ntrex", "newstest2019-ref.deu.txt")])
def test_a_name_without_a_language_is_told_by_an_example(
    form: str, example: str, llamax: Llamax, tmp_path: Path
) -> None:
    """Not by a regular expression; the example itself is such a name."""
    for name in ("x.en", example):
        (tmp_path / name).write_text("Guten Morgen.\n")
    one_line(
        llamax("convert", "--from", form, "x.en"), 65, f"x.en: no language in the name; expected a name like {example}"
    )
    assert b'"lang":"de"' in llamax("convert", "--from", form, example).stdout


def test_as_text_writes_the_translations_of_translated_records(llamax: Llamax) -> None:
    """The text, or what a model made of one; of a pair, the side that --field names, and the error says so."""
    codes = '"src_lang":"en","tgt_lang":"de"'
    translation = f'{{"src":"Hi","mt":"Hallo","tgt":"Servus",{codes}}}\n'.encode()
    pair = f'{{"src":"Hi","tgt":"Servus",{codes}}}\n'.encode()
    assert llamax("convert", "--as", "text", stdin=translation).stdout == b"Hallo\n"
    assert llamax("convert", "--as", "text", "--field", "tgt", stdin=translation + pair).stdout == b"Servus\n" * 2
    assert llamax("convert", "--as", "text", stdin=b'{"text":"a","lang":"en","mt":"b"}\n').stdout == b"a\n"
    for flags, missing in (([], "neither 'text' nor 'mt'"), (["--field", "mt"], "no 'mt'")):
        done = llamax("convert", "--as", "text", *flags, stdin=pair)
        assert done.returncode == 65
        have = "src, tgt, src_lang, tgt_lang"
        assert f"{missing} in the record (it has {have}); name a key with --field, such as" in done.stderr.decode()
