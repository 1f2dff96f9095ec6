"""Augmentation: code-switched copies of pairs and texts (paper, section 2.1, step 2, and section 3.2)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from msgspec import Raw

from llamax_cli.augmentation import words
from llamax_cli.augmentation.code_switching import Switched, Switcher
from llamax_cli.augmentation.segmentation import CHINESE, SCRIPTS, chinese, longest_match
from llamax_cli.augmentation.vocabulary import LexiconSource, MemoryBudget, Vocabulary
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.lexicon.catalog import open_lexicon
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.randomness import bits, keyed_bits
from llamax_cli.records import Record, text
from llamax_cli.streams.chunks import Tally
from llamax_cli.streams.run import Run

MEMORY = 128 << 20  # bytes of words that a worker keeps
COUNTS = ("words", "covered", "replaced", "sentences", "unchanged")  # the rest of the tally are languages
VERIFIED = 1 << 30  # bytes of a lexicon that is read through before it is trusted, at some gigabytes a second
OWN = {"src", "tgt", "src_lang", "tgt_lang"}  # keys of the pair that a text becomes
TARGET = "tgt"  # in place of a language: that of the pair


@dataclass(frozen=True)
class Augmentation:
    """What to make of each record.

    `rate`: share of the words to replace. `into`: the languages to replace by, all of the lexicons where it is empty;
    `without`: not by these, and TARGET is the target language of each pair. `copies`: each drawn anew. `append`: the
    record itself before them. `drop_unchanged`: no copy that says what the record says. `paper`: to its letter, small
    letters, words between spaces, no phrases. `segmenter`: of Chinese.
    """

    lexicons: Sequence[Lexicon]
    rate: float = 0.3
    into: Collection[str] = ()
    without: Collection[str] = ()
    copies: int = 1
    append: bool = False
    drop_unchanged: bool = False
    paper: bool = False
    segmenter: str = "jieba"
    seed: int = 0

    def __post_init__(self) -> None:
        have = {lang for lexicon in self.lexicons for lang in lexicon.statistics}
        if missing := [lang for lang in self.into if lang not in have]:
            raise UsageError(f"--into {','.join(missing)}: no such language in {self._named()}; have: {_some(have)}")
        if not set(self.into or have).difference(self.without):
            raise UsageError("--not leaves no language to replace words by")

    def __call__(self) -> "Augmenter":
        """Return the stage of one worker."""
        return Augmenter(self)

    @cached_property
    def shares(self) -> Mapping[str, Lexicon]:
        """Which lexicon each language is taken from: the one with most entities for it (Table 2)."""
        have = sorted({lang for lexicon in self.lexicons for lang in lexicon.statistics})
        return {lang: max(self.lexicons, key=lambda lexicon: lexicon.entities(lang)) for lang in have}

    def sources(self, target: str) -> list[LexiconSource]:
        """Return what to take from each lexicon for pairs into a language."""
        without = {target if lang == TARGET else lang for lang in self.without}
        if len(self.lexicons) == 1 and not self.into and not without:
            return [LexiconSource(self.lexicons[0])]
        wanted = set(self.into or self.shares) - without
        return [
            LexiconSource(each, frozenset(lang for lang in wanted if self.shares[lang] is each))
            for each in self.lexicons
        ]

    def check(self, lang: str) -> None:
        """Raise RecordError where no lexicon has words of a language."""
        if not any(lexicon.statistics[lang].entries for lexicon in self.lexicons if lang in lexicon.statistics):
            have = {lang for lexicon in self.lexicons for lang in lexicon.languages}
            raise RecordError(f"{self._named()} has no words of {lang!r}, only of {_some(have)}")

    def _named(self) -> str:
        return ", ".join(lexicon.path for lexicon in self.lexicons)


def open_lexicons(names: Sequence[str]) -> list[Lexicon]:
    """Open lexicons by name or path; UsageError where none is named or one twice."""
    lexicons = [open_lexicon(name) for name in names]
    for lexicon in lexicons:
        if lexicon.size <= VERIFIED:
            lexicon.verify()
    if not lexicons or len({lexicon.path for lexicon in lexicons}) < len(lexicons):
        raise UsageError(f"--dict {','.join(names)}: name one lexicon or several different ones")
    return lexicons


class Augmenter:
    """Augments records, in one worker: `stage(record, tally)`, or many at once."""

    def __init__(self, plan: Augmentation) -> None:
        self._plan = plan
        self._room = MemoryBudget(MEMORY)
        self._switchers: dict[tuple[str, str], Switcher] = {}
        self._directions: dict[tuple[str, str], _Direction] = {}

    def __call__(self, record: Record, tally: Tally) -> list[Record]:
        """Return the copies of a Pair or Mono record as Pairs; count words and what became of them."""
        return self.transform_batch([record], tally)

    def transform_batch(self, records: Iterable[Record], tally: Tally) -> list[Record]:
        """Return the copies of all the records."""
        made: list[Record] = []
        copies: list[Switched] = []
        for record in records:
            if self._plan.append:
                made.append(record)
            if "src" in record or "text" not in record:
                source, other = text(record, "src"), text(record, "tgt")
                new = self._copies(source, other, (text(record, "src_lang"), text(record, "tgt_lang")))
                made += [{**record, "src": Raw(copy[0]), "origin": "aug-para"} for copy in self._wanted(new)]
            else:
                source, lang = text(record, "text"), text(record, "lang")
                new = self._copies(source, "", (lang, lang))
                made += [_pair(record, Raw(copy[0])) for copy in self._wanted(new)]
            copies += new
        _count(copies, tally)
        return made

    def _copies(self, source: str, other: str, langs: tuple[str, str]) -> list[Switched]:
        """Return the copies of a text; `langs` are its language and its translation's as they stand in the record."""
        direction = self._directions.get(langs) or self._direction(langs)
        source = source.lower() if self._plan.paper else source
        return [direction.switch(source, keyed_bits(key, source, other)) for key in direction.keys]

    def _wanted(self, copies: list[Switched]) -> list[Switched]:
        return [copy for copy in copies if copy[3]] if self._plan.drop_unchanged else copies

    def _direction(self, langs: tuple[str, str]) -> "_Direction":
        plan = self._plan
        lang, target = map(canonical, langs)
        # One switcher for all directions into which the same words may be put.
        shared = lang, target if TARGET in plan.without else ""
        switcher = self._switchers.get(shared) or self._switcher(lang, target)
        self._switchers[shared] = switcher
        keys = [bits(plan.seed, "augment", copy, lang, target) for copy in range(plan.copies)]
        direction = self._directions[langs] = _Direction(keys, switcher.switch)
        return direction

    def _switcher(self, lang: str, target: str) -> Switcher:
        plan = self._plan
        plan.check(lang)
        sources = plan.sources(target)
        is_matched = lang in SCRIPTS and not plan.paper
        vocabulary = Vocabulary(
            sources,
            lang,
            "" if lang in CHINESE or is_matched else " ",
            self._room,
            has_phrases=not plan.paper
            and not is_matched
            and (lang in CHINESE or any(each.lexicon.max_words(lang) > 1 for each in sources)),
            exact=plan.paper,
        )
        if lang in CHINESE:
            return Switcher(vocabulary, chinese(plan.segmenter), plan.rate)
        return Switcher(vocabulary, longest_match(vocabulary) if is_matched else words.cut, plan.rate)


