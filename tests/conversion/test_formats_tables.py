"""TICO-19, Tatoeba, Parquet and datasets of Hugging Face: exact segments, which columns are taken, what is refused."""

import errno
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest
from support.corpora import Rejected, request_of, texts, written
from support.processes import Outcome, one_line
from support.records import parsed

from llamax_cli.conversion.detection import detect
from llamax_cli.conversion.formats import huggingface, parquet, tatoeba, tico
from llamax_cli.conversion.segments import Corpus, Segment
from llamax_cli.errors import DataError, FileError, UsageError

Llamax = Callable[..., Outcome]

# -- TICO-19 ----------------------------------------------------------------------------------------------------------

HEADER = "sourceLang\ttargetLang\tsourceString\ttargetString\tstringID\turl\tlicense\ttranslatorId\n"


def row(language: str, key: str, source: str, target: str) -> str:
    """A line of TICO-19."""
    return f"en\t{language}\t{source}\t{target}\t{key}\thttp://a.b/c\tpublic\t12\n"


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """A folder with `test` in French, Kurmanji and Swahili; the last has its lines in another order and lacks one."""
    folder = tmp_path / "tico19-testset" / "test"
    folder.mkdir(parents=True)
    files = {
        "test.en-fr.tsv": row("fr", "CMU_1:1", 'a "cold', 'un "rhume') + row("fr", "CMU_1:2", "flu", "la grippe"),
        "test.en-ku.tsv": row("ku", "CMU_1:1", 'a "cold', "sarma") + row("ku", "CMU_1:2", "flu", "zekem"),
        "test.en-sw.tsv": row("sw", "PubMed_6:45", "fever", "homa") + row("sw", "CMU_1:2", "flu", "mafua"),
    }
    for name, text in files.items():
        (folder / name).write_text(HEADER + text)
    return folder


def test_a_folder_is_one_corpus_aligned_by_string_id(benchmark: Path) -> None:
    """Numbers are those of the part, the same in every direction; quotes are text."""
    (corpus,) = tico.open_corpora(request_of(benchmark))
    assert corpus.name == "tico19-testset/test"
    assert corpus.languages == ["en", "fr", "kmr", "sw"]
    expected = [
        Segment(1, ['un "rhume', None], {"doc": "CMU_1"}),
        Segment(2, ["la grippe", "mafua"], {"doc": "CMU_1"}),
        Segment(3, [None, "homa"], {"doc": "PubMed_6"}),
    ]
    assert list(corpus.segments(["fr", "sw"])) == expected
    assert list(corpus.segments(["fr", "sw"])) == expected
    assert texts(corpus, "en", "kmr") == [('a "cold', "sarma"), ("flu", "zekem"), ("fever", None)]


def test_a_file_is_a_corpus_of_two(benchmark: Path) -> None:
    """A file alone needs no other."""
    (corpus,) = tico.open_corpora(request_of(benchmark / "test.en-sw.tsv"))
    assert (corpus.name, corpus.languages) == ("test/test.en-sw", ["en", "sw"])
    assert texts(corpus, "sw", "en") == [("homa", "fever"), ("mafua", "flu")]


def test_parts_are_corpora_of_their_own(benchmark: Path) -> None:
    """dev, test and all of one release; names tell them apart."""
    for place in ("dev/dev.en-ckb.tsv", "dev/all.en-pt-BR.tsv"):
        path = benchmark.parent / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEADER + row(path.name.split("-", 1)[1].removesuffix(".tsv"), "CMU_1:1", "cold", "x"))
    found = {corpus.name: corpus.languages for corpus in tico.open_corpora(request_of(benchmark.parent))}
    assert found == {
        "tico19-testset/dev/all": ["en", "pt"],
        "tico19-testset/dev/dev": ["en", "ku"],
        "tico19-testset/test": ["en", "fr", "kmr", "sw"],
    }
    (chosen,) = tico.open_corpora(request_of(benchmark.parent, split="dev", name="tico"))
    assert (chosen.name, chosen.languages) == ("tico", ["en", "ku"])
    with pytest.raises(UsageError, match=r"no part 'train'; have: all, dev, test"):
        tico.open_corpora(request_of(benchmark.parent, split="train"))


