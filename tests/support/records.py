"""Records that tests make, write and read back."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from support.processes import Outcome

Record = dict[str, Any]


def pair(number: int, source: str = "en", target: str = "sw", **more: Any) -> Record:
    """Return a pair whose sides say what they are."""
    sides = {"src": f"{source} text {number}", "tgt": f"{target} text {number}"}
    return {"id": f"c:{number}", **sides, "src_lang": source, "tgt_lang": target, **more}


def text(number: int, language: str = "sw", **more: Any) -> Record:
    """Return a text that says what it is."""
    return {"id": f"m:{number}", "text": f"{language} alone {number}", "lang": language, **more}


def jsonl(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Return records as lines."""
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return b"".join(dump(record).encode() + b"\n" for record in records)


def write(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """Write records as lines and return the path."""
    with path.open("wb") as file:
        file.writelines(jsonl([record]) for record in records)
    return path


def read(data: bytes) -> list[Record]:
    """Return the records of whole lines."""
    *lines, rest = data.split(b"\n")
    assert rest == b""
    return [json.loads(line) for line in lines]


def parsed(outcome: Outcome) -> list[Record]:
    """Return the records on stdout of a run that went well."""
    assert outcome.returncode == 0, outcome.stderr
    return read(outcome.stdout)
