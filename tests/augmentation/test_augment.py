"""Code-switching: the rate is met, everything else is kept, and any division of the work gives the same bytes."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lexicons import ENGLISH, lexicon
from support.processes import Outcome, one_line

from llamax_cli.augmentation.augmentation import Augmentation, open_lexicons
from llamax_cli.augmentation.capitals import Capitals, apply_capitals, capitals_of
from llamax_cli.augmentation.vocabulary import LexiconSource, MemoryBudget, Vocabulary
from llamax_cli.augmentation.words import (
    has_letter,
    join_words,
    split_words,
    trim,
)
from llamax_cli.errors import LexiconError, RecordError, UsageError
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.records import text as record_text

Llamax = Callable[..., Outcome]


@pytest.fixture
def english(tmp_path: Path) -> Lexicon:
    """Return a lexicon of a few English words."""
    return lexicon(tmp_path / "english.lex", ("en", ENGLISH))


def augmented(plan: Augmentation, *texts: str, lang: str = "en", **more: str) -> list[str]:
    """Return the code-switched sources of pairs."""
    stage = plan()
    records = [{"src": text, "tgt": "x", "src_lang": lang, "tgt_lang": "de", **more} for text in texts]
    return [record_text(made, "src") for record in records for made in stage(record, Counter())]


# -- words -------------------------------------------------------------------------------------------------------------


@given(st.text())
def test_cut_and_joined_are_inverse(text: str) -> None:
    """White space of any kind and length is kept."""
    words, gaps = split_words(text)
    assert join_words(words, gaps) == text


def test_trimmed() -> None:
    """Punctuation is trimmed; combining marks are kept."""
    assert trim("“Hello,”") == ("“", "Hello", ",”")
    assert trim("हिन्दी।") == ("", "हिन्दी", "।")
    assert trim("--") == ("--", "", "")
    assert trim("don't") == ("", "don't", "")
    assert not has_letter("2024,") and has_letter("3rd") and not has_letter("")


@pytest.mark.parametrize(
    ("like", "wanted"), [("house", "haus"), ("House", "Haus"), ("HOUSE", "HAUS"), ("A", "Haus"), ("家", "haus")]
)
def test_capitals(like: str, wanted: str) -> None:
    """A replacement has the capitals of the word that it replaces."""
    assert apply_capitals("haus", capitals_of(like, "en"), "de") == wanted
    assert apply_capitals("Haus", Capitals.NONE, "de") == "Haus"


# -- the share ---------------------------------------------------------------------------------------------------------

TEXTS = st.text(alphabet="thedog blackTHEDOG.,!?\n\u00a0", max_size=60)


@given(TEXTS, st.floats(0, 1), st.integers(0, 9))
@settings(max_examples=200)
def test_the_share_is_what_was_asked(
    tmp_path_factory: pytest.TempPathFactory, text: str, rate: float, seed: int
) -> None:
    """Of n words with a letter, n * rate are replaced, rounded up or down, but no more than are covered."""
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
    """The number is rounded up and down: of seven words at 0.3, 2.1 are replaced on average."""
    counts: Counter[str] = Counter()
    for seed in range(400):
        stage = Augmentation([english], 0.3, seed=seed)()
        stage({"src": "the dog the dog the dog the", "tgt": "", "src_lang": "en", "tgt_lang": "fr"}, counts)
    assert counts["replaced"] / counts["words"] == pytest.approx(0.3, abs=0.01)
    assert counts["de"] / counts["replaced"] == pytest.approx(
        0.5, abs=0.06
    )  # all languages are equally likely, with or without synonyms


def test_every_word_is_as_likely(english: Lexicon) -> None:
    """All places are equally likely, and so are all translations into a language."""
    changed: Counter[int] = Counter()
    into: Counter[str] = Counter()
    for seed in range(600):
        (made,) = augmented(Augmentation([english], 0.25, into=("de",), seed=seed), "the the the the")
        changed.update(place for place, word in enumerate(made.split()) if word != "the")
        into.update(word for word in made.split() if word != "the")
    assert all(count == pytest.approx(150, abs=40) for count in changed.values())
    assert all(into[word] == pytest.approx(200, abs=45) for word in ("der", "die", "das"))


# -- what is written ---------------------------------------------------------------------------------------------------


def test_punctuation_and_capitals_survive(english: Lexicon) -> None:
    """The punctuation around a word, its capitals and the white space are kept."""
    assert augmented(Augmentation([english], 1, into=("de",)), "Black  dog, (BLACK)\n“Dog”!") == [
        "Schwarz  Hund, (SCHWARZ)\n“Hund”!"
    ]


def test_the_longest_entry_goes_first(english: Lexicon) -> None:
    """A phrase is one replacement and counts all its words; it ends at punctuation; its words need not be entries."""
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
    """Line ends are kept, so no phrase crosses one."""
    plan = Augmentation([english], 1, into=("de",))
    assert augmented(plan, "good\nmorning", "good\tmorning") == ["gut\nmorning", "guten Morgen"]


@pytest.mark.parametrize("beside", ["", "\u00a0x", "\u200b", "\u00ad", "👩\u200d💻", "\x7f", "\ue000", "\t", "\n"])
def test_a_double_space_does_not_depend_on_other_characters(english: Lexicon, beside: str) -> None:
    """A run of spaces is one gap, in a phrase too, whatever else is in the line."""
    plan = Augmentation([english], 1, into=("de",))
    assert augmented(plan, f"good  morning dog  {beside}") == [f"guten Morgen Hund  {beside}"]
    assert augmented(plan, f"{beside}  black   dog") == [f"{beside}  schwarz   Hund"]


def test_a_long_text_takes_time_in_proportion(english: Lexicon) -> None:
    """A text of 400,000 words takes seconds, with phrases and without."""
    (made,) = augmented(Augmentation([english], into=("de",)), "black dog good morning " * 100_000)
    assert made.count("schwarz") + made.count("Hund") + 2 * made.count("guten Morgen") == 120_000


def mean_share(plan: Augmentation, text: str, count: int) -> tuple[float, float]:
    """Return the share of words replaced in `count` copies of a text, and the standard error of this mean."""
    copies = replace(plan, copies=count)()._copies(text, "x", ("en", "de"))
    shares = [replaced / words for _, words, _, replaced, _ in copies]
    return fmean(shares), stdev(shares) / count**0.5


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.77])
@pytest.mark.parametrize(
    "text",
    [
        "Good morning",
        "good morning to all",
        "good morning good morning good morning",
        "good morning to all dog dog",
        "good morning, good morning to all dog, ad hoc xyz the",
    ],
)
def test_the_mean_share_is_the_rate_with_phrases(english: Lexicon, text: str, rate: float) -> None:
    """A text that is one phrase is replaced as often as the rate says; so are phrases among words."""
    mean, error = mean_share(Augmentation([english], rate), text, 4000)
    assert abs(mean - rate) < 3.5 * error


@given(st.data())
@settings(max_examples=40)
def test_the_mean_share_is_the_rate_for_any_lexicon(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever words and phrases it has: the rate, or all that is covered if that is less than the rate in any case."""
    letters = st.sampled_from("abcd")
    words = data.draw(st.lists(letters, min_size=1, max_size=12))
    entries = data.draw(
        st.sets(st.lists(letters, min_size=1, max_size=6).map(" ".join), min_size=1, max_size=8), "entries"
    )
    rate = data.draw(st.floats(0, 1))
    path = tmp_path_factory.mktemp("lexicon") / "any.lex"
    have = lexicon(path, ("en", {entry: {"de": [entry.upper() * 2]} for entry in entries}))
    plan = Augmentation([have], rate)
    text = " ".join(words)
    counts: Counter[str] = Counter()
    plan()({"src": text, "tgt": "x", "src_lang": "en", "tgt_lang": "de"}, counts)
    exact = len(words) * rate
    low, high = (min(counts["covered"], whole) for whole in (int(exact), int(exact) + 1))
    wanted = (low + (high - low) * (exact % 1)) / len(words)
    mean, error = mean_share(plan, text, 3000)
    rare = 3000 * min(exact % 1, 1 - exact % 1)  # expected copies of the rarer count, of which there may be none
    tolerance = 4 * error + 1e-6 if rare >= 20 else (4 * rare**0.5 + 3) / 3000 / len(words)
    assert abs(mean - wanted) < tolerance


