"""Loading the segmenters of other packages; each function imports its package and returns its `Segment`."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

Segment = Callable[[str], list[str]]

SUDACHI_CHARACTERS = 12_000  # it refuses texts of more than 49,149 bytes of UTF-8


def jieba() -> Segment:
    """Return jieba's segmenter of Chinese."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns about escapes in jieba's source
        import jieba

    # jieba's own way of loading prints to standard error and leaves a file in the temporary folder.
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    segment: Segment = tokenizer.lcut
    return segment


def rjieba() -> Segment:
    """Return the segmenter of Chinese that is jieba in Rust."""
    import rjieba

    segment: Segment = rjieba.cut
    return segment


def pythainlp() -> Segment:
    """Return PyThaiNLP's default segmenter of Thai, newmm: fewest words of its dictionary, character clusters whole."""
    from pythainlp.tokenize import Tokenizer

    segment: Segment = Tokenizer(engine="newmm").word_tokenize
    return segment


def sudachi() -> Segment:
    """Return SudachiPy's segmenter of Japanese, in mode A, its shortest words."""
    from sudachipy import Dictionary, SplitMode

    tokenize: Callable[[str], Iterable[Any]] = Dictionary(dict="core").tokenizer(mode=SplitMode.A).tokenize
    return lambda text: [morpheme.surface() for part in _parts(text, SUDACHI_CHARACTERS) for morpheme in tokenize(part)]


def fugashi() -> Segment:
    """Return MeCab's segmenter of Japanese with UniDic, as fugashi wraps it."""
    import fugashi
    import unidic_lite

    tagger = fugashi.Tagger(f"-d {unidic_lite.DICDIR} -Owakati")

    def segment(text: str) -> list[str]:
        words: list[str] = []
        for node in tagger(text):
            if node.white_space:
                words.append(node.white_space)
            words.append(node.surface)
        return words

    return segment


def khmercut() -> Segment:
    """Return khmercut's segmenter of Khmer, a conditional random field."""
    from khmercut import tokenize

    segment: Segment = tokenize
    return segment


def laonlp() -> Segment:
    """Return LaoNLP's segmenter of Lao, which searches its dictionary."""
    from laonlp.tokenize import word_tokenize

    segment: Segment = word_tokenize
    return segment


def _parts(text: str, size: int) -> Iterable[str]:
    """Yield a text in parts of at most `size` characters."""
    return (text[start : start + size] for start in range(0, len(text), size))
