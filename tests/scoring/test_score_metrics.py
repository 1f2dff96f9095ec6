"""All scores are sacreBLEU's, to the last digit: of corpora, of segments, and of resamples."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sacrebleu.tokenizers.tokenizer_spm
import sacrebleu.utils
import sentencepiece
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF, TER
from support.corpora import clipped, edited, flores

from llamax_cli.errors import FileError, UsageError
from llamax_cli.languages import languages
from llamax_cli.scoring.bleu import tokenizer_name
from llamax_cli.scoring.metrics import VARYING, MetricSettings, load_metric
from llamax_cli.scoring.ngrams import count_matches
from llamax_cli.scoring.reference_cache import ReferenceCache
from llamax_cli.scoring.spm_tokenizer import SpmTokenizer

CHRF_WORDS = {"chrf++": 2, "chrf": 0}  # the orders of words
# What metrics have stumbled over: white space of many kinds, combining marks, the space of pieces, punctuation.
LETTERS = "aab  e.t,(\u00a0\u0301\u0085\u2028\u3000\u2581\u200b\t中文กा𑀓-&"
texts = st.lists(st.one_of(st.text(LETTERS, max_size=12), st.text(max_size=8)), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def flores200(data: Path) -> Iterator[Path]:
    """Return sacreBLEU's folder with the FLORES-200 model, and let sacreBLEU use it."""
    folder = data / "sacrebleu"
    patch = pytest.MonkeyPatch()
    patch.setattr(sacrebleu.utils, "SACREBLEU_DIR", str(folder))
    patch.setattr(sacrebleu.tokenizers.tokenizer_spm, "SACREBLEU_DIR", str(folder))
    yield folder
    patch.undo()
    load_metric.cache_clear()


@cache
def theirs(name: str, *, by_sentence: bool = False) -> Any:
    """Return sacreBLEU's metric."""
    if name in CHRF_WORDS:
        return CHRF(word_order=CHRF_WORDS[name])
    if name == "ter":
        return TER()
    return BLEU(tokenize="flores200" if name == "spbleu" else "13a", force=True, effective_order=by_sentence)


def agree(name: str, chosen: MetricSettings, hypotheses: list[str], references: list[str], oracle: Any = None) -> None:
    """Assert that corpus and sentence scores are sacreBLEU's."""
    ours = load_metric(name, chosen)
    rows = ours.statistics("de", hypotheses, references)
    corpus, sentence = oracle or theirs(name), oracle or theirs(name, by_sentence=True)
    assert ours.score(rows.sum(axis=0)) == corpus.corpus_score(hypotheses, [references]).score
    assert ours.scores(rows.sum(axis=0)[None])[0] == pytest.approx(ours.score(rows.sum(axis=0)), rel=1e-12)
    if oracle is None:
        for hypothesis, reference, row in zip(hypotheses, references, rows, strict=True):
            assert ours.sentence(row) == sentence.sentence_score(hypothesis, [reference]).score


@pytest.mark.parametrize("name", ["spbleu", "bleu", "chrf++", "chrf", "ter"])
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, st.data())
def test_any_text_gets_sacrebleus_score(flores200: Path, name: str, references: list[str], draw: Any) -> None:
    """Some of the words come from the reference, so that n-grams match."""
    pool = st.sampled_from([word for text in references for word in (text, *text.split())] or [""])
    hypothesis = st.lists(st.one_of(pool, st.text(LETTERS, max_size=6)), max_size=5).map(" ".join)
    size = len(references)
    agree(
        name, MetricSettings(spm="flores200"), draw.draw(st.lists(hypothesis, min_size=size, max_size=size)), references
    )


