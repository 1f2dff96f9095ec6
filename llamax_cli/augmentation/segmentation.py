"""Splitting texts without spaces into words with nothing but a lexicon; segmentation.h does the same, compiled.

split = LexiconSplitter(vocabulary)  # a lexicon with แมว (cat) and ดำ (black)
split("แมวดำ 2 ตัว") -> (["แมว", "ดำ", " ", "2", " ", "ตัว"], "")

A run of characters of the script is split so that as few characters as possible are in no entry, and then into as few
words as possible. What is left between entries is one unknown word. An entry beside it may be a piece of that word, as
แพทย is of แพทยศาสตร์, so it becomes part of it, unless the spelling shows that a word ends between them. Names in
katakana are split only if all parts are entries, and long ones.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import accumulate
from typing import NamedTuple
from unicodedata import category, normalize

from llamax_cli.augmentation.unspaced_scripts import CHINESE, UnspacedScript, script_of
from llamax_cli.augmentation.vocabulary import MemoryBudget, Vocabulary

try:
    from llamax_cli.augmentation.spaced import Segmentation
except ImportError:  # llamax was installed without a C compiler
    Segmentation = None  # type: ignore[assignment,misc]

IMPOSSIBLE = 1 << 62  # more than any segmentation costs
NODE_BYTES = 400  # estimated memory of a _Node, for MemoryBudget
SHORTEST_NAME = (
    3  # characters of the shortest part of a name; most names that fall into shorter entries do so by chance
)

# The same numbers as in segmentation.h: what a text and a character are, and the scripts whose spelling it knows.
IS_ENTRY, HAS_LONGER = 1, 2
IN_SCRIPT, IS_SPACE, IS_STABLE = 1, 2, 4
COMPILED_SCRIPTS = {**dict.fromkeys(CHINESE, 1), "ja": 2, "th": 3}
OTHER_SCRIPT = 0

EntryFinder = Callable[[str], tuple[bool, bool]]  # whether a text is an entry, and whether longer entries begin with it


class Segment(NamedTuple):
    """A part of a run, from `start` to `end`; `is_entry` unless it is unknown."""

    start: int
    end: int
    is_entry: bool


class LexiconSplitter:
    """Splits texts of a language without spaces into the entries of a lexicon and what is between them.

    Each run of characters of other scripts and each run of white space is one word. `compiled` does the same for most
    texts; it is None where it was not compiled.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        script = self._script = script_of(vocabulary.lang)
        entries = self._entries = Entries(vocabulary.find_entry, script.shortest, vocabulary.memory)
        self.compiled: Segmentation | None = None
        if Segmentation is not None:
            number = COMPILED_SCRIPTS.get(vocabulary.lang, OTHER_SCRIPT)
            self.compiled = Segmentation(
                entries.look_up,
                vocabulary.next_characters,
                self._classify,
                script.split_syllables,
                script.is_seam,
                number,
            )
            vocabulary.memory.register(self.compiled)

    def __call__(self, text: str) -> tuple[list[str], str]:
        """Return the words of a text, which is one empty word if it is empty, and the gaps, which are empty."""
        words: list[str] = []
        for run in self._script.split_runs(text):
            if self._script.begins(run):
                segments = segment(run, self._script, self._entries)
                words += [run[start:end] for start, end, _ in segments]
            else:
                words.append(run)
        return words or [""], ""

    def _classify(self, code: int) -> int:
        """Return what a character is, as a sum of IN_SCRIPT, IS_SPACE and IS_STABLE.

        A stable one is left as it is by Unicode's form NFD, and never joined with what is before it by NFC.
        """
        character = chr(code)
        is_stable = normalize("NFD", character) == character and category(character)[0] != "M"
        return IN_SCRIPT * bool(self._script.begins(character)) + IS_SPACE * character.isspace() + IS_STABLE * is_stable


class _Node(dict[str, "_Node | None"]):
    """A text that is an entry or the beginning of entries, with the nodes of the texts that have one syllable more.

    `None` stands for texts that are neither. Nodes are made when they are first asked for.
    """

    __slots__ = ("_entries", "_has_longer", "is_entry", "text")

    def __init__(self, text: str, entries: "Entries", *, is_entry: bool, has_longer: bool) -> None:
        self.text = text
        self.is_entry = is_entry
        self._has_longer = has_longer
        self._entries = entries

    def __missing__(self, syllable: str) -> "_Node | None":
        if not self._has_longer:
            return None
        node = self[syllable] = self._entries.node(self.text + syllable)
        return node


