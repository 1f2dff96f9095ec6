"""Dictionaries as they are published: FreeDict in TEI and for dictd, extracts of Wiktionary, GATITOS in JSON."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.processes import Outcome, one_line
from support.records import parsed, read, write

from llamax_cli.lexicon.formats.freedict import translations_of

Llamax = Callable[..., Outcome]
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
TEI = '<?xml version="1.0"?>\n<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><body>{}</body></text></TEI>\n'
ENTRY = (
    "<entry><form><orth>dog</orth><pron>dɒg</pron></form><form><orth>hound</orth></form><sense>"
    '<cit type="trans"><quote>Hund</quote></cit><cit type="translation"><quote>Köter (abw.)</quote></cit>'
    '<cit type="example"><quote>a dog\'s life</quote><cit type="trans"><quote>ein Hundeleben</quote></cit></cit>'
    "<def>an animal</def></sense></entry>"
)


def words(outcome: Outcome, language: str = "en") -> dict[str, Any]:
    """Return the translations of each word of a language."""
    return {each["word"]: each["translations"] for each in parsed(outcome) if each["lang"] == language}


def number(value: int) -> str:
    """Return a number as the index of dictd writes it."""
    high, low = divmod(value, 64)
    return (number(high) if high else "") + DIGITS[low]


def dictd(folder: Path, name: str, *entries: tuple[str, str]) -> Path:
    """Write a dictionary of dictd with these headwords and texts."""
    data, lines = b"", []
    for head, text in entries:
        encoded = text.encode(errors="surrogateescape")
        lines.append(f"{head}\t{number(len(data))}\t{number(len(encoded))}\n")
        data += encoded
    (folder / f"{name}.dict.dz").write_bytes(gzip.compress(data))
    (folder / f"{name}.index").write_text("".join(lines))
    return folder / f"{name}.dict.dz"


def test_tei_gives_the_translations_of_senses(llamax: Llamax, tmp_path: Path) -> None:
    """Of every headword; not those of examples, nor definitions; notes are removed."""
    (tmp_path / "eng-deu.tei").write_text(TEI.format(ENTRY))
    found = words(llamax("build-lexicon", "eng-deu.tei"))
    assert found == {"dog": {"de": ["Hund", "Köter"]}, "hound": {"de": ["Hund", "Köter"]}}


def test_tei_is_told_by_its_root(llamax: Llamax, tmp_path: Path) -> None:
    """Whatever its name is."""
    (tmp_path / "dictionary.xml").write_text(TEI.format(ENTRY))
    assert "dog" in words(llamax("build-lexicon", "dictionary.xml", "--langs", "en-de"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<!DOCTYPE TEI [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><TEI>&b;</TEI>', "declares the entity 'a'"),
        ('<!DOCTYPE TEI [<!ENTITY a SYSTEM "file:///etc/passwd">]><TEI>&a;</TEI>', "declares the entity 'a'"),
        ('<!DOCTYPE TEI SYSTEM "http://a.org/x.dtd"><TEI>&auml;</TEI>', "the entity &auml; is not defined"),
        (TEI.format("<entry>"), "broken XML: mismatched tag"),
        ("<html/>", "no <TEI> in it"),
    ],
)
def test_hostile_tei_is_one_line(llamax: Llamax, tmp_path: Path, text: str, reason: str) -> None:
    """Nothing is loaded or expanded."""
    (tmp_path / "eng-deu.tei").write_text(text)
    one_line(llamax("build-lexicon", "eng-deu.tei"), 65, "eng-deu.tei", reason)


def test_dictd_is_read_through_its_index(llamax: Llamax, tmp_path: Path) -> None:
    """Entries of dictd itself are none; senses, commas and notes are understood; numbers have any length."""
    filler = ("zebra", "zebra\n" + "Zebra, " * 700 + "\n")
    dictd(
        tmp_path, "eng-deu", ("00databaseinfo", "about\nNichts\n"), filler,
        ("cat", 'cat /kæt/ <n>\n1. Katze [zool.], Kater\n2. Peitsche <f>\n   "a cat"\n'), ("hm", "hm\n(note)\n"),
    )  # fmt: skip
    done = llamax("build-lexicon", "eng-deu.dict.dz")
    assert words(done) == {"zebra": {"de": ["Zebra"]}, "cat": {"de": ["Kater", "Katze", "Peitsche"]}}
    assert parsed(done)[0]["sources"] == [f"{tmp_path.name}/eng-deu"]


def test_headwords_of_dictd_have_their_capitals_and_marks(llamax: Llamax, tmp_path: Path) -> None:
    """The index has neither, may name an entry twice, and Debian puts freedict- before the languages."""
    entries = [
        ("munich", "Munich /mjˈuːnɪk/\nMünchen <neut>\n"),
        ("five oclock tea, high tea", "five o'clock tea, and/or\nTee\n"),
    ]
    path = dictd(tmp_path, "freedict-eng-deu", *entries)
    index = tmp_path / "freedict-eng-deu.index"
    index.write_text("\tA\t" + index.read_text().split("\t")[2].split("\n")[0] + "\n" + index.read_text())
    found = words(llamax("build-lexicon", path))
    assert found == {"Munich": {"de": ["München"]}, "and/or": {"de": ["Tee"]}, "five o'clock tea": {"de": ["Tee"]}}


def test_translations_of_an_entry() -> None:
    """As the docstring shows."""
    text = 'dog /dɒg/ <n>\n1. Hund [zool.], Köter\n    "a dog\'s life"'
    assert list(translations_of(text)) == ["Hund", "Köter"]


def test_a_dictionary_of_dictd_that_does_not_fit_its_index_is_refused(llamax: Llamax, tmp_path: Path) -> None:
    """Another release, no index, or something else beside it; text in another encoding is a bad line."""
    path = dictd(tmp_path, "eng-deu", ("a", "a\nb\n"))
    index = tmp_path / "eng-deu.index"
    index.write_text("a\tA\tzz\n")
    one_line(llamax("build-lexicon", path), 65, "eng-deu.index:1: an entry beyond the end")
    index.write_text("a\tA\t-\n")
    one_line(llamax("build-lexicon", path), 65, "'-' is not a number to the base of 64")
    index.unlink()
    one_line(llamax("build-lexicon", path), 1, "no index beside it")
    dictd(tmp_path, "eng-deu", ("a", "a\nb\n"), ("c", "c\n\udce4\n"))
    one_line(llamax("build-lexicon", path), 65, "eng-deu.dict.dz:2: not UTF-8: byte 0xe4")


def test_wiktionary_gives_the_translations_of_entries_and_senses(llamax: Llamax, tmp_path: Path) -> None:
    """Under either name of the code; redirects and notes are none, and unknown languages are counted."""
    entry = {
        "word": "dog", "lang": "English", "lang_code": "en", "pos": "noun",
        "translations": [
            {"lang_code": "de", "word": "Hund"}, {"code": "de", "word": "Hund"}, {"lang": "German", "note": "see"},
            {"lang_code": "roa-none-xx", "word": "x"}, {"code": "sw", "word": "mbwa (n)"},
        ],
        "senses": [{"glosses": ["animal"], "translations": [{"lang_code": "fr", "word": "chien"}]}, {"tags": []}],
    }  # fmt: skip
    write(tmp_path / "kaikki.jsonl", [entry, {"title": "Dog", "redirect": "dog"}])
    done = llamax("build-lexicon", "kaikki.jsonl")
    assert words(done) == {"dog": {"de": ["Hund"], "fr": ["chien"], "sw": ["mbwa"]}}
    assert b"1 in unknown languages" in done.stderr


def test_a_broken_line_of_wiktionary_is_a_bad_line(llamax: Llamax, tmp_path: Path) -> None:
    """It is set aside, with its reason."""
    write(tmp_path / "k.jsonl", [{"word": "a", "lang_code": "en"}, {"word": "a", "lang_code": "en", "translations": 3}])
    done = llamax("build-lexicon", "k.jsonl", "--rejects", "bad.jsonl")
    assert done.returncode == 0
    (bad,) = read((tmp_path / "bad.jsonl").read_bytes())
    assert (bad["line"], bad["reason"]) == (2, "'translations' is not a list")


def test_gatitos_in_json_is_a_dictionary(llamax: Llamax, tmp_path: Path) -> None:
    """As its table was; any number of translations."""
    lines = [{"sl": "en", "tl": "sw", "src": "dog", "trgs": ["mbwa", "jibwa (big)"]}]
    write(tmp_path / "en_sw.jsonl", lines)
    assert words(llamax("build-lexicon", "en_sw.jsonl")) == {"dog": {"sw": ["jibwa", "mbwa"]}}
    (tmp_path / "en_sw.jsonl").write_text(json.dumps(lines[0] | {"trgs": "mbwa"}) + "\n")
    one_line(llamax("build-lexicon", "en_sw.jsonl"), 65, "en_sw.jsonl:1: 'trgs' is not a list of words")
