"""Capitals and forms of words: replacements as their language writes them, and words found however they are typed."""

from collections import Counter
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lexicons import Words, lexicon

from llamax_cli.augmentation.augmentation import Augmentation
from llamax_cli.augmentation.capitals import Capitals, apply_capitals, capitals_of, opens_sentence
from llamax_cli.augmentation.forms import forms_of
from llamax_cli.languages import languages
from llamax_cli.records import text as record_text

NONE, FIRST, ALL, ANYWHERE = Capitals


def augmented(path: Path, lang: str, words: Words, text: str, *, paper: bool = False) -> str:
    """Return a text with all words replaced."""
    into = {code for word in words.values() for code in word}
    have = lexicon(path / "words.lex", (lang, words), entities=dict.fromkeys(into, 1))
    record = {"src": text, "tgt": "x", "src_lang": lang, "tgt_lang": "sw"}
    (made,) = Augmentation([have], 1, paper=paper)()(record, Counter())
    return record_text(made, "src")


@pytest.mark.parametrize(
    ("lang", "word", "first", "whole"),
    [
        ("ka", "სახლი", "სახლი", "სახლი"),
        ("ka", "usb-კაბელი", "Usb-კაბელი", "USB-კაბელი"),
        ("hr", "ǆep", "ǅep", "ǄEP"),
        ("af", "ŉ", "ʼN", "ʼN"),
        ("en", "ﬁsh", "Fish", "FISH"),
        ("de", "straße", "Straße", "STRASSE"),
        ("tr", "ip", "İp", "İP"),
        ("az", "ilıq", "İlıq", "İLIQ"),
        ("tr", "ırmak", "Irmak", "IRMAK"),
        ("en", "ip", "Ip", "IP"),
        ("nl", "ijs", "IJs", "IJS"),
        ("hy", "և", "Եվ", "ԵՎ"),
        ("el", "σπίτι", "Σπίτι", "ΣΠΙΤΙ"),
        ("el", "άνθρωπος", "Άνθρωπος", "ΑΝΘΡΩΠΟΣ"),
        ("el", "μαΐου", "Μαΐου", "ΜΑΪΟΥ"),
        ("el", "προϊόν", "Προϊόν", "ΠΡΟΪΟΝ"),
        ("el", "μάιος", "Μάιος", "ΜΑΪΟΣ"),
        ("el", "άυλος", "Άυλος", "ΑΫΛΟΣ"),
        ("el", "ναύτης", "Ναύτης", "ΝΑΥΤΗΣ"),
        ("el", "ή", "Ή", "Ή"),
        ("th", "แมว", "แมว", "แมว"),
        ("ru", "дом", "Дом", "ДОМ"),
    ],
)
def test_capitals_are_those_of_the_language(lang: str, word: str, first: str, whole: str) -> None:
    """A first letter is in title case, and capitals are written as texts of the language write them."""
    assert apply_capitals(word, FIRST, lang) == first
    assert apply_capitals(word, ALL, lang) == whole
    assert apply_capitals(word, NONE, lang) == word


@given(st.text(min_size=1), st.sampled_from(sorted(languages())))
def test_georgian_capitals_never_come_about(word: str, lang: str) -> None:
    """In no language: a letter of Georgian stays what it is."""
    for capitals in (FIRST, ALL):
        before = sum("\u1c90" <= letter <= "\u1cbf" for letter in word)
        assert sum("\u1c90" <= letter <= "\u1cbf" for letter in apply_capitals(word, capitals, lang)) == before


@pytest.mark.parametrize(
    ("word", "lang", "capitals"),
    [
        ("house", "en", NONE),
        ("House", "en", FIRST),
        ("HOUSE", "en", ALL),
        ("A", "en", FIRST),
        ("E\u0301", "fr", FIRST),
        ("ǅep", "hr", FIRST),
        ("I", "en", ANYWHERE),
        ("I’m", "en", ANYWHERE),
        ("I am", "en", ANYWHERE),
        ("I AM", "en", ALL),
        ("In", "en", FIRST),
        ("I", "it", FIRST),
        ("Haus", "de", ANYWHERE),
        ("HAUS", "de", ALL),
        ("სახლი", "ka", NONE),
        ("ᎣᏏᏲ", "chr", NONE),
        ("家", "zh", NONE),
    ],
)
def test_capitals_of_a_word(word: str, lang: str, capitals: Capitals) -> None:
    """A capital that a word has anywhere, and letters that are all capitals to Unicode, tell nothing."""
    assert capitals_of(word, lang) == capitals


@pytest.mark.parametrize(
    ("before", "opens"),
    [
        ("", True),
        ("“", True),
        ("Yesterday ", False),
        ("(", True),
        ("Well (", False),
        ("Yes. ", True),
        ("Yes.” ", True),
        ("Yes?) (", True),
        ("He left . ", True),
        ("line\n", True),
        ("- ", True),
        ("Yesterday - ", False),
        ("He said, “", True),
        ("“Yes,” ", False),
        ("the “", False),
        ("5 ", False),
        ("1. ", True),
        ("so; ", False),
    ],
)
def test_where_a_sentence_begins(before: str, opens: bool) -> None:
    """After the end of another one, at the start of a line, and in a quotation."""
    assert opens_sentence(before) is opens


