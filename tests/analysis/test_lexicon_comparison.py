"""`llamax analyze lexicon` against counts over the dictionaries themselves, and against augment."""

import csv
import io
import json
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from support import zygote
from support.lexicons import ENGLISH, Words, lexicon
from support.processes import Outcome, one_line
from support.records import pair, text, write
from support.runs import WORDS, model_folder, small_tokenizer

from llamax_cli import cli
from llamax_cli.analysis import entity_similarity, sentence_encoders
from llamax_cli.analysis.lexicon_comparison import labels
from llamax_cli.augmentation.augmentation import Augmentation
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.script import script, usual_scripts

Llamax = Callable[..., Outcome]
NAME = "model.embed_tokens.weight"
# Words in several scripts, so that some are in the wrong one, and few enough that pairs and words come again.
SIDES = {
    "en": ["cat", "dog", "taxi", "red", "µm", "12", "go home"],
    "ru": ["кот", "пёс", "taxi", "red", "Ωmega", "12", "домой"],
    "th": ["แมว", "หมา", "taxi", "แดง", "12", "кот", "กลับบ้าน"],
}
SCRIPT_OF = {"en": "Latn", "ru": "Cyrl", "th": "Thai"}

Pairs = dict[tuple[str, str], list[tuple[str, str]]]  # by the languages of a dictionary


