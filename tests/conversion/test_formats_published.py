"""Corpora as they are published: test sets in JSON, files with keys, localisation, subtitles, mtdata."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpora import Rejected, request_of, texts
from support.processes import Outcome, one_line
from support.records import parsed, read, write

from llamax_cli.conversion.detection import detect, open_corpora
from llamax_cli.conversion.formats import po, subtitles, xliff
from llamax_cli.conversion.segments import Segment
from llamax_cli.conversion.subtitle_writer import SubtitleFile, cue_lines
from llamax_cli.errors import DataError

Llamax = Callable[..., Outcome]
WMT24PP = {"lp": "en-de_DE", "domain": "news", "document_id": "d", "segment_id": 1, "original_target": "Halo."}
SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello <i>there</i>.\n- You!\n\n2\n01:00:03,000 --> 01:00:04,000\nBye.\n\n"


def line(**more: Any) -> dict[str, Any]:
    """Return a line of WMT24++."""
    return {**WMT24PP, "is_bad_source": False, "source": "Hello.", "target": "Hallo.", **more}


# -- lines of JSON -----------------------------------------------------------------------------------------------------


def test_wmt24pp_is_read_without_its_bad_sources(llamax: Llamax, tmp_path: Path) -> None:
    """They are counted in each direction that is asked for; other keys stay, a broken line is a bad line."""
    bad = line(is_bad_source=True, source="canary", target="canary")
    write(tmp_path / "en-de_DE.jsonl", [line(), bad, line(source="Two.", target="Zwei.")])
    done = llamax("convert", "en-de_DE.jsonl")
    assert parsed(done)[1] == {
        "id": f"{tmp_path.name}/en-de_DE:3", "src": "Two.", "tgt": "Zwei.", "src_lang": "en", "tgt_lang": "de",
        **{key: value for key, value in WMT24PP.items() if key != "lp"},
    }  # fmt: skip
    assert b"left out: 1 with a bad source" in done.stderr
    both = llamax("convert", "en-de_DE.jsonl", "--pairs", "*-*")
    assert [(each["src_lang"], each["src"]) for each in parsed(both)] == [
        ("en", "Hello."), ("en", "Two."), ("de", "Hallo."), ("de", "Zwei.")
    ]  # fmt: skip
    assert b"left out: 2 with a bad source" in both.stderr
    write(tmp_path / "bad.jsonl", [line(), line(lp="german")])
    one_line(llamax("convert", "bad.jsonl"), 65, "bad.jsonl:2: 'lp' is 'german'", had_written=True)


def test_wmt25_has_documents_with_references_or_without(llamax: Llamax, tmp_path: Path) -> None:
    """The first reference is the target; a source without one can still be translated, but is no pair."""
    document = {"doc_id": "en-sw_KE_#_news", "src_lang": "en", "tgt_lang": "sw_KE", "src_text": "One.\n\nTwo."}
    lines = [
        {**document, "refs": {"refA": {"ref": "Moja.\n\nMbili."}, "refB": {"ref": "M."}}},
        {**document, "refs": {}},
    ]
    write(tmp_path / "wmt25-genmt.jsonl", lines)
    first, second = parsed(llamax("convert", "wmt25-genmt.jsonl"))
    assert (first["tgt"], first["ref_B"], first["tgt_lang"]) == ("Moja.\n\nMbili.", "M.", "sw")
    assert second == {key: value for key, value in first.items() if key not in ("tgt", "ref_B")} | {"id": second["id"]}
    pairs = llamax("convert", "wmt25-genmt.jsonl", "--pairs", "sw-en")
    assert [each["src"] for each in parsed(pairs)] == ["Moja.\n\nMbili."]
    assert b"1 absent" in pairs.stderr


def test_smol_is_sentences_documents_or_words(llamax: Llamax, tmp_path: Path) -> None:
    """One record for each sentence of a document and each translation of a word; lists of two lengths are refused."""
    both = {"sl": "en", "tl": "sw"}
    write(
        tmp_path / "smol.jsonl",
        [
            {**both, "id": 7, "src": "Good morning", "trg": "Habari"},
            {**both, "srcs": ["A", "B"], "trgs": ["C", "D"]},
            {**both, "src": "dog", "trgs": ["mbwa", "jibwa"]},
            {**both, "srcs": ["A", "B"], "trgs": ["C"]},
        ],
    )
    done = llamax("convert", "smol.jsonl", "--rejects", "bad.jsonl")
    found = [("Good morning", "Habari"), ("A", "C"), ("B", "D"), ("dog", "mbwa"), ("dog", "jibwa")]
    assert [(each["src"], each["tgt"]) for each in parsed(done)] == found
    assert parsed(done)[0]["row_id"] == 7
    assert [each["line"] for each in read((tmp_path / "bad.jsonl").read_bytes())] == [4]


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (line(), "wmt24pp"),
        ({"src_lang": "en", "tgt_lang": "de", "src_text": "a", "refs": {}}, "wmt25"),
        ({"sl": "en", "tl": "sw", "srcs": ["a"], "trgs": ["b"]}, "smol"),
        ({"src": "a", "tgt": "b", "src_lang": "en", "tgt_lang": "de"}, "records"),
        ({"text": 'the key "lp": of "source": and "target":', "lang": "en"}, "records"),
        ({"translation": {"en": "a"}}, "hf"),
    ],
)
def test_lines_are_told_by_their_keys(tmp_path: Path, record: dict[str, Any], kind: str) -> None:
    """Quotes inside a text are escaped, so that no text looks like a key."""
    path = write(tmp_path / "x.jsonl", [record])
    assert detect(str(path), request_of(path)) == kind


# -- files with keys ---------------------------------------------------------------------------------------------------


def keyed(folder: Path, **files: list[dict[str, Any]]) -> Path:
    """Write a file of JSON lines for each language."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        write(folder / f"{name}.jsonl", rows)
    return folder


