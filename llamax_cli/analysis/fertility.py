"""Fertility: how many tokens a tokenizer needs for a word (section 3.1, Table 1).

The paper splits words at spaces and takes the mean over sentences. It says that Chinese and Japanese are counted by
characters, which the authors' code never does; so the unit is an option, and `fertility` itself is always by white
space.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import floordiv

from llamax_cli.analysis.texts import text_reader
from llamax_cli.analysis.tokenizers import token_counter
from llamax_cli.augmentation.segmenters import package_splitter
from llamax_cli.augmentation.unspaced_scripts import is_spaced
from llamax_cli.errors import UsageError
from llamax_cli.records import Fertility, Record
from llamax_cli.streams.chunks import Tally
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import Table

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


class TokenCounter:
    """A stage that sums, by language and tokenizer, tokens and their ratios to words, characters and bytes."""

    def __init__(self, request: FertilityRequest) -> None:
        self._request = request
        self._counters = {name: token_counter(name) for name in request.tokenizers}
        self._texts = text_reader()
        self._word_counters: dict[str, CountWords | None] = {}

    def __call__(self, record: Record, tally: Tally) -> list[Record]:
        """Add the texts of a record to the tally."""
        return self.transform_batch([record], tally)

    def transform_batch(self, records: Iterable[Record], tally: Tally) -> list[Record]:
        """Add the texts of records to the tally."""
        texts: dict[str, list[str]] = {}
        latest, append = "", list[str]().append  # of the language of the text before: most records have the same
        for lang, text in chain.from_iterable(map(self._texts, records)):
            if lang != latest:
                latest, append = lang, texts.setdefault(lang, []).append
            append(text)
        for lang, of_language in texts.items():
            self._add(tally, lang, of_language)
        return []

    def _add(self, tally: Tally, lang: str, texts: list[str]) -> None:
        kept, spaced = texts, [len(text.split()) for text in texts]
        if empty := spaced.count(0):
            tally[SEPARATOR.join((lang, "empty"))] += empty
            kept, spaced = [text for text in texts if text.split()], list(filter(None, spaced))
        if not kept:
            return
        sizes = {
            "words": self._count_words(lang, kept, spaced),
            "characters": list(map(len, kept)),
            "bytes": [len(text.encode()) for text in kept],
        }
        sums = {"n": len(kept), "with words": sum(map(bool, sizes["words"]))}
        sums |= {name: sum(of_texts) for name, of_texts in sizes.items()}
        for tokenizer, count in self._counters.items():
            tokens = list(map(count, kept))
            parts = [number * PART for number in tokens]
            sums[SEPARATOR.join((tokenizer, "tokens"))] = sum(tokens)
            sums[SEPARATOR.join((tokenizer, "per fertility"))] = fertility = _ratios(parts, spaced)
            for name, of_texts in sizes.items():
                ratios = fertility if of_texts is spaced else _ratios(parts, of_texts)
                sums[SEPARATOR.join((tokenizer, f"per {name}"))] = ratios
        for name, value in sums.items():
            tally[SEPARATOR.join((lang, name))] += value

    def _count_words(self, lang: str, texts: list[str], spaced: list[int]) -> list[int]:
        if lang not in self._word_counters:
            self._word_counters[lang] = self._request.word_counter(lang)
        counter = self._word_counters[lang]
        if counter is None:
            return [0] * len(texts)
        return spaced if counter is _count_spaced else list(map(counter, texts))


def _ratios(parts: Sequence[int], sizes: Sequence[int]) -> int:
    """Return the sum of the ratios, in whole parts, of texts that have a size."""
    if 0 in sizes:
        return sum(part // size for part, size in zip(parts, sizes, strict=True) if size)
    return sum(map(floordiv, parts, sizes))


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
    for record in fertilities(request, run.count(partial(TokenCounter, request))):
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
        fertility=_mean(of_tokenizer("per fertility"), n),
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
