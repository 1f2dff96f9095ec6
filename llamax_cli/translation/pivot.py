"""What `llamax pivot` runs: translation through a third language (paper, Table 8)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple, TypeAlias

from llamax_cli.errors import RecordError
from llamax_cli.models.contracts import Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.ranks import rank
from llamax_cli.records import Record, boolean, serialise, text
from llamax_cli.streams.run import Run
from llamax_cli.translation import directions, truncation
from llamax_cli.translation.directions import DefaultLanguages, Expand
from llamax_cli.translation.kept_answers import KeptAnswers
from llamax_cli.translation.translate import identity, text_lines
from llamax_cli.translation.translated_records import request_of, with_mt
from llamax_cli.translation.truncation import Count
from llamax_cli.translation.windows import Result, StartWindow, Translator, length, reported, windows
from llamax_cli.translation.worker import run_worker
from llamax_cli.translation.worker_pool import open_engines

# Why records are passed on unchanged: names of counts in a run's tally, and remarks in its summary.
UNKNOWN_LANGUAGE = "passed on, into languages that the detector did not know"
NO_LETTERS = "passed on, without letters"
NO_OTHER_WAY = "passed on off target, as they begin or end in the pivot language"


class PassedOn(NamedTuple):
    """A record is passed on unchanged; `reason` is None if it is on target."""

    reason: str | None


ExpandOrPassOn: TypeAlias = Callable[[Record], list[Record] | RecordError | PassedOn]


def run_pivot(
    run: Run,
    choices: Sequence[ModelChoice],
    decoding: Decoding,
    languages: DefaultLanguages,
    via: str,
    *,
    only_off_target: bool,
    as_text: bool = False,
) -> None:
    """Write every record with a translation through `via`; a second choice translates from there to the target.

    `as_text` writes the translations alone.
    """
    if rank() > 0:
        run_worker(choices, decoding)
        return
    run.add_dependencies(**identity(choices))
    expand_all = partial(directions.expand, defaults=languages)
    expand: ExpandOrPassOn = partial(_expand_off_target, expand=expand_all, via=via) if only_off_target else expand_all
    if as_text:
        expand = partial(_expand_to_text, expand=expand)
    with ExitStack() as stack:
        translators = [
            stack.enter_context(
                Translator(engine, kept=KeptAnswers(run.settings, choice, decoding, identity([choice]), number))
            )
            for number, (choice, engine) in enumerate(zip(choices, open_engines(choices, decoding), strict=True))
        ]
        pivot = Pivot(via, translators[0], translators[-1])
        run.stream(
            lambda stream: pivot_records(
                stream,
                expand,
                pivot,
                partial(truncation.count, run.tally),
                lambda reason: run.tally.update([reason]),
                run.settings.limit,
                run.start_window,
            ),
            text_lines if as_text else serialise,
        )
    run.remarks += truncation.remarks(run.tally)
    counts = {reason: run.tally[reason] for reason in (UNKNOWN_LANGUAGE, NO_LETTERS, NO_OTHER_WAY)}
    run.remarks += [f"{count:,} {reason}" for reason, count in counts.items() if count]


class Pivoted(NamedTuple):
    """A translation, truncated if either step was, and the text in the pivot language, None if there was no need."""

    hypothesis: Hypothesis
    pivot: str | None


class Pivot:
    """Translates into the language `via` by one translator, and from there by another."""

    def __init__(self, via: str, first: Translator, second: Translator) -> None:
        self.via = via
        self._first = first
        self._second = second

    def translate(
        self, requests: Sequence[TranslationRequest], report: Callable[[float], None]
    ) -> list[Pivoted | RecordError]:
        """Return a translation for each request; one from or into the pivot language takes a single step.

        `report` takes the share of the work that is done, as it goes on. Both steps count.
        """
        first_steps = [self._first_step(request) for request in requests if not is_direct(request, self.via)]
        first = length(first_steps)
        middle = first / max(1, first + length(requests))
        pivots = dict(reported(self._first.translate(first_steps), report, first, last=middle))
        last_steps = [self._second_step(request, pivots) for request in requests]
        second = [step for step in last_steps if isinstance(step, TranslationRequest)]
        answers = dict(reported(self._second.translate(second), report, length(second), first=middle))
        return [self._pivoted(*steps, pivots, answers) for steps in zip(requests, last_steps, strict=True)]

    def _first_step(self, request: TranslationRequest) -> TranslationRequest:
        return TranslationRequest(request.src, request.src_lang, self.via)

    def _second_step(
        self, request: TranslationRequest, pivots: dict[TranslationRequest, Answer]
    ) -> TranslationRequest | RecordError:
        if is_direct(request, self.via):
            return request
        answer = pivots[self._first_step(request)]
        if isinstance(answer, RecordError):
            return answer
        return TranslationRequest(answer[0].text, self.via, request.tgt_lang)

    def _pivoted(
        self,
        request: TranslationRequest,
        last_step: TranslationRequest | RecordError,
        pivots: dict[TranslationRequest, Answer],
        answers: dict[TranslationRequest, Answer],
    ) -> Pivoted | RecordError:
        if isinstance(last_step, RecordError):
            return last_step
        answer = answers[last_step]
        if isinstance(answer, RecordError) or is_direct(request, self.via):
            return answer if isinstance(answer, RecordError) else Pivoted(answer[0], None)
        pivot = pivots[self._first_step(request)]
        was_truncated = isinstance(pivot, list) and pivot[0].truncated
        return Pivoted(answer[0]._replace(truncated=answer[0].truncated or was_truncated), last_step.src)


def is_direct(request: TranslationRequest, via: str) -> bool:
    """Return whether a request begins or ends in the pivot language."""
    return via in (request.src_lang, request.tgt_lang)


def pivot_records(
    records: Iterator[Record],
    expand: ExpandOrPassOn,
    pivot: Pivot,
    count: Count,
    count_passed: Callable[[str], None],
    limit: int | None = None,
    start_window: StartWindow = lambda: lambda share: None,
) -> Iterator[Result]:
    """Yield for each record its translations, with `mt` and, if it took two steps, the text in between as `pivot`."""
    for window in windows(records, limit):
        expansions = [expand(record) for record in window]
        sources = [source for expansion in expansions if isinstance(expansion, list) for source in expansion]
        pivoted = iter(pivot.translate([request_of(source) for source in sources], start_window()))
        for record, expansion in zip(window, expansions, strict=True):
            if isinstance(expansion, PassedOn):
                if expansion.reason:
                    count_passed(expansion.reason)
                yield [record]
            elif isinstance(expansion, RecordError):
                yield expansion
            else:
                yield _result(expansion, pivoted, count)


def _result(sources: list[Record], pivoted: Iterator[Pivoted | RecordError], count: Count) -> Result:
    """Return the sources of one record with `mt`, or the first reason to reject it; takes one of `pivoted` for each."""
    translated: list[Record] = []
    error: RecordError | None = None
    for source in sources:
        outcome = next(pivoted)
        if isinstance(outcome, RecordError):
            error = error or outcome
            continue
        count(request_of(source), [outcome.hypothesis])
        result = with_mt(source, outcome.hypothesis)
        translated.append(result if outcome.pivot is None else {**result, "pivot": outcome.pivot})
    return error or translated


def _expand_off_target(record: Record, expand: Expand, via: str) -> list[Record] | RecordError | PassedOn:
    """Return the sources of a record that is off target; any other is passed on.

    So is one from or into the pivot language: the only way to its target is the one that led off target.
    """
    try:
        if "on_target" not in record:
            return _passed_without_verdict(record)
        if boolean(record, "on_target"):
            return PassedOn(None)
        sources = expand(record)
    except RecordError as error:
        return error
    if isinstance(sources, list) and all(is_direct(request_of(source), via) for source in sources):
        return PassedOn(NO_OTHER_WAY)
    return sources


def _expand_to_text(record: Record, expand: ExpandOrPassOn) -> list[Record] | RecordError | PassedOn:
    """Return what `expand` does; a record that is passed on has to have a translation, which is its line."""
    expanded = expand(record)
    try:
        if isinstance(expanded, PassedOn):
            text(record, "mt")
    except RecordError as error:
        return error
    return expanded


def _passed_without_verdict(record: Record) -> PassedOn:
    # langid gives no verdict for a language that the detector does not know, and no `lid` for a text without letters.
    if "mt" in record and not any(map(str.isalpha, text(record, "mt"))):
        return PassedOn(NO_LETTERS)
    if "lid" in record:
        return PassedOn(UNKNOWN_LANGUAGE)
    raise RecordError("no 'on_target' in the record; --only off-target comes after `llamax langid`")
