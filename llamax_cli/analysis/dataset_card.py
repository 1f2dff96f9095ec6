"""A dataset card, as the Hugging Face hub shows it: README.md with what the hub reads at its top, in YAML.

Beside it goes croissant.json. Both are made from the counts of a corpus or from the manifest of a mixture.
"""

import glob
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from llamax_cli import __version__
from llamax_cli.analysis.corpus_counts import PAIRS, SAMPLES, TEXTS
from llamax_cli.analysis.croissant import croissant
from llamax_cli.analysis.dataset import DataFile, Dataset
from llamax_cli.analysis.mixture_manifest import MixtureManifest
from llamax_cli.console import escape
from llamax_cli.errors import FileError, UsageError
from llamax_cli.languages import name_of, primary_subtag
from llamax_cli.streams.atomic import atomic_file
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.tables import markdown

CARD, CROISSANT = NAMES = ("README.md", "croissant.json")
TASKS = {PAIRS: "translation", TEXTS: "text-generation", SAMPLES: "text-generation"}
ORIGINS = ("para", "mono", "aug", "mt")  # the options of mix that name files
PLAIN = re.compile(r"[A-Za-z][\w./<+-]*")
NOT_PLAIN = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}  # what YAML reads as something else


def card_paths(folder: Path | None) -> list[Path]:
    """Return the files that a card in a folder consists of."""
    return [] if folder is None else [folder / name for name in NAMES]


def check_folder(folder: Path, *, is_ours: bool = False) -> None:
    """Raise FileError where a card cannot be written, or is there already: somebody may have written to it since.

    With `is_ours`, what is there is that of the interrupted run which this one resumes.
    """
    if folder.exists() and not folder.is_dir():
        raise FileError(f"--card {folder} is not a folder")
    for path in card_paths(folder):
        if not is_ours and (path.exists() or path.is_symlink()):
            raise FileError(f"{path} is there already; rename or remove it, or name another folder")


class Places(NamedTuple):
    """Where the inputs are in the folder of a card, by their names, and which of them have to be copied there."""

    of: dict[str, str]
    outside: list[str]


def place_files(folder: Path, sources: Iterable[Input]) -> Places:
    """Return where the inputs are in the folder of a card, or will be.

    UsageError where two would have the same place, or where an input is not a file.
    """
    places, outside = dict[str, str](), list[str]()
    for source in sources:
        path = Path(source.path)
        if source.path == "-" or not path.is_file():
            raise UsageError(f"--card describes files, and {source.name} is none; write it to a file first")
        try:
            place = path.resolve().relative_to(folder.resolve()).as_posix()
        except ValueError:
            place = path.name
            outside.append(place)
        if place in places.values():
            raise UsageError(f"--card: two files would be {place} in {folder}; move them there under other names")
        places[source.name] = place
    return Places(places, outside)


def write_card(folder: Path, dataset: Dataset) -> None:
    """Write both files, which appear together; FileError if they cannot be written."""
    texts = (card(dataset), json.dumps(croissant(dataset), ensure_ascii=False, indent=2) + "\n")
    is_new = not folder.exists()
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(atomic_file(path)) for path in card_paths(folder)]
            for file, text in zip(files, texts, strict=True):
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())  # before either appears, so that a full disk leaves neither
    except FileError:
        with suppress(OSError):
            if is_new:
                folder.rmdir()
        raise


def card(dataset: Dataset) -> str:
    """Return README.md."""
    sections = [
        _front_matter(dataset),
        f"# {escape(dataset.name)}\n\n{dataset.summary()}{_license(dataset)}",
        f"## Files\n\n{_markdown(_file_rows(dataset.files))}",
        _table("Languages", [_named(row) for row in dataset.languages], dataset.legend),
        _table("Directions", list(map(dict, dataset.directions))),
        _mixture(dataset.mixture) if dataset.mixture else "",
        f"Made by `llamax analyze corpus` (llamax {__version__}).",
    ]
    return "\n\n".join(section.strip("\n") for section in sections if section) + "\n"


def _table(title: str, rows: list[dict[str, Any]], legend: str = "") -> str:
    return f"## {title}\n\n{legend}\n\n{_markdown(rows)}".replace("\n\n\n\n", "\n\n") if rows else ""


