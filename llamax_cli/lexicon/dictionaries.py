"""The contract of dictionary formats: a request to open a dictionary, and the word pairs that the dictionary yields."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias
from unicodedata import is_normalized, normalize

from llamax_cli.errors import DataError, LanguageError, RecordError, UsageError
from llamax_cli.language_clues import Conclusions
from llamax_cli.languages import canonical, known
from llamax_cli.streams.chunks import Chunk, Tally
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, bare, texts_of, unmarked
from llamax_cli.streams.paths import is_side_file
from llamax_cli.streams.rejects import Reject

LANGUAGE_SEPARATORS = "-_2"  # en-fr.txt of MUSE, en_ak.tsv of GATITOS, eng2swh.txt of PanLex
BLANK_LINES = 1 << 16  # blank lines in one chunk
ENDINGS = (".txt", ".tsv", ".tab", ".dic", ".csv", ".jsonl", ".lex", ".tei", ".dict", ".dict.dz")

WordPair: TypeAlias = tuple[str, str, str, str]  # language and word of the first side, then of the second


@dataclass
class ParsedLines:
    """The pairs in some lines of a dictionary, and the rejected lines.

    `sources` lists the dictionaries that each pair comes from, if the lines name them. `one_way`: the pairs must not be
    reversed, because the opposite direction has entries of its own. `left_out` counts what the format passes over.
    """

    pairs: list[WordPair] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    sources: list[Sequence[str]] = field(default_factory=list)
    one_way: bool = False
    left_out: Tally = field(default_factory=Counter)


class Dictionary(NamedTuple):
    """An open dictionary.

    `name` is the source of its entries, `chunks` are its lines; `parse` parses a chunk, possibly in another process.
    """

    name: str
    chunks: Iterable[Chunk]
    parse: Callable[[Chunk], ParsedLines]


@dataclass(frozen=True)
class DictionaryRequest:
    """How to open dictionaries.

    `input` opens a path and records it as an input of the run; `languages` are the two that the user declared, if any;
    `tally` counts what a format leaves out; `conclusions` takes what was concluded from
    names and headers.
    """

    input: Callable[[str | Path], Input]
    languages: Sequence[str] = ()
    tally: Tally = field(default_factory=Counter)
    conclusions: Conclusions = field(default_factory=Conclusions)

    def lines(self, path: str) -> Iterator[Chunk]:
        """Yield the lines of a text file; blank ones at its end are left out and counted."""
        blank, line, name = 0, 1, path
        for chunk in unmarked(self.input(path)):
            length = len(chunk.data.rstrip())
            end = chunk.data.find(b"\n", length) + 1 if length else 0
            if end:
                while blank:  # they are not at the end after all
                    count = min(blank, BLANK_LINES)
                    yield Chunk(name, line, b"\n" * count)
                    blank, line = blank - count, line + count
                yield chunk._replace(data=chunk.data[:end])
            if not blank:
                line, name = chunk.line + chunk.data.count(b"\n", 0, end), chunk.name
            blank += chunk.data.count(b"\n", end)
        self.tally["blank at the end"] += blank

    def language_pair(self, path: str) -> tuple[str, str]:
        """Return the two languages of a file, declared or else from its name; raise UsageError if neither has them."""
        languages = self.languages or languages_in(path)
        if len(languages) != 2:
            where = "standard input" if path == "-" else path
            raise UsageError(
                f"{where}: cannot tell the two languages from the name; give them, for example --langs en-fr"
            )
        if languages[0] == languages[1]:
            raise UsageError(f"{path}: both sides are in {languages[0]}; give two languages, for example --langs en-fr")
        if not self.languages:
            self.conclusions.names[path] = languages
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
        raise UsageError(f"--langs {value}: give two languages, for example en-fr")
    return languages


def languages_in(path: str) -> tuple[str, ...]:
    """Return the two languages in the name of a dictionary, or () if it does not contain two.

    `languages_in("muse/en-fr.0-5000.txt") -> ("en", "fr")`, `languages_in("eng2swh.txt") -> ("en", "sw")`.
    Debian puts `freedict-` before the languages.
    """
    return _split_name(bare(path).split(".")[0].removeprefix("freedict-"))


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
    """Return the pairs that `parse_line` returns for each line; lines for which it raises RecordError are rejected."""
    parsed = ParsedLines()
    for number, line in enumerate(texts_of(chunk.data), chunk.line):
        try:
            if isinstance(line, Bad):
                raise RecordError(line.reason)
            for lang, word, other_lang, other_word in parse_line(line):
                parsed.pairs.append(
                    (lang, normalize_word(word, "first side"), other_lang, normalize_word(other_word, "second side"))
                )
        except RecordError as error:
            raw = line.raw if isinstance(line, Bad) else line.encode()
            parsed.rejects.append(Reject(chunk.name, number, str(error), raw))
    return parsed


def normalize_word(text: str, side: str) -> str:
    """Return a word in NFC, without U+FEFF and with single spaces; raise RecordError if it is empty.

    `normalize_word("\\ufeffcafe\\u0301\\u0085 noir ", "first side") -> "café noir"`

    `side` says in messages which word of a line or entry it is.
    """
    if text.isascii() and text.isalnum():
        return text
    if not is_normalized("NFC", text):
        text = normalize("NFC", text)
    word = " ".join(text.replace("\ufeff", "").split())
    if not word:
        raise RecordError(f"the {side} is empty")
    if "\0" in word or "\1" in word:  # the store uses them as separators
        raise RecordError(f"NUL or U+0001 in the {side}")
    return word


def head_lines(source: Input) -> list[str]:
    """Return the first lines of a file, but not a last one that may be incomplete, nor blank ones at the end.

    Raises DataError if the file is empty.
    """
    head = source.head().removeprefix(b"\xef\xbb\xbf")
    if not head:
        raise DataError(f"{source.name} is empty; is the download complete?")
    lines = head.decode(errors="replace").split("\n")
    lines = [line.removesuffix("\r") for line in (lines[:-1] or lines)]
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    return lines


def dictionaries_in(folder: Path) -> Iterator[str]:
    """Yield the dictionaries of a folder, which are the files with two languages in their names, sorted by name."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and languages_in(path.name) and not is_side_file(path):
            yield str(path)
