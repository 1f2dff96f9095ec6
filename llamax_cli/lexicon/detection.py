"""Which format a dictionary is in, and the dictionaries that are at a path."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from llamax_cli.errors import DataError
from llamax_cli.lexicon.dictionaries import Dictionary, DictionaryRequest, first_lines, paths_in
from llamax_cli.lexicon.formats.marked import AT, MARKED
from llamax_cli.registry import find
from llamax_cli.streams.lines import bare

FORMATS = {
    "muse": "llamax_cli.lexicon.formats.two_columns:open_muse",
    "panlex": "llamax_cli.lexicon.formats.two_columns:open_noted",
    "gatitos": "llamax_cli.lexicon.formats.two_columns:open_noted",
    "tsv": "llamax_cli.lexicon.formats.two_columns:open_tsv",
    "hunalign": "llamax_cli.lexicon.formats.marked:open_hunalign",
    "mrasp": "llamax_cli.lexicon.formats.marked:open_mrasp",
    "panlex-csv": "llamax_cli.lexicon.formats.panlex_csv:open_export",
    "records": "llamax_cli.lexicon.formats.entries:open_records",
    "lexicon": "llamax_cli.lexicon.formats.entries:open_lexicon",
}
EXPORT = ("langvar.csv", "expr.csv", "denotation.csv")
BY_NAME = {r".*\.lex": "lexicon", r"en_.*\.tsv": "gatitos", r"[a-z]{3}2[a-z]{3}\..*|.*\.cosda\..*": "panlex"}


def open_dictionaries(request: DictionaryRequest, paths: Sequence[str], format: str | None) -> Iterator[Dictionary]:
    """Yield the dictionaries at the paths, each in the format named or the one it looks like."""
    for path in paths:
        for each in _expanded(path):
            yield find(FORMATS[format or detect(request, each)])(request, each)


def _expanded(path: str) -> list[str]:
    """Return the dictionaries that a folder holds; a folder that is one itself, and a file, as they are."""
    folder = Path(path)
    if path == "-" or not folder.is_dir() or is_export(folder):
        return [path]
    found = list(paths_in(folder))
    if not found:
        raise DataError(f"{path}: no file in this folder is named by two languages, as en-fr.txt; name the files")
    return found


def is_export(folder: Path) -> bool:
    """Return whether a folder holds the tables that PanLex exports."""
    return all((folder / name).is_file() for name in EXPORT)


def detect(request: DictionaryRequest, path: str) -> str:
    """Return the format of a dictionary by its name or else its first lines."""
    if path != "-" and Path(path).is_dir():
        return "panlex-csv"
    name = bare(path)
    for pattern, found in BY_NAME.items():
        if re.fullmatch(pattern, name):
            return found
    lines = first_lines(request.input(path))
    if lines[0].lstrip().startswith("{"):
        return "records"
    if all(map(MARKED.fullmatch, lines[0].split("\t"))):
        return "mrasp"
    if "\t" not in lines[0] and 2 * sum(AT in line for line in lines) > len(lines):
        return "hunalign"
    return "tsv" if Path(name).suffix in {".tsv", ".tab"} else "muse"
