"""Rows of named columns, from Parquet or from `datasets`: which columns hold the texts, and in which languages.

These shapes are known, in this order:

    what the user says      {"en": "english", "zh": "translation.zh-Hans"}
    one column of texts     translation = {"en": "...", "de": "..."}                    wmt16, opus-100
    a column a language     sentence_eng_Latn, sentence_deu_Latn; or en, de             FLORES, NTREX
    text                    or `sentence`, or the only column of text: one language, which has to be declared

The other columns whose values are text, numbers or truths go into `extra`, under their own names or, where a record has
that key for itself, as `row_id`, `row_text`, ...; nulls, lists and the rest do not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from llamax_cli.conversion.segments import NOTHING, CorpusRequest, Segment, language_in
from llamax_cli.errors import DataError, LanguageError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.registry import suggestion

PREFIX = "sentence_"
TEXT = ("text", "sentence")  # what a single column of text is called
KEYS = {"id", "src", "tgt", "src_lang", "tgt_lang", "text", "lang", "origin"}  # a record's own


class Column(NamedTuple):
    """A column, or one field of a column of several."""

    column: str
    key: str | None = None

    def __str__(self) -> str:
        return self.column if self.key is None else f"{self.column}.{self.key}"


Read: TypeAlias = Callable[[Sequence[Column]], Iterable[Any]]


class Rows:
    """A table as a corpus: `read(places)` yields it anew, as Arrow tables or batches that have these places."""

    def __init__(self, name: str, where: str, request: CorpusRequest, schema: Any, read: Read) -> None:
        self.name = name
        self._places = _places(schema, request, where)
        taken = {place.column for place in self._places.values()}
        self._others = [Column(field.name) for field in schema if _is_plain(field.type) and field.name not in taken]
        self._read = read

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes in the order of the columns, or in which the user says them."""
        return list(self._places)

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every row."""
        texts = [self._places[language] for language in languages]
        number = 0
        for table in self._read([*texts, *self._others]):
            columns = zip(*(_values(table, place) for place in texts), strict=True)
            for row, extra in zip(columns, self._extras(table), strict=True):
                number += 1
                yield Segment(number, row, extra)

    def _extras(self, table: Any) -> Iterable[Mapping[str, Any]]:
        """Return what the other columns say of each row; a null says nothing."""
        if not self._others:
            return [NOTHING] * table.num_rows
        names = [f"row_{column}" if column in KEYS else column for column, _ in self._others]
        rows = zip(*(_values(table, place) for place in self._others), strict=True)
        return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]


def _values(table: Any, place: Column) -> list[Any]:
    """Return the values at a place as Python has them: `["One", None, "Three"]`."""
    column = table.column(place.column)
    if place.key is not None:
        column = import_module("pyarrow.compute").struct_field(column, place.key)
    found: list[Any] = column.to_pylist()
    return found


def _places(schema: Any, request: CorpusRequest, where: str) -> Mapping[str, Column]:
    """Return where the text of each language is; UsageError where that cannot be told, or not by the schema alone."""
    places = _text_places(schema)
    if request.columns:
        return {language: _declared(places, name, where) for language, name in request.columns.items()}
    found = _translations(places, where) or _by_name(places, request, where) or _single(places, request, where)
    if found:
        return found
    columns = ", ".join(map(str, places)) or ", ".join(schema.names)
    raise UsageError(f"{where}: which columns hold the texts? They are {columns}; say --columns LANGUAGE=COLUMN,...")


def _text_places(schema: Any) -> list[Column]:
    """Return every place that holds text."""
    types = import_module("pyarrow.types")
    found: list[Column] = []
    for field in schema:
        if types.is_struct(field.type):
            found.extend(Column(field.name, inner.name) for inner in field.type if _is_text(inner.type))
        elif _is_text(field.type):
            found.append(Column(field.name))
    return found


def _is_text(kind: Any) -> bool:
    types = import_module("pyarrow.types")
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_plain(kind: Any) -> bool:
    """Return whether values of an Arrow type are text, numbers or truths, as JSON has them."""
    types = import_module("pyarrow.types")
    return bool(_is_text(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def _declared(places: Sequence[Column], name: str, where: str) -> Column:
    names = {str(place): place for place in places}
    if name not in names:
        raise UsageError(f"{where}: no column of text is called {name!r}; {suggestion(name, names)}")
    return names[name]


def _translations(places: Sequence[Column], where: str) -> Mapping[str, Column]:
    """Return the fields of `translation` by language: {"en": Place("translation", "en"), ...}."""
    found: dict[str, Column] = {}
    for place in places:
        if place.column == "translation" and place.key is not None:
            try:
                _add(found, canonical(place.key), place, where)
            except LanguageError as error:
                raise DataError(f"{where}: {place}: {error}; say which columns: --columns LANGUAGE={place}") from error
    return found


def _by_name(places: Sequence[Column], request: CorpusRequest, where: str) -> Mapping[str, Column]:
    """Return the columns that are named by a language, those that say `sentence_` before any other."""
    found: dict[str, Column] = {}
    columns = [place for place in places if place.key is None]
    for place in columns:
        if place.column.startswith(PREFIX):
            with suppress(LanguageError):
                _add(found, canonical(place.column.removeprefix(PREFIX)), place, where)
    for place in () if found else columns:
        language = language_in(place.column)
        if language is not None:
            _add(found, language, place, where)
    return _without_identifiers(found, request, where)


def _without_identifiers(found: dict[str, Column], request: CorpusRequest, where: str) -> Mapping[str, Column]:
    """Return the columns less one that is called `id` and not Indonesian; UsageError where nobody can tell."""
    if found.get("id") != Column("id") or "id" in request.languages:
        return found
    others = {language: place for language, place in found.items() if language != "id"}
    if not others or request.languages:
        return others
    said = ",".join(f"{language}={place}" for language, place in others.items())
    raise UsageError(f"{where}: is the column 'id' Indonesian or an identifier? Say --columns {said} (or with id=id)")


def _add(found: dict[str, Column], language: str, place: Column, where: str) -> None:
    if language in found:
        raise UsageError(
            f"{where}: {found[language]} and {place} are both in {language}; choose: --columns {language}={place}"
        )
    found[language] = place


def _single(places: Sequence[Column], request: CorpusRequest, where: str) -> Mapping[str, Column]:
    """Return the one column of text, in the language that was declared or that the name of the configuration is."""
    columns = [place for place in places if place.column in TEXT] or places
    if len(columns) != 1:
        return {}
    if len(request.languages) == 1:
        return {request.languages[0]: columns[0]}
    with suppress(LanguageError):  # FLORES has configurations that are called eng_Latn
        return {canonical(request.config or ""): columns[0]}
    raise UsageError(f"{where}: in which language is the column {str(columns[0])!r}? Say one: --langs CODE")
