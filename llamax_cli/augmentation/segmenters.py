"""Segmenters: what splits the texts of languages without spaces into words, by language.

choices = choose_segmenters("th=pythainlp")  # and for all other languages the default
choices["th"] -> "pythainlp"
splitter(choices["zh"], vocabulary)("我喜欢北京。") -> (["我", "喜欢", "北京", "。"], "")
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

from llamax_cli.augmentation.segmentation import LexiconSplitter
from llamax_cli.augmentation.segmenter_loaders import Segment, is_compiled
from llamax_cli.augmentation.unspaced_scripts import CHINESE, UNSPACED
from llamax_cli.augmentation.vocabulary import Vocabulary
from llamax_cli.augmentation.words import WordSplitter
from llamax_cli.errors import LanguageError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.registry import find, suggestion


class Segmenter(NamedTuple):
    """A segmenter: its languages, the function that loads it, and the package that has to be installed.

    `modules` are what it imports, and an extra of llamax with the name of the segmenter installs them; without any,
    llamax itself does. `package` is the one whose version decides how texts are split.
    """

    languages: Collection[str]
    load: str
    modules: Collection[str] = ()
    package: str = ""


SEARCH_VERSION = 2  # of DICTIONARY; raise it when the search splits a text differently
DICTIONARY = "dictionary"  # the search for the entries of the lexicon; needs no package
AUTO = "auto"  # the default of each language; it does not depend on what is installed
_LOADERS = "llamax_cli.augmentation.segmenter_loaders"

SEGMENTERS: Mapping[str, Segmenter] = {
    DICTIONARY: Segmenter(UNSPACED, ""),
    "jieba": Segmenter(CHINESE, f"{_LOADERS}:jieba"),
    "rjieba": Segmenter(CHINESE, f"{_LOADERS}:rjieba", ("rjieba",), "rjieba"),
    "pythainlp": Segmenter(("th",), f"{_LOADERS}:pythainlp", ("pythainlp",), "pythainlp"),
    "sudachi": Segmenter(("ja",), f"{_LOADERS}:sudachi", ("sudachipy", "sudachidict_core"), "sudachidict_core"),
    "fugashi": Segmenter(("ja",), f"{_LOADERS}:fugashi", ("fugashi", "unidic_lite"), "fugashi"),
    "khmercut": Segmenter(("km",), f"{_LOADERS}:khmercut", ("khmercut",), "khmercut"),
    "laonlp": Segmenter(("lo",), f"{_LOADERS}:laonlp", ("laonlp",), "laonlp"),
}
DEFAULTS: Mapping[str, str] = {**dict.fromkeys(UNSPACED, DICTIONARY), **dict.fromkeys(CHINESE, "jieba")}
NAMES = (AUTO, *SEGMENTERS)


def choose_segmenters(value: str) -> Mapping[str, str]:
    """Return the name of the segmenter of each language without spaces.

    `value` has names, which are for all languages of the segmenter, and `LANGUAGE=NAME`, separated by commas; what
    comes later counts. UsageError if a name or language is unknown, they do not go together, or a package is missing.
    """
    choices = dict(DEFAULTS)
    for item in filter(None, map(str.strip, value.split(","))):
        code, equals, name = item.rpartition("=")
        if name not in NAMES:
            raise UsageError(f"--segmenter {item}: {name!r} is unknown; {suggestion(name, NAMES)}")
        langs = (_language(item, code),) if equals else tuple(UNSPACED if name == AUTO else SEGMENTERS[name].languages)
        for lang in langs:
            choices[lang] = DEFAULTS[lang] if name == AUTO else name
            if lang not in SEGMENTERS[choices[lang]].languages:
                raise UsageError(f"--segmenter {item}: {name} is for {_listed(SEGMENTERS[name].languages)}")
        if name != AUTO:
            _check_installed(name)
    return choices


def word_segmenters(value: str | None) -> Mapping[str, str]:
    """Return the segmenter that splits the texts of each language without spaces where there is no lexicon.

    `value` is as in `choose_segmenters`; a language that it does not name has the first segmenter that is installed, or
    none.
    """
    installed = {name for name in SEGMENTERS if name != DICTIONARY and not _missing(name)}
    found = {lang: name for name in reversed([*SEGMENTERS]) if name in installed for lang in SEGMENTERS[name].languages}
    if value is None:
        return found
    chosen = choose_segmenters(value)
    if any(item.rpartition("=")[2].strip() == DICTIONARY for item in value.split(",")):
        raise UsageError(f"--segmenter {value}: {DICTIONARY} needs a lexicon, which only augment has")
    return found | {lang: name for lang, name in chosen.items() if name != DICTIONARY}


def complete_segmenter(incomplete: str) -> list[tuple[str, str]]:
    """Return the completions of a value of --segmenter, each with its languages and how to install it."""
    before, comma, item = incomplete.rpartition(",")
    code, equals, start = item.rpartition("=")
    completions = []
    for name in NAMES:
        languages = UNSPACED if name == AUTO else SEGMENTERS[name].languages
        if name.startswith(start) and (not equals or code in languages):
            needs = "" if name == AUTO or not SEGMENTERS[name].modules else f"; pip install 'llamax[{name}]'"
            completions.append((f"{before}{comma}{code}{equals}{name}", _listed(languages) + needs))
    return completions


def _language(item: str, code: str) -> str:
    try:
        lang = canonical(code)
    except LanguageError as error:
        raise UsageError(f"--segmenter {item}: {error}") from error
    if lang not in UNSPACED:
        raise UsageError(f"--segmenter {item}: only {_listed(UNSPACED)} have no spaces between words")
    return lang


def _listed(langs: Iterable[str]) -> str:
    return ", ".join(sorted(langs))


def _check_installed(name: str) -> None:
    """Raise UsageError if a module of a segmenter is not installed; none is imported."""
    if _missing(name):
        raise UsageError(f"--segmenter {name} is not installed: pip install 'llamax[{name}]'")


def _missing(name: str) -> bool:
    return any(find_spec(module) is None for module in SEGMENTERS[name].modules)


def splitter(name: str, vocabulary: Vocabulary) -> WordSplitter:
    """Return a splitter for texts in the language of a vocabulary."""
    return LexiconSplitter(vocabulary) if name == DICTIONARY else package_splitter(name)


class PackageSplitter:
    """Splits texts with a segmenter that loses nothing; `compiled` is what compiled code splits them with."""

    def __init__(self, segment: Segment) -> None:
        self.compiled = segment

    def __call__(self, text: str) -> tuple[list[str], str]:
        """Return the words of a text, which is one empty word if it is empty, and the gaps, which are empty."""
        return self.compiled(text) or [""], ""


@cache
def package_splitter(name: str) -> PackageSplitter:
    """Return the splitter of a segmenter other than DICTIONARY."""
    segment: Segment = find(SEGMENTERS[name].load)()
    return PackageSplitter(segment if is_compiled(segment) else _checked(segment))


def _checked(segment: Segment) -> Segment:
    """Return a segmenter that loses nothing: what it left out of a text is a word of its own."""

    def checked(text: str) -> list[str]:
        words = segment(text)
        return words if "".join(words) == text else restore(text, words)

    return checked


def restore(text: str, words: Iterable[str]) -> list[str]:
    """Return words that join to a text: `restore("a b\u200bc", ["a", "b", "c"]) -> ["a", " ", "b", "\u200b", "c"]`.

    Words that are not in the text are left out; what is between the others is a word.
    """
    restored: list[str] = []
    end = 0
    for word in filter(None, words):
        start = text.find(word, end)
        if start < 0:
            continue
        if end < start:
            restored.append(text[end:start])
        restored.append(word)
        end = start + len(word)
    return [*restored, text[end:]] if end < len(text) else restored


def describe(name: str) -> str:
    """Return the name of a segmenter with the version that decides how it splits: `pythainlp 5.4.0`."""
    if name == DICTIONARY:
        return f"{name} {SEARCH_VERSION}"
    from importlib.metadata import version

    package = SEGMENTERS[name].package
    return f"{name} {version(package)}" if package else name