def test_a_word_is_not_replaced_by_itself(tmp_path: Path) -> None:
    """Another word is taken; where there is none, nothing counts as replaced, and the copy is an unchanged one."""
    words = {
        "name": {"fr": ["Name"]},
        "good morning": {"fr": ["good morning"]},
        "hand": {"fr": ["hand", "main"]},
        "dog": {"fr": ["chien"]},
    }
    have = lexicon(tmp_path / "same.lex", ("en", words))
    plan = Augmentation([have], 1)
    counts: Counter[str] = Counter()
    record = {"src": "Name, (good  morning)", "tgt": "x", "src_lang": "en", "tgt_lang": "fr"}
    (made,) = plan()(record, counts)
    assert record_text(made, "src") == record["src"]
    assert (counts["covered"], counts["replaced"], counts["unchanged"], counts["fr"]) == (3, 0, 1, 0)
    assert not replace(plan, drop_unchanged=True)()(record, Counter())
    assert augmented(Augmentation([have], 0.25), "Name Name dog Name") == ["Name Name chien Name"]
    hands = Counter(augmented(replace(plan, copies=300), "hand"))
    assert set(hands) == {"hand", "main"} and 100 < hands["main"] < 200


def test_languages(english: Lexicon) -> None:
    """All languages except those excluded; the target language of the pair can be excluded too."""
    text = "black " * 40
    found = {word for made in augmented(Augmentation([english], 1), text) for word in made.split()}
    assert found == {"schwarz", "noir", "nyeusi"}
    assert set(augmented(Augmentation([english], 1, into=("sw",)), "black")) == {"nyeusi"}
    assert set(augmented(Augmentation([english], 1, without=("de", "sw")), "black")) == {"noir"}
    assert "schwarz" not in augmented(Augmentation([english], 1, without=("tgt",)), text)[0]
    assert augmented(Augmentation([english], 1, into=("sw",)), "good dog") == ["good dog"]


