"""From dictionaries to entries: rows sorted on disk, composed where two hops are asked for, gathered word by word."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, product

from llamax_cli.lexicon.dictionaries import Dictionary
from llamax_cli.lexicon.rows import Choice, batches, sort_batch
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.layout import ITEM_SEPARATOR
from llamax_cli.records import Entry
from llamax_cli.script import script
from llamax_cli.streams.chunks import Tally
from llamax_cli.streams.parallel import ordered
from llamax_cli.streams.sorting import SortedRuns

BATCH = 6 << 20  # bytes of dictionaries that a worker sorts at once; twenty times as much in memory


@dataclass(frozen=True)
class Builder:
    """What a build needs of its run: `reject` takes a bad line, `tally` what is counted."""

    reject: Callable[[str, int, str, bytes], None]
    tally: Tally
    workers: int = 1


def build(
    dictionaries: Iterable[Dictionary], choice: Choice, builder: Builder, figures: dict[str, LanguageStatistics]
) -> Iterator[Entry]:
    """Yield the entries of the multilingual lexicon by language and word, and count each language in `figures`."""
    with SortedRuns() as runs:
        _read(dictionaries, replace(choice, only=()) if choice.hops > 1 else choice, builder, runs)
        if choice.hops == 1:
            yield from gather(runs.merge(), choice, figures)
            return
        with SortedRuns() as edges, SortedRuns() as composed:
            edges.add(_edges(runs, choice))
            composed.add(_composed(edges))
            yield from gather(composed.merge(), choice, figures)


def _read(dictionaries: Iterable[Dictionary], choice: Choice, builder: Builder, runs: SortedRuns) -> None:
    """Sort the rows of all dictionaries into runs."""
    work = partial(partial, sort_batch, choice, runs.folder)
    for _, done in ordered(work, batches(dictionaries, BATCH), builder.workers):
        if done.run is not None:
            runs.add_file(done.run)
        builder.tally.update(done.tally)
        for reject in done.rejects:
            builder.reject(*reject)


def _edges(runs: SortedRuns, choice: Choice) -> Iterator[str]:
    """Yield each row at the word it begins with (`1`) and at the word it ends with (`0`): paths meet at a word.

    A word is not joined to itself in another language unless such pairs are wanted.
    """
    for row in _fields(runs):
        lang, word, other, text, sources = row
        if not other or (word == text and not choice.keep_identical):
            yield "\0".join(("", "", "", *row))  # no path leads through it: it passes
            continue
        yield "\0".join((lang, word, "1", other, text, sources))
        yield "\0".join((other, text, "0", lang, word, sources))


def _composed(edges: SortedRuns) -> Iterator[str]:
    """Yield the rows of one hop and of two: into a word and out of it."""
    for pivot, group in groupby(_fields(edges), key=lambda row: (row[0], row[1])):
        if pivot == ("", ""):
            yield from ("\0".join(row[3:]) for row in group)
            continue
        edge: dict[str, list[list[str]]] = {"0": [], "1": []}
        for row in group:
            edge[row[2]].append(row[3:])
        for lang, word, sources in edge["1"]:
            yield "\0".join((*pivot, lang, word, sources))
        for (lang, word, sources), (other, text, more) in product(edge["0"], edge["1"]):
            if lang != other:
                yield "\0".join((lang, word, other, text, sources + ITEM_SEPARATOR + more))


def _fields(runs: SortedRuns) -> Iterator[list[str]]:
    for block in runs.merge():
        for row in b"\n".join(block).decode().split("\n"):
            yield row.split("\0")


def gather(blocks: Iterable[list[bytes]], choice: Choice, figures: dict[str, LanguageStatistics]) -> Iterator[Entry]:
    """Yield an entry for the rows of each word, which stand together."""
    language, word = "", ""
    translations: dict[str, list[str]] = {}
    sources: set[str] = set()
    figure = LanguageStatistics()
    identical = ""
    only, keep = choice.only, choice.keep_identical
    for block in blocks:
        for row in b"\n".join(block).decode().split("\n"):
            lang, text, other, translation, source = row.split("\0")
            if only and (lang not in only or (other and other not in only)):
                continue
            if text != word or lang != language:
                if translations:
                    yield _entry(word, language, translations, sources, figure)
                    translations, sources = {}, set()
                if lang != language:
                    figure = figures.setdefault(lang, LanguageStatistics())
                language, word, identical = lang, text, ""
                figure.entities += 1
            if not other:
                continue
            if translation == text:
                if other != identical:
                    identical = other
                    figure.identical += 1
                if not keep:
                    continue
            sources.add(source)
            found = translations.get(other)
            if found is None:
                translations[other] = [translation]
            elif found[-1] != translation:
                found.append(translation)
    if translations:
        yield _entry(word, language, translations, sources, figure)


def _entry(
    word: str, language: str, translations: Mapping[str, list[str]], sources: set[str], figure: LanguageStatistics
) -> Entry:
    figure.entries += 1
    figure.groups += len(translations)
    figure.translations += sum(map(len, translations.values()))
    written_in = script(word)
    figure.scripts[written_in] = figure.scripts.get(written_in, 0) + 1
    spaces = word.count(" ")
    if spaces:
        figure.multi_word += 1
    if spaces >= figure.longest:
        figure.longest = spaces + 1
    said = set(ITEM_SEPARATOR.join(sources).split(ITEM_SEPARATOR))  # a row may have several
    return {"word": word, "lang": language, "translations": dict(translations), "sources": sorted(said)}
