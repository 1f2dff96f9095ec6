"""Corpora whose rows name their own languages: what published lines, XLIFF and PO have in common."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from llamax_cli.conversion.segments import CorpusRequest, RejectLine, Segment, ignore_bad_line
from llamax_cli.records import Record
from llamax_cli.streams.inputs import Input


class Row(NamedTuple):
    """A segment in two languages; a text is None where there is none. `reason` says why the row is left out, if it is.

    The codes are canonical.
    """

    number: int
    source_language: str
    target_language: str
    source: str | None
    target: str | None
    extra: Mapping[str, Any]
    reason: str = ""


@dataclass(frozen=True)
class RowCorpus:
    """A file of rows; `rows(reject)` reads it once, and gives bad lines to `reject`."""

    name: str
    source: Input
    request: CorpusRequest
    rows: Callable[[RejectLine], Iterator[Row]]

    @property
    def languages(self) -> Sequence[str]:
        """The languages, in the order in which they appear."""
        return list(dict.fromkeys(code for direction in self._own_directions for code in direction))

    def directions(self) -> Sequence[tuple[str, str]]:
        """Return the directions of the rows, then their reverses."""
        own = self._own_directions
        return list(dict.fromkeys([*own, *((target, source) for source, target in own)]))

    @cached_property
    def _own_directions(self) -> list[tuple[str, str]]:
        """The directions of the rows; the whole file is read for them."""
        self.source.spool()
        rows = self.rows(ignore_bad_line)
        return list(dict.fromkeys((row.source_language, row.target_language) for row in rows if not row.reason))

    def stream_records(self, counts: Counter[str]) -> Iterator[Record]:
        """Yield each row in its own direction; one without a translation is a record without `tgt`.

        Those without any text are counted as absent, those that are left out by their reason.
        """
        for row in self.rows(self.request.reject):
            if row.reason or row.source is None:
                counts[row.reason or "absent"] += 1
                continue
            record: Record = {"id": f"{self.name}:{row.number}", "src": row.source}
            if row.target is not None:
                record["tgt"] = row.target
            record |= {"src_lang": row.source_language, "tgt_lang": row.target_language, **row.extra}
            yield self.request.placed(record, self.source.name, row.number)

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the segments in these languages; a direction that no row has is read from its reverse."""
        direction = tuple(languages)
        if direction not in self._own_directions and direction[::-1] in self._own_directions:
            direction = direction[::-1]
        for row in self.rows(self.request.reject):
            codes = row.source_language, row.target_language
            if not (codes == direction or (len(direction) == 1 and direction[0] in codes)):
                continue
            if row.reason:
                self.request.left_out[row.reason] += 1
                continue
            texts = dict(zip(codes, (row.source, row.target), strict=True))
            yield Segment(row.number, [texts[code] for code in languages], row.extra)
