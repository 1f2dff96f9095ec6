"""Pairs of words as rows that sort into the lexicon: narrowed, in both directions, in both Chinese scripts.

A row is `language NUL word NUL language NUL translation NUL sources`, sources with U+0001 between them; where a word is
only to be counted as an entity of a language, the last three are empty. Sorted by bytes, the rows of an entry stand
together, and its translations are in order.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

from llamax_cli.lexicon.dictionaries import Dictionary, Pair, Parsed
from llamax_cli.lexicon.store.layout import ITEM_SEPARATOR
from llamax_cli.script import CHINESE, chinese
from llamax_cli.streams.chunks import Chunk, Tally
from llamax_cli.streams.rejects import Reject
from llamax_cli.streams.sorting import write_run


@dataclass(frozen=True)
class Choice:
    """What to make of the pairs: `only` these languages (none: all), at most `max_words` words a side."""

    one_way: bool = False
    keep_identical: bool = False
    hops: int = 1
    only: Collection[str] = ()
    max_words: int | None = None


class Piece(NamedTuple):
    """Some lines of a dictionary, how to read them, and what their source is called."""

    chunk: Chunk
    parse: Callable[[Chunk], Parsed]
    source: str


class Sorted(NamedTuple):
    """What became of some pieces: the run their rows are in, what was rejected and counted."""

    run: Path | None
    rejects: list[Reject]
    tally: Tally


def batches(dictionaries: Iterable[Dictionary], size: int) -> Iterator[list[Piece]]:
    """Yield the lines of the dictionaries in batches of about `size` bytes."""
    batch: list[Piece] = []
    length = 0
    for dictionary in dictionaries:
        for chunk in dictionary.chunks:
            batch.append(Piece(chunk, dictionary.parse, dictionary.name))
            length += len(chunk.data)
            if length >= size:
                yield batch
                batch, length = [], 0
    if batch:
        yield batch


def sort_batch(choice: Choice, folder: Path, batch: Sequence[Piece]) -> Sorted:
    """Read the pieces and write their rows as one sorted run."""
    rows: list[str] = []
    rejects: list[Reject] = []
    tally: Tally = Counter()
    for piece in batch:
        parsed = piece.parse(piece.chunk)
        rejects += parsed.rejects
        tally["pairs"] += len(parsed.pairs)
        if choice.only or choice.max_words:
            _narrow(parsed, choice, tally)
        _add(rows, parsed, piece.source, tally, both=not (choice.one_way or parsed.directed))
    return Sorted(write_run(folder, rows) if rows else None, rejects, tally)


def _narrow(parsed: Parsed, choice: Choice, tally: Tally) -> None:
    """Leave out the pairs that are not chosen."""
    spaces = choice.max_words or 1 << 30

    def is_chosen(pair: Pair) -> bool:
        if choice.only and not (pair[0] in choice.only and pair[2] in choice.only):
            # A script of Chinese that is told apart later must not be lost here.
            wide = {*choice.only, *CHINESE} if CHINESE.intersection(choice.only) else choice.only
            if not (pair[0] in wide and pair[2] in wide):
                tally["in other languages"] += 1
                return False
        if pair[1].count(" ") >= spaces or pair[3].count(" ") >= spaces:
            tally["too long"] += 1
            return False
        return True

    chosen = [is_chosen(pair) for pair in parsed.pairs]
    parsed.pairs = [pair for pair, wanted in zip(parsed.pairs, chosen, strict=True) if wanted]
    if parsed.sources:
        parsed.sources = [each for each, wanted in zip(parsed.sources, chosen, strict=True) if wanted]


def _add(rows: list[str], parsed: Parsed, source: str, tally: Tally, *, both: bool) -> None:
    """Append the rows of pairs."""
    add = rows.append
    sources = parsed.sources
    for number, (one, first, other, second) in enumerate(parsed.pairs):
        if first == second:
            tally["identical"] += 1
        said = ITEM_SEPARATOR.join(sources[number]) if sources and sources[number] else source
        if one in CHINESE or other in CHINESE:
            _add_chinese(rows, (one, first, other, second), said, both=both)
        elif one == other:
            tally["in one language"] += 1
        else:
            add(f"{one}\0{first}\0{other}\0{second}\0{said}")
            add(f"{other}\0{second}\0{one}\0{first}\0{said}" if both else f"{other}\0{second}\0\0\0")


def _add_chinese(rows: list[str], pair: Pair, said: str, *, both: bool) -> None:
    """Append the rows of a pair in each script its words belong to, and count them for the language given."""
    one, first, other, second = pair
    firsts = chinese(one, first) if one in CHINESE else (one,)
    seconds = chinese(other, second) if other in CHINESE else (other,)
    for left, right in product(firsts, seconds):
        if left != right:
            rows.append(f"{left}\0{first}\0{right}\0{second}\0{said}")
            rows.append(f"{right}\0{second}\0{left}\0{first}\0{said}" if both else f"{right}\0{second}\0\0\0")
    rows += [f"{one}\0{first}\0\0\0", f"{other}\0{second}\0\0\0"]
