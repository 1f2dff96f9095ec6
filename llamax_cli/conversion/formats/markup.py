"""XML as it streams by, for the formats that are made of it: text in, memory for one element, errors with a line."""

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
    """One pass over an XML file, which calls `start(name, attributes)` and `end(name)` of its elements.

    Text is collected only between `listen()` and `heard()`, and not where `is_deaf`.
    """

    def __init__(self, source: Input, start: Start, end: End | None = None) -> None:
        self.name = source.name
        self.is_deaf = False
        self._source = source
        self._text: list[str] = []
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartElementHandler = start
        self._expat.EndElementHandler = end
        self._expat.XmlDeclHandler = self._check_encoding
        # Expat fetches nothing and expands only what the file declares: without declarations no entity can explode.
        self._expat.EntityDeclHandler = self._refuse_declaration
        self._expat.SkippedEntityHandler = self._refuse_entity

    @property
    def line(self) -> int:
        """The line of the element that is being told of, from 1."""
        return self._expat.CurrentLineNumber

    def passes(self) -> Iterator[None]:
        """Read the file; yield after each block of it, so that what came of the block can be taken.

        DataError says where the XML is broken: `a.tmx:17: broken XML: mismatched tag`.
        """
        try:
            for block in self._source.blocks():
                self._expat.Parse(block, False)
                yield
            self._expat.Parse(b"", True)
        except expat.ExpatError as error:
            raise DataError(f"{self.name}:{error.lineno}: broken XML: {expat.ErrorString(error.code)}") from error
        yield

    def listen(self) -> None:
        """Collect text from here on."""
        self._text.clear()
        self.is_deaf = False
        # Handing text over costs time, and most of it is indentation between elements.
        self._expat.CharacterDataHandler = self._hear

    def heard(self) -> str:
        """Stop collecting, and return the text: as it stands, but for the line breaks of its layout."""
        self._expat.CharacterDataHandler = None
        return unfolded("".join(self._text))

    def _hear(self, text: str) -> None:
        if not self.is_deaf:
            self._text.append(text)

    def _check_encoding(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and not _is_readable(encoding):
            raise DataError(f"{self.name}: XML in the encoding {encoding!r} is not read here; convert it to UTF-8")

    def _refuse_declaration(self, entity: str, *_: object) -> None:
        raise DataError(f"{self.name}:{self.line}: declares the entity {entity!r}, which no corpus needs; remove it")

    def _refuse_entity(self, entity: str, _: bool) -> None:
        raise DataError(f"{self.name}:{self.line}: the entity &{entity}; is not defined; write the character itself")


def _is_readable(encoding: str) -> bool:
    """Return whether expat reads an encoding: Unicode's by itself, through Python those of one byte a character."""
    if encoding.upper() in {"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE"}:
        return True
    try:
        return len(bytes(range(256)).decode(encoding, "replace")) == 256
    except LookupError:
        return False


def unfolded(text: str) -> str:
    """Return text whose line breaks, with the indentation around them, are one space each, and none at the ends.

    `unfolded("\\n  One\\n  two  three ") -> "One two  three "`
    """
    if "\n" not in text and "\r" not in text:
        return text
    first, *rest = LINE_BREAK.split(text)
    if not first:
        first, *rest = rest
    if rest and not rest[-1]:
        rest.pop()
    return " ".join([first, *rest])
