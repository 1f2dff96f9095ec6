"""Building a lexicon from dictionaries: which lines are read, kept and rejected."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpora import written
from support.fakes import watch_bar
from support.processes import Outcome, one_line

from llamax_cli import cli
from llamax_cli.console import Progress
from llamax_cli.errors import RecordError
from llamax_cli.lexicon.dictionaries import languages_in, normalize_word, parse_language_pair
from llamax_cli.lexicon.formats.two_columns import strip_notes
from llamax_cli.script import chinese, foreign_script, script

Llamax = Callable[..., Outcome]


def entries(outcome: Outcome) -> dict[tuple[str, str], dict[str, list[str]]]:
    """Return the translations by (language, word)."""
    assert outcome.returncode == 0, outcome.stderr
    records = map(json.loads, outcome.stdout.split(b"\n")[:-1])
    return {(each["lang"], each["word"]): each["translations"] for each in records}


# -- words and names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        ("muse/en-fr.txt", ("en", "fr")),
        ("en-fr.0-5000.txt.gz", ("en", "fr")),
        ("eng2swh.txt", ("en", "sw")),
        ("en_fa-AF.tsv", ("en", "fa-AF")),
        ("en_bm-Nkoo.tsv", ("en", "bm-Nkoo")),
        ("zh-Hant-en.txt", ("zhtrad", "en")),
        ("en-ur.cosda.txt", ("en", "ur")),
        ("README.md", ()),
        ("en-qqq.txt", ()),
    ],
)
def test_a_name_tells_the_languages(name: str, languages: tuple[str, ...]) -> None:
    """MUSE, PanLex and GATITOS have different conventions for file names."""
    assert languages_in(name) == languages


def test_declared_languages_may_have_scripts() -> None:
    """`--langs` accepts the same codes as file names, with scripts too."""
    assert parse_language_pair("en-zh-Hant") == ("en", "zhtrad")
    assert parse_language_pair("eng,fra") == ("en", "fr")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\1")))
def test_a_tidy_word_stays_as_it_is(text: str) -> None:
    """Normalizing is idempotent, and removes all line ends and tabs."""
    try:
        once = normalize_word(text, "first side")
    except RecordError:
        assert not text.replace("\ufeff", "").split()
        return
    assert normalize_word(once, "first side") == once
    assert not set("\n\t\r\x85\ufeff") & set(once)


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("توانستن (در گذشته)", "توانستن"),
        ("[[پنجابی زبان]]", "پنجابی زبان"),
        ("-tandika (punda)", "tandika"),
        ("（人身体上的）毛", "毛"),
        ("mother-in-law", "mother-in-law"),
        ("-", "-"),
    ],
)
def test_notes_and_affixes_are_no_part_of_a_word(cell: str, word: str) -> None:
    """Notes are in brackets; a hyphen at either end marks an affix or a stem."""
    assert strip_notes(cell) == word


def test_nothing_but_a_note_is_no_word() -> None:
    """GATITOS has {NS} where no translation is known."""
    with pytest.raises(RecordError, match="nothing but a note"):
        strip_notes("{NS}")


def test_chinese_scripts_are_told_apart() -> None:
    """Characters of one script decide; a word without them is in both; a word without Chinese keeps its language."""
    assert [chinese("zh", word) for word in ("個", "个", "人", "utc")] == [
        ("zhtrad",),
        ("zh",),
        ("zh", "zhtrad"),
        ("zh",),
    ]


def test_scripts() -> None:
    """The first letter decides; words in a script that the language does not use are detected."""
    assert [script(word) for word in ("3 дня", "かな", "word", "12")] == ["Cyrl", "Hira", "Latn", "Zyyy"]
    assert foreign_script("th", ["слово"] * 100) == "Cyrl"
    assert foreign_script("th", ["слово"] * 90 + ["ไทย"] * 10) is None
    assert foreign_script("eu", ["слово"] * 100) is None


# -- formats -----------------------------------------------------------------------------------------------------------

CAT = {
    ("en", "cat"): {"fr": ["chat", "matou"]},
    ("fr", "chat"): {"en": ["cat"]},
    ("fr", "matou"): {"en": ["cat"]},
}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("en-fr.txt", ["cat chat", "cat matou"]),
        ("en-fr.txt", ["cat\tchat", "cat\tmatou", "cat\tchat"]),
        ("eng2fra.txt", ["cat\tchat", "cat\t-matou"]),
        ("en_fr.tsv", ["cat\tchat (un)", "cat\tmatou"]),
        ("animals.tsv", ["en\tfr", "cat\tchat", "cat\tmatou"]),
        ("fr-en.dic", ["cat @ chat", "cat @ matou"]),
        ("mrasp.txt", ["EN__cat\tFR__chat__1", "FR__matou\tEN__cat__2"]),
        (
            "x.jsonl",
            [
                '{"word":"cat","lang":"eng","translations":{"fra":["matou","chat"]},"sources":[]}',
                '{"word":"chat","lang":"fr","translations":{"en":["cat"]},"sources":[]}',
                '{"word":"matou","lang":"fr","translations":{"en":["cat"]},"sources":[]}',
            ],
        ),
    ],
    ids=["space", "tab", "panlex", "gatitos", "tsv", "hunalign", "mrasp", "records"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_format_gives_the_same_lexicon(
    llamax: Llamax, tmp_path: Path, name: str, lines: list[str], end: str
) -> None:
    """The format is detected by name and content."""
    written(tmp_path / name, *lines, end=end)
    assert entries(llamax("build-lexicon", name)) == CAT


def test_panlex_export(llamax: Llamax, tmp_path: Path) -> None:
    """Expressions that share a meaning are translations; varieties in different scripts are different languages."""
    folder = tmp_path / "export"
    written(
        folder / "langvar.csv",
        "id,lang_code,var_code,script_expr",
        "1,eng,0,90",
        "2,srp,0,91",
        "3,srp,1,90",
        "4,cmn,1,92",
        "5,zxx,0,90",
    )
    expressions = ["1,1,cat", "2,2,мачка", "3,3,mačka", '4,4,"貓"', "5,5,x", "90,5,Latn", "91,5,Cyrl", "92,5,Hant"]
    written(folder / "expr.csv", "id,langvar,txt", *expressions)
    written(folder / "denotation.csv", "id,meaning,expr", "1,7,1", "2,7,2", "3,7,3", "4,7,4", "5,7,5", "6,8,1")
    done = llamax("build-lexicon", "export")
    assert b"; 6 pairs read, 4 in unknown languages; " in done.stderr
    assert entries(done)[("en", "cat")] == {
        "sr": ["мачка"],
        "sr-Latn": ["mačka"],
        "zhtrad": ["貓"],
    }


# -- laws --------------------------------------------------------------------------------------------------------------


def test_a_lexicon_made_of_its_records_is_the_same(llamax: Llamax, tmp_path: Path) -> None:
    """Records give the same bytes again; so do a compiled lexicon and any number of workers."""
    written(tmp_path / "en-fr.txt", "cat chat", "dog chien", "the le", "taxi taxi")
    written(tmp_path / "d" / "en-zh.txt", "cat 貓", "cat 猫", "man 人")
    made = llamax("build-lexicon", "en-fr.txt", "d", "-o", "x.jsonl")
    assert made.returncode == 0, made.stderr
    whole = (tmp_path / "x.jsonl").read_bytes()
    assert llamax("build-lexicon", "d", "en-fr.txt", "--workers", 2).stdout == whole
    assert llamax("build-lexicon", "x.jsonl").stdout == whole
    assert llamax("build-lexicon", "x.jsonl", "-o", "x.lex").returncode == 0
    assert llamax("build-lexicon", "x.lex").stdout == whole


words = st.sampled_from(["a", "b", "c d", "é", "人", "個"])
tables = st.lists(st.tuples(words, words), min_size=1, max_size=8)


def test_an_entry_with_a_language_twice_is_a_bad_line(llamax: Llamax, tmp_path: Path) -> None:
    """Also where it is as long as the entry would be without the lost translations, written in full."""
    good = '{"word":"dog","lang":"en","translations":{"fr":["chien"]}}'
    bad = '{"word":"cat","lang":"en","translations":{"fr":["abc"],"fr":["chat"]}}'
    written(tmp_path / "entries.jsonl", good, bad)
    done = llamax("build-lexicon", "entries.jsonl", "--rejects", "bad.jsonl")
    assert list(entries(done)) == [("en", "dog")]
    assert (
        json.loads((tmp_path / "bad.jsonl").read_text())["reason"]
        == "not a record: 'translations' has the key 'fr' twice"
    )


@settings(max_examples=20)
@given(st.lists(st.tuples(st.sampled_from(["en-fr", "fr-de", "zh-en"]), tables), min_size=1, max_size=4))
def test_two_hops_are_one_hop_twice(files: list[tuple[str, list[tuple[str, str]]]]) -> None:
    """Two hops give all pairs of one hop and every path of two hops; the order of the files does not matter."""
    one, two = (built(files, hops) for hops in (1, 2))
    expected = set(one)
    for first in one:
        expected |= {(*first[:2], *second[2:]) for second in one if first[2:] == second[:2] and first[0] != second[2]}
    assert two == {row for row in expected if row[1] != row[3]}
    assert built(files[::-1], 2) == two


def built(files: Iterable[tuple[str, list[tuple[str, str]]]], hops: int) -> set[tuple[str, str, str, str]]:
    """Return the (language, word, language, translation) tuples of a lexicon that is built in this process."""
    from collections import Counter
    from functools import partial

    from llamax_cli.lexicon.builder import BuildContext, build
    from llamax_cli.lexicon.dictionaries import Dictionary
    from llamax_cli.lexicon.formats.two_columns import _parse, verbatim
    from llamax_cli.lexicon.rows import BuildOptions
    from llamax_cli.streams.chunks import Chunk

    def refuse(name: str, line: int, reason: str, raw: bytes) -> None:
        raise AssertionError(reason)

    dictionaries = []
    for name, rows in files:
        data = "".join(f"{first}\t{second}\n" for first, second in rows).encode()
        parse = partial(_parse, name.split("-"), "\t", verbatim)
        dictionaries.append(Dictionary(name, [Chunk(name, 1, data)], parse))
    context = BuildContext(refuse, Counter(), lambda lines: None, lambda name, total: lambda rows: None)
    made = build(dictionaries, BuildOptions(hops=hops), context, {})
    return {
        (each["lang"], each["word"], lang, text)
        for each in made
        for lang, found in each["translations"].items()
        for text in found
    }


def test_choices(llamax: Llamax, tmp_path: Path) -> None:
    """--one-way, --keep-identical, --only, --max-words and --hops; pairs that are left out are counted."""
    written(tmp_path / "en-fr.txt", "cat\tchat", "taxi\ttaxi", "sugar cane\tcanne")
    written(tmp_path / "en-de.txt", "cat\tKatze")
    assert ("fr", "chat") not in entries(llamax("build-lexicon", "en-fr.txt", "--one-way"))
    assert ("en", "taxi") not in entries(llamax("build-lexicon", "en-fr.txt"))
    assert entries(llamax("build-lexicon", "en-fr.txt", "--keep-identical"))[("fr", "taxi")] == {"en": ["taxi"]}
    assert set(entries(llamax("build-lexicon", "en-fr.txt", "en-de.txt", "--only", "deu,eng"))) == {
        ("de", "Katze"),
        ("en", "cat"),
    }
    done = llamax("build-lexicon", "en-fr.txt", "--max-words", 1)
    assert ("fr", "canne") not in entries(done)
    assert b"3 pairs read, 1 identical, 1 too long; " in done.stderr
    through = entries(llamax("build-lexicon", "en-fr.txt", "en-de.txt", "--hops", 2, "--only", "de,fr"))
    assert through == {("de", "Katze"): {"fr": ["chat"]}, ("fr", "chat"): {"de": ["Katze"]}}
    regional = entries(llamax("build-lexicon", "en-fr.txt", "--langs", "en-GB,fr-CA", "--only", "en,fr"))
    assert regional[("en-GB", "cat")] == {"fr-CA": ["chat"]}


def test_statistics_are_those_of_the_build_whichever_way_they_are_asked_for(llamax: Llamax, tmp_path: Path) -> None:
    """Of the dictionaries and of the compiled lexicon, which stores also what it leaves out; with and without it."""
    written(tmp_path / "en-fr.txt", "cat chat", "taxi taxi", "ok ok", "ok ok")
    for option in ((), ("--keep-identical",)):
        assert llamax("build-lexicon", "en-fr.txt", *option, "-o", "x.lex").returncode == 0
        stored, counted = (llamax("build-lexicon", each, "--stats", "-q").stdout for each in ("x.lex", "en-fr.txt"))
        english, french = map(json.loads, stored.splitlines())
        assert (english["entities"], english["identity"]) == (3, 0.6667) == (french["entities"], french["identity"])
        assert english["entries"] == (3 if option else 1)
        assert option or stored == counted


def test_statistics_as_a_table(llamax: Llamax, tmp_path: Path) -> None:
    """A row for each language, scripts in one cell; CSV reads back as the records do."""
    written(tmp_path / "en-th.txt", "cat แมว", "dog หมา", "taxi taxi", "2 two")
    records = list(map(json.loads, llamax("build-lexicon", "en-th.txt", "--stats", "-q").stdout.splitlines()))
    rows = [
        *csv.DictReader(io.StringIO(llamax("build-lexicon", "en-th.txt", "--stats", "--table", "csv").stdout.decode()))
    ]
    scripts = [", ".join(f"{name} {count}" for name, count in each["scripts"].items()) for each in records]
    assert rows == [
        {key: str(value) for key, value in each.items()} | {"scripts": cell}
        for each, cell in zip(records, scripts, strict=True)
    ]
    assert [row["scripts"] for row in rows] == ["Latn 2, Zyyy 1", "Thai 2, Latn 1"]
    table = llamax("build-lexicon", "en-th.txt", "--stats", "--table", "md").stdout.decode().splitlines()
    assert table[3] == "| th | 4 | 3 | 0.25 | Thai 2, Latn 1 | 1.00 | 0.00 |"
    assert llamax("build-lexicon", "en-th.txt", "--stats", "--table", "latex", "-o", "t.tex").stdout == b""
    assert r"th & 4 & 3 & 0.25 & Thai 2, Latn 1 & 1.00 & 0.00 \\" in (tmp_path / "t.tex").read_text().splitlines()
    nothing = llamax("build-lexicon", "en-th.txt", "--only", "de", "--stats", "--table", "md")
    assert (nothing.returncode, nothing.stdout) == (0, b"There are no records.\n")
    refused = llamax("build-lexicon", "en-th.txt", "--table", "md")
    assert one_line(refused, 2) == "--table requires --stats; entries are not a table"


def test_chinese_in_a_lexicon(llamax: Llamax, tmp_path: Path) -> None:
    """A file in either script gives entries in both; entities count for the language in the file name."""
    written(tmp_path / "en-zh.txt", "cat 貓", "cat 猫", "man 人", "utc utc")
    assert entries(llamax("build-lexicon", "en-zh.txt"))[("en", "cat")] == {"zh": ["猫"], "zhtrad": ["貓"]}
    figures = {
        each["lang"]: each
        for each in map(json.loads, llamax("build-lexicon", "en-zh.txt", "--stats").stdout.splitlines())
    }
    assert (figures["zh"]["entities"], figures["zh"]["entries"]) == (4, 2)
    assert (figures["zhtrad"]["entities"], figures["zhtrad"]["entries"]) == (2, 2)


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["a b", "c\td", "e f", "g h"], "2: a tab in a file whose columns are separated by spaces"),
        (["a\tb", "c d", "e\tf"], "2: no tab in a file whose columns are separated by tabs"),
        (["a b", "c d e"], "2: 3 columns instead of 2"),
        (["a\tb", "c\td\te"], "2: 3 columns instead of 2"),
        (["a\tb", "c\t "], "2: the second side is empty"),
        (["a\tb", "\ufeff\tc"], "2: the first side is empty"),
        (["a\tb", "", "c\td"], "2: empty line"),
        (["a\tb", "alone"], "2: 1 column instead of 2"),
    ],
)
def test_bad_lines(llamax: Llamax, tmp_path: Path, lines: list[str], reason: str) -> None:
    """A bad line ends the run with its position, or is written to the rejects."""
    written(tmp_path / "en-fr.txt", *lines)
    said = one_line(llamax("build-lexicon", "en-fr.txt"), 65)
    assert said == f"en-fr.txt:{reason}; --rejects FILE sets such lines aside"
    done = llamax("build-lexicon", "en-fr.txt", "--rejects", "bad.jsonl")
    assert len(entries(done)) >= 2
    bad = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_bytes().splitlines()]
    assert [f"{each['line']}: {each['reason']}" for each in bad] == [reason]


@pytest.mark.parametrize("end", ["\n\n\n", "\n", "\r\n \t\n", "\n \n\n  "])
@pytest.mark.parametrize("name", ["en-fr.txt", "en_fr.tsv", "animals.tsv", "en-fr.dic"])
def test_blank_lines_at_the_end_are_counted(llamax: Llamax, tmp_path: Path, name: str, end: str) -> None:
    """They are no word pairs, and no sign of damage either."""
    header = "en\tfr\n" if name == "animals.tsv" else ""
    pair = "cat @ chat" if name == "en-fr.dic" else "cat\tchat"
    (tmp_path / name).write_text(f"{header}{pair}{end}")
    done = llamax("build-lexicon", name, "--langs", "fr-en" if name == "en-fr.dic" else "en-fr")
    assert set(entries(done)) == {("en", "cat"), ("fr", "chat")}
    blank = end.count("\n") - 1 + bool(end.rpartition("\n")[2])
    assert (f"1 pair read, {blank} blank at the end; " in done.stderr.decode()) == (blank > 0)


@given(st.lists(st.sampled_from(["a\tb\n", "\n", " \r\n", "c\td\n"]), min_size=1), st.data())
def test_only_blank_lines_at_the_end_are_left_out(lines: list[str], data: st.DataObject) -> None:
    """Others keep their place, wherever a chunk ends."""
    from llamax_cli.lexicon.dictionaries import DictionaryRequest
    from llamax_cli.streams.chunks import Chunk
    from llamax_cli.streams.inputs import Input

    cuts = sorted(data.draw(st.sets(st.integers(1, len(lines)))) | {len(lines)})
    chunks = [
        Chunk("x", start + 1, "".join(lines[start:end]).encode()) for start, end in zip([0, *cuts], cuts, strict=False)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llamax_cli.lexicon.dictionaries.unmarked", lambda source: iter(chunks))
        patch.setattr("llamax_cli.lexicon.dictionaries.BLANK_LINES", 2)
        request = DictionaryRequest(Input)
        found = list(request.lines("x"))
    numbered = {
        chunk.line + index: line.strip()
        for chunk in found
        for index, line in enumerate(chunk.data.decode().split("\n")[:-1])
    }
    stripped = [line.strip() for line in lines]
    while stripped and not stripped[-1]:
        stripped.pop()
    assert numbered == dict(enumerate(stripped, 1))
    assert request.tally["blank at the end"] == len(lines) - len(stripped)


def test_what_was_read_is_counted(llamax: Llamax, tmp_path: Path) -> None:
    """The manifest has the lines read and the entries written, with and without rejected lines."""
    written(tmp_path / "en-fr.txt", "cat chat", "alone", "cat matou", "")
    llamax("build-lexicon", "en-fr.txt", "--rejects", "bad", "--manifest", "run.json", "-o", "x.lex")
    manifest = json.loads((tmp_path / "run.json").read_text())
    assert manifest["counts"] == {"in": 3, "out": 3, "rejected": 1}
    done = llamax("build-lexicon", "x.lex", "--manifest", "run.json")
    assert done.stderr.startswith(b"llamax build-lexicon: 3 records; 4 pairs read; ")
    assert json.loads((tmp_path / "run.json").read_text())["counts"] == {"in": 3, "out": 3, "rejected": 0}


@pytest.mark.parametrize("hops", [1, 2])
def test_the_bar_names_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hops: int) -> None:
    """Each step in its turn, from nothing to all there is, and as many records as are written."""
    shown = watch_bar(monkeypatch)
    written(tmp_path / "d" / "en-fr.txt", *(f"word{number} mot{number}" for number in range(3000)))
    written(tmp_path / "d" / "en-de.txt", *(f"word{number} Wort{number}" for number in range(3000)))
    assert cli.run(["build-lexicon", str(tmp_path / "d"), "-o", str(tmp_path / "x.lex"), "--hops", str(hops)]) == 0
    steps = list(dict.fromkeys(note.split()[0] for note, _ in shown))
    assert steps == (["reading", "writing"] if hops == 1 else ["reading", "linking", "composing", "writing"])
    for step in steps:
        shares = [share for note, share in shown if note.startswith(step)]
        assert shares == sorted(shares) and shares[-1] == 1, step
    assert len({share for note, share in shown if note.startswith("writing")}) > 2
    assert shown[-1] == ("writing 9,000 records", 1)


@pytest.mark.parametrize(
    ("options", "expected"), [((), False), (("--name", "x"), True), (("-q", "--name", "x"), False)]
)
def test_a_named_lexicon_leaves_the_terminal_to_the_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], expected: bool
) -> None:
    """Entries on standard output fill it; a lexicon with a name is a file, though no -o names it."""
    enabled = []

    class Bar(Progress):
        def __init__(self, command: str, *, enabled: bool) -> None:
            super().__init__(command, enabled=enabled)
            self.is_enabled = enabled

        def close(self) -> None:
            enabled.append(self.is_enabled)

    monkeypatch.setattr("llamax_cli.streams.run.Progress", Bar)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("LLAMAX_DATA", str(tmp_path))
    written(tmp_path / "en-fr.txt", "cat chat")
    assert cli.run(["build-lexicon", str(tmp_path / "en-fr.txt"), *options]) == 0
    assert enabled == [expected]


def test_not_utf8(llamax: Llamax, tmp_path: Path) -> None:
    """The message names the first byte that is not UTF-8."""
    (tmp_path / "en-fr.txt").write_bytes(b"a\tb\nc\t\xff\n")
    assert one_line(llamax("build-lexicon", "en-fr.txt"), 65).startswith("en-fr.txt:2: not UTF-8: byte 0xff at 2; ")


def test_languages_that_nobody_says(llamax: Llamax, tmp_path: Path) -> None:
    """A name without languages, one language twice, or words in a script that the language does not use."""
    written(tmp_path / "list.txt", "a b")
    written(tmp_path / "en-en.txt", "a b")
    written(tmp_path / "en-th.txt", *(f"word{number} слово{number}" for number in range(99)))
    hint = "for example --langs en-fr"
    assert (
        one_line(llamax("build-lexicon", "list.txt"), 2)
        == "list.txt: cannot tell the two languages from the name; give them, " + hint
    )
    assert (
        one_line(llamax("build-lexicon", "en-en.txt"), 2)
        == f"en-en.txt: both sides are in en; give two languages, {hint}"
    )
    said = "en-th.txt: column 2 is in the script Cyrl, which is not used for th; "
    said += "give the right languages with --langs instead of en-th"
    assert one_line(llamax("build-lexicon", "en-th.txt"), 65) == said
    assert len(entries(llamax("build-lexicon", "en-th.txt", "--langs", "en-ru"))) == 198
    assert entries(llamax("build-lexicon", "--langs", "en-fr", stdin=b"a b\n"))[("en", "a")] == {"fr": ["b"]}
    assert one_line(llamax("build-lexicon", "x", "--langs", "en-qqq"), 2).startswith("unknown language 'qqq'")


def test_an_empty_file_and_an_empty_folder(llamax: Llamax, tmp_path: Path) -> None:
    """An input without any lines is an error."""
    written(tmp_path / "en-fr.txt")
    (tmp_path / "none").mkdir()
    assert one_line(llamax("build-lexicon", "en-fr.txt"), 65) == "en-fr.txt is empty; is the download complete?"
    assert one_line(llamax("build-lexicon", "none"), 65).startswith(
        "none: no file in this folder has two languages in its name"
    )


def test_bad_entries(llamax: Llamax, tmp_path: Path) -> None:
    """The message says why a record is not an entry, by its keys."""
    strings = "'translations' is not an object of lists of strings"
    for record, reason in (
        ('{"src":"a","tgt":"b"}', "no 'word'"),
        ('{"word":"a","lang":"en"}', "no 'translations'"),
        ('{"word":["a"],"lang":"en"}', "'word' is not a string"),
        ('{"word":"a","lang":"en","translations":{"de":["b",1]}}', strings),
        ('{"word":"a","lang":"en","translations":"b"}', strings),
        ('{"word":"a","lang":"en","translations":{},"sources":1}', "'sources' is not a list of strings"),
    ):
        written(tmp_path / "x.jsonl", record)
        said = one_line(llamax("build-lexicon", "x.jsonl"), 65)
        assert said == f"x.jsonl:1: not an entry of a lexicon: {reason}; --rejects FILE sets such lines aside"
    written(tmp_path / "x.jsonl", "{nothing}")
    assert one_line(llamax("build-lexicon", "x.jsonl"), 65).startswith("x.jsonl:1: not JSON: ")
    for translations in ("{}", '{"de":[]}'):
        written(tmp_path / "x.jsonl", f'{{"word":"a","lang":"en","translations":{translations}}}')
        assert one_line(llamax("build-lexicon", "x.jsonl"), 65).startswith("x.jsonl:1: the entry has no translations; ")
    for sign in ("\\n", "\\u0000", "\\u0001"):
        written(
            tmp_path / "x.jsonl", f'{{"word":"a","lang":"en","translations":{{"de":["b"]}},"sources":["x{sign}y"]}}'
        )
        reason = "NUL, U+0001 or a line end in the name of a source"
        assert one_line(llamax("build-lexicon", "x.jsonl"), 65).startswith(f"x.jsonl:1: {reason}; ")


def test_an_entry_without_sources_comes_from_its_file(llamax: Llamax, tmp_path: Path) -> None:
    """An empty list of sources is treated like a missing one."""
    written(tmp_path / "x.jsonl", '{"word":"a","lang":"en","translations":{"de":["b"]},"sources":[]}')
    done = llamax("build-lexicon", "x.jsonl")
    assert json.loads(done.stdout)["sources"] == [f"{tmp_path.name}/x"]


def test_pairs_in_one_language_are_counted(llamax: Llamax, tmp_path: Path) -> None:
    """A synonym is not a translation."""
    written(tmp_path / "x.tsv", "EN__big\tEN__large__1", "EN__big\tDE__gross__1")
    done = llamax("build-lexicon", "x.tsv", "--from", "mrasp")
    assert set(entries(done)) == {("en", "big"), ("de", "gross")}
    assert "2 pairs read, 1 in one language;" in done.stderr.decode()


# -- real dictionaries -------------------------------------------------------------------------------------------------


def figures_of(llamax: Llamax, *paths: Path) -> dict[str, Any]:
    """Return the statistics of a lexicon by language."""
    done = llamax("build-lexicon", *paths, "--stats", "-q")
    assert (done.returncode, done.stderr) == (0, b"")
    return {each["lang"]: each for each in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize(("lang", "entities"), [("th", 21_567), ("ta", 23_932), ("zh", 31_679)])
def test_entities_of_table_2(llamax: Llamax, data: Path, lang: str, entities: int) -> None:
    """The two files of a language and English contain all its words; th has the number in the paper."""
    muse = data / "muse"
    figures = figures_of(llamax, muse / f"en-{lang}.txt", muse / f"{lang}-en.txt")
    assert figures[lang]["entities"] == entities
    assert figures["th"]["identity"] == 0.6247 if lang == "th" else True


@pytest.mark.slow
@pytest.mark.parametrize(("files", "rejected"), [("muse/*-en.txt", 0), ("panlex", 9), ("gatitos", 5)])
def test_real_dictionaries(llamax: Llamax, data: Path, tmp_path: Path, files: str, rejected: int) -> None:
    """All lines are read, and those that are not entries are counted."""
    done = llamax("build-lexicon", *data.glob(files), "--rejects", "bad.jsonl", "-o", "x.jsonl", "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "bad.jsonl").read_bytes().splitlines()) == rejected
    text = (tmp_path / "x.jsonl").read_text(encoding="utf-8")
    assert not any(odd in text for odd in ("\ufeff", "\\r", "\\ufeff", "\x85"))
