"""Which records of corpora to take: directions or languages by pattern, in the order of the patterns, and samples."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations, repeat
from typing import Protocol, cast, runtime_checkable

from llamax_cli.conversion.segments import Corpus
from llamax_cli.errors import LanguageError, RecordError, UsageError
from llamax_cli.languages import canonical, covers, known, variety
from llamax_cli.randomness import below, bits
from llamax_cli.records import Record, text, texts, value
from llamax_cli.streams.chunks import WHOLE, Portion

ANY = "*"
Group = tuple[str, ...]  # the codes of a direction (two) or of a language (one)
TEXT_KEYS = ("src", "tgt", "text")
LANGUAGE_KEYS = ("src_lang", "tgt_lang", "lang")


@dataclass(frozen=True)
class Selection:
    """What to take: patterns of `pairs` or of `mono` languages (neither: each corpus as it is), and a sample."""

    pairs: Sequence[str] = ()
    mono: Sequence[str] = ()
    sample: int | None = None
    part: Portion = WHOLE
    seed: int = 0
    drop_empty: bool = False

    def __post_init__(self) -> None:
        if self.pairs and self.mono:
            raise UsageError("--pairs writes pairs and --mono writes texts; give only one of them")

    @property
    def names_languages(self) -> bool:
        """Whether directions or languages are named."""
        return bool(self.pairs or self.mono)

    @property
    def is_sample(self) -> bool:
        """Whether some segments are left out at random."""
        return self.sample is not None or self.part != WHOLE


@runtime_checkable
class HasDirections(Protocol):
    """A corpus that has only some of the directions between its languages."""

    def directions(self) -> Sequence[tuple[str, str]]:
        """Return the directions that it has, those of its own order first."""


def plan_groups(corpora: Sequence[Corpus], selection: Selection) -> dict[Group, list[Corpus]]:
    """Return the directions or languages to write, in order, and the corpora that have each of them."""
    if not selection.names_languages:
        return _whole_corpora(corpora)
    available = [(corpus, _directions(corpus) if selection.pairs else _languages(corpus)) for corpus in corpora]
    all_groups = dict.fromkeys(group for _, groups in available for group in groups)
    return {
        group: [corpus for corpus, groups in available if group in groups]
        for group in _match_patterns(selection.pairs or selection.mono, list(all_groups), 2 if selection.pairs else 1)
    }


def _whole_corpora(corpora: Sequence[Corpus]) -> dict[Group, list[Corpus]]:
    """Return each corpus in its own direction, or its one language; UsageError where it has more than two languages."""
    groups: dict[Group, list[Corpus]] = {}
    for corpus in corpora:
        if len(corpus.languages) > 2:
            have = ", ".join(corpus.languages)
            raise UsageError(f"{corpus.name} has {len(corpus.languages)} languages ({have}); choose --pairs or --mono")
        groups.setdefault(tuple(corpus.languages), []).append(corpus)
    return groups


def _directions(corpus: Corpus) -> dict[Group, None]:
    return dict.fromkeys(
        corpus.directions() if isinstance(corpus, HasDirections) else permutations(corpus.languages, 2)
    )


def _languages(corpus: Corpus) -> dict[Group, None]:
    return dict.fromkeys((code,) for code in corpus.languages)


def _match_patterns(patterns: Sequence[str], available: Sequence[Group], size: int) -> list[Group]:
    """Return the groups of `size` codes that match a pattern, pattern by pattern; UsageError where one matches none."""
    matching: dict[Group, None] = {}
    for pattern in patterns:
        meanings = interpret_pattern(pattern, size)
        found = [group for group in available if any(map(matches, repeat(group), meanings))]
        exact = [group for group in found if group in meanings]
        if exact and any(code != canonical(code) for group in exact for code in group):
            found = exact  # en-US, in a corpus that has both en-US and en
        if not found:
            have = ", ".join(dict.fromkeys(code for group in available for code in group))
            languages = f"the languages are {have}" if have else "the input is empty"
            raise UsageError(f"nothing matches {pattern!r}; {languages}")
        matching.update(dict.fromkeys(found))
    return list(matching)


def asked(group: Group, patterns: Sequence[str]) -> Group:
    """Return the direction or language of the first pattern for which a group of codes is written.

    `asked(("en-GB", "de"), ["en-de"]) -> ("en", "de")`; for `*` that is the group itself.
    """
    meanings = (meaning for pattern in patterns for meaning in sorted(interpret_pattern(pattern, len(group))))
    found = next((meaning for meaning in meanings if matches(group, meaning)), group)
    return tuple(member if code == ANY else code for code, member in zip(found, group, strict=True))


def matches(group: Group, meaning: Group) -> bool:
    """Return whether a direction or a language is one of those that a meaning of a pattern stands for."""
    return all(map(_selects, meaning, group))


def _selects(code: str, member: str) -> bool:
    """Return whether a code of a pattern stands for a language of a corpus: a language stands for its regions too."""
    if code in (ANY, member):
        return True
    if code != canonical(code):  # a usual region, which the corpus does not name
        return member == canonical(code)
    return covers(code, member) and member == canonical(member)


def interpret_pattern(pattern: str, size: int) -> set[Group]:
    """Return what a pattern of `size` codes may mean: `interpret_pattern("zho_Hans-*", 2) -> {("zh", "*")}`.

    A code may contain hyphens: `en-pt-BR` is English to Brazilian Portuguese, or English of Portugal to Breton. The
    languages of the corpora decide. A usual region stays, for corpora that have the language with and without it.
    UsageError where the pattern has no meaning.
    """
    pieces = pattern.split("-")
    splits = {
        tuple("-".join(pieces[low:high]) for low, high in pairwise(points))
        for points in _split_points(len(pieces), size)
    }
    meanings = {cast(Group, codes) for split in splits if None not in (codes := tuple(map(_code_or_any, split)))}
    if not meanings:
        raise UsageError(
            f"{pattern!r} is not {'a language' if size == 1 else 'a pair, such as en-de'}" + _explain_unknown(splits)
        )
    return meanings


def _split_points(pieces: int, size: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to split a number of pieces into `size` groups: `_split_points(3, 2) -> (0, 1, 3), (0, 2, 3)`."""
    for inner in combinations(range(1, pieces), size - 1):
        yield (0, *inner, pieces)


