"""Code-switching: the requested share of words, nothing else changed, the same bytes for any number of workers."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Outcome
from hypothesis import given, settings
from hypothesis import strategies as st

from llamax_cli.augmentation.augmentation import Augmentation, open_lexicons
from llamax_cli.augmentation.segmentation import chinese_splitter, is_spaced, longest_match_splitter
from llamax_cli.augmentation.vocabulary import LexiconSource, MemoryBudget, Vocabulary
from llamax_cli.augmentation.words import (
    Capitals,
    apply_capitals,
    capitals_of,
    has_letter,
    join_words,
    split_words,
    trim,
)
from llamax_cli.errors import LexiconError, RecordError, UsageError
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.lexicon.store.writer import LexiconWriter
from llamax_cli.records import text as record_text

Llamax = Callable[..., Outcome]
Words = dict[str, dict[str, list[str]]]

ENGLISH: Words = {
    "the": {"de": ["der", "die", "das"], "fr": ["le"]},
    "black": {"de": ["schwarz"], "fr": ["noir"], "sw": ["nyeusi"]},
    "dog": {"de": ["Hund"], "fr": ["chien"]},
    "good": {"de": ["gut"]},
    "good morning": {"de": ["guten Morgen"]},
    "good morning to all": {"de": ["allen einen guten Morgen"]},
    "hoc": {"de": ["hoc!"]},
    "ad hoc": {"de": ["eigens"]},
}


def lexicon(path: Path, *languages: tuple[str, Words], entities: dict[str, int] | None = None) -> Lexicon:
    """Write a lexicon of some languages and open it."""
    figures = {
        lang: LanguageStatistics(1, len(words), longest=max(word.count(" ") + 1 for word in words))
        for lang, words in languages
    }
    for lang, count in (entities or {"de": 9, "fr": 9, "sw": 9}).items():
        figures.setdefault(lang, LanguageStatistics()).entities = count
    file = LexiconWriter(path, figures)
    for lang, words in sorted(languages):
        for word in sorted(words, key=str.encode):
            entry = {"word": word, "lang": lang, "translations": words[word], "sources": ["x"]}
            file.write(file.encode([entry]))  # type: ignore[list-item]
    file.finish()
    file.close()
    return Lexicon(path)


@pytest.fixture
def english(tmp_path: Path) -> Lexicon:
    """Return a lexicon of a few English words."""
    return lexicon(tmp_path / "english.lex", ("en", ENGLISH))


def augmented(plan: Augmentation, *texts: str, lang: str = "en", **more: str) -> list[str]:
    """Return the sources of the copies of pairs."""
    stage = plan()
    records = [{"src": text, "tgt": "x", "src_lang": lang, "tgt_lang": "de", **more} for text in texts]
    return [record_text(copy, "src") for record in records for copy in stage(record, Counter())]


# -- words -------------------------------------------------------------------------------------------------------------


@given(st.text())
def test_split_and_join_are_inverse(text: str) -> None:
    """White space of any kind and length is kept."""
    words, gaps = split_words(text)
    assert join_words(words, gaps) == text


@given(st.text(alphabet=st.sampled_from("我喜欢北京。 a1\n\t，\u3000们")))
@settings(max_examples=50)
def test_chinese_loses_nothing(text: str) -> None:
    """The segments, joined, are the text."""
    words, gaps = chinese_splitter("jieba")(text)
    assert join_words(words, gaps) == text


def test_trim() -> None:
    """Punctuation is removed, combining signs stay."""
    assert trim("“Hello,”") == ("“", "Hello", ",”")
    assert trim("हिन्दी।") == ("", "हिन्दी", "।")
    assert trim("--") == ("--", "", "")
    assert trim("don't") == ("", "don't", "")
    assert not has_letter("2024,") and has_letter("3rd") and not has_letter("")


@pytest.mark.parametrize(
    ("word", "expected"), [("house", "haus"), ("House", "Haus"), ("HOUSE", "HAUS"), ("I", "Haus"), ("家", "haus")]
)
def test_capitals(word: str, expected: str) -> None:
    """A replacement gets the capitals of the word."""
    assert apply_capitals("haus", capitals_of(word)) == expected
    assert apply_capitals("Haus", Capitals.NONE) == "Haus"


# -- the share ---------------------------------------------------------------------------------------------------------

TEXTS = st.text(alphabet="thedog blackTHEDOG.,!?\n\u00a0", max_size=60)


@given(TEXTS, st.floats(0, 1), st.integers(0, 9))
@settings(max_examples=200)
def test_the_share_is_the_rate(tmp_path_factory: pytest.TempPathFactory, text: str, rate: float, seed: int) -> None:
    """Of n words with a letter, n * rate are replaced, rounded, and at most those that are covered."""
    path = tmp_path_factory.getbasetemp() / "law.lex"
    have = Lexicon(path) if path.exists() else lexicon(path, ("en", ENGLISH))
    counts: Counter[str] = Counter()
    record = {"src": text, "tgt": "x", "src_lang": "en", "tgt_lang": "de"}
    (made,) = Augmentation([have], rate, seed=seed)()(record, counts)
    exact = counts["words"] * rate
    assert counts["words"] == sum(map(has_letter, text.split()))
    assert counts["replaced"] == counts["covered"] or abs(counts["replaced"] - exact) < 1
    assert counts["replaced"] <= exact + 1
    assert record_text(made, "src") == text if not counts["replaced"] else made["tgt"] == "x"


def test_the_mean_share_is_the_rate(english: Lexicon) -> None:
    """Numbers are rounded up and down; of seven words, 2.1 are replaced on average at 0.3."""
    counts: Counter[str] = Counter()
    for seed in range(400):
        stage = Augmentation([english], 0.3, seed=seed)()
        stage({"src": "the dog the dog the dog the", "tgt": "", "src_lang": "en", "tgt_lang": "fr"}, counts)
    assert counts["replaced"] / counts["words"] == pytest.approx(0.3, abs=0.01)
    assert counts["de"] / counts["replaced"] == pytest.approx(
        0.5, abs=0.06
    )  # each language is as likely, with or without synonyms


def test_every_word_is_as_likely(english: Lexicon) -> None:
    """All places are as likely, and all translations in a language."""
    changed: Counter[int] = Counter()
    into: Counter[str] = Counter()
    for seed in range(600):
        (made,) = augmented(Augmentation([english], 0.25, into=("de",), seed=seed), "the the the the")
        changed.update(place for place, word in enumerate(made.split()) if word != "the")
        into.update(word for word in made.split() if word != "the")
    assert all(count == pytest.approx(150, abs=40) for count in changed.values())
    assert all(into[word] == pytest.approx(200, abs=45) for word in ("der", "die", "das"))


# -- the copies -------------------------------------------------------------------------------------------------------


def test_punctuation_and_capitals_survive(english: Lexicon) -> None:
    """Punctuation, capitals and spaces are kept."""
    assert augmented(Augmentation([english], 1, into=("de",)), "Black  dog, (BLACK)\n“Dog”!") == [
        "Schwarz  Hund, (SCHWARZ)\n“Hund”!"
    ]


def test_the_longest_entry_is_taken(english: Lexicon) -> None:
    """A phrase is one replacement and counts its words; punctuation ends it; its parts need not be entries."""
    plan = Augmentation([english], 1, into=("de",))
    assert augmented(plan, "Good morning, dog", "good. Morning dog", "An ad hoc dog", "good morning to the dog") == [
        "Guten Morgen, Hund",
        "gut. Morning Hund",
        "An eigens Hund",
        "guten Morgen to " + augmented(plan, "good morning to the dog")[0].split()[3] + " Hund",
    ]
    assert augmented(plan, "good morning to all!") == ["allen einen guten Morgen!"]
    counts: Counter[str] = Counter()
    plan()({"src": "good morning to all dog xyz", "tgt": "", "src_lang": "en", "tgt_lang": "de"}, counts)
    assert (counts["words"], counts["covered"], counts["replaced"], counts["de"]) == (6, 5, 5, 2)


def test_a_phrase_ends_with_its_line(english: Lexicon) -> None:
    """White space does not change, so no phrase continues after a line end."""
    plan = Augmentation([english], 1, into=("de",))
    assert augmented(plan, "good\nmorning", "good\tmorning") == ["gut\nmorning", "guten Morgen"]


def test_time_is_linear_in_the_length_of_a_text(english: Lexicon) -> None:
    """A text of 400,000 words takes seconds, with phrases and without."""
    (made,) = augmented(Augmentation([english], into=("de",)), "black dog good morning " * 100_000)
    assert made.count("schwarz") + made.count("Hund") + 2 * made.count("guten Morgen") == 120_000


def test_a_phrase_does_not_exceed_the_share(english: Lexicon) -> None:
    """Where two words are to be replaced, a phrase of four is skipped."""
    for seed in range(20):
        (made,) = augmented(Augmentation([english], 0.33, into=("de",), seed=seed), "good morning to all dog dog")
        assert made.startswith("good morning to all")


def test_languages(english: Lexicon) -> None:
    """All languages except the excluded ones, one of which can be the target of the pair."""
    text = "black " * 40
    found = {word for made in augmented(Augmentation([english], 1), text) for word in made.split()}
    assert found == {"schwarz", "noir", "nyeusi"}
    assert set(augmented(Augmentation([english], 1, into=("sw",)), "black")) == {"nyeusi"}
    assert set(augmented(Augmentation([english], 1, without=("de", "sw")), "black")) == {"noir"}
    assert "schwarz" not in augmented(Augmentation([english], 1, without=("tgt",)), text)[0]
    assert augmented(Augmentation([english], 1, into=("sw",)), "good dog") == ["good dog"]


def test_each_language_comes_from_the_lexicon_with_most_entities(tmp_path: Path) -> None:
    """With several lexicons, each language is taken from the one with the most entities (Table 2)."""
    one = lexicon(tmp_path / "a.lex", ("en", {"dog": {"de": ["A"], "fr": ["a"]}}), entities={"de": 5, "fr": 1})
    two = lexicon(tmp_path / "b.lex", ("en", {"dog": {"de": ["B"], "fr": ["b"]}}), entities={"de": 2, "fr": 7})
    found = augmented(Augmentation([one, two], 1), "dog " * 30)[0]
    assert set(found.split()) == {"A", "b"}
    assert set(augmented(Augmentation([two, one], 1), "dog " * 30)[0].split()) == {"A", "b"}


def test_exactly_as_in_the_paper(english: Lexicon) -> None:
    """Lower case, words between spaces with their punctuation, no phrases."""
    plan = Augmentation([english], 1, into=("de",), paper=True)
    assert augmented(plan, "Black Dog, GOOD Morning") == ["schwarz dog, gut morning"]


def test_texts_become_pairs(english: Lexicon) -> None:
    """A text becomes the target of its code-switched form; the pair keeps the other keys."""
    stage = Augmentation([english], 1, into=("de",), append=True)()
    record = {"id": "a:1", "text": "Dog", "lang": "eng", "more": 1, "src_lang": "de", "tgt": "Katze"}
    first, second = stage(record, Counter())
    assert (first, {**second, "src": record_text(second, "src")}) == (
        record,
        {
            "id": "a:1",
            "src": "Hund",
            "tgt": "Dog",
            "src_lang": "eng",
            "tgt_lang": "eng",
            "more": 1,
            "origin": "aug-mono",
        },
    )


def test_copies_are_drawn_independently(english: Lexicon) -> None:
    """The first copies do not depend on the number of copies; unchanged ones can be left out."""
    text = "the black dog " * 5
    many = augmented(Augmentation([english], copies=8), text)
    assert many[:3] == augmented(Augmentation([english], copies=3), text)
    assert len(set(many)) == 8
    assert len(set(augmented(Augmentation([english]), text, text))) == 1
    assert augmented(Augmentation([english], drop_unchanged=True, append=True), "xyz", "42") == ["xyz", "42"]


def test_the_memory_budget_changes_nothing(english: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words in memory are limited, which only affects the speed."""
    texts = [f"the black w{number} dog good morning" for number in range(300)]
    whole = augmented(Augmentation([english]), *texts)
    monkeypatch.setattr("llamax_cli.augmentation.augmentation.WORD_MEMORY", 5000)
    assert augmented(Augmentation([english]), *texts) == whole
    memory = MemoryBudget(5000)
    vocabulary = Vocabulary([LexiconSource(english)], "en", " ", memory, has_phrases=True)
    for text in texts:
        for word in text.split():
            _ = vocabulary.words[word]
    assert len(vocabulary.words) + len(vocabulary.phrases) < 20


