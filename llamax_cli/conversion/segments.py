"""What every corpus format gives and gets: segments in some languages, and a request to open it."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from llamax_cli.languages import known, languages
from llamax_cli.records import Record
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare

VARIETY = r"[A-Za-z]{2,3}[_-][A-Za-z]{2,4}"  # a language with its script or region
NOTHING: Mapping[str, Any] = {}


class Segment(NamedTuple):
    """One segment of a corpus: its number there (from 1), its text in each language asked for (None where the corpus
    has none) and what else the corpus says of it."""

    number: int
    texts: Sequence[str | None]
    extra: Mapping[str, Any] = NOTHING


class Corpus(Protocol):
    """Segments that are there in one language or in several."""

    @property
    def name(self) -> str:
        """What opens the id of each segment: `flores101/devtest`."""

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes, in the order of the corpus."""

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every segment with its texts in these languages; may be called again for others."""


@runtime_checkable
class Stream(Protocol):
    """A corpus each line of which says its own languages, so that it can be taken line by line."""

    def as_they_are(self, counts: Counter[str]) -> Iterator[Record]:
        """Yield a record for each line in the order of the lines; `counts` gets those that hold no translation."""


def ignore(name: str, line: int, reason: str, raw: bytes) -> None:
    """Let a bad line be, in a pass that only looks: it is reported when the line is read."""


def language_in(name: str) -> str | None:
    """Return the language that a file ending or the head of a column means: `language_in("eng") -> "en"`.

    Beyond the languages of the table only two letters count, or a script or region: three letters are too often
    something else ("src", "csv", "ids" and "url" are registered codes) and want to be declared.
    """
    code = known(name)
    return code if code in languages() or len(name) == 2 or re.fullmatch(VARIETY, name) else None


@dataclass(frozen=True)
class CorpusRequest:
    """What to open and how to read it.

    `languages` are those the user declared, in the order of the files or columns; `columns` maps a language to the
    name or number of its column; `input` opens a path so that the run knows of it; `reject(file, line, reason, bytes)`
    takes a bad line, and returns only where the run may go on without it.
    """

    paths: Sequence[str]
    input: Callable[[str | Path], Input]
    reject: Callable[[str, int, str, bytes], None]
    languages: Sequence[str] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    split: str | None = None
    config: str | None = None

    def spool(self) -> None:
        """Make every input one that can be read again: several directions are several passes."""
        for path in self.paths:
            if _is_stream(path):
                self.input(path).spool()

    def corpus_name(self, path: str, *, without: str = "") -> str:
        """Return the name of the corpus at `path`: its folder and itself, less compression and the ending `without`.

        `corpus_name("/data/tatoeba/eng-fra.tsv.gz", without=".tsv") -> "tatoeba/eng-fra"`
        """
        if self.name is not None:
            return self.name
        if _is_stream(path):
            return "stdin"
        whole = Path(os.path.realpath(path))
        stem = bare(whole).removesuffix(without)
        return f"{whole.parent.name}/{stem}" if whole.parent.name else stem


def _is_stream(path: str) -> bool:
    """Return whether a path is standard input, a pipe or a device."""
    return path == "-" or (os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path))
