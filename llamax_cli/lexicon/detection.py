"""Dictionary formats: detecting the format of a path, and opening it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from llamax_cli.errors import DataError
from llamax_cli.lexicon.dictionaries import Dictionary, DictionaryRequest, dictionaries_in, head_lines
from llamax_cli.lexicon.formats.json_lines import is_gatitos, is_wiktionary
from llamax_cli.lexicon.formats.marked import MARKED, SIDE_SEPARATOR
from llamax_cli.registry import find
from llamax_cli.streams.lines import bare
from llamax_cli.streams.unread import refuse_unread

FORMATS = {
    "muse": "llamax_cli.lexicon.formats.two_columns:open_muse",
    "panlex": "llamax_cli.lexicon.formats.two_columns:open_annotated",
    "gatitos": "llamax_cli.lexicon.formats.two_columns:open_annotated",
    "tsv": "llamax_cli.lexicon.formats.two_columns:open_tsv",
    "hunalign": "llamax_cli.lexicon.formats.marked:open_hunalign",
    "mrasp": "llamax_cli.lexicon.formats.marked:open_mrasp",
    "panlex-csv": "llamax_cli.lexicon.formats.panlex_csv:open_export",
    "freedict": "llamax_cli.lexicon.formats.freedict:open_tei",
    "dictd": "llamax_cli.lexicon.formats.freedict:open_dictd",
    "wiktionary": "llamax_cli.lexicon.formats.json_lines:open_wiktionary",
    "gatitos-json": "llamax_cli.lexicon.formats.json_lines:open_gatitos",
    "records": "llamax_cli.lexicon.formats.entries:open_records",
    "lexicon": "llamax_cli.lexicon.formats.entries:open_lexicon",
}
EXPORT_FILES = ("langvar.csv", "expr.csv", "denotation.csv")
BY_NAME = {
    r".*\.lex": "lexicon",
    r".*\.tei": "freedict",
    r".*\.dict(\.dz)?": "dictd",
    r"en_.*\.tsv": "gatitos",
    r"[a-z]{3}2[a-z]{3}\..*|.*\.cosda\..*": "panlex",
}


def open_dictionaries(request: DictionaryRequest, paths: Sequence[str], format: str | None) -> Iterator[Dictionary]:
    """Yield the dictionaries at the paths; without a format, detect the format of each dictionary."""
    expanded = [path for given in paths for path in _expand(given)]
    for path in expanded:
        if not Path(path).is_dir():
            request.input(path)  # so that the run knows how much there is to read
    for path in expanded:
        yield find(FORMATS[format or detect(request, path)])(request, path)


def _expand(path: str) -> list[str]:
    """Return the dictionaries of a folder; return only the path itself for a file or for a PanLex export."""
    folder = Path(path)
    if path == "-" or not folder.is_dir() or is_export(folder):
        return [path]
    dictionaries = list(dictionaries_in(folder))
    if not dictionaries:
        raise DataError(
            f"{path}: no file in this folder has two languages in its name, as en-fr.txt does; list the files"
        )
    return dictionaries


def is_export(folder: Path) -> bool:
    """Return whether a folder contains the tables of a PanLex export."""
    return all((folder / name).is_file() for name in EXPORT_FILES)


def detect(request: DictionaryRequest, path: str) -> str:
    """Return the format of a dictionary, detected by its name or else by its first lines."""
    if path != "-" and Path(path).is_dir():
        return "panlex-csv"
    name = bare(path)
    for pattern, kind in BY_NAME.items():
        if re.fullmatch(pattern, name):
            return kind
    if re.search(rb"<TEI[\s.>]", request.input(path).head()[:2000]):
        return "freedict"
    refuse_unread(path, request.input(path).head())
    lines = head_lines(request.input(path))
    if lines[0].lstrip().startswith("{"):
        if is_wiktionary(lines[0]):
            return "wiktionary"
        return "gatitos-json" if is_gatitos(lines[0]) else "records"
    if all(map(MARKED.fullmatch, lines[0].split("\t"))):
        return "mrasp"
    if "\t" not in lines[0] and 2 * sum(SIDE_SEPARATOR in line for line in lines) > len(lines):
        return "hunalign"
    return "tsv" if Path(name).suffix in {".tsv", ".tab"} else "muse"
