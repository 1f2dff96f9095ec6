"""The texts of records, each with its language, whatever the shape of the record."""

from collections.abc import Iterator

from llamax_cli.errors import RecordError
from llamax_cli.records import Record, language, text

LANGUAGE_OF = {"text": "lang", "src": "src_lang", "tgt": "tgt_lang"}


def texts_of(record: Record) -> Iterator[tuple[str, str]]:
    """Yield (language, text) for the text of a record, or for each side of a pair; RecordError where there is none."""
    keys = [key for key in LANGUAGE_OF if key in record]
    if not keys:
        raise RecordError(f"no {' or '.join(map(repr, LANGUAGE_OF))} in the record")
    for key in keys:
        yield language(record, LANGUAGE_OF[key]), text(record, key)
