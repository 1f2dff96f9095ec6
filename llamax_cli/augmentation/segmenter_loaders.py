"""Loading the segmenters of other packages; each function imports its package and returns its `Segment`."""

import warnings
from collections.abc import Callable, Iterable
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

try:
    from llamax_cli.augmentation.spaced import JiebaSegmenter
except ImportError:  # llamax was installed without a C compiler
    JiebaSegmenter = None  # type: ignore[assignment,misc]

Segment = Callable[[str], list[str]]  # the words of a text; joined, they are the text

COMPILED_JIEBA = "0.42.1"  # the version that is split as spaced.c does
SUDACHI_CHARACTERS = 12_000  # it refuses texts of more than 49,149 bytes of UTF-8


def jieba() -> Segment:
    """Return jieba's segmenter of Chinese, which is compiled where it can be and finds the same words."""
    return _compiled_jieba() or _own_jieba()


def is_compiled(segment: Segment) -> bool:
    """Return whether a segmenter is compiled code of ours, which loses nothing of a text."""
    return JiebaSegmenter is not None and isinstance(segment, JiebaSegmenter)


def _compiled_jieba() -> Segment | None:
    """Return a compiled segmenter with jieba's dictionary and model, without importing jieba.

    Return None if it was not compiled, or if jieba is another version or its files are not as they were published.
    """
    spec = find_spec("jieba")
    if JiebaSegmenter is None or spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    try:
        if f"__version__ = '{COMPILED_JIEBA}'" not in (folder / "__init__.py").read_text(encoding="utf-8"):
            return None
        dictionary = (folder / "dict.txt").read_text(encoding="utf-8")
        model = [_table(folder / "finalseg" / f"prob_{name}.py") for name in ("start", "trans", "emit")]
        return JiebaSegmenter(dictionary, *model)
    except (OSError, ValueError, TypeError):
        return None


def _table(path: Path) -> dict[str, Any]:
    """Return the table `P` of a Python file."""
    module = ModuleType(path.stem)
    SourceFileLoader(path.stem, str(path)).exec_module(module)
    table: dict[str, Any] = module.P
    return table


def _own_jieba() -> Segment:
    """Return jieba's own segmenter."""
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
