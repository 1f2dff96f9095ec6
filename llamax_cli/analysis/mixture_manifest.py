"""The manifest of a mixture: which languages and origins it has, of which files it was mixed, and how."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from llamax_cli.documents import decode
from llamax_cli.errors import DataError, FileError
from llamax_cli.languages import known
from llamax_cli.records import MixtureLanguage
from llamax_cli.streams.inputs import Input

ADVICE = "give what llamax mix --manifest wrote"
# The arguments of a run that say nothing about what it mixed.
ABOUT_THE_RUN = {
    "files", "output", "resume", "limit", "rejects", "max_rejects", "manifest", "quiet", "debug", "workers", "memory",
    "plan", "para", "mono", "aug", "mt",
}  # fmt: skip


class _Source(msgspec.Struct):
    path: str
    bytes: int | None
    sha256: str | None


class _Realised(msgspec.Struct):
    origin: dict[str, int]
    direction: dict[str, int]
    language: dict[str, int]


class _Figures(msgspec.Struct):
    realised: _Realised | None = None


class _Counts(msgspec.Struct):
    out: int


class _Manifest(msgspec.Struct):
    command: str
    arguments: dict[str, Any]
    inputs: list[_Source]
    counts: _Counts
    figures: _Figures
    versions: dict[str, str]


@dataclass(frozen=True)
class MixtureManifest:
    """What `llamax mix --manifest` wrote; DataError where a file is something else."""

    path: Path
    content: _Manifest
    realised: _Realised

    @classmethod
    def read(cls, path: str) -> "MixtureManifest":
        """Return the manifest in a file."""
        source = Input(path)
        with source.open() as stream, source.readable():
            data = stream.read()
        try:
            content = decode(data, _Manifest)
        except ValueError as error:
            raise DataError(f"--mixture {path} is not a manifest ({error}); {ADVICE}") from error
        if content.command != "mix":
            raise DataError(f"--mixture {path} is the manifest of llamax {content.command}; {ADVICE}")
        if content.figures.realised is None:
            raise DataError(f"--mixture {path} is of a run that wrote no samples, such as a plan; {ADVICE}")
        realised = content.figures.realised
        if unknown := [code for code in (*realised.language, *chain(*_directions(realised))) if known(code) != code]:
            raise DataError(f"--mixture {path} names no language by {unknown[0]!r}; {ADVICE}")
        return cls(Path(path), content, realised)

    @property
    def samples(self) -> int:
        """The number of samples."""
        return self.content.counts.out

    @property
    def sources(self) -> list[_Source]:
        """The files that were mixed."""
        return self.content.inputs

    @property
    def version(self) -> str:
        """The version of llamax that mixed them."""
        return self.content.versions.get("llamax", "")

    def languages(self) -> list[MixtureLanguage]:
        """Return a record for each language, in the order of the codes."""
        partners: dict[str, set[str]] = {}
        for one, other in self.directions():
            partners.setdefault(one, set()).add(other)
            partners.setdefault(other, set()).add(one)
        return [
            MixtureLanguage(lang=code, samples=count, directions=len(partners.get(code, set()) - {code}))
            for code, count in sorted(self.realised.language.items())
        ]

    def directions(self) -> Counter[tuple[str, str]]:
        """Return the number of samples in each direction."""
        return Counter(_directions(self.realised))

    def settings(self) -> dict[str, Any]:
        """Return the options that decided what was mixed, but for those that were not given and have no default."""
        arguments = self.content.arguments.items()
        return {key: value for key, value in arguments if key not in ABOUT_THE_RUN and value is not None}

    def files_of(self, option: str) -> list[str]:
        """Return the files that an option named, such as `para`."""
        return [str(path) for path in self.content.arguments.get(option) or ()]

    def file(self) -> str:
        """Return the path of the samples: as they were written or beside the manifest; FileError if neither."""
        output = self.content.arguments.get("output")
        if not isinstance(output, str):
            raise FileError(f"--mixture {self.path}: its samples went to standard output; name the file that has them")
        for path in (Path(output), self.path.parent / Path(output).name):
            if path.is_file():
                return str(path)
        raise FileError(f"--mixture {self.path}: {output} is not there; name the file of its samples")


def _directions(realised: _Realised) -> dict[tuple[str, str], int]:
    return {_direction(name, realised.language): count for name, count in realised.direction.items()}


def _direction(name: str, languages: Mapping[str, int]) -> tuple[str, str]:
    """Return the languages of a direction, whose codes may have hyphens: `"en-pt-PT" -> ("en", "pt-PT")`."""
    pieces = name.split("-")
    splits = (("-".join(pieces[:place]), "-".join(pieces[place:])) for place in range(1, len(pieces)))
    fallback = (pieces[0], "-".join(pieces[1:]))
    return next((split for split in splits if languages.keys() >= set(split)), fallback)
