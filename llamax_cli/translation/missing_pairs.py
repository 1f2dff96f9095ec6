"""Which texts are translated into the pairs that `mix --plan` found missing.

The texts of a language form a circle, in an order drawn by the seed, and each target language takes the next stretch of
it. So every direction gets as many pairs as it lacks, or one from every text there is; no direction uses a text twice,
and no text is used for a second direction before all texts have been used for one.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import gcd

from llamax_cli.errors import RecordError
from llamax_cli.randomness import below, bits
from llamax_cli.records import Record, language, text, whole_number
from llamax_cli.translation.directions import as_source


@dataclass(frozen=True)
class Stretch:
    """The positions start ... start + length - 1 of a circle, which one target language takes."""

    tgt_lang: str
    start: int
    length: int


@dataclass(frozen=True)
class Circle:
    """The texts of one language: text `number` is at position `number * step + turn`."""

    size: int
    step: int
    turn: int
    stretches: tuple[Stretch, ...]

    def targets(self, number: int) -> list[str]:
        """Return the languages into which text `number` (from 0) of the language is translated."""
        position = (number * self.step + self.turn) % self.size
        return [
            stretch.tgt_lang for stretch in self.stretches if (position - stretch.start) % self.size < stretch.length
        ]


def add_missing(missing: dict[str, dict[str, int]], record: Record) -> None:
    """Add the number of pairs that a record says are missing, as `{"en": {"wo": 24000}}`.

    RecordError if the record is not one of `mix --plan`, or its direction has been added before.
    """
    src_lang, tgt_lang = language(record, "src_lang"), language(record, "tgt_lang")
    if tgt_lang in missing.setdefault(src_lang, {}):
        raise RecordError(f"{src_lang}-{tgt_lang} is planned twice")
    missing[src_lang][tgt_lang] = whole_number(record, "missing")


def circle(size: int, missing: dict[str, int], seed: int) -> Circle:
    """Return which target language takes which of `size` texts; `missing` is the number of pairs each one lacks."""
    size = max(size, 1)
    step = next(step for step in _steps(size, seed) if gcd(step, size) == 1)
    stretches, start = [], 0
    for tgt_lang, count in missing.items():
        length = min(count, size)
        stretches.append(Stretch(tgt_lang, start % size, length))
        start += length
    return Circle(size, step, below(size, bits(seed, "plan turn", size)), tuple(stretches))


def _steps(size: int, seed: int) -> Iterator[int]:
    """Yield random steps; one that is coprime to `size` reaches every position of the circle."""
    attempt = 0
    while True:
        yield 1 + below(size, bits(seed, "plan step", size, attempt))
        attempt += 1


class Plan:
    """Distributes a stream of texts over the directions that lack pairs.

    The texts are counted first: `read()` yields the records of the whole input, None for a bad line, and `done()` is
    the number of lines that an interrupted run has finished. `shortfall` is, once they are counted, the number of pairs
    for which there are too few texts, by direction.
    """

    def __init__(
        self,
        missing: dict[str, dict[str, int]],
        read: Callable[[], Iterator[Record | None]],
        done: Callable[[], int],
        seed: int,
    ) -> None:
        self._missing = missing
        self._read = read
        self._done = done
        self._seed = seed
        self._circles: dict[str, Circle] | None = None
        self._passed: Counter[str] = Counter()
        self.shortfall: dict[str, int] = {}

    def expand(self, record: Record) -> list[Record] | RecordError:
        """Return a source for each direction that takes the next record of the stream; none if the plan skips it."""
        circles = self._counted()
        try:
            source = _usable(record, self._missing)
        except RecordError as error:
            return error
        if source is None:
            return []
        src_lang = language(source, "src_lang")
        number = self._passed[src_lang]
        self._passed[src_lang] += 1
        return [{**source, "tgt_lang": code, "origin": "mt"} for code in circles[src_lang].targets(number)]

    def _counted(self) -> dict[str, Circle]:
        """Return the circles; the texts are counted at the first record, when `done()` is known."""
        if self._circles is None:
            sizes = self._count()
            self._circles = {code: circle(sizes[code], missing, self._seed) for code, missing in self._missing.items()}
            self.shortfall = {
                f"{code}-{tgt_lang}": count - sizes[code]
                for code, missing in self._missing.items()
                for tgt_lang, count in missing.items()
                if count > sizes[code]
            }
        return self._circles

    def _count(self) -> Counter[str]:
        """Return the number of usable texts by language; those that an interrupted run has finished are passed."""
        done, sizes = self._done(), Counter[str]()
        for number, record in enumerate(self._read()):
            if number == done:
                self._passed = Counter(sizes)
            src_lang = None if record is None else _language_of(record, self._missing)
            if src_lang is not None:
                sizes[src_lang] += 1
        return sizes


def _usable(record: Record, missing: dict[str, dict[str, int]]) -> Record | None:
    """Return a text as a source, None if it is empty or its language lacks no pairs."""
    source = as_source(record)
    is_usable = language(source, "src_lang") in missing and text(source, "src").strip()
    return source if is_usable else None


def _language_of(record: Record, missing: dict[str, dict[str, int]]) -> str | None:
    try:
        source = _usable(record, missing)
    except RecordError:
        return None
    return None if source is None else language(source, "src_lang")
