"""Manifests as they are read: checked for their form, because one may come from anywhere."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from llamax_cli.documents import decode
from llamax_cli.errors import DataError, FileError, LlamaxError
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.paths import BEGINNINGS, STDIN

BEGINNING = BEGINNINGS["--manifest"]
LARGEST = 256 << 20  # bytes; the manifest of a corpus of 100,000 files has 20 MB
ADVICE = "give what --manifest FILE wrote, or manifest.json in the folder of llamax train"


class Content(msgspec.Struct, frozen=True):
    """A file that a run has read or written, or a folder, which has a `fingerprint` instead of a hash."""

    path: str
    bytes: int | None = None
    sha256: str | None = None
    fingerprint: str | None = None

    @property
    def hash(self) -> str | None:
        """What is equal for the same content; None where a file was not read to its end."""
        return self.sha256 or self.fingerprint


class _Fields(msgspec.Struct):
    command: str
    arguments: dict[str, Any]
    versions: dict[str, str]
    inputs: list[Content]
    folder: str = ""
    reads: list[Content] = []
    outputs: list[Content] | None = None
    figures: dict[str, Any] = {}


@dataclass(frozen=True)
class Manifest:
    """What a run was: its command, what its options were, what it has read and written; relative paths are in `folder`.

    `named` are the files and folders that options name besides the inputs.
    """

    path: Path
    command: str
    arguments: dict[str, Any]
    versions: dict[str, str]
    folder: Path
    inputs: tuple[Content, ...]
    named: tuple[Content, ...]
    outputs: tuple[Content, ...]
    figures: dict[str, Any]

    @property
    def sources(self) -> tuple[Content, ...]:
        """All that the run has read."""
        return (*self.inputs, *self.named)

    @property
    def reads_stdin(self) -> bool:
        """Whether one of the inputs was standard input."""
        return any(each.path == STDIN for each in self.inputs)

    def place(self, content: Content) -> Path:
        """Return the absolute path of what the run has read or written."""
        return Path(os.path.normpath(self.folder / content.path))


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file; FileError if it cannot be read, DataError if it is something else.

    A manifest without the hashes of outputs, as versions before this wrote them, is something else, too.
    """
    source = Input(path)
    with source.open() as stream, source.readable():
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise DataError(f"{path} is no manifest: it has more than {LARGEST >> 20} MB; {ADVICE}")
    try:
        fields = decode(data, _Fields)
    except ValueError as error:
        raise DataError(f"{path} is no manifest ({error}); {ADVICE}") from error
    return _checked(path, fields)


def _checked(path: Path, fields: _Fields) -> Manifest:
    if fields.outputs is None:
        version = fields.versions.get("llamax", "an earlier version")
        raise DataError(f"{path} does not say what was written (llamax {version}); run the command again")
    sources = [*fields.inputs, *fields.reads, *fields.outputs]
    if not Path(fields.folder).is_absolute() or any("\0" in each for each in (fields.folder, *_paths(sources))):
        raise DataError(f"{path} is no manifest: it has a path that cannot be one; {ADVICE}")
    here = Path(fields.folder)
    # Moved to another machine with its files, it is read where it is now.
    folder = here if here.is_dir() else path.absolute().parent
    return Manifest(
        path=path,
        command=fields.command,
        arguments=fields.arguments,
        versions=fields.versions,
        folder=folder,
        inputs=tuple(fields.inputs),
        named=tuple(fields.reads),
        outputs=tuple(fields.outputs),
        figures=fields.figures,
    )


def _paths(sources: Iterable[Content]) -> Iterator[str]:
    return (each.path for each in sources)


def manifests_below(folder: Path) -> Iterator[Manifest]:
    """Yield the manifests in a folder and below; other files, and those of earlier versions, are passed over."""
    if not folder.is_dir():
        raise FileError(f"{folder}: no such folder; --chain names one with manifests")
    for path in sorted(folder.rglob("*")):
        try:
            if not path.is_file():
                continue
            with path.open("rb") as file:
                is_one = file.read(len(BEGINNING)) == BEGINNING
            if is_one:
                yield read_manifest(path)
        except (LlamaxError, OSError):
            continue
