"""TMX, translation memories: `<tu><tuv xml:lang="en"><seg>...</seg></tuv>...</tu>`, versions 1.1 to 1.4.

Formatting codes are no text: what `bpt`, `ept`, `it`, `ph` and `ut` hold is dropped, with the `sub` inside them; the
text of `hi`, and of tags TMX does not know, is kept. Spaces are kept as they stand; a line break inside a segment is
layout, and becomes one space together with the indentation around it (none at the ends). An empty segment is a
translation that is absent.

The number of a segment is that of its `tu`, from 1. Of two `tuv` of one language in one `tu` the first is taken and the
other is rejected; so is a `tuv` without a language, or in one that means nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from llamax_cli.conversion.formats.markup import Parser
from llamax_cli.conversion.segments import Corpus, CorpusRequest, Segment
from llamax_cli.errors import DataError, LanguageError
from llamax_cli.languages import canonical
from llamax_cli.streams.inputs import Input

CODES = {"bpt", "ept", "it", "ph", "sub", "ut"}  # elements of a segment that hold markup
REGION = re.compile(r"-(?:[A-Z]{2}|[0-9]{3})$")
NOT_ASKED_FOR = -1


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return one corpus a file; `request.columns` names codes no table knows: `{"kmr": "x-kurm"}`."""
    return [TranslationMemory(request, path) for path in request.paths]


class TranslationMemory:
    """One TMX file; it is read once for its languages, and once for each call of `segments`."""

    def __init__(self, request: CorpusRequest, path: str) -> None:
        self.name = request.corpus_name(path, without=".tmx")
        self._request = request
        self._source = request.input(path)
        self._source.spool()

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes in the order in which the file first has them."""
        return list(dict.fromkeys(self._codes.values()))

    @cached_property
    def _codes(self) -> Mapping[str, str]:
        """The language each code of the file stands for: {"EN-GB": "en", "FR": "fr"}."""
        declared = {name: language for language, name in self._request.columns.items()}
        codes = {}
        for code in _codes(self._source):
            try:
                codes[code] = declared.get(code) or canonical(code)
            except LanguageError:
                continue  # its segments are rejected as they are read
        return _without_regions(codes)

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every `tu`; it may have none of the languages."""
        reading = _Reading(self._request, self._source, self._codes, languages)
        for _ in reading.parser.passes():
            yield from reading.taken
            reading.taken.clear()


def _codes(source: Input) -> list[str]:
    """Return the language codes of a file as it writes them; DataError where it is no TMX."""
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
    for _ in parser.passes():
        pass
    return [code for code in codes if code]


def _code(attributes: Mapping[str, str]) -> str:
    """Return the language of a `tuv`, which TMX before 1.4 calls `lang`; "" where it has none."""
    return attributes.get("xml:lang") or attributes.get("lang", "")


def _without_regions(codes: Mapping[str, str]) -> Mapping[str, str]:
    """Return the codes with the plain language for a region that is the only variant of its language in the file.

    Translation tools insist on a region, so that it says little: {"en-GB": "en-GB"} -> {"en-GB": "en"}. Beside another
    variant it tells the two apart and stays. Kurdish keeps it always, where it tells Kurmanji from Sorani.
    """
    variants: dict[str, set[str]] = {}
    for language in codes.values():
        variants.setdefault(_language_of(language), set()).add(language)
    return {
        code: _plain(language) if len(variants[_language_of(language)]) == 1 else language
        for code, language in codes.items()
    }


def _language_of(tag: str) -> str:
    return tag.partition("-")[0]


def _plain(tag: str) -> str:
    """Return a tag without its region: `_plain("de-AT") -> "de"`, `_plain("sr-Latn-RS") -> "sr-Latn"`."""
    return tag if _language_of(tag) == "ku" else canonical(REGION.sub("", tag))


class _Reading:
    """One pass over a file: `taken` fills with segments while `parser` reads."""

    def __init__(
        self, request: CorpusRequest, source: Input, codes: Mapping[str, str], languages: Sequence[str]
    ) -> None:
        self.parser = Parser(source, self._start, self._end)
        self.taken: list[Segment] = []
        self._reject = request.reject
        places = {language: place for place, language in enumerate(languages)}
        self._places = {code: places.get(language, NOT_ASKED_FOR) for code, language in codes.items()}
        self._width = len(languages)
        self._number = 0
        self._texts: list[str | None] = []
        self._code = ""
        self._line = 0
        self._is_inside = False
        self._drop_depth = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._is_inside:
            if self._drop_depth or name in CODES:
                self._drop_depth += 1
                self.parser.is_deaf = True
        elif name == "seg":
            if self._places.get(self._code) != NOT_ASKED_FOR:
                self._is_inside = True
                self.parser.listen()
        elif name == "tuv":
            self._code = _code(attributes)
            self._line = self.parser.line
        elif name == "tu":
            self._number += 1
            self._texts = [None] * self._width

    def _end(self, name: str) -> None:
        if self._drop_depth:
            self._drop_depth -= 1
            self.parser.is_deaf = self._drop_depth > 0
        elif name == "seg" and self._is_inside:
            self._is_inside = False
            self._take(self.parser.heard())
        elif name == "tu":
            self.taken.append(Segment(self._number, self._texts))

    def _take(self, text: str) -> None:
        place = self._places.get(self._code)
        if place is None:
            self._refuse(text, self._unknown())
        elif self._texts[place] is not None:
            self._refuse(text, f"a second <tuv> in {self._code!r} in one <tu>; the first is taken")
        else:
            self._texts[place] = text or None

    def _unknown(self) -> str:
        if not self._code:
            return "a <tuv> without xml:lang"
        return f"{self._code!r} is not the code of a language; say of which: --columns LANGUAGE={self._code}"

    def _refuse(self, text: str, reason: str) -> None:
        self._reject(self.parser.name, self._line, reason, text.encode())
