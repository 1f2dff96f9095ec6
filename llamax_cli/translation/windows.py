"""Records in windows through an engine that gets each distinct request once."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Self, TypeAlias

from llamax_cli.errors import RecordError
from llamax_cli.models.contracts import Answer, Engine, Hypothesis, TranslationRequest
from llamax_cli.ranks import ranks
from llamax_cli.records import Record
from llamax_cli.translation.kept_answers import KeptAnswers

WINDOW = 1024  # records read ahead for each process, from which batches are formed
CACHED = 1 << 16  # answers kept for requests that come again

# The records to write for one record of the input, or why it is rejected.
Result: TypeAlias = Iterable[Record] | RecordError
# Begins to show how far a window is, and returns what takes the share of it that is done.
StartWindow: TypeAlias = Callable[[], Callable[[float], None]]


class Translator:
    """An engine with a cache of its answers; empty sources are answered without it.

    It keeps the answers of the last calls in `kept`, of which the run may be killed before it has written them. `show`
    adds examples to a request, or raises RecordError if there are too few; which ones, depends on the request alone.
    """

    def __init__(
        self,
        engine: Engine,
        nbest: int = 1,
        kept: KeptAnswers | None = None,
        show: Callable[[TranslationRequest], TranslationRequest] = lambda request: request,
    ) -> None:
        self._engine = engine
        self._show = show
        self.nbest = nbest
        self._cache: OrderedDict[TranslationRequest, Answer] = OrderedDict()
        # What the last calls have yielded: a pivot takes two for each window.
        self._last: deque[dict[TranslationRequest, Answer]] = deque(maxlen=2)
        self._kept = kept
        self._is_loaded = kept is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()
        if self._kept is not None:
            self._kept.close()

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[TranslationRequest, Answer]]:
        """Yield each distinct request with its answer, as answers arrive."""
        if self._kept is not None and not self._is_loaded:
            self._cache.update(self._kept.load())
            self._is_loaded = True
        if self._kept is not None:
            self._kept.forget_all_but(
                {request: answer for answers in self._last for request, answer in answers.items()}
            )
        new: list[TranslationRequest] = []
        shown: list[TranslationRequest] = []
        yielded: dict[TranslationRequest, Answer] = {}
        self._last.append(yielded)
        for request in dict.fromkeys(requests):
            if not request.src.strip():
                yield request, [Hypothesis("", False)] * self.nbest
            elif request in self._cache:
                self._cache.move_to_end(request)
                yielded[request] = self._cache[request]
                yield request, self._cache[request]
            else:
                try:
                    shown.append(self._show(request))
                except RecordError as error:
                    yield request, error
                else:
                    new.append(request)
        for index, answer in self._engine.translate(shown):
            self._cache[new[index]] = yielded[new[index]] = answer
            if self._kept is not None:
                self._kept.add(new[index], answer)
            yield new[index], answer
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)


def windows(records: Iterator[Record], limit: int | None) -> Iterator[list[Record]]:
    """Yield the records in lists of at most WINDOW per process, and of no more than `--limit`."""
    size = WINDOW * ranks() if limit is None else min(WINDOW * ranks(), limit)
    while window := list(islice(records, size)):
        yield window


def length(requests: Iterable[TranslationRequest]) -> int:
    """Return how long the distinct sources are, which is about how much work they are."""
    return sum(len(request.src) for request in dict.fromkeys(requests))


def reported(
    answers: Iterable[tuple[TranslationRequest, Answer]],
    report: Callable[[float], None],
    total: int,
    first: float = 0.0,
    last: float = 1.0,
) -> Iterator[tuple[TranslationRequest, Answer]]:
    """Yield the answers to sources that are `total` long, and report shares from `first` to `last` as they come."""
    done = 0
    for request, answer in answers:
        done += len(request.src)
        report(first + (last - first) * done / max(1, total))
        yield request, answer
