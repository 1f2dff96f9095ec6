"""The paths that a run reads and writes, compared with each other before any of them is opened.

A file that a run reads must not be replaced, emptied or appended to by the same run. Only `-o` may name a file of the
input: the new file takes its place once it is complete. It may not replace a file in a folder of the input: the same
command would read another folder the next time.
"""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from llamax_cli.errors import UsageError
from llamax_cli.streams.outputs import partial_path

# How the files begin that a run may replace in a folder that it reads, as its last run has written them there.
BEGINNINGS = {"--rejects": b'{"input":', "--manifest": b'{\n  "command":'}
SIDE_ENDINGS = (".partial", ".partial.state", ".partial.state.partial")
REPLACING = "--output"  # may name an input
STDIN = "-"


class NamedPath(NamedTuple):
    """A path and the option that names it, which is empty for the files after the options."""

    option: str
    path: str

    @property
    def said(self) -> str:
        """How a message calls it: `--rejects bad.jsonl`."""
        return f"{self.option} {self.path}".strip() if self.path != STDIN else "standard input"


def check_paths(
    reads: Iterable[NamedPath], writes: Iterable[NamedPath], *, uses_stdout: bool, below_folders: bool = True
) -> None:
    """Raise UsageError if a file is written that the run also reads, or that is written twice.

    Files are the same if their paths lead to the same place, or if they are links to the same content. Paths to what
    does not exist, devices and pipes may be named any number of times. `below_folders`: nor may a file
    be written that is in a folder that the run reads.
    """
    read, written = list(reads), list[NamedPath]()
    for output in writes:
        if not _is_device(output.path):
            _compare(output, read, written, below_folders=below_folders)
            written.append(output)
    if uses_stdout:
        refuse_stdout([*read, *written])


def check_outside(reads: Iterable[NamedPath], folders: Iterable[Path]) -> None:
    """Raise UsageError if a run reads what is in a folder that it writes, where it replaces and removes files."""
    owned = [(folder, folder.resolve()) for folder in folders]
    for source in reads:
        place = Path(source.path).resolve()
        for folder, resolved in owned:
            if resolved == place or resolved in place.parents:
                raise UsageError(f"{source.said} is in {folder}, where this run writes; move it or choose another -o")


def refuse_stdout(paths: Iterable[NamedPath]) -> None:
    """Raise UsageError if one of the files is standard output: a run would read what it has just written."""
    if sys.stdout is None:
        return
    status = os.fstat(1)
    if not stat.S_ISREG(status.st_mode):
        return
    for each in paths:
        if _identity(each.path) == (status.st_dev, status.st_ino):
            raise UsageError(
                f"{each.said} is also standard output; write with -o FILE, which appears once it is complete"
            )


def _compare(output: NamedPath, read: list[NamedPath], written: list[NamedPath], *, below_folders: bool) -> None:
    for other in written:
        if same_file(output.path, other.path):
            raise UsageError(f"{output.said} is the file that {other.option} writes; name another file")
        for one, two in ((output, other), (other, output)):
            if any(same_file(one.path, path) for path in _partials(two.path)):
                raise UsageError(f"{one.said} is where {two.said} is written until it is complete; name another file")
    for source in read:
        if same_file(output.path, source.path) and (source.option or output.option != REPLACING):
            what = f"{source.option} reads" if source.option else "this run reads"
            raise UsageError(f"{output.said} is the file that {what}; name another file")
        if any(same_file(source.path, path) for path in _partials(output.path)):
            raise UsageError(f"{source.said} is where {output.said} is written until it is complete; rename it first")
        if below_folders and _is_inside(output.path, source.path) and not _may_replace(output, source):
            what = f"{source.said}, which this run reads"
            raise UsageError(f"{output.said} is a file in {what}; name another file")


def same_file(one: str, two: str) -> bool:
    """Return whether two paths lead to one place, or are links to the same content; `-` is standard input."""
    if STDIN not in (one, two) and os.path.realpath(one) == os.path.realpath(two):
        return True
    identity = _identity(one)
    return identity is not None and identity == _identity(two)


def _identity(path: str) -> tuple[int, int] | None:
    """Return what all paths to a regular file have in common, None for anything else; `-` is standard input."""
    try:
        status = os.stat(0 if path == STDIN else path)
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _is_device(path: str) -> bool:
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _partials(path: str) -> Iterator[str]:
    partial = str(partial_path(Path(path))).removesuffix(SIDE_ENDINGS[0])
    yield from (partial + ending for ending in SIDE_ENDINGS)


def is_side_file(path: str | Path) -> bool:
    """Return whether a file in a folder is what a run, this one or another, has not completed; it is no input."""
    return str(path).endswith(SIDE_ENDINGS)


def _is_inside(path: str, folder: str) -> bool:
    """Return whether a path is a file that exists in a folder or below."""
    return os.path.isdir(folder) and os.path.isfile(path) and Path(folder).resolve() in Path(path).resolve().parents


def _may_replace(output: NamedPath, source: NamedPath) -> bool:
    """Return whether an output may take the place of an older file in a folder that the run reads."""
    beginning = BEGINNINGS.get(output.option)
    if beginning is None:
        return False
    with Path(output.path).open("rb") as file:
        return file.read(len(beginning)) in (b"", beginning)
