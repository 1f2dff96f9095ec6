"""Answers that had arrived but could not be written yet when a run ended, kept for `--resume`.

Records are written in order, so one that a server is slow with, or fails at, holds back the answers to those after it.
"""

from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import msgspec
from xxhash import xxh3_128_hexdigest

from llamax_cli.config import AUTO_BOS
from llamax_cli.errors import FileError, RecordError
from llamax_cli.models.contracts import Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.streams.atomic import atomic_file
from llamax_cli.streams.outputs import partial_path
from llamax_cli.streams.settings import Settings

Answers: TypeAlias = dict[TranslationRequest, Answer]


class _Saved(msgspec.Struct):
    """What the file holds: `key` stands for everything but the request that an answer depends on."""

    key: str
    answers: list[tuple[TranslationRequest, list[Hypothesis]]]


class KeptAnswers:
    """The file `NAME.partial.answers` beside the output of a run; without such an output nothing is kept.

    `dependencies` are the contents that the answers depend on besides the choice and the decoding. `number` tells the
    files of several models of a run apart.
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

    def load(self) -> Answers:
        """Return the answers that the interrupted run kept; none if there was none, or if it made other answers."""
        if self._path is None or not self._is_resumed:
            return {}
        try:
            saved = msgspec.json.decode(self._path.read_bytes(), type=_Saved)
        except (OSError, msgspec.DecodeError):
            return {}  # they are asked for again
        return dict(saved.answers) if saved.key == self._key else {}

    def save(self, answers: Answers) -> None:
        """Keep answers, except for errors, which are asked for again."""
        kept = [(request, answer) for request, answer in answers.items() if not isinstance(answer, RecordError)]
        if self._path is None or not kept:
            return
        # The run has ended already, and what ended it is what matters.
        with suppress(FileError), atomic_file(self._path) as file:
            file.write(msgspec.json.encode(_Saved(self._key, kept)))

    def remove(self) -> None:
        """Remove the file, which a complete output does not need."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
