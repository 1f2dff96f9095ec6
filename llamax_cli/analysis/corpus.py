"""What a corpus holds: Table 9 of the paper for any corpus, with duplicates, ratios of length and confirmed languages.

Everything is counted in one pass, in memory that does not grow with the corpus. Duplicates are found by sorting a hash
of 128 bits of each text and each pair on disk, so their numbers are not estimates.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, chain
from math import ceil
from typing import Any

from llamax_cli.analysis.corpus_counts import (
    BINS,
    PART,
    CorpusCounter,
    CorpusPart,
    Direction,
    DirectionCounts,
    FileCounts,
    LanguageCounts,
    count_duplicates,
)
from llamax_cli.console import counted
from llamax_cli.errors import UsageError
from llamax_cli.records import CorpusDirection, CorpusLanguage
from llamax_cli.streams.chunks import chunks
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.parallel import ordered
from llamax_cli.streams.run import Run
from llamax_cli.streams.sorting import SortedRuns

PERCENTILES = (5, 50, 95)
DIGITS = 4


@dataclass
class CorpusCounts:
    """The counts of a whole corpus; `duplicates` are those of each language and direction, `files` are by name."""

    languages: dict[str, LanguageCounts] = field(default_factory=dict)
    directions: dict[Direction, DirectionCounts] = field(default_factory=dict)
    files: dict[str, FileCounts] = field(default_factory=dict)
    duplicates: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, name: str, part: CorpusPart) -> None:
        """Add the counts of a part of a file."""
        for code, of_language in part.languages.items():
            self.languages.setdefault(code, LanguageCounts()).add(of_language)
        for direction, of_direction in part.directions.items():
            self.directions.setdefault(direction, DirectionCounts()).add(of_direction)
        self.files.setdefault(name, FileCounts()).add(part.file)


def count_corpus(
    run: Run, inputs: Iterable[Input], tokenizer: str | None, *, describes: bool = False, mixture: bool = False
) -> CorpusCounts:
    """Return the counts of all records of the inputs; bad lines are rejected.

    With `describes`, files are counted by the keys of their records. Records of a `mixture` are samples, and nothing
    but that is counted.
    """
    corpus = CorpusCounts()
    tolerant = run.settings.rejects is not None
    make = partial(CorpusCounter, tokenizer, tolerant=tolerant, describes=describes, mixture=mixture)
    with SortedRuns() as runs:
        run.start_phase("reading")
        rows = 0

        def counted_rows() -> Iterator[str]:
            nonlocal rows
            with closing(ordered(make, chunks(inputs), run.settings.workers)) as parts:
                for chunk, part in parts:
                    for reject in part.rejects:
                        run.reject(*reject)
                    corpus.add(chunk.name, part)
                    run.add_read(part.lines)
                    rows += len(part.rows)
                    yield from part.rows

        runs.add(counted_rows())
        advance = run.start_phase("comparing", rows)
        corpus.duplicates = count_duplicates(runs.merge(), advance)
    return corpus


@dataclass(frozen=True)
class CorpusReport:
    """The records of a corpus, from its counts.

    `unit` is what its length is counted in, words or tokens. `unknown` are languages that the detector does not know,
    in which it can confirm nothing.
    """

    corpus: CorpusCounts
    unit: str
    unknown: frozenset[str] = frozenset()

    def languages(self) -> list[CorpusLanguage]:
        """Return a record for each language, in the order of the codes."""
        return list(map(self._language, sorted(self.corpus.languages)))

    def directions(self) -> list[CorpusDirection]:
        """Return a record for each direction, in the order of the codes."""
        return [self._direction(direction) for direction in sorted(self.corpus.directions)]

    def matrix(self) -> list[dict[str, Any]]:
        """Return a row for each source language, with the number of pairs into each target language by its code."""
        directions = self.corpus.directions
        targets = sorted({target for _, target in directions})
        return [
            {"src_lang": source}
            | {
                target: directions[source, target].pairs if (source, target) in directions else None
                for target in targets
            }
            for source in sorted({source for source, _ in directions})
        ]

    def totals(self) -> dict[str, int]:
        """Return how many texts and pairs, duplicates of them, languages and directions there are."""
        corpus = self.corpus
        repeated = [sum(count for key, count in corpus.duplicates.items() if len(key) == size) for size in (1, 2)]
        return {
            "texts": sum(counts.texts for counts in corpus.languages.values()),
            "duplicate_texts": repeated[0],
            "pairs": sum(counts.pairs for counts in corpus.directions.values()),
            "duplicate_pairs": repeated[1],
            "languages": len(corpus.languages),
            "directions": len(corpus.directions),
        }

    def _language(self, code: str) -> CorpusLanguage:
        counts, duplicates = self.corpus.languages[code], self.corpus.duplicates
        around = {direction: each for direction, each in self.corpus.directions.items() if code in direction}
        sides = [
            (each.src_units if source == code else 0) + (each.tgt_units if target == code else 0)
            for (source, target), each in around.items()
        ]
        record: dict[str, Any] = {
            "lang": code,
            "texts": counts.texts,
            "duplicate_texts": duplicates[(code,)],
            self.unit: counts.units,
            "pairs": sum(each.pairs for each in around.values()),
            "duplicate_pairs": sum(duplicates[direction] for direction in around),
            f"pair_{self.unit}": sum(sides),
            "directions": len({*chain(*around)} - {code}),
        }
        return {**record, **self._shares(counts, [code])}  # type: ignore[typeddict-item]  # one unit of two

    def _direction(self, direction: Direction) -> CorpusDirection:
        counts = self.corpus.directions[direction]
        record: dict[str, Any] = {
            "src_lang": direction[0],
            "tgt_lang": direction[1],
            "pairs": counts.pairs,
            "duplicate_pairs": self.corpus.duplicates[direction],
            f"src_{self.unit}": counts.src_units,
            f"tgt_{self.unit}": counts.tgt_units,
        }
        if with_ratio := counts.pairs - counts.empty:
            record["ratio_mean"] = round(counts.ratio_parts / (PART * with_ratio), DIGITS)
            record |= {f"ratio_p{share}": percentile(counts.ratios, share) for share in PERCENTILES}
        return {**record, **self._shares(counts, direction)}  # type: ignore[typeddict-item]

    def _shares(self, counts: LanguageCounts | DirectionCounts, codes: Iterable[str]) -> dict[str, float]:
        """Return what is there of: empty texts, texts that a detector has answered for, and the share it confirms."""
        shares: dict[str, float] = {"empty": counts.empty} if counts.empty else {}
        if counts.identified:
            shares["identified"] = counts.identified
            if self.unknown.isdisjoint(codes):
                shares["confirmed"] = round(counts.confirmed / counts.identified, DIGITS)
        return shares


def percentile(bins: Mapping[int, int], share: int) -> float:
    """Return the smallest ratio that `share` percent of the pairs do not exceed, to two decimals."""
    ordered_bins = sorted(bins)
    wanted = ceil(sum(bins.values()) * share / 100)
    sums = accumulate(bins[each] for each in ordered_bins)
    return next(each for each, reached in zip(ordered_bins, sums, strict=True) if reached >= wanted) / BINS


def unknown_languages(corpus: CorpusCounts) -> frozenset[str]:
    """Return the languages that were never confirmed and that the default detector does not know.

    Records do not say which detector has seen them. One that never found a language may have found none of it, or may
    not know it; then a share of 0 would say too much. fastText is asked where the default one is not installed.
    """
    doubtful = [code for code, counts in corpus.languages.items() if counts.identified and not counts.confirmed]
    if not doubtful:
        return frozenset()
    from llamax_cli.identification.detectors import DEFAULT
    from llamax_cli.identification.identifier import Identifier

    try:
        identifier = Identifier(DEFAULT)
    except UsageError:
        identifier = Identifier("fasttext")
    return frozenset(code for code in doubtful if identifier.known_code(code) is None)


def say_totals(run: Run, report: CorpusReport) -> None:
    """Put the totals of a corpus into the summary line and the manifest."""
    totals = report.totals()
    run.figures |= totals
    for noun in ("text", "pair"):
        if count := totals[f"{noun}s"]:
            repeated = totals[f"duplicate_{noun}s"]
            run.remarks.append(counted(count, noun) + (f", {repeated:,} of them duplicates" if repeated else ""))
    run.remarks.append(f"{counted(totals['languages'], 'language')}, {counted(totals['directions'], 'direction')}")
    if report.unknown:
        run.remarks.append(f"unknown to the detector: {', '.join(sorted(report.unknown))}")
