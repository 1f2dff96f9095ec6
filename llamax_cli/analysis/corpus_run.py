"""A run of `llamax analyze corpus`: records of a corpus or of a mixture, and a card that describes the dataset."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from llamax_cli.analysis.corpus import (
    CorpusCounts,
    CorpusReport,
    count_corpus,
    say_totals,
    unknown_languages,
)
from llamax_cli.analysis.dataset import DataFile, Dataset
from llamax_cli.analysis.dataset_card import Places, check_folder, place_files, public, write_card
from llamax_cli.analysis.mixture_manifest import MixtureManifest
from llamax_cli.console import counted, escape
from llamax_cli.errors import DataError, FileError, UsageError
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.outputs import partial_path
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import Table

LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


class ConvertsInputs(Protocol):
    """What reads inputs that are not records."""

    def recognises(self, run: Run, source: Input) -> bool:
        """Return whether it reads this input."""


@dataclass(frozen=True)
class CorpusAnalysis:
    """What to count and what to write; UsageError if it contradicts itself.

    With `mixture`, the manifest of a mixture is described instead of a corpus, and the files are its samples.
    """

    tokenizer: str | None = None
    directions: bool = False
    matrix: bool = False
    table: str | None = None
    card: Path | None = None
    license: str | None = None
    mixture: str | None = None

    def __post_init__(self) -> None:
        if self.matrix and self.directions:
            raise UsageError("--directions and --matrix: choose one")
        if self.matrix and not self.table:
            raise UsageError("--matrix is a table; say in which format, as in --table md")
        if self.license is not None and self.card is None:
            raise UsageError("--license requires --card, which names it")
        if self.license is not None and not LICENSE.fullmatch(self.license):
            raise UsageError(
                f"--license {self.license!r} is not a licence as the hub writes them, such as cc-by-sa-4.0"
            )
        if self.mixture is not None and (self.tokenizer or self.directions or self.matrix):
            raise UsageError(
                "--mixture describes a mixture by its manifest, without --tokenizer, --directions or --matrix"
            )


def write_corpus(run: Run, analysis: CorpusAnalysis, converter: ConvertsInputs) -> None:
    """Write what the analysis asks for."""
    if analysis.card is not None:
        output = run.settings.output
        is_ours = run.settings.resume and output is not None and partial_path(output).exists()
        check_folder(analysis.card, is_ours=is_ours)
        run.hashing = True  # its files are told by their hashes
    records = _corpus(run, analysis, converter) if analysis.mixture is None else _mixture(run, analysis)
    run.write(records, output=Table(run.settings.output, analysis.table) if analysis.table else None)


def _corpus(run: Run, analysis: CorpusAnalysis, converter: ConvertsInputs) -> Iterator[Any]:
    inputs = run.inputs
    places = _places(analysis.card, inputs)
    if analysis.card is not None:
        for source in inputs:
            if converter.recognises(run, source):
                raise DataError(
                    f"--card describes records, and {source.name} is not in records; make them with llamax convert"
                )
    corpus = count_corpus(run, inputs, analysis.tokenizer, describes=analysis.card is not None)
    unit = "tokens" if analysis.tokenizer else "words"
    report = CorpusReport(corpus, unit, unknown_languages(corpus))
    say_totals(run, report)
    if not analysis.tokenizer:
        run.remarks.append("words are counted, as no --tokenizer is named")
    yield from (
        report.matrix() if analysis.matrix else report.directions() if analysis.directions else report.languages()
    )
    if analysis.card is not None:  # last, so that a run that fails at it or after it can be resumed
        codes, files = sorted(corpus.languages), _files(inputs, corpus, places)
        legend = _legend(analysis.tokenizer)
        tables = report.languages(), report.directions()
        _write_card(run, analysis, places, Dataset("", None, codes, files, *tables, legend=legend))


def _mixture(run: Run, analysis: CorpusAnalysis) -> Iterator[Any]:
    manifest = MixtureManifest.read(str(analysis.mixture))
    rows = manifest.languages()
    run.figures |= {"samples": manifest.samples, "languages": len(rows)}
    run.remarks.append(f"{counted(manifest.samples, 'sample')} in {counted(len(rows), 'language')}")
    if run.settings.files and analysis.card is None:
        raise UsageError("--mixture reads the manifest alone; files of its samples are for --card")
    if analysis.card is not None:
        inputs = run.inputs if run.settings.files else [run.input(manifest.file())]
        places = _places(analysis.card, inputs)
        corpus = count_corpus(run, inputs, None, describes=True, mixture=True)
        files = _files(inputs, corpus, places)
        if (found := sum(sum(file.records.values()) for file in files)) != manifest.samples:
            names = ", ".join(source.name for source in inputs)
            raise DataError(
                f"{names}: {counted(found, 'sample')}, but {analysis.mixture} tells of {manifest.samples:,}; "
                "name the files that this mixture was written to"
            )
        directions = [
            {"src_lang": source, "tgt_lang": target, "samples": count}
            for (source, target), count in sorted(manifest.directions().items())
        ]
    yield from rows
    if analysis.card is not None:
        codes = [row["lang"] for row in rows]
        _write_card(run, analysis, places, Dataset("", None, codes, files, rows, directions, manifest))


def _legend(tokenizer: str | None) -> str:
    """Return what the words in the tables of a card mean."""
    unit = (
        f"Tokens are those of `{escape(public(tokenizer))}`"
        if tokenizer
        else "Words are what stands between white space"
    )
    return (
        f"{unit}. `pairs` are those with the language on either side, `directions` the languages that it is paired "
        "with, and duplicates are texts and pairs that are there already. Ratios are of characters, target to source."
    )


def _places(folder: Path | None, inputs: Sequence[Input]) -> Places:
    """Return where each file of the dataset is in the folder of its card."""
    return Places({}, []) if folder is None else place_files(folder, inputs)


def _files(inputs: Sequence[Input], corpus: CorpusCounts, places: Places) -> list[DataFile]:
    """Return the files of the dataset, in the order of their paths."""
    files = []
    for source in inputs:
        if source.length is None or source.sha256 is None:
            raise FileError(f"{source.name} was not read to its end, so its hash is unknown")
        counts = corpus.files.get(source.name)
        kinds: dict[str, set[str]] = {}
        for key, kind in counts.keys if counts else ():
            kinds.setdefault(key, set()).add(kind)
        files.append(
            DataFile(
                places.of[source.name],
                source.length,
                source.sha256,
                +counts.records if counts else {},
                {key: frozenset(of_key) for key, of_key in kinds.items()},
            )
        )
    return sorted(files, key=lambda file: file.path)


def _write_card(run: Run, analysis: CorpusAnalysis, places: Places, dataset: Dataset) -> None:
    """Write the card, and say what is left to do about it."""
    folder = analysis.card or Path()
    write_card(folder, replace(dataset, name=folder.resolve().name or "dataset", license=analysis.license))
    run.remarks.append(
        f"card in {folder}" + ("" if analysis.license else ", without a licence, as no --license is named")
    )
    if places.outside:
        is_not = "is not there yet; copy it" if len(places.outside) == 1 else "are not there yet; copy them"
        run.remarks.append(f"{', '.join(places.outside)} {is_not} before you publish it")
