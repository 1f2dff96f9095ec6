"""The compiled search for entries, and the texts without spaces that are switched with it: as in Python."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lexicons import lexicon

from llamax_cli.augmentation.code_switching import Switcher
from llamax_cli.augmentation.segmentation import (
    COMPILED_SCRIPTS,
    IN_SCRIPT,
    IS_ENTRY,
    OTHER_SCRIPT,
    Entries,
    LexiconSplitter,
    segment,
)
from llamax_cli.augmentation.spaced import Segmentation, SpacedSwitcher
from llamax_cli.augmentation.unspaced_scripts import UNSPACED, script_of
from llamax_cli.augmentation.vocabulary import ANY_CHARACTER, MOST_LONGER, LexiconSource, MemoryBudget, Vocabulary
from llamax_cli.lexicon.store.reader import Lexicon

LETTERS = {
    "th": "กขงญนมยรลวหฮะัาำิีึืุูเแโใไๅๆ็่้๊๋์ํ๎ฯ฿",
    "ja": "人山々〆〇特単主更共常あいぁっゃがとでをのはへにらりるろさしすせそれてたアイッャヵー・゠ヽヿㇰ゛𠀀",
    "zh": "我喜欢北京〇𠀀",
    "lo": "ກຂງຍນຫໜໝະັາຳິີຶືຸູົຼຽເແໂໃໄໆ່້ໍໝ",
    "km": "កខងអឥា៉៊់័៍្ិីឹៗ។",
    "my": "ကခငအဥာိီု့းံ်္ှ၌၍",
}
OTHERS = " \u00a0\n\u3000a1éñ.,!。、「」@www.://犬แດမក\0"
CASES = st.sampled_from(sorted(LETTERS)).flatmap(
    lambda lang: st.tuples(
        st.just(lang), st.text(st.sampled_from(LETTERS[lang] * 4 + OTHERS), max_size=60), st.integers(1, 5)
    )
)


def found(text: str, among: int) -> tuple[bool, bool]:
    """Return whether a text is an entry and has longer ones, from a hash of it: the fewer, the longer it is."""
    number = crc32(text.encode())
    return number % (among + len(text)) < 2, number >> 8 & 3 > 0 and len(text) < 12


def compiled(lang: str, look_up: Callable[[str], int]) -> Segmentation:
    """Return a compiled segmentation."""
    script = script_of(lang)
    number = COMPILED_SCRIPTS.get(lang, OTHER_SCRIPT)
    return Segmentation(
        look_up,
        lambda _: ANY_CHARACTER,
        lambda code: IN_SCRIPT * bool(script.begins(chr(code))) + 2 * chr(code).isspace(),
        script.split_syllables,
        script.is_seam,
        number,
    )


def both(lang: str, find: Callable[[str], tuple[bool, bool]], text: str) -> tuple[Sequence[str] | None, list[str]]:
    """Return the words of a text from compiled code and from Python."""
    script = script_of(lang)
    entries = Entries(find, 1 if find is any_syllable else script.shortest, MemoryBudget(1 << 30))
    words: list[str] = []
    for run in script.split_runs(text):
        segments = segment(run, script, entries) if script.begins(run) else [(0, len(run), False)]
        words += [run[start:end] for start, end, _ in segments]
    return compiled(lang, entries.look_up)(text), words or [""]


def any_syllable(_: str) -> tuple[bool, bool]:
    """Return that a text is an entry and has no longer ones, so that each syllable is one."""
    return True, False


def split_both(path: Path, lang: str, entries: Sequence[str], text: str) -> tuple[Sequence[str] | None, Sequence[str]]:
    """Return the words of a text from compiled code and from Python, with a lexicon of these entries."""
    store = lexicon(path, (lang, {entry: {"en": ["cat"]} for entry in entries}))
    split = LexiconSplitter(Vocabulary([LexiconSource(store)], lang, "", MemoryBudget(1 << 30), has_phrases=False))
    assert split.compiled is not None
    return split.compiled(text), split(text)[0]


@given(CASES)
@settings(max_examples=150)
def test_words_are_those_of_python(case: tuple[str, str, int]) -> None:
    """Where every syllable is an entry, and with entries and beginnings of entries made up at random."""
    lang, text, among = case
    for find in (any_syllable, partial(found, among=among)):
        here, python = both(lang, find, text)
        assert (here or [""]) == python


@pytest.mark.parametrize("lang", ["ja", "th"])
def test_every_letter_and_seam_is_that_of_python(lang: str) -> None:
    """Syllables with every character of the script after some others, and the seams between three letters."""
    script = script_of(lang)
    bounds = [code + step for code in (0x3400, 0x4DBF, 0x4E00, 0xFAFF, 0x20000, 0x2FFFF) for step in (-1, 0, 1)]
    codes = [*range(0xE00, 0xF00), *range(0x3000, 0x3200), *range(0x31F0, 0x3200), *range(0x3400, 0xD800, 999), *bounds]
    letters = [letter for letter in map(chr, codes) if script.begins(letter)]
    few = [*filter(script.begins, LETTERS[lang]), *letters[::40]]
    for start in range(0, len(letters), 500):
        for other in few[::4]:
            here, python = both(
                lang, any_syllable, "".join(f"{other}{letter} " for letter in letters[start : start + 500])
            )
            assert here == python
    # One entry among unknown letters stays, or becomes part of them, by the seams around it.
    choose = random.Random(1)
    for letter in letters:
        run = "".join([*choose.choices(few, k=3), letter])
        for entry in set(run):
            here, python = both(lang, lambda text, entry=entry: (text == entry, text != entry), run)  # type: ignore[misc]
            assert here == python


@pytest.fixture(scope="module")
def asian(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    """Return a lexicon with one to three letters of each script, and translations with and without spaces."""
    choose, languages = random.Random(2), []
    for lang in sorted(UNSPACED):
        letters = LETTERS.get(lang, LETTERS["zh"])
        words = {"".join(choose.choices(letters, k=choose.randint(1, 3))) for _ in range(40)} | {"a1", "1", "é"}
        languages.append((lang, {word: {"en": ["cat", "a b"], "ja": ["猫"], "de": [word, "-", "x"]} for word in words}))
    return lexicon(tmp_path_factory.mktemp("lexicon") / "asian.lex", *languages)


@given(CASES, st.integers(0, 2**64 - 1), st.sampled_from([0.3, 1.0]), st.booleans(), st.sampled_from([2000, 1 << 30]))
@settings(max_examples=100)
def test_texts_are_switched_as_in_python(
    asian: Lexicon, case: tuple[str, str, int], key: int, rate: float, exact: bool, size: int
) -> None:
    """The same words replaced, with the same spaces around them, however small the memory budget."""
    lang, text, _ = case

    def switcher(room: int) -> Switcher:
        budget = MemoryBudget(room)
        vocabulary = Vocabulary([LexiconSource(asian)], lang, "", budget, has_phrases=False, is_exact=exact)
        return Switcher(vocabulary, LexiconSplitter(vocabulary), rate)

    here, python = switcher(size), switcher(1 << 30)
    assert here.compiled is not None
    python.compiled = None
    for _ in range(2):
        assert here.switch(text, key) == python.switch(text, key)


def test_real_lines_are_compiled_and_the_same(data: Path, asian: Lexicon) -> None:
    """Lines of FLORES: nearly all of them are compiled."""
    for lang, name in (("th", "tha"), ("ja", "jpn"), ("my", "mya")):
        vocabulary = Vocabulary([LexiconSource(asian)], lang, "", MemoryBudget(1 << 30), has_phrases=False)
        split = LexiconSplitter(vocabulary)
        lines = (data / f"flores101/devtest/{name}.devtest").read_text(encoding="utf-8").split("\n")[:100]
        assert split.compiled is not None
        assert sum(split.compiled(line) is None for line in lines) < 3
        assert all(split.compiled(line) in (None, split(line)[0]) for line in lines)


NORMALISED = {  # a language, entries, a text, and an entry that stands after it
    "composed": ("ja", ["人がか"], "人か\u3099か", "あい"),
    "compatible": ("ja", ["人\u585a"], "人\ufa10", "山々"),
    "composed of two letters": ("my", ["က\u1026က"], "က\u1025\u102eက", "ခခ"),
    "in another order": ("my", ["\u103aက", "\u1037\u103aက"], "\u103a\u1037က", "ခခ"),
}


@pytest.mark.parametrize(("lang", "entries", "text", "after"), NORMALISED.values(), ids=NORMALISED)
def test_letters_that_normalisation_changes_continue_entries(
    tmp_path: Path, lang: str, entries: list[str], text: str, after: str
) -> None:
    """The entry is found, although its characters are not those of the text; else it and the next one were one word."""
    here, python = split_both(tmp_path / "x.lex", lang, [*entries, after], text + after)
    assert here == python == [text, after]


@given(st.data())
@settings(max_examples=100)
def test_characters_that_come_next_are_those_of_entries(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Entries of many lengths, and more of one beginning than are looked through."""
    lang = data.draw(st.sampled_from(sorted(LETTERS)))
    letters = st.sampled_from(LETTERS[lang])
    texts = st.text(letters, min_size=1, max_size=8)
    words = data.draw(st.lists(texts, min_size=1, max_size=12))
    if data.draw(st.booleans()):
        words += [words[0] + chr(0x4E00 + place) for place in range(MOST_LONGER + 1)]
    text = data.draw(st.lists(st.sampled_from(words) | texts, max_size=9).map("".join))
    here, python = split_both(tmp_path_factory.mktemp("next") / "x.lex", lang, words, text)
    assert (here or [""]) == python


