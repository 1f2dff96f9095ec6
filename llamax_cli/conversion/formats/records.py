"""Records as they are: pairs and texts that are already in the form of this project."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from llamax_cli.conversion.segments import Corpus, CorpusRequest, Segment, ignore
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.records import Record, language, text
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.inputs import Input

SHAPE = {"src", "tgt", "src_lang", "tgt_lang", "text", "lang"}


@dataclass(frozen=True)
class Records:
    """One file of Pair and Mono records; a pair can be read in either direction."""

    name: str
    source: Input
    request: CorpusRequest

    @property
    def languages(self) -> Sequence[str]:
        """The languages, in the order in which they appear."""
        return list(dict.fromkeys(code for found in self._found for code in found))

    def directions(self) -> Sequence[tuple[str, str]]:
        """Return the directions of the pairs, those of the records first, then their reverses."""
        found = [(pair[0], pair[1]) for pair in self._found if len(pair) == 2]
        return list(dict.fromkeys([*found, *((target, source) for source, target in found)]))

    def as_they_are(self, counts: Counter[str]) -> Iterator[Record]:
        """Yield the records with nothing changed but the language codes, of which one is written."""
        for _, record in records(chunks([self.source]), _canonical_codes(), self.request.reject):
            yield record

    @cached_property
    def _found(self) -> list[tuple[str, ...]]:
        """The language or the direction of each record, once each; for this the whole file is read."""
        self.source.spool()
        seen = records(chunks([self.source]), lambda record: tuple(_texts(record)), ignore)
        return list(dict.fromkeys(codes for _, codes in seen))

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield what the records hold in these languages: pairs for two, texts and sides of pairs for one.

        A direction that no record has is read from the records of its reverse.
        """
        wanted = tuple(languages)
        if wanted not in self._found and wanted[::-1] in self._found:
            wanted = wanted[::-1]
        read = records(chunks([self.source]), lambda record: (record, _texts(record)), self.request.reject)
        for number, (record, texts) in read:
            if tuple(texts) == wanted or (len(wanted) == 1 and wanted[0] in texts):
                rest = {key: each for key, each in record.items() if key not in SHAPE}
                yield Segment(number, [texts[code] for code in languages], rest)


def _canonical_codes() -> Callable[[Record], Record]:
    """Return a function that gives a record the one code of each of its languages."""
    right: Record = {}  # what each key held last and could keep; most streams hold one direction for long

    def rewrite(record: Record) -> Record:
        """Check that it is a text, a pair or a translation, and rewrite its codes."""
        of_pair = "src" in record
        text(record, "src" if of_pair else "text")
        for key in ("src_lang", "tgt_lang") if of_pair else ("lang",):
            found = record.get(key)
            if found is None or found != right.get(key):
                code = language(record, key)
                if code == text(record, key):
                    right[key] = found
                else:
                    record[key] = code
        return record

    return rewrite


def _texts(record: Record) -> dict[str, str | None]:
    """Return the texts of a record by language; RecordError where it is no pair and no text."""
    if "text" in record:
        return {language(record, "lang"): text(record, "text")}
    source, target = language(record, "src_lang"), language(record, "tgt_lang")
    if source == target:
        raise RecordError(f"source and target are both {source}, which no direction is")
    return {source: text(record, "src"), target: text(record, "tgt")}


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return one corpus for each file."""
    if request.languages:
        raise UsageError("records say their languages themselves: --langs is for files that do not")
    return [
        Records(request.corpus_name(path, without=".jsonl"), request.input(path), request) for path in request.paths
    ]
