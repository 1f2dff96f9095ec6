"""Augmentation: code-switched copies of pairs and texts (paper, section 2.1, step 2, and section 3.2)."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations
from typing import Any, NamedTuple

from msgspec import Raw

from llamax_cli.augmentation.code_switching import LineSwitcher, SpacedSwitcher, Switched, Switcher
from llamax_cli.augmentation.segmenters import DEFAULTS, DICTIONARY, describe, splitter
from llamax_cli.augmentation.unspaced_scripts import CHINESE, UNSPACED
from llamax_cli.augmentation.vocabulary import LexiconSource, MemoryBudget, Vocabulary
from llamax_cli.augmentation.words import split_words
from llamax_cli.console import counted
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.languages import LanguageSet, alternatives, canonical, covers, find
from llamax_cli.lexicon.catalog import open_lexicon
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.randomness import bits, keyed_bits
from llamax_cli.records import Record, count_lines, parse, serialise, text
from llamax_cli.streams.chunks import Outcome, Tally
from llamax_cli.streams.paths import same_file
from llamax_cli.streams.run import Run

WORD_MEMORY = 128 << 20  # bytes of memory for the words that a worker caches
COUNTS = ("words", "covered", "replaced", "sentences", "unchanged")  # all other keys of the tally are languages
MAX_VERIFIED = 1 << 30  # bytes; a lexicon no larger is verified first, at some gigabytes a second
PAIR_KEYS = {"src", "tgt", "src_lang", "tgt_lang"}  # keys of a text that are dropped when it becomes a pair
TARGET = "tgt"  # stands for the target language of each pair
RULES = 2  # raise it when the same record gets other words; a run is not resumed under other rules
MOST_COPIES = 1000  # of a record, which are in memory at once
MAX_LISTED = 20  # languages that a message lists


@dataclass(frozen=True)
class Augmentation:
    """How to augment records.

    `rate`: share of the words to replace. `into`: languages of the replacements (empty: all languages of the lexicons).
    `without`: languages to exclude; TARGET is the target language of each pair. `copies`: number of copies of each
    record, each with its own random choices. `append`: write the record itself before its copies. `drop_unchanged`:
    leave out copies without replacements. `paper`: exactly as in the paper, that is, in lower case, with words split at
    white space and without phrases. `segmenters`: the segmenter of each language without spaces (see segmenters.py).
    """

    lexicons: Sequence[Lexicon]
    rate: float = 0.3
    into: Collection[str] = ()
    without: Collection[str] = ()
    copies: int = 1
    append: bool = False
    drop_unchanged: bool = False
    paper: bool = False
    segmenters: Mapping[str, str] = field(default_factory=lambda: DEFAULTS)
    seed: int = 0

    def __post_init__(self) -> None:
        have = self.lexicon_by_language
        if not have:
            raise UsageError(
                f"{self._paths()} has no entries; build a lexicon of dictionaries of the languages you need"
            )
        if missing := [lang for lang in self.into if not self._languages_for(lang)]:
            raise UsageError(
                f"--into {','.join(missing)}: no such language in {self._paths()}; have: {_list_some(have)}"
            )
        if not self._replacement_languages(self.without):
            raise UsageError("--not leaves no language to translate words into")
        if self.paper and any(self.segmenters[lang] != DEFAULTS[lang] for lang in UNSPACED.difference(CHINESE)):
            raise UsageError(
                "--paper segments only Chinese; with it, --segmenter can only name a segmenter for Chinese"
            )

    def __call__(self) -> "Augmenter":
        """Return the Augmenter of one worker."""
        return Augmenter(self)

    @cached_property
    def lexicon_by_language(self) -> Mapping[str, Lexicon]:
        """The lexicon from which each language is taken."""
        return choose_lexicons(self.lexicons)

    def _languages_for(self, lang: str) -> set[str]:
        """Return the languages of the lexicons that a language of `--into` stands for: itself and its regions.

        If there are none, the language is taken without its region.
        """
        have = self.lexicon_by_language
        found = find(lang, have)
        return {each for each in have if covers(lang, each)} or ({found} if found else set())

    def _replacement_languages(self, without: Iterable[str]) -> set[str]:
        """Return the languages of replacements; each of `without` stands for its regions too."""
        into = {each for lang in self.into for each in self._languages_for(lang)} or set(self.lexicon_by_language)
        excluded = LanguageSet(without)
        return {lang for lang in into if lang not in excluded}

    def source_language(self, lang: str) -> str:
        """Return the language of the lexicons in which the words of a text are looked up: "en" for "en-GB".

        RecordError if no lexicon has words of the language.
        """
        have = {each for lexicon in self.lexicons for each in lexicon.languages}
        found = find(lang, have)
        if found is None:
            raise RecordError(f"{self._paths()} has no words of {lang!r}, only of {_list_some(have)}")
        return found

    def sources(self, lang: str, target: str) -> list[LexiconSource]:
        """Return the languages to take from each lexicon for pairs with the given source and target language."""
        without = {each for each in self.without if each != TARGET}
        if TARGET in self.without:
            without |= set(alternatives(target))
        # A text in en-GB whose words are looked up as words of en is not to get words of en-GB in their place.
        without |= {lang} - {self.source_language(lang)}
        if len(self.lexicons) == 1 and not self.into and not without:
            return [LexiconSource(self.lexicons[0])]
        languages = self._replacement_languages(without)
        return [
            LexiconSource(lexicon, frozenset(lang for lang in languages if self.lexicon_by_language[lang] is lexicon))
            for lexicon in self.lexicons
        ]

    @property
    def dependencies(self) -> dict[str, Any]:
        """What the result depends on besides the options: the rules, the content of the lexicons, how texts are split.

        `segmenter` is that of Chinese. `segmentation` are those of other languages, absent if the lexicons have none.
        """
        chinese = sorted({self.segmenters[lang] for lang in CHINESE})
        facts: dict[str, Any] = {
            "rules of augmentation": RULES,
            "lexicons": [lexicon.fingerprint for lexicon in self.lexicons],
            "segmenter": ",".join(chinese),
        }
        have = {lang for lexicon in self.lexicons for lang in lexicon.languages}
        others = () if self.paper else sorted(have.intersection(UNSPACED).difference(CHINESE))
        if others:
            facts["segmentation"] = [f"{lang}={describe(self.segmenters[lang])}" for lang in others]
        return facts

    def _paths(self) -> str:
        return ", ".join(lexicon.path for lexicon in self.lexicons)


def choose_lexicons(lexicons: Sequence[Lexicon]) -> Mapping[str, Lexicon]:
    """Return the lexicon from which each language is taken: the one with the most entities in it (Table 2).

    Of several with as many, it is the first.
    """
    have = sorted({lang for lexicon in lexicons for lang in lexicon.statistics})
    return {lang: max(lexicons, key=lambda lexicon: lexicon.entities(lang)) for lang in have}


def open_lexicons(names: Sequence[str], option: str = "--dict ") -> list[Lexicon]:
    """Open lexicons by name or path; raise UsageError if `option` names none, or one twice."""
    lexicons = [open_lexicon(name) for name in names]
    for lexicon in lexicons:
        if lexicon.size <= MAX_VERIFIED:
            lexicon.verify()
    if not lexicons or any(same_file(one.path, other.path) for one, other in combinations(lexicons, 2)):
        raise UsageError(f"{option}{','.join(names)}: give one lexicon or several different ones".removeprefix(": "))
    return lexicons


class Augmenter:
    """Augments records in one worker, with `memory` bytes for the words that it caches."""

    def __init__(self, plan: Augmentation, memory: int = WORD_MEMORY) -> None:
        self._plan = plan
        self._memory = MemoryBudget(memory)
        self._switchers: dict[tuple[str, str], Switcher] = {}
        self._directions: dict[tuple[str, str], _Direction] = {}
        self._lines: LineSwitcher | None = None
        if LineSwitcher is not None:
            self._lines = LineSwitcher(
                self._direction, appends=plan.append, drops_unchanged=plan.drop_unchanged, lowers=plan.paper
            )

    def __call__(self, record: Record, tally: Tally) -> list[Record]:
        """Return the copies of a pair or a text, which are pairs; count words and replacements."""
        return self.transform_batch([record], tally)

    def transform_batch(self, records: Iterable[Record], tally: Tally) -> list[Record]:
        """Return the copies of several records, the same as calls with one record at a time."""
        augmented: list[Record] = []
        counted: list[Switched] = []
        keep_all = not self._plan.drop_unchanged
        for record in records:
            if self._plan.append:
                augmented.append(record)
            if "src" in record or "text" not in record:
                source, target = text(record, "src"), text(record, "tgt")
                copies = self._copies(source, target, (text(record, "src_lang"), text(record, "tgt_lang")))
                augmented += [
                    {**record, "src": Raw(switched), "origin": "aug-para"}
                    for switched, _, _, replaced, _ in copies
                    if keep_all or replaced
                ]
            else:
                source, lang = text(record, "text"), text(record, "lang")
                copies = self._copies(source, "", (lang, lang))
                augmented += [
                    _pair(record, Raw(switched)) for switched, _, _, replaced, _ in copies if keep_all or replaced
                ]
            counted += copies
        _count(counted, tally)
        return augmented

    def transform_lines(self, data: bytes) -> Outcome | None:
        """Return the outcome of lines, the same as that of their records; None where records are as quick."""
        if self._lines is None:
            return None
        pieces, left, written, counts, languages, more = self._lines(data)
        read = count_lines(data)
        if 2 * len(left) > read:
            return None
        tally = Counter({**dict(zip(COUNTS, counts, strict=True)), **languages})
        tally.update(more)
        for place, start in enumerate(left):
            copies = self.transform_batch([parse(data[start : data.index(b"\n", start)])], tally)
            pieces[place] += serialise(copies)
            written += len(copies)
        return Outcome(b"".join(pieces), read, written, [], tally)

    def coverage(self, source: str, lang: str) -> tuple[int, int]:
        """Return how many words of a text have a letter, and how many of these have a translation.

        `lang` is as written in the record. RecordError if no lexicon has words of the language.
        """
        ((_, words, covered, _, _), *_) = self._copies(source, "", (lang, lang))
        return words, covered

    def _copies(self, source: str, target: str, langs: tuple[str, str]) -> list[Switched]:
        """Return the copies of a source text; `langs` are the source and target languages as written in the record."""
        direction = self._directions.get(langs) or self._direction(*langs)
        source = source.lower() if self._plan.paper else source
        return [direction.switch(source, keyed_bits(key, source, target)) for key in direction.keys]

    def _direction(self, lang: str, target: str) -> "_Direction":
        """Return the direction of two languages as written in a record."""
        plan = self._plan
        langs = lang, target
        lang, target = map(canonical, langs)
        # Directions with the same source language and the same languages of replacements share a switcher.
        key = lang, target if TARGET in plan.without else ""
        switcher = self._switchers.get(key) or self._switcher(lang, target)
        self._switchers[key] = switcher
        keys = [bits(plan.seed, "augment", copy, lang, target) for copy in range(plan.copies)]
        direction = self._directions[langs] = _Direction(switcher.compiled, switcher.switch, keys)
        return direction

    def _switcher(self, lang: str, target: str) -> Switcher:
        plan = self._plan
        sources = plan.sources(lang, target)
        lang = plan.source_language(lang)
        # The paper splits only Chinese other than at spaces.
        segmenter = self._segmenter(lang)
        # The search for entries finds phrases, too; other segmenters may split an entry into several words.
        has_phrases = segmenter not in {None, DICTIONARY} or any(
            source.lexicon.max_words(lang) > 1 for source in sources
        )
        vocabulary = Vocabulary(
            sources,
            lang,
            " " if segmenter is None else "",
            self._memory,
            has_phrases=has_phrases and not plan.paper and segmenter != DICTIONARY,
            is_exact=plan.paper,
        )
        return Switcher(vocabulary, splitter(segmenter, vocabulary) if segmenter else split_words, plan.rate)

    def _segmenter(self, lang: str) -> str | None:
        """Return the name of the segmenter of a language, or None if its words are what is between spaces."""
        return None if self._plan.paper and lang not in CHINESE else self._plan.segmenters.get(lang)


class _Direction(NamedTuple):
    """A translation direction: what code-switches its texts, and the random bits of each copy.

    What `compiled` leaves is left to `switch`; it is None where llamax was installed without a C compiler.
    """

    compiled: "SpacedSwitcher | None"  # quoted, as it may not be there
    switch: Callable[[str, int], Switched]
    keys: list[int]


def _pair(record: Record, source: Raw) -> Record:
    """Return a pair whose source is the code-switched text and whose target is the text itself."""
    pair: Record = {}
    for key, value in record.items():
        if key == "text":
            pair["src"], pair["tgt"] = source, value
        elif key == "lang":
            pair["src_lang"] = pair["tgt_lang"] = value
        elif key not in PAIR_KEYS:
            pair[key] = value
    pair["origin"] = "aug-mono"
    return pair


def _count(copies: Sequence[Switched], tally: Tally) -> None:
    """Count words and replacements of all copies at once; counting one by one takes longer than code-switching."""
    if copies:
        _, words, covered, replaced, languages = zip(*copies, strict=True)
        tally.update(chain.from_iterable(languages))
        tally["sentences"] += len(copies)
        tally["words"] += sum(words)
        tally["covered"] += sum(covered)
        tally["replaced"] += sum(replaced)
        tally["unchanged"] += replaced.count(0)


def report(run: Run) -> None:
    """Add the counts of words and replacements to the manifest and the summary."""
    counts = {name: run.tally.pop(name, 0) for name in COUNTS}
    coverage, achieved = (counts[name] / max(1, counts["words"]) for name in ("covered", "replaced"))
    run.figures |= {**counts, "coverage": round(coverage, 6), "achieved_rate": round(achieved, 6)}
    run.figures["replacements"] = dict(sorted(run.tally.items()))
    run.tally.clear()
    run.remarks.append(
        f"{achieved:.1%} of {counted(counts['words'], 'word')} replaced, {coverage:.1%} covered, "
        f"{counts['unchanged']:,} of {counted(counts['sentences'], 'sentence')} unchanged"
    )


def _list_some(languages: Collection[str]) -> str:
    names = sorted(languages)
    more = len(names) - MAX_LISTED
    return ", ".join(names[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
