"""chrF and chrF++: sacreBLEU's scores from character and word n-grams counted all at once."""

from collections.abc import Sequence
from string import punctuation
from typing import ClassVar, NamedTuple

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from llamax_cli.scoring.metrics import MetricSettings, Reference, Statistics, reference_columns
from llamax_cli.scoring.ngrams import count_matches, count_ngrams, count_tokens, encode_words, new_vocabulary
from llamax_cli.scoring.pair_matches import count_pair_matches
from llamax_cli.scoring.reference_cache import ReferenceCache

CHAR_ORDER, BETA = 6, 2


class _Tokens(NamedTuple):
    """The characters of texts, without white space, and their words, none if the metric has no order of words."""

    characters: list[bytes]
    words: list[list[str]]


class Chrf:
    """chrF with six character orders; chrF++ has `word_order` orders of words, too.

    Three columns for each order: n-grams of the hypothesis, of the reference, and matches.
    """

    word_order: ClassVar[int] = 0
    needs_source: ClassVar[bool] = False
    needs_reference: ClassVar[bool] = True
    runs_in_workers: ClassVar[bool] = True
    lower_is_better = False

    def __init__(self, settings: MetricSettings) -> None:
        self._lowercase = settings.lowercase
        self._references: ReferenceCache[_Tokens] = ReferenceCache(
            lambda tokens: sum(map(len, tokens.characters)) + 80 * sum(map(len, tokens.words))
        )

    def statistics(
        self, language: str, hypotheses: Sequence[str], references: Sequence[Reference], sources: Sequence[str] = ()
    ) -> Statistics:
        """Return the counts of each segment, of several references with the one that gives the best score."""
        hypothesis = self._tokenize(hypotheses)
        first, *more = reference_columns(references)
        best = self._count(hypothesis, first)
        for column in more:
            rows = self._count(hypothesis, column)
            is_better = self.scores(rows) > self.scores(best)  # never with a reference that a segment lacks: 0
            best = np.where(is_better[:, None], rows, best)
        return best

    def _count(self, hypothesis: _Tokens, references: Sequence[str | None]) -> Statistics:
        reference = self._references.get("", [text or "" for text in references], self._tokenize)
        characters = _count(hypothesis.characters, reference.characters, CHAR_ORDER)
        if not self.word_order:
            return characters
        vocabulary = new_vocabulary()
        words = [encode_words(tokens.words, vocabulary) for tokens in (hypothesis, reference)]
        return np.hstack([characters, _count(words[0], words[1], self.word_order)])

    def pair_scores(self, language: str, texts: Sequence[str]) -> Statistics:
        """Return the score of each text with each one as its reference."""
        tokens = self._tokenize(texts)
        rows = _count_pairs(tokens.characters, CHAR_ORDER)
        if self.word_order:
            words = encode_words(tokens.words, new_vocabulary())
            rows = np.hstack([rows, _count_pairs(words, self.word_order)])
        return self.scores(rows).reshape(len(texts), len(texts))

    def _tokenize(self, texts: Sequence[str]) -> _Tokens:
        if self._lowercase:
            texts = [text.lower() for text in texts]
        characters = ["".join(text.split()).encode("utf-32-le") for text in texts]
        return _Tokens(characters, [_split_words(text) for text in texts] if self.word_order else [])

    def score(self, total: Statistics) -> float:
        """Return the corpus score."""
        return float(self.scores(total[None])[0])

    def sentence(self, row: Statistics) -> float:
        """Return the score of a segment: that of `scores`, without the cost of arrays."""
        numbers = row.tolist()
        precision = recall = 0.0
        orders = 0
        for hypothesis, reference, matches in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
            if hypothesis and reference:
                precision += matches / hypothesis
                recall += matches / reference
                orders += 1
        if not precision:
            return 0.0
        precision, recall = precision / orders, recall / orders
        return 100 * ((1 + BETA**2) * precision * recall / (BETA**2 * precision + recall))

    def scores(self, totals: Statistics) -> Statistics:
        """Return the score of each row.

        The F-score of mean precision and mean recall, over the orders that both sides have n-grams of.
        """
        hypothesis, reference, matches = (totals[:, column::3].astype(np.float64) for column in range(3))
        is_counted = (hypothesis > 0) & (reference > 0)
        orders = np.maximum(is_counted.sum(axis=1), 1)
        precision, recall = (
            _sum_columns(np.divide(matches, ngrams, out=np.zeros_like(matches), where=is_counted)) / orders
            for ngrams in (hypothesis, reference)
        )
        factor = BETA**2
        denominator = factor * precision + recall
        f_score = np.divide(
            (1 + factor) * precision * recall, denominator, out=np.zeros_like(denominator), where=denominator > 0
        )
        return np.asarray(100 * f_score)

    def signature(self, language: str, *, by_sentence: bool = False, nrefs: int = 1) -> str:
        """Return sacreBLEU's signature."""
        chrf = CHRF(word_order=self.word_order, lowercase=self._lowercase)
        chrf.num_refs = nrefs
        return str(chrf.get_signature())


class ChrfPlusPlus(Chrf):
    """chrF++: two orders of words beside the characters."""

    word_order: ClassVar[int] = 2


def _sum_columns(rows: Statistics) -> Statistics:
    """Return the sum of each row, added from left to right as sacreBLEU does; numpy may add in another order."""
    total = np.zeros(len(rows))
    for column in rows.T:
        total += column
    return total


def _split_words(text: str) -> list[str]:
    """Return the words, with one punctuation mark split off the end or else off the start: `"(hi)" -> "(hi", ")"`."""
    words: list[str] = []
    for word in text.split():
        if len(word) > 1 and word[-1] in punctuation:
            words += word[:-1], word[-1]
        elif len(word) > 1 and word[0] in punctuation:
            words += word[0], word[1:]
        else:
            words.append(word)
    return words


def _count(hypotheses: list[bytes], references: list[bytes], max_order: int) -> Statistics:
    hypothesis, reference = (count_ngrams(count_tokens(texts), max_order) for texts in (hypotheses, references))
    return _columns(hypothesis, reference, count_matches(hypotheses, references, max_order))


def _count_pairs(texts: list[bytes], max_order: int) -> Statistics:
    """Return a row for each text with each one as its reference."""
    ngrams = count_ngrams(count_tokens(texts), max_order)
    return _columns(ngrams[:, None], ngrams[None], count_pair_matches(texts, max_order))


def _columns(hypothesis: Statistics, reference: Statistics, matches: Statistics) -> Statistics:
    """Return the rows of segments, given their counts by order in the last dimension."""
    # sacreBLEU does not count a hypothesis' n-grams of an order that the reference has none of.
    columns = np.stack(np.broadcast_arrays(hypothesis * (reference > 0), reference, matches), axis=-1)
    return columns.reshape(-1, 3 * matches.shape[-1])
