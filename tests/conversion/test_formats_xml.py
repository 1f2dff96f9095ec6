"""TMX and WMT's test sets: exact segments, errors that say where, memory that does not grow with the file."""

import gzip
import shlex
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from support.corpora import Rejected, request_of, texts
from support.processes import Outcome, one_line

from llamax_cli.conversion.formats import tmx, wmt
from llamax_cli.conversion.formats.markup import unfold
from llamax_cli.conversion.segments import Segment
from llamax_cli.conversion.selection import Selection, plan_groups
from llamax_cli.errors import DataError, UsageError
from llamax_cli.options.values import columns_by_language

Write = Callable[..., Path]


@pytest.fixture
def memory(tmp_path: Path) -> Write:
    """Writes a TMX with this body."""

    def write(body: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>\n', encoding: str = "utf-8") -> Path:
        path = tmp_path / "a.tmx"
        text = f'{head}<tmx version="1.4">\n<header srclang="en"/>\n<body>\n{body}\n</body>\n</tmx>\n'
        path.write_bytes(text.encode(encoding))
        return path

    return write


def unit(**variants: str) -> str:
    """A `tu` with these variants."""
    return (
        "<tu>" + "".join(f'<tuv xml:lang="{code}"><seg>{text}</seg></tuv>' for code, text in variants.items()) + "</tu>"
    )


# -- TMX --------------------------------------------------------------------------------------------------------------


def test_units_are_numbered_segments_and_can_be_read_again(memory: Write) -> None:
    """Every `tu` is a segment, also without the language asked for."""
    (corpus,) = tmx.open_corpora(
        request_of(memory("\n".join([unit(en="One", de="Eins"), unit(en="Two"), unit(de="Drei")])))
    )
    assert corpus.name.endswith("/a")
    assert corpus.languages == ["en", "de"]
    expected = [Segment(1, ["Eins", "One"]), Segment(2, [None, "Two"]), Segment(3, ["Drei", None])]
    assert list(corpus.segments(["de", "en"])) == expected
    assert list(corpus.segments(["de", "en"])) == expected
    assert texts(corpus, "en") == [("One",), ("Two",), (None,)]


def test_regions_stay_only_where_they_tell_variants_apart(memory: Write) -> None:
    """EN-GB alone is en; pt-PT beside PT-BR, which is pt, stays; Kurdish of Turkey is never Sorani."""
    body = (
        '<tu><tuv lang="EN-GB"><seg>colour</seg></tuv><tuv lang="PT-BR"><seg>cor</seg></tuv>'
        '<tuv lang="pt-PT"><seg>côr</seg></tuv><tuv lang="ku-TR"><seg>reng</seg></tuv>'
        '<tuv lang="ZH-TW"><seg>色</seg></tuv></tu>'
    )
    (corpus,) = tmx.open_corpora(request_of(memory(body)))
    assert corpus.languages == ["en", "pt", "pt-PT", "ku-TR", "zhtrad"]
    assert texts(corpus, "en", "pt-PT") == [("colour", "côr")]


def test_a_memory_is_selected_by_its_languages_whatever_their_regions(memory: Write) -> None:
    """`en-de` is also en-GB to de-AT; a code that names the region selects only that one."""
    path = memory("\n".join([unit(**{"en-US": "color", "de-DE": "Farbe"}), unit(**{"EN-gb": "colour", "de-AT": "F."})]))

    def selected(pattern: str) -> list[tuple[str, str]]:
        corpora = tmx.open_corpora(request_of(path))
        return [cast("tuple[str, str]", group) for group in plan_groups(corpora, Selection(pairs=(pattern,)))]

    assert selected("en-de") == [("en", "de"), ("en", "de-AT"), ("en-GB", "de"), ("en-GB", "de-AT")]
    assert selected("en-gb-de") == [("en-GB", "de"), ("en-GB", "de-AT")]
    assert selected("en-US-de-DE") == [("en", "de")]


def test_declared_codes_are_compared_without_case(memory: Write) -> None:
    """`--columns en=en-GB` is also the language of EN-gb."""
    path = memory(unit(**{"EN-gb": "colour", "x-fremd": "Farbe", "en-US": "color"}))
    (corpus,) = tmx.open_corpora(request_of(path, columns={"de": "X-Fremd", "gd": "en-GB"}))
    assert texts(corpus, "gd", "de", "en") == [("colour", "Farbe", "color")]


def test_markup_is_dropped_and_marked_text_kept(memory: Write) -> None:
    """Formatting codes are no text, what `hi` marks is."""
    codes = '<it pos="end">y</it><ut>z</ut>'
    text = f'A<bpt i="1">&lt;b<sub>title</sub>&gt;</bpt> <hi>bold</hi><ept i="1">x</ept> &amp; <ph/>c{codes}.'
    assert texts(tmx.open_corpora(request_of(memory(unit(en=text))))[0], "en") == [("A bold & c.",)]


def test_spaces_are_text_and_line_breaks_are_layout(memory: Write) -> None:
    """Only line breaks, with what indents them, are changed; an empty segment is absent."""
    body = unit(en="\n    One  two\u00a0\u0085\u2028 \n    three ", de="", fr=" un\tdeux")
    (corpus,) = tmx.open_corpora(request_of(memory(body)))
    assert texts(corpus, "en", "de", "fr") == [("One  two\u00a0\u0085\u2028 three ", None, " un\tdeux")]
    assert unfold("\r\n") == ""
    assert unfold("\n  One\n  two  three ") == "One two  three "


def test_utf16_and_compression_are_read(memory: Write, tmp_path: Path) -> None:
    """The encoding is the file's own, the compression that of its first bytes."""
    wide = memory(unit(en="naïve"), '<?xml version="1.0" encoding="UTF-16"?>', "utf-16")
    packed = tmp_path / "b.tmx.gz"
    packed.write_bytes(gzip.compress(wide.read_bytes()))
    for corpus in tmx.open_corpora(request_of(wide, packed)):
        assert texts(corpus, "en") == [("naïve",)]
    assert tmx.open_corpora(request_of(packed))[0].name.endswith("/b")


def test_what_cannot_be_taken_is_rejected(memory: Write) -> None:
    """A second variant, one without a language, one in an unknown language: none is lost silently."""
    second = '<tu><tuv xml:lang="en"><seg>a</seg></tuv>\n<tuv xml:lang="en"><seg>b</seg></tuv>\n<tuv><seg>c</seg></tuv>'
    body = second + '\n<tuv xml:lang="x-kurm"><seg>d</seg></tuv></tu>'
    bad: Rejected = []
    (corpus,) = tmx.open_corpora(request_of(memory(body), bad=bad))
    assert texts(corpus, "en") == [("a",)]
    assert [(line, raw) for _, line, _, raw in bad] == [(6, b"b"), (7, b"c"), (8, b"d")]
    assert [reason.partition(";")[0] for _, _, reason, _ in bad] == [
        "a second <tuv> in 'en' in one <tu>",
        "a <tuv> without xml:lang",
        "'x-kurm' is not a language code",
    ]
    with pytest.raises(DataError, match=r"a\.tmx:6: a second <tuv>"):
        texts(tmx.open_corpora(request_of(memory(body)))[0], "en")


@pytest.mark.parametrize("code", [" ", "&#9;", "", "x,y", "x&#1234;y z", "it's", "$(x)", "x&#10;y"])
def test_advice_about_a_code_can_be_typed(memory: Write, code: str) -> None:
    """As one argument of a shell that declares the code; a blank code is none."""
    bad: Rejected = []
    body = f'<tu><tuv xml:lang="en"><seg>a</seg></tuv><tuv xml:lang="{code}"><seg>b</seg></tuv></tu>'
    (corpus,) = tmx.open_corpora(request_of(memory(body), bad=bad))
    assert texts(corpus, "en") == [("a",)]
    ((_, _, reason, _),) = bad
    if "--columns " not in reason:
        assert reason == "a <tuv> without xml:lang" or reason.endswith("; correct it in the file")
        return
    (argument,) = shlex.split(reason.partition("--columns ")[2])
    columns = columns_by_language(argument.replace("LANGUAGE", "kmr"))
    assert texts(tmx.open_corpora(request_of(memory(body), columns=columns))[0], "kmr") == [("b",)]


def test_codes_of_the_file_can_be_declared(memory: Write) -> None:
    """What no table knows the user can name."""
    body = '<tu><tuv xml:lang="x-kurm"><seg>d</seg></tuv></tu>'
    (corpus,) = tmx.open_corpora(request_of(memory(body), columns={"kmr": "x-kurm"}))
    assert (corpus.languages, texts(corpus, "kmr")) == (["kmr"], [("d",)])


@pytest.mark.parametrize(
    ("head", "body", "message"),
    [
        ("", unit(en="a") + "\n</tu>", r"a\.tmx:5: broken XML: mismatched tag"),
        ("", unit(en="a & b"), r"a\.tmx:4: broken XML: not well-formed \(invalid token\)"),
        ('<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>', unit(en="&b;"), r"a\.tmx:1: declares the entity 'a'"),
        ('<!DOCTYPE tmx SYSTEM "tmx14.dtd">', unit(en="a&nbsp;b"), r"a\.tmx:4: the entity &nbsp; is not defined"),
        ('<?xml version="1.0" encoding="big5"?>', "", r"encoding 'big5' is not supported"),
        ('<?xml version="1.0" encoding="idna"?>', "", r"encoding 'idna' is not supported"),
        ('<?xml version="1.0" encoding="undefined"?>', "", r"encoding 'undefined' is not supported"),
        ('<?xml version="1.0" encoding="punycode"?>', "", r"encoding 'punycode' is not supported"),
        ("<a></a>", "", r"a\.tmx:1: not a TMX file: it opens with <a>"),
    ],
)
def test_broken_memories_are_one_line(memory: Write, head: str, body: str, message: str) -> None:
    """Place and reason, in one line; no entity is ever expanded."""
    with pytest.raises(DataError, match=message) as caught:
        texts(tmx.open_corpora(request_of(memory(body, head)))[0], "en")
    assert "\n" not in str(caught.value)


def test_a_torn_file_is_an_error(memory: Write) -> None:
    """A file that was cut short is never a shorter corpus."""
    path = memory("\n".join(unit(en=f"sentence {number}") for number in range(5000)))
    packed = path.with_name("b.tmx.gz")
    packed.write_bytes(gzip.compress(path.read_bytes())[:-2000])
    with pytest.raises(DataError, match=r"b\.tmx\.gz: the compressed file is cut short"):
        texts(tmx.open_corpora(request_of(packed))[0], "en")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match=r"a\.tmx:\d+: broken XML"):
        texts(tmx.open_corpora(request_of(path))[0], "en")


