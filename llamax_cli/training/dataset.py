"""Where each record of the data lies, so that any of them is read without those before it."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_hexdigest, xxh3_128

from llamax_cli.errors import DataError, FileError, RecordError, because
from llamax_cli.models.samples import Sample
from llamax_cli.records import parse, text
from llamax_cli.training.data_files import plain

Numbers: TypeAlias = NDArray[Any]
BLOCK = 1 << 23  # bytes read at once while lines are counted


@contextmanager
def appearing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for what is written to appear under its name, whole or not at all; FileError where it cannot be."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


class Cache:
    """Arrays on disk, each made once and whole or not there; read without being loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def array(self, name: str, make: Callable[[], Numbers]) -> Numbers:
        """Return the array of that name, made now where it is not there."""
        path = self.folder / f"{name}.npy"
        if not path.exists():
            made = make()
            with appearing(path) as file:
                np.save(file, made)
        return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]


class Rendered(NamedTuple):
    """A file of Samples in the cache that was made of a user's, and a hash of that one's bytes."""

    original: Path
    path: Path
    digest: str


class SampleFile(NamedTuple):
    """One file: `starts[i]` is where line i (from 0) begins, `starts[-1]` its end; `digest` is a hash of its bytes.

    `rendered` is what it was made of, where it is not the user's own.
    """

    path: Path
    starts: Numbers
    digest: str
    rendered: Rendered | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    def where(self, line: int) -> str:
        """Return the file of the user's and the place in it: `mix.jsonl:1207`, `alpaca.json: record 17`."""
        if self.rendered is not None:
            return f"{self.rendered.original}: record {line + 1}"
        return f"{self.path}:{line + 1}"

    def facts(self) -> dict[str, Any]:
        """Return what a model says of the data that it was trained on."""
        path, digest = (self.rendered.original, self.rendered.digest) if self.rendered else (self.path, self.digest)
        return {"path": str(path), "records": len(self), "digest": digest}


def open_rendered(rendered: Rendered, cache: Cache) -> SampleFile:
    """Return the index of a file that was made of a user's."""
    found = open_source(rendered.path, cache)
    return SampleFile(found.path, found.starts, found.digest, rendered)


def open_source(path: Path, cache: Cache) -> SampleFile:
    """Return the index of a file; FileError or DataError, in one line, where it cannot be trained on.

    The index is kept under the path, size and time of the file, so that a file of a million records is read once only.
    """
    status = plain(path)
    key = xxh3_64_hexdigest(os.fsencode(f"{os.path.realpath(path)}\0{status.st_size}\0{status.st_mtime_ns}"))
    found = cache.array(f"index-{key}", lambda: _index(path))
    return SampleFile(path, found[:-2], found[-2:].tobytes().hex())


def _index(path: Path) -> Numbers:
    """Return where lines begin, where the last one ends, and two numbers that are the hash of all bytes."""
    digest = xxh3_128()
    pieces = [np.zeros(1, np.int64)]
    size, last = 0, b"\n"
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
            pieces.append(np.flatnonzero(np.frombuffer(block, np.uint8) == 10) + (size + 1))
            size += len(block)
            last = block[-1:]
    if last != b"\n":
        pieces.append(np.array([size]))
    return np.concatenate([*pieces, np.frombuffer(digest.digest(), np.int64)])


class Samples:
    """All records of several files, one after the other, each read when it is asked for.

    >>> Samples([Source(...)])[1_000_000].completion
    """

    def __init__(self, sources: Sequence[SampleFile]) -> None:
        self.sources = list(sources)
        self._ends = np.cumsum([len(each) for each in sources])
        self._descriptors = [os.open(each.path, os.O_RDONLY) for each in sources]
        self._decode = msgspec.json.Decoder(Sample).decode

    def __len__(self) -> int:
        return int(self._ends[-1]) if self.sources else 0

    def __getitem__(self, number: int) -> Sample:
        place, line = self._locate(number)
        data = self._read(place, line, line + 1)
        try:
            return self._decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{self.where(number)}: {_why(data, error)}") from error

    def where(self, number: int) -> str:
        """Return where a record stands: `mix.jsonl:1207`."""
        place, line = self._locate(number)
        return self.sources[place].where(line)

    def between(self, start: int, end: int) -> list[Sample]:
        """Return the records `start` ... `end` - 1, read at once where they are in one file."""
        place, line = self._locate(start)
        if start >= end or self._locate(end - 1)[0] != place:
            return [self[number] for number in range(start, end)]
        lines = self._read(place, line, line + end - start).split(b"\n")
        try:
            return [self._decode(each) for each in lines[: end - start]]
        except (msgspec.DecodeError, UnicodeDecodeError):
            return [self[number] for number in range(start, end)]  # which finds the bad one

    def _locate(self, number: int) -> tuple[int, int]:
        place = int(np.searchsorted(self._ends, number, side="right"))
        return place, number - (int(self._ends[place - 1]) if place else 0)

    def _read(self, place: int, first: int, end: int) -> bytes:
        starts = self.sources[place].starts
        return os.pread(self._descriptors[place], int(starts[end] - starts[first]), int(starts[first]))

    def close(self) -> None:
        """Let go of the files."""
        for each in self._descriptors:
            os.close(each)
        self._descriptors = []


def _why(line: bytes, error: Exception) -> str:
    """Return what is wrong with a line that is no Sample."""
    try:
        record = parse(line.rstrip(b"\n"))
        text(record, "completion")
        for key in ("prompt", "origin", "lang", "src_lang", "tgt_lang"):
            if key in record:
                text(record, key)
    except RecordError as found:
        return str(found)
    return str(error).replace("`", "'").lower()
