"""WMT's test sets until 2020: SGML, a file for each language, `<srcset ...>` or `<refset ...>` with the same documents.

It is not XML: `&` and `<` are not escaped, tags stay open, names are in upper or lower case. So only the tags that
matter are looked for, and each of them ends a segment. Spaces are kept; a line break inside a segment becomes one
space. The entities &amp; &lt; &gt; &quot; &apos; are decoded, everything else is text.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from llamax_cli.console import counted
from llamax_cli.conversion.formats.markup import unfold
from llamax_cli.conversion.segments import Corpus, CorpusRequest, RejectLine, Segment
from llamax_cli.errors import DataError, LanguageError, RecordError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare, decode, lines

TAG = re.compile(r"<(/?)(srcset|refset|tstset|doc|hl|p|seg)\b([^>]*)>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
ENTITY = re.compile("&(amp|lt|gt|quot|apos);")
CHARACTERS = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
NAME_ENDING = re.compile(r"(?:-(?:src|ref))?\.[a-z]{2,3}$")
LANGUAGE_OF = {"srcset": "srclang", "refset": "trglang"}
EXTENSION = re.compile(r"\.sgml?$", re.IGNORECASE)


def open_corpora(request: CorpusRequest, paths: Sequence[str]) -> list[Corpus]:
    """Return a corpus for each `setid`, with the languages of all its files."""
    sets: dict[str, dict[str, str]] = defaultdict(dict)
    for path in paths:
        header = _header(request.input(path))
        language = _language(request, path, header)
        files = sets[header.attributes.get("setid", "")]
        if language in files:
            raise UsageError(f"{files[language]} and {path} are both in {language}; convert one pair at a time")
        files[language] = path
    return [SgmlTestSet(request, files) for files in sets.values()]


class SgmlTestSet:
    """The files of one test set, by language; they are read in parallel, document by document."""

    def __init__(self, request: CorpusRequest, files: Mapping[str, str]) -> None:
        first = next(iter(files.values()))
        name = request.corpus_name(first)
        self.name = name if request.name else NAME_ENDING.sub("", EXTENSION.sub("", name))
        self._request = request
        self._files = files

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes, in the order of the files."""
        return list(self._files)

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the segments in the order of the files; DataError where the files do not match."""
        sources = [self._request.input(self._files[language]) for language in languages]
        number = 0
        for documents in _aligned_documents(sources, self._request.reject):
            for segment in documents[0].segments:
                number += 1
                yield Segment(
                    number, [document.segments[segment] for document in documents], {"doc": documents[0].name}
                )


@dataclass
class SgmlDocument:
    """A document in one language: its segments by id, None for one that is not readable."""

    file: str
    line: int
    name: str
    segments: dict[str, str | None] = field(default_factory=dict)


def _aligned_documents(sources: Sequence[Input], reject: RejectLine) -> Iterator[list[SgmlDocument]]:
    """Yield the versions of each document, one from each file; DataError where they do not match."""
    for row in zip_longest(*(_documents(source, reject) for source in sources)):
        documents: list[SgmlDocument] = [document for document in row if document is not None]
        if len(documents) < len(row):
            counts = " and ".join(f"{_count(source)} in {source.name}" for source in sources)
            raise DataError(f"the files do not have the same documents: {counts}")
        for document in documents[1:]:
            _compare(documents[0], document)
        yield documents


def _count(source: Input) -> str:
    """Return the size of a file: "99 documents with 3003 segments"."""
    sizes = [len(document.segments) for document in _documents(source, lambda *_: None)]
    return f"{counted(len(sizes), 'document')} with {counted(sum(sizes), 'segment')}"


def _compare(first: SgmlDocument, other: SgmlDocument) -> None:
    """Raise DataError where two versions of a document do not match."""
    where = f"{other.file}:{other.line}: document {other.name!r}"
    if first.name != other.name:
        raise DataError(f"{where} does not match {first.name!r} at {first.file}:{first.line}")
    if len(first.segments) != len(other.segments):
        counts = f"{counted(len(other.segments), 'segment')} here and {len(first.segments)} in {first.file}"
        raise DataError(f"{where} does not match the other file: {counts}")
    if first.segments.keys() != other.segments.keys():
        odd = next(iter(other.segments.keys() - first.segments.keys()))
        raise DataError(f"{where} has a segment {odd!r} that {first.file} does not have")


class _Tag(NamedTuple):
    """A tag: its name in lower case, whether it closes, and its attributes, their names in lower case."""

    name: str
    closes: bool
    attributes: Mapping[str, str]


def _tag(match: re.Match[str]) -> _Tag:
    attributes = {name.lower(): "".join(values) for name, *values in ATTRIBUTE.findall(match[3])}
    return _Tag(match[2].lower(), bool(match[1]), attributes)


def _header(source: Input) -> _Tag:
    """Return the first tag of a file, `srcset` or `refset`."""
    for line in lines(source):
        match = TAG.search(line.decode(errors="replace"))
        if match:
            tag = _tag(match)
            if tag.name in LANGUAGE_OF:
                return tag
            break
    raise DataError(f"{source.name}: it does not begin with <srcset> or <refset>; only sources and references are read")


def _language(request: CorpusRequest, path: str, header: _Tag) -> str:
    """Return the language of a file: as declared, by its first tag, or by its name (`-src.de.sgm`)."""
    if len(request.languages) == len(request.paths):
        return request.languages[request.paths.index(path)]
    code = header.attributes.get(LANGUAGE_OF[header.name], "any")
    if code.lower() == "any":
        code = EXTENSION.sub("", bare(path)).rpartition(".")[2]
    try:
        return canonical(code)
    except LanguageError as error:
        raise DataError(f"{path} does not name its language ({error}); say --langs, one for each file") from error


def _documents(source: Input, reject: RejectLine) -> Iterator[SgmlDocument]:
    """Yield the documents of a file."""
    reader = _DocumentReader(source.name, reject)
    for line in lines(source):
        reader.read_line(line)
        yield from reader.documents
        reader.documents.clear()
    reader.end_document()
    yield from reader.documents


class _DocumentReader:
    """Reads a file once, line by line: `documents` collects them."""

    def __init__(self, file: str, reject: RejectLine) -> None:
        self.documents: list[SgmlDocument] = []
        self._file = file
        self._reject = reject
        self._line = 0
        self._document: SgmlDocument | None = None
        self._segment: str | None = None
        self._text: list[str] = []
        self._is_readable = True

    def read_line(self, line: bytes) -> None:
        """Read a line."""
        self._line += 1
        text, bad = self._decode(line)
        self._is_readable = self._is_readable and not bad
        position = 0
        for match in TAG.finditer(text):
            self._text.append(text[position : match.start()])
            position = match.end()
            self._end_segment()
            self._begin(_tag(match), readable=not bad)
        self._text.append(text[position:] + "\n")

    def end_document(self) -> None:
        """Add the current document to `documents`."""
        self._end_segment()
        if self._document is not None:
            self.documents.append(self._document)
        self._document = None

    def _decode(self, line: bytes) -> tuple[str, bool]:
        """Return a line and whether it is bad; the tags of a bad one still count, so that segments stay aligned."""
        try:
            return decode(line), False
        except RecordError as error:
            self._reject(self._file, self._line, str(error), line)
            return line.decode(errors="replace"), True

    def _begin(self, tag: _Tag, *, readable: bool) -> None:
        if tag.name == "doc":
            self.end_document()
            if not tag.closes:
                self._document = SgmlDocument(self._file, self._line, tag.attributes.get("docid", ""))
        elif tag.name == "seg" and not tag.closes and self._document is not None:
            self._segment = tag.attributes.get("id", str(len(self._document.segments) + 1))
            self._is_readable = readable
        self._text.clear()

    def _end_segment(self) -> None:
        if self._segment is None or self._document is None:
            return
        if self._segment in self._document.segments:
            where = f"{self._file}:{self._line}"
            raise DataError(f"{where}: segment {self._segment!r} occurs twice in document {self._document.name!r}")
        text = ENTITY.sub(lambda entity: CHARACTERS[entity[1]], unfold("".join(self._text)))
        self._document.segments[self._segment] = text if self._is_readable else None
        self._segment = None