def test_memory_does_not_grow_with_the_file(memory: Write) -> None:
    """A file of 21 MB is read in less than half of it: blocks of a megabyte, what they hold, and what expat keeps."""
    path = memory("\n".join(unit(en=f"number {number} " + "a" * 80, de="b" * 80) for number in range(80_000)))
    (corpus,) = tmx.open_corpora(request_of(path))
    tracemalloc.start()
    try:
        assert sum(1 for _ in corpus.segments(corpus.languages)) == 80_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 20_000_000
    assert peak < 8_000_000


# -- WMT's XML --------------------------------------------------------------------------------------------------------

XML = """<?xml version='1.0' encoding='utf-8'?>
<dataset id="newstest2021">
  <collection id="general">
    <doc origlang="en" id="bbc.1">
      <src lang="en"><p><seg id="1">One &amp; one</seg><seg id="2">Two</seg></p></src>
      <ref lang="de" translator="A"><p><seg id="1">Eins</seg><seg id="2">Zwei</seg></p></ref>
      <ref lang="de" translator="C"><p><seg id="1">Ein</seg><seg id="2">Zwo</seg></p></ref>
      <hyp system="X" language="de"><p><seg id="1">no</seg></p></hyp>
    </doc>
    <doc origlang="en" id="bbc.2">
      <src lang="en"><p><seg id="1">Three</seg></p></src>
      <ref lang="de" translator="C"><p><seg id="1">Drei</seg></p></ref>
    </doc>
  </collection>
</dataset>
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A test set of two documents, the first with two references."""
    path = tmp_path / "newstest2021.en-de.xml"
    path.write_text(XML)
    return path


