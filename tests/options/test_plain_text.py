"""Commands of records that are given plain text, tables or other formats of convert."""

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sacrebleu.metrics import BLEU, CHRF
from support.fakes import Tagger
from support.lexicons import ENGLISH, lexicon
from support.processes import Outcome, one_line
from support.records import jsonl, parsed
from support.translations import translate, translations

from llamax_cli.conversion.convert import read_corpora
from llamax_cli.conversion.segments import CorpusRequest
from llamax_cli.conversion.selection import Selection
from llamax_cli.streams.inputs import Input

Run = Callable[..., Outcome]


def write(folder: Path, **files: str) -> None:
    """Write text files; `_` in a name stands for a point."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")


def lines(texts: list[str]) -> str:
    """Return texts as lines."""
    return "".join(f"{text}\n" for text in texts)


def test_scores_of_two_text_files(llamax: Run, tmp_path: Path) -> None:
    """In one line, with sacreBLEU's numbers: several references, empty lines, compression, another system."""
    made = translations(["de-en"], 30)
    hypotheses, references = [each["mt"] for each in made], [each["tgt"] for each in made]
    others = [each["mt"] for each in translations(["de-en"], 30, seed=3)]
    hypotheses[4] = references[7] = ""
    hypotheses[5] = "with\ta tab"
    write(tmp_path, hyp_txt=lines(hypotheses), ref_txt=lines(references), second=lines(others))
    flags = ("hyp.txt", "--langs", "de-en", "--metric", "bleu,chrf++", "--ref", "ref.txt")
    outcome = llamax("score", *flags)
    for score, oracle in zip(parsed(outcome), (BLEU(), CHRF(word_order=2)), strict=True):
        assert score["score"] == oracle.corpus_score(hypotheses, [references]).score
        assert (score["src_lang"], score["tgt_lang"], score["n"]) == ("de", "en", 30)
    assert b"1 empty translation; 1 empty reference" in outcome.stderr and b"hyp.txt read as text" in outcome.stderr
    two = parsed(llamax("score", *flags, "--ref", "second"))[0]
    assert two["score"] == BLEU().corpus_score(hypotheses, [references, others]).score
    assert two["signature"].startswith("nrefs:2|")
    (tmp_path / "hyp.txt").write_bytes(gzip.compress(lines(hypotheses).encode()))
    assert llamax("score", *flags).stdout == outcome.stdout
    against = parsed(llamax("score", *flags, "--against", "second", "--swaps", "9", "--resamples", "9"))[0]
    assert against["against"] == BLEU().corpus_score(others, [references]).score
    records = [{**each, "id": str(n), "mt": hypotheses[n - 1]} for n, each in enumerate(made, 1)]
    assert llamax("score", "-", *flags[1:], stdin=jsonl(records)).stdout == outcome.stdout


def test_plain_text_on_standard_input_needs_its_language(llamax: Run) -> None:
    """The option that would do is named, and no other command; JSON that is no record is not taken for text."""
    told = "stdin:1: not JSON; if it is plain text, name its language, as in --langs en"
    one_line(llamax("langid", stdin=b"Guten Morgen!\n"), 65, told)
    one_line(llamax("langid", stdin=b"null\n"), 65, "llamax langid: stdin:1: not a record: expected object, got null")
    set_aside = llamax("langid", "--rejects", "bad.jsonl", stdin=b'Guten Morgen!\n{"text":"a","lang":"en"}\n')
    assert set_aside.returncode == 0 and len(parsed(set_aside)) == 1


