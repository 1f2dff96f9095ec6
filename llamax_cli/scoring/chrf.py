"""chrF++: sacreBLEU's numbers from character and word n-grams counted all at once."""

from collections import defaultdict
from collections.abc import Sequence
from string import punctuation
from typing import NamedTuple

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from llamax_cli.scoring.metrics import PreparedCache, Recipe, Statistics
from llamax_cli.scoring.ngrams import lengths, matches, numbered, numbering, totals

CHARACTERS, WORDS, BETA = 6, 2, 2


class _Text(NamedTuple):
    """Texts as their characters without white space, and as their words."""

    characters: list[bytes]
    words: list[list[str]]


class Chrf:
    """chrF++ with six orders of characters and two of words; three columns an order: hypothesis, reference, both."""

    def __init__(self, recipe: Recipe) -> None:
        self._references: PreparedCache[_Text] = PreparedCache(
            lambda text: sum(map(len, text.characters)) + 80 * sum(map(len, text.words))
        )

    def statistics(self, language: str, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
        """Return the counts of each segment."""
        ours, theirs = _read(hypotheses), self._references.get("", references, _read)
        numbers: defaultdict[str, int] = numbering()
        words = [numbered(text.words, numbers) for text in (ours, theirs)]
        return np.hstack(
            [_counted(ours.characters, theirs.characters, CHARACTERS), _counted(words[0], words[1], WORDS)]
        )

    def score(self, total: Statistics) -> float:
        """Return the corpus score."""
        return float(self.scores(total[None])[0])

    sentence = score

    def scores(self, totals: Statistics) -> Statistics:
        """Return the score of each row: the F-score of mean precision and mean recall over the orders on both sides."""
        hypothesis, reference, found = (totals[:, first::3].astype(np.float64) for first in range(3))
        counts = (hypothesis > 0) & (reference > 0)
        orders = np.maximum(counts.sum(axis=1), 1)
        precision, recall = (
            _summed(np.divide(found, all_, out=np.zeros_like(found), where=counts)) / orders
            for all_ in (hypothesis, reference)
        )
        factor = BETA**2
        below = factor * precision + recall
        f_score = np.divide((1 + factor) * precision * recall, below, out=np.zeros_like(below), where=below > 0)
        return np.asarray(100 * f_score)

    def signature(self, language: str, *, by_sentence: bool = False) -> str:
        """Return sacreBLEU's signature."""
        chrf = CHRF(word_order=WORDS)
        chrf.num_refs = 1
        return str(chrf.get_signature())


def _summed(columns: Statistics) -> Statistics:
    """Return the sum of each row from left to right, which numpy's own order of summing need not be."""
    total = np.zeros(len(columns))
    for column in columns.T:
        total += column
    return total


def _read(texts: Sequence[str]) -> _Text:
    return _Text(["".join(text.split()).encode("utf-32-le") for text in texts], [_words(text) for text in texts])


def _words(text: str) -> list[str]:
    """Return the words, a punctuation mark at the end of one, or else at its start, by itself: "(hi)" -> "(hi", ")"."""
    words: list[str] = []
    for word in text.split():
        if len(word) > 1 and word[-1] in punctuation:
            words += word[:-1], word[-1]
        elif len(word) > 1 and word[0] in punctuation:
            words += word[0], word[1:]
        else:
            words.append(word)
    return words


def _counted(hypotheses: list[bytes], references: list[bytes], orders: int) -> Statistics:
    ours, theirs = totals(lengths(hypotheses), orders), totals(lengths(references), orders)
    # sacreBLEU does not count what is there where the reference has no n-gram of that order.
    columns = np.stack([ours * (theirs > 0), theirs, matches(hypotheses, references, orders)], axis=2)
    return columns.reshape(len(hypotheses), -1)
