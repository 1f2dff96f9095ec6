"""Command lines out of manifests.

A manifest may come from anywhere. So only options that a command of llamax has are taken from it, each as one argument
with its value and never through a shell; all that the run writes goes into one folder; and options that would run other
programs, or reach a server, are refused.
"""

import inspect
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from llamax_cli import cli
from llamax_cli.errors import DataError, ReplayError
from llamax_cli.options.command import Arguments, Reads, Untrusted, Writes, marks
from llamax_cli.provenance.manifests import Content, Manifest
from llamax_cli.streams.manifest import plain
from llamax_cli.streams.paths import STDIN

# Options of the run itself, which a run made again has otherwise.
LEFT_OUT = {"resume", "debug", "quiet", "manifest", "dry_run", "preflight", "throughput"}
TRAINING = ("train", "tune")
# What training also does beside the model: it is neither measured again nor told to trackers.
ASIDE = [f"--set={name}=[]" for name in ("trackers", "validation", "translate")]


@dataclass(frozen=True)
class Renaming:
    """Where things are now: `scratch` is the folder for all that is written, `moved` the places of what was read.

    `moved` has the absolute path in the manifest as its key.
    """

    scratch: Path
    moved: Mapping[str, Path]

    def written(self, manifest: Manifest, path: str | Path) -> Path:
        """Return where a path is written now: `run/a.jsonl` of the folder /x is `SCRATCH/x/run/a.jsonl`.

        The folders above it stay as they were, because ids and languages may come from their names.
        """
        place = os.path.normpath(manifest.folder / path)  # without .., as it is absolute
        return self.scratch / place.lstrip("/")

    def read(self, manifest: Manifest, path: str | Path) -> Path | None:
        """Return where what was read at a path is now, None if it is still there."""
        return self.moved.get(os.path.normpath(manifest.folder / path))


