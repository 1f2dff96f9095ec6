"""Lexicons side by side, by language: entities as in Table 2, and what else decides which of them to take.

The rule is that of augment, which is the paper's: of several lexicons a language is taken from the one with the most
entities in it, of equals from the first.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from llamax_cli.analysis.coverage import Coverage, CoverageRequest, coverages
from llamax_cli.augmentation.augmentation import choose_lexicons
from llamax_cli.console import counted
from llamax_cli.errors import UsageError
from llamax_cli.languages import LanguageSet
from llamax_cli.lexicon.catalog import ENDING
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.layout import ITEM_SEPARATOR
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.records import ForeignTranslation, LexiconLanguage
from llamax_cli.script import NONE, script, usual_scripts
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import Table

if TYPE_CHECKING:
    from llamax_cli.analysis.entity_similarity import SimilarityMeter

DIGITS = 6
SHOWN_ENTRIES = 1 << 12  # entries after which the progress is shown
LISTED = 5  # languages that a remark names


@dataclass(frozen=True)
class LexiconRequest:
    """The lexicons with the names that they were given, and what to find out about them.

    `only`: the languages (empty: all). `corpus`: files whose words are looked up, if there are any, in the way of
    `paper` and `segmenters` (see Augmentation). `model`: what represents words, if anything does. `foreign`: the
    translations in a script that is not the language's, instead of figures.
    """

    names: Sequence[str]
    lexicons: Sequence[Lexicon]
    only: LanguageSet = field(default_factory=LanguageSet)
    corpus: Sequence[str] = ()
    paper: bool = False
    segmenters: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    trust_remote_code: bool = False
    foreign: bool = False
    table: str | None = None

    @property
    def languages(self) -> list[str]:
        """The languages of all lexicons that were asked for, sorted; UsageError for one that none has."""
        have = sorted({lang for lexicon in self.lexicons for lang in lexicon.statistics})
        if missing := [lang for lang in self.only if not any(each in LanguageSet([lang]) for each in have)]:
            raise UsageError(f"--only {','.join(missing)}: no such language in {', '.join(self.names)}")
        return [lang for lang in have if not self.only or lang in self.only]


class Translations(msgspec.Struct):
    """The translations into a language: how many there are by script, and the mean similarity to their words."""

    scripts: Counter[str] = msgspec.field(default_factory=Counter)
    similarity: float | None = None


@dataclass(frozen=True)
class Scan:
    """What the entries of a lexicon say: the translations into each language, and how many repeat a word of it."""

    translations: dict[str, Translations]
    identical: Counter[str]


def write_comparison(run: Run, request: LexiconRequest) -> None:
    """Write a record for each language and lexicon, a table of them, or the translations in a foreign script."""
    run.merges = True
    run.add_dependencies(lexicons=[lexicon.fingerprint for lexicon in request.lexicons])
    languages = request.languages
    if request.foreign:
        records: Iterable[Any] = _foreign(run, request, languages)
    else:
        records = _figures(run, request, languages)
        if request.table:
            records = _side_by_side(records, labels(request.names))
    run.write(records, output=Table(run.settings.output, request.table) if request.table else None)


# -- figures -----------------------------------------------------------------------------------------------------------


def _figures(run: Run, request: LexiconRequest, languages: Sequence[str]) -> Iterator[LexiconLanguage]:
    new_meter = _meters(request)
    covered = _covered(run, request, set(languages))  # first, as a bad line must not cost what comes after it
    advance = run.start_phase("scanning", sum(map(len, request.lexicons)))
    chosen = set(languages)
    scans = [scan(lexicon, chosen, new_meter(), advance) for lexicon in request.lexicons]
    taken = choose_lexicons(request.lexicons)
    counts: Counter[str] = Counter()
    doubtful: list[str] = []
    for lang in languages:
        of_language = [
            _record(request, number, lang, scans[number], covered.get((number, lang)))
            for number in range(len(request.lexicons))
        ]
        for record, lexicon in zip(of_language, request.lexicons, strict=True):
            record["taken"] = taken[lang] is lexicon
            counts[record["lexicon"]] += record["taken"]
            _compare(record, of_language[0])
            yield record
        if max(record["entries"] for record in of_language) > next(
            record["entries"] for record in of_language if record["taken"]
        ):
            doubtful.append(lang)
    if len(request.lexicons) > 1:
        shares = (f"{counts[name]:,} from {name}" for name in request.names)
        run.remarks.append(f"{counted(len(languages), 'language')}, of which to take {', '.join(shares)}")
        if doubtful:
            run.remarks.append(f"another lexicon has more entries, but fewer entities, of {_some(doubtful)}")


def _meters(request: LexiconRequest) -> Callable[[], "SimilarityMeter | None"]:
    """Return what makes the meter of each lexicon, after loading the embeddings; none where no model is asked for."""
    if request.model is None:
        return lambda: None
    from llamax_cli.analysis.entity_similarity import SimilarityMeter
    from llamax_cli.analysis.sentence_encoders import EncoderChoice, load_encoder

    encode = load_encoder(EncoderChoice(request.model, trust_remote_code=request.trust_remote_code))
    return lambda: SimilarityMeter(encode)


def scan(
    lexicon: Lexicon, languages: Container[str], meter: "SimilarityMeter | None", advance: Callable[[int], None]
) -> Scan:
    """Read all entries of a lexicon; only the translations into the languages are compared by the meter."""
    found: dict[str, Translations] = {}
    identical: Counter[str] = Counter()
    for number, (lang, word, langs, translations) in enumerate(lexicon.translated_words(), 1):
        for other_lang, synonyms in zip(langs, translations, strict=True):
            into = found.get(other_lang) or found.setdefault(other_lang, Translations())
            for synonym in synonyms.split(ITEM_SEPARATOR):
                into.scripts[script(synonym)] += 1
                if synonym == word:
                    identical[lang] += 1
        if meter is not None:
            meter.add(word, langs, translations, languages)
        if number % SHOWN_ENTRIES == 0:
            advance(SHOWN_ENTRIES)
    for lang, mean in (meter.means() if meter else {}).items():
        found[lang].similarity = mean
    return Scan(found, identical)


def _covered(run: Run, request: LexiconRequest, languages: Container[str]) -> dict[tuple[int, str], Coverage]:
    """Return the coverage of the corpus by number of the lexicon and language; nothing where there is no corpus."""
    if not request.corpus:
        return {}
    run.start_phase("looking up")
    work = CoverageRequest(request.lexicons, languages, request.paper, request.segmenters)
    found, absent = coverages(run.count(work, [run.input(path) for path in request.corpus]))
    if not run.lines_read:
        run.remarks.append("the corpus is empty")
    elif not found and not absent:
        run.remarks.append("the corpus has no texts in these languages")
    if absent:
        texts = sum(absent.values())
        named = sorted(absent, key=lambda lang: (-absent[lang], lang))
        run.remarks.append(f"no lexicon has words of {_some(named)} ({counted(texts, 'text')})")
    return found


def _some(languages: Sequence[str]) -> str:
    more = f" and {len(languages) - LISTED} more" if len(languages) > LISTED else ""
    return ", ".join(languages[:LISTED]) + more


def _record(request: LexiconRequest, number: int, lang: str, found: Scan, coverage: Coverage | None) -> LexiconLanguage:
    """Return the record of a language in one lexicon, without what depends on the other lexicons."""
    statistics = request.lexicons[number].statistics.get(lang) or LanguageStatistics()
    into = found.translations.get(lang) or Translations()
    record = LexiconLanguage(
        lang=lang,
        lexicon=request.names[number],
        entities=statistics.entities,
        entries=statistics.entries,
        taken=False,
        translations=into.scripts.total(),
    )
    if statistics.translations or statistics.identical:
        # Lexicons of version 0.1 do not say whether they kept them.
        record["identity"] = msgspec.structs.replace(statistics, kept=found.identical[lang]).identity
    if into.scripts:
        record["scripts"] = dict(sorted(into.scripts.items(), key=lambda item: (-item[1], item[0])))
        if expected := usual_scripts(lang):
            others = sum(count for name, count in into.scripts.items() if name not in {*expected, NONE})
            record["foreign"] = round(others / into.scripts.total(), DIGITS)
    if coverage is not None:
        record |= coverage._asdict()  # type: ignore[typeddict-item]
        if coverage.words:
            record["coverage"] = round(coverage.covered / coverage.words, DIGITS)
    if request.model is not None:
        record["model"] = request.model
        if into.similarity is not None:
            record["similarity"] = round(into.similarity, DIGITS)
    return record


def _compare(record: LexiconLanguage, first: LexiconLanguage) -> None:
    """Add how the number of entities differs from that in the first lexicon."""
    if record is first:
        return
    record["difference"] = record["entities"] - first["entities"]
    if first["entities"]:
        record["ratio"] = round(record["entities"] / first["entities"], DIGITS)


# -- side by side ------------------------------------------------------------------------------------------------------

COMPARED = ("entities", "difference", "ratio", "entries", "identity", "coverage", "similarity", "foreign", "scripts")


def labels(names: Sequence[str]) -> list[str]:
    """Return what a table calls the lexicons: their names without folders, or as they were given if two are the same.

    `labels(["data/muse.lex", "panlex"]) -> ["muse", "panlex"]`
    """
    short = [Path(name).name.removesuffix(ENDING) for name in names]
    return short if len(set(short)) == len(short) else list(names)


def _side_by_side(records: Iterable[LexiconLanguage], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each language, with a column for each figure of each lexicon."""
    rows: Iterator[Any] = iter(records)
    if len(names) == 1:
        yield from ({key: row[key] for key in ("lang", *COMPARED) if key in row} for row in rows)
        return
    # Every row has every column that any row has, in this order; a table has them in the order of appearance.
    wide = [_row(names, [first, *(next(rows) for _ in names[1:])]) for first in rows]
    present = {key for row in wide for key in row}
    columns = ["lang", "taken", *(f"{key} {name}" for key in COMPARED for name in names)]
    yield from ({column: row.get(column) for column in columns if column in present} for row in wide)