def test_bad_lines_are_rejected(benchmark: Path) -> None:
    """Columns, ids and bytes are checked."""
    with (benchmark / "test.en-fr.tsv").open("ab") as file:
        file.write(b"en\tfr\tx\n" + row("fr", "CMU_1:2", "again", "encore").encode() + row("fr", "", "x", "y").encode())
        file.write(row("fr", "CMU_1:3", "x", "caf\xe9").encode("latin-1"))
    bad: Rejected = []
    (corpus,) = tico.open_corpora(request_of(benchmark, bad=bad))
    assert len(texts(corpus, "fr", "kmr")) == 3
    assert [line[:3] for line in bad] == [
        ("test.en-fr.tsv", 4, "3 columns instead of 8"),
        ("test.en-fr.tsv", 5, "a second line with the stringID 'CMU_1:2'"),
        ("test.en-fr.tsv", 6, "no stringID"),
        ("test.en-fr.tsv", 7, "not UTF-8: byte 0xe9 at 11"),
    ]
    with pytest.raises(DataError, match=r"test\.en-fr\.tsv:4: 3 columns instead of 8"):
        texts(tico.open_corpora(request_of(benchmark))[0], "fr")


def test_what_is_not_tico_is_refused(benchmark: Path, tmp_path: Path) -> None:
    """Another header, a language twice, a folder without files."""
    (benchmark / "test.en-sw.tsv").write_text("a\tb\n")
    with pytest.raises(DataError, match=r"test\.en-sw\.tsv: not a file of TICO-19"):
        texts(tico.open_corpora(request_of(benchmark))[0], "fr")
    (benchmark / "test.en-sw.tsv").write_text(HEADER + row("fr", "CMU_1:1", "a", "b"))
    with pytest.raises(DataError, match=r"test\.en-sw\.tsv: a second file in fr beside .*test\.en-fr\.tsv"):
        texts(tico.open_corpora(request_of(benchmark))[0], "fr")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match=r"no files named like test\.en-fr\.tsv"):
        tico.open_corpora(request_of(tmp_path / "empty"))


# -- Tatoeba ----------------------------------------------------------------------------------------------------------


def test_sentences_of_tatoeba(llamax: Llamax, tmp_path: Path) -> None:
    """Each row in its own language, under the number of Tatoeba; the text is never a language or a header."""
    rows = ["1\teng\tHello.", "4\tdeu\tHallo.", "5\t\\N\tHm", "7\tcmn\t一", "9\teng\t\\N"]
    written(tmp_path / "sentences.tsv", *rows)
    done = llamax("convert", "sentences.tsv", "--name", "t")
    assert parsed(done) == [
        {"id": "t:1", "text": "Hello.", "lang": "en"},
        {"id": "t:4", "text": "Hallo.", "lang": "de"},
        {"id": "t:7", "text": "一", "lang": "zh"},
    ]
    assert b"; left out: 1 in an unknown language, 1 absent; " in done.stderr
    chosen = llamax("convert", "--mono", "zh,de", "--name", "t", stdin=(tmp_path / "sentences.tsv").read_bytes())
    assert parsed(chosen) == parsed(done)[:0:-1]
    said = one_line(llamax("convert", "sentences.tsv", "--pairs", "en-de"), 2)
    assert said == "sentences.tsv: these sentences of Tatoeba are not paired; choose languages with --mono"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("sentences.csv", "tatoeba"),
        ("eng_sentences.tsv", "tatoeba"),
        ("eng_sentences_detailed.tsv", "tatoeba"),
        ("eng.tsv", "tsv"),
        ("en-de_sentences.tsv", "tsv"),
    ],
)
def test_the_name_of_an_export_tells_it_where_half_of_it_is_bad(tmp_path: Path, name: str, form: str) -> None:
    """One row of an export is enough then, and none is too little."""
    path = written(tmp_path / name, "1276\teng\tLet's try something.", "a\tb")
    assert detect(str(path), request_of(path)) == form
    path = written(tmp_path / name, "one\teins", "two\tzwei")
    assert detect(str(path), request_of(path)) == "tsv"


