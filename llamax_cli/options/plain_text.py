"""The options by which a command of records also reads the formats of convert, and how it reads them.

What is not lines of JSON is read as `llamax convert` reads it: in the format that `--from` names, or that the name and
the first lines show, and in the languages of `--langs` or of the name. The summary line says so.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import msgspec
from typer import Option

from llamax_cli.conversion.convert import read_corpora
from llamax_cli.conversion.detection import FORMATS, detect, open_corpora
from llamax_cli.conversion.segments import CorpusRequest, RecordStream
from llamax_cli.conversion.selection import ANY, Selection, interpret_pattern
from llamax_cli.errors import DataError, RecordError, UsageError
from llamax_cli.language_clues import Conclusions, language_in
from llamax_cli.options.values import file_languages, format_option
from llamax_cli.records import Record, parse
from llamax_cli.streams.chunks import batches
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare
from llamax_cli.streams.run import Run
from llamax_cli.streams.unread import refuse_unread

UNKNOWN = "en"  # what stands for a language that nothing tells, until it is left out
SHOWN_FILES = 5  # that the summary line tells of one by one
LINES = {"text", "tsv", "tatoeba", "flores", "ntrex"}  # what a line of text may look like, by its name or first line
BOM = b"\xef\xbb\xbf"

From = Annotated[
    str | None, format_option("--from", "Format of files that are not records, where it is not detected", FORMATS)
]


Langs = Annotated[
    str | None,
    Option(metavar="LANGUAGE,...", help="Languages of files that are not records, in the order of their columns."),
]


def plain_text(
    langs: Langs = None,
    from_: From = None,
) -> "PlainText":
    """Return how files that are not records are read, by the options."""
    return PlainText(file_languages(langs), from_)


def plain_monolingual(
    langs: Langs = None,
    from_: From = None,
) -> "PlainText":
    """Return how files that are not records, and folders of them, are read by a command that looks at each language."""
    return PlainText(file_languages(langs), from_, is_monolingual=True)


def plain_corpora(
    langs: Langs = None,
    from_: From = None,
) -> "PlainText":
    """Return how files that are not records, and folders of them, are read by a command that takes them as they are."""
    return PlainText(file_languages(langs), from_, is_whole=True)


def plain_text_of_any_language(
    langs: Langs = None,
    from_: From = None,
) -> "PlainText":
    """Return how files that are not records are read by a command that need not know the language of a text."""
    return PlainText(file_languages(langs), from_, needs_language=False)


def plain_translations(
    langs: Annotated[
        str | None, Option(metavar="PAIR", help="Direction of translations and references in plain text.")
    ] = None,
) -> "PlainText":
    """Return how plain text is read by a command that compares it line by line: a number is the id of each line."""
    direction = _direction(langs) if langs else ()
    return PlainText(direction[1:], None, "its direction, as in --langs de-en", True, direction)


def _direction(langs: str) -> tuple[str, ...]:
    try:
        meanings = interpret_pattern(langs, 2)
    except UsageError as error:
        raise UsageError(f"--langs: {error}") from error
    if len(meanings) > 1 or "*" in next(iter(meanings)):
        raise UsageError(f"--langs {langs} is not one direction; write it as de-en")
    return meanings.pop()


@dataclass
class PlainText:
    """The door of a run for inputs that are not lines of JSON; see `Run.read_through`.

    `languages`, `format`: what the options say. `flag` names the languages. If `is_numbered`, each line is a
    translation in `direction`, and its number is its id; in a file that an option names, it may also be a reference.
    If it `is_monolingual`, each text of a corpus is read once, however many languages there are, and folders are read.
    If it `is_whole`, a corpus of two languages is read as pairs, any other as texts, and folders are read.
    Unless it `needs_language`, a text whose language nothing tells becomes records without `lang`.
    """

    languages: tuple[str, ...] = ()
    format: str | None = None
    flag: str = "its language, as in --langs en"
    is_numbered: bool = False
    direction: tuple[str, ...] = ()
    is_monolingual: bool = False
    needs_language: bool = True
    is_whole: bool = False
    _formats: dict[str, str] = field(default_factory=dict)  # of the files that were told of, by name
    _details: list[str] = field(default_factory=list)  # what is said of each of them
    _conclusions: Conclusions = field(default_factory=Conclusions)  # what was taken from all their names and headers
    _remarks: list[str] = field(default_factory=list)  # what the summary line says of them

    def recognises(self, run: Run, source: Input) -> bool:
        """Return whether an input is to be read as convert would; DataError if that cannot be done either.

        Without a word about the language, plain text may as well be bad lines of records.
        """
        if (self.is_monolingual or self.is_whole) and os.path.isdir(source.path):
            return True
        head = source.head().removeprefix(BOM).lstrip()
        if b"\0" in head:  # of text, a line that is bad
            refuse_unread(source.path, head)
        if not head or b"\0" in head or (head.startswith(b"{") and self.format in (None, "records", "text")):
            takes_any = self.is_whole and not self.format and run.settings.rejects is None
            return takes_any and _begins_with_translations(head)
        if head.startswith(b"[") and run.settings.rejects is not None:
            return False  # a line that is no record; without a place for it, `detect` says what a whole array needs
        detected = self.format or detect(source.path, self._request(run, source))
        if detected != "text" or self.languages or self.direction:
            return True
        name = bare(source.path)
        if not self.is_numbered and language_in(name.removesuffix(".txt").rpartition(".")[2]):
            return True
        if name.endswith((".jsonl", ".json")) or run.settings.rejects is not None or _is_json(head):
            return False
        if source.path == "-":  # which may also be a line that another program wrote among its records
            raise DataError(f"{source.name}:1: not JSON; if it is plain text, name {self.flag}")
        if not self.needs_language:
            return True
        raise DataError(f"{source.name} is plain text, not records; name {self.flag}")

    def batches(self, run: Run, source: Input) -> Iterator[list[Record]]:
        """Yield the records of an input that is not lines of JSON."""
        request = self._request(run, source)
        name = self.format or detect(source.path, request)
        if self.is_numbered:
            name = _line_format(source, name)
        elif name == "text" and not self.format and source.path in run.settings.files and len(run.settings.files) > 1:
            raise DataError(
                f"{source.name} is one of several files of plain text; --from text reads each by itself, "
                "and llamax convert joins files that are aligned line by line"
            )
        is_first_time = source.name not in self._formats
        self._formats[source.name] = name
        is_unknown = name == "text" and not self.needs_language and _tells_no_language(request)
        if is_unknown:
            request = replace(request, languages=(UNKNOWN,))
        if is_first_time:
            self._remark(run, [f"{source.name} read as {name}{', its language unknown' if is_unknown else ''}"])
        try:
            selection = Selection(mono=(ANY,)) if self._takes_texts(request, name) else Selection()
            records = self._shaped(run, source, read_corpora(request, name, selection, run.left_out))
            yield from batches(map(_without_language, records) if is_unknown else records)
            if is_first_time:
                self._conclusions.names |= request.conclusions.names
                self._conclusions.headers |= request.conclusions.headers
                self._remark(run, request.conclusions.remarks())
        except UsageError as error:  # about the file, not about an option of this command
            hint = " (an option of llamax convert)" if "--columns" in str(error) else ""
            reason = str(error).removeprefix(f"{source.name}: ")
            raise DataError(f"{source.name} cannot be read as {name}: {reason}{hint}") from error

    def _remark(self, run: Run, details: Iterable[str]) -> None:
        """Add to what the summary line says of the files, which of many is only how many there are."""
        self._details += details
        for remark in self._remarks:
            run.remarks.remove(remark)
        if len(self._formats) <= SHOWN_FILES:
            self._remarks = list(self._details)
        else:
            formats = ", ".join(dict.fromkeys(self._formats.values()))
            self._remarks = [f"{len(self._formats)} files read as {formats}", *self._conclusions.remarks()]
        run.remarks += self._remarks

    def _takes_texts(self, request: CorpusRequest, name: str) -> bool:
        if not self.is_whole:
            return self.is_monolingual
        # Pairs between more than two languages would be as many as the user chooses, with `convert --pairs`.
        return any(
            len(corpus.languages) > 2 for corpus in open_corpora(request, name) if not isinstance(corpus, RecordStream)
        )

    def _request(self, run: Run, source: Input) -> CorpusRequest:
        def opened(path: str | Path) -> Input:
            return source if str(path) == source.path else run.input(path, through_door=False)

        return CorpusRequest((source.path,), opened, _refuse, self.languages)

    def _shaped(self, run: Run, source: Input, records: Iterable[Record]) -> Iterable[Record]:
        if not self.is_numbered:
            return records
        translations = _translations(records, *self.direction)
        if source in run.inputs:
            return translations
        return ({**record, "text": record["mt"], "lang": record["tgt_lang"]} for record in translations)


def _is_json(head: bytes) -> bool:
    """Return whether the first line is JSON, so that it is rather a bad record than a text."""
    try:
        msgspec.json.decode(head.partition(b"\n")[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _begins_with_translations(head: bytes) -> bool:
    """Return whether the first line is `{"translation": {...}}` of Hugging Face, and no record of ours."""
    try:
        return parse(head.partition(b"\n")[0]).keys() & {"translation", "text", "src"} == {"translation"}
    except RecordError:
        return False


def _line_format(source: Input, detected: str) -> str:
    """Return the format of lines; DataError where the file is detected to be in one that is not lines of text."""
    if detected not in LINES:
        raise DataError(f"{source.name} is neither records nor plain text ({detected}); llamax convert makes records")
    return "text"


def _tells_no_language(request: CorpusRequest) -> bool:
    try:
        open_corpora(request, "text")
    except UsageError:
        return True
    return False


def _without_language(record: Record) -> Record:
    return {key: value for key, value in record.items() if key != "lang"}


def _translations(records: Iterable[Record], source: str, target: str) -> Iterator[Record]:
    for number, record in enumerate(records, 1):
        yield {"id": str(number), "mt": record["text"], "src_lang": source, "tgt_lang": target}


def _refuse(name: str, line: int, reason: str, raw: bytes) -> None:
    raise DataError(f"{name}:{line}: {reason}; llamax convert --rejects FILE sets such lines aside")