def test_flores_plus_is_aligned_by_its_ids(tmp_path: Path) -> None:
    """In any order of the rows; what a language lacks is absent; both parts are corpora of all languages."""
    rows = [{"id": number, "text": f"{number}", "iso_639_3": "eng", "glottocode": "stan1293"} for number in range(3)]
    for part in ("dev", "devtest"):
        folder = tmp_path / "flores_plus" / part
        keyed(folder, eng_Latn=rows, deu_Latn=rows[::-1], cat_Latn_vale1252=rows[1:])
    corpora = open_corpora(request_of(tmp_path / "flores_plus"), None)
    assert [corpus.name for corpus in corpora] == ["flores_plus/dev", "flores_plus/devtest"]
    assert corpora[0].languages == ["ca-valencia", "de", "en"]
    found = {row[1]: row for row in texts(corpora[0], "ca-valencia", "de", "en")}
    assert found == {"0": (None, "0", "0"), "1": ("1", "1", "1"), "2": ("2", "2", "2")}
    (one,) = open_corpora(request_of(tmp_path / "flores_plus", split="dev"), None)
    assert one.name == "flores_plus/dev"
    with pytest.raises(Exception, match="no folder 'test'"):
        open_corpora(request_of(tmp_path / "flores_plus", split="test"), None)


def test_a_segment_has_one_number_in_every_direction(tmp_path: Path) -> None:
    """So that a part that is held out is held out everywhere."""
    folder = keyed(
        tmp_path / "dev",
        eng_Latn=[{"id": 5, "text": "five"}, {"id": 3, "text": "three"}],
        deu_Latn=[{"id": 3, "text": "drei"}, {"id": 5, "text": "fünf"}],
        swh_Latn=[{"id": 5, "text": "tano"}],
    )
    (corpus,) = open_corpora(request_of(folder), None)
    numbers = [
        {segment.extra["row_id"]: segment.number for segment in corpus.segments(codes)}
        for codes in (("en", "de"), ("de", "sw"), ("sw",))
    ]
    assert numbers[0] == numbers[1] == numbers[2] == {"3": 1, "5": 2}