def test_detailed_sentences_of_tatoeba(tmp_path: Path) -> None:
    """Values that Tatoeba does not know are left out; a row of another form is bad."""
    rows = ["1\teng\tHello.\tbob\t2010-01-02 03:04:05\t\\N", "x\teng\ty", "2\tqqq\tz"]
    bad: Rejected = []
    (corpus,) = tatoeba.open_corpora(request_of(written(tmp_path / "detailed.csv", *rows), bad=bad))
    assert (corpus.name, corpus.languages) == (f"{tmp_path.name}/detailed", ["en"])
    details = {"username": "bob", "added": "2010-01-02 03:04:05"}
    assert list(corpus.segments(["en"])) == [Segment(1, ["Hello."], details)]
    assert [line[:2] for line in bad] == [("detailed.csv", 2), ("detailed.csv", 3)]
    assert bad[0][2] == "not the number, language and text of a sentence of Tatoeba"
    assert bad[1][2].startswith("unknown language 'qqq'")


@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("row", ["9\t\ttext", "9\tdeu", "text alone", "9\tqqq\ttext", "9\teng\ta\tb", ""])
def test_one_bad_row_is_one_bad_line_of_an_export(llamax: Llamax, tmp_path: Path, row: str, place: int) -> None:
    """It does not make the other rows a table, nor text."""
    rows = ["1\teng\tHello.", "4\tdeu\tHallo.", "7\tcmn\t一"]
    written(tmp_path / "sentences.tsv", *rows[:place], row, *rows[place:])
    one_line(llamax("convert", "sentences.tsv"), 65, f"sentences.tsv:{place + 1}: ", had_written=True)
    done = llamax("convert", "sentences.tsv", "--rejects", "bad")
    assert [record["lang"] for record in parsed(done)] == ["en", "de", "zh"]
    (bad,) = map(json.loads, (tmp_path / "bad").read_bytes().splitlines())
    assert (bad["line"], bad["raw"]) == (place + 1, row)


def test_only_an_export_is_taken_for_one(tmp_path: Path) -> None:
    """A table with a number and a short word in its first row is an ordinary table."""
    rows = ["1\tthe\tel", "2\thouse\tcasa"]
    path = str(written(tmp_path / "words.tsv", *rows))
    assert detect(path, request_of(path)) == "tsv"
    assert detect(str(written(tmp_path / "s.csv", rows[0])), request_of(path)) == "tatoeba"
    assert detect(path, request_of(path, columns={"en": "2", "es": "3"})) == "tsv"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"eng.devtest": b"a\n", "strange.devtest": b"b\n"}, "set/strange.devtest: unknown language 'strange'"),
        ({"dataset_info.json": b"{"}, "set: no data files in this folder"),
        ({"dataset_dict.json": b"{"}, "set/dataset_dict.json: not JSON; "),
        ({"dataset_dict.json": b"[]"}, "set/dataset_dict.json: no list 'splits' in it; "),
        ({"dataset_dict.json": b'{"splits":["train"]}'}, "set/train/state.json: no such file or directory; "),
        ({"dataset_info.json": b"{}", "state.json": b"{}"}, "set/state.json: no list '_data_files' in it; "),
        ({"dataset_info.json": b"{}", "state.json": b'{"_data_files":[3]}'}, "set/state.json: no list of data files"),
        (
            {"dataset_info.json": b"{}", "state.json": b'{"_data_files":[{"filename":"x.arrow"}]}'},
            "set/x.arrow is missing, which state.json names; ",
        ),
        (
            {"dataset_info.json": b"{", "x.arrow": b"", "state.json": b'{"_data_files":[{"filename":"x.arrow"}]}'},
            "set/dataset_info.json: not JSON; ",
        ),
        ({"good.parquet": None, "later.parquet": b"junk"}, "set/later.parquet: broken data: "),
    ],
)
def test_what_is_broken_in_a_folder_is_named(
    llamax: Llamax, tmp_path: Path, files: dict[str, bytes | None], message: str
) -> None:
    """The file, where there is one, and in our words what is wrong with it."""
    (tmp_path / "set").mkdir()
    for name, content in files.items():
        if content is None:
            pyarrow.parquet.write_table(pyarrow.table({"en": ["a"], "de": ["b"]}), tmp_path / "set" / name)
        else:
            (tmp_path / "set" / name).write_bytes(content)
    said = one_line(llamax("convert", "set", "--pairs", "*-*"), 65, had_written=True)
    assert said.startswith(message)


