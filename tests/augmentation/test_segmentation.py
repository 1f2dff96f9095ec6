"""Languages without spaces: the best segmentation, nothing torn, nothing lost; and the choice of a segmenter."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lexicons import Words, lexicon
from support.processes import Outcome, one_line

from llamax_cli.augmentation.augmentation import Augmentation
from llamax_cli.augmentation.segmentation import Entries, LexiconSplitter, Segment, search, segment
from llamax_cli.augmentation.segmenters import (
    DEFAULTS,
    SEGMENTERS,
    choose_segmenters,
    complete_segmenter,
    package_splitter,
    restore,
)
from llamax_cli.augmentation.unspaced_scripts import CHINESE, UNSPACED, is_spaced, script_of
from llamax_cli.augmentation.vocabulary import LexiconSource, MemoryBudget, Vocabulary
from llamax_cli.augmentation.words import join_words
from llamax_cli.errors import UsageError
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.records import text as record_text

Llamax = Callable[..., Outcome]
FLORES = {"th": "tha", "ja": "jpn", "lo": "lao", "km": "khm", "my": "mya", "zh": "zho_simpl"}


def switched(have: Lexicon, text: str, lang: str, into: str = "en", segmenter: str = "auto") -> str:
    """Return a text in which all words that may be replaced are."""
    plan = Augmentation([have], 1, into=(into,), segmenters=choose_segmenters(segmenter))
    (made,) = plan()({"src": text, "tgt": "x", "src_lang": lang, "tgt_lang": "de"}, Counter())
    return record_text(made, "src")


def english(words: str) -> Words:
    """Return entries with one English translation each: `english("猫 cat, 黒 black")`."""
    return {word: {"en": [translation]} for word, translation in map(str.split, words.split(","))}


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
        ("th", english("แมว cat, ดำ black, ก k, แม no, แพทย pat, ล่า hunt, นี้ this, วา wah, มา come")),
        (
            "ja",
            english(
                "猫 cat, 黒い black, 黒 no, ハウ howe, ジー zee, バスコ vasco, シア州 Shia, フード hood, サウス south, "
                "カロライナ Carolina, 大学 college, 州 state, 上 up, 委員 member"
            ),
        ),
        ("my", {"သူ": {"en": ["he"]}, "သည်": {"en": ["-er", "-s"]}, "ကား": {"en": ["-er", "car"]}}),
        entities={"en": 9, "ja": 9},
    )


# -- right values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "text", "wanted"),
    [
        ("zh", "我喜欢北京。", "我 like Beijing。"),
        ("zh", "我在北京大学，", "我在 PKU，"),
        ("th", "แมวดำ 2 ตัว", "cat black 2 ตัว"),
        ("th", "กข แมว", "กข cat"),
        ("th", "แมวๆ มา", "cat ๆ come"),
        ("th", "แพทยศาสตร์", "แพทยศาสตร์"),
        ("th", "เหล่านี้", "เหล่านี้"),
        ("th", "โนวา", "โนวา"),
        ("ja", "黒い猫がいる。", "black cat がいる。"),
        ("ja", "ダルハウジー大学", "ダルハウジー college"),
        ("ja", "ノバスコシア州", "ノバスコシア州"),
        ("ja", "エフード", "エフード"),
        ("ja", "ハウジー", "ハウジー"),
        ("ja", "サウスカロライナ州の", "south Carolina state の"),
        ("ja", "サウス・ノバ", "south・ノバ"),
        ("ja", "委員会", "委員会"),
        ("ja", "上がる", "上がる"),
        ("my", "သူသည်", "he သည်"),
        ("my", "ကား", "car"),
    ],
)
def test_right_values(asian: Lexicon, lang: str, text: str, wanted: str) -> None:
    """Entries are replaced where they are words, and no piece of a name or of an unknown word; affixes are no words."""
    assert switched(asian, text, lang) == wanted


def test_no_space_between_languages_that_have_none(asian: Lexicon) -> None:
    """A Japanese word in a Chinese text has no spaces around it."""
    assert switched(asian, "我喜欢北京。", "zh", into="ja") == "我好き北京。"


def test_an_entry_without_a_wanted_translation_is_still_a_word(tmp_path: Path) -> None:
    """The languages of the replacements do not change how a text is split."""
    have = lexicon(
        tmp_path / "x.lex", ("th", {"แมว": {"en": ["cat"]}, "ดำ": {"de": ["schwarz"]}}), entities={"en": 1, "de": 1}
    )
    assert switched(have, "แมวดำ", "th", into="en") == "cat ดำ"
    assert switched(have, "แมวดำ", "th", into="de") == "แมว schwarz"


@pytest.mark.parametrize("compiled", [True, False])
def test_affixes_are_no_translations_in_any_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    """Neither alone nor among synonyms, of words or phrases, with all languages or some. The paper has no such rule."""
    if not compiled:
        monkeypatch.setattr("llamax_cli.augmentation.code_switching.SpacedSwitcher", None)
    words = {"er": {"de": ["-er"]}, "one": {"de": ["-lein", "ein-", "e-ins"]}, "one er": {"de": ["-s"], "fr": ["s-"]}}
    have = lexicon(tmp_path / "x.lex", ("en", words))
    record = {"src": "er one, one er", "tgt": "x", "src_lang": "en", "tgt_lang": "de"}

    def made(seed: int, **more: bool | tuple[str, ...]) -> str:
        return record_text(Augmentation([have], 1, seed=seed, **more)()(record, Counter())[0], "src")  # type: ignore[arg-type]

    assert {made(seed, into=into) for seed in range(9) for into in ((), ("de",))} == {"er e-ins, e-ins er"}
    paper = {made(seed, paper=True).split()[-2] for seed in range(30)}
    assert paper == {"-lein", "ein-", "e-ins"}


@pytest.mark.parametrize(
    ("lang", "text", "wanted"),
    [
        ("th", "เครื่องเปลี่ยนเสร็จก็คือวันจันทร์", "เครื่อ ง เปลี่ย น เสร็จ ก็ คือ วัน จันทร์"),
        ("th", "เหล่านี้หนัง", "เหล่า นี้ หนัง"),
        ("lo", "ເຫຼົ່ານີ້ວັນ", "ເຫຼົ່າ ນີ້ ວັນ"),
        ("km", "គាត់ខ្ញុំ", "គាត់ ខ្ញុំ"),
        ("my", "ကြောင်းတနင်္လာ", "ကြောင်း တ နင်္လာ"),
        ("ja", "ショッピング人々", "ショッ ピ ン グ 人々"),
        ("ja", "か\u3099く", "か\u3099 く"),
    ],
)
def test_syllables(lang: str, text: str, wanted: str) -> None:
    """Vowels, marks, final and silent consonants stay with their syllable."""
    assert script_of(lang).split_syllables(text) == wanted.split()


@pytest.mark.parametrize("lang", ["zh", "ja"])
def test_chinese_characters_are_in_the_script_and_korean_is_not(lang: str) -> None:
    """Neither Hangul, nor Yi, nor private characters; but the compatibility characters, which begin at U+F900."""
    assert script_of(lang).split_runs("\uf900漢〇𠀀한국ꀀ\ue000\ufb00") == ["\uf900漢〇𠀀", "한국ꀀ\ue000\ufb00"]


# -- laws --------------------------------------------------------------------------------------------------------------

Finder = Callable[[str], tuple[bool, bool]]


def entries_of(words: Sequence[str], shortest: int = 1) -> Entries:
    """Return the entries of a list of words."""

    def find(text: str) -> tuple[bool, bool]:
        return text in words, any(word.startswith(text) and word != text for word in words)

    return Entries(find, shortest, MemoryBudget(1 << 20))


def cost(segments: Sequence[Segment]) -> tuple[int, int]:
    """Return the number of unknown characters and of segments."""
    return sum(part.end - part.start for part in segments if not part.is_entry), len(segments)


def all_segmentations(size: int, is_entry: Callable[[int, int], bool]) -> list[list[Segment]]:
    """Return every way to split a text into entries and unknown parts, no two of which are neighbours."""

    @cache
    def after(start: int, was_unknown: bool) -> list[list[Segment]]:
        if start == size:
            return [[]]
        found = []
        for end in range(start + 1, size + 1):
            if is_entry(start, end):
                found += [[Segment(start, end, True), *rest] for rest in after(end, False)]
            if not was_unknown:
                found += [[Segment(start, end, False), *rest] for rest in after(end, True)]
        return found

    return after(0, False)


@given(
    st.text("abc", min_size=1, max_size=9),
    st.lists(st.text("abc", min_size=1, max_size=4), max_size=8),
)
@settings(max_examples=300, deadline=None)
def test_fewest_unknown_characters_then_fewest_words(text: str, words: list[str]) -> None:
    """As good as the best of all segmentations; each entry is one, and what is unknown is between entries."""
    found = search(list(text), entries_of(words))
    assert "".join(text[part.start : part.end] for part in found) == text
    assert all(text[part.start : part.end] in words for part in found if part.is_entry)
    assert not any(not left.is_entry and not right.is_entry for left, right in pairwise(found))
    every = all_segmentations(len(text), lambda start, end: text[start:end] in words)
    assert cost(found) == min(map(cost, every))


KANA = "アイーッあい人山のが・"


@given(
    st.sampled_from(["ja", "th"]).flatmap(
        lambda lang: st.tuples(
            st.just(lang),
            st.text(KANA if lang == "ja" else "กหลเะ่ิัาๆ", min_size=1, max_size=10),
            st.lists(st.text(KANA if lang == "ja" else "กหลเะ่ิัาๆ", min_size=1, max_size=4), max_size=9),
        )
    )
)
@settings(max_examples=500, deadline=None)
def test_no_entry_stays_beside_something_unknown(case: tuple[str, str, list[str]]) -> None:
    """A kept entry has an entry or the spelling's own end of a word on both sides, in the best segmentation.

    It cuts no syllable, and a name only where all of the name is entries of three characters.
    """
    lang, run, words = case
    script = script_of(lang)
    entries = entries_of(words, script.shortest)
    syllables = script.split_syllables(run)
    places = [0]
    for syllable in syllables:
        places.append(places[-1] + len(syllable))
    best = [Segment(places[start], places[end], known) for start, end, known in search(syllables, entries)]
    unknown = {place for part in best if not part.is_entry for place in range(part.start, part.end)}
    found = segment(run, script, entries)
    assert "".join(run[part.start : part.end] for part in found) == run
    for start, end, is_entry in found:
        if not is_entry:
            continue
        assert run[start:end] in words and end - start >= script.shortest
        assert {start, end} <= set(places) and unknown.isdisjoint(range(start, end))
        for place, outside in ((start, start - 1), (end, end)):
            assert outside not in unknown or script.is_seam(run, place)
        for name in script.find_names(run):
            if name.start() < start < name.end() or name.start() < end < name.end():
                assert unknown.isdisjoint(range(*name.span()))
                inside = [part for part in best if part.start < name.end() and part.end > name.start()]
                assert all(min(part.end, name.end()) - max(part.start, name.start()) >= 3 for part in inside)
    # Nothing else is given up: an entry away from anything unknown and from names is kept.
    names = {place for name in script.find_names(run) for place in range(*name.span())}
    for part in best:
        nearby = range(max(0, part.start - 1), part.end + 1)
        if part.is_entry and unknown.isdisjoint(nearby) and names.isdisjoint(nearby):
            assert part in found


@given(st.sampled_from(sorted(UNSPACED)), st.data())
@settings(max_examples=300, deadline=None)
def test_runs_and_syllables_lose_nothing(lang: str, data: st.DataObject) -> None:
    """Of any text, in any script, with marks in any order."""
    ranges = ((0x20, 0x7F), (0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3000, 0x30FF), (0x4E00, 0x4E20))
    text = data.draw(st.text(st.one_of(*(st.characters(min_codepoint=a, max_codepoint=b) for a, b in ranges))))
    script = script_of(lang)
    runs = script.split_runs(text)
    assert "".join(runs) == text
    assert all("".join(script.split_syllables(run)) == run for run in runs)


@pytest.mark.parametrize("lang", FLORES)
def test_a_text_with_nothing_replaced_comes_back(asian: Lexicon, data: Path, tmp_path: Path, lang: str) -> None:
    """Byte for byte, for 200 lines of FLORES, whatever the lexicon knows."""
    lines = (data / f"flores101/devtest/{FLORES[lang]}.devtest").read_text(encoding="utf-8").split("\n")[:200]
    pieces = {line[at : at + size] for line in lines for at in range(0, len(line), 5) for size in (2, 3)}
    have = lexicon(tmp_path / "x.lex", (lang, {piece: {"en": ["x"]} for piece in pieces if piece.isalpha()}))
    vocabulary = Vocabulary([LexiconSource(have)], lang, "", MemoryBudget(1 << 16), has_phrases=False)
    split = LexiconSplitter(vocabulary)
    for line in lines:
        assert join_words(*split(line)) == line
    assert not is_spaced(lang)
    stage = Augmentation([have], 0)()
    for line in lines:
        (made,) = stage({"src": line, "tgt": "", "src_lang": lang, "tgt_lang": "en"}, Counter())
        assert record_text(made, "src") == line


@given(st.text(alphabet=st.sampled_from("我喜欢北京。 a1\n\t，\u3000们")))
@settings(max_examples=50)
def test_chinese_loses_nothing(text: str) -> None:
    """The words that jieba finds join to the text."""
    assert join_words(*package_splitter("jieba")(text)) == text


@pytest.mark.parametrize(
    "name", [name for name, row in SEGMENTERS.items() if all(map(find_spec, row.modules)) and row.load]
)
def test_an_installed_segmenter_loses_nothing(data: Path, name: str) -> None:
    """Of lines, of a text of hundreds of kilobytes, of white space and other scripts, and of nothing."""
    (lang, *_) = SEGMENTERS[name].languages
    lines = (data / f"flores101/devtest/{FLORES[lang]}.devtest").read_text(encoding="utf-8").split("\n")[:200]
    split = package_splitter(name)
    for text in (*lines, "".join(lines).replace(" ", "") * 3, " a \u3000\t\u200b\n b  \r", "a\0b", ""):
        words, gaps = split(text)
        assert join_words(words, gaps) == text
    assert len(split(lines[0])[0]) > 10


@given(st.text("ab \u200b"), st.lists(st.text("ab")))
def test_what_a_segmenter_leaves_out_is_restored(text: str, words: list[str]) -> None:
    """The words join to the text, whatever they were."""
    assert "".join(restore(text, words)) == text
    assert restore("a b\u200bc", ["a", "b", "x", "c"]) == ["a", " ", "b", "\u200b", "c"]


def test_a_small_memory_changes_nothing(data: Path, tmp_path: Path) -> None:
    """Entries that were forgotten are looked up again."""
    lines = (data / "flores101/devtest/tha.devtest").read_text(encoding="utf-8").split("\n")[:50]
    pieces = {line[at : at + 4] for line in lines for at in range(0, len(line), 3)}
    have = lexicon(tmp_path / "x.lex", ("th", {piece: {"en": ["x"]} for piece in pieces if " " not in piece}))
    splits = [
        LexiconSplitter(Vocabulary([LexiconSource(have)], "th", "", MemoryBudget(size), has_phrases=False))
        for size in (1 << 26, 2000)
    ]
    for line in lines:
        assert splits[0](line) == splits[1](line)


# -- the choice of a segmenter -----------------------------------------------------------------------------------------


def test_the_default_needs_no_package() -> None:
    """It is jieba for Chinese and the lexicon for all others, whatever is installed."""
    assert choose_segmenters("auto") == DEFAULTS
    assert set(DEFAULTS) == UNSPACED
    assert {DEFAULTS[lang] for lang in CHINESE} == {"jieba"}
    assert not any(SEGMENTERS[name].modules for name in DEFAULTS.values())


@pytest.mark.parametrize(
    ("value", "changed"),
    [
        ("dictionary", dict.fromkeys(CHINESE, "dictionary")),
        ("zh=dictionary", {"zh": "dictionary"}),
        ("dictionary,zh=jieba", dict.fromkeys(set(CHINESE) - {"zh"}, "dictionary")),
        ("dictionary,auto", {}),
        ("dictionary, tha=auto,yue=auto", dict.fromkeys(set(CHINESE) - {"yue"}, "dictionary")),
        ("", {}),
    ],
)
def test_segmenters_by_language(value: str, changed: dict[str, str]) -> None:
    """A name is for all of its languages, LANGUAGE=NAME for one; the later one counts."""
    assert choose_segmenters(value) == {**DEFAULTS, **changed}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("jeiba", "--segmenter jeiba: 'jeiba' is unknown; did you mean jieba?"),
        ("th=jieba", "--segmenter th=jieba: jieba is for lzh, wuu, yue, zh, zhtrad"),
        ("de=dictionary", "--segmenter de=dictionary: only ja, km, lo, lzh, my, "),
        ("xx1=jieba", "--segmenter xx1=jieba: "),
        ("th=absent", "--segmenter th=absent: 'absent' is unknown"),
    ],
)
def test_segmenters_that_are_refused(value: str, message: str) -> None:
    """The message names the item and what would do."""
    with pytest.raises(UsageError) as refused:
        choose_segmenters(value)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("name", [name for name, row in SEGMENTERS.items() if row.modules])
def test_a_missing_package_is_named_before_anything_is_read(
    name: str, llamax: Llamax, asian: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the extra that installs it, which pyproject.toml has."""
    monkeypatch.setattr("llamax_cli.augmentation.segmenters.find_spec", lambda module: None)
    with pytest.raises(UsageError) as refused:
        choose_segmenters(name)
    assert str(refused.value) == f"--segmenter {name} is not installed: pip install 'llamax[{name}]'"
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    extra = project.split(f"\n{name} = [", 1)[1].split("]", 1)[0].replace("-", "_")
    assert all(f'"{module}' in extra for module in SEGMENTERS[name].modules)


