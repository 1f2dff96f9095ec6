"""The translations that a record calls for: into its own target language, or into each language of `--into`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from llamax_cli.errors import RecordError
from llamax_cli.records import Record, language, text

# Returns a source for each translation of a record: a record with `src`, `src_lang` and `tgt_lang`.
Expand: TypeAlias = Callable[[Record], list[Record] | RecordError]


@dataclass(frozen=True)
class DefaultLanguages:
    """The languages of records that do not name their own: `--src-lang` and `--into`."""

    src_lang: str | None = None
    into: tuple[str, ...] = ()


def expand(record: Record, defaults: DefaultLanguages) -> list[Record] | RecordError:
    """Return the sources of a text or a pair; languages in the record take precedence over the defaults.

    A text, or a source without a target language, is translated into each of `into` but its own language.
    """
    try:
        source = as_source(record, defaults.src_lang)
        if "tgt_lang" in source:
            language(source, "tgt_lang")
            return [source]
        if not defaults.into:
            return RecordError("no 'tgt_lang' in the record; name it, as in --into fr")
        src_lang = language(source, "src_lang")
        return [{**source, "tgt_lang": code} for code in defaults.into if code != src_lang]
    except RecordError as error:
        return error


def as_source(record: Record, src_lang: str | None = None) -> Record:
    """Return a record with `src` and `src_lang`; a text's `text` and `lang` take these names, values unchanged."""
    if "src" in record:
        source = record
    elif "text" in record:
        names = {"text": "src", "lang": "src_lang"}
        source = _without_target({names.get(key, key): value for key, value in record.items()})
    else:
        raise RecordError(f"neither 'src' nor 'text' in the record (it has {', '.join(record) or 'nothing'})")
    text(source, "src")
    if "src_lang" not in source:
        if src_lang is None:
            raise RecordError("no language in the record; name it, as in --src-lang en")
        return {**source, "src_lang": src_lang}
    language(source, "src_lang")
    return source


def _without_target(record: Record) -> Record:
    """Return a text without the keys of a pair, which would contradict the direction it is given."""
    return {key: value for key, value in record.items() if key not in ("tgt", "tgt_lang")}
