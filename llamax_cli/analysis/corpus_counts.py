"""Counting a corpus: texts by language, pairs by direction, and a row for each of them by which duplicates are found.

Parts of a corpus are counted by themselves, in any number of processes, and added up: all counts are whole numbers, so
that the sums are the same in any order.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, NamedTuple

import xxhash

from llamax_cli.analysis.tokenizers import Count, token_counter
from llamax_cli.errors import RecordError
from llamax_cli.languages import find
from llamax_cli.records import Record, language, parse, parse_lines, text
from llamax_cli.streams.chunks import Chunk
from llamax_cli.streams.rejects import Reject

# Ratios are summed in whole numbers of this part; its 2.3e-13 is nothing beside the digits that are written.
PART = 1 << 42
BINS = 100  # in which percentiles are found, for each 1 of a ratio: they are exact to the two decimals that are written
SEPARATOR = "\t"
MIXED = "; samples are described by the manifest of their mixture: --mixture FILE"
TEXTS, PAIRS, SAMPLES = "texts", "pairs", "samples"
KINDS = {'"': "text", "t": "boolean", "f": "boolean", "n": "null", "[": "list", "{": "object"}

Direction = tuple[str, str]


class Sums:
    """Counts that are added up, name by name."""

    def add(self, other: Any) -> None:
        """Add the counts of another part."""
        for each in fields(self):  # type: ignore[arg-type]  # whose subclasses are dataclasses
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, each.name, mine + theirs)


@dataclass
class LanguageCounts(Sums):
    """Counts of a language: its texts with their words or tokens, and what is said of all that is in it.

    `empty`, `identified` and `confirmed` also count the sides of pairs. `identified` are those with the answer of a
    detector, `confirmed` those of which the answer is this language.
    """

    texts: int = 0
    units: int = 0
    empty: int = 0
    identified: int = 0
    confirmed: int = 0


@dataclass
class DirectionCounts(Sums):
    """Counts of a direction: its pairs, the words or tokens of either side, and ratios of length.

    `ratios` counts pairs by the ratio of the target's characters to the source's, in BINS; pairs with an empty side
    have none. `identified` are pairs with an answer of a detector for a side, `confirmed` those that no answer denies.
    """

    pairs: int = 0
    src_units: int = 0
    tgt_units: int = 0
    empty: int = 0
    identified: int = 0
    confirmed: int = 0
    ratio_parts: int = 0
    ratios: Counter[int] = field(default_factory=Counter)


@dataclass
class FileCounts(Sums):
    """What is in a file: records by what they are (texts, pairs, samples), and the kinds of values of each key."""

    records: Counter[str] = field(default_factory=Counter)
    keys: Counter[tuple[str, str]] = field(default_factory=Counter)


class CorpusPart(NamedTuple):
    """The counts of a chunk, the rows of its texts and pairs, its bad lines, and how many lines are good."""

    languages: dict[str, LanguageCounts]
    directions: dict[Direction, DirectionCounts]
    file: FileCounts
    rows: list[str]
    rejects: list[Reject]
    lines: int


class CorpusCounter:
    """Counts chunks of records.

    `tokenizer` names the tokenizer; without one, what stands between white space is counted. `tolerant`: lines after a
    bad one are counted, too. `describes`: the keys of records are counted, for a description of the files.
    """

    def __init__(self, tokenizer: str | None, *, tolerant: bool, describes: bool, mixture: bool = False) -> None:
        self._count: Count = token_counter(tokenizer) if tokenizer else _count_words
        self._tolerant = tolerant
        self._describes = describes
        self._add: Callable[[Record, CorpusPart], str] = _add_sample if mixture else self._add_record

    def __call__(self, chunk: Chunk) -> CorpusPart:
        """Return the counts of a chunk, up to the first bad line unless all lines are to be tried."""
        part = CorpusPart(defaultdict(LanguageCounts), defaultdict(DirectionCounts), FileCounts(), [], [], 0)
        lines: list[bytes] = []
        count = 0
        parsed: Sequence[Record | bytes] = parse_lines(chunk.data) or chunk.data.split(b"\n")[:-1]
        for number, line in enumerate(parsed):
            try:
                read = parse(line) if isinstance(line, bytes) else line
                kind = self._add(read, part)
            except RecordError as error:
                lines = lines or chunk.data.split(b"\n")
                part.rejects.append(Reject(chunk.name, chunk.line + number, str(error), lines[number]))
                if not self._tolerant:
                    break
                continue
            count += 1
            if self._describes:
                part.file.records[kind] += 1
                part.file.keys.update((key, _kind(value)) for key, value in read.items())
        # Plain dictionaries, whose factories need not travel between processes.
        return part._replace(languages=dict(part.languages), directions=dict(part.directions), lines=count)

    def _add_record(self, record: Record, part: CorpusPart) -> str:
        """Add a text or a pair; RecordError, before anything is added, where the record is neither."""
        if "src" in record:
            self._add_pair(record, part)
            return PAIRS
        if "text" not in record:
            more = MIXED if "completion" in record else ""
            raise RecordError(f"no 'text' or 'src' in the record (it has {', '.join(record) or 'nothing'}){more}")
        content, code, found = text(record, "text"), language(record, "lang"), _found(record, "lid")
        counts = part.languages[code]
        counts.texts += 1
        counts.units += self._count(content)
        _add_answer(counts, code, content, found)
        part.rows.append(f"{code}{SEPARATOR}{xxhash.xxh3_128_hexdigest(content.encode())}0")
        return TEXTS

    def _add_pair(self, record: Record, part: CorpusPart) -> None:
        key = "tgt" if "tgt" in record or "mt" not in record else "mt"  # as `mix --mt` reads a translation
        source, target = text(record, "src"), text(record, key)
        direction = src_lang, tgt_lang = language(record, "src_lang"), language(record, "tgt_lang")
        answers = _found(record, "lid_src"), _found(record, "lid" if key == "mt" else "lid_tgt")
        counts = part.directions[direction]
        counts.pairs += 1
        counts.src_units += self._count(source)
        counts.tgt_units += self._count(target)
        sides = ((src_lang, source, answers[0]), (tgt_lang, target, answers[1]))
        agreements = [_add_answer(part.languages[code], code, content, found) for code, content, found in sides]
        if agreements != [None, None]:
            counts.identified += 1
            counts.confirmed += False not in agreements
        if not source.strip() or not target.strip():
            counts.empty += 1
        else:
            size, other = len(source), len(target)
            counts.ratio_parts += (other * PART + (size >> 1)) // size
            counts.ratios[(2 * BINS * other + size) // (2 * size)] += 1
        part.rows.append(_pair_row(direction, source, target))


def _add_answer(counts: LanguageCounts, code: str, content: str, found: str | None) -> bool | None:
    """Count whether a detector found a text to be in its language; return that, None where it gave no answer."""
    if not content or content.isspace():
        counts.empty += 1
    if found is None:
        return None
    agrees = _agrees(code, found)
    counts.identified += 1
    counts.confirmed += agrees
    return agrees


def _add_sample(record: Record, part: CorpusPart) -> str:
    """Check that a record is a sample of a mixture."""
    text(record, "prompt")
    text(record, "completion")
    return SAMPLES


def _count_words(content: str) -> int:
    return len(content.split())


def _found(record: Record, key: str) -> str | None:
    """Return the answer of a detector, where the record has it."""
    return language(record, key) if key in record else None


@lru_cache(maxsize=1 << 14)
def _agrees(declared: str, found: str) -> bool:
    """Return whether an answer is the declared language, as far as a detector can tell: `("pt-PT", "pt") -> True`."""
    return find(declared, {found}) is not None


def _pair_row(direction: Direction, source: str, target: str) -> str:
    """Return the row of a pair, which but for its last character is the same in both directions."""
    is_turned = direction[0] > direction[1]
    first, second = (target, source) if is_turned else (source, target)
    low, high = sorted(direction)
    # The length of the first keeps "a" + "bc" and "ab" + "c" apart.
    digest = xxhash.xxh3_128_hexdigest(f"{len(first)}:{first}{second}".encode())
    return f"{low}{SEPARATOR}{high}{SEPARATOR}{digest}{int(is_turned)}"


def count_duplicates(blocks: Iterable[list[bytes]], advance: Callable[[int], None]) -> Counter[tuple[str, ...]]:
    """Return how many texts of each language, and pairs of each direction, are there already, from all sorted rows.

    The keys are `("de",)` and `("de", "en")`. Of a pair that is in both directions, the one whose languages are in
    alphabetical order counts as the first.
    """
    repeated: Counter[bytes] = Counter()
    before = b""
    for block in blocks:
        contents = [before, *(row[:-1] for row in block)]
        # Few rows are repeated, so only those are taken apart.
        repeated.update(
            row.rpartition(b"\t")[0] + row[-1:]
            for content, previous, row in zip(contents[1:], contents, block, strict=False)
            if content == previous
        )
        before = contents[-1]
        advance(len(block))
    counts: Counter[tuple[str, ...]] = Counter()
    for key, count in repeated.items():
        codes = tuple(key[:-1].decode().split(SEPARATOR))
        counts[codes[::-1] if key.endswith(b"1") else codes] += count
    return counts


def _kind(value: Any) -> str:
    """Return the kind of a JSON value, of numbers whether they are whole."""
    raw = bytes(value)
    kind = KINDS.get(chr(raw[0]))
    return kind or ("number" if any(mark in raw for mark in b".eE") else "whole")
