"""Corpora with a file for each language, whose rows share keys: FLORES+, the seed data of OLDI, BOUQuET.

FLORES+   `dev/ace_Latn.jsonl`, rows {"id": 0, "text": ..., "iso_639_3": ..., "glottocode": ...}; a third part of a name
          is a variety of Glottolog: `cat_Latn_vale1252`
          (https://huggingface.co/datasets/openlanguagedata/flores_plus); the seed data of OLDI, which continues
          NLLB-Seed, is in `seed/` of the same form.
BOUQuET   `sentence_level/dev/ace_Latn.parquet`, rows {"uniq_id": "P001-S1", "src_lang": ..., "src_text": ...,
          "tgt_lang": "eng_Latn", "tgt_text": ...} (https://huggingface.co/datasets/facebook/bouquet).

Both are read as JSON lines and as Parquet, from folders or single files. The files of one folder are one corpus. The
rows of a language are in memory while it is read, some thousands.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from llamax_cli.conversion.formats import parquet
from llamax_cli.conversion.segments import Corpus, CorpusRequest, RejectLine, Segment, ignore_bad_line
from llamax_cli.errors import DataError, FileError, LanguageError, RecordError
from llamax_cli.languages import canonical
from llamax_cli.records import Record, serialise, text, value
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import bare

NAME = re.compile(r"(?P<code>[a-z]{2,3}_[A-Z][a-z]{3})(?:_(?P<variety>\w+))?\.(?:jsonl|parquet)")
DEPTH = ("*", "*/*", "*/*/*", "*/*/*/*")  # data/sentence_level/dev/ace_Latn.parquet
KEYS = {"flores-plus": ("id", "text"), "bouquet": ("uniq_id", "src_text")}
# Varieties that the files name by their codes in Glottolog, in BCP 47.
VARIETIES = {"vale1252": "valencia", "aran1260": "aranes", "braz1246": "BR"}
PIVOT = ("tgt_lang", "tgt_text")  # what each file of BOUQuET has beside its own language


class File(NamedTuple):
    """A file, and the keys of its rows under which their own keys and their texts are."""

    source: Input
    key: str
    text: str


@dataclass(frozen=True)
class KeyedFiles:
    """The files of a folder, by language."""

    name: str
    files: Mapping[str, File]
    request: CorpusRequest

    @property
    def languages(self) -> Sequence[str]:
        """The languages, in the order of the names of their files."""
        return list(self.files)

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        """The number of each key, from 1: in the order of the first file, then of keys that only later files have."""
        numbers: dict[str, int] = {}
        for file in self.files.values():
            for key, _ in _rows(file, ignore_bad_line):
                numbers.setdefault(key, len(numbers) + 1)
        return numbers

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield every segment, by number; its key is in the record."""
        texts = [self._texts(self.files[language]) for language in languages]
        name = next(iter(self.files.values())).key
        for key, number in self._numbers.items():
            yield Segment(number, [by_key.get(key) for by_key in texts], {f"row_{name}" if name == "id" else name: key})

    def _texts(self, file: File) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for key, line in _rows(file, self.request.reject):
            found.setdefault(key, line or None)
        return found


def _rows(file: File, reject: RejectLine) -> Iterator[tuple[str, str]]:
    """Yield the key and the text of each row."""
    read = partial(_read, file)
    if file.source.head().startswith(parquet.MAGIC):
        for number, row in enumerate(parquet.rows(file.source), 1):
            try:
                yield read(row)
            except RecordError as error:
                reject(file.source.name, number, str(error), serialise([row]).removesuffix(b"\n"))
        return
    yield from (row for _, row in records(chunks([file.source]), read, reject))


def _read(file: File, record: Record) -> tuple[str, str]:
    return str(value(record, file.key)), text(record, file.text)


def open_flores_plus(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each folder of files of FLORES+ or of the seed data, as `dev` and `devtest`."""
    return _open("flores-plus", request)


def open_bouquet(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each folder of files of BOUQuET, such as `sentence_level/dev`; English is in every file."""
    return _open("bouquet", request)


def _open(kind: str, request: CorpusRequest) -> list[Corpus]:
    key, text_key = KEYS[kind]
    folders: dict[str, dict[str, File]] = {}
    for given in request.paths:
        found = _files(given)
        if not found:
            raise FileError(f"{given}: no file in it is named as a language is, such as ace_Latn.jsonl")
        for path in found:
            if request.split is None or path.parent.name == request.split:
                try:
                    language = _language(path)
                except DataError:
                    if path == Path(given):
                        raise
                    request.left_out[f"file {path.name}, whose language has no code"] += 1
                    continue
                files = folders.setdefault(str(path.parent), {})
                if language in files:
                    raise DataError(
                        f"{files[language].source.name} and {path} are both in {language}; name one of them"
                    )
                source = request.input(str(path))
                source.spool()
                files[language] = File(source, key, text_key)
    if not folders:
        raise FileError(f"no folder {request.split!r} in {', '.join(request.paths)}")
    if kind == "bouquet":
        for files in folders.values():
            _add_pivot(files)
    return [KeyedFiles(_name(request, folder, kind), files, request) for folder, files in folders.items()]


def _add_pivot(files: dict[str, File]) -> None:
    """Add the language that every file has beside its own, unless it has a file."""
    first = next(iter(files.values()))
    row = next(iter(parquet.rows(first.source)), None) if first.source.head().startswith(parquet.MAGIC) else None
    if row is None:
        row = next((found for _, found in records(chunks([first.source]), dict, ignore_bad_line)), {})
    with suppress(RecordError, LanguageError):
        files.setdefault(canonical(text(row, PIVOT[0])), first._replace(text=PIVOT[1]))


def _name(request: CorpusRequest, folder: str, kind: str) -> str:
    """Return the name of a corpus; that of BOUQuET has the level, because both levels have the same splits."""
    name = request.corpus_name(folder)
    if request.name or kind != "bouquet":
        return name
    return f"{Path(folder).resolve().parent.parent.name}/{name}"


def is_named(name: str) -> bool:
    """Return whether a file is named as those of these corpora are."""
    return NAME.fullmatch(name) is not None


def _files(given: str) -> list[Path]:
    path = Path(given)
    if not path.is_dir():
        return [path]
    return sorted(file for depth in DEPTH for file in path.glob(depth) if is_named(bare(file)))


def _language(path: Path) -> str:
    """Return the language of a file: `cat_Latn_vale1252.jsonl` is `ca-valencia`."""
    match = NAME.fullmatch(bare(path))
    if match is None:
        raise DataError(f"{path}: no language in the name; expected a name such as ace_Latn.jsonl")
    try:
        code, variety = canonical(match["code"]), match["variety"]
        return canonical(f"{code}-{VARIETIES.get(variety, variety)}") if variety else code
    except LanguageError as error:
        raise DataError(f"{path}: {error}") from error
