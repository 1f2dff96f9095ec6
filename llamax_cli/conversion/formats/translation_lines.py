"""Lines as Hugging Face's translation data sets have them: `{"translation": {"en": ..., "yo": ...}}`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import msgspec

from llamax_cli.conversion.segments import Corpus, CorpusRequest, Segment, ignore
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.records import Record
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare

_translation = msgspec.json.Decoder(dict[str, str | None]).decode


@dataclass(frozen=True)
class TranslationLines:
    """One file of translation lines; every key but `translation` is kept."""

    name: str
    source: Input
    request: CorpusRequest

    @cached_property
    def languages(self) -> Sequence[str]:
        """The languages, in the order in which they appear; for this the whole file is read."""
        self.source.spool()
        keys = dict.fromkeys(
            keys for _, keys in records(chunks([self.source]), lambda r: tuple(translation(r)), ignore)
        )
        return list(dict.fromkeys(code for each in keys for code in _known(each)))

    def as_they_are(self, counts: Counter[str]) -> Iterator[Record]:
        """Yield each line in its own direction, or its one language; a text that is null is counted as absent."""
        shapes: dict[tuple[str, ...], Record] = {}  # what the keys of a line say of its record

        def read(record: Record) -> tuple[dict[str, str | None], Record, Record]:
            found = translation(record)
            shape = shapes.get(keys := tuple(found))
            if shape is None:
                shape = shapes[keys] = self._shape(keys)
            return found, shape, record

        for number, (found, shape, rest) in records(chunks([self.source]), read, self.request.reject):
            if None in found.values():
                counts["absent"] += 1
            elif len(found) == 2:
                src, tgt = found.values()
                yield {"id": f"{self.name}:{number}", "src": src, "tgt": tgt, **shape, **rest}
            else:
                (text,) = found.values()
                yield {"id": f"{self.name}:{number}", "text": text, **shape, **rest}

    def _shape(self, keys: tuple[str, ...]) -> Record:
        codes = list(by_language(keys))
        if len(codes) > 2:
            raise UsageError(f"{self.name} has {len(codes)} languages ({', '.join(codes)}); choose --pairs or --mono")
        return dict(zip(("src_lang", "tgt_lang") if len(codes) == 2 else ("lang",), codes, strict=True))

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the lines; a language that a line lacks is None."""

        def read(record: Record) -> tuple[list[str | None], Record]:
            found = translation(record)
            names = by_language(tuple(found))
            return [found.get(names.get(language, "")) for language in languages], record

        for number, (texts, rest) in records(chunks([self.source]), read, self.request.reject):
            yield Segment(number, texts, rest)


def _known(keys: tuple[str, ...]) -> Sequence[str]:
    try:
        return list(by_language(keys))
    except RecordError:
        return []  # such lines are bad, and rejected where they are read


def translation(record: Record) -> dict[str, str | None]:
    """Take what is under `translation` out of a record; RecordError where it is no object of strings."""
    try:
        return _translation(record.pop("translation"))
    except KeyError:
        raise RecordError("no 'translation' in the record") from None
    except msgspec.DecodeError as error:
        raise RecordError(f"'translation' is no object of strings: {str(error).replace('`', '').lower()}") from error


@cache
def by_language(keys: tuple[str, ...]) -> dict[str, str]:
    """Return which key holds which language: `by_language(("en", "yor")) -> {"en": "en", "yo": "yor"}`."""
    if not keys:
        raise RecordError("'translation' is empty")
    names = {canonical(key): key for key in keys}
    if len(names) < len(keys):
        raise RecordError(f"two of {', '.join(keys)} are one language")
    return names


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return one corpus for each file."""
    return [
        TranslationLines(request.corpus_name(path, without=Path(bare(path)).suffix), request.input(path), request)
        for path in request.paths
    ]
