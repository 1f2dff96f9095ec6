"""The saved state of an interrupted run: how far it was when its output was last safe on disk."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from llamax_cli.documents import decode
from llamax_cli.errors import FileError, ResumeError, because
from llamax_cli.streams.outputs import Mark

FORMAT = 1


class ResumeState(msgspec.Struct, frozen=True):
    """How far a run is.

    From `consumed` bytes of input, with the hash `digest`, it wrote the output up to `mark` and `rejects` bytes of
    rejects. For a command that generates its records, `consumed` and `digest` are those of the output instead.
    """

    consumed: int = 0
    digest: str = ""
    mark: Mark = Mark()
    rejects: int = 0
    counts: dict[str, int] = {}
    tally: dict[str, int] = {}


@dataclass(frozen=True)
class RunIdentity:
    """What a run must share with an interrupted one to continue it.

    `arguments` are those that change the result. `dependencies` are what else it depends on, such as
    `{"lexicons": [fingerprint]}`, or `{"model_content": [hash]}` for the content of the files that an argument names.
    """

    command: str
    arguments: Mapping[str, Any]
    dependencies: Mapping[str, Any]


class _SavedIdentity(msgspec.Struct):
    """The identity in a saved state, where `arguments` holds the dependencies too."""

    format: int
    command: str
    arguments: dict[str, Any]


class _SavedState(msgspec.Struct):
    """The first line of a saved state; after it comes the text that is not compressed yet."""

    run: _SavedIdentity
    consumed: int
    digest: str
    written: int
    rejects: int
    counts: dict[str, int]
    tally: dict[str, int]


class ResumeFile:
    """The state beside a partial output, in `NAME.partial.state`: a line of JSON, then the pending text."""

    def __init__(self, partial: Path, identity: RunIdentity) -> None:
        self._path = partial.with_name(partial.name + ".state")
        self._options = identity.arguments.keys()
        self._run = _SavedIdentity(FORMAT, identity.command, {**identity.arguments, **identity.dependencies})

    def load(self) -> ResumeState | None:
        """Return the saved state, or None if there is none; ResumeError if it belongs to a different run."""
        try:
            head, _, pending = self._path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileError(f"{self._path}: {because(error)}") from error
        try:
            saved = decode(head, _SavedState)
        except ValueError as error:
            raise ResumeError(f"{self._path} is broken; start again without --resume") from error
        self._compare(saved.run)
        mark = Mark(saved.written, (pending,), 1)
        return ResumeState(saved.consumed, saved.digest, mark, saved.rejects, saved.counts, saved.tally)

    def _compare(self, run: _SavedIdentity) -> None:
        if (run.command, run.format) != (self._run.command, FORMAT):
            raise ResumeError(
                f"{self._path} belongs to a run of `llamax {run.command}` (format {run.format}); "
                "start again without --resume"
            )
        before, now = run.arguments, self._run.arguments
        changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        if changed:
            flags = [f"--{name.replace('_', '-')} was {before.get(name)}" for name in changed if name in self._options]
            if flags:
                raise ResumeError(
                    f"cannot resume with different arguments: {', '.join(flags)}; repeat them or drop --resume"
                )
            what = " and ".join(name.removesuffix("_content") for name in changed)
            raise ResumeError(f"cannot resume: not the same {what} as in the first part; drop --resume")

    def save(self, state: ResumeState) -> None:
        """Replace the saved state."""
        saved = _SavedState(
            self._run, state.consumed, state.digest, state.mark.written, state.rejects, state.counts, state.tally
        )
        partial = self._path.with_name(self._path.name + ".partial")
        try:
            partial.write_bytes(msgspec.json.encode(saved) + b"\n" + state.mark.pending)
            os.replace(partial, self._path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)  # a full disk leaves an empty or unfinished one
            raise FileError(f"{self._path}: {because(error)}") from error

    def remove(self) -> None:
        """Remove the saved state."""
        remove_states(self._path, self._path.with_name(self._path.name + ".partial"))


def remove_states(*paths: Path) -> None:
    """Remove files that only `--resume` needs; FileError where that is impossible."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise FileError(f"cannot remove {path}: {because(error)}") from error


def left_behind(partial: Path) -> list[Path]:
    """Return the files beside a partial output that only `--resume` needs, of which a run that was killed leaves some.

    These are the state, `NAME.partial.state`, and answers of models that are not written yet, `NAME.partial.answers`.
    """
    name = re.compile(re.escape(partial.name) + r"\.(state|answers(-\d+)?)(\.partial)?")
    return [path for path in partial.parent.iterdir() if name.fullmatch(path.name)]