def _row(names: Sequence[str], records: Sequence[LexiconLanguage]) -> dict[str, Any]:
    row: dict[str, Any] = {"lang": records[0]["lang"]}
    for name, record in zip(names, records, strict=True):
        if record["taken"]:
            row["taken"] = name
        known = COMPARED if record["entities"] else COMPARED[:1]
        row |= {f"{key} {name}": value for key, value in record.items() if key in known}
    return row


# -- translations in a foreign script ----------------------------------------------------------------------------------


def _foreign(run: Run, request: LexiconRequest, languages: Sequence[str]) -> Iterator[ForeignTranslation]:
    expected = {lang: usual_scripts(lang) | {NONE} for lang in languages if usual_scripts(lang)}
    advance = run.start_phase("scanning", sum(map(len, request.lexicons)))
    for name, lexicon in zip(request.names, request.lexicons, strict=True):
        for number, (lang, word, langs, translations) in enumerate(lexicon.translated_words(), 1):
            for other_lang, synonyms in zip(langs, translations, strict=True):
                for synonym in synonyms.split(ITEM_SEPARATOR) if other_lang in expected else ():
                    if (code := script(synonym)) not in expected[other_lang]:
                        yield ForeignTranslation(
                            lang=other_lang, lexicon=name, translation=synonym, script=code, word=word, word_lang=lang
                        )
            if number % SHOWN_ENTRIES == 0:
                advance(SHOWN_ENTRIES)
