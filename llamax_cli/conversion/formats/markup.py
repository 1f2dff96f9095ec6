"""A streaming XML parser: it keeps one element in memory, and its errors name the line."""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias
from xml.parsers import expat

from llamax_cli.errors import DataError
from llamax_cli.streams.inputs import Input

Start: TypeAlias = Callable[[str, dict[str, str]], object]
End: TypeAlias = Callable[[str], object]

LINE_BREAK = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")


class Parser:
    """Parses an XML file once, and calls `start(name, attributes)` and `end(name)` for its elements.

    Text is collected only between `start_text()` and `end_text()`, and not while `is_muted`.
    """

    def __init__(self, source: Input, start: Start, end: End | None = None) -> None:
        self.name = source.name
        self.is_muted = False
        self._source = source
        self._text: list[str] = []
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartElementHandler = start
        self._expat.EndElementHandler = end
        self._expat.XmlDeclHandler = self._check_encoding
        # Expat loads nothing and expands only declared entities: without declarations no entity can explode.
        self._expat.EntityDeclHandler = self._refuse_declaration
        self._expat.SkippedEntityHandler = self._refuse_entity

    @property
    def line(self) -> int:
        """The line of the current element, from 1."""
        return self._expat.CurrentLineNumber

    def parse(self) -> Iterator[None]:
        """Read the file; yield after each block, so that the caller can use what the block contained.

        DataError names the line where the XML is broken: `a.tmx:17: broken XML: mismatched tag`.
        """
        try:
            for block in self._source.blocks():
                self._expat.Parse(block, False)
                yield
            self._expat.Parse(b"", True)
        except expat.ExpatError as error:
            raise DataError(f"{self.name}:{error.lineno}: broken XML: {expat.ErrorString(error.code)}") from error
        yield

    def start_text(self) -> None:
        """Start to collect text."""
        self._text.clear()
        self.is_muted = False
        # Only now, because most text is indentation between elements, and each call costs time.
        self._expat.CharacterDataHandler = self._collect

    def end_text(self) -> str:
        """Stop collecting, and return the text with its line breaks unfolded."""
        self._expat.CharacterDataHandler = None
        return unfold("".join(self._text))

    def _collect(self, text: str) -> None:
        if not self.is_muted:
            self._text.append(text)

    def _check_encoding(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and not _is_readable(encoding):
            raise DataError(f"{self.name}: the XML encoding {encoding!r} is not supported; convert the file to UTF-8")

    def _refuse_declaration(self, entity: str, *_: object) -> None:
        raise DataError(f"{self.name}:{self.line}: declares the entity {entity!r}, which no corpus needs; remove it")

    def _refuse_entity(self, entity: str, _: bool) -> None:
        raise DataError(f"{self.name}:{self.line}: the entity &{entity}; is not defined; write the character itself")


def _is_readable(encoding: str) -> bool:
    """Return whether expat reads an encoding: it knows those of Unicode, and through Python single-byte ones."""
    if encoding.upper() in {"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE"}:
        return True
    try:
        return len(bytes(range(256)).decode(encoding, "replace")) == 256
    except (LookupError, ValueError):  # unknown, or one that Python has for something else, such as idna
        return False


def unfold(text: str) -> str:
    """Return a text with one space for each line break and the indentation around it, and none at the ends.

    `unfold("\\n  One\\n  two  three ") -> "One two  three "`
    """
    if "\n" not in text and "\r" not in text:
        return text
    first, *rest = LINE_BREAK.split(text)
    if not first:
        first, *rest = rest
    if rest and not rest[-1]:
        rest.pop()
    return " ".join([first, *rest])
