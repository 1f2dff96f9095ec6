"""Text files that are aligned line by line: Moses files, a single file, the folders of FLORES and NTREX."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from llamax_cli.console import counted
from llamax_cli.conversion.segments import NO_EXTRA, Corpus, CorpusRequest, Segment
from llamax_cli.errors import DataError, FileError, LanguageError, UsageError
from llamax_cli.language_clues import language_in, language_of_file
from llamax_cli.languages import canonical, known, variety
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, bare, texts

NTREX_NAMES, FLORES_NAMES = "newstest2019-ref.deu.txt", "deu.devtest"  # for messages
NTREX = r"^newstest\d+-(?:ref|src)\.(?P<code>.+)\.txt$"
FLORES = r"^(?P<code>[A-Za-z_]+)\.(?:dev|devtest|test)$"
SEED = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}-[a-z]{3}_[A-Z][a-z]{3}")
NTREX_CODES = {"por": "pt-PT"}  # beside por-BR; its spelling is that of Portugal
SYSTEM_OUTPUT = "mt"  # an ending that is as usual beside other languages as among them
EXHAUSTED = "\n"  # in place of a line of a file that has no more; no line contains it


@dataclass(frozen=True)
class AlignedFiles:
    """One file for each language; line n of each file is segment n."""

    name: str
    paths: Mapping[str, str]
    request: CorpusRequest
    counts: dict[str, int] = field(default_factory=dict)  # number of lines of each file, once counted

    @property
    def languages(self) -> Sequence[str]:
        """The languages, in the order of the files."""
        return list(self.paths)

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the lines of these languages; DataError where their files differ in length."""
        self._check([self.paths[language] for language in languages])
        sources = [self.request.input(self.paths[language]) for language in languages]
        if len(sources) == 1:
            yield from self._lines(sources[0])
            return
        rows: Iterator[tuple[Any, ...]] = zip_longest(*map(texts, sources), fillvalue=EXHAUSTED)
        for number, row in enumerate(rows, 1):
            if Bad not in map(type, row):
                if EXHAUSTED in row:
                    raise DataError(
                        f"{sources[row.index(EXHAUSTED)].name} ends before line {number}; the other file is longer"
                    )
                yield Segment(number, row)
            else:
                source, bad = next(
                    (source, line) for source, line in zip(sources, row, strict=True) if type(line) is Bad
                )
                self.request.reject(source.name, number, *bad)

    def _lines(self, source: Input) -> Iterator[Segment]:
        for number, line in enumerate(texts(source), 1):
            if isinstance(line, str):
                yield Segment(number, (line,))
            else:
                self.request.reject(source.name, number, *line)

    def _check(self, paths: list[str]) -> None:
        """Compare the lengths before the first pair is written: misaligned pairs must not reach the next program."""
        if len(paths) == 1:
            source = self.request.input(paths[0])
            if source.reopens() and not source.head():
                raise _empty(paths[0])
            return
        for path in paths:
            self.request.input(path).spool()
        counts = {path: count for path in paths if (count := self._count(path)) is not None}
        empty = next((path for path, count in counts.items() if not count), None)
        if empty is not None:
            raise _empty(empty)
        if len(set(counts.values())) > 1:
            lengths = ", ".join(f"{path} has {counted(count, 'line')}" for path, count in counts.items())
            raise DataError(f"{lengths}: aligned files must be equally long")

    def _count(self, path: str) -> int | None:
        """Return the number of lines of a file, None where it can be read only once."""
        source = self.request.input(path)
        if not source.reopens():
            return None
        if path not in self.counts:
            last, count, read = b"\n", 0, source.read
            for block in source.blocks():
                count += block.count(b"\n")
                last = block[-1:]
            self.counts[path] = count + (last != b"\n")
            source.read = read  # for the bar, these bytes count when their lines are used
        return self.counts[path]


def _empty(path: str) -> DataError:
    return DataError(f"{path} is empty; is the download complete?")


