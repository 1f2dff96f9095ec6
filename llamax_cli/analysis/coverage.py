"""How much of a corpus lexicons cover: the words for which each of them has a translation, by language.

The words are split and looked up by the code of `llamax augment`, so that a share is the one that it reports.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from llamax_cli.augmentation.augmentation import WORD_MEMORY, Augmentation, Augmenter
from llamax_cli.errors import RecordError
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.records import Record, language, text
from llamax_cli.streams.chunks import Tally

SEPARATOR = "\t"
ABSENT = "absent"  # texts in a language of which no lexicon has words


class Coverage(NamedTuple):
    """How many texts there are in a language, how many of their words have a letter, and how many of these are covered.

    A lexicon with a segmentation of its own may find another number of words than the next.
    """

    texts: int = 0
    words: int = 0
    covered: int = 0


@dataclass(frozen=True)
class CoverageRequest:
    """The lexicons, their languages that are of interest, and how the words of a text are found: as in Augmentation."""

    lexicons: Sequence[Lexicon]
    languages: Container[str]
    paper: bool
    segmenters: Mapping[str, str]

    def __call__(self) -> "CoverageCounter":
        """Return the counter of one worker."""
        return CoverageCounter(self)


class CoverageCounter:
    """A stage that counts the source words of pairs, and the words of texts, by lexicon and language."""

    def __init__(self, request: CoverageRequest) -> None:
        self._chosen = request.languages
        plans = {
            number: Augmentation([lexicon], 0, paper=request.paper, segmenters=request.segmenters)
            for number, lexicon in enumerate(request.lexicons)
            if lexicon.languages
        }
        memory = WORD_MEMORY // max(1, len(plans))
        self._augmenters = {number: (plan, Augmenter(plan, memory)) for number, plan in plans.items()}
        self._counters: dict[str, Sequence[tuple[str, Augmenter | None]]] = {}

    def __call__(self, record: Record, tally: Tally) -> list[Record]:
        """Add the text of a record to the tally."""
        return self.transform_batch([record], tally)

    def transform_batch(self, records: Iterable[Record], tally: Tally) -> list[Record]:
        """Add the texts of records to the tally."""
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for source, lang in map(_source, records):
            counters = self._counters.get(lang)
            if counters is None:
                counters = self._counters[lang] = self._find(lang)
            for key, augmenter in counters:
                of_language = sums[key]
                of_language[0] += 1
                if augmenter is not None:
                    words, covered = augmenter.coverage(source, lang)
                    of_language[1] += words
                    of_language[2] += covered
        for key, counts in sums.items():
            for name, count in zip(Coverage._fields, counts, strict=True):
                tally[SEPARATOR.join((key, name))] += count
        return []

    def _find(self, lang: str) -> Sequence[tuple[str, Augmenter | None]]:
        """Return, for each lexicon that has words of a language, the key of its counts and the augmenter.

        If none has, it is a key for that, without an augmenter.
        """
        found: dict[str, tuple[str, Augmenter]] = {}
        for number, (plan, augmenter) in self._augmenters.items():
            with suppress(RecordError):
                known = plan.source_language(lang)
                found[SEPARATOR.join((str(number), known))] = known, augmenter
        if not found:
            return [(SEPARATOR.join((ABSENT, lang)), None)]
        return [(key, augmenter) for key, (known, augmenter) in found.items() if known in self._chosen]


def _source(record: Record) -> tuple[str, str]:
    """Return the text that augment would change, and its language; RecordError where there is none."""
    if "src" in record or "text" not in record:
        return text(record, "src"), language(record, "src_lang")
    return text(record, "text"), language(record, "lang")


def coverages(tally: Tally) -> tuple[dict[tuple[int, str], Coverage], dict[str, int]]:
    """Return the coverage by number of the lexicon and language, and the number of texts in languages that none has."""
    found: dict[tuple[str, str], Coverage] = {}
    for key, count in tally.items():
        first, lang, name = key.split(SEPARATOR)
        found[first, lang] = found.get((first, lang), Coverage())._replace(**{name: count})
    absent = {lang: coverage.texts for (first, lang), coverage in found.items() if first == ABSENT}
    return {(int(first), lang): each for (first, lang), each in found.items() if first != ABSENT}, absent
