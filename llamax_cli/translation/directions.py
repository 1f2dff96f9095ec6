"""What a record asks for: its own direction, or every language of `--into`."""

from collections.abc import Iterable, Sequence

from llamax_cli.errors import RecordError, UsageError
from llamax_cli.records import Record, language, text
from llamax_cli.translation.windows import Ask


def by_languages(src_lang: Sequence[str], into: Sequence[str]) -> Ask:
    """Return how a text or a pair becomes what is to be translated; a record's own languages go before the flags'.

    A text, and a source without a target language, is translated into each of `into` but its own language.
    """
    if len(src_lang) > 1:
        raise UsageError("--src-lang names one language")
    given = src_lang[0] if src_lang else None

    def ask(record: Record) -> list[Record] | RecordError:
        try:
            source = as_source(record, given)
            if "tgt_lang" in source:
                language(source, "tgt_lang")
                return [source]
            if not into:
                return RecordError("no 'tgt_lang' in the record; say --into LANG,...")
            own = language(source, "src_lang")
            return [{**source, "tgt_lang": code} for code in into if code != own]
        except RecordError as error:
            return error

    return ask


def as_source(record: Record, src_lang: str | None = None) -> Record:
    """Return a record with `src` and `src_lang`; those of a text are its `text` and `lang`, values as they stand."""
    if "src" in record:
        named = record
    elif "text" in record:
        names = {"text": "src", "lang": "src_lang"}
        named = _with_direction({names.get(key, key): value for key, value in record.items()})
    else:
        raise RecordError(f"neither 'src' nor 'text' in the record (it has {', '.join(record) or 'nothing'})")
    text(named, "src")
    if "src_lang" not in named:
        if src_lang is None:
            raise RecordError("no language in the record; say --src-lang LANG")
        return {**named, "src_lang": src_lang}
    language(named, "src_lang")
    return named


def _with_direction(record: Record) -> Record:
    """Return a text without what only a pair has, so that nothing contradicts the direction it is given."""
    return {key: value for key, value in record.items() if key not in ("tgt", "tgt_lang")}


def summary(cut: dict[str, int], shown: int = 3) -> Iterable[str]:
    """Yield what the summary says of translations that were cut: `"5 cut (en-or 4, en-lo 1)"`."""
    found = sorted(((count, name) for name, count in cut.items()), key=lambda each: (-each[0], each[1]))
    if found:
        named = ", ".join(f"{name} {count:,}" for count, name in found[:shown])
        more = f", {len(found) - shown:,} more" if len(found) > shown else ""
        yield f"{sum(count for count, _ in found):,} cut at the most new tokens ({named}{more})"
