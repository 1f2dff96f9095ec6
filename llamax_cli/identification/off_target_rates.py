"""How often a system answers in the source language and how often in the target language (Tables 7 and 13)."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import mean
from typing import Any

from llamax_cli.errors import RecordError
from llamax_cli.identification.annotation import AnnotationRequest, Annotator
from llamax_cli.records import Record, language
from llamax_cli.streams.chunks import Tally, Transform

COUNTS = "n", "source", "target", "knows source", "knows target", "no letters", "empty"
SEPARATOR = "\t"  # between the languages of a direction and the name of a count


def count_languages(request: AnnotationRequest) -> Transform:
    """Return the stage that counts, by direction, the languages of translations."""
    annotator = request.annotator()

    def stage(record: Record, tally: Tally) -> Iterable[Record]:
        source, target, *counts = _classify(annotator, record)
        for count in counts:
            tally[SEPARATOR.join((source, target, count))] += 1
        return ()

    return stage


def _classify(annotator: Annotator, record: Record) -> list[str]:
    """Return the source language, the target language and those of COUNTS that the translation adds to."""
    if "mt" not in record:
        raise RecordError("no 'mt' in the record; --summary is for translations")
    source, target = language(record, "src_lang"), language(record, "tgt_lang")
    (translation,) = annotator(record, Tally())
    expected = annotator.identifier.known_code(source)
    is_source = translation.lid is not None and translation.lid == (expected or source)
    adds = (
        True,
        is_source,
        translation.agrees is True,
        # An earlier run may have used a detector that knows a language which this one does not.
        expected is not None or is_source,
        translation.agrees is not None or annotator.identifier.known_code(target) is not None,
        translation.lacks_letters,
        translation.is_empty,
    )
    return [source, target, *(count for count, is_added in zip(COUNTS, adds, strict=True) if is_added)]


def rates_by_direction(tally: Tally) -> Iterator[Record]:
    """Yield a record for each direction, in order of appearance.

    {"src_lang": "en", "tgt_lang": "umb", "n": 1012, "r_src": 0.1798, "unsupported": ["umb"]}
    """
    for source, target in dict.fromkeys(tuple(key.split(SEPARATOR)[:2]) for key in tally):
        n, in_source, in_target, *known, no_letters, empty = (
            tally[SEPARATOR.join((source, target, count))] for count in COUNTS
        )
        record: Record = {"src_lang": source, "tgt_lang": target, "n": n}
        judged = n - no_letters  # a number is in no language, so it is neither on nor off target
        if known[0] and judged:
            record["r_src"] = round(in_source / judged, 4)
        if known[1] and judged:
            record["r_tgt"] = round(in_target / judged, 4)
        if no_letters:
            record["no_letters"] = no_letters
        if empty:
            record["empty"] = empty
        if not all(known):
            unsupported = [code for code, is_known in zip((source, target), known, strict=True) if not is_known]
            record["unsupported"] = list(dict.fromkeys(unsupported))
        yield record


def average_rates(rows: Sequence[Record]) -> dict[str, Any]:
    """Return the mean rates of the directions: `{"directions": 2, "r_src": 0.01, "r_tgt": 0.97}`."""
    rates = {key: [row[key] for row in rows if key in row] for key in ("r_src", "r_tgt")}
    return {"directions": len(rows), **{key: round(mean(of_key), 4) for key, of_key in rates.items() if of_key}}
