"""Subtitles: SubRip (SRT) and WebVTT, one file for each language.

A record is the text of a cue, with the line ends between its lines and its tags as they are, and the keys `begin` and
`end`, such as "00:01:02.500". So `--as srt` and `--as vtt` write the times back. A cue of WebVTT also has its
identifier (`cue`) and its settings (`settings`), as https://www.w3.org/TR/webvtt1/ describes them; its notes, styles
and regions are left out. Files of one film in several languages are pairs if their cues have the same times.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from llamax_cli.console import counted
from llamax_cli.conversion.segments import Corpus, CorpusRequest, Segment
from llamax_cli.errors import DataError, RecordError, UsageError
from llamax_cli.language_clues import language_of_file
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, bare, texts

TIME = r"(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})"
TIMES = re.compile(rf"\s*{TIME}\s+-->\s+{TIME}(?:\s+(\S.*?))?\s*")
ENDINGS = (".srt", ".vtt")
BLOCKS = ("WEBVTT", "NOTE", "STYLE", "REGION")  # of WebVTT, other than cues


class Cue(NamedTuple):
    """The text of a cue, and the keys of its record: begin, end and, in WebVTT, its identifier and settings."""

    text: str
    extra: Mapping[str, str]


@dataclass(frozen=True)
class Subtitles:
    """The files of a film, by language; segment n is the n-th cue."""

    name: str
    sources: dict[str, Input]
    request: CorpusRequest

    @property
    def languages(self) -> Sequence[str]:
        """The languages, in the order of the files."""
        return list(self.sources)

    def segments(self, languages: Sequence[str]) -> Iterator[Segment]:
        """Yield the cues of these languages; DataError where those of two files differ in number or times."""
        sources = [self.sources[language] for language in languages]
        rows = zip_longest(*(_cues(source, self.request) for source in sources))
        for number, row in enumerate(rows, 1):
            if None in row:
                counts = " and ".join(
                    f"{counted(sum(1 for _ in _cues(source, self.request)), 'cue')} in {source.name}"
                    for source in sources
                )
                raise DataError(f"the files have not the same cues: {counts}")
            first: Cue = row[0]
            for source, cue in zip(sources, row, strict=True):
                if any(cue.extra[key] != first.extra[key] for key in ("begin", "end")):
                    there = f"{cue.extra['begin']} in {source.name}, {first.extra['begin']} in {sources[0].name}"
                    raise DataError(f"cue {number} is at other times: {there}; pair the files by hand")
            yield Segment(number, [cue.text for cue in row], first.extra)


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each film: `film.en.srt film.de.srt` is one of two languages; `--langs` may say them."""
    if request.languages and len(request.languages) != len(request.paths):
        raise UsageError("subtitles have one language a file: give --langs as many as there are files")
    films: dict[str, Subtitles] = {}
    for index, path in enumerate(request.paths):
        name = _without_ending(bare(path))
        stem, _, ending = name.rpartition(".")
        if request.languages:
            code, film = request.languages[index], "the film"  # all files are of one
        else:
            code = language_of_file(path, ending, is_pair=len(request.paths) > 1, is_stem=not stem)
            film = str(Path(path).parent / stem)
            request.conclusions.names[path] = [code]
        kept = name if request.languages or not stem else stem
        corpus = films.setdefault(
            film, Subtitles(request.corpus_name(path, without=bare(path).removeprefix(kept)), {}, request)
        )
        if code in corpus.sources:
            raise DataError(f"{corpus.sources[code].name} and {path} are both in {code}; convert one film at a time")
        corpus.sources[code] = request.input(path)
        corpus.sources[code].spool()
    return list(films.values())


def _without_ending(name: str) -> str:
    return next((name.removesuffix(ending) for ending in ENDINGS if name.lower().endswith(ending)), name)


def _cues(source: Input, request: CorpusRequest) -> Iterator[Cue]:
    """Yield the cues of a file; a block without times is rejected, unless it is one that WebVTT has beside cues."""
    for line, block in _blocks(source):
        try:
            if (cue := _parse(block)) is not None:
                yield cue
        except RecordError as error:
            raw = b"\n".join(each.raw if isinstance(each, Bad) else each.encode() for each in block)
            request.reject(source.name, line, str(error), raw)


def _blocks(source: Input) -> Iterator[tuple[int, list[str | Bad]]]:
    """Yield the blocks between empty lines, each with the number of its first line."""
    block: list[str | Bad] = []
    start = 1
    for number, line in enumerate(texts(source), 1):
        if isinstance(line, Bad) or line.strip():
            start = start if block else number
            block.append(line)
        elif block:
            yield start, block
            block = []
    if block:
        yield start, block


def _parse(block: Sequence[str | Bad]) -> Cue | None:
    lines: list[str] = []
    for line in block:
        if isinstance(line, Bad):
            raise RecordError(line.reason)
        lines.append(line)
    place = next((index for index, line in enumerate(lines[:2]) if TIMES.fullmatch(line)), None)
    if place is None:
        if lines[0].split()[0] in BLOCKS:
            return None
        raise RecordError(
            "neither the number and times of a cue nor times in the first line, such as 00:00:01,000 --> ..."
        )
    match = TIMES.fullmatch(lines[place])
    assert match is not None
    extra = {"begin": _time(match, 1), "end": _time(match, 5)}
    if place and not lines[0].strip().isdecimal():
        extra["cue"] = lines[0].strip()
    if match[9]:
        extra["settings"] = match[9]
    return Cue("\n".join(lines[place + 1 :]), extra)


def _time(match: re.Match[str], group: int) -> str:
    """Return a time as WebVTT writes it, with hours: "00:01:02.500"."""
    hours, minutes, seconds, rest = match.group(*range(group, group + 4))
    return f"{int(hours or 0):02}:{int(minutes):02}:{int(seconds):02}.{rest.ljust(3, '0')}"
