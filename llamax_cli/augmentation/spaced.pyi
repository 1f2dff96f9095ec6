"""Code-switching of texts whose words are separated by single spaces, compiled.

It does exactly what `code_switching.Switcher` does in Python, which the tests check, for the texts that nearly all are.
It keeps the words seen so far in one block of memory each, and needs a third of the time.
"""

from collections.abc import Callable

from llamax_cli.augmentation.vocabulary import PackedWord

class SpacedSwitcher:
    """Code-switches texts at a rate.

    `pack(text)` returns what the lexicons have for a word, with its punctuation, or for a phrase; None where there is
    no letter. It is called once for each word, and again after `clear`. `apply_capitals(translation, capitals)` returns
    a translation with the Capitals of the word that it replaces.
    """

    def __init__(
        self,
        pack: Callable[[str], PackedWord | None],
        apply_capitals: Callable[[str, int], str],
        rate: float,
    ) -> None: ...
    def __call__(self, text: str, key: int, /) -> tuple[bytes, int, int, int, list[str]] | None:
        """Return a `code_switching.Switched`: text as a JSON string, words, covered, replaced, languages.

        `key` has 64 random bits. None where the text has other white space than single spaces or more than 10,000
        words, or where its words need more memory than the budget has: then Python does it.
        """

    def clear(self) -> None:
        """Free the entries of all words."""
