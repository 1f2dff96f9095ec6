"""TER by sacreBLEU itself: its edits need a search, not counts."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from sacrebleu.metrics.ter import TER

from llamax_cli.scoring.metrics import MetricSettings, Reference, Statistics


class Ter:
    """Translation edit rate, without regard to case; two columns: edits, and words of the reference.

    Of several references, the edits are the fewest and the words their mean.
    """

    needs_source: ClassVar[bool] = False
    needs_reference: ClassVar[bool] = True
    runs_in_workers: ClassVar[bool] = True
    lower_is_better = True

    def __init__(self, settings: MetricSettings) -> None:
        self._ter = TER()

    def statistics(
        self, language: str, hypotheses: Sequence[str], references: Sequence[Reference], sources: Sequence[str] = ()
    ) -> Statistics:
        """Return the edits and the reference length of each segment."""
        scores = (
            self._ter.sentence_score(hypothesis, [reference] if isinstance(reference, str) else list(reference))
            for hypothesis, reference in zip(hypotheses, references, strict=True)
        )
        return np.array([(score.num_edits, score.ref_length) for score in scores], np.float64)

    def pair_scores(self, language: str, texts: Sequence[str]) -> Statistics:
        """Return the score of each text with each one as its reference."""
        count = len(texts)
        hypotheses = [text for text in texts for _ in range(count)]
        return self.scores(self.statistics(language, hypotheses, list(texts) * count)).reshape(count, count)

    def score(self, total: Statistics) -> float:
        """Return the corpus score: edits per hundred words of the references."""
        return float(self.scores(total[None])[0])

    sentence = score

    def scores(self, totals: Statistics) -> Statistics:
        """Return the score of each row; with an empty reference it is 100 if there are edits, else 0."""
        edits, words = totals[:, 0].astype(np.float64), totals[:, 1]
        without_words = np.where(edits > 0, 1.0, 0.0)
        return 100 * np.divide(edits, words, out=without_words, where=words > 0)

    def signature(self, language: str, *, by_sentence: bool = False, nrefs: int = 1) -> str:
        """Return sacreBLEU's signature."""
        self._ter.num_refs = nrefs
        return str(self._ter.get_signature())
