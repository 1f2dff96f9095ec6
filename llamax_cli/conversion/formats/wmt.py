"""WMT's test sets: the XML in use since 2021, and the SGML before it (wmt_sgml.py), told apart by what they open with.

The XML has whole documents, `<doc id=".."><src lang="en">..</src><ref lang="de" translator="A">..</ref></doc>`. Where a
language has several references, the text is that of the translator who comes first in the file, throughout: a document
without that one has no text in the language. The other references are in `extra`: `{"ref_de_B": "..."}`. System outputs
(`hyp`) are left out.
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
HEAD = 1 << 16  # bytes within which a file says what it is


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return one corpus for each XML file and one for all SGML files of one test set."""
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
    """One XML file; it is read once for its languages, and once for each call of `segments`."""

    __test__ = False  # the name is WMT's, not that of a test

    def __init__(self, request: CorpusRequest, path: str) -> None:
        self.name = request.corpus_name(path, without=".xml")
        self._source = request.input(path)

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes in the order in which the file first has them."""
        return list(self._voices)

    @cached_property
    def _voices(self) -> Mapping[str, str]:
        """Whose text stands for each language: {"en": "src", "de": "A"}."""
        voices: dict[str, str] = {}
        for document in _documents(self._source):
            for version in document.versions:
                voices.setdefault(version.language, version.voice)
        return voices

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every segment of every document; DataError where a document has not the same ones in each language."""
        voices = self._voices
        number = 0
        for document in _documents(self._source):
            document.check(self._source.name)
            for texts, extra in document.texts(languages, voices):
                number += 1
                yield Segment(number, texts, extra)


@dataclass
class Version:
    """A document as `src` has it or one translator: segments by their id."""

    language: str
    voice: str
    segments: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{len(self.segments)} in {'src' if self.voice == 'src' else f'ref {self.voice}'} ({self.language})"


@dataclass
class Document:
    """A document in all its versions; `line` is where it begins."""

    name: str
    line: int
    versions: list[Version] = field(default_factory=list)

    def check(self, file: str) -> None:
        """Raise DataError where versions differ in their segments."""
        for version in self.versions[1:]:
            first = self.versions[0]
            if version.segments.keys() != first.segments.keys():
                where = f"{file}:{self.line}: document {self.name!r}"
                raise DataError(f"{where} has not the same segments everywhere: {first}, {version}")

    def texts(
        self, languages: Sequence[str], voices: Mapping[str, str]
    ) -> Iterator[tuple[list[str | None], dict[str, str]]]:
        """Yield the texts of each segment and what else there is of it."""
        known = {(version.language, version.voice): version.segments for version in self.versions}
        chosen = [known.pop((language, voices[language]), {}) for language in languages]
        others = {f"ref_{code}_{voice}": texts for (code, voice), texts in known.items() if code in languages}
        for segment in self.versions[0].segments if self.versions else ():
            extra = {"doc": self.name} | {name: texts[segment] for name, texts in others.items()}
            yield [texts.get(segment) for texts in chosen], extra


def _documents(source: Input) -> Iterator[Document]:
    """Yield the documents of an XML file, one block of bytes at a time."""
    reading = _Reading(source)
    for _ in reading.parser.passes():
        yield from reading.taken
        reading.taken.clear()


class _Reading:
    """One pass over an XML file: `taken` fills with documents while `parser` reads."""

    def __init__(self, source: Input) -> None:
        self.parser = Parser(source, self._start, self._end)
        self.taken: list[Document] = []
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
            self._version = self._begun(self._document, name, attributes)
        elif name == "seg" and self._version:
            self._segment = attributes.get("id", str(len(self._version.segments) + 1))
            self.parser.listen()

    def _begun(self, document: Document, name: str, attributes: dict[str, str]) -> Version:
        try:
            language = canonical(attributes.get("lang", ""))
        except LanguageError as error:
            raise self._error(f"<{name}>: {error}") from error
        before = [version.voice for version in document.versions if version.language == language]
        voice = "src" if name == "src" else attributes.get("translator") or str(len(before) + 1)
        if voice in before:
            raise self._error(f"document {document.name!r} has two versions by {voice!r} in {language}; remove one")
        document.versions.append(Version(language, voice))
        return document.versions[-1]

    def _end(self, name: str) -> None:
        if name == "seg" and self._version and self._segment is not None:
            self._take(self._version, self._segment)
        elif name in ("src", "ref"):
            self._version = None
        elif name == "doc" and self._document:
            self.taken.append(self._document)
            self._document = None

    def _take(self, version: Version, segment: str) -> None:
        if segment in version.segments:
            raise self._error(f"segment {segment!r} is there twice in one document")
        version.segments[segment] = self.parser.heard()
        self._segment = None

    def _error(self, reason: str) -> DataError:
        return DataError(f"{self.parser.name}:{self.parser.line}: {reason}")
