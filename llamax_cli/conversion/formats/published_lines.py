"""Lines of JSON as test sets and corpora are published, each shape known by its keys.

WMT24++    {"lp": "en-de_DE", "source": ..., "target": ..., "is_bad_source": false, "domain": ..., "document_id": ...}
           (https://huggingface.co/datasets/google/wmt24pp); bad sources are left out, as its card asks.
WMT25      {"doc_id": ..., "src_lang": "en", "tgt_lang": "de_DE", "src_text": ..., "refs": {"refA": {"ref": ...}}}
           (https://github.com/wmt-conference/wmt25-general-mt); a text is a whole document, its paragraphs separated by
           empty lines. The first reference is the target, others are `ref_B`, ...; some directions have none.
SMOL       {"sl": "en", "tl": "sw", "src": ..., "trg": ...} (SmolSent), with lists `srcs` and `trgs` (SmolDoc), or with
           `trgs` of one `src` (GATITOS) (https://huggingface.co/datasets/google/smol).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from llamax_cli.conversion.formats.row_corpus import Row, RowCorpus
from llamax_cli.conversion.segments import Corpus, CorpusRequest, RejectLine
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.records import Record, boolean, text, value
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare

BAD_SOURCE = "with a bad source"
RECORD_KEYS = {"id", "src", "tgt", "src_lang", "tgt_lang", "text", "lang", "origin", "mt"}


class Unit(NamedTuple):
    """A pair of a line, without its number."""

    source: str | None
    target: str | None
    extra: Mapping[str, Any]
    reason: str = ""


Shape: TypeAlias = Callable[[Record], tuple[str, str, list[Unit]]]


def _extra(record: Record, used: set[str]) -> dict[str, Any]:
    """Return the other keys of a line; those that would be keys of the record are `row_id` and the like."""
    return {f"row_{key}" if key in RECORD_KEYS else key: value for key, value in record.items() if key not in used}


def _wmt24pp(record: Record) -> tuple[str, str, list[Unit]]:
    source, separator, target = text(record, "lp").partition("-")
    if not separator:
        raise RecordError(f"'lp' is {text(record, 'lp')!r}, not a direction such as en-de_DE")
    extra = _extra(record, {"lp", "source", "target", "is_bad_source"})
    is_bad = "is_bad_source" in record and boolean(record, "is_bad_source")
    unit = Unit(text(record, "source"), text(record, "target") or None, extra, BAD_SOURCE if is_bad else "")
    return source, target, [unit]


def _wmt25(record: Record) -> tuple[str, str, list[Unit]]:
    references = value(record, "refs") if "refs" in record else {}
    if not isinstance(references, dict):
        raise RecordError("'refs' is not an object of references")
    found = {name: _reference(name, reference) for name, reference in references.items()}
    first = next(iter(found), None)
    others = {f"ref_{name.removeprefix('ref')}": each for name, each in found.items() if name != first}
    extra = _extra(record, {"src_lang", "tgt_lang", "src_text", "refs"}) | others
    unit = Unit(text(record, "src_text"), None if first is None else found[first] or None, extra)
    return text(record, "src_lang"), text(record, "tgt_lang"), [unit]


def _reference(name: str, reference: object) -> str:
    found = reference.get("ref") if isinstance(reference, dict) else reference
    if not isinstance(found, str):
        raise RecordError(f"'refs' has no text of {name!r}")
    return found


def _smol(record: Record) -> tuple[str, str, list[Unit]]:
    extra = _extra(record, {"sl", "tl", "src", "trg", "srcs", "trgs"})
    sources = [text(record, "src")] if "src" in record else _strings(record, "srcs")
    targets = [text(record, "trg")] if "trg" in record else _strings(record, "trgs")
    if "src" in record:  # one word, several translations
        sources *= len(targets)
    if len(sources) != len(targets):
        raise RecordError(f"{len(sources)} texts in 'srcs', but {len(targets)} in 'trgs'")
    units = [Unit(source or None, target or None, extra) for source, target in zip(sources, targets, strict=True)]
    return text(record, "sl"), text(record, "tl"), units


def _strings(record: Record, key: str) -> list[str]:
    found = value(record, key)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise RecordError(f"{key!r} is not a list of texts")
    return found


# The keys by which a line is known, and what reads it.
SHAPES: dict[str, tuple[tuple[bytes, ...], Shape]] = {
    "wmt24pp": ((b'"lp"', b'"source"', b'"target"'), _wmt24pp),
    "wmt25": ((b'"src_text"', b'"tgt_lang"', b'"refs"'), _wmt25),
    "smol": ((b'"sl"', b'"tl"', b'"src', b'"trg'), _smol),
}


def shape_of(line: bytes) -> str | None:
    """Return the format whose keys a line has, None for any other record."""
    return next((name for name, (keys, _) in SHAPES.items() if all(_has_key(line, key) for key in keys)), None)


def _has_key(line: bytes, key: bytes) -> bool:
    # SMOL's last keys are the beginnings of several.
    return re.search(re.escape(key) + (rb"\s*:" if key.endswith(b'"') else rb's?"\s*:'), line) is not None


def _rows(source: Input, shape: Shape, reject: RejectLine) -> Iterator[Row]:
    number = 0
    for _, (source_language, target_language, units) in records(chunks([source]), partial(_read, shape), reject):
        for unit in units:
            number += 1
            yield Row(number, source_language, target_language, *unit)


def _read(shape: Shape, record: Record) -> tuple[str, str, list[Unit]]:
    source, target, units = shape(record)
    source, target = _canonical(source), _canonical(target)
    if source == target:
        raise RecordError(f"source and target are both {source}; a direction needs two languages")
    return source, target, units


@cache
def _canonical(code: str) -> str:
    return canonical(code)


def _open(name: str, request: CorpusRequest) -> list[Corpus]:
    if request.languages or request.columns:
        raise UsageError("these lines name their own languages; --langs and --columns are for files that do not")
    corpora: list[Corpus] = []
    for path in request.paths:
        source = request.input(path)
        rows = partial(_rows, source, SHAPES[name][1])
        corpora.append(RowCorpus(request.corpus_name(path, without=Path(bare(path)).suffix), source, request, rows))
    return corpora


def open_wmt24pp(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file of WMT24++."""
    return _open("wmt24pp", request)


def open_wmt25(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file of WMT25's test sets."""
    return _open("wmt25", request)


def open_smol(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file of SmolSent, SmolDoc or GATITOS."""
    return _open("smol", request)
