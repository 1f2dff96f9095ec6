"""Corpora in tests: files of text, requests to read them, and sentences of FLORES-101."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llamax_cli.conversion.segments import Corpus, CorpusRequest
from llamax_cli.errors import DataError
from llamax_cli.languages import languages
from llamax_cli.streams.inputs import Input

Rejected = list[tuple[str, int, str, bytes]]


def written(path: Path, *lines: str, end: str = "\n") -> Path:
    """Write a text file and return its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def strict(file: str, line: int, reason: str, raw: bytes) -> None:
    """Stop at a bad line, as a run without --rejects does."""
    raise DataError(f"{file}:{line}: {reason}")


def request_of(*paths: Path | str, bad: Rejected | None = None, **more: Any) -> CorpusRequest:
    """Return a request that is strict, or that collects rejected lines in `bad`, each with the name of its file."""

    def collect(file: str, line: int, reason: str, raw: bytes) -> None:
        assert bad is not None
        bad.append((Path(file).name, line, reason, raw))

    reject = strict if bad is None else collect
    return CorpusRequest(**{"paths": [str(path) for path in paths], "input": Input, "reject": reject, **more})


def texts(corpus: Corpus, *languages: str) -> list[tuple[str | None, ...]]:
    """Return the texts of every segment."""
    return [tuple(segment.texts) for segment in corpus.segments(languages)]


def flores(data: Path, code: str, count: int | None = None) -> list[str]:
    """Return lines of FLORES-101 devtest in a language, all 1,012 or the first ones."""
    path = data / "flores101" / "devtest" / f"{languages()[code].flores101}.devtest"
    return path.read_text(encoding="utf-8").split("\n")[:-1][:count]


def clipped(texts: Sequence[str], words: int = 12) -> list[str]:
    """Return the first words of texts: TER of sacreBLEU takes seconds for a long sentence that is much changed."""
    return [" ".join(text.split(" ")[:words]) for text in texts]


def edited(texts: Sequence[str]) -> list[str]:
    """Return texts with some words exchanged, cut short, made up or doubled."""
    found = []
    for number, text in enumerate(texts):
        words = text.split(" ")
        if number % 3 == 0:
            words = words[: len(words) // 2 + 1] * 2
        words[number % len(words)], words[-1] = words[-1], words[number % len(words)]
        words[0] = words[0][::-1]
        found.append(" ".join(words) if number % 11 else "")
    return found
