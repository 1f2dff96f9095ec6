"""Lines of Hugging Face's translation datasets: `{"translation": {"en": ..., "yo": ...}}`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import msgspec

from llamax_cli.conversion.segments import Corpus, CorpusRequest, Segment, ignore_bad_line
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.records import Record
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare

_decode = msgspec.json.Decoder(dict[str, str | None]).decode


@dataclass(frozen=True)
class TranslationLines:
    """A file of translation lines; every key except `translation` is kept."""

    name: str
    source: Input
    request: CorpusRequest

    @cached_property
    def languages(self) -> Sequence[str]:
        """The languages, in the order of their first occurrence; the whole file is read for them."""
        self.source.spool()
        per_line = records(chunks([self.source]), lambda record: tuple(pop_translation(record)), ignore_bad_line)
        key_sets = dict.fromkeys(keys for _, keys in per_line)
        return list(dict.fromkeys(code for keys in key_sets for code in _known_languages(keys)))

    def stream_records(self, counts: Counter[str]) -> Iterator[Record]:
        """Yield each line in its own direction, or its one language; a line with a null is counted as absent."""
        languages: dict[tuple[str, ...], Record] = {}  # the language keys of a record, by the keys of its translation

        def read(record: Record) -> tuple[dict[str, str | None], Record, Record]:
            translation = pop_translation(record)
            codes = languages.get(keys := tuple(translation))
            if codes is None:
                codes = languages[keys] = self._language_keys(keys)
            return translation, codes, record

        for number, (translation, codes, rest) in records(chunks([self.source]), read, self.request.reject):
            if None in translation.values():
                counts["absent"] += 1
            elif len(translation) == 2:
                src, tgt = translation.values()
                pair = {"id": f"{self.name}:{number}", "src": src, "tgt": tgt, **codes, **rest}
                yield self.request.placed(pair, self.source.name, number)
            else:
                (text,) = translation.values()
                mono = {"id": f"{self.name}:{number}", "text": text, **codes, **rest}
                yield self.request.placed(mono, self.source.name, number)

    def _language_keys(self, keys: tuple[str, ...]) -> Record:
        """Return the language keys of the record of a line: {"src_lang": "en", "tgt_lang": "yo"}."""
        codes = list(by_language(keys))
        if len(codes) > 2:
            raise UsageError(f"{self.name} has {len(codes)} languages ({', '.join(codes)}); choose --pairs or --mono")
        return dict(zip(("src_lang", "tgt_lang") if len(codes) == 2 else ("lang",), codes, strict=True))

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the lines; a text that a line does not have is None."""

        def read(record: Record) -> tuple[list[str | None], Record]:
            translation = pop_translation(record)
            key_of = by_language(tuple(translation))
            return [translation.get(key_of.get(language, "")) for language in languages], record

        for number, (texts, rest) in records(chunks([self.source]), read, self.request.reject):
            yield Segment(number, texts, rest)


def _known_languages(keys: tuple[str, ...]) -> Sequence[str]:
    try:
        return list(by_language(keys))
    except RecordError:
        return []  # such a line is rejected when it is read


def pop_translation(record: Record) -> dict[str, str | None]:
    """Remove `translation` from a record and return it; RecordError where it is not an object of strings."""
    try:
        return _decode(record.pop("translation"))
    except KeyError:
        raise RecordError("no 'translation' in the record") from None
    except msgspec.DecodeError as error:
        raise RecordError(
            f"'translation' is not an object of strings: {str(error).replace('`', '').lower()}"
        ) from error


@cache
def by_language(keys: tuple[str, ...]) -> dict[str, str]:
    """Return the key of each language: `by_language(("en", "yor")) -> {"en": "en", "yo": "yor"}`."""
    if not keys:
        raise RecordError("'translation' is empty")
    key_of = {canonical(key): key for key in keys}
    if len(key_of) < len(keys):
        raise RecordError(f"two of {', '.join(keys)} are the same language")
    return key_of


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file."""
    return [
        TranslationLines(request.corpus_name(path, without=Path(bare(path)).suffix), request.input(path), request)
        for path in request.paths
    ]