def _code_or_any(code: str) -> str | None:
    return ANY if code == ANY else known(code) and variety(code)


def _explain_unknown(splits: set[Group]) -> str:
    """Return the reason why a code is unknown, where a pattern can be split in one way only, else ""."""
    for code in splits.pop() if len(splits) == 1 else ():
        try:
            if code != ANY:
                canonical(code)
        except LanguageError as error:
            return f": {error}"
    return ""


def sample_records(records: Iterable[Record], selection: Selection, counts: Counter[str]) -> Iterator[Record]:
    """Yield a sample of each direction, drawn without replacement, in order; parts of one seed share no segment.

    The draw depends only on the id, which names a segment. So a segment is in the same part in every direction: what is
    held out in en-de is held out in de-en and en-fr too. The sample is kept in memory.
    """
    import heapq

    part = selection.part
    samples: dict[object, list[tuple[int, int, Record]]] = {}
    for order, record in enumerate(records):
        name = _segment_name(record)
        if part != WHOLE and below(part.count, bits(selection.seed, "part", name)) != part.index - 1:
            counts["in another part"] += 1
        elif selection.sample is None:
            yield record
        else:
            heap = samples.setdefault(tuple(text(record, key) for key in LANGUAGE_KEYS if key in record), [])
            heapq.heappush(heap, (-bits(selection.seed, "sample", name), order, record))
            if len(heap) > selection.sample:
                heapq.heappop(heap)
                counts["not drawn"] += 1
    kept = [item for heap in samples.values() for item in heap]
    yield from (record for _, _, record in sorted(kept, key=lambda item: item[1]))


def _segment_name(record: Record) -> str:
    """Return the id or, where there is none, the texts in an order that is the same in both directions."""
    keys = ("id",) if "id" in record else (key for key in TEXT_KEYS if key in record)
    return "\n".join(sorted(_name(record, key) for key in keys))


def _name(record: Record, key: str) -> str:
    """Return what a value contributes to the name of a segment, which any value does."""
    try:
        return str(value(record, key))
    except RecordError:  # such as 1e999
        return bytes(record[key]).decode()


def skip_empty(records: Iterable[Record], counts: Counter[str]) -> Iterator[Record]:
    """Yield the records in which every text has more than white space."""
    for record in records:
        if all(each.strip() for key in TEXT_KEYS if key in record for each in texts(record, key)):
            yield record
        else:
            counts["empty"] += 1
