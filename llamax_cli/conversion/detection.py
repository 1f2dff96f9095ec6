"""The formats of corpora: which format a path is in, and opening the corpora at a path."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from llamax_cli.conversion.formats import tatoeba
from llamax_cli.conversion.formats.tsv import languages_in_name
from llamax_cli.conversion.segments import Corpus, CorpusRequest
from llamax_cli.errors import DataError
from llamax_cli.language_clues import language_in
from llamax_cli.registry import find
from llamax_cli.streams.lines import bare
from llamax_cli.streams.paths import is_side_file
from llamax_cli.streams.unread import refuse_unread

FORMATS = {
    "text": "llamax_cli.conversion.formats.aligned:open_text",
    "moses": "llamax_cli.conversion.formats.aligned:open_moses",
    "tsv": "llamax_cli.conversion.formats.tsv:open_corpora",
    "tmx": "llamax_cli.conversion.formats.tmx:open_corpora",
    "wmt": "llamax_cli.conversion.formats.wmt:open_corpora",
    "flores": "llamax_cli.conversion.formats.aligned:open_flores",
    "ntrex": "llamax_cli.conversion.formats.aligned:open_ntrex",
    "tico19": "llamax_cli.conversion.formats.tico:open_corpora",
    "tatoeba": "llamax_cli.conversion.formats.tatoeba:open_corpora",
    "hf": "llamax_cli.conversion.formats.translation_lines:open_corpora",
    "dataset": "llamax_cli.conversion.formats.huggingface:open_corpora",
    "parquet": "llamax_cli.conversion.formats.parquet:open_corpora",
    "records": "llamax_cli.conversion.formats.records:open_corpora",
}
BY_ENDING = {
    ".tmx": "tmx", ".xml": "wmt", ".sgm": "wmt", ".sgml": "wmt", ".parquet": "parquet",
    ".dev": "flores", ".devtest": "flores",
}  # fmt: skip
BY_CONTENT = {b"<tmx": "tmx", b"<dataset": "wmt", b"<srcset": "wmt", b"<refset": "wmt"}
BY_FOLDER = {  # by the first pattern that matches a file in a folder or one level below
    "*.dev": "flores", "*.devtest": "flores", "newstest*-ref.*.txt*": "ntrex",
    "test.en-*.tsv*": "tico19", "dev.en-*.tsv*": "tico19", "all.en-*.tsv*": "tico19",
    "dataset_info.json": "dataset", "dataset_dict.json": "dataset", "*.parquet": "dataset", "*.arrow": "dataset",
    "state.json": "dataset",
}  # fmt: skip


def open_corpora(request: CorpusRequest, format: str | None) -> list[Corpus]:
    """Return the corpora at the paths, in the given format or else each in the format it is detected to be in."""
    groups: dict[str, list[str]] = {}
    for path in request.paths:
        groups.setdefault(format or detect(path, request), []).append(path)
    corpora: list[Corpus] = []
    for name, paths in groups.items():
        corpora += find(FORMATS[name])(replace(request, paths=paths))
    return corpora


def detect(path: str, request: CorpusRequest) -> str:
    """Return the format of a file by its name or else its first line, and of a folder by its files."""
    if path != "-" and Path(path).is_dir():
        return _detect_folder(Path(path))
    name = Path(bare(path))
    if name.suffix in BY_ENDING:
        return BY_ENDING[name.suffix]
    if name.match("newstest*-*.*.txt"):
        return "ntrex"
    head = request.input(path).head().removeprefix(b"\xef\xbb\xbf")
    first = head.split(b"\n")[0]
    for tag, kind in BY_CONTENT.items():
        if tag in head[:1000]:
            request.input(path).spool()  # these formats read it more than once
            return kind
    refuse_unread(path, head)
    if first.startswith(b"[") and b"{" in head[:1000]:
        raise DataError(f"{request.input(path).name} is a JSON array, not JSON lines; convert it first: jq -c '.[]'")
    if first.lstrip().startswith(b"{"):
        return "hf" if b'"translation"' in first else "records"
    if first.startswith((b"sourceLang\t", b"stringID\t")):
        return "tico19"
    if b"\t" in head and not (request.languages or request.columns) and tatoeba.is_export(_lines(head), name.name):
        return "tatoeba"
    if name.suffix in {".tsv", ".tab"} or (b"\t" in first and _is_table(name.name, _lines(head), request)):
        return "tsv"
    return "text" if len(request.paths) == 1 else "moses"


def _is_table(name: str, lines: Sequence[str], request: CorpusRequest) -> bool:
    """Return whether a file with these first lines is a table, and not text in the one language of its name."""
    if len(request.languages) == 1:
        return False
    is_text = language_in(name.removesuffix(".txt").rpartition(".")[2]) and not languages_in_name(name)
    return not is_text and 2 * sum("\t" in line for line in lines) >= len(lines)


def _lines(head: bytes) -> list[str]:
    """Return the first lines of a file, without a last one that may be incomplete."""
    lines = head.decode(errors="replace").split("\n")
    return [line.removesuffix("\r") for line in lines[:-1] or lines]


def _detect_folder(folder: Path) -> str:
    for pattern, kind in BY_FOLDER.items():
        found = chain(folder.glob(pattern), folder.glob(f"*/{pattern}"))
        if not all(map(is_side_file, found)):
            return kind
    formats = ", ".join(sorted(set(BY_FOLDER.values())))
    raise DataError(f"{folder}: no corpus is recognised in this folder ({formats}); name its files: {folder}/*")