def test_bouquet_pairs_every_language_with_every_other(tmp_path: Path) -> None:
    """As Parquet and as lines, by `uniq_id`; English is in each file beside its language."""
    import pyarrow
    import pyarrow.parquet

    def rows(code: str, *keys: str) -> list[dict[str, str]]:
        both = {"src_lang": code, "tgt_lang": "eng_Latn"}
        return [{**both, "uniq_id": key, "src_text": f"{code} {key}", "tgt_text": f"en {key}"} for key in keys]

    folder = tmp_path / "sentence_level" / "dev"
    keyed(folder, swh_Latn=rows("sw", "P1-S1", "P1-S2"))
    table = pyarrow.Table.from_pylist(rows("de", "P1-S2"))
    pyarrow.parquet.write_table(table, folder / "deu_Latn.parquet")
    (corpus,) = open_corpora(request_of(tmp_path), None)
    assert corpus.name.endswith("/dev")
    assert set(corpus.languages) == {"de", "sw", "en"}
    assert ("de P1-S2", "sw P1-S2") in texts(corpus, "de", "sw")
    assert ("en P1-S2", "sw P1-S2") in texts(corpus, "en", "sw")


def test_a_file_of_an_unknown_variety_is_counted(llamax: Llamax, tmp_path: Path) -> None:
    """The others are read; alone it is refused."""
    row = [{"id": 0, "text": "a"}]
    keyed(tmp_path / "dev", eng_Latn=row, deu_Latn_none1234=row)
    done = llamax("convert", "dev")
    assert len(parsed(done)) == 1
    assert b"file deu_Latn_none1234.jsonl, whose language has no code" in done.stderr
    one_line(llamax("convert", "dev/deu_Latn_none1234.jsonl"), 65, "unknown language")


def test_nllb_seed_is_a_folder_for_each_pair(tmp_path: Path) -> None:
    """Each has two files, named as the halves of its name."""
    for pair in ("ace_Arab-eng_Latn", "bam_Latn-eng_Latn"):
        folder = tmp_path / "NLLB-Seed" / pair
        folder.mkdir(parents=True)
        for half in pair.split("-"):
            (folder / half).write_text(f"{half} 1\n{half} 2\n")
    corpora = open_corpora(request_of(tmp_path / "NLLB-Seed"), None)
    assert [corpus.name for corpus in corpora] == ["NLLB-Seed/ace_Arab-eng_Latn", "NLLB-Seed/bam_Latn-eng_Latn"]
    assert texts(corpora[1], "en", "bm") == [("eng_Latn 1", "bam_Latn 1"), ("eng_Latn 2", "bam_Latn 2")]
    (single,) = open_corpora(request_of(tmp_path / "NLLB-Seed" / "ace_Arab-eng_Latn"), None)
    assert single.languages == ["ace-Arab", "en"]


# -- XLIFF -------------------------------------------------------------------------------------------------------------

FIRST = '<xliff version="1.2"><file source-language="en-US" target-language="de"><body>{}</body></file></xliff>'
SECOND = '<xliff version="2.0" srcLang="en" trgLang="de"><file id="f">{}</file></xliff>'


def memory(tmp_path: Path, text: str) -> Path:
    """Write a file of XLIFF."""
    path = tmp_path / "a.xlf"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        FIRST.format(
            '<trans-unit id="u"><source>A <g id="1">bo<x id="2"/>ld</g> <bpt id="3">&lt;b<sub>no</sub></bpt>&amp; b'
            "</source>"
            "<seg-source><mrk>no</mrk></seg-source><target>Ein <mrk>fet</mrk>ter\n   B</target>"
            "<alt-trans><source>no</source><target>nein</target></alt-trans><note>no</note></trans-unit>"
        ),
        SECOND.format(
            '<unit id="u"><notes><note>no</note></notes><originalData><data id="d">no</data></originalData><segment>'
            '<source>A <pc id="1">bo<ph id="2"/>ld</pc> &amp; b</source>'
            '<target>Ein <mrk id="m">fet</mrk>ter\n   B</target>'
            "</segment><ignorable><source> </source></ignorable></unit>"
        ),
    ],
    ids=["1.2", "2"],
)
def test_units_are_pairs_without_formatting(tmp_path: Path, text: str) -> None:
    """Codes are no text, marked text is; suggestions, notes and segmented copies are left out."""
    (corpus,) = open_corpora(request_of(memory(tmp_path, text)), None)
    assert list(corpus.segments(("de", "en"))) == [Segment(1, ["Ein fetter B", "A bold & b"], {"unit": "u"})]


