"""Code-switching of texts, of those without spaces too, and of lines of records, compiled.

SpacedSwitcher returns exactly what `code_switching.Switcher` returns in Python, and keeps each word that it has seen in
one block of memory. LineSwitcher writes the bytes that `augmentation.Augmenter` makes of the same records in Python.
The tests compare them.
"""

from collections.abc import Callable

from llamax_cli.augmentation.code_switching import Switched
from llamax_cli.augmentation.vocabulary import PackedWord

class Segmentation:
    """Splits texts without spaces into words, as `segmentation.LexiconSplitter` does.

    `look_up(text)` returns what a text is, and `classify(code)` what a character is, in the numbers of segmentation.py;
    `look_up` may call `clear`. `next_characters` is that of a Vocabulary. `script` is one of COMPILED_SCRIPTS; for
    OTHER_SCRIPT, `split_syllables` and `is_seam` are those of its UnspacedScript.
    """

    def __init__(
        self,
        look_up: Callable[[str], int],
        next_characters: Callable[[str], int],
        classify: Callable[[int], int],
        split_syllables: Callable[[str], list[str]],
        is_seam: Callable[[str, int], object],
        script: int,
    ) -> None: ...
    def __call__(self, text: str, /) -> list[str] | None:
        """Return the words of a text, or None if it is left to Python because it is long."""

    def clear(self) -> None:
        """Forget the entries that were looked up."""

class JiebaSegmenter:
    """Splits Chinese texts into words, as `jieba.Tokenizer().lcut` of jieba 0.42.1 does where no words were added.

    `dictionary` has a line for each word, with its frequency. `first`, `following` and `characters` are the logarithms
    of the probabilities of the places in a word, B, M, E and S: of the first character of a text, of a character after
    one in a given place, and of each character in a given place. ValueError if one of them is not as jieba has it.
    """

    def __new__(
        cls,
        dictionary: str,
        first: dict[str, float],
        following: dict[str, dict[str, float]],
        characters: dict[str, dict[str, float]],
        /,
    ) -> JiebaSegmenter: ...
    def __call__(self, text: str, /) -> list[str]:
        """Return the words of a text; joined, they are the text."""

class SpacedSwitcher:
    """Code-switches texts at a rate.

    `pack(text)` returns the PackedWord of a word or phrase with the punctuation around it, or None if it has no letter.
    It is called once for each word, and again after `clear`. `apply_capitals(translation, capitals, language)` returns
    a translation into a language with the Capitals of the word that it replaces. `opens_sentence(before)` tells from
    the text before a word whether it begins a sentence.

    With `charge`, what is packed for an ASCII word is also used where there is punctuation around it, as words.trim
    removes it, and `charge(size)` is called with the bytes of each such copy; it may call `clear`.

    With `segmenter`, words have no gaps: it is a Segmentation, a JiebaSegmenter, or a function that returns a list of
    words, which joined are the text. `is_spaced(language)` then tells whether a language has spaces between words, so
    that spaces are written around its words, beside characters of which `is_word_character` is true.
    """

    def __init__(
        self,
        pack: Callable[[str], PackedWord | None],
        apply_capitals: Callable[[str, int, str], str],
        opens_sentence: Callable[[str], bool],
        rate: float,
        charge: Callable[[int], None] | None = None,
        segmenter: Segmentation | JiebaSegmenter | Callable[[str], list[str]] | None = None,
        is_spaced: Callable[[str], bool] | None = None,
        is_word_character: Callable[[str], bool] | None = None,
    ) -> None: ...
    def __call__(self, text: str, key: int, /) -> tuple[bytes, int, int, int, list[str]] | None:
        """Return a `code_switching.Switched`: text as a JSON string, words, covered, replaced, languages.

        `key` has 64 random bits. Words are split as `words.split_words` or the segmenter splits them. Return None if
        the text is left to Python, because it is long, or because its words do not fit into the memory budget, or
        because it may have an address in it and no spaces.
        """

    def clear(self) -> None:
        """Free the entries of all words."""

class LineSwitcher:
    """Code-switches the texts of lines of records, as `augmentation.Augmenter` does.

    `find_direction(lang, target)` returns what switches the texts of a direction, compiled or None, what switches texts
    that this leaves, and the random bits of each copy. It is called once for each direction. `appends`: write each
    record before its copies. `drops_unchanged`: leave out copies without replacements. `lowers`: put texts in lower
    case first.
    """

    def __init__(
        self,
        find_direction: Callable[[str, str], tuple[SpacedSwitcher | None, Callable[[str, int], Switched], list[int]]],
        *,
        appends: bool,
        drops_unchanged: bool,
        lowers: bool,
    ) -> None: ...
    def __call__(
        self, data: bytes, /
    ) -> tuple[list[bytes], list[int], int, tuple[int, int, int, int, int], dict[str, int], list[str]]:
        """Return what becomes of whole lines: lines, what is left, and counts.

        The lines are in pieces: each but the last ends before a line that is left to Python, because it is not plain
        but for spaces (see plain_lines.pyi), has keys that are absent or no strings, or language codes with escapes.
        Then come the places where these lines begin, the number of lines written, the counts of the other texts
        (augmentation.COUNTS), and the languages of their replacements: counted, and one by one.
        """
