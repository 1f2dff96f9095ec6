"""The compiled switchers of texts with spaces and of lines: they do the same as Python, and free their memory."""

import gc
import json
import random
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import switched_lines as tried
from support.lexicons import ENGLISH, lexicon
from support.processes import ROOT
from support.sanitizers import SANITIZERS, run_sanitized

from llamax_cli.augmentation import code_switching, spaced
from llamax_cli.augmentation.augmentation import Augmentation, Augmenter
from llamax_cli.augmentation.capitals import Capitals, apply_capitals, opens_sentence
from llamax_cli.augmentation.code_switching import Switcher
from llamax_cli.augmentation.spaced import LineSwitcher, SpacedSwitcher
from llamax_cli.augmentation.vocabulary import LexiconSource, MemoryBudget, Vocabulary
from llamax_cli.augmentation.words import split_words
from llamax_cli.errors import RecordError
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.randomness import draws
from llamax_cli.streams.chunks import Chunk, transform

SOURCE = Path(code_switching.__file__).with_name("spaced.c")
MORE = {
    "The": {"de": ["Der"], "th": ["นั้น", "ที่"]},
    "morning": {"de": ["Morgen"], "ar": ["صباح"]},
    "new": {"fr": ["neuf", "nouveau", "neuve"]},
    "new york": {"sw": ["jiji la New York"], "de": ["New York"]},
    "straße": {"de": ["ß"], "fr": ["ŉ"]},
    "é": {"de": ["e"]},
    "x": {"de": ['"\\', "\x08\x0b\x0c\x1f\x7f/"]},
    "to": {"de": ["zu"]},
    "to all intents": {"de": ["im Grunde"]},
    "i": {"de": ["ich"], "tr": ["im"], "ka": ["იმ"], "nl": ["ijs"]},
    "i see": {"de": ["ach"]},
    "see": {"de": ["SEE", "see"], "el": ["δες", "άι"]},
    "don't see": {"sw": ["si"]},
    "don’t": {"fr": ["ne"]},
    "gül": {"en": ["rose"]},
    "gül ışık": {"en": ["light"], "hy": ["և"]},
    "μάιος": {"en": ["may"]},
    "άλλη μέρα": {"en": ["day"], "de": ["Tag"]},
    "μέρα": {"de": ["μέρα", "Tag"]},
}
LANGUAGES = ["en", "de", "tr", "el", "uk"]
WORDS = "the The THE black Black dog, (dog) good Good GOOD morning morning! to To all intents ad hoc hoc. new New York"
WORDS += " I I’m (I) “I i see See SEE, don't Don’t DON'T GÜL IŞIK Işık İ ΜΑΪΟΣ ΑΛΛΗ ΜΕΡΑ Μέρα @dog dog@good.com www.dog"
WORDS += ' said: said, " . ! - ( york, Straße e\u0301 É — 42 3rd x « «good İ ﬁ iPhone \u200bdog dog\u200b 犬 to\u00ad'
WHITE = [character for character in map(chr, range(0x110000)) if character.isspace()]
FORMAT = ["\u200b", "\u00ad", "\u200d", "\u200e", "\u2060", "\ufeff", "\x00", "\x7f", "\U000e0067", "\ue000", "\u0378"]
GAPS = st.one_of(st.just(" "), st.text(st.sampled_from([" ", " ", *WHITE]), min_size=1, max_size=3))
TOKENS = st.one_of(
    st.sampled_from([*WORDS.split(" "), ""]),
    st.tuples(st.sampled_from(["", *WORDS.split(" ")]), st.sampled_from(FORMAT), st.sampled_from(WORDS.split(" "))).map(
        "".join
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
)
TEXTS = st.one_of(
    st.text(),
    st.lists(st.tuples(TOKENS, GAPS), max_size=120).map(lambda pairs: "".join(word + gap for word, gap in pairs)),
    st.lists(st.sampled_from([*WORDS.split(" "), "  ", "   ", *FORMAT]), max_size=60).map(" ".join),
)


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    """Return a lexicon with phrases, synonyms and several scripts."""
    words = {**ENGLISH, **MORE}
    have = dict.fromkeys((lang for word in words.values() for lang in word), 9)
    languages = [(lang, words) for lang in LANGUAGES]
    return lexicon(tmp_path_factory.mktemp("lexicon") / "english.lex", *languages, entities=have)


def switchers(
    sources: list[LexiconSource], rate: float, phrases: bool, exact: bool, size: int, lang: str = "en"
) -> tuple[Switcher, Switcher]:
    """Return the compiled switcher and the Python switcher."""
    compiled, python = (
        Switcher(
            Vocabulary(sources, lang, " ", MemoryBudget(room), has_phrases=phrases, is_exact=exact), split_words, rate
        )
        for room in (size, 1 << 30)
    )
    assert compiled.compiled is not None
    python.compiled = None
    return compiled, python


def made_switcher(pack: Callable[[str], Any], rate: float) -> SpacedSwitcher:
    """Return a compiled switcher with packed words of its own."""
    return SpacedSwitcher(pack, apply_capitals, opens_sentence, rate)


@given(
    texts=st.lists(TEXTS, max_size=6),
    key=st.integers(0, 2**64 - 1),
    rate=st.floats(0, 1),
    phrases=st.booleans(),
    exact=st.booleans(),
    only=st.sampled_from([None, frozenset(["de", "th"]), frozenset(["xx"])]),
    size=st.sampled_from([200, 2000, 1 << 30]),
    lang=st.sampled_from(LANGUAGES),
)
@settings(max_examples=400)
def test_it_does_what_python_does(
    english: Lexicon,
    texts: list[str],
    key: int,
    rate: float,
    phrases: bool,
    exact: bool,
    only: object,
    size: int,
    lang: str,
) -> None:
    """For any text and white space, with and without phrases, however small the memory budget."""
    sources = [LexiconSource(english, only), LexiconSource(english)] if only else [LexiconSource(english)]  # type: ignore[arg-type]
    compiled, python = switchers(sources, rate, phrases and not exact, exact, size, lang)
    for text in texts:
        assert compiled.switch(text, key) == python.switch(text, key)


def test_long_texts_are_the_same(english: Lexicon) -> None:
    """On both sides of the lengths at which the stack is too small, and at which Python takes over."""
    compiled, python = switchers([LexiconSource(english)], 0.4, True, False, 1 << 20)
    for count in (95, 96, 97, 9_999, 10_001):
        text = " ".join(["dog", "good morning", "the", "x"][number % 4] for number in range(count))
        assert compiled.switch(text, 7) == python.switch(text, 7)


def test_real_texts_are_the_same(data: Path, tmp_path: Path, llamax: Callable[..., object]) -> None:
    """English FLORES, with phrases from PanLex and words from MUSE."""
    path = tmp_path / "real.lex"
    llamax(
        "build-lexicon",
        "-q",
        data / "panlex/eng2tur.txt",
        data / "muse/en-ar.txt",
        "-o",
        path,
        "--rejects",
        "/dev/null",
    )
    compiled, python = switchers([LexiconSource(Lexicon(path))], 0.3, True, False, 1 << 20)
    replaced = 0
    for number, text in enumerate((data / "flores101/devtest/eng.devtest").read_text(encoding="utf-8").split("\n")):
        switched = compiled.switch(text, number)
        assert switched == python.switch(text, number)
        _, _, _, count, _ = switched
        replaced += count
    assert replaced > 5000


def test_every_character_divides_words_in_both_or_in_neither(english: Lexicon) -> None:
    """All of the first plane and every 16th of the others: in a word, between words, and beside two spaces."""
    compiled, python = switchers([LexiconSource(english)], 1, True, False, 1 << 30)
    characters = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x110000, 16))]
    for start in range(0, len(characters), 500):
        text = "\n".join(f"a{character}1" for character in characters[start : start + 500])
        assert compiled.switch(text, 1) == python.switch(text, 1)
    for character in [*WHITE, *FORMAT]:
        for text in (
            f"good{character}morning",
            f"good  morning {character}",
            f"{character} good {character} morning  ",
        ):
            assert compiled.switch(text, 1) == python.switch(text, 1)
        _, words, *_ = compiled.switch(f"good{character}morning", 1)
        assert words == 1 + character.isspace()


