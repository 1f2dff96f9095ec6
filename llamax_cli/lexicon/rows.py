"""Rows that sort into the entries of a lexicon: the word pairs, filtered, in both directions and Chinese scripts.

A row is `language NUL word NUL language NUL translation NUL sources`, with U+0001 between the sources. The last three
fields are empty in a row that only counts its word as an entity of its language. When rows are sorted by bytes, the
rows of an entry are next to each other and its translations are in order.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import NamedTuple

from llamax_cli.languages import LanguageSet
from llamax_cli.lexicon.dictionaries import Dictionary, ParsedLines, WordPair
from llamax_cli.lexicon.store.layout import ITEM_SEPARATOR
from llamax_cli.script import CHINESE, chinese
from llamax_cli.streams.chunks import Chunk, Tally
from llamax_cli.streams.rejects import Reject
from llamax_cli.streams.sorting import write_run

UNLIMITED = 1 << 30  # words in a side


@dataclass(frozen=True)
class BuildOptions:
    """Which pairs to keep: `only` those in these languages (empty: all), with at most `max_words` words a side."""

    one_way: bool = False
    keep_identical: bool = False
    hops: int = 1
    only: LanguageSet = field(default_factory=LanguageSet)
    max_words: int | None = None


class ParseTask(NamedTuple):
    """Some lines of a dictionary, the function that parses them, and the name of their source."""

    chunk: Chunk
    parse: Callable[[Chunk], ParsedLines]
    source: str


class SortedBatch(NamedTuple):
    """The result of a batch of tasks: the sorted run of its rows (None: no rows), the rejected lines and the counts.

    `lines` is the number of lines that were read and not rejected, `rows` that of the rows in the run.
    """

    run: Path | None
    rejects: list[Reject]
    tally: Tally
    lines: int
    rows: int


def batches(dictionaries: Iterable[Dictionary], size: int) -> Iterator[list[ParseTask]]:
    """Yield the lines of the dictionaries in batches of about `size` bytes."""
    batch: list[ParseTask] = []
    length = 0
    for dictionary in dictionaries:
        for chunk in dictionary.chunks:
            batch.append(ParseTask(chunk, dictionary.parse, dictionary.name))
            length += len(chunk.data)
            if length >= size:
                yield batch
                batch, length = [], 0
    if batch:
        yield batch


def sort_batch(options: BuildOptions, folder: Path, batch: Sequence[ParseTask]) -> SortedBatch:
    """Parse a batch and write its rows as one sorted run."""
    rows: list[str] = []
    rejects: list[Reject] = []
    tally: Tally = Counter()
    lines = 0
    for task in batch:
        parsed = task.parse(task.chunk)
        rejects += parsed.rejects
        lines += task.chunk.data.count(b"\n") - len(parsed.rejects)
        tally["pairs"] += len(parsed.pairs)
        tally.update(parsed.left_out)
        if options.only or options.max_words:
            _filter(parsed, options, tally)
        _add_rows(rows, parsed, task.source, tally, both_ways=not (options.one_way or parsed.one_way))
    return SortedBatch(write_run(folder, rows) if rows else None, rejects, tally, lines, len(rows))


def _filter(parsed: ParsedLines, options: BuildOptions, tally: Tally) -> None:
    """Remove the pairs that the options exclude, and count them."""
    max_spaces = options.max_words or UNLIMITED
    only = options.only
    # Keep both scripts of Chinese: which of them a word belongs to is decided later.
    languages = LanguageSet({*only, *CHINESE}) if CHINESE.intersection(only) else only

    def is_kept(pair: WordPair) -> bool:
        if only and not (pair[0] in languages and pair[2] in languages):
            tally["in other languages"] += 1
            return False
        if pair[1].count(" ") >= max_spaces or pair[3].count(" ") >= max_spaces:
            tally["too long"] += 1
            return False
        return True

    kept = [is_kept(pair) for pair in parsed.pairs]
    parsed.pairs = [pair for pair, keep in zip(parsed.pairs, kept, strict=True) if keep]
    if parsed.sources:
        parsed.sources = [sources for sources, keep in zip(parsed.sources, kept, strict=True) if keep]


def _add_rows(rows: list[str], parsed: ParsedLines, name: str, tally: Tally, *, both_ways: bool) -> None:
    """Append the rows of the pairs; `name` is the source of pairs that do not name their own sources."""
    add = rows.append
    sources = parsed.sources
    for number, (lang, word, other_lang, other_word) in enumerate(parsed.pairs):
        if word == other_word:
            tally["identical"] += 1
        source = ITEM_SEPARATOR.join(sources[number]) if sources and sources[number] else name
        if lang in CHINESE or other_lang in CHINESE:
            _add_chinese_rows(rows, (lang, word, other_lang, other_word), source, both_ways=both_ways)
        elif lang == other_lang:
            tally["in one language"] += 1
        else:
            add(f"{lang}\0{word}\0{other_lang}\0{other_word}\0{source}")
            add(
                f"{other_lang}\0{other_word}\0{lang}\0{word}\0{source}"
                if both_ways
                else f"{other_lang}\0{other_word}\0\0\0"
            )


def _add_chinese_rows(rows: list[str], pair: WordPair, source: str, *, both_ways: bool) -> None:
    """Append the rows of a pair in each script of its words, and rows that count the words in the languages given."""
    lang, word, other_lang, other_word = pair
    langs = chinese(lang, word) if lang in CHINESE else (lang,)
    other_langs = chinese(other_lang, other_word) if other_lang in CHINESE else (other_lang,)
    for left, right in product(langs, other_langs):
        if left != right:
            rows.append(f"{left}\0{word}\0{right}\0{other_word}\0{source}")
            rows.append(
                f"{right}\0{other_word}\0{left}\0{word}\0{source}" if both_ways else f"{right}\0{other_word}\0\0\0"
            )
    rows += [f"{lang}\0{word}\0\0\0", f"{other_lang}\0{other_word}\0\0\0"]
