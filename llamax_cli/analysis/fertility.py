"""Fertility: how many tokens a tokenizer needs for a word (section 3.1, Table 1).

The paper splits words at spaces and takes the mean over sentences. It says that Chinese and Japanese are counted by
characters, which the authors' code never does; so the unit is an option, and `fertility` itself is always by white
space.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from llamax_cli.analysis.texts import texts_of
from llamax_cli.analysis.tokenizers import token_counter
from llamax_cli.augmentation.segmenters import package_splitter
from llamax_cli.augmentation.unspaced_scripts import is_spaced
from llamax_cli.errors import UsageError
from llamax_cli.records import Fertility, Record
from llamax_cli.scoring.tables import Table
from llamax_cli.streams.chunks import Tally, Transform
from llamax_cli.streams.run import Run

SPACE, CHARACTER, WORD = UNITS = ("space", "character", "word")
SEPARATOR = "\t"
# Sums of ratios are kept as whole numbers of this part, so that they are the same in any order and any number of
# workers; its 2.3e-13 is nothing beside the digits that are written.
PART = 1 << 42
DIGITS = 6

CountWords = Callable[[str], int]


@dataclass(frozen=True)
class FertilityRequest:
    """The tokenizers, and what a word is: what stands between `space`, a `character`, or a `word` of a segmenter.

    `segmenters` name the segmenter of each language without spaces; of one that is absent, words cannot be counted.
    """

    tokenizers: Sequence[str]
    unit: str = SPACE
    segmenters: Mapping[str, str] | None = None

    def word_counter(self, lang: str) -> CountWords | None:
        """Return the function that counts the words of a text in a language, if there is one."""
        if self.unit == CHARACTER:
            return lambda text: len("".join(text.split()))
        if self.unit == SPACE or is_spaced(lang):
            return _count_spaced
        name = (self.segmenters or {}).get(lang)
        return partial(_count_segmented, name) if name else None


def _count_spaced(text: str) -> int:
    return len(text.split())


def _count_segmented(name: str, text: str) -> int:
    words, _ = package_splitter(name)(text)
    return sum(any(map(str.isalnum, word)) for word in words)


def count_tokens(request: FertilityRequest) -> Transform:
    """Return the stage that sums, by language and tokenizer, tokens and their ratios to words, characters, bytes."""
    counters = {name: token_counter(name) for name in request.tokenizers}
    word_counters: dict[str, CountWords | None] = {}

    def stage(record: Record, tally: Tally) -> tuple[()]:
        for lang, text in texts_of(record):
            if lang not in word_counters:
                word_counters[lang] = request.word_counter(lang)
            _add(tally, lang, text, counters, word_counters[lang])
        return ()

    return stage


def _add(
    tally: Tally, lang: str, text: str, counters: Mapping[str, Callable[[str], int]], count_words: CountWords | None
) -> None:
    if not (spaced := _count_spaced(text)):
        tally[SEPARATOR.join((lang, "empty"))] += 1
        return
    words = count_words(text) if count_words else 0
    sizes = {"words": words, "characters": len(text), "bytes": len(text.encode())}
    tally[SEPARATOR.join((lang, "n"))] += 1
    for name, size in sizes.items():
        tally[SEPARATOR.join((lang, name))] += size
    if words:
        tally[SEPARATOR.join((lang, "with words"))] += 1
    for tokenizer, count in counters.items():
        tokens = count(text)
        sums = {"tokens": tokens, "fertility": _parts(tokens, spaced)}
        sums |= {f"per {name}": _parts(tokens, size) for name, size in sizes.items() if size}
        for name, value in sums.items():
            tally[SEPARATOR.join((lang, tokenizer, name))] += value


def _parts(numerator: int, denominator: int) -> int:
    return (numerator * PART + denominator // 2) // denominator


def fertilities(request: FertilityRequest, tally: Tally) -> Iterator[Fertility]:
    """Yield a record for each language, in order of appearance, and tokenizer."""
    for lang in dict.fromkeys(key.partition(SEPARATOR)[0] for key in tally):
        if tally[SEPARATOR.join((lang, "n"))]:
            for tokenizer in request.tokenizers:
                yield _fertility(request, tally, lang, tokenizer)


def write_fertilities(run: Run, request: FertilityRequest, table: str | None) -> None:
    """Write a record for each language and tokenizer."""
    if len(set(request.tokenizers)) < len(request.tokenizers):
        raise UsageError("--tokenizer: one tokenizer is named twice")
    run.write(_records(run, request), output=Table(run.settings.output, table) if table else None)


def _records(run: Run, request: FertilityRequest) -> Iterator[Fertility]:
    uncounted: dict[str, None] = {}
    for record in fertilities(request, run.count(partial(count_tokens, request))):
        if "words" not in record:
            uncounted[record["lang"]] = None
        yield record
    if uncounted:
        run.remarks.append(f"no segmenter for {', '.join(uncounted)}, so their words are not counted")


def _fertility(request: FertilityRequest, tally: Tally, lang: str, tokenizer: str) -> Fertility:
    def of_language(name: str) -> int:
        return tally[SEPARATOR.join((lang, name))]

    def of_tokenizer(name: str) -> int:
        return tally[SEPARATOR.join((lang, tokenizer, name))]

    n, tokens = of_language("n"), of_tokenizer("tokens")
    record = Fertility(
        lang=lang,
        tokenizer=tokenizer,
        n=n,
        fertility=_mean(of_tokenizer("fertility"), n),
        unit=request.unit,
        tokens=tokens,
        words=of_language("words"),
        characters=of_language("characters"),
        bytes=of_language("bytes"),
        tokens_per_character=round(tokens / of_language("characters"), DIGITS),
        tokens_per_byte=round(tokens / of_language("bytes"), DIGITS),
        mean_tokens_per_character=_mean(of_tokenizer("per characters"), n),
        mean_tokens_per_byte=_mean(of_tokenizer("per bytes"), n),
    )
    if of_language("words"):
        record["tokens_per_word"] = round(tokens / of_language("words"), DIGITS)
        record["mean_tokens_per_word"] = _mean(of_tokenizer("per words"), of_language("with words"))
    else:
        del record["words"]
    if of_language("empty"):
        record["empty"] = of_language("empty")
    return record


def _mean(parts: int, n: int) -> float:
    return round(parts / (PART * n), DIGITS)
