"""Records through an engine: what each asks for, in windows, out again in their order as soon as they are ready."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from llamax_cli.errors import RecordError
from llamax_cli.models.contracts import Answer, Engine, Hypothesis, TranslationRequest
from llamax_cli.ranks import ranks
from llamax_cli.records import Record, language, text

WINDOW = 1024  # records taken ahead for each process, from which batches are made
MEMORY = 1 << 16  # translations remembered, for sources that come again
# What other commands derive from `mt`; it goes where `mt` changes.
DERIVED = {"truncated", "candidate", "pivot", "lid", "lid_score", "on_target"}
SCORES = {"spbleu", "chrf++", "bleu", "ter", "comet"}

Result: TypeAlias = Iterable[Record] | RecordError
Count: TypeAlias = Callable[[TranslationRequest], None]
Ask: TypeAlias = Callable[[Record], list[Record] | RecordError]


class Translator:
    """An engine that is asked once for what comes repeatedly, and not at all for nothing."""

    def __init__(self, engine: Engine, nbest: int = 1) -> None:
        self._engine = engine
        self.nbest = nbest
        self._known: OrderedDict[TranslationRequest, Answer] = OrderedDict()

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[TranslationRequest, Answer]]:
        """Yield each distinct request with its answer, as answers come."""
        new: list[TranslationRequest] = []
        for request in dict.fromkeys(requests):
            if not request.src.strip():
                yield request, [Hypothesis("", False)] * self.nbest
            elif request in self._known:
                self._known.move_to_end(request)
                yield request, self._known[request]
            else:
                new.append(request)
        for place, answer in self._engine.translate(new):
            self._known[new[place]] = answer
            yield new[place], answer
        while len(self._known) > MEMORY:
            self._known.popitem(last=False)

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.close()


def windows(records: Iterator[Record], limit: int | None) -> Iterator[list[Record]]:
    """Yield the records in lists, no longer than what `--limit` wants."""
    size = WINDOW * ranks() if limit is None else min(WINDOW * ranks(), limit)
    while window := list(islice(records, size)):
        yield window


def translate(
    records: Iterator[Record], ask: Ask, translator: Translator, cut: Count, limit: int | None = None
) -> Iterator[Result]:
    """Yield for each record the records made of it, with `mt`; `ask` says which translations it wants.

    `ask` gives a record with `src`, `src_lang` and `tgt_lang` for each translation. `cut` is told, just
    before the result, of what reached the most tokens allowed.
    """
    numbered = translator.nbest > 1
    for window in windows(records, limit):
        asked = [ask(record) for record in window]
        requests = [request_of(each) for wanted in asked if not isinstance(wanted, RecordError) for each in wanted]
        answers: dict[TranslationRequest, Answer] = {}
        waiting = iter(asked)
        wanted = next(waiting, None)
        for request, answer in translator.translate(requests):
            answers[request] = answer
            while wanted is not None and is_answered(wanted, answers):
                yield answered(wanted, answers, cut, numbered=numbered)
                wanted = next(waiting, None)
        while wanted is not None:
            yield answered(wanted, answers, cut, numbered=numbered)
            wanted = next(waiting, None)


def is_answered(wanted: list[Record] | RecordError, answers: dict[TranslationRequest, Answer]) -> bool:
    """Return whether all that a record asked for is there."""
    return isinstance(wanted, RecordError) or all(request_of(each) in answers for each in wanted)


def answered(
    wanted: list[Record] | RecordError, answers: dict[TranslationRequest, Answer], cut: Count, *, numbered: bool
) -> Result:
    """Return the records of one, with `mt`, or why there are none."""
    if isinstance(wanted, RecordError):
        return wanted
    made: list[Record] = []
    too_long: list[TranslationRequest] = []
    for record in wanted:
        request = request_of(record)
        answer = answers[request]
        if isinstance(answer, RecordError):
            return answer
        made += [with_mt(record, each, number if numbered else None) for number, each in enumerate(answer, 1)]
        if any(each.truncated for each in answer):
            too_long.append(request)
    for request in too_long:
        cut(request)
    return made


def with_mt(record: Record, hypothesis: Hypothesis, number: int | None = None) -> Record:
    """Return the record with another `mt`, and without what was derived from the one before.

    `number` is the place among several candidates for the same source, the best being 1.
    """
    kept = {key: value for key, value in record.items() if key not in DERIVED and key not in SCORES}
    kept["mt"] = hypothesis.text
    if number is not None:
        kept["candidate"] = number
    if hypothesis.truncated:
        kept["truncated"] = True
    return kept


def request_of(record: Record) -> TranslationRequest:
    """Return what a record with `src`, `src_lang` and `tgt_lang` asks for."""
    return TranslationRequest(text(record, "src"), language(record, "src_lang"), language(record, "tgt_lang"))
