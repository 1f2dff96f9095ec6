"""Filters applied to a stream: records that do not pass are counted by filter, and set aside with the reason."""

from collections.abc import Callable, Iterable, Iterator

from llamax_cli.conversion.segments import place_of
from llamax_cli.errors import RecordError
from llamax_cli.filtering.rules import FilterSettings, RecordFilter
from llamax_cli.records import Record, serialise
from llamax_cli.streams.run import Run


def filtered(run: Run, settings: FilterSettings) -> Callable[[Iterable[Record]], Iterable[Record]]:
    """Return a function that passes on the records that all filters keep; it may be used for several streams.

    A PlacedRecord is rejected at its place; of others, those read so far are counted.
    """
    if not settings:
        return iter
    run.add_dependencies(**settings.facts())
    judge = RecordFilter(settings)
    count = 0

    def keep(records: Iterable[Record]) -> Iterator[Record]:
        nonlocal count
        for record in records:
            count += 1
            try:
                fault = judge.fault(record)
            except RecordError as error:
                run.reject(*place_of(record, count), str(error), _raw(record))
                continue
            if fault is None:
                yield record
            else:
                name, why = fault
                run.leave_out(f"by {name}", *place_of(record, count), f"{name}: {why}", _raw(record))

    return keep


def _raw(record: Record) -> bytes:
    return serialise([record]).removesuffix(b"\n")
