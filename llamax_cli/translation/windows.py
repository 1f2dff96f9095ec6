"""Records in windows through an engine that gets each distinct request once."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from llamax_cli.errors import RecordError
from llamax_cli.models.contracts import Answer, Engine, Hypothesis, TranslationRequest
from llamax_cli.ranks import ranks
from llamax_cli.records import Record

WINDOW = 1024  # records read ahead for each process, from which batches are formed
CACHED = 1 << 16  # answers kept for requests that come again

# The records to write for one record of the input, or why it is rejected.
Result: TypeAlias = Iterable[Record] | RecordError


class Translator:
    """An engine with a cache of its answers; empty sources are answered without it."""

    def __init__(self, engine: Engine, nbest: int = 1) -> None:
        self._engine = engine
        self.nbest = nbest
        self._cache: OrderedDict[TranslationRequest, Answer] = OrderedDict()

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[TranslationRequest, Answer]]:
        """Yield each distinct request with its answer, as answers arrive."""
        new: list[TranslationRequest] = []
        for request in dict.fromkeys(requests):
            if not request.src.strip():
                yield request, [Hypothesis("", False)] * self.nbest
            elif request in self._cache:
                self._cache.move_to_end(request)
                yield request, self._cache[request]
            else:
                new.append(request)
        for index, answer in self._engine.translate(new):
            self._cache[new[index]] = answer
            yield new[index], answer
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()


def windows(records: Iterator[Record], limit: int | None) -> Iterator[list[Record]]:
    """Yield the records in lists of at most WINDOW per process, and of no more than `--limit`."""
    size = WINDOW * ranks() if limit is None else min(WINDOW * ranks(), limit)
    while window := list(islice(records, size)):
        yield window
