"""How near words and their translations are as a model represents them: the cosine of the means of their embeddings.

The authors represent a sentence by the mean of the input embeddings of its tokens (appendix D); here it is a word.
"""

from collections import defaultdict
from collections.abc import Container, Sequence

import torch

from llamax_cli.analysis.sentence_encoders import Encode
from llamax_cli.lexicon.store.layout import ITEM_SEPARATOR

BATCH = 256  # pairs that are compared at once; for larger ones the memory is taken and given back each time


class SimilarityMeter:
    """Sums the similarity of entries to their translations, by language of the translations.

    The similarity of an entry is the mean over its translations into the language.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._texts: dict[str, int] = {}  # of the batch, with their places
        self._pairs: list[tuple[int, int, int]] = []  # places of a word and its translation, and of the entry
        self._entries: list[str] = []  # the language of each entry of the batch
        self._sums: dict[str, float] = defaultdict(float)
        self._counts: dict[str, int] = defaultdict(int)

    def add(self, word: str, langs: Sequence[str], translations: Sequence[str], chosen: Container[str]) -> None:
        """Add the translations of a word into those languages that are chosen."""
        place = self._texts.setdefault
        for lang, synonyms in zip(langs, translations, strict=True):
            if lang in chosen:
                first = place(word, len(self._texts))
                for synonym in synonyms.split(ITEM_SEPARATOR):
                    self._pairs.append((first, place(synonym, len(self._texts)), len(self._entries)))
                self._entries.append(lang)
        if len(self._pairs) >= BATCH:
            self._compare()

    def means(self) -> dict[str, float]:
        """Return the mean similarity by language."""
        self._compare()
        return {lang: total / self._counts[lang] for lang, total in self._sums.items()}

    def _compare(self) -> None:
        if not self._pairs:
            return
        vectors = self._encode(list(self._texts))
        words, translations, entries = torch.tensor(self._pairs).T
        cosines = (vectors[words] * vectors[translations]).sum(1).double()
        sums = torch.zeros(len(self._entries), dtype=torch.float64).index_add_(0, entries, cosines)
        means = sums / torch.bincount(entries, minlength=len(self._entries))
        for lang, mean in zip(self._entries, means.tolist(), strict=True):
            self._sums[lang] += mean
            self._counts[lang] += 1
        self._texts, self._pairs, self._entries = {}, [], []
