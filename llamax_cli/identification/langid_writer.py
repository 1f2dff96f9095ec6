"""What langid writes: records with their languages, some of them, or a summary."""

from collections.abc import Iterator
from functools import partial

from llamax_cli.errors import UsageError
from llamax_cli.identification.annotation import AnnotationRequest
from llamax_cli.identification.candidates import NONE_ON_TARGET, best
from llamax_cli.identification.detectors import fingerprint
from llamax_cli.identification.selection import LEFT_OUT, annotate, check, select
from llamax_cli.identification.summary import count, directions, overall
from llamax_cli.records import Record
from llamax_cli.streams.chunks import WHOLE
from llamax_cli.streams.run import Run

BEST = "best"
RATES = {"r_src": "source", "r_tgt": "target"}
SHOWN = 5  # languages named in the summary line; the manifest has them all


def write(
    run: Run, request: AnnotationRequest, selection: str | None, min_score: float | None, *, summary: bool
) -> None:
    """Write what is asked for; UsageError where that contradicts itself."""
    _check(run, request, selection, min_score, summary=summary)
    request.annotator()  # what is wrong with the detector is told before anything is opened, and forks share it
    if run.settings.manifest:
        run.figures["detector"] = fingerprint(request.detector, request.model)
    if summary:
        return run.write(_summary(run, request))
    if selection == BEST:
        run.write(best(run, request, min_score or 0.0))
    else:
        run.map(
            partial(annotate, request) if selection is None else partial(select, request, selection, min_score or 0.0)
        )
    return _report(run)


def _check(
    run: Run, request: AnnotationRequest, selection: str | None, min_score: float | None, *, summary: bool
) -> None:
    if summary and selection:
        raise UsageError("--summary writes no records that --select could choose from; run them one after the other")
    if min_score is not None and not selection:
        raise UsageError("--min-score is for --select")
    if selection:
        check(selection, request.fields)
    if summary and request.fields not in ((), ("mt",)):
        raise UsageError("--summary is about 'mt'; leave --field out")
    if (summary or selection == BEST) and run.settings.shard != WHOLE:
        flag = "--summary" if summary else "--select best"
        raise UsageError(f"{flag} needs records that --shard may part; identify in shards, then do this on the whole")


def _summary(run: Run, request: AnnotationRequest) -> Iterator[Record]:
    rows = list(directions(run.count(partial(count, request))))
    run.figures["overall"] = rates = overall(rows)
    shares = [f"{rates[key]:.1%} in the {name} language" for key, name in RATES.items() if key in rates]
    if shares:
        run.remarks.append(", ".join(shares))
    _remark_unsupported(run, [code for row in rows for code in row.get("unsupported", ())])
    yield from rows


def _report(run: Run) -> None:
    """Say what was counted: what was left out as such, the rest as remarks."""
    for name in [name for name in run.tally if name.startswith(LEFT_OUT)]:
        run.left_out[name.removeprefix(LEFT_OUT)] = run.tally.pop(name)
    told = (NONE_ON_TARGET,) if run.left_out else ("on target", "off target", "empty", "not identified")
    for name in told:
        if run.tally[name]:
            run.remarks.append(f"{run.tally[name]:,} {name}")
    _remark_unsupported(run, [name.split()[1] for name in run.tally if name.startswith("unsupported ")])


def _remark_unsupported(run: Run, codes: list[str]) -> None:
    unsupported = list(dict.fromkeys(codes))
    if unsupported:
        more = f" and {len(unsupported) - SHOWN} more" if len(unsupported) > SHOWN else ""
        run.remarks.append(f"unknown to the detector: {', '.join(unsupported[:SHOWN])}{more}")
