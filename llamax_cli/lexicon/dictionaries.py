"""What every dictionary format gives and gets: pairs of words, and a request to open it."""

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

SEPARATORS = "-_2"  # en-fr.txt of MUSE, en_ak.tsv of GATITOS, eng2swh.txt of PanLex


Pair: TypeAlias = tuple[str, str, str, str]  # language and word of one side, language and word of the other


@dataclass
class Parsed:
    """What some lines of a dictionary hold.

    Pairs that are `directed` are said in one direction only, as those of an entry are: the other direction is another
    entry. `sources` are the dictionaries they come from where the lines say so themselves, for each pair.
    """

    pairs: list[Pair] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    sources: list[Sequence[str]] = field(default_factory=list)
    directed: bool = False


class Dictionary(NamedTuple):
    """A dictionary that is open.

    `chunks` are its lines, `parse` makes pairs of them and may be called in another process; `name` is what entries
    give as their source.
    """

    name: str
    chunks: Iterable[Chunk]
    parse: Callable[[Chunk], Parsed]


@dataclass(frozen=True)
class DictionaryRequest:
    """What to open: `input` opens a path so that the run knows of it; `languages` are those the user declared.

    `tally` gets what a format leaves out.
    """

    input: Callable[[str | Path], Input]
    languages: Sequence[str] = ()
    tally: Tally = field(default_factory=Counter)

    def pair(self, path: str) -> tuple[str, str]:
        """Return the two languages of a file, as declared or by its name; UsageError where nobody says."""
        found = self.languages or languages_in(path)
        if len(found) != 2:
            where = "standard input" if path == "-" else path
            raise UsageError(f"{where}: the name does not tell which two languages; say --langs en-fr")
        if found[0] == found[1]:
            raise UsageError(f"{path}: both sides are in {found[0]}; say --langs en-fr")
        return found[0], found[1]


def declared(value: str | None) -> tuple[str, ...]:
    """Return the two languages of `--langs`: `declared("en-zh-Hant") -> ("en", "zhtrad")`."""
    if value is None:
        return ()
    found = _split(value.replace(",", "-"))
    if not found:
        for code in value.replace(",", "-").split("-"):
            try:
                canonical(code)
            except LanguageError as error:
                raise UsageError(str(error)) from error
        raise UsageError(f"--langs {value} does not name two languages, as en-fr does")
    return found


def languages_in(path: str) -> tuple[str, ...]:
    """Return the languages in the name of a dictionary, () where there are not two.

    `languages_in("muse/en-fr.0-5000.txt") -> ("en", "fr")`, `languages_in("eng2swh.txt") -> ("en", "sw")`
    """
    return _split(bare(path).split(".")[0])


def _split(name: str) -> tuple[str, ...]:
    for place, character in enumerate(name):
        if character in SEPARATORS:
            first, second = known(name[:place]), known(name[place + 1 :])
            if first and second:
                return first, second
    return ()


def source_name(path: str) -> str:
    """Return what entries call a dictionary: `source_name("muse/en-fr.txt") -> "muse/en-fr"`."""
    if path == "-":
        return "stdin"
    whole = Path(path).resolve()
    stem = bare(whole)
    for ending in (".txt", ".tsv", ".tab", ".dic", ".csv", ".jsonl", ".lex"):
        stem = stem.removesuffix(ending)
    return f"{whole.parent.name}/{stem}" if whole.parent.name else stem


def each_line(chunk: Chunk, read: Callable[[str], Iterable[Pair]]) -> Parsed:
    """Return the pairs that `read` finds in each line; a line it raises RecordError for is rejected."""
    found = Parsed()
    for number, line in enumerate(texts_of(chunk.data), chunk.line):
        try:
            if isinstance(line, Bad):
                raise RecordError(line.reason)
            for one, first, other, second in read(line):
                found.pairs.append((one, tidy(first, "first"), other, tidy(second, "second")))
        except RecordError as error:
            raw = line.raw if isinstance(line, Bad) else line.encode()
            found.rejects.append(Reject(chunk.name, number, str(error), raw))
    return found


def tidy(text: str, side: str) -> str:
    """Return a word in NFC, without U+FEFF, spaces of any kind and number as one; RecordError where nothing is left.

    `tidy("\\ufeffcafe\\u0301\\u0085 noir ", "first") -> "café noir"`
    """
    if text.isascii() and text.isalnum():
        return text
    if not is_normalized("NFC", text):
        text = normalize("NFC", text)
    found = " ".join(text.replace("\ufeff", "").split())
    if not found:
        raise RecordError(f"the {side} side is empty")
    if "\0" in found or "\1" in found:  # what stands between words where they are stored
        raise RecordError(f"NUL or U+0001 in the {side} side")
    return found


def first_lines(source: Input) -> list[str]:
    """Return the lines at the head of a file, less the last, which may be cut; DataError where there is none."""
    head = source.head().removeprefix(b"\xef\xbb\xbf")
    if not head:
        raise DataError(f"{source.name} is empty; is the download complete?")
    lines = head.decode(errors="replace").split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] or lines)]


def paths_in(folder: Path) -> Iterator[str]:
    """Yield the dictionaries of a folder: the files whose names tell two languages, in order."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and languages_in(path.name):
            yield str(path)