def test_units_without_a_translation_are_sources(llamax: Llamax, tmp_path: Path) -> None:
    """They can be translated; as pairs they are absent. Segments of one unit are several records."""
    two = "<segment><source>One</source></segment><segment><source>T</source><target>Z</target></segment>"
    unit = f"<unit id='u'>{two}</unit>"
    memory(tmp_path, SECOND.format(unit))
    first, second = parsed(llamax("convert", "a.xlf"))
    assert (first["src"], "tgt" in first, second["tgt"], second["unit"]) == ("One", False, "Z", "u")
    assert b"1 absent" in llamax("convert", "a.xlf", "--pairs", "en-de").stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FIRST.format("<trans-unit>"), r"a\.xlf:1: broken XML: mismatched tag"),
        ('<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><xliff>&b;</xliff>', r"a\.xlf:1: declares the entity 'a'"),
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xliff>&a;</xliff>', r"declares the entity 'a'"),
        ('<!DOCTYPE x SYSTEM "http://a.org/x.dtd">' + FIRST.format("&nbsp;"), r"the entity &nbsp; is not defined"),
        ("<html/>", r"not XLIFF: it opens with <html>"),
        (FIRST.replace("de", "xx-unknown-x").format(""), r"say the languages: --langs SOURCE,TARGET"),
        (SECOND.replace(' trgLang="de"', "").format("<unit><segment/></unit>"), r"names not two languages \(en\)"),
    ],
)
def test_broken_and_hostile_xliff_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    """Nothing is loaded or expanded."""
    with pytest.raises(DataError, match=message) as caught:
        xliff.open_corpora(request_of(memory(tmp_path, text)))[0].segments(("en", "de")).__next__()
    assert "\n" not in str(caught.value)


# -- PO ----------------------------------------------------------------------------------------------------------------

PO = r"""# A catalogue.
msgid ""
msgstr ""
"Language: de\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#: a.c:1
msgid "One "
"\"file\"\n"
msgstr "Eine „Datei“\n"

#, c-format, fuzzy
msgid "bad"
msgstr "schlecht"
msgctxt "menu"
msgid "Open"
msgstr "Öffnen"

msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d Datei"
msgstr[1] "%d Dateien"

msgid "untranslated"
msgstr ""

#~ msgid "old"
#~ msgstr "alt"
"""


def test_a_catalogue_is_pairs(llamax: Llamax, tmp_path: Path) -> None:
    """Escapes and continued strings, contexts, both forms of a plural; fuzzy entries are counted."""
    (tmp_path / "x.po").write_text(PO)
    done = llamax("convert", "x.po", "--pairs", "en-de")
    found = [(each["src"], each["tgt"], each.get("context")) for each in parsed(done)]
    assert found == [
        ('One "file"\n', "Eine „Datei“\n", None), ("Open", "Öffnen", "menu"), ("%d file", "%d Datei", None),
        ("%d files", "%d Dateien", None),
    ]  # fmt: skip
    assert b"left out: 1 fuzzy, 1 absent" in done.stderr


def test_a_catalogue_that_does_not_say_its_language(tmp_path: Path) -> None:
    """Its name may, as `sw.po` does, or `--langs`; otherwise it is refused."""
    for name in ("sw.po", "messages.po"):
        (tmp_path / name).write_text('msgid "a"\nmsgstr "b"\n')
    assert open_corpora(request_of(tmp_path / "sw.po"), None)[0].languages == ["en", "sw"]
    declared = request_of(tmp_path / "messages.po", languages=("fr", "sw"))
    assert texts(open_corpora(declared, None)[0], "fr", "sw") == [("a", "b")]
    with pytest.raises(DataError, match="its header says no language; say them: --langs SOURCE,TARGET"):
        list(po.open_corpora(request_of(tmp_path / "messages.po"))[0].languages)


def test_a_bad_entry_takes_no_other_with_it(tmp_path: Path) -> None:
    """It is rejected at its line, and the entries around it are read."""
    path = tmp_path / "de.po"
    path.write_bytes(
        b'msgid "a"\nmsgstr "b"\n\nmsgid "c\nmsgstr "d"\n\nmsgid "e"\nmsgstr "\xff"\n\nmsgid "g"\nmsgstr "h"\n'
    )
    bad: Rejected = []
    (corpus,) = po.open_corpora(request_of(path, bad=bad))
    assert texts(corpus, "en", "de") == [("a", "b"), ("g", "h")]
    assert {number for _, number, _, _ in bad} == {4, 5, 8}