class _Direction(NamedTuple):
    """What to do with texts of one direction: random bits for each copy, and who code-switches them."""

    keys: Sequence[int]
    switch: Callable[[str, int], Switched]


def _pair(record: Record, source: Raw) -> Record:
    """Return the pair of a text and its code-switched form."""
    pair: Record = {}
    for key, value in record.items():
        if key == "text":
            pair["src"], pair["tgt"] = source, value
        elif key == "lang":
            pair["src_lang"] = pair["tgt_lang"] = value
        elif key not in OWN:
            pair[key] = value
    pair["origin"] = "aug-mono"
    return pair


def _count(copies: Sequence[Switched], tally: Tally) -> None:
    """Count words and what became of them, at once: one by one it takes longer than to code-switch them."""
    if copies:
        _, words, covered, replaced, languages = zip(*copies, strict=True)
        tally.update(chain.from_iterable(languages))
        tally["sentences"] += len(copies)
        tally["words"] += sum(words)
        tally["covered"] += sum(covered)
        tally["replaced"] += sum(replaced)
        tally["unchanged"] += replaced.count(0)


def report(run: Run) -> None:
    """Put what became of the words into the manifest and the summary."""
    counts = {name: run.tally.pop(name, 0) for name in COUNTS}
    coverage, achieved = (counts[name] / max(1, counts["words"]) for name in ("covered", "replaced"))
    run.figures |= {**counts, "coverage": round(coverage, 6), "achieved_rate": round(achieved, 6)}
    run.figures["replacements"] = dict(sorted(run.tally.items()))
    run.tally.clear()
    run.remarks.append(
        f"{achieved:.1%} of {counts['words']:,} words replaced, {coverage:.1%} covered, "
        f"{counts['unchanged']:,} of {counts['sentences']:,} sentences unchanged"
    )


def _some(languages: Collection[str]) -> str:
    shown = sorted(languages)
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "")
