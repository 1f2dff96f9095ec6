"""TICO-19: `test.en-fr.tsv` and its like, one file a language with the English beside it, aligned by `stringID`.

A folder is one corpus of all its languages for each of its parts (`dev`, `test`, `all`), subfolders included; a file
alone is a corpus of two. The number of a segment is that of its `stringID` in the part, so that it is the same in every
direction; `extra` has the document, `stringID` less its last number: "CMU_1:12" -> {"doc": "CMU_1"}.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from llamax_cli.conversion.segments import Corpus, CorpusRequest, Segment, ignore
from llamax_cli.errors import DataError, FileError, LanguageError, RecordError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare, decode, lines

HEADER = ("sourceLang", "targetLang", "sourceString", "targetString", "stringID", "url", "license", "translatorId")
NAME = re.compile(r"(?P<part>\w+)\.(?P<source>[A-Za-z]+)-(?P<target>[\w-]+)\.tsv")
# What TICO means by a code, where another corpus, or the table of languages, means something else.
CODES = {"ku": "kmr", "ckb": "ku", "fuv": "ff", "fuv-Latn-NG": "ff", "es-LA": "es", "es-419": "es", "pt-BR": "pt"}


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return one corpus for each file named, and one for each part of each folder named (`request.split` picks one)."""
    corpora: list[Corpus] = []
    for path in request.paths:
        if Path(path).is_dir():
            corpora.extend(_parts(request, Path(path)))
        else:
            corpora.append(Benchmark(request, request.corpus_name(path, without=".tsv"), [path]))
    return corpora


def _parts(request: CorpusRequest, folder: Path) -> list[Corpus]:
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
    wanted = {place: files for place, files in parts.items() if request.split in (None, place[1])}
    return [Benchmark(request, _name(request, place, wanted), files) for place, files in wanted.items()]


def _name(request: CorpusRequest, place: tuple[Path, str], places: Mapping[tuple[Path, str], object]) -> str:
    """Return the name of a part: that of its folder, and the part after it where the folder does not tell it apart."""
    folder, part = place
    name = request.corpus_name(str(folder))
    is_alone = len(places) == 1 if request.name else sum(other == folder for other, _ in places) == 1
    return name if is_alone else f"{name}/{part}"


class Row(NamedTuple):
    """What is used of a line: its languages, its id, and the text on either side, None where there is none."""

    languages: tuple[str, str]
    key: str
    source: str | None
    target: str | None


class Side(NamedTuple):
    """Where a language stands: in the first column of texts of these files, or in the second."""

    files: list[Input]
    is_source: bool


class Benchmark:
    """Files of one part; of each language the dictionary of one file is held, a few thousand lines."""

    def __init__(self, request: CorpusRequest, name: str, paths: Sequence[str]) -> None:
        self.name = name
        self._reject = request.reject
        self._files = [request.input(path) for path in paths]
        for file in self._files:
            file.spool()

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes: English, then the others in the order of the files' names."""
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
        """The number of each id: its place in the first file, and after that in those that have ids of their own."""
        numbers: dict[str, int] = {}
        for file in self._files:
            for row in _rows(file, ignore):
                numbers.setdefault(row.key, len(numbers) + 1)
        return numbers

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every segment of the part in the order of its number."""
        texts = [self._texts(self._sides[language]) for language in languages]
        for key, number in self._numbers.items():
            yield Segment(number, [each.get(key) for each in texts], {"doc": key.rpartition(":")[0] or key})

    def _texts(self, side: Side) -> Mapping[str, str | None]:
        """Return the texts of a language by id; a further file is read only for what those before it lack."""
        texts: dict[str, str | None] = {}
        for file in side.files:
            for row in _rows(file, self._reject):
                texts.setdefault(row.key, row.source if side.is_source else row.target)
            if len(texts) == len(self._numbers):
                break
        return texts


def _languages(file: Input) -> tuple[str, str]:
    """Return the languages of a file as its first good row names them: ("en", "fr")."""
    for row in _rows(file, ignore):
        try:
            source, target = map(_canonical, row.languages)
        except LanguageError as error:
            raise DataError(f"{file.name}: {error}") from error
        return source, target
    raise DataError(f"{file.name}: no translations in it")


def _canonical(code: str) -> str:
    return CODES.get(code) or canonical(code)


def _rows(file: Input, reject: Callable[[str, int, str, bytes], None]) -> Iterator[Row]:
    """Yield the rows of a file; what its lines quote is text, so that tabs alone cut them."""
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


def _row(cells: list[str], keys: Container[str]) -> Row:
    if len(cells) != len(HEADER):
        raise RecordError(f"{len(cells)} columns instead of {len(HEADER)}")
    source_language, target_language, source, target, key, *_ = cells
    if not key:
        raise RecordError("no stringID")
    if key in keys:
        raise RecordError(f"a second line with the stringID {key!r}")
    return Row((source_language, target_language), key, source or None, target or None)


def _check_header(name: str, line: bytes) -> None:
    if tuple(line.decode(errors="replace").split("\t")) != HEADER:
        raise DataError(f"{name}: not a file of TICO-19: its first line is not {' '.join(HEADER)}")