def test_completion_names_the_extra() -> None:
    """A name, or a name after a language that it has; what has to be installed says how."""
    assert [value for value, _ in complete_segmenter("")] == ["auto", *SEGMENTERS]
    assert complete_segmenter("jieba,th=py") == [("jieba,th=pythainlp", "th; pip install 'llamax[pythainlp]'")]
    assert [value for value, _ in complete_segmenter("ja=")] == [
        "ja=auto", "ja=dictionary", "ja=sudachi", "ja=fugashi"
    ]  # fmt: skip


def fake(name: str, **functions: object) -> ModuleType:
    """Return a module with functions."""
    module = ModuleType(name)
    vars(module).update(functions)
    return module


def test_a_package_splits_its_language_and_phrases_are_found(asian: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of several of its words are replaced whole, and entries that are parts of its words are not."""

    class Tokenizer:
        def __init__(self, engine: str) -> None:
            assert engine == "newmm"

        def word_tokenize(self, text: str) -> list[str]:
            return {"แมวดำ": ["แม", "ว", "ดำ"], "เหล่านี้แมว": ["เหล่านี้", "แมว"]}[text]

    monkeypatch.setitem(sys.modules, "pythainlp", fake("pythainlp"))
    monkeypatch.setitem(sys.modules, "pythainlp.tokenize", fake("pythainlp.tokenize", Tokenizer=Tokenizer))
    monkeypatch.setattr("llamax_cli.augmentation.segmenters.find_spec", lambda module: True)
    package_splitter.cache_clear()
    assert switched(asian, "แมวดำ", "th", segmenter="th=pythainlp") == "cat black"
    assert switched(asian, "เหล่านี้แมว", "th", segmenter="pythainlp") == "เหล่านี้ cat"
    package_splitter.cache_clear()


def test_the_paper_segments_only_chinese(asian: Lexicon) -> None:
    """Thai is split at spaces, and no other segmenter can be asked for."""
    plan = Augmentation([asian], 1, into=("en",), paper=True)
    texts = {"th": "แมวดำ ดำ", "zh": "我喜欢北京。"}
    made = {
        lang: record_text(plan()({"src": text, "tgt": "", "src_lang": lang, "tgt_lang": "de"}, Counter())[0], "src")
        for lang, text in texts.items()
    }
    assert made == {"th": "แมวดำ black", "zh": "我 like Beijing。"}
    assert "segmentation" not in plan.dependencies
    with pytest.raises(UsageError, match="--paper segments only Chinese"):
        Augmentation([asian], 1, paper=True, segmenters={**DEFAULTS, "th": "pythainlp"})
    Augmentation([asian], 1, paper=True, segmenters=choose_segmenters("zh=dictionary"))


def test_a_run_is_not_resumed_with_another_segmenter(llamax: Llamax, asian: Lexicon, tmp_path: Path) -> None:
    """The first part of the output would be split differently."""
    lines = "".join(json.dumps({"text": "我喜欢北京", "lang": "zh"}) + "\n" for _ in range(5)) + "{}\n"
    (tmp_path / "in.jsonl").write_text(lines)
    command = ("augment", "--dict", asian.path, "in.jsonl", "-o", "out.jsonl")
    assert llamax(*command, cwd=tmp_path).returncode == 65
    refused = llamax(*command, "--resume", "--segmenter", "dictionary", cwd=tmp_path)
    assert one_line(refused, 1).endswith("cannot resume: not the same segmenter as in the first part; drop --resume")
    assert llamax(*command, "--resume", "--segmenter", "jieba", cwd=tmp_path).returncode == 65


@pytest.mark.slow
def test_jieba_keeps_to_itself(llamax: Llamax, asian: Lexicon, tmp_path: Path) -> None:
    """jieba writes no message and no file."""
    (tmp_path / "tmp").mkdir()
    record = json.dumps({"text": "我喜欢北京", "lang": "zh"}).encode()
    done = llamax("augment", "-q", "--dict", asian.path, stdin=record, env={"TMPDIR": str(tmp_path / "tmp")})
    assert (done.returncode, done.stderr) == (0, b"")
    assert not list((tmp_path / "tmp").iterdir())