# -- Parquet, and the shapes of rows ----------------------------------------------------------------------------------

TRANSLATIONS = [
    {"id": "a1", "score": 0.5, "translation": {"en": "One\u0085", "de": "Eins"}, "tags": ["x"]},
    {"id": None, "score": None, "translation": {"en": "Two  ", "de": None}, "tags": []},
    {"id": "a3", "score": 1.0, "translation": None, "tags": None},
]

Write = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path) -> Write:
    """Writes rows as a Parquet file."""

    def write(rows: Sequence[Mapping[str, object]], name: str = "a.parquet", **options: Any) -> Path:
        path = tmp_path / name
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path, **options)
        return path

    return write


def only(path: Path | str, **more: Any) -> Corpus:
    """The corpus of one Parquet file."""
    return parquet.open_corpora(request_of(path, **more))[0]


def test_translations_in_parquet(table: Write) -> None:
    """Nulls are absent, lists are left out, a column named as a record's key is renamed."""
    corpus = only(table(TRANSLATIONS))
    assert corpus.name.endswith("/a")
    assert corpus.languages == ["en", "de"]
    expected = [
        Segment(1, ("Eins", "One\u0085"), {"row_id": "a1", "score": 0.5}),
        Segment(2, (None, "Two  "), {}),
        Segment(3, (None, None), {"row_id": "a3", "score": 1.0}),
    ]
    assert list(corpus.segments(["de", "en"])) == expected
    assert list(corpus.segments(["de", "en"])) == expected


def test_a_column_a_language(table: Write) -> None:
    """Only text columns named by a language; `src` and `doc` are codes of languages too, and not meant."""
    flores = [{"id": 7, "url": "u", "sentence_eng_Latn": "One", "sentence_zho_Hant": "一", "sentence_length": 3}]
    corpus = only(table(flores))
    assert corpus.languages == ["en", "zhtrad"]
    assert list(corpus.segments(["en"])) == [Segment(1, ("One",), {"row_id": 7, "url": "u", "sentence_length": 3})]
    codes = only(table([{"src": "s", "doc": "d", "en": "One", "deu_Latn": "Eins", "eu": "Bat"}]))
    assert codes.languages == ["en", "de", "eu"]
    assert list(codes.segments(["eu", "en"])) == [Segment(1, ("Bat", "One"), {"row_src": "s", "doc": "d"})]


def test_columns_can_be_declared(table: Write) -> None:
    """Declared columns are the only ones."""
    path = table([{"english": "One", "translation": {"zh-Hans": "一", "xx": "?"}}])
    corpus = only(path, columns={"zh": "translation.zh-Hans", "en": "english"})
    assert (corpus.languages, texts(corpus, "en", "zh")) == (["zh", "en"], [("One", "一")])
    with pytest.raises(UsageError, match=r"no column of text is called 'englisch'; did you mean english\?"):
        only(path, columns={"en": "englisch"})
    with pytest.raises(DataError, match=r"translation\.xx: unknown language 'xx'.*--columns LANGUAGE=translation\.xx"):
        only(path)


def test_one_column_of_text_needs_its_language(table: Write) -> None:
    """From --langs, or from a configuration that is called by one."""
    path = table([{"url": "u", "text": "Moja"}])
    with pytest.raises(UsageError, match=r"in which language is the column 'text'\? Say one: --langs CODE"):
        only(path)
    assert list(only(path, languages=["sw"]).segments(["sw"])) == [Segment(1, ("Moja",), {"url": "u"})]
    assert texts(only(table([{"sentence": "Moja"}]), config="swh_Latn"), "sw") == [("Moja",)]


def test_a_column_called_id_is_asked_about(table: Write) -> None:
    """Indonesian or an identifier: nobody but the user knows."""
    path = table([{"id": "Satu", "en": "One"}])
    with pytest.raises(UsageError, match=r"is the column 'id' Indonesian or an identifier\? Say --columns en=en"):
        only(path)
    assert list(only(path, columns={"en": "en"}).segments(["en"])) == [Segment(1, ("One",), {"row_id": "Satu"})]
    assert texts(only(path, languages=["en", "id"]), "id") == [("Satu",)]


