"""From records to the forms in which other tools take corpora: Moses files, TSV, translation lines, plain text."""

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from llamax_cli.errors import DataError, FileError, RecordError, UsageError, because
from llamax_cli.records import Record, serialise, text
from llamax_cli.streams.compression import ENDINGS
from llamax_cli.streams.outputs import partial_path
from llamax_cli.streams.run import Run

Refuse = Callable[[str, int, str, bytes], None]
OPEN_DIRECTIONS = 32
TAKEN = {"id", "src", "tgt", "src_lang", "tgt_lang", "translation"}
TARGETS = ("records", "moses", "tsv", "hf", "text")
# What would not come back as it was from a line of text: a line end or a NUL in it, a return at its end, a byte order
# mark at its start; from a cell: a tab, nothing at all, and what TED writes for nothing.
BREAKS_LINE = r"[\n\0]|\r$|^\ufeff"
BREAKS_CELL = BREAKS_LINE + r"|\t|^__NULL__$|^$"


def translations(records: Iterable[Record], refuse: Refuse) -> Iterator[Record]:
    """Yield pairs as translation lines: `{"id": ..., "translation": {"en": ..., "zh": ...}}` and all other keys."""
    latest: Any = None  # the codes of the pair before, as they are in the record: most pairs have the same
    source = target = ""

    def form(record: Record) -> Record:
        nonlocal latest, source, target
        codes = record.get("src_lang"), record.get("tgt_lang")
        if codes != latest:
            (source, target), latest = _direction(record), codes
        text(record, "src")
        text(record, "tgt")
        pair = {source: record["src"], target: record["tgt"]}
        made = {"id": record["id"], "translation": pair} if "id" in record else {"translation": pair}
        if len(record) > len(made) + 3:  # more than the keys of a pair
            made.update((key, value) for key, value in record.items() if key not in TAKEN)
        return made

    return _each(records, form, refuse)


def plain(records: Iterable[Record], field: str, refuse: Refuse) -> Iterator[bytes]:
    """Yield the text under `field`, a line each."""
    return _each(records, lambda record: fitting(text(record, field), BREAKS_LINE, field) + b"\n", refuse)


def tabbed(records: Iterable[Record], refuse: Refuse) -> Iterator[bytes]:
    """Yield source and target with a tab between them; DataError at a second direction, which a table cannot tell."""
    only: list[tuple[str, str]] = []

    def row(record: Record) -> bytes:
        direction = _direction(record)
        if direction not in only:
            only.append(direction)
        if len(only) > 1:
            first, second = ("-".join(each) for each in only)
            raise DataError(f"a table holds one direction, but after {first} comes {second}; choose one with --pairs")
        return b"\t".join(fitting(text(record, key), BREAKS_CELL, key) for key in ("src", "tgt")) + b"\n"

    return _each(records, row, refuse)


def side_by_side(records: Iterable[Record], refuse: Refuse) -> Iterator[bytes]:
    """Yield pairs for MosesFiles: languages and texts with NUL, which no text holds, between them."""

    def row(record: Record) -> bytes:
        codes = [code.encode() for code in _direction(record)]
        return b"\0".join([*codes, *(fitting(text(record, key), BREAKS_LINE, key) for key in ("src", "tgt"))]) + b"\n"

    return _each(records, row, refuse)


def _direction(record: Record) -> tuple[str, str]:
    """Return the languages of a pair; RecordError where they are one, which these forms cannot tell apart."""
    source, target = text(record, "src_lang"), text(record, "tgt_lang")
    if source == target:
        raise RecordError(f"source and target are both {source}; use --as records")
    return source, target


def fitting(value: str, breaking: str, key: str) -> bytes:
    """Return the text as bytes; RecordError where it holds what the form cannot."""
    found = re.search(breaking, value)
    if found:
        what = f"holds {found[0]!r}" if found[0] else "is empty"
        raise RecordError(f"{key!r} {what}, which this form cannot tell; use --as records or hf")
    return value.encode()


def _each(records: Iterable[Record], form: Callable[[Record], Any], refuse: Refuse) -> Iterator[Any]:
    for number, record in enumerate(records, 1):
        try:
            yield form(record)
        except RecordError as error:
            refuse("records", number, str(error), serialise([record]).removesuffix(b"\n"))


def write(run: Run, records: Iterable[Record], target: str, field: str) -> None:
    """Write the records in the form that `target` names."""
    if target == "records":
        run.write(records)
    elif target == "hf":
        run.write(translations(records, run.reject))
    elif target == "text":
        run.write(plain(records, field, run.reject), encode=b"".join)
    elif target == "tsv":
        run.write(tabbed(records, run.reject), encode=b"".join)
    else:
        run.write(side_by_side(records, run.reject), encode=b"".join, output=MosesFiles(run.settings.output))


class MosesFiles:
    """`PREFIX.en-zh.en` and `PREFIX.en-zh.zh` for each direction; all of them appear at the end, or none."""

    def __init__(self, prefix: Path | None) -> None:
        if prefix is None:
            raise UsageError("--as moses writes several files: name their prefix with -o")
        if prefix.is_dir() or prefix.suffix in ENDINGS:
            raise UsageError(f"{prefix} is no prefix of files: --as moses writes PREFIX.en-zh.en, uncompressed")
        self.name = str(prefix)
        self._prefix = prefix
        self._lock = -1
        self._open: dict[bytes, tuple[BinaryIO, BinaryIO]] = {}
        self._paths: set[Path] = set()

    def write(self, data: bytes) -> None:
        """Write lines of side_by_side to the files of their directions."""
        for line in data.split(b"\n")[:-1]:
            source_language, target_language, source, target = line.split(b"\0")
            direction = source_language + b"-" + target_language
            files = self._open.get(direction) or self._files(direction, source_language, target_language)
            files[0].write(source + b"\n")
            files[1].write(target + b"\n")

    def _files(self, direction: bytes, *languages: bytes) -> tuple[BinaryIO, BinaryIO]:
        if len(self._open) == OPEN_DIRECTIONS:  # all 10,302 of FLORES would be more files than a process may have
            for file in self._open.pop(next(iter(self._open))):
                file.close()
        files = cast("tuple[BinaryIO, BinaryIO]", tuple(self._file(direction, language) for language in languages))
        self._open[direction] = files
        return files

    def _file(self, direction: bytes, language: bytes) -> BinaryIO:
        path = self._prefix.with_name(f"{self._prefix.name}.{direction.decode()}.{language.decode()}")
        again = path in self._paths
        if not self._paths:
            self._claim(path)
        self._paths.add(path)
        return partial_path(path).open("ab" if again else "wb")

    def _claim(self, path: Path) -> None:
        """Lock the first file for this run; FileError where another run writes it."""
        try:
            self._lock = os.open(partial_path(path), os.O_RDWR | os.O_CREAT, 0o666)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileError(f"another run is writing {partial_path(path)}") from error
        except OSError as error:
            raise FileError(f"cannot write {partial_path(path)}: {because(error)}") from error

    def finish(self) -> None:
        """Give the files their names once all of them are on disk."""
        for files in self._open.values():
            for file in files:
                file.close()
        for path in self._paths:
            descriptor = os.open(partial_path(path), os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        for path in self._paths:
            os.replace(partial_path(path), path)

    def close(self) -> None:
        """Leave nothing of a run that failed; there is no way to go on in the middle of several files."""
        for file in (file for files in self._open.values() for file in files):
            file.close()
        for path in self._paths:
            partial_path(path).unlink(missing_ok=True)
        if self._lock >= 0:
            os.close(self._lock)
