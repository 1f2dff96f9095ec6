"""TMX, translation memories: `<tu><tuv xml:lang="en"><seg>...</seg></tuv>...</tu>`, versions 1.1 to 1.4.

Formatting codes are not text: the content of `bpt`, `ept`, `it`, `ph` and `ut` is dropped, including any `sub` inside;
the text of `hi`, and of tags that TMX does not define, is kept. Spaces are kept; a line break inside a segment is
layout and becomes one space together with the indentation around it (none at the ends). An empty segment is an absent
translation.

The number of a segment is the number of its `tu`, from 1. If a `tu` has two `tuv` in one language, the first is taken
and the second rejected; a `tuv` without a language, or in an unknown one, is rejected too.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from llamax_cli.conversion.formats.markup import Parser
from llamax_cli.conversion.segments import Corpus, CorpusRequest, Segment
from llamax_cli.errors import DataError, LanguageError
from llamax_cli.language_table import fold
from llamax_cli.languages import base, canonical, primary_subtag
from llamax_cli.streams.inputs import Input

CODE_ELEMENTS = {"bpt", "ept", "it", "ph", "sub", "ut"}  # elements of a segment that contain formatting codes
NOT_REQUESTED = -1  # in place of the index of a language


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file; `request.columns` declares unknown codes: `{"kmr": "x-kurm"}`."""
    return [TranslationMemory(request, path) for path in request.paths]


class TranslationMemory:
    """A TMX file; it is read once for its languages, and once for each call of `segments`."""

    def __init__(self, request: CorpusRequest, path: str) -> None:
        self.name = request.corpus_name(path, without=".tmx")
        self._request = request
        self._source = request.input(path)
        self._source.spool()

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes, in the order of their first occurrence."""
        return list(dict.fromkeys(self._codes.values()))

    @cached_property
    def _codes(self) -> Mapping[str, str]:
        """The canonical code of each code in the file: {"EN-GB": "en", "FR": "fr"}."""
        declared = {fold(name): language for language, name in self._request.columns.items()}
        codes = {}
        for code in _read_codes(self._source):
            try:
                codes[code] = declared.get(fold(code)) or canonical(code)
            except LanguageError:
                continue  # its segments are rejected when they are read
        return _without_regions(codes)

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every `tu`; it may have none of the languages."""
        reader = _UnitReader(self._request, self._source, self._codes, languages)
        for _ in reader.parser.parse():
            yield from reader.units
            reader.units.clear()


def _read_codes(source: Input) -> list[str]:
    """Return the different language codes of a file, as written; DataError where it is not TMX."""
    codes: dict[str, None] = {}
    is_open = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal is_open
        if name == "tuv":
            codes[_code(attributes)] = None
        if not is_open and name != "tmx":
            raise DataError(f"{source.name}:{parser.line}: not a TMX file: it opens with <{name}>, not <tmx>")
        is_open = True

    parser = Parser(source, start)
    for _ in parser.parse():
        pass
    return [code for code in codes if code]


def _code(attributes: Mapping[str, str]) -> str:
    """Return the language code of a `tuv`, "" where it has none; before TMX 1.4 the attribute was `lang`."""
    return attributes.get("xml:lang", "").strip() or attributes.get("lang", "").strip()


def _without_regions(codes: Mapping[str, str]) -> Mapping[str, str]:
    """Return the codes without the region of a language that has only one variant in the file.

    Translation tools require a region, so it says little: {"en-GB": "en-GB"} -> {"en-GB": "en"}. It stays where a file
    has two variants, and always in Kurdish, where it distinguishes Kurmanji and Sorani (see `base`).
    """
    variants: dict[str, set[str]] = {}
    for language in codes.values():
        variants.setdefault(primary_subtag(language), set()).add(language)
    return {
        code: base(language) if len(variants[primary_subtag(language)]) == 1 else language
        for code, language in codes.items()
    }


class _UnitReader:
    """Reads a file once: `units` collects segments while `parser` parses."""

    def __init__(
        self, request: CorpusRequest, source: Input, codes: Mapping[str, str], languages: Sequence[str]
    ) -> None:
        self.parser = Parser(source, self._start, self._end)
        self.units: list[Segment] = []
        self._reject = request.reject
        indices = {language: index for index, language in enumerate(languages)}
        self._indices = {code: indices.get(language, NOT_REQUESTED) for code, language in codes.items()}
        self._width = len(languages)
        self._number = 0
        self._texts: list[str | None] = []
        self._code = ""
        self._line = 0
        self._is_in_segment = False
        self._drop_depth = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._is_in_segment:
            if self._drop_depth or name in CODE_ELEMENTS:
                self._drop_depth += 1
                self.parser.is_muted = True
        elif name == "seg":
            if self._indices.get(self._code) != NOT_REQUESTED:
                self._is_in_segment = True
                self.parser.start_text()
        elif name == "tuv":
            self._code = _code(attributes)
            self._line = self.parser.line
        elif name == "tu":
            self._number += 1
            self._texts = [None] * self._width

    def _end(self, name: str) -> None:
        if self._drop_depth:
            self._drop_depth -= 1
            self.parser.is_muted = self._drop_depth > 0
        elif name == "seg" and self._is_in_segment:
            self._is_in_segment = False
            self._set_text(self.parser.end_text())
        elif name == "tu":
            self.units.append(Segment(self._number, self._texts))

    def _set_text(self, text: str) -> None:
        index = self._indices.get(self._code)
        if index is None:
            self._reject_text(text, self._unknown_reason())
        elif self._texts[index] is not None:
            self._reject_text(text, f"a second <tuv> in {self._code!r} in one <tu>; only one can be read")
        else:
            self._texts[index] = text or None

    def _unknown_reason(self) -> str:
        if not self._code:
            return "a <tuv> without xml:lang"
        advice = "correct it in the file"
        if self._code.isprintable() and "," not in self._code:  # it can be typed, and is one item of the option
            advice = f"name its language: --columns {shlex.quote(f'LANGUAGE={self._code}')}"
        return f"{self._code!r} is not a language code; {advice}"

    def _reject_text(self, text: str, reason: str) -> None:
        self._reject(self.parser.name, self._line, reason, text.encode())