def parsed(done: Outcome) -> list[dict[str, Any]]:
    """Return the records of a run that went well."""
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_language(records: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return records by lexicon and language."""
    found = {(each["lexicon"], each["lang"]): each for each in records}
    assert len(found) == len(records)
    return found


def write_dictionaries(folder: Path, pairs: Pairs) -> None:
    """Write pairs as files with a name for their languages."""
    folder.mkdir()
    for (one, other), lines in pairs.items():
        (folder / f"{one}-{other}.txt").write_text("".join(f"{a}\t{b}\n" for a, b in lines), encoding="utf-8")


def draw_dictionaries(seed: int) -> Pairs:
    """Return dictionaries with duplicates, identical pairs and words in other scripts."""
    draw = random.Random(seed)
    pairs: Pairs = {}
    for one, other in (("en", "ru"), ("en", "th"), ("th", "ru")):
        count = draw.randrange(1, 30)
        pairs[one, other] = [(draw.choice(SIDES[one]), draw.choice(SIDES[other])) for _ in range(count)]
    return pairs


def counted(pairs: Pairs, *, one_way: bool) -> dict[str, dict[str, Any]]:
    """Return the figures of each language, from the lines alone."""
    words: dict[str, set[str]] = defaultdict(set)
    directed: set[tuple[str, str, str, str]] = set()
    for (one, other), lines in pairs.items():
        for a, b in lines:
            words[one].add(a)
            words[other].add(b)
            directed.add((one, a, other, b))
            if not one_way:
                directed.add((other, b, one, a))
    figures: dict[str, dict[str, Any]] = {}
    for lang, of_language in words.items():
        out = [row for row in directed if row[0] == lang]
        into = [row[3] for row in directed if row[2] == lang and row[1] != row[3]]
        scripts = Counter("Zyyy" if word == "12" else _script(word) for word in into)
        figures[lang] = {
            "entities": len(of_language),
            "entries": len({row[1] for row in out if row[1] != row[3]}),
            "translations": len(into),
        }
        if out:
            figures[lang]["identity"] = round(sum(row[1] == row[3] for row in out) / len(out), 4)
        if into:
            figures[lang]["scripts"] = dict(scripts)
            others = sum(count for name, count in scripts.items() if name not in (SCRIPT_OF[lang], "Zyyy"))
            figures[lang]["foreign"] = round(others / len(into), 6)
    return figures


def _script(word: str) -> str:
    letter = word.lstrip("µ")[0]
    return next(
        name
        for name, letters in {"Cyrl": "коптдкёс", "Grek": "Ω", "Thai": "แหก"}.items() | {("Latn", "catdogrximh")}
        if letter in letters
    )


@pytest.mark.parametrize("one_way", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_a_plain_count(llamax: Llamax, tmp_path: Path, seed: int, one_way: bool) -> None:
    """Of two lexicons: entities of either side, entries, identity, scripts; difference from the first; what to take."""
    dictionaries = {"a.lex": draw_dictionaries(seed), "b.lex": draw_dictionaries(seed + 100)}
    for name, pairs in dictionaries.items():
        write_dictionaries(tmp_path / name.removesuffix(".lex"), pairs)
        arguments = [name.removesuffix(".lex"), "-o", name, "--from", "tsv", *(["--one-way"] if one_way else [])]
        assert llamax("build-lexicon", *arguments).returncode == 0
    found = by_language(parsed(llamax("analyze", "lexicon", *dictionaries)))
    expected = {name: counted(pairs, one_way=one_way) for name, pairs in dictionaries.items()}
    assert set(found) == {(name, lang) for name in dictionaries for lang in SIDES}
    for (name, lang), record in found.items():
        first, other = (expected[each].get(lang, {"entities": 0}) for each in dictionaries)
        truth = {"lang": lang, "lexicon": name, **expected[name][lang]}
        truth["taken"] = (first["entities"] >= other["entities"]) == (name == "a.lex")
        if name == "b.lex":
            truth["difference"] = other["entities"] - first["entities"]
            truth["ratio"] = round(other["entities"] / first["entities"], 6)
        assert record == truth


def test_identity_of_a_lexicon_that_keeps_it(llamax: Llamax, tmp_path: Path) -> None:
    """It is the same share, whether the lexicon keeps such pairs or not."""
    pairs = draw_dictionaries(7)
    write_dictionaries(tmp_path / "words", pairs)
    for name, options in (("kept.lex", ["--keep-identical"]), ("left.lex", [])):
        assert llamax("build-lexicon", "words", "--from", "tsv", "-o", name, *options).returncode == 0
    found = by_language(parsed(llamax("analyze", "lexicon", "kept.lex", "left.lex")))
    for lang, figures in counted(pairs, one_way=False).items():
        assert found["kept.lex", lang]["identity"] == found["left.lex", lang]["identity"] == figures["identity"]


def test_the_choice_is_that_of_augment(tmp_path: Path, llamax: Llamax) -> None:
    """Of lexicons with as many entities it is the first; a language that only one has is taken from there."""
    names = ["one.lex", "two.lex", "three.lex"]
    counts = [{"de": 5, "fr": 2}, {"de": 5, "fr": 3}, {"de": 4, "sw": 1}]
    lexicons = [
        lexicon(tmp_path / name, ("en", ENGLISH), entities=each) for name, each in zip(names, counts, strict=True)
    ]
    taken = {each["lang"]: each["lexicon"] for each in parsed(llamax("analyze", "lexicon", *names)) if each["taken"]}
    assert taken == {"en": "one.lex", "de": "one.lex", "fr": "two.lex", "sw": "three.lex"}
    chosen = Augmentation(lexicons).lexicon_by_language
    assert {lang: Path(each.path).name for lang, each in chosen.items()} == taken


# -- coverage ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_lexicons(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with lexicons of several languages, a.lex and b.lex, of the first words of each dictionary."""
    folder = tmp_path_factory.mktemp("real")
    builds = {"a": ["muse/en-th.txt", "muse/th-en.txt", "panlex/eng2cmn.txt"], "b": ["muse/en-ja.txt"]}
    for name, files in builds.items():
        for file in files:
            lines = (data / file).read_bytes().splitlines(keepends=True)
            (folder / Path(file).name).write_bytes(b"".join(lines[:5000]))
        words = [Path(file).name for file in files]
        assert zygote.run("build-lexicon", *words, "-o", f"{name}.lex", cwd=folder).returncode == 0
    return folder


@pytest.mark.parametrize("paper", [[], ["--paper"]])
def test_coverage_is_what_augment_reports(
    llamax: Llamax,
    real_lexicons: Path,
    data: Path,
    tmp_path: Path,
    paper: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Of each language of a corpus, spaced or not, pairs and texts; and of each lexicon by itself."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.lex", "b.lex"):
        (tmp_path / name).symlink_to(real_lexicons / name)
    codes = {"en": "eng", "th": "tha", "zh": "zho_simpl", "ja": "jpn", "sw": "swh"}
    records: list[dict[str, Any]] = []
    for lang, code in codes.items():
        lines = (data / "flores101" / "devtest" / f"{code}.devtest").read_text(encoding="utf-8").splitlines()[:60]
        records += [pair(n, lang, "de", src=line, tgt="x") for n, line in enumerate(lines[:30])]
        records += [text(n, lang, text=line) for n, line in enumerate(lines[30:])]
    write(tmp_path / "corpus.jsonl", records)
    # In this process, which loads the dictionaries of the segmenters once.
    assert cli.run(["analyze", "lexicon", "a.lex", "b.lex", "--corpus", "corpus.jsonl", *paper]) == 0
    out, said = capfd.readouterr()
    assert "no lexicon has words of sw (60 texts)" in said
    found = by_language([json.loads(line) for line in out.splitlines()])
    for name, lang in (("a", "en"), ("a", "th"), ("a", "zh"), ("b", "en"), ("b", "ja")):
        own = [each for each in records if lang in (each.get("lang"), each.get("src_lang"))]
        write(tmp_path / "own.jsonl", own)
        assert cli.run(["augment", "own.jsonl", "--dict", f"{name}.lex", "--manifest", "run.json", *paper]) == 0
        capfd.readouterr()
        figures = json.loads((tmp_path / "run.json").read_text())["figures"]
        record = found[f"{name}.lex", lang]
        assert record["texts"] == 60
        for key in ("words", "covered", "coverage"):
            assert record[key] == figures[key]
    assert "coverage" not in found["b.lex", "th"]
    assert cli.run(["analyze", "lexicon", "a.lex", "b.lex", "--corpus", "corpus.jsonl", *paper, "--workers", "2"]) == 0
    assert capfd.readouterr().out == out
    piped = (tmp_path / "corpus.jsonl").read_bytes()
    again = llamax("analyze", "lexicon", "a.lex", "b.lex", "--corpus", "-", *paper, stdin=piped)
    assert again.stdout.decode() == out


def test_coverage_of_plain_words(llamax: Llamax, tmp_path: Path) -> None:
    """Words with a letter that are entries, in lower case too; in a variety too; plain text is read as by augment."""
    lexicon(tmp_path / "x.lex", ("en", {"cat": {"de": ["Katze"]}, "home": {"de": ["Heim"]}}))
    lexicon(tmp_path / "y.lex", ("en", {"cat": {"de": ["Katze"]}}))
    (tmp_path / "news.en").write_text("The Cat, 12 cats.\nHOME home\n")
    for files in (["x.lex"], ["x.lex", "y.lex"]):
        record = parsed(llamax("analyze", "lexicon", *files, "--corpus", "news.en", "--only", "en"))[0]
        assert [record[key] for key in ("texts", "words", "covered", "coverage")] == [2, 5, 3, 0.6]
    write(tmp_path / "gb.jsonl", [text(1, "en-GB", text="cat dog")])
    record = parsed(llamax("analyze", "lexicon", "x.lex", "--corpus", "gb.jsonl,news.en", "--only", "en"))[0]
    assert [record[key] for key in ("texts", "words", "covered")] == [3, 7, 4]
    german = llamax("analyze", "lexicon", "x.lex", "--corpus", "news.en", "--only", "de")
    assert [(each["lang"], "words" in each) for each in parsed(german)] == [("de", False)]
    assert "the corpus has no texts in these languages" in german.stderr.decode()


def test_an_empty_corpus_covers_nothing(llamax: Llamax, tmp_path: Path) -> None:
    """It is said, and no share is made up."""
    lexicon(tmp_path / "x.lex", ("en", ENGLISH))
    done = llamax("analyze", "lexicon", "x.lex", "--corpus", "-", stdin=b"")
    assert not any("coverage" in record for record in parsed(done))
    assert "the corpus is empty" in done.stderr.decode()
    blank = llamax("analyze", "lexicon", "x.lex", "--corpus", "-", stdin=b'{"text":"12 !","lang":"en"}\n')
    (record,) = [each for each in parsed(blank) if each["lang"] == "en"]
    assert (record["texts"], record["words"], "coverage" in record) == (1, 0, False)


# -- similarity --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small model."""
    return model_folder(tmp_path_factory.mktemp("model") / "model")


def drawn_entries(count: int) -> Words:
    """Return entries of several words, some with synonyms, some that are their own translation."""
    draw = random.Random(3)
    return {
        f"{draw.choice(WORDS)} {number}": {
            lang: list(dict.fromkeys(draw.choice(WORDS) for _ in range(draw.randint(1, 3))))
            for lang in draw.sample(["de", "fr", "sw"], draw.randint(1, 3))
        }
        for number in range(count)
    }


@pytest.mark.parametrize("batch", [1, 7, 10_000])
def test_similarity_is_the_mean_cosine_of_entries(
    model: Path, tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of means of the rows of the input embeddings, whatever the batches; of the languages that are asked for."""
    entries = drawn_entries(40)
    lexicon(tmp_path / "x.lex", ("en", entries), ("de", {"haus": {"en": ["house", "the house"]}}))
    monkeypatch.setattr(entity_similarity, "BATCH", batch)
    monkeypatch.setattr(sentence_encoders, "ROWS", batch)
    assert cli.run(["analyze", "lexicon", str(tmp_path / "x.lex"), "--model", str(model), "-q"]) == 0
    found = {each["lang"]: each for each in map(json.loads, capfd.readouterr().out.splitlines())}
    rows = load_file(model / "model.safetensors")[NAME].double()

    def vector(word: str) -> torch.Tensor:
        return rows[small_tokenizer()(word, add_special_tokens=False)["input_ids"]].mean(0)

    def cosine(one: str, other: str) -> float:
        return float(torch.nn.functional.cosine_similarity(vector(one), vector(other), dim=0))

    for lang in ("de", "fr", "sw"):
        of_entries = [mean(cosine(word, each) for each in into[lang]) for word, into in entries.items() if lang in into]
        assert found[lang]["similarity"] == pytest.approx(mean(of_entries), abs=2e-6)
    assert found["en"]["similarity"] == pytest.approx(
        mean([cosine("haus", "house"), cosine("haus", "the house")]), abs=2e-6
    )
    assert cli.run(["analyze", "lexicon", str(tmp_path / "x.lex"), "--model", str(model), "--only", "fr", "-q"]) == 0
    assert json.loads(capfd.readouterr().out) == found["fr"]


def test_a_word_is_as_similar_to_itself_as_can_be(model: Path, tmp_path: Path, llamax: Llamax) -> None:
    """A lexicon of nothing else has a similarity of 1."""
    lexicon(tmp_path / "x.lex", ("en", {word: {"de": [word]} for word in sorted(set(WORDS))}))
    records = parsed(llamax("analyze", "lexicon", "x.lex", "--model", model))
    assert {each["lang"]: each.get("similarity") for each in records}["de"] == pytest.approx(1, abs=1e-6)
    assert "similarity" not in next(each for each in records if each["lang"] == "en")


# -- what is written ---------------------------------------------------------------------------------------------------


def test_a_table_puts_lexicons_side_by_side(llamax: Llamax, tmp_path: Path) -> None:
    """A row for each language, a column for each figure of each lexicon; one that lacks a language is left blank."""
    lexicon(tmp_path / "a.lex", ("en", {"cat": {"de": ["Katze"]}}), entities={"de": 4})
    lexicon(tmp_path / "b.lex", ("en", {"cat": {"de": ["кот"], "fr": ["chat"]}}), entities={"de": 6, "fr": 1})
    done = llamax("analyze", "lexicon", "a.lex", "b.lex", "--table", "csv")
    assert done.returncode == 0
    rows = {row["lang"]: row for row in csv.DictReader(io.StringIO(done.stdout.decode()))}
    assert list(rows) == ["de", "en", "fr"]
    german = rows["de"]
    assert (german["taken"], german["entities a"], german["entities b"]) == ("b", "4", "6")
    assert (german["difference b"], german["ratio b"], "difference a" in german) == ("2", "1.5", False)
    assert (german["scripts a"], german["scripts b"]) == ("Latn 1", "Cyrl 1")
    assert (german["foreign a"], german["foreign b"]) == ("0.0", "1.0")
    assert (rows["fr"]["entities a"], rows["fr"]["entries a"], rows["fr"]["scripts a"]) == ("0", "", "")
    single = llamax("analyze", "lexicon", "b.lex", "--table", "md", "--only", "de").stdout.decode().splitlines()
    assert single == [
        "| lang | entities | entries | foreign | scripts |",
        "| --- | ---: | ---: | ---: | --- |",
        "| de | 6 | 0 | 1.00 | Cyrl 1 |",
    ]


def test_two_lexicons_of_one_name(llamax: Llamax, tmp_path: Path) -> None:
    """Their columns bear the paths."""
    for folder, count in (("one", 4), ("two", 7)):
        (tmp_path / folder).mkdir()
        lexicon(tmp_path / folder / "x.lex", ("en", ENGLISH), entities={"de": count})
    done = llamax("analyze", "lexicon", "one/x.lex", "two/x.lex", "--only", "de", "--table", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert (row["entities one/x.lex"], row["entities two/x.lex"], row["taken"]) == ("4", "7", "two/x.lex")
    assert labels(["muse", "data/panlex.lex"]) == ["muse", "panlex"]
    assert labels(["muse", "data/muse.lex"]) == ["muse", "data/muse.lex"]


def test_lexicons_by_name(llamax: Llamax, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As augment finds them."""
    monkeypatch.setenv("LLAMAX_DATA", str(tmp_path))
    (tmp_path / "lexicons").mkdir()
    lexicon(tmp_path / "lexicons" / "small.lex", ("en", ENGLISH))
    assert {each["lexicon"] for each in parsed(llamax("analyze", "lexicon", "small"))} == {"small"}
    refused = llamax("analyze", "lexicon", "small", "--manifest", tmp_path / "lexicons" / "small.lex")
    assert "is the file that this run reads" in one_line(refused, 2)
    assert "did you mean small?" in one_line(llamax("analyze", "lexicon", "smal"), 1)


def test_translations_in_a_foreign_script_are_listed(llamax: Llamax, tmp_path: Path) -> None:
    """Each with its word; numbers, and languages whose script nobody knows, are not doubted."""
    entries = {
        "cat": {"de": ["Katze", "кот"], "ru": ["кот", "12", "cat"], "sr-Latn": ["mačka", "мачка"], "ber": ["ⴰ", "x"]}
    }
    lexicon(tmp_path / "x.lex", ("en", entries), entities=dict.fromkeys(("de", "ru", "sr-Latn", "ber"), 1))
    rows = parsed(llamax("analyze", "lexicon", "x.lex", "--foreign"))
    assert [(row["lang"], row["translation"], row["script"]) for row in rows] == [
        ("de", "кот", "Cyrl"),
        ("ru", "cat", "Latn"),
        ("sr-Latn", "мачка", "Cyrl"),
    ]
    assert all((row["lexicon"], row["word"], row["word_lang"]) == ("x.lex", "cat", "en") for row in rows)
    assert [row["lang"] for row in parsed(llamax("analyze", "lexicon", "x.lex", "--foreign", "--only", "de"))] == ["de"]
    figures = {each["lang"]: each.get("foreign") for each in parsed(llamax("analyze", "lexicon", "x.lex"))}
    assert figures == {"ber": None, "de": 0.5, "en": None, "ru": round(1 / 3, 6), "sr-Latn": 0.5}


LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4)


@given(LETTERS)
@settings(max_examples=300)
def test_a_sign_is_of_no_script(word: str) -> None:
    """Letters that several scripts share do not decide, and are not taken for a script of their own."""
    assert script(f"µ{word}") == script(word) == script(f"12 {word}") == script(f"ʰ{word}")
    assert len(script(word)) >= 2


def test_scripts_of_languages_outside_the_table() -> None:
    """By CLDR, or by the tag; unknown where letters have no name of the script."""
    asked = ["pt-PT", "az-Cyrl", "sr-Latn", "eu", "yue", "ber", "dz", "ja", "sat"]
    assert [usual_scripts(lang) for lang in asked] == [
        *({"Latn"}, {"Cyrl"}, {"Latn"}, {"Latn"}, {"Hani"}, set(), {"Tibt"}, {"Hani", "Hira", "Kana"}, set()),
    ]


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def broken_models(model: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield models that cannot represent words, and what is said of each."""
    bare = folder / "bare"
    shutil.copytree(model, bare)
    for path in bare.glob("tokenizer*"):
        path.unlink()
    yield bare, f"{bare} has no tokenizer"
    weights = load_file(model / "model.safetensors")
    for value in (torch.nan, torch.inf):
        odd = folder / f"odd{value}"
        shutil.copytree(model, odd)
        rows = weights[NAME].index_fill(0, torch.tensor([9]), value).contiguous()
        save_file({**weights, NAME: rows}, odd / "model.safetensors")
        yield odd, f"{odd}: its embedding embeddings have values that are not finite"
    yield folder / "none", "no such folder"


def test_models_that_cannot_represent_words(llamax: Llamax, model: Path, tmp_path: Path) -> None:
    """Without a tokenizer, with values that are not numbers, without anything: one line, and nothing is written."""
    lexicon(tmp_path / "x.lex", ("en", ENGLISH))
    for path, message in broken_models(model, tmp_path):
        done = llamax("analyze", "lexicon", "x.lex", "--model", path, "-o", "out.jsonl")
        assert message in one_line(done, 1)
        assert not (tmp_path / "out.jsonl").exists()


def test_what_is_refused(llamax: Llamax, tmp_path: Path) -> None:
    """Usage errors, files that are no lexicons, and lines that are no texts, each in one line."""
    lexicon(tmp_path / "x.lex", ("en", ENGLISH))
    (tmp_path / "link.lex").symlink_to(tmp_path / "x.lex")
    (tmp_path / "en-de.txt").write_text("house haus\n")
    (tmp_path / "torn.lex").write_bytes((tmp_path / "x.lex").read_bytes()[:-5])
    (tmp_path / "bad.jsonl").write_text('{"text":"a","lang":"en"}\n{"prompt":"a"}\n')
    cases: list[tuple[Sequence[str], int, str]] = [
        ([], 2, "analyze lexicon: give one lexicon or several different ones"),
        (["x.lex", "./x.lex"], 2, "x.lex,./x.lex: give one lexicon or several different ones"),
        (["x.lex", "link.lex"], 2, "give one lexicon or several different ones"),
        (["en-de.txt"], 1, "en-de.txt is not a compiled lexicon; to make one: llamax build-lexicon"),
        (["bad.jsonl"], 1, "bad.jsonl is not a compiled lexicon"),
        (["torn.lex"], 1, "torn.lex is cut short"),
        ([str(tmp_path)], 1, "is a directory"),
        (["-"], 1, "no lexicon named '-'"),
        (["nothing"], 1, "no lexicon named 'nothing'"),
        (["x.lex", "--only", "zu,de"], 2, "--only zu: no such language in x.lex"),
        (["x.lex", "--only", "qqq"], 2, "unknown language 'qqq'"),
        (["x.lex", "--corpus", ","], 2, "--corpus names no file"),
        (["x.lex", "--paper"], 2, "--paper, --segmenter, --langs and --from require --corpus"),
        (["x.lex", "--langs", "en"], 2, "require --corpus"),
        (["x.lex", "--foreign", "--corpus", "bad.jsonl"], 2, "leave out --corpus and --model"),
        (["x.lex", "--corpus", "bad.jsonl"], 65, "bad.jsonl:2: no 'src' in the record"),
        (["x.lex", "--corpus", "x.lex"], 65, "x.lex"),
        (["x.lex", "--corpus", "none.jsonl"], 1, "none.jsonl"),
        (["x.lex", "-o", "link.lex"], 2, "-o link.lex is a lexicon that this run reads; name another file"),
        (["x.lex", "--corpus", "bad.jsonl", "--rejects", "bad.jsonl"], 2, "the file that --corpus reads"),
    ]
    before = (tmp_path / "x.lex").read_bytes()
    for arguments, code, message in cases:
        one_line(llamax("analyze", "lexicon", *arguments, stdin=b""), code, message)
    assert (tmp_path / "x.lex").read_bytes() == before
    done = llamax("analyze", "lexicon", "x.lex", "--corpus", "bad.jsonl", "--rejects", "rejected.jsonl")
    assert {each["lang"]: each.get("texts") for each in parsed(done)}["en"] == 1
    assert json.loads((tmp_path / "rejected.jsonl").read_text())["line"] == 2


def test_lexicons_with_little_in_them(llamax: Llamax, tmp_path: Path) -> None:
    """One with words of one language that translate into none other, and one with nothing at all."""
    (tmp_path / "en-fr.txt").write_text("taxi taxi\nok ok\n")
    assert llamax("build-lexicon", "en-fr.txt", "-o", "same.lex").returncode == 0
    assert llamax("build-lexicon", "en-fr.txt", "--only", "de", "-o", "empty.lex").returncode == 0
    assert len(Lexicon(tmp_path / "empty.lex")) == 0
    corpus = write(tmp_path / "c.jsonl", [text(1, "en", text="taxi")])
    (record, _, *_) = parsed(llamax("analyze", "lexicon", "same.lex", "empty.lex", "--corpus", corpus))
    figures = {"entities": 2, "entries": 0, "taken": True, "translations": 0, "identity": 1.0}
    assert record == {"lang": "en", "lexicon": "same.lex", **figures}
    nothing = llamax("analyze", "lexicon", "empty.lex", "--corpus", corpus)
    assert (nothing.returncode, nothing.stdout) == (0, b"")
    assert "no lexicon has words of en (1 text)" in nothing.stderr.decode()
    for form in ("md", "csv", "latex"):
        assert llamax("analyze", "lexicon", "empty.lex", "--table", form).returncode == 0