@pytest.mark.parametrize("name", ["spbleu", "bleu", "chrf++", "chrf", "ter"])
@pytest.mark.parametrize("lowercase", [False, True])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_several_references_get_sacrebleus_score(flores200: Path, name: str, lowercase: bool, draw: Any) -> None:
    """Up to four of a segment, also fewer of some; None is sacreBLEU's gap. Lower case too, and the signature."""
    word = st.text(LETTERS + "AB", min_size=1, max_size=5)
    pool = draw.draw(st.lists(word, min_size=1, max_size=8))
    sentence = st.lists(st.sampled_from(pool), max_size=7).map(" ".join)
    references = draw.draw(st.lists(st.lists(sentence, min_size=1, max_size=4), min_size=1, max_size=6))
    hypotheses = [draw.draw(sentence) for _ in references]
    columns = [[each[n] if n < len(each) else None for each in references] for n in range(max(map(len, references)))]
    chosen = MetricSettings(spm="flores200", lowercase=lowercase)
    ours = load_metric(name, chosen)
    rows = ours.statistics("de", hypotheses, [each[0] if len(each) == 1 else tuple(each) for each in references])
    corpus, by_sentence = (oracle(name, lowercase, by_sentence=flag) for flag in (False, True))
    assert ours.score(rows.sum(axis=0)) == corpus.corpus_score(hypotheses, columns).score
    nrefs = len(references[0]) if len({len(each) for each in references}) == 1 else VARYING
    assert ours.signature("de", nrefs=nrefs).partition("|spm:")[0] == str(corpus.get_signature())
    for hypothesis, each, row in zip(hypotheses, references, rows, strict=True):
        assert ours.sentence(row) == by_sentence.sentence_score(hypothesis, each).score
        signature = ours.signature("de", by_sentence=True, nrefs=len(each)).partition("|spm:")[0]
        assert signature == str(by_sentence.get_signature())


@cache
def oracle(name: str, lowercase: bool, *, by_sentence: bool = False) -> Any:
    """Return sacreBLEU's metric; TER has no case by default."""
    if name in CHRF_WORDS:
        return CHRF(word_order=CHRF_WORDS[name], lowercase=lowercase)
    if name == "ter":
        return TER()
    tokenize = "flores200" if name == "spbleu" else "13a"
    return BLEU(tokenize=tokenize, force=True, lowercase=lowercase, effective_order=by_sentence)


@pytest.mark.parametrize("code", ["de", "th", "zh", "my", "ar", "am", "sw", "hi"])
def test_real_text_gets_sacrebleus_score(flores200: Path, data: Path, code: str) -> None:
    """FLORES in many scripts, each hypothesis made from its reference."""
    references = flores(data, code, 30)
    for name in ("spbleu", "bleu", "chrf++", "chrf"):
        agree(name, MetricSettings(spm="flores200"), edited(references), references)
    short = clipped(references[:8])
    agree("ter", MetricSettings(), edited(short), short)


def test_words_by_themselves_are_what_whole_texts_are(flores200: Path, data: Path) -> None:
    """In every language, encoding by word gives the tokens of the whole text, with an empty and with a full cache."""
    tokenizer = SpmTokenizer(flores200 / "models" / "flores200sacrebleuspm")
    assert tokenizer._words is not None
    for code in languages():
        some = [text.rstrip() for text in flores(data, code, 25)]
        assert tokenizer.encode(some) == tokenizer._encode_whole(some) == tokenizer.encode(some)


@pytest.mark.parametrize("kind", ["unigram", "bpe", "char"])
def test_any_sentencepiece_model(data: Path, tmp_path: Path, kind: str) -> None:
    """Given as a file; a model trained on English meets unknown letters in other languages."""
    english = flores(data, "en", 200)
    path = tmp_path / "own"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(english),
        model_prefix=str(path),
        model_type=kind,
        vocab_size=500,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(model_file=f"{path}.model")
    oracle = BLEU(tokenize="none", force=True)
    oracle.tokenizer = lambda text: " ".join(model.encode(text, out_type=str))
    own_model = MetricSettings(spm=f"{path}.model")
    for code in ("en", "th", "am"):
        references = flores(data, code, 40)
        agree("spbleu", own_model, edited(references), references, oracle)
    assert (
        load_metric("spbleu", own_model)
        .signature("en")
        .startswith("nrefs:1|case:mixed|eff:no|tok:spm|smooth:exp|version:")
    )
    (tmp_path / "other.model").write_bytes((tmp_path / "own.model").read_bytes() + b"z\x01a")  # a field nobody knows
    other = load_metric("spbleu", MetricSettings(spm=str(tmp_path / "other.model"))).signature("en")
    assert other.rpartition("|spm:")[2] != load_metric("spbleu", own_model).signature("en").rpartition("|spm:")[2]


