"""Engines that need no model, instead of --engine hf: in a test's own process (the fixture `tagger`) or in another one.

python tests/support/fakes.py Sleeper translate FILE --model m -o OUT
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from llamax_cli.__main__ import main
from llamax_cli.errors import RecordError
from llamax_cli.models.contracts import Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.translation import windows
from llamax_cli.translation.engines import registry
from llamax_cli.translation.engines.registry import EngineSpec


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


class Batches(Tagger):
    """The same in batches of four, the last first, a tenth of a second for each; the file `asked` gets what they held.

    So all answers wait for those to the first requests.
    """

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield answers, a batch at once."""
        places = list(range(len(requests)))
        for start in range(0, len(places), 4)[::-1]:
            batch = places[start : start + 4]
            time.sleep(0.1)
            with open("asked", "a") as file:
                file.writelines(f"{requests[place].src} {requests[place].tgt_lang}\n" for place in batch)
            for place in batch:
                yield place, [Hypothesis(f"{requests[place].src}>{requests[place].tgt_lang}", False)]


def command(engine: type[Tagger], *arguments: object) -> list[str]:
    """Return the command line of `llamax ARGUMENTS` with an engine; `WINDOW` in its environment sets this."""
    return [sys.executable, __file__, engine.__name__, *map(str, arguments)]


if __name__ == "__main__":
    registry.ENGINES["hf"] = EngineSpec(f"__main__:{sys.argv.pop(1)}", shareable=True)
    windows.WINDOW = int(os.environ.get("WINDOW", windows.WINDOW))
    main()


def watch_bar(monkeypatch: Any) -> list[tuple[str, float]]:
    """Return a list to which every run adds (note, share done) of what its progress bar would show."""
    shown: list[tuple[str, float]] = []

    class Bar:
        """Keeps what would be shown."""

        def __init__(self, *_: object, **__: object) -> None: ...

        def update(self, records: int, read: Callable[[], Any], note: Callable[[], str] | None = None) -> None:
            done, total = read()
            shown.append((note() if note else f"{records} records", done / total))

        def set_note(self, note: str) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr("llamax_cli.streams.run.Progress", Bar)
    return shown
