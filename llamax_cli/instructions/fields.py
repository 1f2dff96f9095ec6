"""Values of a record that may be absent or null, and then count as empty."""

from llamax_cli.records import Record, text, value


def nullable_text(record: Record, key: str) -> str:
    """Return the string under a key, "" if it is null; RecordError if it is absent."""
    return "" if value(record, key) is None else text(record, key)


def optional_text(record: Record, key: str) -> str:
    """Return the string under a key, "" if it is absent or null."""
    return nullable_text(record, key) if key in record else ""


def optional_scalar(record: Record, key: str) -> str:
    """Return a string or a number as text, "" if it is absent or null: `{"label": 2} -> "2"`."""
    scalar = value(record, key) if key in record else None
    return "" if scalar is None else str(scalar)


def record_id(record: Record) -> str | int | None:
    """Return the `id` of a record if it is a string or a whole number."""
    identity = value(record, "id") if "id" in record else None
    return identity if type(identity) in (str, int) else None