# -- subtitles ---------------------------------------------------------------------------------------------------------


def test_subtitles_come_back_as_they_were(llamax: Llamax, tmp_path: Path) -> None:
    """Through records, byte for byte; through WebVTT with the same times."""
    (tmp_path / "film.en.srt").write_text(SRT)
    done = llamax("convert", "film.en.srt", "-o", "film.jsonl")
    assert done.returncode == 0, done.stderr
    first, _ = read((tmp_path / "film.jsonl").read_bytes())
    assert first == {
        "id": f"{tmp_path.name}/film:1", "text": "Hello <i>there</i>.\n- You!", "lang": "en",
        "begin": "00:00:01.000", "end": "00:00:02.500",
    }  # fmt: skip
    assert llamax("convert", "film.jsonl", "--as", "srt").stdout.decode() == SRT
    assert llamax("convert", "film.jsonl", "--as", "vtt", "-o", "film.vtt").returncode == 0
    again = llamax("convert", "film.vtt", "--langs", "en", "--name", f"{tmp_path.name}/film")
    assert again.stdout == (tmp_path / "film.jsonl").read_bytes()


def test_a_translation_has_the_times_of_its_source(llamax: Llamax, tmp_path: Path) -> None:
    """`--field` names what is written, by default `mt` where there is no text."""
    times = {"begin": "00:00:01.000", "end": "00:00:02.000"}
    write(tmp_path / "t.jsonl", [{"src": "Hi", "src_lang": "en", "tgt_lang": "de", "mt": "Hallo", **times}])
    expected = "1\n00:00:01,000 --> 00:00:02,000\nHallo\n\n"
    assert llamax("convert", "t.jsonl", "--as", "srt").stdout.decode() == expected
    assert b"\nHi\n" in llamax("convert", "t.jsonl", "--as", "srt", "--field", "src").stdout


CUE_TEXT = st.text(st.sampled_from("ab <>&,1\n"), max_size=12).filter(
    lambda text: ("-->" not in text and all(part.strip() for part in text.split("\n"))) or not text
)


@given(
    st.lists(st.tuples(CUE_TEXT, st.integers(0, 400_000_000), st.integers(0, 400_000_000)), max_size=4),
    st.sampled_from(["srt", "vtt"]),
)
def test_any_cues_can_be_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, cues: list[tuple[str, int, int]], kind: str
) -> None:
    """Times to the millisecond, and texts of any lines that are not empty."""

    def clock(milliseconds: int) -> str:
        seconds, rest = divmod(milliseconds, 1000)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"

    records = [{"text": text, "begin": clock(begin), "end": clock(end)} for text, begin, end in cues]
    path = tmp_path_factory.mktemp("cues") / f"x.en.{kind}"
    output = SubtitleFile(path, kind)
    output.write(b"".join(cue_lines(records, None, refuse, kind)))
    output.complete()
    output.finish()
    (corpus,) = subtitles.open_corpora(request_of(path))
    found = [{"text": segment.texts[0], **segment.extra} for segment in corpus.segments(("en",))]
    assert found == records


def refuse(file: str, number: int, reason: str, raw: bytes) -> None:
    """Fail at a record that cannot be written."""
    raise AssertionError(reason)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"text": "a\n\nb"}, "'text' contains '\\n\\n'"),
        ({"text": "a --> b"}, "'text' contains '-->'"),
        ({"begin": "1s"}, "'begin' is '1s', not a time"),
        ({"end": None}, "no 'end' in the record: only records of subtitles have the times"),
    ],
)
def test_what_subtitles_cannot_hold_is_refused(more: dict[str, Any], reason: str) -> None:
    """Instead of a file that is read differently."""
    record = {"text": "a", "begin": "00:00:01.000", "end": "00:00:02.000", **more}
    kept = {key: value for key, value in record.items() if value is not None}
    reasons: list[str] = []
    assert not list(cue_lines([kept], None, lambda *bad: reasons.append(bad[2]), "vtt"))
    assert len(reasons) == 1 and reason in reasons[0]


