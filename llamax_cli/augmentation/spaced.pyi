"""Code-switching of texts whose words stand between single spaces, compiled.

The same as `switching.Switcher` does in Python, of which tests hold it to be an exact likeness, for the texts that are
nearly all: it keeps the words it has seen in one block of memory each, and needs a third of the time.
"""

from collections.abc import Callable, Collection
from typing import TypeAlias

Packed: TypeAlias = tuple[bytes, int, int, int, Collection[str] | bool | None]

class Spaced:
    """Code-switches texts at a rate, by what `make` knows of their words.

    `make(word)` gives what a lexicon stores for it, texts and languages (`Haus NUL domicile SOH maison NUL de,fr`), the
    bytes of punctuation before and after it, its capitals, and the words with which phrases go on that begin so. It is
    asked for these phrases too, with True or None for whether there are longer ones. None where there is no letter in
    the word. `write(translation, capitals)` gives a translation the capitals wanted.
    """

    def __init__(self, make: Callable[[str], Packed | None], write: Callable[[str, int], str], rate: float) -> None: ...
    def __call__(self, text: str, key: int, /) -> tuple[bytes, int, int, int, list[str]] | None:
        """Return the text in JSON, how many words it had, were covered and were replaced, and by which languages.

        None where there is other white space, or where the text has more than 10,000 words or needs more memory than
        there is.
        """

    def clear(self) -> None:
        """Forget all words."""
