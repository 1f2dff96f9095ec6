"""What the writers of other formats share: which text of a record they write, and what they cannot express."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from llamax_cli.conversion.segments import RejectLine, place_of
from llamax_cli.errors import RecordError
from llamax_cli.records import Record, serialise

Converted = TypeVar("Converted")
FIELDS = ("text", "mt")  # what is written where --field does not name another key


def text_key(record: Record, field: str | None) -> str:
    """Return `field` or, for None, the first of FIELDS that a record has; RecordError where it has none."""
    key = field or next((each for each in FIELDS if each in record), None)
    if key is None or key not in record:
        missing = f"no {key!r}" if key else f"neither {' nor '.join(map(repr, FIELDS))}"
        have = ", ".join(record) or "nothing"
        raise RecordError(f"{missing} in the record (it has {have}); name a key with --field, such as --field tgt")
    return key


def encode_text(value: str, breaking: str, key: str) -> bytes:
    """Return a text as bytes; RecordError where it matches `breaking`, which the format cannot express."""
    match = re.search(breaking, value)
    if match:
        fault = f"contains {match[0]!r}" if match[0] else "is empty"
        raise RecordError(f"{key!r} {fault}, which this format cannot express; use --as records or hf")
    return value.encode()


def convert_each(
    records: Iterable[Record], convert: Callable[[Record], Converted], reject: RejectLine
) -> Iterator[Converted]:
    """Yield what `convert` makes of each record; `reject` gets those for which it raises RecordError."""
    for number, record in enumerate(records, 1):
        try:
            yield convert(record)
        except RecordError as error:
            reject(*place_of(record, number), str(error), serialise([dict(record)]).removesuffix(b"\n"))