def test_what_webvtt_has_beside_cues_is_left_out(tmp_path: Path) -> None:
    """Notes, styles and the header are no cues; identifiers and settings are keys; short times have no hours."""
    path = tmp_path / "x.en.vtt"
    path.write_text(
        "WEBVTT - Title\nKind: captions\n\nNOTE\nno\n\nSTYLE\n::cue {}\n\n"
        "intro\n00:01.000 --> 00:02.000 align:start\nHi\n"
    )
    (corpus,) = subtitles.open_corpora(request_of(path))
    extra = {"begin": "00:00:01.000", "end": "00:00:02.000", "cue": "intro", "settings": "align:start"}
    assert list(corpus.segments(("en",))) == [Segment(1, ["Hi"], extra)]


def test_films_in_two_languages_are_pairs_where_their_times_agree(llamax: Llamax, tmp_path: Path) -> None:
    """Otherwise no pair is written."""
    (tmp_path / "film.en.srt").write_text(SRT)
    (tmp_path / "film.de.srt").write_text(SRT.replace("Bye", "Tschüss"))
    assert [each["tgt"] for each in parsed(llamax("convert", "film.en.srt", "film.de.srt"))][1] == "Tschüss."
    (tmp_path / "film.de.srt").write_text(SRT.replace("01:00:03", "01:00:02"))
    done = llamax("convert", "film.en.srt", "film.de.srt")
    one_line(done, 65, "cue 2 is at other times: 01:00:02.000 in film.de.srt, 01:00:03.000", had_written=True)
    (tmp_path / "film.de.srt").write_text(SRT[: SRT.index("2\n01")])
    done = llamax("convert", "film.en.srt", "film.de.srt")
    one_line(done, 65, "2 cues in film.en.srt and 1 cue in film.de.srt", had_written=True)


def test_a_block_without_times_is_a_bad_line(tmp_path: Path) -> None:
    """At its first line, with all of it."""
    path = tmp_path / "x.en.srt"
    path.write_text("1\nno times\nHi\n\n" + SRT)
    bad: Rejected = []
    (corpus,) = subtitles.open_corpora(request_of(path, bad=bad))
    assert len(texts(corpus, "en")) == 2
    assert [(number, raw) for _, number, _, raw in bad] == [(1, b"1\nno times\nHi")]


# -- mtdata ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mtdata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of mtdata, which echoes a file of the name of the id."""
    program = tmp_path / "bin" / "mtdata"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$1" = echo ] && cat "$0.$2" || { echo "log" >&2; echo "no $2" >&2; exit 3; }\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


def test_a_corpus_of_mtdata_is_read_by_its_id(llamax: Llamax, tmp_path: Path, mtdata: Path) -> None:
    """In the languages at the end of the id, in either direction."""
    Path(f"{mtdata}.G-n-1-deu-eng").write_text("Eins\tOne\nbad\nZwei\tTwo\n")
    done = llamax("convert", "--from", "mtdata", "G-n-1-deu-eng", "--pairs", "en-de", "--rejects", "bad.jsonl")
    assert [(each["id"], each["src"], each["tgt"]) for each in parsed(done)] == [
        ("G-n-1-deu-eng:1", "One", "Eins"), ("G-n-1-deu-eng:3", "Two", "Zwei")
    ]  # fmt: skip
    assert [each["line"] for each in read((tmp_path / "bad.jsonl").read_bytes())] == [2]
    done = llamax("convert", "--from", "mtdata", "G-other-1-deu-eng")
    one_line(done, 65, "mtdata echo G-other-1-deu-eng: no G-other-1-deu-eng; ids are listed by: mtdata list -id")
    one_line(llamax("convert", "--from", "mtdata", "nonsense"), 2, "not an id of mtdata")


def test_without_mtdata_one_line_says_what_to_install(llamax: Llamax) -> None:
    """It is no dependency."""
    done = llamax("convert", "--from", "mtdata", "G-n-1-deu-eng")
    one_line(done, 1, "mtdata is not installed, which --from mtdata needs: pip install mtdata")