class Entries:
    """The entries of a lexicon, as a tree by syllables, as far as they have been looked up."""

    def __init__(self, find: EntryFinder, shortest: int, memory: MemoryBudget) -> None:
        self._find = find
        self._shortest = shortest
        self._memory = memory
        self.root = _Node("", self, is_entry=False, has_longer=True)
        memory.register(self.root)

    def node(self, text: str) -> _Node | None:
        """Return the node of a text."""
        found = self.look_up(text)
        is_entry, has_longer = bool(found & IS_ENTRY), bool(found & HAS_LONGER)
        return _Node(text, self, is_entry=is_entry, has_longer=has_longer) if found else None

    def look_up(self, text: str) -> int:
        """Return what a text is, as a sum of IS_ENTRY and HAS_LONGER, and take memory for a node."""
        is_entry, has_longer = self._find(text)
        is_entry = is_entry and len(text) >= self._shortest
        self._memory.charge(NODE_BYTES + 2 * len(text))
        return IS_ENTRY * is_entry + HAS_LONGER * has_longer


def segment(run: str, script: UnspacedScript, entries: Entries) -> list[Segment]:
    """Return the words of a run; an entry that may be a piece of an unknown word is part of that word."""
    syllables = script.split_syllables(run)
    segments = _in_characters(search(syllables, entries), syllables)
    if len(segments) == 1:
        return segments
    pieces = _pieces(run, segments, script)
    return _merge_unknown(segments, pieces) if pieces else segments


def search(syllables: Sequence[str], entries: Entries) -> list[Segment]:
    """Return the segments, in syllables, with the fewest unknown characters and then the fewest segments.

    Of equally good ones the entry that begins first is taken, and the longest of those.
    """
    size = len(syllables)
    root = entries.root
    unknown_character = size + 1  # costs more than all words; a word costs 1
    # The least cost of what begins at a place: after an entry, and after something unknown, which may grow for free.
    after_entry, after_unknown = [0] * (size + 1), [0] * (size + 1)
    entry_costs, unknown_costs, ends = [0] * size, [0] * size, [0] * size
    for start in range(size - 1, -1, -1):
        cost, end = IMPOSSIBLE, start + 1
        place, node = start + 1, root[syllables[start]]
        while node is not None:
            if node.is_entry and after_entry[place] < cost:
                cost, end = after_entry[place] + 1, place
            if place == size:
                break
            node = node[syllables[place]]
            place += 1
        unknown = after_unknown[start + 1] + unknown_character * len(syllables[start])
        entry_costs[start], unknown_costs[start], ends[start] = cost, unknown, end
        after_entry[start] = cost if cost <= unknown else unknown + 1
        after_unknown[start] = cost if cost <= unknown else unknown
    segments: list[Segment] = []
    start = unknown_start = 0
    while start < size:
        if entry_costs[start] <= unknown_costs[start]:
            if unknown_start < start:
                segments.append(Segment(unknown_start, start, is_entry=False))
            segments.append(Segment(start, ends[start], is_entry=True))
            start = unknown_start = ends[start]
        else:
            start += 1
    if unknown_start < size:
        segments.append(Segment(unknown_start, size, is_entry=False))
    return segments


def _in_characters(segments: Sequence[Segment], syllables: Sequence[str]) -> list[Segment]:
    """Return segments of syllables as segments of characters."""
    places = [0, *accumulate(map(len, syllables))]
    return [Segment(places[start], places[end], is_entry) for start, end, is_entry in segments]


def _pieces(run: str, segments: Sequence[Segment], script: UnspacedScript) -> set[int]:
    """Return the indices of the entries that may be pieces of an unknown word."""
    pieces: set[int] = set()
    for index, (start, end, is_entry) in enumerate(segments):
        if is_entry:
            continue
        if start and not script.is_seam(run, start):
            pieces.add(index - 1)
        if end < len(run) and not script.is_seam(run, end):
            pieces.add(index + 1)
    for name in script.find_names(run):
        start, end = name.span()
        parts = [index for index, part in enumerate(segments) if part.start < end and part.end > start]
        if len(parts) > 1 and not all(_is_part_of_name(segments[index], start, end) for index in parts):
            pieces.update(index for index in parts if _cuts(segments[index], start, end))
    return pieces


def _is_part_of_name(segment: Segment, start: int, end: int) -> bool:
    """Return whether a segment is an entry and long enough within a name to be a part of it."""
    return segment.is_entry and min(end, segment.end) - max(start, segment.start) >= SHORTEST_NAME


def _cuts(segment: Segment, start: int, end: int) -> bool:
    """Return whether a segment begins or ends within a name."""
    return start < segment.start < end or start < segment.end < end


def _merge_unknown(segments: Sequence[Segment], pieces: Collection[int]) -> list[Segment]:
    """Return the segments with every sequence of unknown segments and `pieces` as one unknown segment."""
    merged: list[Segment] = []
    for index, (start, end, is_entry) in enumerate(segments):
        is_word = is_entry and index not in pieces
        if merged and not is_word and not merged[-1].is_entry:
            start = merged.pop().start
        merged.append(Segment(start, end, is_word))
    return merged
