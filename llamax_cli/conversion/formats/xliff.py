"""XLIFF, versions 1.2 and 2: translation units of localisation tools.

1.2   <file source-language="en" target-language="de"><body><trans-unit id="1"><source>..</source><target>..</target>
2     <xliff srcLang="en" trgLang="de"><file><unit id="1"><segment><source>..</source><target>..</target>

As the OASIS specifications say: `bpt`, `ept`, `it`, `ph` and `sub` of 1.2 hold formatting codes, which are not text;
`g`, `mrk` and `pc` hold text, and other inline elements nothing. `seg-source`, `alt-trans`, `ignorable`, notes and
other elements are left out. As in TMX, a line break is layout and becomes one space. Each record has the `unit`; a
unit of several segments is several records.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from llamax_cli.conversion.formats.markup import Parser
from llamax_cli.conversion.formats.row_corpus import Row, RowCorpus
from llamax_cli.conversion.segments import Corpus, CorpusRequest, RejectLine
from llamax_cli.errors import DataError, LanguageError
from llamax_cli.languages import canonical
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare

CODES = {"bpt", "ept", "it", "ph", "sub"}  # their content is formatting
HIDDEN = {"alt-trans", "ignorable", "seg-source", "note", "notes", "originalData", "matches", "metadata"}
UNITS = {"trans-unit", "segment"}


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file; `--langs SOURCE,TARGET` says languages that the file does not."""
    corpora: list[Corpus] = []
    for path in request.paths:
        source = request.input(path)
        source.spool()
        name = request.corpus_name(path, without=Path(bare(path)).suffix)
        corpora.append(RowCorpus(name, source, request, partial(_rows, source, request.languages)))
    return corpora


def _rows(source: Input, declared: Sequence[str], reject: RejectLine) -> Iterator[Row]:
    reader = _Reader(source, declared, reject)
    for _ in reader.parser.parse():
        yield from reader.rows
        reader.rows.clear()
    reader.check()


class _Reader:
    """Reads a file once: `rows` collects them while `parser` parses."""

    def __init__(self, source: Input, declared: Sequence[str], reject: RejectLine) -> None:
        self.parser = Parser(source, self._start, self._end)
        self.rows: list[Row] = []
        self._declared = declared
        self._reject = reject
        self._languages: list[str] = []
        self._number = 0
        self._line = 0
        self._unit = ""
        self._texts: dict[str, str] = {}
        self._side = ""  # source or target, while it is open
        self._hidden = 0  # open elements inside one that is left out
        self._is_open = False

    def check(self) -> None:
        """Raise DataError where the file was not XLIFF."""
        if not self._is_open:
            raise DataError(f"{self.parser.name}: no XLIFF in it")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self._is_open and name != "xliff":
            raise DataError(f"{self.parser.name}:{self.parser.line}: not XLIFF: it opens with <{name}>")
        self._is_open = True
        if self._hidden or name in HIDDEN or (self._side and name in CODES):
            self._hidden += 1
            self.parser.is_muted = True
        elif name in ("xliff", "file"):
            self._read_languages(name, attributes)
        elif name in ("trans-unit", "unit"):
            self._unit = attributes.get("id", "")
        elif name in ("source", "target") and not self._side:
            self._side = name
            self.parser.start_text()
        if name in UNITS and not self._hidden:
            self._texts, self._line = {}, self.parser.line

    def _read_languages(self, name: str, attributes: Mapping[str, str]) -> None:
        keys = ("srcLang", "trgLang") if name == "xliff" else ("source-language", "target-language")
        codes = [attributes.get(key, "").strip() for key in keys]
        if self._declared:
            if len(self._declared) != 2:
                raise DataError(f"{self.parser.name}: say two languages, source and target: --langs en,de")
            self._languages = list(self._declared)
        elif any(codes):
            try:
                self._languages = [canonical(code) for code in codes if code]
            except LanguageError as error:
                where = f"{self.parser.name}:{self.parser.line}"
                raise DataError(f"{where}: {error}; say the languages: --langs SOURCE,TARGET") from error

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if self._hidden:
            self._hidden -= 1
            self.parser.is_muted = self._hidden > 0
        elif name == self._side:
            self._texts[name] = self.parser.end_text()
            self._side = ""
        elif name in UNITS:
            self._add_row()

    def _add_row(self) -> None:
        self._number += 1
        if len(set(self._languages)) != 2:
            found = " and ".join(self._languages) or "none"
            reason = f"the file names not two languages ({found}); say them: --langs SOURCE,TARGET"
            raise DataError(f"{self.parser.name}:{self._line}: {reason}")
        source, target = self._languages
        texts = (self._texts.get("source") or None, self._texts.get("target") or None)
        self.rows.append(Row(self._number, source, target, *texts, {"unit": self._unit} if self._unit else {}))