def test_it_is_what_convert_reads(llamax: Run, tmp_path: Path) -> None:
    """The bytes of `llamax convert FILE | llamax langid`, from files and pipes, in any number of workers and shards."""
    write(
        tmp_path,
        news_de="".join(f"Das ist der Satz {n}.\r\n" for n in range(300)),
        talk_tsv="en\tde\n" + "".join(f"This is {n}.\tDas ist {n}.\n" for n in range(300)),
        bare_txt="Guten Morgen!\n",
    )
    for file, flags in (("news.de", ()), ("talk.tsv", ()), ("bare.txt", ("--langs", "de"))):
        more = ("--field", "src,tgt") if file == "talk.tsv" else ()
        converted = llamax("convert", file, *flags).stdout
        want = llamax("langid", *more, stdin=converted).stdout
        assert want.count(b"\n") == (1 if file == "bare.txt" else 300)
        got = llamax("langid", file, *flags, *more, "--workers", "2")
        assert got.stdout == want
        assert f"; {file} read as {'tsv' if more else 'text'}; ".encode() in got.stderr
        parts = [llamax("langid", file, *flags, *more, "--shard", f"{n}/3").stdout for n in (1, 2, 3)]
        assert b"".join(parts) == want
    piped = llamax("langid", "--langs", "de", stdin=b"Guten Morgen!\n")
    assert parsed(piped)[0]["lid"] == "de"


def test_the_bar_shows_the_share_of_plain_text(tmp_path: Path) -> None:
    """Lines are counted before they are used, which is not progress: at no time is more read than there is."""
    write(tmp_path, news_en=lines([f"Sentence {n}." for n in range(100_000)]))
    source = Input(tmp_path / "news.en")
    request = CorpusRequest((source.path,), lambda _: source, lambda *_: None)
    shares = [source.read for _ in read_corpora(request, "text", Selection(), Counter())]
    assert len(shares) == 100_000
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] == source.size()


def test_langid_need_not_know_the_language(llamax: Run, tmp_path: Path) -> None:
    """What nothing tells, it finds out itself, and says so; `mt.txt` is not Maltese."""
    write(tmp_path, news_txt="Guten Morgen, meine Damen!\n\n", mt_txt="Where is the library?\n", good_de="Hallo Welt\n")
    for name, code in (("news.txt", "de"), ("mt.txt", "en")):
        done = llamax("langid", name)
        found = parsed(done)[0]
        assert (found["lid"], found["id"].rpartition("/")[2]) == (code, f"{name[:-4]}:1")
        assert "lang" not in found
        assert f"; {name} read as text, its language unknown; ".encode() in done.stderr
    assert len(parsed(llamax("langid", "news.txt"))) == 2
    assert parsed(llamax("langid", "good.de"))[0]["lang"] == "de"
    assert parsed(llamax("langid", "mt.txt", "--langs", "mt"))[0]["lang"] == "mt"


def test_a_table_is_augmented(llamax: Run, tmp_path: Path) -> None:
    """As the records of convert are."""
    lexicon(tmp_path / "small.lex", ("en", ENGLISH))
    write(tmp_path, talk_tsv="en\tde\nthe black dog\tder schwarze Hund\n")
    flags = ("--dict", "small.lex", "--rate", "1", "--into", "fr")
    converted = llamax("convert", "talk.tsv").stdout
    outcome = llamax("augment", *flags, "talk.tsv")
    assert outcome.stdout == llamax("augment", *flags, stdin=converted).stdout
    assert parsed(outcome)[0]["src"] == "le noir chien"


