"""Sentences of evaluation sets: when two texts count as equal, and how a sentence is found inside a longer text.

Two texts are equal if they agree after Unicode's NFKC, in lower case, with every run of white space as one space, and
without punctuation, symbols and spaces at either end. Their languages do not matter.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamax_cli.errors import DataError, UsageError
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, texts

if TYPE_CHECKING:
    from llamax_cli.conversion.segments import CorpusRequest

BATCH_SIZE = 1000  # sentences normalised at once
MAX_SENTENCES = 6  # consecutive sentences of a line that are looked up as one segment of an evaluation set
MAX_PIECES = 24  # consecutive sentences or lines that are looked up as one segment over line breaks
BEGINNING = 8  # characters of a segment that tell most texts without it
ASCII_EDGE = "".join(chr(code) for code in range(128) if not chr(code).isalnum())
# Where a sentence may end. Too many ends do no harm, because neighbours are also looked up together.
_SENTENCE_END = re.compile(r"\n|(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？।॥۔؟།။።])[”’»」』）)\]]*\s*|(?<=[:;])\s+")
_ENDS_SENTENCE = re.compile(r"[.!?…。！？।॥۔؟።:;][\"'”’»)\]」』）]*\s*$")
# White space that NFKC does not change, without the space and the line end.
_SPACES = "\t\r\v\f\x1c\x1d\x1e\x1f\x85\u1680\u2028\u2029"


@cache
def _is_edge(character: str) -> bool:
    """Tell punctuation, symbols, spaces and control characters."""
    category = unicodedata.category(character)
    return category[0] in "PSZ" or category in ("Cc", "Cf")


def _strip_edges(text: str) -> str:
    """Return a text without edge characters at its ends, faster than `str.strip` with all of them."""
    text = text.strip(ASCII_EDGE)
    if text.isascii():
        return text
    start, end = 0, len(text)
    while start < end and _is_edge(text[start]):
        start += 1
    while end > start and _is_edge(text[end - 1]):
        end -= 1
    return text[start:end] if end - start < len(text) else text


def normalise(text: str) -> str:
    """Return the form that equal texts have in common: `normalise(" «Ça  va ?»") -> "ça va"`."""
    return normalise_lines(text.replace("\n", " "))[0]


def normalise_lines(text: str) -> list[str]:
    """Return each line normalised, all at once: `normalise_lines("A b.\\nC") -> ["a b", "c"]`."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.lower()
    for space in _SPACES:
        text = text.replace(space, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    lines = text.split("\n")
    return [line.strip(ASCII_EDGE) for line in lines] if text.isascii() else list(map(_strip_edges, lines))


class EvaluationSet:
    """Sentences that must not be in the training data."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self._texts: set[str] = set()
        self._openings: set[str] = set()  # the first sentence of each text
        sentences = iter(sentences)
        while batch := [sentence.replace("\n", " ").strip() for sentence in islice(sentences, BATCH_SIZE)]:
            self._texts.update(normalise_lines("\n".join(batch)))
            ends = (_SENTENCE_END.search(sentence) for sentence in batch)
            first = (sentence[: end.end()] for sentence, end in zip(batch, ends, strict=True) if end)
            self._openings.update(normalise_lines("\n".join(first)))
        self._texts.discard("")
        self._openings = (self._openings | self._texts) - {""}
        self._beginnings = {opening[:BEGINNING] for opening in self._openings}

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, text: str) -> bool:
        return normalise(text) in self._texts

    def find_lines(self, text: str) -> list[int]:
        """Return the numbers, from 0, of the lines that are in the set: `find_lines("A b.\\nC") -> [1]` if "c" is."""
        lines = normalise_lines(text)
        if self._texts.isdisjoint(lines):
            return []
        return [number for number, line in enumerate(lines) if line in self._texts]

    def remove_from(self, text: str) -> tuple[str, int]:
        """Return a text without the lines, and the sentences within lines, that are in the set; and their number.

        `EvaluationSet(["It rains."]).remove_from("Look. It rains. Go in.") -> ("Look. Go in.", 1)`
        """
        pieces = _split_sentences(text)
        normalised = _normalise_pieces(pieces)
        kept, removed = text, 0
        if not self._openings.isdisjoint(normalised):
            kept, removed = self._clean_lines(text)
        if "\n" not in kept:
            return kept, removed
        if removed:
            pieces = _split_sentences(kept)
            normalised = _normalise_pieces(pieces)
        # Most pieces begin like no segment, which is found out quickly.
        may_match = [len(piece) < BEGINNING or piece[:BEGINNING] in self._beginnings for piece in normalised]
        if not any(may_match):
            return kept, removed
        cleaned, across = self._clean_across_lines(pieces, may_match)
        return cleaned if across else kept, removed + across

    def _clean_lines(self, text: str) -> tuple[str, int]:
        """Return a text without the segments that are in one of its lines, and their number."""
        kept, removed = list[str](), 0
        for line in text.split("\n"):
            cleaned, count = self._clean_line(line)
            removed += count
            kept += [cleaned] if cleaned or not count else []
        return "\n".join(kept), removed

    def _clean_line(self, line: str) -> tuple[str, int]:
        """Return a line without the segments that are in the set, and their number."""
        if line in self:
            return "", 1
        sentences, kept, count, start = _split_sentences(line), list[str](), 0, 0
        while start < len(sentences):
            length = self._match_length(sentences[start : start + MAX_SENTENCES])
            count += bool(length)
            kept += sentences[start : start + 1] if not length else []
            start += length or 1
        return ("".join(kept).rstrip(), count) if count else (line, 0)

    def _clean_across_lines(self, pieces: Sequence[str], may_match: Sequence[bool]) -> tuple[str, int]:
        """Return a text without the segments that a line break interrupts, and their number."""
        kept, count, start = list[str](), 0, 0
        while start < len(pieces):
            length = self._match_across_lines(pieces[start : start + MAX_PIECES]) if may_match[start] else 0
            count += bool(length)
            kept += pieces[start : start + 1] if not length else []
            start += length or 1
        return "".join(kept).rstrip(), count

    def _match_across_lines(self, pieces: Sequence[str]) -> int:
        """Return the largest number, at least 2, of first pieces that together are in the set, 0 if there is none."""
        if not any(normalise(opening) in self._openings for opening in _openings_of(pieces)):
            return 0
        return next((size for size in range(len(pieces), 1, -1) if "".join(pieces[:size]) in self), 0)

    def _match_length(self, sentences: Sequence[str]) -> int:
        """Return the largest number of first sentences that together are in the set, 0 if there is none."""
        if normalise(sentences[0]) not in self._openings:
            return 0
        return next((size for size in range(len(sentences), 0, -1) if "".join(sentences[:size]) in self), 0)


def _split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, each with the space after it; joined they are the text."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return [text[low:high] for low, high in zip([0, *ends], [*ends, len(text)], strict=True) if low < high] or [text]


def _normalise_pieces(pieces: Sequence[str]) -> list[str]:
    """Return each piece normalised; line ends are at their ends only."""
    return normalise_lines("\n".join([piece.rstrip() for piece in pieces]))


def _openings_of(pieces: Sequence[str]) -> Iterator[str]:
    """Yield what may be the first sentence of these pieces, on one line: up to each line end, and to its own end.

    `_openings_of(["The cat\\n", "sat. ", "It"]) -> "The cat ", "The cat sat. "`
    """
    opening = ""
    for piece in pieces:
        opening += piece.replace("\n", " ")
        yield opening
        if not piece.endswith("\n") or _ENDS_SENTENCE.search(piece):
            return


def read_evaluation_set(
    paths: Sequence[str], input: Callable[[str | Path], Input], reject: Callable[[str, int, str, bytes], None]
) -> EvaluationSet:
    """Read the sentences of corpora that `llamax convert` reads, in all their languages, and of plain text files.

    DataError if a path has no sentence: what was meant to be excluded would get into the training data.
    """
    return EvaluationSet(sentence for path in paths for sentence in _read_sentences(path, input, reject))


def _read_sentences(
    path: str, input: Callable[[str | Path], Input], reject: Callable[[str, int, str, bytes], None]
) -> Iterator[str]:
    from llamax_cli.conversion.segments import CorpusRequest

    is_empty = True

    def reject_line(*bad_line: Any) -> None:
        nonlocal is_empty
        is_empty = False
        reject(*bad_line)

    try:
        for sentence in _corpus_texts(CorpusRequest([path], input, reject_line)):
            is_empty = is_empty and not sentence.strip()
            yield sentence
    except UsageError as error:
        raise UsageError(f"{error} (an option of llamax convert: convert the file, then exclude the result)") from error
    if is_empty:
        raise DataError(f"{path}: no sentence to exclude")


def _corpus_texts(request: "CorpusRequest") -> Iterator[str]:
    from llamax_cli.conversion.detection import detect, open_corpora  # with all formats, which few mixtures need

    path = request.paths[0]
    corpus_format = detect(path, request)
    if corpus_format == "text":  # the language does not matter, so the file's name need not tell it
        source = request.input(path)
        for number, line in enumerate(texts(source), 1):
            if isinstance(line, Bad):
                request.reject(source.name, number, *line)
            else:
                yield line
        return
    request.spool()
    for corpus in open_corpora(request, corpus_format):
        # Without any good line there is no language; a pass for none still reports the bad lines.
        passes: list[tuple[str, ...]] = [(code,) for code in corpus.languages] or [()]
        for languages in passes:
            yield from (text for segment in corpus.segments(languages) for text in segment.texts if text)
