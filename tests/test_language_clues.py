"""Languages that a name or a header tells: words are never taken for codes, and what is concluded is said."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.corpora import written
from support.processes import Outcome, one_line
from support.records import parsed

from llamax_cli import cli
from llamax_cli.errors import UsageError
from llamax_cli.language_clues import WORDS, Conclusions, language_in, language_of_file, languages_of_columns
from llamax_cli.languages import known

Llamax = Callable[..., Outcome]


def found(row: str, *, declared: str = "", named: str = "") -> tuple[list[str | None], bool] | None:
    """Return the languages of the columns of a table with this first row, and whether it is a header."""
    columns = languages_of_columns("x", row.split(" "), declared.split(), named.split(), if_id="...")
    return columns and (list(columns.languages), columns.has_header)


@pytest.mark.parametrize("row", ["the el", "and ve", "que che", "it es", "de da", "no no", "as come", "I je", "est is"])
def test_a_row_of_words_is_no_header_where_the_name_tells_the_languages(row: str) -> None:
    """Dictionaries begin with their most frequent words, many of which are codes of languages."""
    assert found(row, named="fr ro") == (["fr", "ro"], False)


@pytest.mark.parametrize("row", ["the el", "que che", "cat may", "no it", "house casa", "one two", "id no", "en casa"])
def test_a_row_with_a_word_is_no_header(row: str) -> None:
    """If nothing else tells the languages, they are asked for."""
    assert found(row) is None


@pytest.mark.parametrize(
    ("row", "languages"),
    [
        ("en fr", ["en", "fr"]),
        ("eng_Latn zho_Hant", ["en", "zhtrad"]),
        ("talk_name en it id", [None, "en", "it", "id"]),
        ("en de topic url", ["en", "de", None, None]),
        ("DEU spa", ["de", "es"]),
    ],
)
def test_a_header_says_the_languages(row: str, languages: list[str | None]) -> None:
    """Every cell is a code or the usual name of another column."""
    assert found(row) == (languages, True)
    assert found(row, named=" ".join(code for code in languages if code)) == (languages, True)


@pytest.mark.parametrize("row", ["en fr", "de en", "eng spa", "eng_Latn spa_Latn", "id ind fr", "id en fr"])
def test_a_name_and_a_header_that_disagree_are_an_error(row: str) -> None:
    """The message says both; declared languages end the doubt."""
    with pytest.raises(
        UsageError, match=r"x: its name says en-de, but its first row says .*; give the right languages"
    ):
        found(row, named="en de")
    assert found(row, declared="en de") == (["en", "de"], False)


def test_a_header_agrees_with_what_is_declared() -> None:
    """Then it is no row of the table."""
    assert found("eng deu", declared="en de") == (["en", "de"], True)


def test_a_first_column_named_id_is_asked_about() -> None:
    """It is an identifier more often than Indonesian."""
    with pytest.raises(UsageError, match=r"x: is the column 'id' Indonesian or an identifier\?"):
        found("id en de")
    assert found("ind en de") == (["id", "en", "de"], True)
    assert found("id en", named="id en") == (["id", "en"], True)


@pytest.mark.parametrize("code", ["mt", "my", "no", "to", "so", "id", "it", "is", "may", "cat"])
def test_a_word_alone_is_no_name_of_a_language(code: str) -> None:
    """`mt.txt` is what a machine translated more often than it is Maltese."""
    assert known(code) is not None
    with pytest.raises(
        UsageError, match=f"{code}.txt: does '{code}' in the name mean .*--langs {known(code)}, or another"
    ):
        language_of_file(f"{code}.txt", code, is_pair=False, is_stem=True)
    assert language_of_file(f"Europarl.en-{code}.{code}", code, is_pair=True, is_stem=False) == known(code)


def test_every_word_is_a_code() -> None:
    """Others would have no effect."""
    assert [word for word in sorted(WORDS) if language_in(word) is None] == []


def test_conclusions_are_short() -> None:
    """However many files there are."""
    conclusions = Conclusions(names={f"{code}.txt": [code] for code in ("en", "de")}, headers={"a.tsv": ["en", "sw"]})
    assert conclusions.remarks() == [
        "en (English) and de (German) from names",
        "first row of a.tsv taken for a header (en, sw)",
    ]
    assert conclusions.remarks(with_names=False) == conclusions.remarks()[1:]
    conclusions.names["sw.txt"] = ["sw"]
    conclusions.headers["b.tsv"] = ["en", "fr"]
    assert conclusions.remarks() == ["3 languages from names", "first rows of 2 tables taken for headers"]


# -- in the commands that read tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("en-es.tsv", [("the", "el"), ("house", "casa")]),
        ("en-de.tsv", [("it", "es"), ("house", "Haus")]),
        ("fr-it.tsv", [("de", "da"), ("maison", "casa")]),
    ],
)
def test_both_commands_read_the_same_table(
    llamax: Llamax, tmp_path: Path, name: str, rows: list[tuple[str, str]]
) -> None:
    """No row is lost, and each column is in the language of the name."""
    written(tmp_path / name, *map("\t".join, rows))
    first, second = name.removesuffix(".tsv").split("-")
    pairs = parsed(llamax("convert", name))
    assert [(pair["src"], pair["tgt"], pair["src_lang"], pair["tgt_lang"]) for pair in pairs] == [
        (*row, first, second) for row in rows
    ]
    entries = parsed(llamax("build-lexicon", name, "--one-way"))
    assert sorted((entry["word"], entry["lang"], entry["translations"]) for entry in entries) == sorted(
        (word, first, {second: [translation]}) for word, translation in rows
    )


@pytest.mark.parametrize("command", ["convert", "build-lexicon"])
def test_a_header_is_said_and_a_doubt_is_an_error(llamax: Llamax, tmp_path: Path, command: str) -> None:
    """In the summary, or instead of any output."""
    written(tmp_path / "x.tsv", "en\tde", "house\tHaus")
    written(tmp_path / "en-fr.tsv", "eng\tdeu", "house\tHaus")
    written(tmp_path / "pairs.tsv", "the\tel", "house\tcasa")
    done = llamax(command, "x.tsv")
    assert b"first row of x.tsv taken for a header (en, de)" in done.stderr
    assert {text for record in parsed(done) for text in record.values() if text in ("en", "de")} == {"en", "de"}
    assert "its name says en-fr, but its first row says en, de" in one_line(llamax(command, "en-fr.tsv"), 2)
    assert "--langs" in one_line(llamax(command, "pairs.tsv"), 2)


def test_the_language_of_a_name_is_said(llamax: Llamax, tmp_path: Path) -> None:
    """Unless the user says it."""
    for name in ("news.sw", "mt.txt", "test.mt", "train.it", "train.en", "train.mt", "cv.txt", "news.cv"):
        written(tmp_path / name, "a")
    assert b"1 record; sw (Swahili) from the name; " in llamax("convert", "news.sw").stderr
    assert b"1 record; 0." in llamax("convert", "news.sw", "--mono", "sw").stderr
    assert b"1 record; it (Italian) and en (English) from names; " in llamax("convert", "train.it", "train.en").stderr
    assert b"1 record; cv (Chuvash) from the name; " in llamax("convert", "news.cv").stderr
    for files in (["mt.txt"], ["cv.txt"], ["test.mt"], ["train.it"], ["train.en", "train.mt"]):
        assert one_line(llamax("convert", *files), 2).startswith(f"{files[-1]}: does ")
    assert parsed(llamax("convert", "mt.txt", "--langs", "sw"))[0]["lang"] == "sw"


def test_the_languages_of_a_dictionary_are_said(llamax: Llamax, tmp_path: Path) -> None:
    """Of one by name, of many by number; not where the user said them."""
    for name in ("en-my.txt", "en-no.txt", "en-sw.txt"):
        written(tmp_path / name, "house a")
    assert b"; en (English) and my (Burmese) from the name; " in llamax("build-lexicon", "en-my.txt").stderr
    assert b"; 4 languages from names; " in llamax("build-lexicon", "en-my.txt", "en-no.txt", "en-sw.txt").stderr
    assert b"from the name" not in llamax("build-lexicon", "en-my.txt", "--langs", "en-my").stderr


def test_a_table_may_be_called_txt(llamax: Llamax, tmp_path: Path) -> None:
    """Tabs make a table, unless one language is told."""
    written(tmp_path / "en-de.txt", "house\tHaus", "it\tes")
    written(tmp_path / "news.en.txt", "one\ttwo", "three\tfour")
    assert [record["tgt"] for record in parsed(llamax("convert", "en-de.txt"))] == ["Haus", "es"]
    assert [record["text"] for record in parsed(llamax("convert", "news.en.txt"))] == ["one\ttwo", "three\tfour"]
    assert parsed(llamax("convert", "en-de.txt", "--langs", "en"))[0]["text"] == "house\tHaus"


def test_any_dictionary_is_read_as_a_table(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever words it begins with: the same entries as in the format of MUSE."""
    monkeypatch.chdir(tmp_path)

    def entries(*arguments: str) -> str:
        assert cli.run(["build-lexicon", *arguments]) == 0
        return capfd.readouterr().out

    for path in sorted((data / "muse").glob("en-*.txt"))[:6]:
        rows = path.read_text(encoding="utf-8").split("\n")[:300]
        rows = [row.replace(" ", "\t") for row in rows if row]
        known_rows = [row for row in rows if all(map(known, row.split("\t")))]
        for first in known_rows[:8]:
            written(tmp_path / path.name, first, *rows[:5])
            assert entries(path.name, "--from", "tsv") == entries(path.name) != ""
