"""Corpora that mtdata downloads: `--from mtdata Statmt-news_commentary-16-deu-eng`.

mtdata (https://github.com/thammegowda/mtdata) knows where thousands of corpora are and how to read them. `mtdata echo`
writes one as lines with a tab, and keeps the download in its own cache; an id ends in the languages, as its index
has them. It need not be in the environment of llamax: the program is looked for on PATH, then beside Python.
"""

import importlib.util
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

from llamax_cli.console import counted
from llamax_cli.conversion.segments import Corpus, CorpusRequest, Segment
from llamax_cli.errors import DataError, FileError, LanguageError, RecordError, UsageError, because
from llamax_cli.languages import canonical
from llamax_cli.streams.lines import decode

PARTS = 5  # of an id: group, name, version and two languages


@dataclass(frozen=True)
class MtdataCorpus:
    """A corpus of mtdata; each pass asks the program for it again."""

    name: str
    languages: Sequence[str]
    request: CorpusRequest

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the lines; DataError where mtdata fails."""
        indices = [list(self.languages).index(language) for language in languages]
        with TemporaryFile() as errors:
            yield from self._segments(indices, errors)

    def _segments(self, indices: Sequence[int], errors: IO[bytes]) -> Iterator[Segment]:
        command = [*_program(), "echo", self.name]
        try:
            started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            raise FileError(f"{shlex.join(command)} cannot be run: {because(error)}") from error
        with started as run:
            assert run.stdout is not None
            try:
                for number, line in enumerate(run.stdout, 1):
                    raw = line.removesuffix(b"\n")
                    try:
                        texts = _texts(raw)
                    except RecordError as error:
                        self.request.reject(self.name, number, str(error), raw)
                    else:
                        yield Segment(number, [texts[index] or None for index in indices])
                code = run.wait()
            finally:
                run.kill()  # nobody reads on
        if code:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().rpartition("\n")[2] or f"exit code {code}"
            raise DataError(f"mtdata echo {self.name}: {said}; ids are listed by: mtdata list -id")


def _texts(raw: bytes) -> list[str]:
    cells = decode(raw.removesuffix(b"\r")).split("\t")
    if len(cells) != 2:
        raise RecordError(f"{counted(len(cells), 'column')} instead of 2")
    return cells


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each id."""
    _program()
    return [MtdataCorpus(path, _languages(path, request), request) for path in request.paths]


def _languages(path: str, request: CorpusRequest) -> Sequence[str]:
    """Return the two languages of an id, by its end or as declared."""
    parts = path.split("-")
    if len(parts) != PARTS:
        raise UsageError(
            f"{path!r} is not an id of mtdata with two languages, such as Statmt-news_commentary-16-deu-eng"
        )
    languages: list[str] = list(request.languages)
    if not languages:
        with suppress(LanguageError):
            languages = [canonical(code) for code in parts[-2:]]
    if len(set(languages)) != 2:
        raise UsageError(f"{path}: which two languages are these? Say --langs SOURCE,TARGET")
    return languages


def _program() -> list[str]:
    found = shutil.which("mtdata")
    if found:
        return [found]
    if importlib.util.find_spec("mtdata"):
        return [sys.executable, "-m", "mtdata"]
    raise FileError("mtdata is not installed, which --from mtdata needs: pip install mtdata")