def test_a_region_is_augmented_with_the_words_of_its_language(tmp_path: Path) -> None:
    """Words of en serve en-GB and en-US; no word is replaced by one of its own region, nor by one of the target's."""
    entries = {"dog": {"en-GB": ["hound"], "de": ["Hund"], "de-AT": ["Hunderl"], "pt-PT": ["cão"]}}
    have = lexicon(tmp_path / "x.lex", ("en", entries), entities=dict.fromkeys(entries["dog"], 9))

    def replacements(lang: str, tgt: str = "sw", **options: tuple[str, ...]) -> set[str]:
        plans = [Augmentation([have], 1.0, seed=seed, **options) for seed in range(40)]  # type: ignore[arg-type]
        return {made for plan in plans for made in augmented(plan, "dog", lang=lang, tgt_lang=tgt)}

    assert replacements("en") == replacements("en-US") == {"hound", "Hund", "Hunderl", "cão"}
    assert replacements("en-GB") == {"Hund", "Hunderl", "cão"}
    assert replacements("en-GB", "de-AT", without=("tgt",)) == {"cão"}
    assert replacements("en-AU", into=("de",)) == {"Hund", "Hunderl"}
    assert replacements("en-AU", into=("de-CH",)) == {"Hund"}
    assert replacements("en", without=("de", "en")) == {"cão"}
    with pytest.raises(RecordError, match="has no words of 'ku-TR', only of en"):
        augmented(Augmentation([have]), "dog", lang="ku-TR")


