"""How often a system answers in the source language, and how often in the target language (paper, Table 7)."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import mean
from typing import Any

from llamax_cli.errors import RecordError
from llamax_cli.identification.annotation import AnnotationRequest, Annotator
from llamax_cli.records import Record, language
from llamax_cli.streams.chunks import Tally, Transform

COUNTS = "n", "source", "target", "knows source", "knows target", "empty"
SEPARATOR = "\t"  # between the languages of a direction and what is counted there


def count(request: AnnotationRequest) -> Transform:
    """Return the stage that counts, by direction, which languages the translations are in."""
    annotator = request.annotator()

    def stage(record: Record, tally: Tally) -> Iterable[Record]:
        source, target, *seen = _look(annotator, record)
        for name in seen:
            tally[SEPARATOR.join((source, target, name))] += 1
        return ()

    return stage


def _look(annotator: Annotator, record: Record) -> list[str]:
    """Return source language, target language and which of COUNTS the translation adds to."""
    if "mt" not in record:
        raise RecordError("no 'mt' in the record; --summary is for translations")
    source, target = language(record, "src_lang"), language(record, "tgt_lang")
    (finding,) = annotator(record, Tally())
    expected = annotator.identifier.knows(source)
    is_source = finding.lid is not None and finding.lid == (expected or source)
    happened = (
        True,
        is_source,
        finding.agrees is True,
        # A language that the detector lacks may have been found before, by one that has it.
        expected is not None or is_source,
        finding.agrees is not None,
        finding.is_empty,
    )
    return [source, target, *(name for name, each in zip(COUNTS, happened, strict=True) if each)]


def directions(tally: Tally) -> Iterator[Record]:
    """Yield a record for each direction, in the order in which they came.

    {"src_lang": "en", "tgt_lang": "umb", "n": 1012, "r_src": 0.1798, "unsupported": ["umb"]}
    """
    for source, target in dict.fromkeys(tuple(key.split(SEPARATOR)[:2]) for key in tally):
        n, of_source, of_target, *known, empty = (tally[SEPARATOR.join((source, target, name))] for name in COUNTS)
        record: Record = {"src_lang": source, "tgt_lang": target, "n": n}
        if known[0]:
            record["r_src"] = round(of_source / n, 4)
        if known[1]:
            record["r_tgt"] = round(of_target / n, 4)
        if empty:
            record["empty"] = empty
        if not all(known):
            unsupported = [code for code, each in zip((source, target), known, strict=True) if not each]
            record["unsupported"] = list(dict.fromkeys(unsupported))
        yield record


def overall(rows: Sequence[Record]) -> dict[str, Any]:
    """Return the mean rates of the directions: `{"directions": 2, "r_src": 0.01, "r_tgt": 0.97}`."""
    found = {key: [row[key] for row in rows if key in row] for key in ("r_src", "r_tgt")}
    return {"directions": len(rows), **{key: round(mean(rates), 4) for key, rates in found.items() if rates}}
