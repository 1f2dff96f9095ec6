"""Translation by a program that reads a line and writes its translation, such as Apertium's.

`--model` is its command line, in which `{src}` and `{tgt}` stand for the languages by our codes, `{src3}` and `{tgt3}`
for those of ISO 639-3. One program runs for each direction and is kept for the next lines (`streams/line_programs.py`).
"""

import re
import shlex
import time
from collections.abc import Iterator, Sequence
from typing import Any

from llamax_cli.errors import RecordError, UsageError
from llamax_cli.languages import iso639_3
from llamax_cli.models.batching import Pace
from llamax_cli.models.contracts import Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.streams.line_programs import LinePrograms, check_program, split_command

BATCH = 256  # lines that a program is sent, at most, before their answers are counted
FIRST = 32  # lines of its first batch
PLACEHOLDER = re.compile(r"\{(src|tgt)(3?)\}")


class CommandEngine:
    """A program for each direction."""

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        if decoding.nbest > 1:
            raise UsageError("--engine command has one translation of each text; leave --nbest out")
        self._command = split_command("--model", choice.model, "'apertium {src3}-{tgt3}'")
        if not PLACEHOLDER.search(self._command[0]):
            check_program("--model", choice.model, self._command[0])
        self._programs = LinePrograms(choice.timeout)
        self._pace = Pace(BATCH, FIRST)

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (index, translation) direction by direction; ModelError once the program fails at every line."""
        directions: dict[tuple[str, ...], list[int]] = {}
        for index, request in enumerate(requests):
            directions.setdefault(self._command_line(request), []).append(index)
        for command, indices in directions.items():
            start = 0
            while start < len(indices):
                size = len(indices) if self._programs.writes_at_end else self._pace.size
                batch = indices[start : start + size]
                began = time.monotonic()
                answers = self._programs.answers(command, [requests[index].src for index in batch])
                yield from zip(batch, map(_answer, answers), strict=True)
                self._pace.note(len(batch), time.monotonic() - began)
                start += size

    def describe(self, request: TranslationRequest) -> dict[str, Any]:
        """Return the command line of the program for a request, and the line that it gets."""
        return {"command": shlex.join(self._command_line(request)), "prompt": request.src.replace("\n", " ")}

    def _command_line(self, request: TranslationRequest) -> tuple[str, ...]:
        codes = {"src": request.src_lang, "tgt": request.tgt_lang}

        def code(found: re.Match[str]) -> str:
            return iso639_3(codes[found[1]]) if found[2] else codes[found[1]]

        return tuple(PLACEHOLDER.sub(code, word) for word in self._command)

    def close(self) -> None:
        """End all programs."""
        self._programs.close()


def _answer(line: bytes | RecordError) -> Answer:
    if isinstance(line, RecordError):
        return line
    try:
        return [Hypothesis(line.decode().strip(), False)]
    except UnicodeDecodeError:
        return RecordError("the answer of the program is not UTF-8")
