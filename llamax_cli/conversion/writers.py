"""From records to the formats that other tools read: Moses files, TSV, translation lines, plain text."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from llamax_cli.conversion import subtitle_writer
from llamax_cli.conversion.parquet_writer import ParquetFile
from llamax_cli.conversion.record_texts import convert_each, encode_text, text_key
from llamax_cli.conversion.segments import RejectLine
from llamax_cli.errors import DataError, FileError, RecordError, UsageError, because
from llamax_cli.records import Record, text
from llamax_cli.streams.compression import ENDINGS
from llamax_cli.streams.locks import lock
from llamax_cli.streams.outputs import partial_path, sync_names
from llamax_cli.streams.paths import same_file
from llamax_cli.streams.run import Run

MAX_OPEN_DIRECTIONS = 32
PAIR_KEYS = {"id", "src", "tgt", "src_lang", "tgt_lang", "translation"}  # not copied to a translation line
TARGETS = ("records", "moses", "tsv", "hf", "text", "parquet", "srt", "vtt")
# What would be read back differently from a line: a line end or NUL in it, a carriage return at its end, a byte order
# mark at its start; and from a cell: also a tab, an empty text, and the TED corpus's mark of an empty cell.
BREAKS_LINE = r"[\n\0]|\r$|^\ufeff"
BREAKS_CELL = BREAKS_LINE + r"|\t|^__NULL__$|^$"


def translation_lines(records: Iterable[Record], reject: RejectLine) -> Iterator[Record]:
    """Yield pairs as translation lines: `{"id": ..., "translation": {"en": ..., "zh": ...}}` and all other keys."""
    latest: Any = None  # the languages of the pair before, as in the record: most pairs have the same
    source = target = ""

    def convert(record: Record) -> Record:
        nonlocal latest, source, target
        codes = record.get("src_lang"), record.get("tgt_lang")
        if codes != latest:
            (source, target), latest = _direction(record), codes
        text(record, "src")
        text(record, "tgt")
        translation = {source: record["src"], target: record["tgt"]}
        line = {"id": record["id"], "translation": translation} if "id" in record else {"translation": translation}
        if len(record) > len(line) + 3:  # more than the keys of a pair
            line.update((key, value) for key, value in record.items() if key not in PAIR_KEYS)
        return line

    return convert_each(records, convert, reject)


def text_lines(records: Iterable[Record], field: str | None, reject: RejectLine) -> Iterator[bytes]:
    """Yield a line for each record: the text under `field` or, for None, under the first of FIELDS that it has."""

    def convert(record: Record) -> bytes:
        key = text_key(record, field)
        return encode_text(text(record, key), BREAKS_LINE, key) + b"\n"

    return convert_each(records, convert, reject)


def tsv_lines(records: Iterable[Record], reject: RejectLine) -> Iterator[bytes]:
    """Yield source and target with a tab between them; DataError at a second direction, because a table has one."""
    only: list[tuple[str, str]] = []

    def convert(record: Record) -> bytes:
        direction = _direction(record)
        if direction not in only:
            only.append(direction)
        if len(only) > 1:
            first, second = ("-".join(codes) for codes in only)
            raise DataError(f"a table holds one direction, but after {first} comes {second}; choose one with --pairs")
        return b"\t".join(encode_text(text(record, key), BREAKS_CELL, key) for key in ("src", "tgt")) + b"\n"

    return convert_each(records, convert, reject)


def moses_lines(records: Iterable[Record], reject: RejectLine) -> Iterator[bytes]:
    """Yield a line of MosesFiles for each pair: languages and texts, separated by NUL, which no text contains."""

    def convert(record: Record) -> bytes:
        codes = [code.encode() for code in _direction(record)]
        texts = [encode_text(text(record, key), BREAKS_LINE, key) for key in ("src", "tgt")]
        return b"\0".join([*codes, *texts]) + b"\n"

    return convert_each(records, convert, reject)


def _direction(record: Record) -> tuple[str, str]:
    """Return the languages of a pair; RecordError where they are the same, so that no format could tell them apart."""
    source, target = text(record, "src_lang"), text(record, "tgt_lang")
    if source == target:
        raise RecordError(f"source and target are both {source}; use --as records")
    return source, target


def write(run: Run, records: Iterable[Record], target: str, field: str | None) -> None:
    """Write the records in the format that `target` names, one of TARGETS."""
    if target == "records":
        run.write(records)
    elif target == "hf":
        run.write(translation_lines(records, run.reject))
    elif target == "text":
        run.write(text_lines(records, field, run.reject), encode=b"".join)
    elif target in subtitle_writer.KINDS:
        cues = subtitle_writer.cue_lines(records, field, run.reject, target)
        run.write(cues, encode=b"".join, output=subtitle_writer.SubtitleFile(run.settings.output, target))
    elif target == "parquet":
        run.write(records, output=ParquetFile(run.settings.output))
    elif target == "tsv":
        run.write(tsv_lines(records, run.reject), encode=b"".join)
    else:
        files = _moses_files(run)
        run.write(moses_lines(records, run.reject), encode=b"".join, output=files)
        run.products += files.paths


def write_lines(run: Run, lines: Iterable[bytes]) -> None:
    """Write records that are lines already, in blocks."""
    run.write(lines, encode=b"".join, batch_size=1)


def _moses_files(run: Run) -> "MosesFiles":
    taken = (("--rejects", run.settings.rejects), ("--manifest", run.settings.manifest))
    return MosesFiles(run.settings.output, [(option, path) for option, path in taken if path is not None])


class MosesFiles:
    """`PREFIX.en-zh.en` and `PREFIX.en-zh.zh` for each direction; they appear at the end, all of them or none."""

    def __init__(self, prefix: Path | None, taken: Sequence[tuple[str, Path]] = ()) -> None:
        if prefix is None:
            raise UsageError("--as moses writes several files: name their prefix with -o")
        if prefix.is_dir() or prefix.suffix in ENDINGS:
            raise UsageError(f"{prefix} is not a prefix for files: --as moses writes PREFIX.en-zh.en, uncompressed")
        self.name = str(prefix)
        self._prefix = prefix
        self._taken = taken  # options and the files that they write
        self._lock = -1  # file descriptor
        self._open: dict[bytes, tuple[BinaryIO, BinaryIO]] = {}
        self._paths: set[Path] = set()

    @property
    def paths(self) -> list[Path]:
        """The files so far."""
        return sorted(self._paths)

    def write(self, data: bytes) -> None:
        """Write lines of `moses_lines` to the files of their directions."""
        for line in data.split(b"\n")[:-1]:
            source_language, target_language, source, target = line.split(b"\0")
            direction = source_language + b"-" + target_language
            files = self._open.get(direction) or self._open_pair(direction, source_language, target_language)
            files[0].write(source + b"\n")
            files[1].write(target + b"\n")

    def _open_pair(self, direction: bytes, *languages: bytes) -> tuple[BinaryIO, BinaryIO]:
        """Open the files of a direction; all 10,302 directions of FLORES are more than a process can keep open."""
        if len(self._open) == MAX_OPEN_DIRECTIONS:
            for file in self._open.pop(next(iter(self._open))):
                file.close()
        paths = [self._path(direction, code) for code in languages]
        self._refuse_taken(paths)
        files = cast("tuple[BinaryIO, BinaryIO]", tuple(map(self._open_file, paths)))
        self._open[direction] = files
        return files

    def _path(self, direction: bytes, language: bytes) -> Path:
        return self._prefix.with_name(f"{self._prefix.name}.{direction.decode()}.{language.decode()}")

    def _refuse_taken(self, paths: Iterable[Path]) -> None:
        """Raise UsageError where one of the files is that of another option; only the records tell their names."""
        written = [str(each) for path in paths for each in (path, partial_path(path))]
        for option, taken in self._taken:
            if any(same_file(path, str(taken)) for path in written):
                raise UsageError(f"{option} {taken} is a file that --as moses writes; name another file")

    def _open_file(self, path: Path) -> BinaryIO:
        mode = "ab" if path in self._paths else "wb"
        if not self._paths:
            self._claim(path)
        self._paths.add(path)
        return cast(BinaryIO, partial_path(path).open(mode))

    def _claim(self, path: Path) -> None:
        """Lock the first file for this run; FileError where another run is writing it."""
        try:
            self._lock = os.open(partial_path(path), os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise FileError(f"cannot write {partial_path(path)}: {because(error)}") from error
        if not lock(self._lock, partial_path(path), fcntl.flock):
            raise FileError(f"another run is writing {partial_path(path)}")

    def complete(self) -> None:
        """Sync all files to disk."""
        for files in self._open.values():
            for file in files:
                file.close()
        for path in self._paths:
            descriptor = os.open(partial_path(path), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def finish(self) -> None:
        """Give the complete files their names, all or none."""
        named: list[Path] = []
        try:
            for path in sorted(self._paths):
                os.replace(partial_path(path), path)
                named.append(path)
            sync_names(self._prefix.absolute().parent)
        except BaseException:
            for path in named:
                with suppress(OSError):
                    path.unlink()
            raise
        self._paths.clear()

    def close(self) -> None:
        """Close the files, and remove those of a run that failed, which cannot be resumed."""
        for path in self._paths:
            with suppress(OSError):
                partial_path(path).unlink(missing_ok=True)
        for file in (file for files in self._open.values() for file in files):
            with suppress(OSError):  # nobody misses what cannot be written any more
                file.close()
        if self._lock >= 0:
            os.close(self._lock)