def test_the_fuller_dictionary_serves_a_language(tmp_path: Path) -> None:
    """Each language is taken from the lexicon with the most entities in it (Table 2)."""
    one = lexicon(tmp_path / "a.lex", ("en", {"dog": {"de": ["A"], "fr": ["a"]}}), entities={"de": 5, "fr": 1})
    two = lexicon(tmp_path / "b.lex", ("en", {"dog": {"de": ["B"], "fr": ["b"]}}), entities={"de": 2, "fr": 7})
    found = augmented(Augmentation([one, two], 1), "dog " * 30)[0]
    assert set(found.split()) == {"A", "b"}
    assert set(augmented(Augmentation([two, one], 1), "dog " * 30)[0].split()) == {"A", "b"}


def test_to_the_papers_letter(english: Lexicon) -> None:
    """Lower case, words with the punctuation around them, and no phrases."""
    plan = Augmentation([english], 1, into=("de",), paper=True)
    assert augmented(plan, "Black Dog, GOOD Morning") == ["schwarz dog, gut morning"]


def test_texts_become_pairs(english: Lexicon) -> None:
    """The target is the text, and the source is its code-switched form; the pair keeps the other keys."""
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


def test_copies_are_drawn_anew(english: Lexicon) -> None:
    """The first copies do not depend on the number of copies; unchanged copies can be left out."""
    text = "the black dog " * 5
    many = augmented(Augmentation([english], copies=8), text)
    assert many[:3] == augmented(Augmentation([english], copies=3), text)
    assert len(set(many)) == 8
    assert len(set(augmented(Augmentation([english]), text, text))) == 1
    assert augmented(Augmentation([english], drop_unchanged=True, append=True), "xyz", "42") == ["xyz", "42"]