def _markdown(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a table, in which a name with a line end stays in its cell."""
    return markdown([{key: escape(v) if isinstance(v, str) else v for key, v in row.items()} for row in rows])


def _license(dataset: Dataset) -> str:
    return "" if dataset.license else " No licence is stated."


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the name of its language behind the code."""
    return {"lang": row["lang"], "name": name_of(row["lang"])} | {k: v for k, v in row.items() if k != "lang"}


def _file_rows(files: Sequence[DataFile]) -> list[dict[str, Any]]:
    return [
        {"file": file.path, "bytes": file.bytes, "sha256": file.sha256, **dict(sorted(file.records.items()))}
        for file in files
    ]


def _mixture(mixture: MixtureManifest) -> str:
    """Return the section that says how a mixture was made."""
    option_of = {path: option for option in ORIGINS for path in mixture.files_of(option)}
    sources = [
        {
            "mixed file": public(each.path),
            "as": option_of.get(each.path, ""),
            "bytes": each.bytes,
            "sha256": each.sha256,
        }
        for each in mixture.sources
    ]
    origins = [{"origin": origin, "samples": count} for origin, count in mixture.realised.origin.items()]
    settings = [
        {"setting": key, "value": json.dumps(public(value), ensure_ascii=False)}
        for key, value in mixture.settings().items()
    ]
    tables = "\n".join(_markdown(rows) for rows in (sources, origins, settings) if rows)
    opening = "Mixed by `llamax mix`" + (f" (llamax {escape(mixture.version)})" if mixture.version else "")
    return f"## Mixture\n\n{opening}, Algorithm 1 of [LLaMAX](https://arxiv.org/abs/2407.05975).\n\n{tables}"


def public(value: Any) -> Any:
    """Return what a card says of a path or paths: of an absolute one the name, as the rest is about the machine."""
    if isinstance(value, list):
        return list(map(public, value))
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


# -- what the hub reads -----------------------------------------------------------------------------------------------


def _front_matter(dataset: Dataset) -> str:
    tags = dataset.tags()
    values: dict[str, Any] = {
        "license": dataset.license,
        "language": sorted({primary_subtag(tag) for tag in tags}),
        # The hub wants codes of ISO 639 above; the tag says more where there are several scripts or regions.
        "language_bcp47": tags if any("-" in tag for tag in tags) else None,
        "multilinguality": multilinguality(dataset),
        "task_categories": sorted({TASKS[kind] for kind in dataset.kinds} | _mixed_tasks(dataset)),
        "size_categories": [size_category(dataset.size)],
        "configs": [
            {
                "config_name": name,
                "data_files": [{"split": "train", "path": [glob.escape(file.path) for file in files]}],
            }
            for name, files in dataset.configs.items()
        ],
    }
    lines = [line for key, value in values.items() if value for line in _yaml({key: value})]
    return "\n".join(["---", *lines, "---"])


def _mixed_tasks(dataset: Dataset) -> set[str]:
    """Return the task of a mixture that has pairs, besides that of its samples."""
    return {TASKS[PAIRS]} if dataset.mixture and dataset.mixture.realised.direction else set()


def multilinguality(dataset: Dataset) -> list[str]:
    """Return the hub's word for how many languages there are, and how they go together."""
    if len(dataset.codes) < 2:
        return ["monolingual"]
    return ["translation"] if dataset.kinds == [PAIRS] else ["multilingual"]


def size_category(count: int) -> str:
    """Return the hub's category for a number of records: `size_category(31466) -> "10K<n<100K"`."""
    bounds = [f"{number}{unit}" for unit in "KMBT" for number in (1, 10, 100)][:10]
    for place, (low, high) in enumerate(pairwise(["", *bounds])):
        if count < 10 ** (3 + place):
            return f"{low}<n<{high}" if low else f"n<{high}"
    return f"n>{bounds[-1]}"


def _yaml(value: Mapping[str, Any]) -> list[str]:
    """Return lines of YAML for texts, lists and mappings of them."""
    lines: list[str] = []
    for key, item in value.items():
        if isinstance(item, list):
            lines.append(f"{key}:")
            for each in item:
                first, *rest = _yaml(each) if isinstance(each, dict) else [_scalar(each)]
                lines += [f"- {first}", *(f"  {line}" for line in rest)]
        else:
            lines.append(f"{key}: {_scalar(item)}")
    return lines


def _scalar(text: str) -> str:
    """Return a text as YAML: `_scalar("no") -> '"no"'`, which without quotes would be false."""
    is_plain = PLAIN.fullmatch(text) and text.lower() not in NOT_PLAIN
    return text if is_plain else json.dumps(text, ensure_ascii=False)
