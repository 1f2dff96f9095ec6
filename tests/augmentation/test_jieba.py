"""The compiled segmenter of Chinese: its words are those of jieba, and so are the texts that are switched with it."""

import io
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import switched_lines as tried
from support.lexicons import lexicon

from llamax_cli.augmentation import code_switching, segmenter_loaders
from llamax_cli.augmentation.augmentation import Augmentation
from llamax_cli.augmentation.code_switching import Switcher
from llamax_cli.augmentation.segmenters import PackageSplitter, package_splitter
from llamax_cli.augmentation.spaced import JiebaSegmenter, SpacedSwitcher
from llamax_cli.augmentation.vocabulary import LexiconSource, MemoryBudget, Vocabulary
from llamax_cli.augmentation.words import is_word_character
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.records import serialise
from llamax_cli.streams.chunks import Chunk, Outcome, transform

Segment = Callable[[str], list[str]]
CORPORA = ("flores101/devtest/zho_simpl.devtest", "flores101/devtest/zho_trad.devtest", "muse/zh-en.txt")
WORDS = "我 喜欢 北京 中华人民共和国 的 了 一 一一 上海东方明珠 电视 塔 龙 李小福 杭研 大厦 T恤 卡拉OK B超"
WORDS += " 3D IP地址 们 囧 犇"
OTHERS = ["%", "+", "#", "&", ".", "_", "-", "12", "3.5%", "3.", "a", "Zb", "C++", "AT&T", "\r\n", "\r", "\n", " "]
OTHERS += ["\u3000", "，", "。", "𠀀", "㐀", "龥", "鿕", "鿖", "é", "·", "１", "ａ", "\u200b", "あ", "@", "www.", "\0"]
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.one_of(
    st.text(),
    st.text(st.one_of(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), CHARACTERS), max_size=40),
    st.lists(st.sampled_from([*WORDS.split(), *WORDS.replace(" ", ""), *OTHERS]), max_size=40).map("".join),
)
ENTRIES = [
    *WORDS.split(),
    "我喜欢",
    "喜欢北京",
    "的的",
    "一一一一",
    "北京的电视",
    "李小福们",
    "T恤的",
    "a",
    "ab",
    "的a",
    "们a",
]
SWITCHED = st.one_of(
    TEXTS, st.lists(st.sampled_from([*"我的一们aAb%，猫囧", "喜欢", "北京", "电视"]), max_size=12).map("".join)
)
LETTERS = "一二三𠀀a+·"
FEW = st.lists(st.tuples(st.text(LETTERS, min_size=1, max_size=5), st.integers(0, 3)), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def own() -> Segment:
    """Return jieba's own segmenter, which takes most of a second to load."""
    return segmenter_loaders._own_jieba()


@pytest.fixture(scope="module")
def compiled() -> Segment:
    """Return the compiled segmenter."""
    return segmenter_loaders.jieba()


def test_it_is_compiled(compiled: Segment) -> None:
    """With the version of jieba that is pinned."""
    assert isinstance(compiled, JiebaSegmenter)


@given(TEXTS)
@settings(max_examples=100)
def test_words_are_those_of_jieba(compiled: Segment, own: Segment, text: str) -> None:
    """Of any text: words and characters that jieba has and others, numbers, letters, signs, line ends."""
    words = compiled(text)
    assert words == own(text)
    assert "".join(words) == text


def test_every_character_is_one_to_jieba(compiled: Segment, own: Segment) -> None:
    """Those at the bounds of blocks, and every 64th, beside characters that are joined to words."""
    bounds = [code + step for code in (0, 0x20, 0x7E, 0x4E00, 0x9FA5, 0x9FD5, 0xA000) for step in range(-32, 32)]
    for character in (
        chr(code) for code in (*bounds, *range(0, 0xD800, 64), *range(0xE000, 0x110000, 4096)) if code >= 0
    ):
        text = f"乒{character}乓{character}{character}\r"
        assert compiled(text) == own(text)


def test_words_of_real_texts_are_those_of_jieba(compiled: Segment, own: Segment, data: Path) -> None:
    """In simplified and traditional characters."""
    for name in CORPORA:
        for line in (data / name).read_text(encoding="utf-8").split("\n")[::30]:
            assert compiled(line) == own(line)


def test_long_texts_are_split_as_jieba_splits_them(compiled: Segment, own: Segment) -> None:
    """Blocks of thousands of characters, of words, of single characters and of letters."""
    for piece in ("我喜欢北京", "囧犇龘", "abc1.5%", "，\r\n"):
        text = piece * 1000
        assert compiled(text) == own(text)


@given(FEW, st.lists(st.text(LETTERS, max_size=12), max_size=5))
@example([("一", 3), ("三", 3), ("一二", 3), ("二三", 3)], ["一二三"])
@settings(max_examples=100)
def test_any_dictionary_is_read_as_jieba_reads_it(own: Segment, words: list[tuple[str, int]], texts: list[str]) -> None:
    """Words that come twice, have no frequency or begin others; and of equally probable words the same is taken."""
    dictionary = "".join(f"{word} {frequency}{' nz' * (frequency % 2)}\n" for word, frequency in (*words, ("四", 1)))
    tokenizer = own.__self__.__class__()  # type: ignore[attr-defined]
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(io.BytesIO(dictionary.encode()))
    tokenizer.initialized = True
    from jieba import finalseg

    segment = JiebaSegmenter(dictionary, finalseg.start_P, finalseg.trans_P, finalseg.emit_P)
    for text in texts:
        assert segment(text) == tokenizer.lcut(text)


def test_a_dictionary_grows() -> None:
    """From one word to many, more than there was room for."""
    words = [chr(0x4E00 + number) + chr(0x9F00 - number) for number in range(5000)]
    segment = JiebaSegmenter("\n".join(f"{word} 1" for word in words), *tried.MODEL)
    assert segment("".join(words)) == words


@pytest.mark.parametrize(
    "dictionary", ["一", "一 ", "一 x", "一 1x", "一 -1", " 1", "一 1\n\n二 2", "一 1234567890123456"]
)
def test_a_line_without_a_frequency_is_named(dictionary: str) -> None:
    """It is not a word with its frequency."""
    with pytest.raises(ValueError, match=r"line \d of the dictionary is not a word with its frequency"):
        JiebaSegmenter(dictionary, *tried.MODEL)


@pytest.mark.parametrize("dictionary", ["", "一 0", "一 0\n"])
def test_a_dictionary_without_words_is_refused(dictionary: str) -> None:
    """There are no probabilities without frequencies."""
    with pytest.raises(ValueError, match="no words"):
        JiebaSegmenter(dictionary, *tried.MODEL)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("wrong", [{}, 1, dict.fromkeys("BME", 1.0), dict.fromkeys("BMES", "x")])
def test_a_model_of_another_kind_is_refused(place: int, wrong: Any) -> None:
    """A part of it is missing or is none."""
    model = list(tried.MODEL)
    model[place] = wrong
    with pytest.raises((TypeError, ValueError)):
        JiebaSegmenter("一 1", *model)


# -- where it is not compiled ------------------------------------------------------------------------------------------


@pytest.fixture
def uncached() -> Iterator[None]:
    """Load the segmenter anew, and again for what comes after."""
    package_splitter.cache_clear()
    yield
    package_splitter.cache_clear()


@pytest.mark.parametrize("reason", ["another version", "no compiler", "no files", "another model"])
def test_jieba_itself_splits_where_it_has_to(
    reason: str, own: Segment, uncached: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its version was not compared, compiled code is absent, or jieba is in an archive or was changed."""
    monkeypatch.setattr(segmenter_loaders, "_own_jieba", lambda: own)
    if reason == "another version":
        monkeypatch.setattr(segmenter_loaders, "COMPILED_JIEBA", "0.43")
    elif reason == "no files":
        monkeypatch.setattr(segmenter_loaders, "find_spec", lambda _: ModuleSpec("jieba", None, origin="/x.zip/jieba"))
    elif reason == "another model":
        monkeypatch.setattr(segmenter_loaders, "_table", lambda path: {"B": -1.0})
    else:
        monkeypatch.setattr(segmenter_loaders, "JiebaSegmenter", None)
    split = package_splitter("jieba")
    assert not isinstance(split.compiled, JiebaSegmenter)
    assert split("我喜欢北京。") == (["我", "喜欢", "北京", "。"], "")


# -- switching texts ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    """Return a lexicon with words of jieba, longer entries, parts of words, capitals and punctuation."""
    entries = ENTRIES + [f"的{chr(0x4E00 + number)}" for number in range(0, 3000, 20)]  # more than are looked for
    others = {"en": ["cat", "a b"], "ja": ["猫"], "fr": ["été", "x"]}
    words = {word.lower(): {**others, "de": [word, "-", "X"]} for word in entries}
    return lexicon(tmp_path_factory.mktemp("lexicon") / "chinese.lex", ("zh", words), ("en", {"cat": {"zh": ["猫"]}}))


def switcher(have: Lexicon, segment: Segment, rate: float, size: int, *, exact: bool = False) -> Switcher:
    """Return a switcher of Chinese."""
    budget = MemoryBudget(size)
    vocabulary = Vocabulary([LexiconSource(have)], "zh", "", budget, has_phrases=not exact, is_exact=exact)
    return Switcher(vocabulary, PackageSplitter(segment), rate)


def test_the_characters_after_a_word_are_those_of_longer_entries(chinese: Lexicon) -> None:
    """None where they are more than are looked for, or the word is long."""
    assert chinese.next_characters("zh", "喜欢", 2) == {"北"}
    assert chinese.next_characters("zh", "喜欢", 1) is None
    assert chinese.next_characters("zh", "喜欢北京", 1) == set()
    assert chinese.next_characters("zh", "猫" * 90, 9) is None


@given(
    SWITCHED, st.integers(0, 2**64 - 1), st.sampled_from([0.3, 1.0]), st.booleans(), st.sampled_from([2000, 1 << 30])
)
@example("我喜欢猫，的a%b，们A囧", 0, 1.0, False, 1 << 30)
@settings(max_examples=100)
def test_texts_are_switched_as_in_python(
    compiled: Segment, own: Segment, chinese: Lexicon, text: str, key: int, rate: float, exact: bool, size: int
) -> None:
    """Entries of one and several words, with the same spaces around them, however small the memory budget."""
    python = switcher(chinese, own, rate, 1 << 30, exact=exact)
    python.compiled = None
    for segment in (compiled, own):
        here = switcher(chinese, segment, rate, size, exact=exact)
        assert here.compiled is not None
        for _ in range(2):
            assert here.switch(text, key) == python.switch(text, key)


def test_most_texts_are_compiled(compiled: Segment, own: Segment, chinese: Lexicon) -> None:
    """All but long ones and those with addresses; also with a function in Python."""
    for segment in (compiled, own):
        switch = switcher(chinese, segment, 1, 1 << 30).compiled
        assert switch is not None
        for text, is_left in (
            ("我喜欢北京", False),
            ("", False),
            ("我@北京", True),
            ("，" * 9_999, False),
            ("，" * 10_000, True),
        ):
            assert (switch(text, 1) is None) == is_left


def test_lines_are_the_same_with_jieba_itself(
    compiled: Segment, own: Segment, data: Path, chinese: Lexicon, uncached: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole records of real texts: bytes and counts, with two copies of each."""
    lines = (data / CORPORA[0]).read_text(encoding="utf-8").split("\n")[:100]
    records = serialise({"src": line, "tgt": "x", "src_lang": "zh", "tgt_lang": "de"} for line in lines)

    def outcome(segment: Segment) -> Outcome:
        monkeypatch.setattr(segmenter_loaders, "jieba", lambda: segment)
        package_splitter.cache_clear()
        return transform(Augmentation([chinese], 0.5, copies=2)(), False, Chunk("x", 1, records))

    found = outcome(compiled), outcome(own)
    monkeypatch.setattr(code_switching, "SpacedSwitcher", None)
    expected = outcome(own)
    assert expected.tally["replaced"] > 200
    assert found == (expected, expected)


def test_words_that_are_not_those_of_the_text_are_refused() -> None:
    """A function that returns something else raises an exception and does not crash."""
    pack = lambda word: (b"", 0, 0, 0, None, None)  # noqa: E731
    for wrong in (["a"], ["ab", "c"], ["b", "a"], [1], 1, ["ab\ud800"], ["ab", ""][:0]):
        switch = SpacedSwitcher(pack, str, str, 1, None, lambda _, wrong=wrong: wrong, str, is_word_character)  # type: ignore
        with pytest.raises((TypeError, ValueError)):
            switch("ab", 1)
    with pytest.raises(ZeroDivisionError):
        SpacedSwitcher(pack, str, str, 1, None, lambda _: [str(1 // 0)], str, is_word_character)("ab", 1)  # type: ignore
