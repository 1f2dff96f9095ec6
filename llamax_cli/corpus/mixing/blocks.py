"""Monolingual text in blocks of at most so many tokens (paper, section 2: 512)."""

from collections.abc import Iterator
from dataclasses import dataclass

from llamax_cli.tokenization import Tokenizer

LIKELY = 8  # characters a token; a text of more than that times the block is not worth being counted first


@dataclass(frozen=True)
class Cutter:
    """Cuts texts so that the pieces joined are the text and each encodes to at most `block` tokens.

    A cut is made after white space, or between characters where a word alone is too long. A single character of more
    tokens than the block is a piece by itself.
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
            piece = self._fitting(text[start : max(start + 1, ends[token + self.block - 1])])
            yield piece
            start += len(piece)
            while token < len(ends) and ends[token] <= start:
                token += 1
        rest = text[start:]
        if len(rest) > 1 and self.tokenizer.count(rest) > self.block:
            yield from self.pieces(rest)  # by itself it is split otherwise than it was in the whole
        elif rest or not text:
            yield rest

    def _fitting(self, text: str) -> str:
        """Return the longest piece to cut from the start of a text that is not all of it."""
        piece = text[: _cut(text)]
        while len(piece) > 1 and self.tokenizer.count(piece) > self.block:
            # By itself it is split otherwise than within its text: as many tokens less as there are too many.
            fitting = self.tokenizer.ends(piece)[self.block - 1]
            piece = piece[: _cut(piece[: max(1, min(fitting, len(piece) - 1))])]
        return piece


def _cut(text: str) -> int:
    """Return where to cut a text that goes on: after its last white space, else at its end."""
    for place in range(len(text) - 1, 0, -1):
        if text[place].isspace():
            return place + 1
    return len(text)
