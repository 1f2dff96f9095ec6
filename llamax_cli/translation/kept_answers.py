"""Answers that have arrived but cannot be written yet, kept for `--resume`, also where the run is killed.

Records are written in order, so one that is long, that a server is slow with, or that it fails at, holds back the
answers to those after it. The state of a run is saved every few seconds, but a batch may take longer than that.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias, cast

import msgspec
from xxhash import xxh3_128_hexdigest

from llamax_cli.config import AUTO_BOS
from llamax_cli.documents import decode
from llamax_cli.errors import RecordError
from llamax_cli.models.contracts import Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.streams.outputs import partial_path
from llamax_cli.streams.settings import Settings

Answers: TypeAlias = dict[TranslationRequest, Answer]
LARGE = 8 << 20  # bytes of the file from which on it is written anew without the answers that are written elsewhere


class _Head(msgspec.Struct):
    """The first line of the file: `key` stands for everything but the request that an answer depends on.

    Version 0.1.0 had all answers in it.
    """

    key: str
    answers: list[tuple[TranslationRequest, list[Hypothesis]]] = []


class KeptAnswers:
    """The file `NAME.partial.answers` beside the output of a run; without such an output nothing is kept.

    `dependencies` are the contents that the answers depend on besides the choice and the decoding. `number` tells the
    files of several models of a run apart. Each answer is a line, which is with the system as soon as there is one:
    killing the run then loses none. Only saving time is at stake, so a file that cannot be written is no error.
    """

    def __init__(
        self, settings: Settings, choice: ModelChoice, decoding: Decoding, dependencies: object, number: int = 0
    ) -> None:
        output = settings.output
        is_file = output is not None and (output.is_file() or not output.exists())
        ending = f".answers-{number}" if number else ".answers"
        self._path = Path(f"{partial_path(output)}{ending}") if output is not None and is_file else None
        self._is_resumed = settings.resume
        what: tuple[object, ...] = (choice.engine, choice.model, choice.template, choice.dtype, choice.lora)
        what += (choice.quantize,) if choice.add_bos == AUTO_BOS else (choice.quantize, choice.add_bos)
        what += (("thinking",) if choice.thinking else ()) + ((choice.shot_count,) if choice.shot_count else ())
        self._key = xxh3_128_hexdigest(repr((*what, str(choice.server), decoding, dependencies)).encode())
        self._descriptor = -1
        self._size = 0  # of the file, up to the end of its last whole line

    def load(self) -> Answers:
        """Return the answers that the interrupted run kept; none if there was none, or if it made other answers."""
        answers: Answers = {}
        if self._path is not None and self._is_resumed:
            with suppress(OSError, ValueError):  # what cannot be read is asked for again
                self._read(self._path.read_bytes(), answers)
            if answers and not self._size:
                self._replace(answers)
        return answers

    def _read(self, data: bytes, answers: Answers) -> None:
        """Add the answers in the file, up to a line that is not whole."""
        first, *lines = data.split(b"\n")
        head = decode(first, _Head)
        if head.key != self._key:
            return
        answers.update(head.answers)
        if lines:
            self._size = len(first) + 1
        for line in lines[:-1]:  # what is after the last line end is not whole
            request, answer = decode(line, tuple[TranslationRequest, list[Hypothesis]])
            answers[request] = answer
            self._size += len(line) + 1

    def add(self, request: TranslationRequest, answer: Answer) -> None:
        """Keep an answer, except for an error, which is asked for again."""
        if self._path is None or isinstance(answer, RecordError):
            return
        with suppress(OSError):  # what is there remains
            if self._descriptor < 0:
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o666)
                os.ftruncate(self._descriptor, self._size)
            line = _line(request, answer) if self._size else self._first_line() + _line(request, answer)
            if os.pwrite(self._descriptor, line, self._size) == len(line):
                self._size += len(line)

    def forget_all_but(self, answers: Answers) -> None:
        """Keep these answers alone, where the file has become large."""
        if self._size > LARGE:
            self._replace(answers)

    def _replace(self, answers: Answers) -> None:
        """Write the file anew."""
        kept = [_line(*each) for each in answers.items() if not isinstance(each[1], RecordError)]
        data = self._first_line() + b"".join(kept)
        path = cast("Path", self._path)
        partial = path.with_name(f"{path.name}.partial")
        self.close()
        with suppress(OSError):
            partial.write_bytes(data)
            os.replace(partial, path)
            self._size = len(data)
        with suppress(OSError):
            partial.unlink(missing_ok=True)

    def _first_line(self) -> bytes:
        return msgspec.json.encode(_Head(self._key)) + b"\n"

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _line(request: TranslationRequest, answer: Answer) -> bytes:
    return msgspec.json.encode((request, answer)) + b"\n"