def test_unknown_words_are_not_one_word(flores200: Path) -> None:
    """By the number of the unknown piece, different words would match."""
    ours = load_metric("spbleu", MetricSettings(spm="flores200"))
    found = ours.statistics("en", ["𑀓 𑀔"], ["𑀕 𑀖"])[0]
    assert list(found[2:6]) == [2, 0, 0, 0]  # the two spaces before the words


@given(st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), min_size=1, max_size=5))
def test_matches_are_the_clipped_counts(pairs: list[tuple[bytes, bytes]]) -> None:
    """Compared with counting one n-gram after the other."""
    from collections import Counter

    def as_tokens(text: bytes) -> bytes:
        return b"".join(bytes([byte % 3, 0, 0, 0]) for byte in text)

    def counted(tokens: bytes, order: int) -> Counter[bytes]:
        return Counter(tokens[at : at + 4 * order] for at in range(0, len(tokens) - 4 * order + 1, 4))

    sides = [[as_tokens(pair[side]) for pair in pairs] for side in (0, 1)]
    found = count_matches(*sides, 4)
    for row, ours, theirs in zip(found, *sides, strict=True):
        assert list(row) == [(counted(ours, n) & counted(theirs, n)).total() for n in range(1, 5)]


def test_signatures_are_sacrebleus(flores200: Path) -> None:
    """As its metrics give them, with the model's checksum added."""
    for name in ("spbleu", "bleu", "chrf++", "chrf", "ter"):
        oracle = theirs(name)
        oracle.corpus_score(["a"], [["a"]])
        ours = load_metric(name, MetricSettings(spm="flores200")).signature("de")
        assert ours.partition("|spm:")[0] == str(oracle.get_signature())
    assert len(load_metric("spbleu", MetricSettings(spm="flores200")).signature("de").partition("|spm:")[2]) == 12


def test_words_of_bleu_by_language() -> None:
    """As in sacreBLEU; by characters if MeCab is not installed."""
    assert (tokenizer_name("zh"), tokenizer_name("zhtrad"), tokenizer_name("de")) == ("zh", "zh", "13a")
    assert tokenizer_name("ja") in ("ja-mecab", "char")
    assert tokenizer_name("ja", "13a") == "13a"
    for code, name in (("zh", "zh"), ("zhtrad", "zh")):
        rows = load_metric("bleu", MetricSettings()).statistics(code, ["你好世界，朋友"], ["你好世界，再见"])
        oracle = BLEU(tokenize=name).corpus_score(["你好世界，朋友"], [["你好世界，再见"]])
        assert load_metric("bleu", MetricSettings()).score(rows[0]) == oracle.score
    assert "tok:zh" in load_metric("bleu", MetricSettings()).signature("zh")
    assert "tok:char" in load_metric("bleu", MetricSettings(tokenize="char")).signature("zh")


def test_resamples_score_as_their_sums_would(data: Path) -> None:
    """The scores of many sums at once are those of each."""
    references = flores(data, "fr", 40)
    draw = np.random.default_rng(1)
    for name in ("bleu", "chrf++", "ter"):
        ours = load_metric(name, MetricSettings())
        rows = ours.statistics("fr", edited(references), references)
        sums = np.stack([rows[draw.choice(40, 3)].sum(axis=0) for _ in range(50)])
        assert ours.scores(sums) == pytest.approx([ours.score(each) for each in sums], rel=1e-12)