# -- scripts without spaces --------------------------------------------------------------------------------------------


@pytest.fixture
def asian(tmp_path: Path) -> Lexicon:
    """Return a lexicon of languages without spaces."""
    return lexicon(
        tmp_path / "asian.lex",
        (
            "zh",
            {
                "北京": {"en": ["Beijing"], "ja": ["北京"]},
                "喜欢": {"en": ["like"], "ja": ["好き"]},
                "北京大学": {"en": ["PKU"]},
            },
        ),
        ("th", {"แมว": {"en": ["cat"]}, "ดำ": {"en": ["black"]}, "ก": {"en": ["k"]}, "แม": {"en": ["no"]}}),
        ("ja", {"猫": {"en": ["cat"]}, "黒い": {"en": ["black"]}, "黒": {"en": ["no"]}}),
        entities={"en": 9, "ja": 9},
    )


@pytest.mark.parametrize(
    ("lang", "text", "wanted"),
    [
        ("zh", "我喜欢北京。", "我 like Beijing。"),
        ("zh", "我在北京大学，", "我在 PKU，"),
        ("th", "แมวดำ 2 ตัว", "cat black 2 ตัว"),
        ("th", "กขแมว", "กข cat"),
        ("ja", "黒い猫がいる。", "black cat がいる。"),
    ],
)
def test_scripts_without_spaces(asian: Lexicon, lang: str, text: str, wanted: str) -> None:
    """The longest entry is found, no syllable is split, and words of languages with spaces get spaces."""
    assert augmented(Augmentation([asian], 1, into=("en",)), text, lang=lang) == [wanted]