def test_english_i_has_its_capital_at_the_start_of_a_sentence_only(tmp_path: Path) -> None:
    """In the middle of a sentence the replacement is written small; other capitals stay."""
    words: Words = {"i": {"es": ["yo"]}, "i am": {"es": ["soy"]}, "house": {"es": ["casa"]}}
    text = "I saw. Yesterday I saw (I) House 5 I, I’d. “I saw,” I said: “I am. I am I.”\nI am\n- I\u00a0saw — I"
    assert augmented(tmp_path, "en", words, text) == (
        "Yo saw. Yesterday yo saw (yo) Casa 5 yo, I’d. “Yo saw,” yo said: “Soy. Soy yo.”\nSoy\n- Yo\u00a0saw — yo"
    )


def test_german_nouns_have_their_capital_at_the_start_of_a_sentence_only(tmp_path: Path) -> None:
    """A translation has a capital in the middle only if the lexicon gives it one."""
    words: Words = {"Haus": {"en": ["house"]}, "Berlin": {"en": ["Berlin!"]}, "guten Tag": {"en": ["hello"]}}
    text = "Haus im Haus in Berlin. Das HAUS. Haus"
    assert augmented(tmp_path, "de", words, text) == "House im house in Berlin!. Das HOUSE. House"


@pytest.mark.parametrize(
    ("lang", "entry", "text", "found"),
    [
        ("tr", "iş", "İŞ", True),
        ("tr", "ışık", "IŞIK", True),
        ("tr", "ırmak", "Irmak", True),
        ("tr", "ibm", "IBM", True),
        ("tr", "ısı", "İSİ", False),
        ("az", "işıq", "İşıq", True),
        ("en", "ip", "IP", True),
        ("en", "Paris", "PARIS", True),
        ("en", "New York", "NEW YORK", True),
        ("tr", "Iğdır", "IĞDIR", True),
        ("el", "σπίτι", "ΣΠΙΤΙ", True),
        ("el", "σπίτι", "ΣΠΊΤΙ", True),
        ("el", "σπίτι", "Σπιτι", False),
        ("el", "άνθρωπος", "ΑΝΘΡΩΠΟΣ", True),
        ("el", "μάιος", "ΜΑΪΟΣ", True),
        ("el", "μαΐου", "ΜΑΪΟΥ", True),
        ("el", "προϊόν", "ΠΡΟΪΟΝ", True),
        ("el", "καλή μέρα", "ΚΑΛΗ ΜΕΡΑ", True),
        ("el", "το καλό παιδί", "ΤΟ ΚΑΛΟ  ΠΑΙΔΙ", True),
        ("en", "don't", "don’t", True),
        ("en", "don't", "Don’t", True),
        ("en", "don’t", "DON'T", True),
        ("uk", "м'ята", "мʼята", True),
        ("uk", "мʼята", "м'ята", True),
        ("uz", "o'g'il", "Oʻgʻil", True),
        ("uz", "oʻgʻil", "o'g'il", True),
        ("uz", "o‘g‘il", "oʻgʻil", True),
        ("uk", "м’ята", "М'ята", True),
        ("fr", "l'été", "L’e\u0301te\u0301", True),
        ("fr", "grand l'été", "Grand L’e\u0301te\u0301", True),
        ("en", "rock 'n' roll", "rock 'n' roll", False),
    ],
)
def test_a_word_is_found_however_it_is_typed(tmp_path: Path, lang: str, entry: str, text: str, found: bool) -> None:
    """In capitals, with another apostrophe, with combining marks; in phrases too."""
    made = augmented(tmp_path, lang, {entry: {"sw": ["neno"]}}, text)
    assert (made.lower() == "neno") is found, made


@given(st.text(), st.sampled_from(["en", "tr", "az", "el", "uk"]))
def test_forms_begin_with_the_word_and_its_lower_case(word: str, lang: str) -> None:
    """Each is there once, in NFC; an apostrophe or a capital makes more of them."""
    found = forms_of(word, lang)
    assert found[0] == normalize("NFC", word)
    assert len(set(found)) == len(found)
    if lang in {"en", "uk"}:
        assert found[0].lower() in found


def test_the_paper_knows_no_other_forms(tmp_path: Path) -> None:
    """Words are looked up as they stand in the lower case of the sentence."""
    words: Words = {"don't": {"sw": ["neno"]}, "@house": {"sw": ["nyumba"]}}
    assert augmented(tmp_path, "en", words, "don’t Don't @House", paper=True) == "don’t neno nyumba"


@pytest.mark.parametrize(
    "text",
    [
        "@house",
        "(@house),",
        "https://house.com/dog",
        "see:http://house",
        "www.house.com",
        "house@dog.com",
        "mailto:house@dog.com.",
        "“@house”",
    ],
)
def test_addresses_are_left_alone(tmp_path: Path, text: str) -> None:
    """Names of users, addresses of the web and of e-mail; they count as words that are not covered."""
    words: Words = {
        **{word: {"sw": ["x"]} for word in ("house", "dog", "com", "https", "www", "the house", "house.com")},
        "https://house.com/dog": {"sw": ["x"]},
        "house@dog.com": {"sw": ["x"]},
    }
    assert augmented(tmp_path, "en", words, f"the {text} dog #house") == f"the {text} x #x"
    chinese: Words = {**words, "看": {"en": ["look"]}, "北京": {"en": ["Beijing"]}}
    made = augmented(tmp_path, "zh", chinese, f"看 {text} 北京")
    assert made == f"look {text} Beijing"


def test_a_handle_of_chinese_characters_is_left_alone(tmp_path: Path) -> None:
    """It ends at a space."""
    words: Words = {"北京": {"en": ["Beijing"]}, "大学": {"en": ["university"]}}
    assert augmented(tmp_path, "zh", words, "@北京大学 北京") == "@北京大学 Beijing"
    assert (
        augmented(tmp_path, "zh", words, "北京 a@house.com大学 @house大学")
        == "Beijing a@house.com university @house university"
    )
