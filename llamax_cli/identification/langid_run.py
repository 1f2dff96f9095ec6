"""A run of `llamax langid`: records with their languages, a selection of them, or off-target rates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from llamax_cli.candidates import NONE_ON_TARGET
from llamax_cli.errors import UsageError
from llamax_cli.identification.annotation import WITHOUT_LETTERS, AnnotationRequest
from llamax_cli.identification.candidates import choose_candidates
from llamax_cli.identification.detectors import fingerprint
from llamax_cli.identification.off_target_rates import average_rates, count_languages, rates_by_direction
from llamax_cli.identification.selection import LEFT_OUT, SELECTIONS, annotate, check_fields, select
from llamax_cli.records import Record
from llamax_cli.streams.chunks import WHOLE
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import Table

BEST = "best"
SELECTION_NAMES = (*SELECTIONS, BEST)
RATES = {"r_src": "source", "r_tgt": "target"}
SHOWN_CODES = 5  # unknown languages in the summary line; the manifest has all


@dataclass(frozen=True)
class LangidRequest:
    """What to identify and what to write; UsageError if it contradicts itself."""

    annotation: AnnotationRequest
    selection: str | None = None
    min_score: float | None = None
    summary: bool = False
    table: str | None = None

    def __post_init__(self) -> None:
        if self.summary and self.selection:
            raise UsageError("--summary and --select cannot be combined: select first, then summarise the result")
        if self.table and not self.summary:
            raise UsageError("--table requires --summary: a table shows the rates of directions")
        if self.min_score is not None and not self.selection:
            raise UsageError("--min-score requires --select")
        if self.selection:
            check_fields(self.selection, self.annotation.fields)
        if self.summary and self.annotation.fields not in ((), ("mt",)):
            raise UsageError("--summary counts the languages of 'mt': leave out --field")


def write_identified(run: Run, request: LangidRequest) -> None:
    """Write what the request asks for."""
    if (request.summary or request.selection == BEST) and run.settings.shard != WHOLE:
        flag = "--summary" if request.summary else "--select best"
        raise UsageError(f"{flag} cannot be combined with --shard: identify in shards, then run it on all records")
    annotation, min_score = request.annotation, request.min_score or 0.0
    annotation.annotator()  # fails before anything is opened, and forked workers share the detector
    if run.settings.manifest:
        run.figures["detector"] = fingerprint(annotation.detector_name, annotation.model)
    # Version 0.1.0 gave texts without letters a language, and 0.2.0 had another default detector, so what they left
    # half-done cannot be completed. The number also grows where joined.tsv changes.
    run.add_dependencies(**{"rules of identification": 3})
    if request.summary:
        output = Table(run.settings.output, request.table) if request.table else None
        return run.write(_rates(run, annotation), output=output)
    if request.selection == BEST:
        run.write(choose_candidates(run, annotation, min_score))
    elif request.selection:
        run.map(partial(select, annotation, request.selection, min_score))
    else:
        run.map(partial(annotate, annotation))
    return _report(run)


def _rates(run: Run, annotation: AnnotationRequest) -> Iterator[Record]:
    """Yield the off-target rates of each direction, and report their averages."""
    rows = list(rates_by_direction(run.count(partial(count_languages, annotation))))
    run.figures["overall"] = averages = average_rates(rows)
    shares = [f"{averages[key]:.1%} in the {name} language" for key, name in RATES.items() if key in averages]
    if shares:
        run.remarks.append(", ".join(shares))
    _remark_unsupported(run, [code for row in rows for code in row.get("unsupported", ())])
    yield from rows


def _report(run: Run) -> None:
    """Report the counts: those of left-out records as such, others as remarks."""
    for name in [name for name in run.tally if name.startswith(LEFT_OUT)]:
        run.left_out[name.removeprefix(LEFT_OUT)] = run.tally.pop(name)
    remarks = (
        (NONE_ON_TARGET,) if run.left_out else ("on target", "off target", "empty", WITHOUT_LETTERS, "not identified")
    )
    for name in remarks:
        if run.tally[name]:
            run.remarks.append(f"{run.tally[name]:,} {name}")
    _remark_unsupported(run, [name.split()[1] for name in run.tally if name.startswith("unsupported ")])


def _remark_unsupported(run: Run, codes: Sequence[str]) -> None:
    unsupported = list(dict.fromkeys(codes))
    if unsupported:
        more = f" and {len(unsupported) - SHOWN_CODES} more" if len(unsupported) > SHOWN_CODES else ""
        run.remarks.append(f"unknown to the detector: {', '.join(unsupported[:SHOWN_CODES])}{more}")
