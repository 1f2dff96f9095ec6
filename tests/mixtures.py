"""What the tests of `llamax mix` share: records to mix, and mixtures to look at."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from conftest import Outcome

Record = dict[str, Any]


def pair(number: int, source: str = "en", target: str = "sw", **more: Any) -> Record:
    """Return a pair whose sides say what they are."""
    sides = {"src": f"{source} text {number}", "tgt": f"{target} text {number}"}
    return {"id": f"c:{number}", **sides, "src_lang": source, "tgt_lang": target, **more}


def text(number: int, language: str = "sw", **more: Any) -> Record:
    """Return a text that says what it is."""
    return {"id": f"m:{number}", "text": f"{language} alone {number}", "lang": language, **more}


def save(path: Path, records: Iterable[Record]) -> Path:
    """Write records and return where."""
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def samples(outcome: Outcome) -> list[Record]:
    """Return the samples of a run that ended well."""
    assert outcome.returncode == 0, outcome.stderr
    return [json.loads(line) for line in outcome.stdout.splitlines()]


Mix = Callable[..., Outcome]