def test_no_space_between_languages_without_spaces(asian: Lexicon) -> None:
    """A Japanese word in a Chinese text gets no spaces."""
    assert augmented(Augmentation([asian], 1, into=("ja",)), "我喜欢北京。", lang="zh") == ["我好き北京。"]


@pytest.mark.parametrize("lang", ["th", "ja", "lo", "km", "my"])
def test_the_longest_match_loses_nothing(asian: Lexicon, data: Path, lang: str) -> None:
    """The segments, joined, are the text, on lines of FLORES."""
    name = {"th": "tha", "ja": "jpn", "lo": "lao", "km": "khm", "my": "mya"}[lang]
    split = longest_match_splitter(
        Vocabulary([LexiconSource(asian)], lang, "", MemoryBudget(1 << 20), has_phrases=False)
    )
    for line in (data / f"flores101/devtest/{name}.devtest").read_text(encoding="utf-8").split("\n")[:200]:
        assert join_words(*split(line)) == line
    assert not is_spaced(lang)


def test_jieba_is_silent(llamax: Llamax, asian: Lexicon, tmp_path: Path) -> None:
    """It writes no message and no file."""
    (tmp_path / "tmp").mkdir()
    record = json.dumps({"text": "我喜欢北京", "lang": "zh"}).encode()
    done = llamax("augment", "-q", "--dict", asian.path, stdin=record, env={"TMPDIR": str(tmp_path / "tmp")})
    assert (done.returncode, done.stderr) == (0, b"")
    assert not list((tmp_path / "tmp").iterdir())


