"""What tests of translation and scoring share: records to translate and records that are translated."""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llamax_cli import cli
from support.records import read

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "looked", "at", "dogs", "that", "ran", "past"]


def text(src: str, **more: Any) -> dict[str, Any]:
    """Return an English text."""
    return {"id": src, "text": src, "lang": "en", **more}


def pair(src: str, **more: Any) -> dict[str, Any]:
    """Return a pair from English into German."""
    return {"id": src, "src": src, "tgt": "x", "src_lang": "en", "tgt_lang": "de", **more}


def put(*records: dict[str, Any] | str, name: str = "in.jsonl") -> None:
    """Write records, or lines as they are, to a file."""
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    Path(name).write_text("".join(line + "\n" for line in lines))


def got(name: str = "out.jsonl") -> list[dict[str, Any]]:
    """Return the records of a file."""
    return read(Path(name).read_bytes())


def translate(*arguments: str, code: int = 0) -> None:
    """Run `llamax translate` on in.jsonl to out.jsonl and check its exit code."""
    model = () if "--model" in arguments else ("--model", "m")
    assert cli.run(["translate", "in.jsonl", *model, "-o", "out.jsonl", *arguments]) == code


def translations(directions: Iterable[str], count: int, seed: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Return made-up translations, direction by direction; another seed is another system."""
    made = []
    for name in directions:
        source, _, target = name.partition("-")
        truth, draw = random.Random(name), random.Random(f"{name}{seed}")
        for number in range(1, count + 1):
            words = truth.choices(WORDS, k=truth.randint(4, 12))
            kept = [word for word in words if draw.random() > 0.2] or words
            record = {"id": f"t:{number}", "src": "s", "tgt": " ".join(words), "src_lang": source, "tgt_lang": target}
            made.append({**record, "mt": " ".join(kept), **more})
    return made
