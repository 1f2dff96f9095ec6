"""Records: pairs and texts that are already in the format of this project."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TypeVar

from llamax_cli.conversion.segments import Corpus, CorpusRequest, RejectLine, Segment, ignore_bad_line
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.records import Record, is_string, language, outlines, parse, serialise, text, texts
from llamax_cli.streams.chunks import batches, chunks, records
from llamax_cli.streams.inputs import Input

Item = TypeVar("Item")
TEXT_KEYS = (b"src", b"tgt", b"text")  # of which it matters only what kind of value they have
CODE_KEYS = (b"src_lang", b"tgt_lang", b"lang")
FEW = 1000  # bytes for each change of direction; where there are less, each line is looked at
SEGMENT_KEYS = {"src", "tgt", "src_lang", "tgt_lang", "text", "lang"}


@dataclass(frozen=True)
class RecordFile:
    """A file of Pair and Mono records; a pair can be read in either direction."""

    name: str
    source: Input
    request: CorpusRequest

    @property
    def languages(self) -> Sequence[str]:
        """The languages, in the order in which they appear."""
        return list(dict.fromkeys(code for codes in self._directions for code in codes))

    def directions(self) -> Sequence[tuple[str, str]]:
        """Return the directions of the pairs, those of the records first, then their reverses."""
        forward = [(codes[0], codes[1]) for codes in self._directions if len(codes) == 2]
        return list(dict.fromkeys([*forward, *((target, source) for source, target in forward)]))

    def spool(self) -> None:
        """Make the records readable several times."""
        self.source.spool()

    def read(self, read: Callable[[Record], Item], reject: RejectLine) -> Iterator[tuple[int, Item]]:
        """Yield (number, `read(record)`) for each record; `reject` gets those for which it raises RecordError."""
        return records(chunks([self.source]), read, reject)

    def stream_records(self, counts: Counter[str]) -> Iterator[Record]:
        """Yield the records, unchanged except for language codes, which become canonical."""
        numbered = self.read(_canonical_codes(), self.request.reject)
        if self.request.keeps_places:
            return (self.request.placed(record, self.source.name, number) for number, record in numbered)
        return map(itemgetter(1), numbered)

    def lines(self, counts: Counter[str]) -> Iterator[bytes]:
        """Yield the lines of `stream_records`, in blocks."""
        rewrite = _canonical_codes()
        for chunk in chunks([self.source]):
            if _all_stay(chunk.data, rewrite):
                yield chunk.data
            else:
                for items in batches(record for _, record in records([chunk], rewrite, self.request.reject)):
                    yield serialise(items)

    @cached_property
    def _directions(self) -> list[tuple[str, ...]]:
        """The different languages and directions of the records; the whole file is read for them."""
        self.spool()
        per_record = self.read(lambda record: tuple(_texts(record)), ignore_bad_line)
        return list(dict.fromkeys(codes for _, codes in per_record))

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the segments in these languages: pairs for two, texts and sides of pairs for one.

        A direction that no record has is read from the records of the reverse direction.
        """
        direction = tuple(languages)
        if direction not in self._directions and direction[::-1] in self._directions:
            direction = direction[::-1]
        for number, (record, by_code) in self.read(lambda record: (record, _texts(record)), self.request.reject):
            if tuple(by_code) == direction or (len(direction) == 1 and direction[0] in by_code):
                extra = {key: value for key, value in record.items() if key not in SEGMENT_KEYS}
                yield Segment(number, [by_code[code] for code in languages], extra)


def _canonical_codes() -> Callable[[Record], Record]:
    """Return a function that makes the language codes of records canonical."""
    canonical: Record = {}  # the last canonical code of each key: most streams keep one direction for long

    def rewrite(record: Record) -> Record:
        """Check that a record is a text, a pair or a translation, and make its codes canonical."""
        is_pair = "src" in record
        if not is_string(record, key := "src" if is_pair else "text"):
            text(record, key)
        if is_pair and "tgt" in record and not is_string(record, "tgt"):
            texts(record, "tgt")
        for key in ("src_lang", "tgt_lang") if is_pair else ("lang",):
            code_before = record.get(key)
            if code_before is None or code_before != canonical.get(key):
                code = language(record, key)
                if code == text(record, key):
                    canonical[key] = code_before
                else:
                    record[key] = code
        return record

    return rewrite


def _all_stay(data: bytes, rewrite: Callable[[Record], Record]) -> bool:
    """Return whether lines are surely written as they are read, which few calls of `rewrite` show.

    Lines from one place to the next are the same in all that `rewrite` looks at.
    """
    places = outlines(data, TEXT_KEYS, CODE_KEYS) if outlines is not None else None
    if places is None or len(places) * FEW > len(data):
        return False
    lines = (data[place : data.index(b"\n", place) + 1] for place in places)
    try:
        return all(serialise([rewrite(parse(line))]) == line for line in lines)
    except RecordError:
        return False


def _texts(record: Record) -> dict[str, str | None]:
    """Return the texts of a record by language; RecordError where it is neither a pair nor a text."""
    if "text" in record:
        return {language(record, "lang"): text(record, "text")}
    source, target = language(record, "src_lang"), language(record, "tgt_lang")
    if source == target:
        raise RecordError(f"source and target are both {source}; a direction needs two languages")
    return {source: text(record, "src"), target: text(record, "tgt")}


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file."""
    if request.languages:
        raise UsageError("records name their own languages; --langs is for files that do not")
    return [
        RecordFile(request.corpus_name(path, without=".jsonl"), request.input(path), request) for path in request.paths
    ]
