"""Two detectors joined: each is believed for what it knows better, and the score is a probability."""

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpora import flores

from llamax_cli import cli
from llamax_cli.identification.detectors import open_detector
from llamax_cli.identification.identifier import Identifier
from llamax_cli.identification.joined import Choices, Count, is_same, parse_table, read_choices
from llamax_cli.languages import languages

HELD_OUT = 506  # the first line of FLORES-101 that the table was not counted on
joined, fasttext, cld2 = (open_detector(name, None) for name in ("joined", "fasttext", "cld2"))


def share_right(name: str, data: Path, code: str) -> float:
    """Return the share of lines that were not counted for which a detector names the language."""
    identifier = Identifier(name)
    return statistics.mean(
        (identifier(line, None) or ("",))[0].partition("-")[0] == code for line in flores(data, code)[HELD_OUT::12]
    )


@pytest.mark.parametrize("code", ["ha", "ig", "lg", "ln", "mi", "ny", "om", "so", "sn", "wo", "yo", "zu", "af"])
def test_what_fasttext_does_not_know_is_left_to_cld2(data: Path, code: str) -> None:
    """Lines that fastText names wrongly, because it has no label for the language or hardly knows it."""
    assert share_right("fasttext", data, code) < 0.99
    assert share_right("joined", data, code) > 0.93


@pytest.mark.parametrize("code", ["ku", "ast", "mk", "ru"])
def test_what_cld2_does_not_know_is_left_to_fasttext(data: Path, code: str) -> None:
    """Sorani and Asturian have no label of CLD2; Macedonian and Russian are often others to it."""
    assert share_right("joined", data, code) > share_right("cld2", data, code) + 0.04


def test_nine_of_ten_lines_are_right_over_all_languages(data: Path) -> None:
    """On lines that the table was not counted on; the five languages that neither knows count 0."""
    shares = [share_right("joined", data, code) for code in languages() if code != "zhtrad"]
    assert statistics.mean(shares) > 0.91


@pytest.mark.parametrize(
    ("text", "lid"),
    [
        ("これは日本語の文章です。", "ja"),
        ("東京", "ja"),
        ("这个字是简体的。", "zh"),
        ("這個字是繁體的。", "zhtrad"),
        ("Ngiyabonga kakhulu.", "zu"),
        ("Guten Morgen!", "de"),
        ("Thank you", "en"),
        ("WIE GEHT ES DIR HEUTE?", "de"),
        ("Ово је веома лепа кућа у којој живим са породицом.", "sr"),
        ("ئەمڕۆ هەوا زۆر خۆشە و ئێمە دەچین بۆ دەرەوە.", "ku"),
    ],
)
def test_short_texts(text: str, lid: str) -> None:
    """Greetings, a single word, capitals, both kinds of Chinese."""
    found = Identifier("joined")(text, None)
    assert found is not None and found[0] == lid
    assert 0 < found[1] <= 1


@given(st.one_of(st.text(), st.lists(st.sampled_from(["ok ", "дом ", "\x01", "\ufffe", "\0", "我", "a"])).map("".join)))
def test_any_text_has_one_answer_of_the_two(text: str) -> None:
    """Its score is the larger one where they agree, and less than the detector's own where they differ."""
    answers = fasttext.predict(text), cld2.predict(text)
    found = joined.predict(text)
    assert found == joined.predict(text)
    if answers[0] is None or answers[1] is None:
        assert found == (answers[0] or answers[1])
        return
    assert found is not None
    if is_same(answers[0][0], answers[1][0]):
        assert found == (answers[1][0], max(answers[0][1], answers[1][1]))
    else:
        own = dict(answer for answer in answers if answer)
        assert 0 <= found[1] < max(own[found[0]], 1e-9)


def test_control_characters_do_not_hide_the_language() -> None:
    """CLD2 refuses them, and code points that are no characters."""
    for character in "\0\x01\x7f\x85\ufffe\ufdd0\U0010ffff":
        found = cld2.predict(f"Das Wetter{character}ist heute sehr schön.")
        assert found is not None and found[0] == "de"


def test_choices() -> None:
    """By the counts of the two labels; by each label alone where they are equal or not there."""
    choices = Choices(
        {
            ("en", "so"): Count(18, 0, 18),
            ("en", "fi"): Count(2, 1, 1),
            ("de", "fi"): Count(6, 6, 0),
            ("af", "nl"): Count(8, 7, 1),
        }
    )
    assert choices["en", "so"] == (True, 19 / 20)
    assert choices["af", "nl"] == (False, 8 / 10)
    assert choices["en", "fi"] == (True, 2 / 10)  # fastText's en was right 1 of 20 times, CLD2's fi 1 of 8 times
    assert choices["af", "fi"] == (False, 8 / 10)
    assert choices["xx", "yy"] == (True, 1 / 2)
    assert choices["de", "de"] == choices["zh", "zh-Hant"] == (True, None)


def test_the_table_is_whole() -> None:
    """Labels that exist and mean different languages, and counts that can be."""
    lines = (
        Path(str(Path(sys.modules[Choices.__module__].__file__ or "").with_name("joined.tsv"))).read_text().splitlines()
    )
    counts = parse_table(lines)
    assert len(counts) == sum(not line.startswith("#") for line in lines) - 1 > 3000
    assert read_choices()["en", "so"].takes_cld2
    for (one, other), count in counts.items():
        assert one in fasttext.labels and other in cld2.labels and not is_same(one, other)
        assert count.texts > 0 and 0 <= count.fasttext_right + count.cld2_right <= count.texts


@pytest.fixture
def without_cld2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make `import pycld2` fail."""
    monkeypatch.setitem(sys.modules, "pycld2", None)
    open_detector.cache_clear()
    yield
    open_detector.cache_clear()


def test_a_missing_package_is_one_line(without_cld2: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It says what to install, or what does without; fastText works without it."""
    told = (
        "the package pycld2 is not installed: pip install pycld2, or name another detector, as in --detector fasttext"
    )
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text":"Guten Morgen!","lang":"de"}\n')
    for arguments in ([], ["--detector", "cld2"]):
        assert cli.run(["langid", str(path), *arguments]) == 2
        assert capfd.readouterr() == ("", f"llamax langid: {told}\n")
    assert cli.run(["langid", str(path), "--detector", "fasttext", "-q"]) == 0
    assert '"lid":"de"' in capfd.readouterr().out


def test_a_corpus_is_described_without_the_package(
    without_cld2: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its languages were found without it, and fastText says which of them it does not know: Kamba."""
    path = tmp_path / "texts.jsonl"
    path.write_text(
        '{"text":"Guten Morgen!","lang":"kam","lid":"de"}\n{"text":"Guten Abend!","lang":"fr","lid":"de"}\n'
    )
    assert cli.run(["analyze", "corpus", str(path)]) == 0
    told = capfd.readouterr()
    assert "; unknown to the detector: kam; " in told.err
    french, kamba = told.out.splitlines()
    assert '"confirmed":0.0' in french and "confirmed" not in kamba
