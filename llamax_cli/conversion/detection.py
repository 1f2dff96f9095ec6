"""The formats of corpora: which format a path is in, and opening the corpora at a path."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from llamax_cli.conversion.formats import aligned, keyed_files, published_lines, tatoeba
from llamax_cli.conversion.formats.tsv import languages_in_name
from llamax_cli.conversion.segments import Corpus, CorpusRequest
from llamax_cli.errors import DataError
from llamax_cli.language_clues import language_in
from llamax_cli.registry import find
from llamax_cli.streams.lines import bare
from llamax_cli.streams.paths import is_side_file
from llamax_cli.streams.unread import SUBTITLES, refuse_unread

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
    "flores-plus": "llamax_cli.conversion.formats.keyed_files:open_flores_plus",
    "bouquet": "llamax_cli.conversion.formats.keyed_files:open_bouquet",
    "nllb-seed": "llamax_cli.conversion.formats.aligned:open_nllb_seed",
    "wmt24pp": "llamax_cli.conversion.formats.published_lines:open_wmt24pp",
    "wmt25": "llamax_cli.conversion.formats.published_lines:open_wmt25",
    "smol": "llamax_cli.conversion.formats.published_lines:open_smol",
    "xliff": "llamax_cli.conversion.formats.xliff:open_corpora",
    "subtitles": "llamax_cli.conversion.formats.subtitles:open_corpora",
    "po": "llamax_cli.conversion.formats.po:open_corpora",
    "mtdata": "llamax_cli.conversion.formats.mtdata:open_corpora",
    "hf": "llamax_cli.conversion.formats.translation_lines:open_corpora",
    "dataset": "llamax_cli.conversion.formats.huggingface:open_corpora",
    "parquet": "llamax_cli.conversion.formats.parquet:open_corpora",
    "records": "llamax_cli.conversion.formats.records:open_corpora",
}
BY_ENDING = {
    ".tmx": "tmx", ".xml": "wmt", ".sgm": "wmt", ".sgml": "wmt", ".parquet": "parquet",
    ".dev": "flores", ".devtest": "flores", ".xlf": "xliff", ".xliff": "xliff", ".sdlxliff": "xliff",
    ".srt": "subtitles", ".vtt": "subtitles", ".po": "po", ".pot": "po",
}  # fmt: skip
BY_CONTENT = {b"<tmx": "tmx", b"<xliff": "xliff", b"<dataset": "wmt", b"<srcset": "wmt", b"<refset": "wmt"}
BY_FOLDER = {  # by the first pattern that matches a file in a folder or one level below
    "*.dev": "flores",
    "*.devtest": "flores",
    "newstest*-ref.*.txt*": "ntrex",
    "test.en-*.tsv*": "tico19",
    "dev.en-*.tsv*": "tico19",
    "all.en-*.tsv*": "tico19",
    "dataset_info.json": "dataset",
    "dataset_dict.json": "dataset",
    "*.parquet": "dataset",
    "*.arrow": "dataset",
    "state.json": "dataset",
}
# Folders of files named as languages are, `ace_Latn.jsonl`, by a name that one of the folders around them has.
BY_NAMES_OF_FOLDERS = {"sentence_level": "bouquet", "paragraph_level": "bouquet"}  # fmt: skip


CATALOGUE = re.compile(rb'^msgid "', re.MULTILINE)  # where the first entries are


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
    if text_kind := _kind_of_text(head):
        return text_kind
    refuse_unread(path, head)
    if first.startswith(b"[") and b"{" in head[:1000]:
        raise DataError(f"{request.input(path).name} is a JSON array, not JSON lines; convert it first: jq -c '.[]'")
    if first.lstrip().startswith(b"{"):
        if b'"translation"' in first:
            return "hf"
        return published_lines.shape_of(first) or _keyed(Path(path)) or "records"
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


def _kind_of_text(head: bytes) -> str | None:
    """Return the format of subtitles or of a catalogue, by how it begins."""
    begins = head[:1000].lstrip()
    if begins.startswith(b"WEBVTT") or SUBTITLES.match(begins):
        return "subtitles"
    return "po" if CATALOGUE.search(begins) else None


def _keyed(path: Path) -> str | None:
    """Return the format of a file that is named as a language is, in a folder of such files."""
    if not keyed_files.is_named(bare(path)):
        return None
    around = path.resolve().parts[:-1]
    return next((BY_NAMES_OF_FOLDERS[name] for name in around[::-1] if name in BY_NAMES_OF_FOLDERS), "flores-plus")


def _detect_folder(folder: Path) -> str:
    for depth in keyed_files.DEPTH:
        named = next((file for file in sorted(folder.glob(depth)) if keyed_files.is_named(bare(file))), None)
        if named is not None and (kind := _keyed(named)):
            return kind
    if aligned.is_nllb_seed(folder):
        return "nllb-seed"
    for pattern, kind in BY_FOLDER.items():
        found = chain(folder.glob(pattern), folder.glob(f"*/{pattern}"))
        if not all(map(is_side_file, found)):
            return kind
    formats = ", ".join(sorted(set(BY_FOLDER.values())))
    raise DataError(f"{folder}: no corpus is recognised in this folder ({formats}); name its files: {folder}/*")
