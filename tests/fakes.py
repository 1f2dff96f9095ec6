"""An engine that needs no model: it writes the source in the words of its target language."""

import time
from collections.abc import Iterator, Sequence
from typing import ClassVar

from llamax_cli.errors import RecordError
from llamax_cli.models.contracts import Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest


class Tagger:
    """`text` from en into de is `text>de`; what ends in `!` is cut, `refuse` is refused, `stop` ends the run."""

    opened: ClassVar[list[tuple[ModelChoice, Decoding]]] = []
    asked: ClassVar[list[TranslationRequest]] = []

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        self.opened.append((choice, decoding))
        self._nbest = decoding.nbest

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield answers, the last request first but for the first one."""
        order = [*range(1), *range(len(requests) - 1, 0, -1)] if requests else []
        for place in order:
            request = requests[place]
            self.asked.append(request)
            if request.src == "stop":
                raise KeyboardInterrupt
            if request.src == "refuse":
                yield place, RecordError("refused")
                continue
            text = f"{request.src}>{request.tgt_lang}"
            tried = [Hypothesis(text + "'" * number, request.src.endswith("!")) for number in range(self._nbest)]
            yield place, tried

    def close(self) -> None:
        """Note nothing."""


class Sleeper(Tagger):
    """The same, a twentieth of a second for each."""

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield answers, slowly."""
        for each in super().translate(requests):
            time.sleep(0.05)
            yield each