def test_the_first_translator_is_the_text_and_the_others_are_kept(dataset: Path) -> None:
    """One translator throughout; where that one is absent, so is the text."""
    (corpus,) = wmt.open_corpora(request_of(dataset))
    assert corpus.name.endswith("/newstest2021.en-de")
    assert corpus.languages == ["en", "de"]
    expected = [
        Segment(1, ["One & one", "Eins"], {"doc": "bbc.1", "ref_de_C": "Ein"}),
        Segment(2, ["Two", "Zwei"], {"doc": "bbc.1", "ref_de_C": "Zwo"}),
        Segment(3, ["Three", None], {"doc": "bbc.2", "ref_de_C": "Drei"}),
    ]
    assert list(corpus.segments(["en", "de"])) == expected
    assert list(corpus.segments(["en", "de"])) == expected
    assert next(corpus.segments(["en"])) == Segment(1, ["One & one"], {"doc": "bbc.1"})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('<seg id="2">Zwei</seg>', "", r"xml:4: document 'bbc.1' .*: 2 in src \(en\), 1 in ref A \(de\)"),
        ('<seg id="2">Two', '<seg id="1">Two', r"xml:5: segment '1' occurs twice"),
        ('translator="C"', 'translator="A"', r"xml:7: document 'bbc.1' has two versions by 'A' in de"),
        ('src lang="en"', 'src lang="german"', r"xml:5: <src>: unknown language 'german'"),
        ("<dataset", "<data><dataset", r"xml:2: not a test set of WMT: it opens with <data>"),
        ("</doc>", "", r"xml:14: broken XML: mismatched tag"),
    ],
)
def test_broken_test_sets_are_one_line(dataset: Path, old: str, new: str, message: str) -> None:
    """Place and reason, in one line."""
    dataset.write_text(XML.replace(old, new))
    with pytest.raises(DataError, match=message):
        texts(wmt.open_corpora(request_of(dataset))[0], "en")


