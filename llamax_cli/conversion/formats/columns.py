"""Tables with named columns, from Parquet or `datasets`: which columns have the texts, and in which languages.

These layouts are recognised, in this order:

    declared by the user    {"en": "english", "zh": "translation.zh-Hans"}
    one column of texts     translation = {"en": "...", "de": "..."}                    wmt16, opus-100
    a column per language   sentence_eng_Latn, sentence_deu_Latn; or en, de             FLORES, NTREX
    text                    or `sentence`, or the only column of text: one language, which has to be declared

Other columns of text, numbers or booleans become `extra` keys, under their own names or, where these are keys of a
record, as `row_id`, `row_text`, ...; nulls, lists and other types are left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from llamax_cli.conversion.segments import NO_EXTRA, CorpusRequest, Segment, find_column
from llamax_cli.errors import DataError, LanguageError, UsageError
from llamax_cli.language_clues import language_in
from llamax_cli.languages import canonical, known
from llamax_cli.registry import suggestion

PREFIX = "sentence_"
TEXT_NAMES = ("text", "sentence")  # of a single column of text
RECORD_KEYS = {"id", "src", "tgt", "src_lang", "tgt_lang", "text", "lang", "origin"}


class Column(NamedTuple):
    """A column, or one field of a column that is a struct."""

    name: str
    field: str | None = None

    def __str__(self) -> str:
        return self.name if self.field is None else f"{self.name}.{self.field}"


ReadColumns: TypeAlias = Callable[[Sequence[Column]], Iterable[Any]]


def validated(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield Arrow batches; ArrowInvalid for one that is broken, such as by text that is not UTF-8."""
    for batch in batches:
        batch.validate(full=True)
        yield batch


class TableCorpus:
    """A table as a corpus: each call of `read(columns)` yields the table as Arrow batches with these columns."""

    def __init__(self, name: str, where: str, request: CorpusRequest, schema: Any, read: ReadColumns) -> None:
        self.name = name
        self._texts = _text_columns(schema, request, where)
        text_names = {column.name for column in self._texts.values()}
        self._others = [Column(field.name) for field in schema if is_plain(field.type) and field.name not in text_names]
        self._read = read

    @property
    def languages(self) -> Sequence[str]:
        """Canonical codes, in the order of the columns or of the user's declaration."""
        return list(self._texts)

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every row."""
        texts = [self._texts[language] for language in languages]
        number = 0
        for table in self._read([*texts, *self._others]):
            rows = zip(*(_values(table, column) for column in texts), strict=True)
            for row, extra in zip(rows, self._extras(table), strict=True):
                number += 1
                yield Segment(number, row, extra)

    def _extras(self, table: Any) -> Iterable[Mapping[str, Any]]:
        """Return the values of the other columns for each row, without nulls."""
        if not self._others:
            return [NO_EXTRA] * table.num_rows
        names = [f"row_{column.name}" if column.name in RECORD_KEYS else column.name for column in self._others]
        rows = zip(*(_values(table, column) for column in self._others), strict=True)
        return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]


def _values(table: Any, column: Column) -> list[Any]:
    """Return the values of a column as Python objects: `["One", None, "Three"]`."""
    array = table.column(column.name)
    if column.field is not None:
        array = import_module("pyarrow.compute").struct_field(array, column.field)
    values: list[Any] = array.to_pylist()
    return values


def _text_columns(schema: Any, request: CorpusRequest, where: str) -> Mapping[str, Column]:
    """Return the column of each language; UsageError where the schema does not tell it."""
    columns = _columns_of_text(schema)
    if request.columns:
        return {language: _declared(columns, name, where) for language, name in request.columns.items()}
    by_language = (
        _translation_fields(columns, where)
        or _named_columns(columns, request, where)
        or _single(columns, request, where)
    )
    if by_language:
        return by_language
    names = ", ".join(map(str, columns)) or ", ".join(schema.names)
    raise UsageError(f"{where}: which columns hold the texts? They are {names}; say --columns LANGUAGE=COLUMN,...")


def _columns_of_text(schema: Any) -> list[Column]:
    types = import_module("pyarrow.types")
    columns: list[Column] = []
    for field in schema:
        if types.is_struct(field.type):
            columns.extend(Column(field.name, inner.name) for inner in field.type if is_text(inner.type))
        elif is_text(field.type):
            columns.append(Column(field.name))
    return columns


def is_text(kind: Any) -> bool:
    """Return whether an Arrow type is text."""
    types = import_module("pyarrow.types")
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_plain(kind: Any) -> bool:
    """Return whether an Arrow type is text, a number or a boolean."""
    types = import_module("pyarrow.types")
    return bool(is_text(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def _declared(columns: Sequence[Column], name: str, where: str) -> Column:
    by_name = {str(column): column for column in columns}
    found = find_column(name, by_name)
    if found is None:
        raise UsageError(f"{where}: no column of text is called {name!r}; {suggestion(name, by_name)}")
    return by_name[found]


def _translation_fields(columns: Sequence[Column], where: str) -> Mapping[str, Column]:
    """Return the fields of `translation` by language: {"en": Column("translation", "en"), ...}."""
    by_language: dict[str, Column] = {}
    for column in columns:
        if column.name == "translation" and column.field is not None:
            try:
                _add(by_language, canonical(column.field), column, where)
            except LanguageError as error:
                choice = f"say which columns: --columns LANGUAGE={column}"
                raise DataError(f"{where}: {column}: {error}; {choice}") from error
    return by_language


def _named_columns(columns: Sequence[Column], request: CorpusRequest, where: str) -> Mapping[str, Column]:
    """Return the columns that are named after a language: those named `sentence_...` or, if there are none, others."""
    by_language: dict[str, Column] = {}
    whole_columns = [column for column in columns if column.field is None]
    for column in whole_columns:
        if column.name.startswith(PREFIX) and (language := known(column.name.removeprefix(PREFIX))) is not None:
            _add(by_language, language, column, where)
    for column in () if by_language else whole_columns:
        if (language := language_in(column.name)) is not None:
            _add(by_language, language, column, where)
    return _without_identifier(by_language, request, where)


def _without_identifier(by_language: dict[str, Column], request: CorpusRequest, where: str) -> Mapping[str, Column]:
    """Return the columns without one called `id` that is not Indonesian; UsageError where it may be either."""
    if by_language.get("id") != Column("id") or "id" in request.languages:
        return by_language
    others = {language: column for language, column in by_language.items() if language != "id"}
    if not others or request.languages:
        return others
    choice = ",".join(f"{language}={column}" for language, column in others.items())
    raise UsageError(f"{where}: is the column 'id' Indonesian or an identifier? Say --columns {choice} (or with id=id)")


def _add(by_language: dict[str, Column], language: str, column: Column, where: str) -> None:
    if language in by_language:
        both = f"{by_language[language]} and {column} are both in {language}"
        raise UsageError(f"{where}: {both}; choose: --columns {language}={column}")
    by_language[language] = column


def _single(columns: Sequence[Column], request: CorpusRequest, where: str) -> Mapping[str, Column]:
    """Return the only column of text, in the declared language or the one that names the configuration."""
    candidates = [column for column in columns if column.name in TEXT_NAMES] or columns
    if len(candidates) != 1:
        return {}
    column = candidates[0]
    if len(request.languages) == 1:
        return {request.languages[0]: column}
    if (language := known(request.config or "")) is not None:  # FLORES has configurations such as eng_Latn
        return {language: column}
    raise UsageError(f"{where}: in which language is the column {str(column)!r}? Say one: --langs CODE")