def test_any_number_of_languages(tmp_path: Path) -> None:
    """More languages than 16 bits can number, in one word and in many."""
    codes = [f"l{number}" for number in range(70_000)]
    words = {"all": {code: [f"all {code}"] for code in codes}}
    words |= {f"w{start}": {code: [f"one {code}"] for code in codes[start::5000]} for start in range(5000)}
    have = lexicon(tmp_path / "many.lex", ("en", words), entities=dict.fromkeys(codes, 1))
    compiled, python = switchers([LexiconSource(have)], 1, True, False, 1 << 30)
    text = " ".join(["all"] * 50 + [f"w{number}" for number in range(5000)])
    for key in (1, 2**63):
        switched = compiled.switch(text, key)
        assert switched == python.switch(text, key)
        _, _, _, replaced, languages = switched
        assert replaced == 5050 and len(set(languages)) > 4500 and set(languages) <= set(codes)


@given(st.integers(0, 2**64 - 1), st.integers(1, 20))
def test_its_draws_are_those_of_python(key: int, words: int) -> None:
    """The first word is drawn by the same random bits as in Python."""
    spaced = SpacedSwitcher(
        lambda word: (f"{word}!\0de".encode(), 0, 0, 0, None, None), apply_capitals, opens_sentence, 1 / words
    )
    left = [str(number) for number in range(words)]
    chosen = left[draws(key)(0) % words]
    text, *_, languages = spaced(" ".join(left), key) or (b'""',)
    assert len(languages) <= 2
    assert f"{chosen}!" in json.loads(text).split(" ")


