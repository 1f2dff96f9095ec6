"""Monolingual text in blocks of at most so many tokens (paper, section 2: 512)."""

from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import category

from llamax_cli.tokenization import Tokenizer

SPACES = " \n\t\u3000\u00a0"
LIKELY = 8  # characters a token; a text of more than that times the block is not worth being counted first


@dataclass(frozen=True)
class Cutter:
    """Cuts texts so that the pieces joined are the text and each encodes to at most `block` tokens.

    A cut is made after white space, or between characters where there is none in the second half of a piece. A single
    character of more tokens than the block is a piece by itself.
    """

    tokenizer: Tokenizer
    block: int

    def pieces(self, text: str) -> Iterator[str]:
        """Yield the pieces, each about as long as fits: `"one two three" -> "one two ", "three"` at 2 tokens."""
        if len(text) <= self.block * LIKELY and self.tokenizer.count(text) <= self.block:
            yield text
            return
        ends = self.tokenizer.ends(text)
        start = token = 0  # where the next piece starts, and the first token that ends after that
        while len(ends) - token > self.block:
            end = self._fitting(text, start, max(start + 1, ends[token + self.block - 1]))
            yield text[start:end]
            start = end
            while token < len(ends) and ends[token] <= start:
                token += 1
        rest = text[start:]
        if len(rest) > 1 and self.tokenizer.count(rest) > self.block:
            yield from self.pieces(rest)  # by itself it is split otherwise than it was in the whole
        elif rest or not text:
            yield rest

    def _fitting(self, text: str, start: int, end: int) -> int:
        """Return where the piece from `start` is to end, at `end` at most, so that it fits."""
        end = _cut(text, start, end)
        while end > start + 1 and self.tokenizer.count(text[start:end]) > self.block:
            # By itself it is split otherwise than within its text: as many tokens less as there are too many.
            fitting = start + self.tokenizer.ends(text[start:end])[self.block - 1]
            end = _cut(text, start, max(start + 1, min(fitting, end - 1)))
        return end


def _cut(text: str, start: int, end: int) -> int:
    """Return where to cut a text between `start` and `end`: after white space in the second half, else at its end.

    Not between a letter and the marks on it, where that can be helped.
    """
    after_space = max(text.rfind(space, (start + end) // 2, end) for space in SPACES) + 1
    if after_space:
        return after_space
    cut = end
    while start + 1 < cut < len(text) and (category(text[cut])[0] == "M" or "\u200d" in text[cut - 1 : cut + 1]):
        cut -= 1
    return end if cut == start + 1 else cut
