"""TICO-19: files such as `test.en-fr.tsv`, one for each language with its English source, aligned by `stringID`.

Each part of a folder (`dev`, `test`, `all`), subfolders included, is one corpus of all its languages; a single file is
a corpus of two languages. Segments are numbered by their `stringID` in the part, so that numbers are the same in every
direction. `extra` has the document, which is `stringID` without its last number: "CMU_1:12" -> {"doc": "CMU_1"}.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from llamax_cli.console import counted
from llamax_cli.conversion.segments import Corpus, CorpusRequest, RejectLine, Segment, ignore_bad_line
from llamax_cli.errors import DataError, FileError, LanguageError, RecordError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare, decode, lines

HEADER = ("sourceLang", "targetLang", "sourceString", "targetString", "stringID", "url", "license", "translatorId")
NAME = re.compile(r"(?P<part>\w+)\.(?P<source>[A-Za-z]+)-(?P<target>[\w-]+)\.tsv")
# Codes that mean something else in other corpora, or in the table of languages.
CODES = {"ku": "kmr", "ckb": "ku", "fuv": "ff", "fuv-Latn-NG": "ff", "es-LA": "es", "es-419": "es"}


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file, and for each part of a folder or only the part `request.split`."""
    corpora: list[Corpus] = []
    for path in request.paths:
        if Path(path).is_dir():
            corpora.extend(_open_parts(request, Path(path)))
        else:
            corpora.append(Benchmark(request, request.corpus_name(path, without=".tsv"), [path]))
    return corpora


def _open_parts(request: CorpusRequest, folder: Path) -> list[Corpus]:
    parts: dict[tuple[Path, str], list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("*.tsv*")):
        name = NAME.fullmatch(bare(path))
        if name is not None:
            parts[path.parent, name["part"]].append(str(path))
    if not parts:
        raise FileError(f"{folder}: no files named like test.en-fr.tsv")
    known = sorted({part for _, part in parts})
    if request.split is not None and request.split not in known:
        raise UsageError(f"{folder}: no part {request.split!r}; have: {', '.join(known)}")
    chosen = {key: files for key, files in parts.items() if request.split in (None, key[1])}
    return [Benchmark(request, _name(request, key, chosen), files) for key, files in chosen.items()]


def _name(request: CorpusRequest, key: tuple[Path, str], keys: Collection[tuple[Path, str]]) -> str:
    """Return the name of a part: that of its folder, followed by the part unless it is the only one there."""
    folder, part = key
    name = request.corpus_name(str(folder))
    is_only = len(keys) == 1 if request.name else sum(other == folder for other, _ in keys) == 1
    return name if is_only else f"{name}/{part}"


class Row(NamedTuple):
    """The cells of a line that are used: languages, id, source and target, None where one is empty."""

    languages: tuple[str, str]
    key: str
    source: str | None
    target: str | None


class Side(NamedTuple):
    """The files that have a language, as the source or as the target."""

    files: list[Input]
    is_source: bool


class Benchmark:
    """The files of one part; the texts of the languages being read are in memory, a few thousand lines each."""

    def __init__(self, request: CorpusRequest, name: str, paths: Sequence[str]) -> None:
        self.name = name
        self._reject = request.reject
        self._files = [request.input(path) for path in paths]
        for file in self._files:
            file.spool()

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes: English, then the others in the order of the file names."""
        return list(self._sides)

    @cached_property
    def _sides(self) -> Mapping[str, Side]:
        sides: dict[str, Side] = {}
        for file in self._files:
            source, target = _languages(file)
            sides.setdefault(source, Side([], is_source=True)).files.append(file)
            if target in sides:
                raise DataError(
                    f"{file.name}: a second file in {target} beside {sides[target].files[0].name}; remove one"
                )
            sides[target] = Side([file], is_source=False)
        return sides

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        """The number of each id, from 1: in the order of the first file, then of ids that only later files have."""
        numbers: dict[str, int] = {}
        for file in self._files:
            for row in _rows(file, ignore_bad_line):
                numbers.setdefault(row.key, len(numbers) + 1)
        return numbers

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every segment of the part, by number."""
        texts = [self._texts(self._sides[language]) for language in languages]
        for key, number in self._numbers.items():
            yield Segment(number, [by_key.get(key) for by_key in texts], {"doc": key.rpartition(":")[0] or key})

    def _texts(self, side: Side) -> Mapping[str, str | None]:
        """Return the texts of a language by id; the next file is read only if ids are still missing."""
        texts: dict[str, str | None] = {}
        for file in side.files:
            for row in _rows(file, self._reject):
                texts.setdefault(row.key, row.source if side.is_source else row.target)
            if len(texts) == len(self._numbers):
                break
        return texts


def _languages(file: Input) -> tuple[str, str]:
    """Return the languages of a file, by its first valid row: ("en", "fr")."""
    for row in _rows(file, ignore_bad_line):
        try:
            source, target = map(_canonical, row.languages)
        except LanguageError as error:
            raise DataError(f"{file.name}: {error}") from error
        return source, target
    raise DataError(f"{file.name}: no translations in it")


def _canonical(code: str) -> str:
    return CODES.get(code) or canonical(code)


def _rows(file: Input, reject: RejectLine) -> Iterator[Row]:
    """Yield the rows of a file, split at tabs only: quotes are text."""
    keys: set[str] = set()
    for number, line in enumerate(lines(file), 1):
        if number == 1:
            _check_header(file.name, line)
            continue
        try:
            row = _row(decode(line).split("\t"), keys)
        except RecordError as error:
            reject(file.name, number, str(error), line)
        else:
            keys.add(row.key)
            yield row


def _row(cells: list[str], earlier_keys: Container[str]) -> Row:
    if len(cells) != len(HEADER):
        raise RecordError(f"{counted(len(cells), 'column')} instead of {len(HEADER)}")
    source_language, target_language, source, target, key, *_ = cells
    if not key:
        raise RecordError("no stringID")
    if key in earlier_keys:
        raise RecordError(f"a second line with the stringID {key!r}")
    return Row((source_language, target_language), key, source or None, target or None)


def _check_header(name: str, line: bytes) -> None:
    if tuple(line.decode(errors="replace").split("\t")) != HEADER:
        raise DataError(f"{name}: not a file of TICO-19: its first line is not {' '.join(HEADER)}")