# -- as a command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Return a file of pairs with other keys of several kinds."""
    path = tmp_path / "pairs.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(2000):
            src = f"The black dog number {number} is good, good morning!"
            file.write(
                f'{{"id":"x:{number}","src":{json.dumps(src)},"tgt":"caf\\u00e9 {number}","src_lang":"en",'
                f'"tgt_lang":"fr","big":123456789012345678901234567890,"deep":{{"a":[1.50]}}}}\n'
            )
    return path


def test_other_keys_survive_byte_for_byte(llamax: Llamax, english: Lexicon, pairs: Path) -> None:
    """Only the source and the origin change."""
    done = llamax("augment", "--dict", english.path, pairs)
    for before, after in zip(pairs.read_bytes().splitlines(), done.stdout.splitlines(), strict=True):
        head, _, rest = before.partition(b',"tgt":')
        assert after.endswith(b',"tgt":' + rest[:-1] + b',"origin":"aug-para"}')
        assert after.startswith(head.partition(b',"src":')[0])
    assert done.stderr.decode().startswith(
        "llamax augment: 2,000 records; 29.9% of 16,000 words replaced, 75.0% covered, 0 of 2,000 sentences unchanged; "
    )


def test_workers_and_shards_give_the_same_bytes(llamax: Llamax, english: Lexicon, pairs: Path) -> None:
    """The output does not depend on the number of workers or shards."""
    arguments = ["augment", "-q", "--dict", english.path, "--copies", "2", "--append"]
    whole = llamax(*arguments, pairs).stdout
    assert len(whole.splitlines()) == 6000
    assert llamax(*arguments, pairs, "--workers", "3").stdout == whole
    assert b"".join(llamax(*arguments, pairs, "--shard", f"{n}/3").stdout for n in (1, 2, 3)) == whole
    assert llamax(*arguments, stdin=pairs.read_bytes()).stdout == whole


