"""Sentences of evaluation sets: what makes two texts the same, and where one hides inside a longer text.

Two texts are the same where they agree after Unicode's NFKC, in lower case, with every run of white space as one space
and without punctuation, symbols and spaces at either end. The language does not count.
"""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from llamax_cli.conversion.detection import detect, open_corpora
from llamax_cli.conversion.segments import CorpusRequest
from llamax_cli.errors import DataError, UsageError
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, texts

BATCH = 1000  # sentences normalised at once
LONGEST = 6  # sentences of one line that may together be one segment of an evaluation set
ASCII_EDGE = "".join(chr(code) for code in range(128) if not chr(code).isalnum())
# Where a sentence may end. Cutting too often does no harm: neighbours are looked up together as well.
_SENTENCE = re.compile(r"\n|(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？।॥۔؟།။።])[”’»」』）)\]]*\s*|(?<=[:;])\s+")
# White space that NFKC leaves as it is, but for the space and the line end.
_SPACES = "\t\r\v\f\x1c\x1d\x1e\x1f\x85\u1680\u2028\u2029"


@cache
def _edge() -> frozenset[str]:
    """Return all punctuation, symbols, spaces and controls."""
    kinds = {"Cc", "Cf"}
    categories = ((char, unicodedata.category(char)) for char in map(chr, range(sys.maxunicode + 1)))
    return frozenset(char for char, category in categories if category[0] in "PSZ" or category in kinds)


def _stripped(text: str) -> str:
    """Return a text without its edge, quickly: a search in a long list of characters for each text is dear."""
    text = text.strip(ASCII_EDGE)
    if text.isascii():
        return text
    edge, start, end = _edge(), 0, len(text)
    while start < end and text[start] in edge:
        start += 1
    while end > start and text[end - 1] in edge:
        end -= 1
    return text[start:end] if end - start < len(text) else text


def normalised(text: str) -> str:
    """Return what two texts have in common that are the same: `normalised(" «Ça  va ?»") -> "ça va"`."""
    return normalised_lines(text.replace("\n", " "))[0]


def normalised_lines(text: str) -> list[str]:
    """Return each line normalised, all at once: `normalised_lines("A b.\\nC") -> ["a b", "c"]`."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.lower()
    for space in _SPACES:
        text = text.replace(space, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    lines = text.split("\n")
    return [line.strip(ASCII_EDGE) for line in lines] if text.isascii() else list(map(_stripped, lines))


class EvaluationSet:
    """Sentences that must not be trained on."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self._texts: set[str] = set()
        self._openings: set[str] = set()  # their first sentences
        sentences = iter(sentences)
        while batch := [sentence.replace("\n", " ").strip() for sentence in islice(sentences, BATCH)]:
            self._texts.update(normalised_lines("\n".join(batch)))
            ends = (_SENTENCE.search(sentence) for sentence in batch)
            first = (sentence[: end.end()] for sentence, end in zip(batch, ends, strict=True) if end)
            self._openings.update(normalised_lines("\n".join(first)))
        self._texts.discard("")
        self._openings = (self._openings | self._texts) - {""}

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, text: str) -> bool:
        return normalised(text) in self._texts

    def found(self, lines: str) -> list[int]:
        """Return which of the lines are in the set: `found("A b.\\nC") -> [1]` where it holds "c"."""
        candidates = normalised_lines(lines)
        if self._texts.isdisjoint(candidates):
            return []
        return [place for place, line in enumerate(candidates) if line in self._texts]

    def without(self, text: str) -> tuple[str, int]:
        """Return the text without the lines, and the sentences in a line, that are in the set, and how many they were.

        `EvaluationSet(["It rains."]).without("Look. It rains. Go in.") -> ("Look. Go in.", 1)`
        """
        if not any(map(self._openings.__contains__, normalised_lines("\n".join(_sentences(text))))):
            return text, 0
        kept, count = list[str](), 0
        for line in text.split("\n"):
            left, found = self._cleaned(line)
            count += found
            kept += [left] if left or not found else []
        return "\n".join(kept), count

    def _cleaned(self, line: str) -> tuple[str, int]:
        """Return what is left of a line and how many segments went."""
        if line in self:
            return "", 1
        sentences, kept, count, place = _sentences(line), list[str](), 0, 0
        while place < len(sentences):
            length = self._length(sentences[place : place + LONGEST])
            count += bool(length)
            kept += sentences[place : place + 1] if not length else []
            place += length or 1
        return ("".join(kept).rstrip(), count) if count else (line, 0)

    def _length(self, sentences: Sequence[str]) -> int:
        """Return how many of the first sentences are together in the set, the most there are."""
        if normalised(sentences[0]) not in self._openings:
            return 0
        return next((size for size in range(len(sentences), 0, -1) if "".join(sentences[:size]) in self), 0)


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text with the space after each; joined they are the text."""
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    return [text[low:high] for low, high in zip([0, *ends], [*ends, len(text)], strict=True) if low < high] or [text]


def evaluation_set(
    paths: Sequence[str], input: Callable[[str | Path], Input], reject: Callable[[str, int, str, bytes], None]
) -> EvaluationSet:
    """Read the sentences of corpora that `llamax convert` reads, in all their languages, and of plain text files.

    DataError where one holds none: what was meant to be kept out would be trained on.
    """
    return EvaluationSet(sentence for path in paths for sentence in _some(path, input, reject))


def _some(
    path: str, input: Callable[[str | Path], Input], reject: Callable[[str, int, str, bytes], None]
) -> Iterator[str]:
    is_empty = True

    def told(*bad: Any) -> None:
        nonlocal is_empty
        is_empty = False
        reject(*bad)

    try:
        for sentence in _texts(CorpusRequest([path], input, told)):
            is_empty = is_empty and not sentence.strip()
            yield sentence
    except UsageError as error:
        raise UsageError(f"{error} (to llamax convert; then exclude what it writes)") from error
    if is_empty:
        raise DataError(f"{path}: no sentence to exclude")


def _texts(request: CorpusRequest) -> Iterator[str]:
    path = request.paths[0]
    kind = detect(path, request)
    if kind == "text":  # the language does not count, so the name need not tell it
        source = request.input(path)
        for number, line in enumerate(texts(source), 1):
            if isinstance(line, Bad):
                request.reject(source.name, number, *line)
            else:
                yield line
        return
    request.spool()
    for corpus in open_corpora(request, kind):
        # Where nothing is good, a pass for no language still tells of the bad lines.
        passes: list[tuple[str, ...]] = [(code,) for code in corpus.languages] or [()]
        for languages in passes:
            yield from (text for segment in corpus.segments(languages) for text in segment.texts if text)
