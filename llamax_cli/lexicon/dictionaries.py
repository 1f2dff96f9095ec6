"""The contract of dictionary formats: a request to open a dictionary, and the pairs of words that it yields."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias
from unicodedata import is_normalized, normalize

from llamax_cli.errors import DataError, LanguageError, RecordError, UsageError
from llamax_cli.languages import canonical, known
from llamax_cli.streams.chunks import Chunk, Tally
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, bare, texts_of
from llamax_cli.streams.rejects import Reject

LANGUAGE_SEPARATORS = "-_2"  # en-fr.txt of MUSE, en_ak.tsv of GATITOS, eng2swh.txt of PanLex
ENDINGS = (".txt", ".tsv", ".tab", ".dic", ".csv", ".jsonl", ".lex")

WordPair: TypeAlias = tuple[str, str, str, str]  # language and word of one side, language and word of the other


@dataclass
class ParsedLines:
    """The pairs in some lines of a dictionary, and the lines that were rejected.

    `sources` has the dictionaries that each pair comes from, where the lines name them. `one_way`: the pairs are not
    to be reversed, because the other direction is another entry.
    """

    pairs: list[WordPair] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    sources: list[Sequence[str]] = field(default_factory=list)
    one_way: bool = False


class Dictionary(NamedTuple):
    """An open dictionary.

    `name` is the source of its entries, `chunks` are its lines, and `parse` parses them, perhaps in another process.
    """

    name: str
    chunks: Iterable[Chunk]
    parse: Callable[[Chunk], ParsedLines]


@dataclass(frozen=True)
class DictionaryRequest:
    """How to open dictionaries.

    `input` opens a path so that the run knows of it; `languages` are those that the user declared; `tally` counts what
    a format leaves out.
    """

    input: Callable[[str | Path], Input]
    languages: Sequence[str] = ()
    tally: Tally = field(default_factory=Counter)

    def language_pair(self, path: str) -> tuple[str, str]:
        """Return the two languages of a file, as declared or by its name; UsageError where neither tells them."""
        languages = self.languages or languages_in(path)
        if len(languages) != 2:
            where = "standard input" if path == "-" else path
            raise UsageError(f"{where}: the name does not tell which two languages; say --langs en-fr")
        if languages[0] == languages[1]:
            raise UsageError(f"{path}: both sides are in {languages[0]}; say --langs en-fr")
        return languages[0], languages[1]


def parse_language_pair(value: str | None) -> tuple[str, ...]:
    """Return the two languages of `--langs`: `parse_language_pair("en-zh-Hant") -> ("en", "zhtrad")`."""
    if value is None:
        return ()
    name = value.replace(",", "-")
    languages = _split_name(name)
    if not languages:
        for code in name.split("-"):
            try:
                canonical(code)
            except LanguageError as error:
                raise UsageError(str(error)) from error
        raise UsageError(f"--langs {value} does not name two languages, as en-fr does")
    return languages


def languages_in(path: str) -> tuple[str, ...]:
    """Return the two languages in the name of a dictionary, () where there are not two.

    `languages_in("muse/en-fr.0-5000.txt") -> ("en", "fr")`, `languages_in("eng2swh.txt") -> ("en", "sw")`
    """
    return _split_name(bare(path).split(".")[0])


def _split_name(name: str) -> tuple[str, ...]:
    for position, character in enumerate(name):
        if character in LANGUAGE_SEPARATORS:
            first, second = known(name[:position]), known(name[position + 1 :])
            if first and second:
                return first, second
    return ()


def source_name(path: str) -> str:
    """Return the name of a dictionary as the source of entries: `source_name("muse/en-fr.txt") -> "muse/en-fr"`."""
    if path == "-":
        return "stdin"
    absolute = Path(path).resolve()
    stem = bare(absolute)
    for ending in ENDINGS:
        stem = stem.removesuffix(ending)
    return f"{absolute.parent.name}/{stem}" if absolute.parent.name else stem


def parse_lines(chunk: Chunk, parse_line: Callable[[str], Iterable[WordPair]]) -> ParsedLines:
    """Return the pairs that `parse_line` finds in each line; a line for which it raises RecordError is rejected."""
    parsed = ParsedLines()
    for number, line in enumerate(texts_of(chunk.data), chunk.line):
        try:
            if isinstance(line, Bad):
                raise RecordError(line.reason)
            for lang, word, other_lang, other_word in parse_line(line):
                parsed.pairs.append(
                    (lang, normalize_word(word, "first"), other_lang, normalize_word(other_word, "second"))
                )
        except RecordError as error:
            raw = line.raw if isinstance(line, Bad) else line.encode()
            parsed.rejects.append(Reject(chunk.name, number, str(error), raw))
    return parsed


def normalize_word(text: str, side: str) -> str:
    """Return a word in NFC, without U+FEFF, with one space for any white space; RecordError where nothing is left.

    `normalize_word("\\ufeffcafe\\u0301\\u0085 noir ", "first") -> "café noir"`
    """
    if text.isascii() and text.isalnum():
        return text
    if not is_normalized("NFC", text):
        text = normalize("NFC", text)
    word = " ".join(text.replace("\ufeff", "").split())
    if not word:
        raise RecordError(f"the {side} side is empty")
    if "\0" in word or "\1" in word:  # the store separates words by them
        raise RecordError(f"NUL or U+0001 in the {side} side")
    return word


def head_lines(source: Input) -> list[str]:
    """Return the first lines of a file, except for the last one read, which may be cut; DataError where it is empty."""
    head = source.head().removeprefix(b"\xef\xbb\xbf")
    if not head:
        raise DataError(f"{source.name} is empty; is the download complete?")
    lines = head.decode(errors="replace").split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] or lines)]


def dictionaries_in(folder: Path) -> Iterator[str]:
    """Yield the dictionaries of a folder, sorted: the files whose names contain two languages."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and languages_in(path.name):
            yield str(path)