def test_the_manifest_has_the_counts(llamax: Llamax, english: Lexicon, pairs: Path, tmp_path: Path) -> None:
    """Achieved rate, coverage, replacements by language, and the lexicon."""
    llamax("augment", "--dict", english.path, pairs, "--manifest", "m.json", "-o", "out.jsonl", "--workers", "2")
    manifest = json.loads((tmp_path / "m.json").read_text())
    figures = manifest["figures"]
    assert figures["words"] == 16000 and figures["covered"] == 12000
    assert figures["achieved_rate"] == pytest.approx(0.3, abs=0.005)
    assert set(figures["replacements"]) == {"de", "fr", "sw"}
    assert manifest["arguments"]["lexicons"] == [english.fingerprint]


def refused(llamax: Llamax, code: int, *arguments: Any, stdin: bytes = b"") -> str:
    """Return the error line of a run that is refused."""
    done = llamax("augment", *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (code, b""), done.stderr
    return done.stderr.decode().removeprefix("llamax augment: ").rstrip("\n")


def test_errors(llamax: Llamax, english: Lexicon, tmp_path: Path) -> None:
    """Each error says where, what, and what to do."""
    path = english.path
    swahili = b'{"src":"mbwa","tgt":"dog","src_lang":"sw","tgt_lang":"en"}\n'
    assert refused(llamax, 65, "--dict", path, stdin=swahili) == f"stdin:1: {path} has no words of 'sw', only of en"
    assert refused(llamax, 65, "--dict", path, stdin=b'{"src":"a"}\n').startswith("stdin:1: no 'tgt' in the record")
    assert refused(llamax, 65, "--dict", path, stdin=b'{"a":1}\n').startswith("stdin:1: no 'src' in the record")
    assert refused(llamax, 2, "--dict", path, "--into", "zu") == (
        f"--into zu: no such language in {path}; have: de, en, fr, sw"
    )
    assert refused(llamax, 2, "--dict", path, "--not", "de,fr,sw,en") == "--not leaves no language to replace words by"
    assert "1.5 is no share of words" in refused(llamax, 2, "--dict", path, "--rate", "1.5")
    assert "name one lexicon or several different ones" in refused(llamax, 2, "--dict", f"{path},{path}")
    assert "no lexicon named 'nothing'" in refused(llamax, 1, "--dict", "nothing")


def test_a_flipped_byte_is_noticed(english: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large lexicon is not verified when it is opened, but before it is used."""
    data = bytearray(Path(english.path).read_bytes())
    data[data.index(b"nyeusi")] ^= 1
    Path(english.path).write_bytes(data)
    monkeypatch.setattr("llamax_cli.lexicon.store.reader.VERIFIED_ON_OPEN", 0)
    with pytest.raises(LexiconError, match="is damaged; build it again"):
        open_lexicons([english.path])


def test_a_run_is_not_resumed_with_another_lexicon(
    llamax: Llamax, english: Lexicon, pairs: Path, tmp_path: Path
) -> None:
    """The same bytes require the same lexicon."""
    stopped = llamax("augment", "--dict", english.path, "-o", "out.jsonl", stdin=pairs.read_bytes() + b"bad\n")
    assert stopped.returncode == 65
    lexicon(Path(english.path), ("en", {"dog": {"de": ["Hund"]}}))
    done = llamax("augment", "--dict", english.path, "-o", "out.jsonl", "--resume", stdin=pairs.read_bytes())
    assert done.stderr == (
        b"llamax augment: cannot resume with other lexicons than those of the first part; drop --resume\n"
    )


def test_a_plan_checks_itself(english: Lexicon) -> None:
    """Errors are raised in the library, not only by the command."""
    with pytest.raises(UsageError):
        Augmentation([english], into=("xx",))
    with pytest.raises(RecordError):
        augmented(Augmentation([english]), "mbwa", lang="sw")
