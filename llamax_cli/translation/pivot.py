"""Translation by way of a third language (paper, Table 8)."""

from collections.abc import Callable, Iterator

from llamax_cli.errors import RecordError
from llamax_cli.models.contracts import Answer, TranslationRequest
from llamax_cli.records import Record, text, value
from llamax_cli.translation.windows import Ask, Count, Result, Translator, request_of, windows, with_mt

UNKNOWN = "passed on, into languages that the detector did not know"
NO_WAY_ROUND = "passed on off target, as they begin or end in the pivot language"


def pivot(
    records: Iterator[Record],
    ask: Ask,
    via: str,
    first: Translator,
    second: Translator,
    cut: Count,
    passed: Callable[[str], None],
    *,
    only_off_target: bool = False,
    limit: int | None = None,
) -> Iterator[Result]:
    """Yield for each record the records made of it, with `mt` and, where it was made from one, the `pivot` text.

    A direction that begins or ends in `via` is translated at once. With `only_off_target` a record whose `on_target` is
    not false passes as it is, and so does one in such a direction, as there is no other way to its target than the one
    that led astray. `passed` is told why, where that is UNKNOWN or NO_WAY_ROUND, and `cut` of what reached the most
    tokens allowed on either way.
    """
    for window in windows(records, limit):
        wanted = [_asked(record, ask, via, only_off_target=only_off_target) for record in window]
        asking = [each for asked in wanted if isinstance(asked, list) for each in asked]
        ways = [request_of(each) for each in asking]
        there = dict(first.translate([_towards(way, via) for way in ways if via not in way[1:]]))
        onward = [_onward(way, via, there) for way in ways]
        back = dict(second.translate([way for way in onward if isinstance(way, TranslationRequest)]))
        made = (_made(*each, via, there, back, cut) for each in zip(asking, ways, onward, strict=True))
        for record, asked in zip(window, wanted, strict=True):
            if isinstance(asked, str):
                passed(asked)
            yield _result(record, asked, made)


def _asked(record: Record, ask: Ask, via: str, *, only_off_target: bool) -> list[Record] | RecordError | str | None:
    """Return what a record asks for; where it is to pass untouched, why it does, and None where it is on target."""
    try:
        if not only_off_target:
            return ask(record)
        if "on_target" not in record:
            return _unknown(record)
        on_target = value(record, "on_target")
        if not (on_target is None or isinstance(on_target, bool)):
            raise RecordError("'on_target' is neither true nor false")
        if on_target is not False:
            return None
        asked = ask(record)
    except RecordError as error:
        return error
    has_no_way_round = isinstance(asked, list) and all(via in request_of(each)[1:] for each in asked)
    return NO_WAY_ROUND if has_no_way_round else asked


def _unknown(record: Record) -> str:
    # Into a language that the detector does not know; a text without a letter gets no `lid` either.
    if "lid" in record or ("mt" in record and not any(map(str.isalpha, text(record, "mt")))):
        return UNKNOWN
    raise RecordError("no 'on_target' in the record; --only off-target comes after `llamax langid`")


def _towards(way: TranslationRequest, via: str) -> TranslationRequest:
    return TranslationRequest(way.src, way.src_lang, via)


def _onward(
    way: TranslationRequest, via: str, there: dict[TranslationRequest, Answer]
) -> TranslationRequest | RecordError:
    """Return what the second translation is of: the pivot text, or the source itself where no pivot is wanted."""
    if via in way[1:]:
        return way
    answer = there[_towards(way, via)]
    return answer if isinstance(answer, RecordError) else TranslationRequest(answer[0].text, via, way.tgt_lang)


def _made(
    record: Record,
    way: TranslationRequest,
    onward: TranslationRequest | RecordError,
    via: str,
    there: dict[TranslationRequest, Answer],
    back: dict[TranslationRequest, Answer],
    cut: Count,
) -> Record | RecordError:
    answer = onward if isinstance(onward, RecordError) else back[onward]
    if isinstance(answer, RecordError):
        return answer
    before = there.get(_towards(way, via)) if onward is not way else None
    is_cut = answer[0].truncated or (isinstance(before, list) and before[0].truncated)
    if is_cut:
        cut(way)
    translated = with_mt(record, answer[0]._replace(truncated=is_cut))
    if onward is not way and isinstance(onward, TranslationRequest):
        translated["pivot"] = onward.src
    return translated


def _result(
    record: Record, asked: list[Record] | RecordError | str | None, made: Iterator[Record | RecordError]
) -> Result:
    if asked is None or isinstance(asked, str):
        return [record]
    if isinstance(asked, RecordError):
        return asked
    result: list[Record] = []
    failed: RecordError | None = None
    for _ in asked:
        each = next(made)
        if isinstance(each, RecordError):
            failed = failed or each
        else:
            result.append(each)
    return failed or result
