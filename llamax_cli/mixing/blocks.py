"""Monolingual text cut into blocks of limited tokens (section 2: 512)."""

from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import category

from llamax_cli.tokenization import Tokenizer

SPACES = " \n\t\u3000\u00a0"
LIKELY_CHARACTERS = 8  # per token, at most; a text too long for a block by this number is not counted before it is cut


@dataclass(frozen=True)
class BlockCutter:
    """Cuts texts into blocks that joined are the text; each encodes to at most `size` tokens.

    A cut is after white space, or between characters if the second half of the block has no white space. The paper
    leaves open how to cut; cutting token sequences would break characters apart (byte fallback). A single character of
    more tokens than the size is a block by itself.
    """

    tokenizer: Tokenizer
    size: int

    def cut(self, text: str) -> Iterator[str]:
        """Yield the blocks, each nearly as long as possible: `"one two three" -> "one two ", "three"` at 2 tokens."""
        if len(text) <= self.size * LIKELY_CHARACTERS and self.tokenizer.count(text) <= self.size:
            yield text
            return
        ends = self.tokenizer.ends(text)
        start = token = 0  # where the next block starts, and the first token that ends after that
        while len(ends) - token > self.size:
            end = self._fit(text, start, max(start + 1, ends[token + self.size - 1]))
            yield text[start:end]
            start = end
            while token < len(ends) and ends[token] <= start:
                token += 1
        rest = text[start:]
        if len(rest) > 1 and self.tokenizer.count(rest) > self.size:
            yield from self.cut(rest)  # by itself the rest has other tokens than within the text
        elif rest or not text:
            yield rest

    def _fit(self, text: str, start: int, end: int) -> int:
        """Return the end of the block from `start`, `end` or earlier, such that the block has at most `size` tokens."""
        end = _find_cut(text, start, end)
        while end > start + 1 and self.tokenizer.count(text[start:end]) > self.size:
            # By itself the block has other tokens than within the text: end it with its own last token that fits.
            last = start + self.tokenizer.ends(text[start:end])[self.size - 1]
            end = _find_cut(text, start, max(start + 1, min(last, end - 1)))
        return end


def _find_cut(text: str, start: int, end: int) -> int:
    """Return where to cut between `start` and `end`: after white space in the second half, otherwise at the end.

    If possible, not between a letter and its combining marks.
    """
    after_space = max(text.rfind(space, (start + end) // 2, end) for space in SPACES) + 1
    if after_space:
        return after_space
    cut = end
    while start + 1 < cut < len(text) and (category(text[cut])[0] == "M" or "\u200d" in text[cut - 1 : cut + 1]):
        cut -= 1
    return end if cut == start + 1 else cut