def test_columns_that_say_nothing_are_refused(table: Write) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError, match=r"which columns hold the texts\? They are premise, hypothesis; say --columns"):
        only(table([{"premise": "a", "hypothesis": "b"}]))
    with pytest.raises(UsageError, match=r"en and eng are both in en; choose: --columns en=eng"):
        only(table([{"en": "a", "eng": "b"}]))


def test_many_batches_are_one_corpus(table: Write) -> None:
    """Numbers go on over batches and row groups."""
    rows = [{"en": f"e{number}", "fr": f"f{number}"} for number in range(10_000)]
    corpus = only(table(rows, row_group_size=3000))
    found = list(corpus.segments(["fr"]))
    assert [segment.number for segment in found] == list(range(1, 10_001))
    assert [segment.texts[0] for segment in found] == [row["fr"] for row in rows]


def test_broken_parquet_is_one_line(table: Write, tmp_path: Path) -> None:
    """A cut end, broken pages, another format, no file."""
    path = table([{"en": f"e{number}", "fr": "x"} for number in range(1000)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(DataError, match=r"a\.parquet: broken Parquet: .") as caught:
        only(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(whole[:4] + bytes(1000) + whole[1004:])
    with pytest.raises(DataError, match=r"a\.parquet: broken Parquet: ."):
        texts(only(path), "en")
    path.write_text("nothing of the kind")
    with pytest.raises(DataError, match=r"a\.parquet: not a Parquet file"):
        only(path)
    with pytest.raises(FileError, match="no such file"):
        only(tmp_path / "b.parquet")


def half_text() -> pyarrow.Table:
    """Return a table whose second text is not UTF-8."""
    ends, data = b"\0\0\0\0\2\0\0\0\4\0\0\0", b"ok\xff\xfe"
    broken = pyarrow.Array.from_buffers(pyarrow.string(), 2, [None, pyarrow.py_buffer(ends), pyarrow.py_buffer(data)])
    return pyarrow.table({"en": broken, "fr": ["a", "b"]})


def test_text_that_is_not_utf8_is_one_line(tmp_path: Path) -> None:
    """In a file of Parquet, whose writer need not look, and in a data set that was saved."""
    pyarrow.parquet.write_table(half_text(), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet: broken Parquet: .*Invalid UTF8"):
        texts(only(tmp_path / "a.parquet"), "en")
    datasets.Dataset(half_text()).save_to_disk(tmp_path / "saved")
    with pytest.raises(DataError, match=r"saved: broken data: .*Invalid UTF8"):
        texts(loaded(tmp_path / "saved"), "en")


def test_parquet_that_the_disk_does_not_give_is_not_called_broken(
    table: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of the system is said, with the exit code of a failure."""
    path = table([{"en": "a", "fr": "b"}])

    def failing(path: object) -> None:
        raise OSError(errno.EIO, "Error reading bytes from file. Detail: [errno 5] Input/output error")

    monkeypatch.setattr(pyarrow.parquet, "ParquetFile", failing)
    with pytest.raises(FileError, match=r"a\.parquet: input/output error$"):
        only(path)


# -- Hugging Face -----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that has to stay empty, and no network."""
    folder = tmp_path / "working"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return folder


def loaded(path: Path | str, **more: Any) -> Corpus:
    """The corpus of one dataset."""
    return huggingface.open_corpora(request_of(path, **more))[0]


def test_a_saved_dataset(tmp_path: Path, elsewhere: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """save_to_disk without splits; nothing printed, nothing left in the working folder."""
    rows = [{"n": number, "translation": {"en": f"e{number}", "yo": None if number else "o"}} for number in range(2500)]
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
    capfd.readouterr()
    corpus = loaded(tmp_path / "saved")
    assert corpus.name == f"{tmp_path.name}/saved"
    assert corpus.languages == ["en", "yo"]
    expected = [Segment(number + 1, (None if number else "o", f"e{number}"), {"n": number}) for number in range(2500)]
    assert list(corpus.segments(["yo", "en"])) == expected
    assert list(corpus.segments(["yo", "en"])) == expected
    assert capfd.readouterr() == ("", "")
    assert not list(elsewhere.iterdir())
    with pytest.raises(UsageError, match=r"no split 'train'; it has no splits"):
        loaded(tmp_path / "saved", split="train")


def test_splits_of_a_saved_dataset(tmp_path: Path) -> None:
    """The split asked for, else train, else the only one."""
    parts = {name: datasets.Dataset.from_list([{"en": name, "fr": "x"}]) for name in ("dev", "test")}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "two")
    with pytest.raises(
        UsageError, match=r"several splits and none of them 'train'; have: dev, test. Say .*--split dev"
    ):
        loaded(tmp_path / "two")
    with pytest.raises(UsageError, match=r"no split 'devtest'; have: dev, test"):
        loaded(tmp_path / "two", split="devtest")
    chosen = loaded(tmp_path / "two", split="test")
    assert (chosen.name, texts(chosen, "en")) == (f"{tmp_path.name}/two/test", [("test",)])
    datasets.DatasetDict(parts | {"train": parts["dev"]}).save_to_disk(tmp_path / "three")
    assert loaded(tmp_path / "three").name.endswith("three/train")
    datasets.DatasetDict({"dev": parts["dev"]}).save_to_disk(tmp_path / "one")
    assert loaded(tmp_path / "one", name="mine").name == "mine"


def test_a_folder_of_data_files(tmp_path: Path, elsewhere: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """JSON lines and shards of Parquet, streamed."""
    folder = tmp_path / "lines"
    folder.mkdir()
    rows = [{"id": number, "translation": {"en": f"e{number}", "fr": f"f{number}"}} for number in range(1200)]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    corpus = loaded(folder)
    assert corpus.name == f"{tmp_path.name}/lines/train"
    expected = [Segment(number + 1, (f"f{number}",), {"row_id": number}) for number in range(1200)]
    assert list(corpus.segments(["fr"])) == expected
    assert list(corpus.segments(["fr"])) == expected
    shards = tmp_path / "shards"
    shards.mkdir()
    for shard in range(2):
        table = pyarrow.Table.from_pylist([{"eng_Latn": f"e{shard}", "swh_Latn": "x"}])
        pyarrow.parquet.write_table(table, shards / f"test-0000{shard}-of-00002.parquet")
    assert texts(loaded(shards), "en", "sw") == [("e0", "x"), ("e1", "x")]
    assert capfd.readouterr() == ("", "")
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize(
    ("files", "options", "error", "message"),
    [
        ({}, {}, DataError, "no data files in this folder"),
        ({"train.jsonl": '{"en": "a"}\n'}, {"config": "de-en"}, UsageError, "'de-en' not found. Available: "),
        ({"train.parquet": "PAR"}, {}, DataError, "broken data: "),
        ({"train.jsonl": '{"en": "a"}\n{"en\n'}, {}, DataError, "broken data: "),
    ],
)
def test_what_cannot_be_loaded_is_one_line(
    tmp_path: Path,
    files: Mapping[str, str],
    options: Mapping[str, str],
    error: type[Exception],
    message: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What `datasets` raises comes out as one line, and what it logs not at all."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(error, match=message) as caught:
        texts(loaded(folder, **options), "en")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_files_with_different_columns_are_named(tmp_path: Path, ending: str) -> None:
    """Which file, and what it lacks or has too much."""
    for row, fault in (
        ({"en": "a", "fr": "b"}, "en, fr, without 'de'"),
        ({"en": "a", "de": "b", "x": "c"}, "en, de, x, instead of en, de"),
    ):
        folder = tmp_path / f"{len(row)}"
        folder.mkdir()
        for number, content in enumerate(({"en": "1", "de": "2"}, row)):
            if ending == "parquet":
                pyarrow.parquet.write_table(pyarrow.Table.from_pylist([content]), folder / f"train-{number}.parquet")
            else:
                (folder / f"train-{number}.jsonl").write_text(json.dumps(content) + "\n")
        with pytest.raises(DataError) as caught:
            texts(loaded(folder), "en", "de")
        assert str(caught.value) == (
            f"{folder}: train-1.{ending} has the columns {fault}; name the files one by one instead of the folder"
        )


def test_a_name_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """A name on the Hub without a network, a folder that is not there, standard input."""
    for name in ("nobody/nothing", str(tmp_path / "missing")):
        with pytest.raises(FileError, match=name) as caught:
            loaded(name)
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="not standard input"):
        loaded("-")
