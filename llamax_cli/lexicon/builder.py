"""Building entries from dictionaries: rows are sorted on disk, composed if there are two hops, and grouped by word."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, product

from llamax_cli.languages import LanguageSet
from llamax_cli.lexicon.dictionaries import Dictionary
from llamax_cli.lexicon.rows import BuildOptions, batches, sort_batch
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.layout import ITEM_SEPARATOR
from llamax_cli.records import Entry
from llamax_cli.script import script
from llamax_cli.streams.chunks import Tally
from llamax_cli.streams.parallel import ordered
from llamax_cli.streams.sorting import SortedRuns

BATCH = 6 << 20  # bytes of dictionaries that a worker sorts at once; the worker needs twenty times as much memory
SHOWN_ROWS = 1 << 12  # rows after which the progress is shown
INCOMING, OUTGOING = "0", "1"  # edges of a word; incoming edges sort first


@dataclass(frozen=True)
class BuildContext:
    """What a build needs from its run.

    `reject` receives each bad line, `tally` counts pairs, and `add_read` takes numbers of good lines. `start_phase`
    takes the name of what is done next and how many rows there are for it, and returns a function that takes numbers of
    rows that are done.
    """

    reject: Callable[[str, int, str, bytes], None]
    tally: Tally
    add_read: Callable[[int], None]
    start_phase: Callable[[str, int | None], Callable[[int], None]]
    workers: int = 1


def build(
    dictionaries: Iterable[Dictionary],
    options: BuildOptions,
    context: BuildContext,
    statistics: dict[str, LanguageStatistics],
) -> Iterator[Entry]:
    """Yield the entries of the lexicon, sorted by language and word; fill in the statistics of each language."""
    with SortedRuns() as runs:
        count = _sort(
            dictionaries, options if options.hops == 1 else replace(options, only=LanguageSet()), context, runs
        )
        if options.hops == 1:
            yield from group_entries(_in_phase("writing", runs, count, context), options, statistics)
            return
        with SortedRuns() as edges, SortedRuns() as composed:
            counts: Counter[str] = Counter()
            edges.add(_counted(_edges(_in_phase("linking", runs, count, context), options), "edges", counts))
            blocks = _in_phase("composing", edges, counts["edges"], context)
            composed.add(_counted(_compose(blocks), "composed", counts))
            yield from group_entries(_in_phase("writing", composed, counts["composed"], context), options, statistics)


def _in_phase(name: str, runs: SortedRuns, count: int, context: BuildContext) -> Iterator[list[bytes]]:
    """Yield the rows of the runs in order, in blocks, and show how many of them are done."""
    advance = context.start_phase(name, count)
    for block in runs.merge():
        for start in range(0, len(block), SHOWN_ROWS):
            part = block[start : start + SHOWN_ROWS]
            yield part
            advance(len(part))


def _counted(rows: Iterable[str], name: str, counts: Counter[str]) -> Iterator[str]:
    for row in rows:
        counts[name] += 1
        yield row


def _sort(dictionaries: Iterable[Dictionary], options: BuildOptions, context: BuildContext, runs: SortedRuns) -> int:
    """Sort the rows of all dictionaries into runs and return their number."""
    count = 0
    context.start_phase("reading", None)
    make_worker = partial(partial, sort_batch, options, runs.folder)
    with closing(ordered(make_worker, batches(dictionaries, BATCH), context.workers)) as results:
        for _, result in results:
            if result.run is not None:
                runs.add_file(result.run)
            context.tally.update(result.tally)
            for reject in result.rejects:
                context.reject(*reject)
            context.add_read(result.lines)
            count += result.rows
    return count


def _edges(blocks: Iterable[list[bytes]], options: BuildOptions) -> Iterator[str]:
    """Yield each row twice, as an outgoing edge of its word and as an incoming edge of its translation.

    After sorting, the edges of a word are next to each other, so that paths of two hops can be joined there. A word is
    not linked to the same word in another language unless identical pairs are kept.
    """
    for row in _split_rows(blocks):
        lang, word, other_lang, translation, sources = row
        if not other_lang or (word == translation and not options.keep_identical):
            yield "\0".join(("", "", "", *row))  # no path leads through this row: it is passed on unchanged
            continue
        yield "\0".join((lang, word, OUTGOING, other_lang, translation, sources))
        yield "\0".join((other_lang, translation, INCOMING, lang, word, sources))


def _compose(blocks: Iterable[list[bytes]]) -> Iterator[str]:
    """Yield the rows of one hop, and the rows of two hops: into a word and out of it."""
    for pivot, group in groupby(_split_rows(blocks), key=lambda row: (row[0], row[1])):
        if pivot == ("", ""):
            yield from ("\0".join(row[3:]) for row in group)
            continue
        by_direction: dict[str, list[list[str]]] = {INCOMING: [], OUTGOING: []}
        for row in group:
            by_direction[row[2]].append(row[3:])
        for edge in by_direction[OUTGOING]:
            yield "\0".join((*pivot, *edge))
        for incoming, outgoing in product(by_direction[INCOMING], by_direction[OUTGOING]):
            lang, word, sources = incoming
            other_lang, translation, other_sources = outgoing
            if lang != other_lang:
                yield "\0".join((lang, word, other_lang, translation, sources + ITEM_SEPARATOR + other_sources))


def _split_rows(blocks: Iterable[list[bytes]]) -> Iterator[list[str]]:
    for block in blocks:
        for row in b"\n".join(block).decode().split("\n"):
            yield row.split("\0")


def group_entries(
    blocks: Iterable[list[bytes]], options: BuildOptions, statistics: dict[str, LanguageStatistics]
) -> Iterator[Entry]:
    """Yield one entry for each word in the sorted rows."""
    language, word = "", ""
    translations: dict[str, list[str]] = {}
    sources: set[str] = set()
    counts = LanguageStatistics()
    identical_lang = ""  # last language in which the word is its own translation; duplicates count once
    only, keep_identical = options.only, options.keep_identical
    for block in blocks:
        for row in b"\n".join(block).decode().split("\n"):
            lang, text, other_lang, translation, source = row.split("\0")
            if only and (lang not in only or (other_lang and other_lang not in only)):
                continue
            if text != word or lang != language:
                if translations:
                    yield _entry(word, language, translations, sources, counts)
                    translations, sources = {}, set()
                if lang != language:
                    counts = statistics.setdefault(lang, LanguageStatistics())
                language, word, identical_lang = lang, text, ""
                counts.entities += 1
            if not other_lang:
                continue
            if translation == text:
                if other_lang != identical_lang:
                    identical_lang = other_lang
                    counts.identical += 1
                    counts.kept += keep_identical
                if not keep_identical:
                    continue
            sources.add(source)
            synonyms = translations.get(other_lang)
            if synonyms is None:
                translations[other_lang] = [translation]
            elif synonyms[-1] != translation:
                synonyms.append(translation)
    if translations:
        yield _entry(word, language, translations, sources, counts)


def _entry(
    word: str, language: str, translations: Mapping[str, list[str]], sources: set[str], counts: LanguageStatistics
) -> Entry:
    """Return the entry of a word and add it to the counts."""
    counts.entries += 1
    counts.groups += len(translations)
    counts.translations += sum(map(len, translations.values()))
    word_script = script(word)
    counts.scripts[word_script] = counts.scripts.get(word_script, 0) + 1
    spaces = word.count(" ")
    if spaces:
        counts.multi_word += 1
    if spaces >= counts.longest:
        counts.longest = spaces + 1
    names = set(ITEM_SEPARATOR.join(sources).split(ITEM_SEPARATOR))  # a row may have several sources
    return {"word": word, "lang": language, "translations": dict(translations), "sources": sorted(names)}
