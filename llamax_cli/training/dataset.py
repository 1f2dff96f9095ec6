"""The records of JSONL files, any of which is read without those before it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_hexdigest, xxh3_128

from llamax_cli.errors import DataError, FileError, RecordError, because, naming
from llamax_cli.instructions.rendering import RenderedFile
from llamax_cli.models.samples import Sample
from llamax_cli.records import parse, text
from llamax_cli.streams.atomic import atomic_file
from llamax_cli.training.data_files import stat_uncompressed

Numbers: TypeAlias = NDArray[Any]
CHUNK = 1 << 23  # bytes read at once while a file is indexed


class Cache:
    """Arrays on disk, each computed once, complete or absent, and mapped into memory rather than loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def array(self, name: str, make: Callable[[], Numbers]) -> Numbers:
        """Return the array of a name, computed now if it is not kept yet; FileError if it cannot be kept or read."""
        path = self.folder / f"{name}.npy"
        if not path.exists():
            array = make()
            with atomic_file(path) as file:
                np.save(file, array)
        try:
            return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]
        except OSError as error:
            raise FileError(f"{path}: {because(error)}") from error


class SampleFile(NamedTuple):
    """An indexed file: line i (from 0) begins at byte `starts[i]`, `starts[-1]` is the end; `digest` hashes its bytes.

    `rendered` says where the file comes from if it is not the user's own.
    """

    path: Path
    starts: Numbers
    digest: str
    rendered: RenderedFile | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    def where(self, line: int) -> str:
        """Return the user's file and the place in it: `mix.jsonl:1207`, `alpaca.json: record 17`."""
        if self.rendered is not None:
            return f"{self.rendered.original}: record {line + 1}"
        return f"{self.path}:{line + 1}"

    def facts(self) -> dict[str, Any]:
        """Return what the card of a trained model says about this file."""
        path, digest = (self.rendered.original, self.rendered.digest) if self.rendered else (self.path, self.digest)
        return {"path": str(path), "records": len(self), "digest": digest}


def open_rendered_file(rendered: RenderedFile, cache: Cache) -> SampleFile:
    """Return the index of a file that was rendered from a user's."""
    file = open_sample_file(rendered.path, cache)
    return SampleFile(file.path, file.starts, file.digest, rendered)


def open_sample_file(path: Path, cache: Cache) -> SampleFile:
    """Return the index of a file; FileError where it cannot be read, DataError where it is compressed.

    The cache keeps the index under the file's path, size, inode and times of change, so that a file is indexed only
    once. The time of modification alone may be set back, as rsync and tar do.
    """
    status = stat_uncompressed(path)
    facts = (status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)
    key = xxh3_64_hexdigest(os.fsencode("\0".join([os.path.realpath(path), *map(str, facts)])))
    index = cache.array(f"index-{key}", lambda: _index(path))
    return SampleFile(path, index[:-2], index[-2:].tobytes().hex())


def _index(path: Path) -> Numbers:
    """Return the byte at which each line begins, that at which the last one ends, and a hash as two numbers."""
    digest = xxh3_128()
    pieces = [np.zeros(1, np.int64)]
    size, last = 0, b"\n"
    with naming(path), path.open("rb", buffering=0) as file:
        while block := file.read(CHUNK):
            digest.update(block)
            pieces.append(np.flatnonzero(np.frombuffer(block, np.uint8) == 10) + (size + 1))
            size += len(block)
            last = block[-1:]
    if last != b"\n":
        pieces.append(np.array([size]))
    return np.concatenate([*pieces, np.frombuffer(digest.digest(), np.int64)])


class Dataset:
    """The records of several files, numbered from file to file; each is read when it is asked for.

    >>> Dataset([SampleFile(...)])[1_000_000].completion
    """

    def __init__(self, files: Sequence[SampleFile]) -> None:
        self.files = list(files)
        self._ends = np.cumsum([len(file) for file in files])
        self._descriptors = [os.open(file.path, os.O_RDONLY) for file in files]
        self._decode = msgspec.json.Decoder(Sample).decode

    def __len__(self) -> int:
        return int(self._ends[-1]) if self.files else 0

    def __getitem__(self, number: int) -> Sample:
        place, line = self._locate(number)
        data = self._read(place, line, line + 1)
        try:
            return self._sample(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecordError) as error:
            raise DataError(f"{self.where(number)}: {_why(data, error)}") from error

    def _sample(self, line: bytes) -> Sample:
        parse(line)  # which refuses a line that has a key twice
        return self._decode(line)

    def where(self, number: int) -> str:
        """Return where a record is in the user's files: `mix.jsonl:1207`."""
        place, line = self._locate(number)
        return self.files[place].where(line)

    def between(self, start: int, end: int) -> list[Sample]:
        """Return the records `start` ... `end` - 1, in a single read if they are in one file."""
        place, line = self._locate(start)
        if start >= end or self._locate(end - 1)[0] != place:
            return [self[number] for number in range(start, end)]
        lines = self._read(place, line, line + end - start).split(b"\n")
        try:
            return [self._sample(content) for content in lines[: end - start]]
        except (msgspec.DecodeError, UnicodeDecodeError, RecordError):
            return [self[number] for number in range(start, end)]  # raises for the bad one

    def _locate(self, number: int) -> tuple[int, int]:
        place = int(np.searchsorted(self._ends, number, side="right"))
        return place, number - (int(self._ends[place - 1]) if place else 0)

    def _read(self, place: int, first: int, end: int) -> bytes:
        path, starts = self.files[place].path, self.files[place].starts
        try:
            return os.pread(self._descriptors[place], int(starts[end] - starts[first]), int(starts[first]))
        except OSError as error:
            raise FileError(f"{path}: {because(error)}") from error

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []


def _why(line: bytes, error: Exception) -> str:
    """Return what is wrong with a line that is not a Sample."""
    try:
        record = parse(line.rstrip(b"\n"))
        text(record, "completion")
        for key in ("prompt", "origin", "lang", "src_lang", "tgt_lang"):
            if key in record:
                text(record, key)
    except RecordError as reason:
        return str(reason)
    return str(error).replace("`", "'").lower()