class CommandLine:
    """How a run is made again; DataError if its manifest names a command, an option or a value that there is not."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        name = manifest.command
        if name not in cli.COMMANDS:
            raise DataError(f"{manifest.path}: llamax has no command {name!r}")
        function: Any = cli.function_of(name)
        self._takes: Arguments | None = getattr(function, "takes", None)
        self._options = {each.name.rstrip("_"): each for each in inspect.signature(function).parameters.values()}
        if name not in TRAINING and "manifest" not in self._options:
            raise DataError(f"{manifest.path}: llamax {name} writes no manifest")
        self._parameters = {each.name.rstrip("_"): each for each in cli.load(name).params}

    @property
    def facts(self) -> dict[str, Any]:
        """What the result depends on besides the options, such as the content of a model."""
        known = {"files", *self._parameters}
        return {name: value for name, value in self.manifest.arguments.items() if name not in known}

    @cached_property
    def _given(self) -> dict[str, Any]:
        """The options with their values, of those that a run made again has."""
        arguments = self.manifest.arguments
        return {
            name: arguments[name]
            for name in self._parameters
            if name in arguments and name not in LEFT_OUT and arguments[name] is not None
        }

    def check(self) -> None:
        """Raise ReplayError where the run would do what nothing but a user may ask for."""
        for name, value in self._given.items():
            for mark in marks(self._options[name]) if name in self._options else ():
                if isinstance(mark, Untrusted) and (reason := mark.reason(value, self.manifest.folder)):
                    raise ReplayError(
                        f"{self.manifest.path}: {self._flag(name)} {reason}, which a manifest may not ask for; "
                        "--dry-run shows the command line to run yourself"
                    )
        for path in self._read_paths():
            if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
                raise ReplayError(f"{self.manifest.path}: {path} is neither a file nor a folder")

    def mentions(self, content: Content) -> bool:
        """Return whether an option or an argument names this path, and not only a folder that it is in."""
        return str(self.manifest.place(content)) in set(self._read_paths())

    def _read_paths(self) -> Iterator[str]:
        for name, value in self._given.items():
            for item in value if isinstance(value, list) else [value]:
                yield from (os.path.normpath(self.manifest.folder / path) for path in self._paths(name, item))

    def words(self, renaming: Renaming, *, manifest: Path | None = None) -> list[str]:
        """Return the command and its arguments."""
        options, files = list[str](), list[str]()
        values = dict(self._given)
        for name in list(values):
            if self._is_name_of_output(name, values[name]):
                (path,) = self._written_paths(name, values.pop(name))
                values["output"] = path
        for name, value in values.items():
            renamed = self._renamed(name, value, renaming)
            if name in ("files", "flags"):
                files += map(str, renamed if isinstance(renamed, list) else [renamed])
            elif renamed != plain(self._parameters[name].default):
                options += self._words(name, renamed)
        if self.manifest.command in TRAINING:
            options += ASIDE
        elif manifest is not None:
            options.append(f"--manifest={manifest}")
        if "quiet" in self._parameters:
            options.append("--quiet")
        words = [*self.manifest.command.split(), *options, *(["--", *files] if files else [])]
        if any("\0" in word for word in words):
            raise DataError(f"{self.manifest.path} is no manifest: an argument holds NUL")
        return words

    def _flag(self, name: str) -> str:
        return str(max(self._parameters[name].opts, key=len))

    def _words(self, name: str, value: Any) -> Iterator[str]:
        flag = self._flag(name)
        if value is True and getattr(self._parameters[name], "is_flag", False):
            yield flag
        elif value is not False or not getattr(self._parameters[name], "is_flag", False):
            for each in value if isinstance(value, list) else [value]:
                yield f"{flag}={str(each).lower() if isinstance(each, bool) else each}"

    def _renamed(self, name: str, value: Any, renaming: Renaming) -> Any:
        """Return the value of an option with the paths in it as they are now."""
        if isinstance(value, list):
            return [self._renamed(name, each, renaming) for each in value]
        if not isinstance(value, str | int | float):
            raise DataError(f"{self.manifest.path}: {self._flag(name)} has a value that is none")
        if self._writes(name):
            return str(renaming.written(self.manifest, str(value)))
        now = [renaming.read(self.manifest, path) for path in self._paths(name, value)]
        if any(now) and isinstance(value, str):
            if len(now) == 1:
                return str(now[0])
            items = value.split(",")  # several in one value
            return ",".join(str(each or item) for item, each in zip(items, now, strict=True))
        return value

    def _paths(self, name: str, value: Any) -> list[str]:
        """Return the paths that a value of an option names."""
        if name == "files":
            return [str(self._takes.path(str(value)))] if self._takes is not None and value != STDIN else []
        if name not in self._options or not isinstance(value, str):
            return []
        read = [each for each in marks(self._options[name]) if isinstance(each, Reads) and not isinstance(each, Writes)]
        if name in self._given and not read and self._is_file_option(name):
            return [value]
        return [str(path) for mark in read for path in mark.paths(value)]

    def _is_file_option(self, name: str) -> bool:
        """Whether the values of an option are the files of the command, as those of `mix --para` are."""
        files = self.manifest.arguments.get("files")
        return self._takes is None and isinstance(files, list) and isinstance(self._given[name], list)

    def _writes(self, name: str) -> bool:
        return name in self._options and any(isinstance(each, Writes) for each in marks(self._options[name]))

    def _written_paths(self, name: str, value: Any) -> list[str]:
        writes = [each for each in marks(self._options[name]) if isinstance(each, Writes)]
        return [str(path) for mark in writes for path in mark.paths(value)]

    def written(self, renaming: Renaming) -> list[Path]:
        """Return the paths that the options write."""
        names = [name for name in self._given if self._writes(name)]
        values = [
            path
            for name in names
            for path in (
                self._written_paths(name, self._given[name])
                if self._is_name_of_output(name, self._given[name])
                else [str(self._given[name])]
            )
        ]
        return [renaming.written(self.manifest, path) for path in values]

    def _is_name_of_output(self, name: str, value: Any) -> bool:
        """Whether an option names what is written without being its path, as `build-lexicon --name` does."""
        return name == "name" and self._writes(name) and isinstance(value, str)
