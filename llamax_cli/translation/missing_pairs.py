"""Which texts become the pairs that `mix --plan` found missing.

The texts of a language stand in a circle, in an order drawn by the seed, and each direction takes the next stretch of
it. So every direction gets as many as it lacks, or all there are; no text serves a direction twice, and none serves
two directions before all have served one.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import gcd

from llamax_cli.errors import RecordError
from llamax_cli.randomness import below, bits
from llamax_cli.records import Record, language, text, value
from llamax_cli.translation.directions import as_source


@dataclass(frozen=True)
class Stretch:
    """The places start ... start + length - 1 of a circle, which one target language takes."""

    tgt_lang: str
    start: int
    length: int


@dataclass(frozen=True)
class Circle:
    """The texts of one language: how many, in which order, and who takes which."""

    size: int
    step: int
    turn: int
    stretches: tuple[Stretch, ...]

    def targets(self, number: int) -> list[str]:
        """Return the languages into which text `number` (from 0) of the language is translated."""
        place = (number * self.step + self.turn) % self.size
        return [each.tgt_lang for each in self.stretches if (place - each.start) % self.size < each.length]


def add_missing(wanted: dict[str, dict[str, int]], record: Record) -> None:
    """Add how many pairs a record says are missing, as `{"en": {"wo": 24000}}`; RecordError where it is no Missing."""
    src_lang, tgt_lang = language(record, "src_lang"), language(record, "tgt_lang")
    count = value(record, "missing")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise RecordError(f"'missing' is {count!r}, not a number of pairs")
    if tgt_lang in wanted.setdefault(src_lang, {}):
        raise RecordError(f"{src_lang}-{tgt_lang} is planned twice")
    wanted[src_lang][tgt_lang] = count


def circle(size: int, wanted: dict[str, int], seed: int) -> Circle:
    """Return who takes which of `size` texts: `wanted` is how many each target language lacks."""
    size = max(size, 1)
    step = next(step for step in _steps(size, seed) if gcd(step, size) == 1)
    stretches, start = [], 0
    for tgt_lang, count in wanted.items():
        length = min(count, size)
        stretches.append(Stretch(tgt_lang, start % size, length))
        start += length
    return Circle(size, step, below(size, bits(seed, "plan turn", size)), tuple(stretches))


def _steps(size: int, seed: int) -> Iterator[int]:
    """Yield numbers by which a walk might reach every place of a circle."""
    attempt = 0
    while True:
        yield 1 + below(size, bits(seed, "plan step", size, attempt))
        attempt += 1


class Plan:
    """The plan for a stream of texts, which is counted first: `read()` gives the records of the whole input.

    `short` tells, when counted, how many pairs there are too few texts for, by direction.
    """

    def __init__(
        self,
        wanted: dict[str, dict[str, int]],
        read: Callable[[], Iterator[Record | None]],
        done: Callable[[], int],
        seed: int,
    ) -> None:
        self._wanted = wanted
        self._read = read
        self._done = done
        self._seed = seed
        self._circles: dict[str, Circle] | None = None
        self._passed: Counter[str] = Counter()
        self.short: dict[str, int] = {}

    def ask(self, record: Record) -> list[Record] | RecordError:
        """Return what is to be made of the next record of the stream: nothing, or a pair for each direction."""
        circles = self._counted()
        try:
            source = _usable(record, self._wanted)
        except RecordError as error:
            return error
        if source is None:
            return []
        src_lang = language(source, "src_lang")
        number = self._passed[src_lang]
        self._passed[src_lang] += 1
        return [{**source, "tgt_lang": code, "origin": "mt"} for code in circles[src_lang].targets(number)]

    def _counted(self) -> dict[str, Circle]:
        """Count the texts, at the first record: only then it is known what an interrupted run has passed."""
        if self._circles is None:
            done, sizes = self._done(), Counter[str]()
            for number, record in enumerate(self._read()):
                if number == done:
                    self._passed = Counter(sizes)
                src_lang = None if record is None else _language_of(record, self._wanted)
                if src_lang is not None:
                    sizes[src_lang] += 1
            self._circles = {code: circle(sizes[code], wanted, self._seed) for code, wanted in self._wanted.items()}
            self.short = {
                f"{code}-{tgt_lang}": count - sizes[code]
                for code, wanted in self._wanted.items()
                for tgt_lang, count in wanted.items()
                if count > sizes[code]
            }
        return self._circles


def _usable(record: Record, wanted: dict[str, dict[str, int]]) -> Record | None:
    """Return a text as a source, None where the plan has no use for it."""
    source = as_source(record)
    known = language(source, "src_lang") in wanted and text(source, "src").strip()
    return source if known else None


def _language_of(record: Record, wanted: dict[str, dict[str, int]]) -> str | None:
    try:
        source = _usable(record, wanted)
    except RecordError:
        return None
    return None if source is None else language(source, "src_lang")