@pytest.mark.parametrize(
    "made",
    [
        ("x\0de", 0, 0, 0, None, None),
        (b"x\0de", 0, 0),
        (b"x\0de,fr", 0, 0, 0, None, None),
        (b"x\0de", 3, 3, 0, None, None),
        (b"x\0de", 0, 0, 0, None, 1),
        1,
    ],
)
def test_nonsense_is_refused(made: object) -> None:
    """A malformed packed word raises an exception and does not crash."""
    spaced = made_switcher(lambda word: made, 1)  # type: ignore[arg-type,return-value]
    for _ in range(3):
        with pytest.raises((TypeError, ValueError)):
            spaced("dog", 1)


def test_errors_of_what_it_calls_are_handed_on() -> None:
    """Exceptions of `pack` and `apply_capitals` are raised unchanged."""

    def fail(*_: object) -> NoReturn:
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        made_switcher(fail, 1)("dog cat", 1)
    with pytest.raises(LookupError, match="lost"):
        SpacedSwitcher(lambda _: (b"x\0de", 0, 0, 2, None, None), fail, opens_sentence, 1)("dog cat", 1)
    with pytest.raises(LookupError, match="lost"):
        SpacedSwitcher(lambda _: (b"x\0de", 0, 0, 3, None, None), apply_capitals, fail, 1)("dog\tcat", 1)


def test_it_gives_its_memory_back(english: Lexicon) -> None:
    """A word takes a few hundred bytes, which `clear` frees."""
    tracemalloc.start()
    try:
        spaced = SpacedSwitcher(
            lambda word: (b"Haus\0de", 0, 0, 1, frozenset([word]), None), apply_capitals, opens_sentence, 0.5
        )
        for number in range(20_000):
            spaced(f"a{number} b{number} word", number)
        kept = tracemalloc.get_traced_memory()[0]
        assert 40_000 * 100 < kept < 40_000 * 700
        spaced.clear()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 200_000
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    """Return a lexicon of English and of languages without spaces."""
    thai = {"แมว": {"en": ["cat"], "sw": ["paka"]}, "ดำ": {"en": ["black"]}}
    japanese = {"人": {"en": ["man"]}, "アイス": {"de": ["Eis"], "th": ["ไอศกรีม"]}}
    chinese = {"喜欢": {"en": ["like"]}, "狗": {"en": ["dog"]}, "我喜欢": {"ja": ["好き"]}, "t恤": {"de": ["T-Shirt"]}}
    other = {lang: {word: {"en": ["cat"]}} for lang, word in (("lo", "ແມວ"), ("km", "ចូល"))}
    words = ("en", {**ENGLISH, **MORE}), ("th", thai), ("ja", japanese), ("zh", chinese), *other.items()
    path = tmp_path_factory.mktemp("lexicon") / "several.lex"
    return lexicon(path, *words, entities=dict.fromkeys(("en", "de", "sw", "fr"), 9))


@given(
    st.randoms(use_true_random=False),
    st.builds(
        dict,
        rate=st.sampled_from([0.3, 1.0]),
        copies=st.integers(1, 3),
        append=st.booleans(),
        drop_unchanged=st.booleans(),
        paper=st.booleans(),
        without=st.sampled_from([(), ("tgt",), ("de",)]),
    ),
    st.sampled_from([300, 3000, 1 << 30]),
)
@settings(max_examples=60)
def test_lines_become_what_their_records_become(
    several: Lexicon, choose: random.Random, options: dict[str, Any], size: int
) -> None:
    """The same bytes, rejects and counts with and without compiled code, whatever the lines and options."""
    plan = Augmentation([several], **options)
    compiled, python = Augmenter(plan, size), Augmenter(plan)
    python._lines = None
    for _ in range(3):
        chunk = Chunk("x", 1, tried.any_lines(choose))
        tolerant = choose.random() < 0.8
        assert transform(compiled, tolerant, chunk) == transform(python, tolerant, chunk)


