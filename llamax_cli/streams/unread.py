"""Files that a command does not read, by the ending of their name and by their first bytes.

They are better refused by what they are than read as lines of text, or as a dictionary.
"""

import re
from pathlib import Path

from llamax_cli.errors import DataError
from llamax_cli.streams.lines import bare

ENDINGS = {
    ".xlf": "XLIFF", ".xliff": "XLIFF", ".sdlxliff": "XLIFF", ".srt": "subtitles", ".vtt": "subtitles",
    ".gguf": "a GGUF model", ".dz": "a dictionary of dictd", ".po": "gettext", ".docx": "Word", ".xlsx": "Excel",
    ".pdf": "PDF", ".zip": "ZIP", ".html": "HTML", ".tei": "TEI", ".safetensors": "weights of a model",
}  # fmt: skip
CONTENT = {
    b"<xliff": "XLIFF", b"WEBVTT": "subtitles", b"GGUF": "a GGUF model", b"%PDF-": "PDF", b"PK\x03\x04": "ZIP",
    b"<!DOCTYPE html": "HTML", b"<html": "HTML", b"<TEI": "TEI", b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image", b"<?xml": "XML of another kind",
}  # fmt: skip
READ_BY = {  # by which command, as another one that got it says
    "XLIFF": "convert", "subtitles": "convert", "gettext": "convert",
    "a dictionary of dictd": "build-lexicon", "TEI": "build-lexicon",
}  # fmt: skip
XML = CONTENT[b"<?xml"]
XML_ROOTS = {b"<xliff": "XLIFF", b"<TEI": "TEI", b"<html": "HTML"}
SUBTITLES = re.compile(rb"\d+\r?\n\d\d:\d\d:\d\d,\d{3} --> ")


def refuse_unread(path: str, head: bytes) -> None:
    """Raise DataError with what a file is, if that is known to be nothing that any command reads."""
    begins = head[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    kind = next((kind for mark, kind in CONTENT.items() if begins.startswith(mark)), None)
    if kind == XML:
        kind = next((kind for root, kind in XML_ROOTS.items() if root in begins), XML)
    kind = kind or ENDINGS.get(Path(bare(path)).suffix.lower())
    if kind is None and SUBTITLES.match(begins):
        kind = "subtitles"
    if kind is not None:
        if kind in READ_BY:
            raise DataError(f"{path} is {kind}, which only llamax {READ_BY[kind]} reads")
        raise DataError(f"{path} is {kind}, which llamax does not read; extract its text, or export it as TMX or TSV")
