"""The texts of records, each with its language, whatever the shape of the record."""

from llamax_cli.errors import RecordError
from llamax_cli.records import Record, language, text

LANGUAGE_OF = {"text": "lang", "src": "src_lang", "tgt": "tgt_lang"}


def texts_of(record: Record) -> list[tuple[str, str]]:
    """Return (language, text) of the text of a record, or of each side of a pair; RecordError where there is none."""
    if "text" in record and "src" not in record and "tgt" not in record:
        return [(language(record, "lang"), text(record, "text"))]
    keys = [key for key in LANGUAGE_OF if key in record]
    if not keys:
        raise RecordError(f"no {' or '.join(map(repr, LANGUAGE_OF))} in the record")
    return [(language(record, LANGUAGE_OF[key]), text(record, key)) for key in keys]
