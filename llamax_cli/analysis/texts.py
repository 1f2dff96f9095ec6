"""The texts of records, each with its language, whatever the shape of the record."""

from collections.abc import Callable
from typing import Any

from llamax_cli.errors import RecordError
from llamax_cli.records import Record, language, text

LANGUAGE_OF = {"text": "lang", "src": "src_lang", "tgt": "tgt_lang"}


Texts = list[tuple[str, str]]


def text_reader() -> Callable[[Record], Texts]:
    """Return `texts_of` for the records of a stream, of which most have the language of the one before."""
    latest: Any = None  # as it is in the record
    code = ""

    def read(record: Record) -> Texts:
        nonlocal latest, code
        if "text" in record and "src" not in record and "tgt" not in record:
            if latest is None or record.get("lang") != latest:
                code, latest = language(record, "lang"), record["lang"]
            return [(code, text(record, "text"))]
        return texts_of(record)

    return read


def texts_of(record: Record) -> Texts:
    """Return (language, text) of the text of a record, or of each side of a pair; RecordError where there is none."""
    keys = [key for key in LANGUAGE_OF if key in record]
    if not keys:
        raise RecordError(f"no {' or '.join(map(repr, LANGUAGE_OF))} in the record")
    return [(language(record, LANGUAGE_OF[key]), text(record, key)) for key in keys]