def test_the_cache_is_bounded() -> None:
    """The least recently used texts are dropped and prepared again."""
    made: list[str] = []

    def prepare(texts: Sequence[str]) -> str:
        made.append(texts[0])
        return texts[0]

    memory: ReferenceCache[str] = ReferenceCache(len, capacity=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        assert memory.get("", [text], prepare) == text
    assert made == ["a", "b", "c", "b"]
    memory.get("other", ["b"], prepare)
    assert made[-1] == "b" and len(made) == 5


def test_clearing_the_cache_changes_nothing(flores200: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is always full gives the same scores."""
    references = flores(data, "hi", 20)
    ours = load_metric("spbleu", MetricSettings(spm="flores200"))
    before = ours.statistics("hi", edited(references), references)
    monkeypatch.setattr("llamax_cli.scoring.spm_tokenizer.CACHE_SIZE", 1)
    assert (ours.statistics("hi", edited(references), references) == before).all()


def test_a_model_that_cannot_be_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says where it should be and what to do; no folder, lock or partial download stays behind."""
    monkeypatch.setattr(sacrebleu.utils, "SACREBLEU_DIR", str(tmp_path / "a" / "b"))
    models = {"flores101": {"url": "http://127.0.0.1:9/sacrebleu_tokenizer_spm.model", "signature": "flores101"}}
    monkeypatch.setattr(sacrebleu.tokenizers.tokenizer_spm, "SPM_MODELS", models)
    with pytest.raises(FileError, match=r"flores101 is not at .*\(connection refused\); put it there \(SACREBLEU"):
        load_metric("spbleu", MetricSettings(spm="flores101"))
    assert not [*tmp_path.iterdir()]
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(FileError):
        load_metric("spbleu", MetricSettings(spm="flores101"))
    assert [*tmp_path.rglob("*")] == [tmp_path / "a", tmp_path / "a" / "b"]  # what was there before stays


def test_a_model_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flores200: Path) -> None:
    """To the place where sacreBLEU looks for it."""
    monkeypatch.setattr(sacrebleu.utils, "SACREBLEU_DIR", str(tmp_path / "cache"))
    url = (flores200 / "models" / "flores200sacrebleuspm").as_uri()
    models = {"flores101": {"url": url, "signature": "flores101"}}
    monkeypatch.setattr(sacrebleu.tokenizers.tokenizer_spm, "SPM_MODELS", models)
    load_metric.cache_clear()
    assert "tok:flores101" in load_metric("spbleu", MetricSettings(spm="flores101")).signature("en")
    assert [path.name for path in (tmp_path / "cache" / "models").iterdir()] == ["flores200sacrebleuspm"]
    models["flores101"]["url"] = "http://127.0.0.1:9/flores200sacrebleuspm"
    load_metric.cache_clear()
    load_metric("spbleu", MetricSettings(spm="flores101"))
    load_metric.cache_clear()


def test_files_that_are_not_a_model(tmp_path: Path) -> None:
    """A missing file and a file of another kind."""
    with pytest.raises(FileError, match=r"flores100: no such file or directory; --spm takes flores101, flores200 or a"):
        load_metric("spbleu", MetricSettings(spm="flores100"))
    (tmp_path / "x").write_bytes(b"hello")
    with pytest.raises(FileError, match="x is not a SentencePiece model"):
        load_metric("spbleu", MetricSettings(spm=str(tmp_path / "x")))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("chrf+",), r"unknown metric 'chrf\+'; did you mean chrf\+\+\?"),
        (("xyz",), "unknown metric 'xyz'; have: spbleu, bleu"),
        (("ter", "ter"), "each metric once"),
        ((), "each metric once"),
    ],
)
def test_unknown_metrics(names: tuple[str, ...], message: str) -> None:
    """The nearest name is suggested."""
    with pytest.raises(UsageError, match=message):
        MetricSettings(metrics=names)


def test_a_damaged_model_is_refused(data: Path, tmp_path: Path) -> None:
    """A piece that is no text, a score out of order; models whose authors set some scores aside are whole."""
    for name in ("llama2", "mistral", "chinese-llama2"):
        SpmTokenizer(data / "tokenizers" / name / "tokenizer.model")
    whole = (data / "tokenizers" / "llama2" / "tokenizer.model").read_bytes()
    piece = whole.index("▁über".encode())
    score = piece + len("▁über".encode()) + 1
    for place, bit in ((piece + 3 + 1, 0x80), (score, 0x40), (score + 2, 0x10), (score + 3, 0x80)):
        damaged = bytearray(whole)
        damaged[place] ^= bit
        (tmp_path / "spm.model").write_bytes(damaged)
        with pytest.raises(FileError, match="is a damaged SentencePiece model"):
            SpmTokenizer(tmp_path / "spm.model")