# -- WMT's SGML -------------------------------------------------------------------------------------------------------

SOURCE = """<srcset setid="newstest2014" srclang="any">
<doc sysid="ref" docid="bbc.1" genre="news" origlang="en">
<hl>
<seg id="1">AT&T &amp;amp; R&D: 1 < 2 &quot;x&quot;</seg>
</hl>
<p>
<seg id="2"> Two
 lines
<SEG ID=3>Three</SEG>
</p>
</doc>
<DOC docid='bbc.2' origlang="de">
<seg id="1">Four</seg>
</DOC>
</srcset>
"""
REFERENCE = """<refset setid="newstest2014" srclang="any" trglang="de">
<doc sysid="ref" docid="bbc.1" genre="news" origlang="en"><hl><seg id="1">Eins</seg></hl>
<p><seg id="2">Zwei</seg><seg id="3">Drei</seg></p></doc>
<doc docid="bbc.2"><p><seg id="1">Vier</seg></doc>
</refset>
"""


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A source and a reference, as untidy as they come."""
    paths = tmp_path / "newstest2014-ende-src.en.sgm", tmp_path / "newstest2014-ende-ref.de.sgm"
    for path, text in zip(paths, (SOURCE, REFERENCE), strict=True):
        path.write_text(text)
    return paths


def test_sgml_files_are_aligned_by_document_and_segment(pair: tuple[Path, Path]) -> None:
    """Open tags, tags within a line, raw ampersands: the texts are what stands between `seg` tags."""
    (corpus,) = wmt.open_corpora(request_of(*pair))
    assert corpus.name.endswith("/newstest2014-ende")
    assert corpus.languages == ["en", "de"]
    expected = [
        Segment(1, ["Eins", 'AT&T &amp; R&D: 1 < 2 "x"'], {"doc": "bbc.1"}),
        Segment(2, ["Zwei", " Two lines"], {"doc": "bbc.1"}),
        Segment(3, ["Drei", "Three"], {"doc": "bbc.1"}),
        Segment(4, ["Vier", "Four"], {"doc": "bbc.2"}),
    ]
    assert list(corpus.segments(["de", "en"])) == expected
    assert list(corpus.segments(["de", "en"])) == expected
    assert texts(corpus, "de") == [("Eins",), ("Zwei",), ("Drei",), ("Vier",)]


def test_languages_of_sgml_files_can_be_declared(pair: tuple[Path, Path]) -> None:
    """Where neither tag nor name says the language, the user does."""
    odd = pair[0].rename(pair[0].with_name("source.sgm"))
    with pytest.raises(DataError, match=r"source\.sgm does not name its language"):
        wmt.open_corpora(request_of(odd, pair[1]))
    (corpus,) = wmt.open_corpora(request_of(odd, pair[1], languages=["en", "de"]))
    assert corpus.languages == ["en", "de"]
    with pytest.raises(UsageError, match="are both in de"):
        wmt.open_corpora(request_of(odd, pair[1], languages=["de", "de"]))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('<seg id="2">Zwei</seg>', "", r"ref\.de\.sgm:2: document 'bbc.1' .*: 2 segments here and 3 in .*src\.en\.sgm"),
        (
            '<seg id="2">Zwei',
            '<seg id="7">Zwei',
            r"document 'bbc.1' has a segment '7' that .*src\.en\.sgm does not have",
        ),
        ('<seg id="2">Zwei', '<seg id="1">Zwei', r"ref\.de\.sgm:3: segment '1' occurs twice in document 'bbc.1'"),
        ("bbc.2", "bbc.3", r"ref\.de\.sgm:4: document 'bbc.3' does not match 'bbc.2' at .*src\.en\.sgm:12"),
        (
            '<doc docid="bbc.2"><p><seg id="1">Vier</seg></doc>',
            "",
            r"2 documents with 4 segments in .*src\.en\.sgm and 1 document with 3 segments in .*ref\.de\.sgm",
        ),
    ],
)
def test_sgml_files_that_do_not_go_together(pair: tuple[Path, Path], old: str, new: str, message: str) -> None:
    """Files that differ in a document or segment are an error that names both counts."""
    pair[1].write_text(REFERENCE.replace(old, new))
    with pytest.raises(DataError, match=message):
        texts(wmt.open_corpora(request_of(*pair))[0], "en", "de")


def test_other_sgml_is_refused(pair: tuple[Path, Path]) -> None:
    """System outputs are no corpus."""
    pair[1].write_text(REFERENCE.replace("refset", "tstset"))
    with pytest.raises(DataError, match=r"it does not begin with <srcset> or <refset>"):
        wmt.open_corpora(request_of(*pair))


def test_an_unreadable_segment_keeps_its_place(pair: tuple[Path, Path]) -> None:
    """The segments after a bad line are still aligned."""
    pair[1].write_bytes(REFERENCE.encode().replace(b"Drei", b"Dr\xff"))
    bad: Rejected = []
    (corpus,) = wmt.open_corpora(request_of(*pair, bad=bad))
    assert texts(corpus, "en", "de")[2:] == [("Three", None), ("Four", "Vier")]
    assert [(line, reason) for _, line, reason, _ in bad] == [(3, "not UTF-8: byte 0xff at 39")]


@pytest.mark.parametrize("body", ["", "<tu></tu>", '<tu><tuv xml:lang=""></tuv></tu>'])
def test_a_memory_without_a_language_has_no_record(body: str, memory: Write, llamax: Callable[..., Outcome]) -> None:
    """It is empty, which is no error; a text in a language that nobody knows is one."""
    outcome = llamax("convert", memory(body))
    assert (outcome.returncode, outcome.stdout) == (0, b"")
    assert b"convert: 0 records" in outcome.stderr
    one_line(llamax("convert", memory(unit(qqqzz="x"))), 65, "a.tmx:5: 'qqqzz' is not a language code")
    rejected = llamax("convert", memory(unit(qqqzz="x")), "--rejects", "bad.jsonl")
    assert (rejected.returncode, rejected.stdout) == (0, b"")
    assert b"1 rejected" in rejected.stderr
