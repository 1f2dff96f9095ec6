"""What to take of corpora: directions or languages by pattern, in the order asked for, and samples of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations, repeat
from typing import Protocol, cast, runtime_checkable

from llamax_cli.conversion.segments import Corpus
from llamax_cli.errors import LanguageError, UsageError
from llamax_cli.languages import canonical, known
from llamax_cli.randomness import below, bits
from llamax_cli.records import Record, text, value
from llamax_cli.streams.chunks import WHOLE, Portion

ANY = "*"
Group = tuple[str, ...]  # what is given out together: a direction (two codes) or a language (one)


@dataclass(frozen=True)
class Selection:
    """What to take: `pairs` or `mono` patterns (neither: each corpus as it is), and a sample of it."""

    pairs: Sequence[str] = ()
    mono: Sequence[str] = ()
    sample: int | None = None
    part: Portion = WHOLE
    seed: int = 0
    drop_empty: bool = False

    def __post_init__(self) -> None:
        if self.pairs and self.mono:
            raise UsageError("--pairs makes pairs and --mono texts: give one of them")

    @property
    def chooses(self) -> bool:
        """Whether directions or languages are named."""
        return bool(self.pairs or self.mono)

    @property
    def draws(self) -> bool:
        """Whether some segments are left out by chance."""
        return self.sample is not None or self.part != WHOLE


@runtime_checkable
class Directed(Protocol):
    """A corpus that has some directions between its languages and not others."""

    def directions(self) -> Sequence[tuple[str, str]]:
        """Return the directions it has, its own order first."""


def plan(corpora: Sequence[Corpus], selection: Selection) -> dict[Group, list[Corpus]]:
    """Return what to give out, in order, and the corpora that have it."""
    if not selection.chooses:
        return _as_they_are(corpora)
    present = [(corpus, _directions(corpus) if selection.pairs else _languages(corpus)) for corpus in corpora]
    every = dict.fromkeys(group for _, groups in present for group in groups)
    return {
        group: [corpus for corpus, groups in present if group in groups]
        for group in _chosen(selection.pairs or selection.mono, list(every), 2 if selection.pairs else 1)
    }


def _as_they_are(corpora: Sequence[Corpus]) -> dict[Group, list[Corpus]]:
    """Return each corpus in its own direction, or its one language; UsageError where it has more to choose from."""
    groups: dict[Group, list[Corpus]] = {}
    for corpus in corpora:
        if len(corpus.languages) > 2:
            have = ", ".join(corpus.languages)
            raise UsageError(f"{corpus.name} has {len(corpus.languages)} languages ({have}); choose --pairs or --mono")
        groups.setdefault(tuple(corpus.languages), []).append(corpus)
    return groups


def _directions(corpus: Corpus) -> dict[Group, None]:
    found = corpus.directions() if isinstance(corpus, Directed) else permutations(corpus.languages, 2)
    return dict.fromkeys(found)


def _languages(corpus: Corpus) -> dict[Group, None]:
    return dict.fromkeys((code,) for code in corpus.languages)


def _chosen(patterns: Sequence[str], present: Sequence[Group], parts: int) -> list[Group]:
    """Return the groups that match a pattern, pattern by pattern; UsageError where one matches none."""
    chosen: dict[Group, None] = {}
    for pattern in patterns:
        ways = readings(pattern, parts)
        found = [group for group in present if any(map(_matches, repeat(group), ways))]
        if not found:
            have = ", ".join(dict.fromkeys(code for group in present for code in group))
            raise UsageError(f"nothing is {pattern!r} here; {f'the languages are {have}' if have else 'it is empty'}")
        chosen.update(dict.fromkeys(found))
    return list(chosen)


def _matches(group: Group, reading: Group) -> bool:
    return all(code in (ANY, present) for code, present in zip(reading, group, strict=True))


def readings(pattern: str, parts: int) -> set[Group]:
    """Return what a pattern may mean, in canonical codes: `readings("zho_Hans-*", 2) -> {("zh", "*")}`.

    A code may hold hyphens of its own: `en-pt-BR` is English to Brazilian, or Portugal's English to Breton. What the
    corpora hold decides. UsageError where the pattern means nothing.
    """
    pieces = pattern.split("-")
    ways = {tuple("-".join(pieces[low:high]) for low, high in pairwise(cut)) for cut in _cuts(len(pieces), parts)}
    meaningful = {cast(Group, codes) for way in ways if None not in (codes := tuple(map(_known, way)))}
    if not meaningful:
        raise UsageError(f"{pattern!r} is not {'a language' if parts == 1 else 'SRC-TGT'}" + _nearest(ways))
    return meaningful


def _cuts(pieces: int, parts: int) -> Iterator[tuple[int, ...]]:
    for inner in combinations(range(1, pieces), parts - 1):
        yield (0, *inner, pieces)


def _known(code: str) -> str | None:
    return ANY if code == ANY else known(code)


def _nearest(ways: set[Group]) -> str:
    """Return what the table says of the code that is unknown, where the pattern could be cut in one way only."""
    for code in ways.pop() if len(ways) == 1 else ():
        try:
            if code != ANY:
                canonical(code)
        except LanguageError as error:
            return f": {error}"
    return ""


def draw(records: Iterable[Record], selection: Selection, counts: Counter[str]) -> Iterator[Record]:
    """Yield so many records a direction without replacement, in their order; the parts of one seed share no segment.

    Chance hangs on the id alone, which names a segment: a segment of one part is in that part in every direction, so
    that what is held out in en-de is held out in de-en and en-fr too. Memory is that of the sample.
    """
    import heapq

    part = selection.part
    drawn: dict[object, list[tuple[int, int, Record]]] = {}
    for order, record in enumerate(records):
        name = _name(record)
        if part != WHOLE and below(part.count, bits(selection.seed, "part", name)) != part.index - 1:
            counts["in another part"] += 1
        elif selection.sample is None:
            yield record
        else:
            heap = drawn.setdefault(
                tuple(text(record, key) for key in ("src_lang", "tgt_lang", "lang") if key in record), []
            )
            heapq.heappush(heap, (-bits(selection.seed, "sample", name), order, record))
            if len(heap) > selection.sample:
                heapq.heappop(heap)
                counts["not drawn"] += 1
    kept = [entry for heap in drawn.values() for entry in heap]
    yield from (record for _, _, record in sorted(kept, key=lambda entry: entry[1]))


def _name(record: Record) -> str:
    """Return what chance hangs on: the id, or the texts where there is none, which are the same in both directions."""
    if "id" in record:
        return str(value(record, "id"))
    return "\n".join(sorted(text(record, key) for key in ("src", "tgt", "text") if key in record))


def without_empty(records: Iterable[Record], counts: Counter[str]) -> Iterator[Record]:
    """Yield the records whose texts are more than space."""
    for record in records:
        if all(text(record, key).strip() for key in ("src", "tgt", "text") if key in record):
            yield record
        else:
            counts["empty"] += 1
