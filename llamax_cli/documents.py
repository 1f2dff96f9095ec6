"""JSON and TOML that may be damaged, or made by somebody else: whatever is wrong with it is one ValueError.

The decoders raise others for bytes that are not UTF-8 and for brackets nested too deep. Lines of records are read by
`records.parse`.
"""

import json
import tomllib
from typing import Any, TypeVar

import msgspec

Shape = TypeVar("Shape")
TOO_DEEP = "brackets are nested too deep"


def decode(data: bytes, type: type[Shape]) -> Shape:
    """Return a document of a shape; ValueError if it is broken, or has another shape."""
    try:
        return msgspec.json.decode(data, type=type)
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error


def loads(text: str | bytes) -> Any:
    """Return any document as Python's own decoder does, which also takes NaN; ValueError if it is broken."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error


def loads_toml(text: str) -> dict[str, Any]:
    """Return a document in TOML; ValueError if it is broken, or has a number of more digits than Python writes."""
    try:
        document = tomllib.loads(text)
        repr(document)  # fails where such a number is hexadecimal, which is read
        return document
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
