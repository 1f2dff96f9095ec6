"""A dataset to be described: its files, its languages, and what was counted of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llamax_cli.analysis.corpus_counts import PAIRS, SAMPLES, TEXTS
from llamax_cli.analysis.mixture_manifest import MixtureManifest
from llamax_cli.console import counted
from llamax_cli.languages import languages

KINDS = (TEXTS, PAIRS, SAMPLES)
MIXED = "records"  # how the part of a dataset is called whose files have both texts and pairs


@dataclass(frozen=True)
class DataFile:
    """A file of a dataset: its path in the folder, its size, what its records are, and the kinds of their values."""

    path: str
    bytes: int
    sha256: str
    records: Mapping[str, int]
    keys: Mapping[str, frozenset[str]]

    @property
    def config(self) -> str:
        """The part of the dataset that it belongs to: texts, pairs, samples, or records where it has several."""
        return next(iter(self.records)) if len(self.records) == 1 else MIXED


@dataclass(frozen=True)
class Dataset:
    """What a card says: files, languages by our codes, and tables by language and direction, with their `legend`."""

    name: str
    license: str | None
    codes: Sequence[str]
    files: Sequence[DataFile]
    languages: Sequence[Mapping[str, Any]]
    directions: Sequence[Mapping[str, Any]] = ()
    mixture: MixtureManifest | None = None
    legend: str = ""

    @property
    def kinds(self) -> list[str]:
        """What its records are, in a fixed order."""
        return [kind for kind in KINDS if any(kind in file.records for file in self.files)]

    @property
    def size(self) -> int:
        """The number of its records."""
        return sum(sum(file.records.values()) for file in self.files)

    @property
    def configs(self) -> dict[str, list[DataFile]]:
        """The files that have records by the part of the dataset that they belong to."""
        parts: dict[str, list[DataFile]] = {}
        for file in self.files:
            if file.records:
                parts.setdefault(file.config, []).append(file)
        return dict(sorted(parts.items()))

    def tags(self) -> list[str]:
        """Return the languages as BCP-47 tags."""
        return sorted({languages()[code].bcp47 if code in languages() else code for code in self.codes})

    def summary(self) -> str:
        """Return one sentence about it."""
        numbers = {kind: sum(file.records.get(kind, 0) for file in self.files) for kind in KINDS}
        parts = [counted(number, kind.removesuffix("s")) for kind, number in numbers.items() if number]
        return f"{' and '.join(parts) or 'No records'} in {counted(len(self.codes), 'language')}."