def test_forgetting_changes_nothing(english: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache of words is bounded and affects only speed."""
    texts = [f"the black w{number} dog good morning" for number in range(300)]
    whole = augmented(Augmentation([english]), *texts)
    monkeypatch.setattr("llamax_cli.augmentation.augmentation.WORD_MEMORY", 5000)
    assert augmented(Augmentation([english]), *texts) == whole
    room = MemoryBudget(5000)
    vocabulary = Vocabulary([LexiconSource(english)], "en", " ", room, has_phrases=True)
    for text in texts:
        for word in text.split():
            _ = vocabulary.words[word]
    assert len(vocabulary.words) + len(vocabulary.phrases) < 20


# -- as a command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Return a file of pairs with keys of all kinds."""
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
    """The number of workers, shards and standard input do not change the output."""
    arguments = ["augment", "-q", "--dict", english.path, "--copies", "2", "--append"]
    whole = llamax(*arguments, pairs).stdout
    assert len(whole.splitlines()) == 6000
    assert llamax(*arguments, pairs, "--workers", "3").stdout == whole
    assert b"".join(llamax(*arguments, pairs, "--shard", f"{n}/3").stdout for n in (1, 2, 3)) == whole
    assert llamax(*arguments, stdin=pairs.read_bytes()).stdout == whole


def test_the_manifest_tells_what_became_of_the_words(
    llamax: Llamax, english: Lexicon, pairs: Path, tmp_path: Path
) -> None:
    """It has the counts, the achieved rate, the replacements by language, and the fingerprint of the lexicon."""
    llamax("augment", "--dict", english.path, pairs, "--manifest", "m.json", "-o", "out.jsonl", "--workers", "2")
    manifest = json.loads((tmp_path / "m.json").read_text())
    figures = manifest["figures"]
    assert figures["words"] == 16000 and figures["covered"] == 12000
    assert figures["achieved_rate"] == pytest.approx(0.3, abs=0.005)
    assert set(figures["replacements"]) == {"de", "fr", "sw"}
    assert manifest["arguments"]["lexicons"] == [english.fingerprint]


def refused(llamax: Llamax, code: int, *arguments: object, stdin: bytes = b"") -> str:
    """Return the one line that a refused run ends with."""
    return one_line(llamax("augment", *arguments, stdin=stdin), code)


def test_errors(llamax: Llamax, english: Lexicon, tmp_path: Path) -> None:
    """Each message says where the error is, what it is and what to do."""
    path = english.path
    swahili = b'{"src":"mbwa","tgt":"dog","src_lang":"sw","tgt_lang":"en"}\n'
    assert refused(llamax, 65, "--dict", path, stdin=swahili) == (
        f"stdin:1: {path} has no words of 'sw', only of en; --rejects FILE sets such lines aside"
    )
    assert refused(llamax, 65, "--dict", path, stdin=b'{"src":"a"}\n').startswith("stdin:1: no 'tgt' in the record")
    assert refused(llamax, 65, "--dict", path, stdin=b'{"a":1}\n').startswith("stdin:1: no 'src' in the record")
    assert refused(llamax, 2, "--dict", path, "--into", "zu") == (
        f"--into zu: no such language in {path}; have: de, en, fr, sw"
    )
    message = refused(llamax, 2, "--dict", path, "--not", "de,fr,sw,en")
    assert message == "--not leaves no language to translate words into"
    assert "1.5 is not in the range 0<=x<=1" in refused(llamax, 2, "--dict", path, "--rate", "1.5")
    assert "give one lexicon or several different ones" in refused(llamax, 2, "--dict", f"{path},{path}")
    assert "no lexicon named 'nothing'" in refused(llamax, 1, "--dict", "nothing")


def test_a_lexicon_without_entries_is_refused(llamax: Llamax, tmp_path: Path) -> None:
    """One that was built of other languages than its dictionaries have, whatever else is asked."""
    (tmp_path / "en-fr.txt").write_text("cat chat\n")
    assert llamax("build-lexicon", "en-fr.txt", "--only", "de,es", "-o", "x.lex").returncode == 0
    outcome = llamax("augment", "--dict", "x.lex", "--into", "de", stdin=b"")
    said = "x.lex has no entries; build a lexicon of dictionaries of the languages you need"
    assert (outcome.returncode, outcome.stderr.decode()) == (2, f"llamax augment: {said}\n")


def test_a_flipped_byte_is_noticed(english: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large lexicon is not verified by the reader that opens it, but `open_lexicons` verifies it before its use."""
    data = bytearray(Path(english.path).read_bytes())
    data[data.index(b"nyeusi")] ^= 1
    Path(english.path).write_bytes(data)
    monkeypatch.setattr("llamax_cli.lexicon.store.reader.VERIFIED_ON_OPEN", 0)
    with pytest.raises(LexiconError, match="is damaged; build it again"):
        open_lexicons([english.path])


def test_a_changed_lexicon_is_not_resumed_with(llamax: Llamax, english: Lexicon, pairs: Path, tmp_path: Path) -> None:
    """A run can be resumed only with the same lexicon."""
    stopped = llamax("augment", "--dict", english.path, "-o", "out.jsonl", stdin=pairs.read_bytes() + b"bad\n")
    assert stopped.returncode == 65
    lexicon(Path(english.path), ("en", {"dog": {"de": ["Hund"]}}))
    done = llamax("augment", "--dict", english.path, "-o", "out.jsonl", "--resume", stdin=pairs.read_bytes())
    assert done.stderr == (
        b"llamax augment: cannot resume: not the same lexicons as in the first part; drop --resume\n"
    )


def test_a_plan_checks_itself(english: Lexicon) -> None:
    """The errors are also raised in use as a library."""
    with pytest.raises(UsageError):
        Augmentation([english], into=("xx",))
    with pytest.raises(RecordError):
        augmented(Augmentation([english]), "mbwa", lang="sw")
