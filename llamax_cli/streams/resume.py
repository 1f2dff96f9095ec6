"""The way back into an interrupted run: what was done when its output was last safe on disk."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from llamax_cli.errors import FileError, ResumeError, because
from llamax_cli.streams.outputs import Mark

FORMAT = 1


class ResumeState(msgspec.Struct, frozen=True):
    """How far a run is.

    `consumed` bytes of input lines, whose hash is `digest`, became what stands before `mark` in the output, and
    `rejects` bytes of rejects. Where a command makes records from something other than lines, `consumed` and `digest`
    are of the output instead.
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

    These are the command, the arguments that change its result, and the `dependencies`, which are what the result
    depends on besides: `{"lexicons": [fingerprint]}`, or `{"model_content": [hash]}` for what is in a named file.
    """

    command: str
    arguments: Mapping[str, Any]
    dependencies: Mapping[str, Any]


class _SavedIdentity(msgspec.Struct):
    """The identity of the run that saved a state; its arguments and dependencies share one object."""

    format: int
    command: str
    arguments: dict[str, Any]


class _SavedState(msgspec.Struct):
    """The first line of a saved state; the text that is not compressed yet follows it."""

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
        """Return the state that was saved, None where there is none; ResumeError where it is of another run."""
        try:
            head, _, pending = self._path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileError(f"{self._path}: {because(error)}") from error
        try:
            saved = msgspec.json.decode(head, type=_SavedState)
        except msgspec.DecodeError as error:
            raise ResumeError(f"{self._path} is broken; start again without --resume") from error
        self._compare(saved.run)
        mark = Mark(saved.written, (pending,), 1)
        return ResumeState(saved.consumed, saved.digest, mark, saved.rejects, saved.counts, saved.tally)

    def _compare(self, run: _SavedIdentity) -> None:
        if (run.command, run.format) != (self._run.command, FORMAT):
            raise ResumeError(f"{self._path} is of `llamax {run.command}`, format {run.format}")
        before, now = run.arguments, self._run.arguments
        changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        if changed:
            flags = [f"--{name.replace('_', '-')} was {before.get(name)}" for name in changed if name in self._options]
            if flags:
                raise ResumeError(
                    f"cannot resume with other arguments: {', '.join(flags)}; repeat them or drop --resume"
                )
            what = " and ".join(name.removesuffix("_content") for name in changed)
            raise ResumeError(f"cannot resume: not the same {what} as in the first part; drop --resume")

    def save(self, state: ResumeState) -> None:
        """Write the state whole or not at all."""
        saved = _SavedState(
            self._run, state.consumed, state.digest, state.mark.written, state.rejects, state.counts, state.tally
        )
        partial = self._path.with_name(self._path.name + ".partial")
        try:
            partial.write_bytes(msgspec.json.encode(saved) + b"\n" + state.mark.pending)
            os.replace(partial, self._path)
        except OSError as error:
            raise FileError(f"{self._path}: {because(error)}") from error

    def remove(self) -> None:
        """Forget the state."""
        self._path.unlink(missing_ok=True)
        self._path.with_name(self._path.name + ".partial").unlink(missing_ok=True)
