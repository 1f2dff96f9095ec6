"""TER, by sacreBLEU itself: its edits are searched for, not counted."""

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics.ter import TER

from llamax_cli.scoring.metrics import Recipe, Statistics


class Ter:
    """Translation edit rate; two columns: edits, and words of the reference."""

    def __init__(self, recipe: Recipe) -> None:
        self._ter = TER()

    def statistics(self, language: str, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
        """Return edits and length of each segment."""
        scores = (
            self._ter.sentence_score(*pair) for pair in zip(hypotheses, ([text] for text in references), strict=True)
        )
        return np.array([(score.num_edits, score.ref_length) for score in scores], np.float64)

    def score(self, total: Statistics) -> float:
        """Return the corpus score: edits for each hundred words of the references."""
        return float(self.scores(total[None])[0])

    sentence = score

    def scores(self, totals: Statistics) -> Statistics:
        """Return the score of each row; 100 where there is nothing to reach and something to delete."""
        edits, words = totals[:, 0].astype(np.float64), totals[:, 1]
        empty = np.where(edits > 0, 1.0, 0.0)
        return 100 * np.divide(edits, words, out=empty, where=words > 0)

    def signature(self, language: str, *, by_sentence: bool = False) -> str:
        """Return sacreBLEU's signature."""
        self._ter.num_refs = 1
        return str(self._ter.get_signature())
