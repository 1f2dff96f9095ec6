"""The contract of corpus formats: a request to open corpora, and the segments in several languages that they yield."""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import msgspec

from llamax_cli.language_clues import Conclusions
from llamax_cli.language_table import fold
from llamax_cli.records import Record
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare

NO_EXTRA: Mapping[str, Any] = {}


class PlacedRecord(dict[str, Any]):
    """A record that knows its place, a file and the number of a line or segment, for who cannot write the record."""

    __slots__ = ("place",)

    def __init__(self, record: Record, name: str, number: int) -> None:
        super().__init__(record)
        self.place = name, number


def place_of(record: Record, count: int) -> tuple[str, int]:
    """Return the file and line of a PlacedRecord; of another, which is the `count`-th one, ("records", `count`)."""
    return record.place if isinstance(record, PlacedRecord) else ("records", count)


# Takes a bad line: file, number of the line, reason, its bytes.
RejectLine: TypeAlias = Callable[[str, int, str, bytes], None]


class Segment(msgspec.Struct, frozen=True, gc=False):
    """One segment of a corpus; there is one for each line, and this kind of object is the quickest to make.

    `number` is its number in the corpus, from 1; `texts` has its text in each requested language, None where the
    corpus does not have it; `extra` has the other keys of its record.
    """

    number: int
    texts: Sequence[str | None]
    extra: Mapping[str, Any] = NO_EXTRA


class Corpus(Protocol):
    """Segments in one or several languages."""

    @property
    def name(self) -> str:
        """The first part of each segment's id: `flores101/devtest`."""

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes, in the order of the corpus."""

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every segment with its texts in these languages; can be called again for other languages."""


@runtime_checkable
class RecordStream(Protocol):
    """A corpus in which each line names its languages, so that it can be read line by line."""

    def stream_records(self, counts: Counter[str]) -> Iterator[Record]:
        """Yield a record for each line, in order; `counts` counts the lines without a translation."""


@runtime_checkable
class HasLines(Protocol):
    """A RecordStream whose lines are mostly written as they are read, so that they need not be taken apart."""

    def lines(self, counts: Counter[str]) -> Iterator[bytes]:
        """Yield the lines of its records, in blocks."""


def ignore_bad_line(name: str, line: int, reason: str, raw: bytes) -> None:
    """Ignore a bad line, for a pass that only looks for languages: the pass that reads the texts reports it."""


def find_column(name: str, names: Collection[str]) -> str | None:
    """Return the column that the user names; upper and lower case do not matter unless two names differ in it only."""
    same = [each for each in names if fold(each) == fold(name)]
    return name if name in names else same[0] if len(same) == 1 else None


@dataclass(frozen=True)
class CorpusRequest:
    """Which corpora to open, and how.

    `languages` are those that the user declared, in the order of the files or columns; `columns` maps a language to the
    name or number of its column; `input` opens a path so that the run knows of it; `reject` takes a bad line, and
    returns only if the run may continue without it; `conclusions` takes what was concluded from names and headers;
    `left_out` counts the segments that a format leaves out, by reason. If it `keeps_places`, all records are
    PlacedRecords.
    """

    paths: Sequence[str]
    input: Callable[[str | Path], Input]
    reject: RejectLine
    languages: Sequence[str] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    split: str | None = None
    config: str | None = None
    conclusions: Conclusions = field(default_factory=Conclusions)
    left_out: Counter[str] = field(default_factory=Counter)
    keeps_places: bool = False

    def placed(self, record: Record, name: str, number: int) -> Record:
        """Return a record with its place, if places are kept."""
        return PlacedRecord(record, name, number) if self.keeps_places else record

    def spool(self) -> None:
        """Make every input readable several times, because each direction reads it once."""
        for path in self.paths:
            if _is_stream(path):
                self.input(path).spool()

    def corpus_name(self, path: str, *, without: str = "") -> str:
        """Return the name of the corpus at a path: folder and file, without the endings of compression and format.

        `corpus_name("/data/tatoeba/eng-fra.tsv.gz", without=".tsv") -> "tatoeba/eng-fra"`
        """
        if self.name is not None:
            return self.name
        if _is_stream(path):
            return "stdin"
        absolute = Path(os.path.realpath(path))
        stem = bare(absolute).removesuffix(without)
        return f"{absolute.parent.name}/{stem}" if absolute.parent.name else stem


def _is_stream(path: str) -> bool:
    """Return whether a path is standard input, a pipe or a device."""
    return path == "-" or (os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path))