def test_text_is_translated_to_text(
    tagger: type[Tagger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A line for each line, also where the source is empty."""
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text("One.\n\nTwo.\n")
    translate("--langs", "en", "--into", "de", "--as", "text", "--from", "text")
    assert Path("out.jsonl").read_text() == "One.>de\n\nTwo.>de\n"
    assert "in.jsonl read as text" in capfd.readouterr().err


def test_line_ends_within_a_translation_keep_the_lines_aligned() -> None:
    """They become spaces; no other character ends a line."""
    from llamax_cli.translation.translate import text_lines

    assert text_lines([{"mt": "a\nb\u2028c"}, {"mt": ""}]) == "a b\u2028c\n\n".encode()


@pytest.mark.parametrize(
    ("name", "content", "flags", "code", "message"),
    [
        ("x.page", "<?xml version='1.0'?><TEI/>\n", (), 65, "x.page is TEI, which only llamax build-lexicon reads"),
        ("m.gguf", "GGUF\n", ("--langs", "en"), 65, "m.gguf is a GGUF model, which llamax does not read"),
        ("m.bin", "GGUF\3\0\0\0\n", (), 65, "m.bin is a GGUF model, which llamax does not read"),
        ("d.dict.dz", "abc\n", ("--langs", "en"), 65, "d.dict.dz is a dictionary of dictd, which only llamax"),
        ("x.page", "<?xml version='1.0'?><page/>\n", (), 65, "x.page is XML of another kind, which llamax does not"),
        ("a.json", '[\n{"text": "a"}]\n', (), 65, "a.json is a JSON array, not JSON lines; convert it first: jq -c"),
        (
            "bad.jsonl",
            "no record\n",
            (),
            65,
            "bad.jsonl:1: not JSON: invalid character (byte 4); if this is text or a table",
        ),
        ("x.de", "a\n\udcff\n", (), 65, "x.de:2: not UTF-8: byte 0xff at 0; llamax convert --rejects FILE sets such"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    llamax: Run, tmp_path: Path, name: str, content: str, flags: tuple[str, ...], code: int, message: str
) -> None:
    """With what it is and what to do."""
    (tmp_path / name).write_bytes(content.encode(errors="surrogateescape"))
    outcome = llamax("langid", name, *flags)
    assert outcome.returncode == code
    assert outcome.stderr.decode().startswith(f"llamax langid: {message}")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("en-de.xlf", "<?xml?><xliff>a b</xliff>\n", "XLIFF"),
        ("en-de.txt", "<?xml?>\n<xliff>a b</xliff>\n", "XLIFF"),
        ("en-de.srt", "1\n00:00:01,000 --> 00:00:02,000\n", "subtitles"),
        ("en-de.txt", "GGUF\3\0\0\0", "a GGUF model"),
    ],
)
def test_no_dictionary_is_refused_by_name(llamax: Run, tmp_path: Path, name: str, content: str, kind: str) -> None:
    """Tags and times would be words otherwise."""
    (tmp_path / name).write_text(content)
    outcome = llamax("build-lexicon", name)
    assert (outcome.returncode, outcome.stdout) == (65, b"")
    assert outcome.stderr.decode().startswith(f"llamax build-lexicon: {name} is {kind}, which ")


def test_a_table_without_languages_names_the_options_of_convert(llamax: Run, tmp_path: Path) -> None:
    """A command that has no `--columns` does not pretend to."""
    write(tmp_path, x_tsv="a\tb\nc\td\n")
    said = llamax("langid", "x.tsv").stderr.decode()
    assert said.endswith("Say --langs en,zh or --columns en=1,zh=2 (an option of llamax convert)\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my.txt", "my.txt cannot be read as text: does 'my' in the name mean Burmese?"),
        ("hello.txt", "hello.txt is plain text, not records; name its language, as in --langs en"),
    ],
)
def test_a_command_that_needs_the_language_asks_for_it(llamax: Run, tmp_path: Path, name: str, message: str) -> None:
    """Where the name tells none, or may not mean it."""
    lexicon(tmp_path / "small.lex", ("en", ENGLISH))
    (tmp_path / name).write_text("Hello\n")
    outcome = llamax("augment", "--dict", "small.lex", name)
    assert (outcome.returncode, outcome.stdout) == (65, b"")
    assert outcome.stderr.decode().startswith(f"llamax augment: {message}")


def test_text_without_a_direction_is_not_scored(llamax: Run, tmp_path: Path) -> None:
    """Nor is a format that is not lines, nor are two text files at once taken for one corpus."""
    write(tmp_path, hyp_txt="a\n", ref_txt="a\n", x_tmx="<tmx></tmx>\n", news_en="a\n", news_de="b\n")
    lacking = llamax("score", "hyp.txt", "--ref", "ref.txt", "--metric", "bleu")
    assert lacking.stderr.decode().endswith("is plain text, not records; name its direction, as in --langs de-en\n")
    table = llamax("score", "x.tmx", "--langs", "de-en", "--metric", "bleu")
    assert table.stderr.decode().startswith("llamax score: x.tmx is neither records nor plain text (tmx); ")
    any_of = llamax("score", "hyp.txt", "--langs", "de-*")
    assert (any_of.returncode, any_of.stderr) == (
        2,
        b"llamax score: --langs de-* is not one direction; write it as de-en\n",
    )
    several = llamax("langid", "news.en", "news.de")
    assert several.stderr.decode().startswith("llamax langid: news.en is one of several files of plain text; ")
    assert [each["lang"] for each in parsed(llamax("langid", "news.en", "news.de", "--from", "text"))] == ["en", "de"]


def test_a_run_over_text_is_resumed(llamax: Run, tmp_path: Path) -> None:
    """The lines before a bad one are done; once it is mended, the run goes on to the same bytes."""
    sentences = [f"Das ist der Satz {n}." for n in range(2500)]
    write(tmp_path, whole_de=lines(sentences))
    (tmp_path / "part.de").write_bytes(lines(sentences[:1200]).encode() + b"\xff\n" + lines(sentences[1201:]).encode())
    ended = llamax("langid", "part.de", "-o", "out")
    assert (ended.returncode, b"part.de:1201: not UTF-8" in ended.stderr) == (65, True)
    assert len((tmp_path / "out.partial").read_bytes().splitlines()) == 1200
    write(tmp_path, part_de=lines(sentences))
    assert llamax("langid", "part.de", "-o", "out", "--resume").returncode == 0
    want = llamax("langid", "whole.de").stdout.replace(b"/whole:", b"/part:")
    assert (tmp_path / "out").read_bytes() == want


def test_bad_lines_are_still_set_aside(llamax: Run, tmp_path: Path) -> None:
    """With --rejects, also where the first line is the bad one."""
    write(tmp_path, mixed='nonsense\n{"text":"Guten Morgen","lang":"de"}\n')
    assert len(parsed(llamax("langid", "mixed", "--rejects", "bad"))) == 1


def test_many_files_are_counted(llamax: Run, tmp_path: Path) -> None:
    """Up to five are told of by name; of more, how many they are, with all languages from their names and headers."""
    codes = ["de", "fr", "es", "it", "nl", "sv"]
    for code in codes:
        (tmp_path / f"en-{code}.tsv").write_text(f"a {code}\tb\n")
    (tmp_path / "head.tsv").write_text("en\tpt\na\tb\n")
    names = [f"en-{code}.tsv" for code in codes]
    said = llamax("langid", *names[:5]).stderr.decode()
    assert [f"{name} read as tsv" in said for name in names] == [True] * 5 + [False]
    said = llamax("langid", *names, "head.tsv").stderr.decode()
    remark = "; 7 files read as tsv; 7 languages from names; first row of head.tsv taken for a header (en, pt); "
    assert remark in said and "en-de.tsv" not in said


@pytest.mark.parametrize("command", [("convert",), ("langid",), ("translate", "--model", "m")])
def test_a_direction_is_not_the_languages_of_columns(
    llamax: Callable[..., Outcome], tmp_path: Path, command: tuple[str, ...]
) -> None:
    """`en-de` would be the English of Germany, which nobody means in small letters; regions in capitals are taken."""
    (tmp_path / "t.tsv").write_text("one\teins\n")
    done = llamax(*command, "t.tsv", "--langs", "en-de")
    message = f"llamax {command[0]}: --langs en-de: write two languages as en,de, one language of a region as en-DE\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", message)
    (tmp_path / "one.txt").write_text("one\n")
    for langs, code in (("en-DE", "en-DE"), ("pt-br", "pt"), ("en-gb", "en-GB"), ("zh-tw", "zhtrad")):
        assert parsed(llamax("convert", "one.txt", "--langs", langs))[0]["lang"] == code