def test_most_lines_are_compiled(several: Lexicon) -> None:
    """All good records but for values within values, and for escapes in keys and of characters that need two."""
    for lines, expected in zip(tried.STYLES, ((8,), (3, 6, 8, 11)), strict=True):
        stage, data = Augmenter(Augmentation([several])), b"".join(lines[: tried.GOOD])
        assert stage._lines is not None
        _, left, written, counts, languages, more = stage._lines(data)
        assert left == [data.index(lines[number]) for number in expected]
        assert written == tried.GOOD - len(expected)
        assert counts[2] > 5 and languages and not more


def test_lines_that_compiled_code_leaves_are_as_quick_as_records(several: Lexicon) -> None:
    """Where most lines are left, they are transformed as records, all at once."""
    stage = Augmenter(Augmentation([several]))
    assert stage.transform_lines(tried.LINES[8] * 2 + tried.LINES[0]) is None
    assert stage.transform_lines(tried.LINES[8] + tried.LINES[0]) is not None


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_no_byte_outside_is_read(tmp_path: Path, sanitizer: str) -> None:
    """With a sanitizer the results are the same."""
    expected = tried.results(spaced, 200)
    assert run_sanitized(sanitizer, SOURCE, "support.switched_lines", tmp_path, 200).strip() == expected


WITHOUT_COMPILER = """
import sys
for name in ("plain_lines", "augmentation.spaced"):
    sys.modules[f"llamax_cli.{name}"] = None
from llamax_cli.__main__ import main
main()
"""


def test_without_a_compiler_the_output_is_the_same(several: Lexicon, tmp_path: Path) -> None:
    """In a process that finds no compiled code."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"".join(tried.LINES[: tried.GOOD]))
    arguments = ["augment", "-q", "--dict", several.path, "--rate", "0.7", path]
    command = [sys.executable, "-c", WITHOUT_COMPILER, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == transform(Augmentation([several], 0.7)(), False, Chunk("x", 1, path.read_bytes())).data


def test_wrong_lines_and_directions_are_refused() -> None:
    """Lines without an end, and what is no direction, raise an exception and do not crash."""
    flags = {"appends": False, "drops_unchanged": False, "lowers": False}
    words = tried.Words(spaced, 1, 1000, charges=True)
    with pytest.raises(ValueError, match="no end"):
        LineSwitcher(words.find_direction, **flags)(b"{}")
    with pytest.raises(ValueError, match="not initialised"):
        LineSwitcher.__new__(LineSwitcher)(b"{}\n")
    for wrong in (None, (), (1, 1, []), (None, 1, 1), (None, 1, [-1]), (None, 1, [1]), (None, lambda *_: None, [1])):
        switch_lines = LineSwitcher(lambda *_, wrong=wrong: wrong, **flags)  # type: ignore[misc]
        for _ in range(2):
            with pytest.raises((TypeError, ValueError, OverflowError)):
                switch_lines(tried.LINES[0])


def test_scripts_without_capitals_have_none() -> None:
    """The first letter of a translation stays as it is where it is compiled, as in Python."""
    ranges = (0x5C0, 0x1080), (0x3000, 0xA640), (0xAC00, 0xD800)
    for code in (code for start, end in ranges for code in range(start, end)):
        assert apply_capitals(chr(code), Capitals.FIRST, "xx") == chr(code)


def test_many_at_once_are_each_by_itself(english: Lexicon) -> None:
    """A chunk of records gives the same as its lines one by one, whether or not some of them are bad."""
    good = json.dumps({"src": "The black dog, good morning to all!", "tgt": "x", "src_lang": "en", "tgt_lang": "de"})
    lines = [f"{good}\n".encode(), b'{"text":"the dog","lang":"en"}\n', b'{"src":1}\n', b"no\n"] * 3
    for chosen in (lines[:2] * 3, lines[:3], lines, lines[2:], []):
        whole = transform(Augmentation([english])(), True, Chunk("x", 1, b"".join(chosen)))
        stage, tally = Augmentation([english])(), Counter[str]()
        apart = [transform(stage, True, Chunk("x", number, line)) for number, line in enumerate(chosen, 1)]
        for each in apart:
            tally.update(each.tally)
        assert whole.data == b"".join(each.data for each in apart)
        assert whole.tally == tally
        assert whole.rejects == [reject for each in apart for reject in each.rejects]
        assert (whole.read, whole.written) == (len(chosen), sum(each.written for each in apart))
    with pytest.raises(RecordError):
        Augmentation([english])().transform_batch([{"src": 1}], Counter())