def test_long_texts_are_left_to_python(asian: Lexicon) -> None:
    """Those of more than 50,000 characters, and of 10,000 words."""
    segmentation = compiled("zh", lambda _: IS_ENTRY)
    for count, is_compiled in ((50_000, True), (50_001, False)):
        assert (segmentation("我" * count) is not None) == is_compiled
    vocabulary = Vocabulary([LexiconSource(asian)], "zh", "", MemoryBudget(1 << 30), has_phrases=False)
    switch = Switcher(vocabulary, LexiconSplitter(vocabulary), 1)
    assert switch.compiled is not None
    for words in (9_999, 10_000):
        assert (switch.compiled("我 " * (words // 2) + "我" * (words % 2), 1) is None) == (words == 10_000)


def test_more_texts_are_looked_up_than_there_is_room_for() -> None:
    """A text with which the room of two million nodes is full is left to Python, and split the next time."""
    choose, left = random.Random(3), 0
    script = script_of("km")
    functions = (lambda _: 0, lambda _: 0, lambda _: IN_SCRIPT, lambda run: [run], script.is_seam)
    segmentation = Segmentation(*functions, OTHER_SCRIPT)
    for _ in range(45):
        text = "".join(choose.choices(LETTERS["km"], k=50_000))
        if segmentation(text) is None:
            left += 1
            assert segmentation(text) == [text]
    assert left == 1


def test_wrong_arguments_are_refused() -> None:
    """What is no segmentation, no script and no syllable; and errors of what is called are raised."""
    script = script_of("lo")
    made = (lambda _: 1, lambda _: 1, lambda _: 1, script.split_syllables, script.is_seam)
    for number in (-1, 4):
        with pytest.raises(ValueError, match="no such script"):
            Segmentation(*made, number)
    with pytest.raises(ValueError, match="not initialised"):
        Segmentation.__new__(Segmentation)("x")
    for segmentation in (1, Segmentation.__new__(Segmentation)):
        with pytest.raises(TypeError, match="not a segmenter"):
            SpacedSwitcher(*[str] * 3, 1, None, segmentation, str)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="syllables"):
        Segmentation(*made[:3], lambda _: ["abc"], script.is_seam, OTHER_SCRIPT)("ກຂ")
    for place in range(5):
        functions = [lambda text: 3 if text == "ກ" else 0, *made[1:]]
        functions[place] = lambda *_: 1 // 0
        with pytest.raises(ZeroDivisionError):
            Segmentation(*functions, OTHER_SCRIPT)("ກຂ")  # type: ignore[arg-type]
