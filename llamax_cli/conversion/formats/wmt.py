"""WMT's test sets: XML since 2021, SGML before (wmt_sgml.py); the first tag tells which.

The XML has whole documents, `<doc id=".."><src lang="en">..</src><ref lang="de" translator="A">..</ref></doc>`. Where a
language has several references, the text is always that of the translator who comes first in the file: a document
without this translator has no text in the language. The other references are in `extra`: `{"ref_de_B": "..."}`. System
outputs (`hyp`) are left out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from llamax_cli.conversion.formats import wmt_sgml
from llamax_cli.conversion.formats.markup import Parser
from llamax_cli.conversion.segments import Corpus, CorpusRequest, Segment
from llamax_cli.errors import DataError, LanguageError
from llamax_cli.languages import canonical
from llamax_cli.streams.inputs import Input

SGML = re.compile(rb"<(?:srcset|refset|tstset)\b", re.IGNORECASE)
HEAD = 1 << 16  # bytes in which to look for the first tag of SGML


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each XML file, and one for all SGML files of a test set."""
    xml: list[Corpus] = []
    sgml: list[str] = []
    for path in request.paths:
        source = request.input(path)
        source.spool()
        if _is_sgml(source):
            sgml.append(path)
        else:
            xml.append(TestSet(request, path))
    return [*xml, *wmt_sgml.open_corpora(request, sgml)]


def _is_sgml(source: Input) -> bool:
    with source.open() as stream, source.readable():
        return SGML.search(stream.read(HEAD)) is not None


class TestSet:
    """An XML file; it is read once for its languages, and once for each call of `segments`."""

    __test__ = False  # tells pytest that this is not a test

    def __init__(self, request: CorpusRequest, path: str) -> None:
        self.name = request.corpus_name(path, without=".xml")
        self._source = request.input(path)

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes, in the order of their first occurrence."""
        return list(self._authors)

    @cached_property
    def _authors(self) -> Mapping[str, str]:
        """The author whose text is taken for each language: {"en": "src", "de": "A"}."""
        authors: dict[str, str] = {}
        for document in _documents(self._source):
            for version in document.versions:
                authors.setdefault(version.language, version.author)
        return authors

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every segment of every document; DataError where versions differ in their segments."""
        authors = self._authors
        number = 0
        for document in _documents(self._source):
            document.check(self._source.name)
            for texts, extra in document.texts(languages, authors):
                number += 1
                yield Segment(number, texts, extra)


@dataclass
class Version:
    """A document in one language by one author, "src" or a translator: segments by id."""

    language: str
    author: str
    segments: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{len(self.segments)} in {'src' if self.author == 'src' else f'ref {self.author}'} ({self.language})"


@dataclass
class Document:
    """A document with all its versions; `line` is the line of the file on which it begins."""

    name: str
    line: int
    versions: list[Version] = field(default_factory=list)

    def check(self, file: str) -> None:
        """Raise DataError where the versions differ in their segments."""
        for version in self.versions[1:]:
            first = self.versions[0]
            if version.segments.keys() != first.segments.keys():
                where = f"{file}:{self.line}: document {self.name!r}"
                raise DataError(f"{where} does not have the same segments in all versions: {first}, {version}")

    def texts(
        self, languages: Sequence[str], authors: Mapping[str, str]
    ) -> Iterator[tuple[list[str | None], dict[str, str]]]:
        """Yield the texts of each segment, and its extra keys."""
        versions = {(version.language, version.author): version.segments for version in self.versions}
        chosen = [versions.pop((language, authors[language]), {}) for language in languages]
        others = {f"ref_{code}_{author}": texts for (code, author), texts in versions.items() if code in languages}
        for segment in self.versions[0].segments if self.versions else ():
            extra = {"doc": self.name} | {name: texts[segment] for name, texts in others.items()}
            yield [texts.get(segment) for texts in chosen], extra


def _documents(source: Input) -> Iterator[Document]:
    """Yield the documents of an XML file."""
    reader = _DocumentReader(source)
    for _ in reader.parser.parse():
        yield from reader.documents
        reader.documents.clear()


class _DocumentReader:
    """Reads an XML file once: `documents` collects them while `parser` parses."""

    def __init__(self, source: Input) -> None:
        self.parser = Parser(source, self._start, self._end)
        self.documents: list[Document] = []
        self._document: Document | None = None
        self._version: Version | None = None
        self._segment: str | None = None
        self._is_open = False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._is_open and name != "dataset":
            raise self._error(f"not a test set of WMT: it opens with <{name}>, not <dataset>, <srcset> or <refset>")
        self._is_open = True
        if name == "doc":
            self._document = Document(attributes.get("id", ""), self.parser.line)
        elif name in ("src", "ref") and self._document:
            self._version = self._add_version(self._document, name, attributes)
        elif name == "seg" and self._version:
            self._segment = attributes.get("id", str(len(self._version.segments) + 1))
            self.parser.start_text()

    def _add_version(self, document: Document, name: str, attributes: dict[str, str]) -> Version:
        try:
            language = canonical(attributes.get("lang", ""))
        except LanguageError as error:
            raise self._error(f"<{name}>: {error}") from error
        authors = [version.author for version in document.versions if version.language == language]
        author = "src" if name == "src" else attributes.get("translator") or str(len(authors) + 1)
        if author in authors:
            raise self._error(f"document {document.name!r} has two versions by {author!r} in {language}; remove one")
        document.versions.append(Version(language, author))
        return document.versions[-1]

    def _end(self, name: str) -> None:
        if name == "seg" and self._version and self._segment is not None:
            self._add_segment(self._version, self._segment)
        elif name in ("src", "ref"):
            self._version = None
        elif name == "doc" and self._document:
            self.documents.append(self._document)
            self._document = None

    def _add_segment(self, version: Version, segment: str) -> None:
        if segment in version.segments:
            raise self._error(f"segment {segment!r} occurs twice in one document")
        version.segments[segment] = self.parser.end_text()
        self._segment = None

    def _error(self, reason: str) -> DataError:
        return DataError(f"{self.parser.name}:{self.parser.line}: {reason}")
