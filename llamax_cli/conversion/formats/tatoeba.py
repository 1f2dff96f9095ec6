r"""Tatoeba's exports of sentences, each row with its language: `1276<TAB>eng<TAB>Let's try something.`

The detailed export has three more cells: the user, and the dates of the first and the last version. `\N` is an unknown
value. A segment has the number that Tatoeba gave the sentence, and the `extra` keys `username`, `added`, `modified`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from llamax_cli.conversion.segments import NO_EXTRA, Corpus, CorpusRequest, RejectLine, Segment, ignore_bad_line
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.languages import canonical, known
from llamax_cli.records import Record
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, bare, texts

UNKNOWN = r"\N"
ROW = re.compile(r"(?P<number>\d+)\t(?P<lang>[a-z]{3,4}|\\N)\t[^\t]*(?:\t[^\t]*\t[^\t]*\t[^\t]*)?")
NAME = re.compile(r"([a-z]{3}_)?sentences(_detailed)?\.[ct]sv")  # as Tatoeba names its exports
DETAILS = ("username", "added", "modified")


class Sentence(NamedTuple):
    """A row; the language and the text are None where they are unknown."""

    number: int
    language: str | None
    text: str | None
    details: Mapping[str, str]


def is_export(lines: Sequence[str], name: str) -> bool:
    """Return whether most of these lines of a file are rows of an export; the others are bad lines of it.

    If it has the name of an export, such as `eng_sentences.tsv`, one row is enough.
    """
    rows = sum(map(_is_row, lines))
    return 2 * rows > len(lines) or (rows > 0 and NAME.fullmatch(name) is not None)


def _is_row(line: str) -> bool:
    row = ROW.fullmatch(line)
    return row is not None and (row["lang"] == UNKNOWN or known(row["lang"]) is not None)


@dataclass(frozen=True)
class Sentences:
    """A file of sentences in any number of languages, none of them paired."""

    name: str
    source: Input
    request: CorpusRequest

    @cached_property
    def languages(self) -> Sequence[str]:
        """The languages, in the order of their first occurrence; the whole file is read for them."""
        self.source.spool()
        found = dict.fromkeys(sentence.language for sentence in self._sentences(ignore_bad_line))
        return [code for code in found if code]

    def directions(self) -> Sequence[tuple[str, str]]:
        """Raise UsageError: which sentences are translations of each other is in another file of Tatoeba."""
        raise UsageError(f"{self.source.name}: these sentences of Tatoeba are not paired; choose languages with --mono")

    def stream_records(self, counts: Counter[str]) -> Iterator[Record]:
        """Yield each sentence in its language."""
        for number, language, text, details in self._sentences(self.request.reject):
            if language is None:
                counts["in an unknown language"] += 1
            elif text is None:
                counts["absent"] += 1
            else:
                record = {"id": f"{self.name}:{number}", "text": text, "lang": language, **details}
                yield self.request.placed(record, self.source.name, number)

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the sentences in one language."""
        for number, language, text, details in self._sentences(self.request.reject):
            if language in languages:
                yield Segment(number, [text], details)

    def _sentences(self, reject: RejectLine) -> Iterator[Sentence]:
        for number, line in enumerate(texts(self.source), 1):
            try:
                if isinstance(line, Bad):
                    raise RecordError(line.reason)
                yield _parse(line)
            except RecordError as error:
                raw = line.raw if isinstance(line, Bad) else line.encode()
                reject(self.source.name, number, str(error), raw)


def _parse(line: str) -> Sentence:
    if not ROW.fullmatch(line):
        raise RecordError("not the number, language and text of a sentence of Tatoeba")
    number, code, text, *details = line.split("\t")
    facts = {key: value for key, value in zip(DETAILS, details, strict=False) if value not in ("", UNKNOWN)}
    language = None if code == UNKNOWN else canonical(code)
    return Sentence(int(number), language, None if text in ("", UNKNOWN) else text, facts or NO_EXTRA)


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file."""
    if request.languages or request.columns:
        raise UsageError("the rows of Tatoeba's export name their own languages: choose some with --mono, not --langs")
    return [
        Sentences(request.corpus_name(path, without=Path(bare(path)).suffix), request.input(path), request)
        for path in request.paths
    ]