def open_moses(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each stem: `train.en train.de val.en val.de` are two; `--langs` declares their languages."""
    if request.languages and len(request.paths) == len(request.languages):
        path = request.paths[0]
        return [
            AlignedFiles(_corpus_name(path, request), dict(zip(request.languages, request.paths, strict=True)), request)
        ]
    groups: dict[str, list[tuple[str, str]]] = {}
    names = [_split_name(path) for path in request.paths]
    for path, (stem, ending) in zip(request.paths, names, strict=True):
        others = (language_in(other) for other_stem, other in names if other_stem == stem and other != ending)
        code = _language(path, request, is_pair=ending != SYSTEM_OUTPUT and any(others))
        groups.setdefault(stem, []).append((ending if known(ending) == code else code, path))
    return [AlignedFiles(_corpus_name(files[0][1], request), _by_language(files), request) for files in groups.values()]


def open_text(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file of monolingual text, in the language of `--langs` or of the file's ending."""
    if len(request.languages) > 1:
        raise UsageError(
            "--from text reads text in one language; for line-aligned files in several languages use --from moses"
        )
    corpora: list[Corpus] = []
    for path in request.paths:
        code = request.languages[0] if request.languages else _language(path, request)
        corpora.append(AlignedFiles(_corpus_name(path, request), {code: path}, request))
    return corpora


def open_flores(request: CorpusRequest) -> list[Corpus]:
    """Return FLORES-101 or FLORES-200: a folder with `eng.devtest` or `eng_Latn.devtest`, its parent, or files."""
    return _open_folders(request, FLORES, FLORES_NAMES)


def open_ntrex(request: CorpusRequest) -> list[Corpus]:
    """Return NTREX-128: a folder with `newstest2019-ref.deu.txt` and its source, its parent, or files."""
    return _open_folders(request, NTREX, NTREX_NAMES, NTREX_CODES)


def open_nllb_seed(request: CorpusRequest) -> list[Corpus]:
    """Return NLLB-Seed: `ace_Arab-eng_Latn/ace_Arab` and `ace_Arab-eng_Latn/eng_Latn`, or the folder of such folders.

    Its README (https://github.com/facebookresearch/flores/tree/main/nllb_seed) describes this layout.
    """
    corpora: list[Corpus] = []
    for given in request.paths:
        folders = _seed_folders(Path(given))
        if not folders:
            raise FileError(f"{given}: no folder in it is named as its two files, such as ace_Arab-eng_Latn")
        for folder in folders:
            files = [(code, str(folder / code)) for code in folder.name.split("-")]
            corpora.append(AlignedFiles(request.corpus_name(str(folder)), _by_language(files), request))
    return corpora


def is_nllb_seed(folder: Path) -> bool:
    """Return whether a folder is one of NLLB-Seed."""
    return bool(_seed_folders(folder))


def _seed_folders(given: Path) -> list[Path]:
    """Return the folders that hold two files named as the halves of the folder are."""
    return [
        folder
        for folder in (given, *sorted(given.glob("*/")))
        if SEED.fullmatch(folder.name) and all((folder / code).is_file() for code in folder.name.split("-"))
    ]


def _open_folders(
    request: CorpusRequest, pattern: str, names: str, own_codes: Mapping[str, str] = NO_EXTRA
) -> list[Corpus]:
    """Return the corpora of files named by a pattern, of which `names` are examples."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for given in request.paths:
        for path in matching_files(given, pattern):
            match = re.match(pattern, bare(path))
            if match is None:
                raise DataError(f"{path}: no language in the name; expected a name like {names}")
            code = own_codes.get(match["code"], match["code"])
            groups.setdefault(str(path.parent), []).append((code, str(path)))
        if not groups:
            raise FileError(f"{given}: no files of this corpus in the folder")
    return [AlignedFiles(request.corpus_name(folder), _by_language(files), request) for folder, files in groups.items()]


def matching_files(given: str, pattern: str) -> list[Path]:
    """Return the files whose names match in a folder or one level below; for a path to a file, only that file."""
    path = Path(given)
    if not path.is_dir():
        return [path]
    return sorted(file for depth in ("*", "*/*") for file in path.glob(depth) if re.match(pattern, bare(file)))


def _by_language(files: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the paths by language, from pairs of a code, as spelled in the name, and a path.

    Where there is a file with and one without the usual region (`eng-US` and `eng` in NTREX-128), it is not left out.
    """
    canonical_codes = [_canonical(code, path) for code, path in files]
    counts = Counter(canonical_codes)
    paths: dict[str, str] = {}
    for (code, path), canonical_code in zip(files, canonical_codes, strict=True):
        language = canonical_code if counts[canonical_code] == 1 else variety(code)
        if language in paths:
            raise DataError(f"{paths[language]} and {path} are both in {language}; name the files you want")
        paths[language] = path
    return paths


def _canonical(code: str, path: str) -> str:
    try:
        return canonical(code)
    except LanguageError as error:
        raise DataError(f"{path}: {error}") from error


def _split_name(path: str) -> tuple[str, str]:
    """Return (stem, code) of a file name: `_split_name("a/train.en.gz") -> ("a/train", "en")`."""
    stem, _, ending = bare(path).removesuffix(".txt").rpartition(".")
    return str(Path(path).parent / stem), ending


def _language(path: str, request: CorpusRequest, *, is_pair: bool = False) -> str:
    """Return the language that a file's name tells, and note it for the summary."""
    stem, ending = _split_name(path)
    parts = re.split(r"[^A-Za-z]+", Path(stem).name)
    is_stem = bare(path).removesuffix(".txt") == ending
    code = language_of_file(path, ending, is_pair=is_pair or (not is_stem and ending in parts), is_stem=is_stem)
    request.conclusions.names[path] = [code]
    return code


def _corpus_name(path: str, request: CorpusRequest) -> str:
    """Return the name of the corpus that a file belongs to: `multi30k/train` for `multi30k/train.en.gz`."""
    name = bare(path)
    return request.corpus_name(path, without="." + name.rpartition(".")[2] if "." in name else "")
