"""From records with times to subtitles: SubRip (SRT) and WebVTT; formats/subtitles.py reads them."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from llamax_cli.conversion.record_texts import convert_each, encode_text, text_key
from llamax_cli.conversion.segments import RejectLine
from llamax_cli.errors import RecordError
from llamax_cli.records import Record, text
from llamax_cli.streams.outputs import Output, WholeFile, open_output

KINDS = ("srt", "vtt")
TIME = re.compile(r"\d{2,4}:[0-5]\d:[0-5]\d\.\d{3}")
# What would end a cue: an empty line; in WebVTT also an arrow, which begins the next one. A return is a line end there.
BREAKS = r"\0|^\n|\n[ \t]*\n|\n$|\r|-->"


class _Cue(NamedTuple):
    begin: str
    end: str
    name: str
    settings: str
    text: str


def cue_lines(records: Iterable[Record], field: str | None, reject: RejectLine, kind: str) -> Iterator[bytes]:
    """Yield a line of SubtitleFile for each record: times, and the text under `field`, else `text` or `mt`."""

    def convert(record: Record) -> bytes:
        key = text_key(record, field)
        begin, end = (_time(record, each) for each in ("begin", "end"))
        others = [text(record, each) if kind == "vtt" and each in record else "" for each in ("cue", "settings")]
        for each, value in zip(("cue", "settings"), others, strict=True):
            encode_text(value, r"[\n\r\0]|-->", each)
        encode_text(text(record, key), BREAKS, key)
        return msgspec.json.encode([begin, end, *others, text(record, key)]) + b"\n"

    return convert_each(records, convert, reject)


def _time(record: Record, key: str) -> str:
    if key not in record:
        raise RecordError(f"no {key!r} in the record: only records of subtitles have the times")
    found = text(record, key)
    if not TIME.fullmatch(found):
        raise RecordError(f"{key!r} is {found!r}, not a time such as 00:01:02.500")
    return found


class SubtitleFile:
    """An output of lines from `cue_lines`, written as one file of subtitles."""

    def __init__(self, path: Path | None, kind: str) -> None:
        self._file: Output = open_output(path, WholeFile)
        self._is_vtt = kind == "vtt"
        self._count = 0
        self._decode = msgspec.json.Decoder(_Cue).decode
        self.name = self._file.name

    def write(self, data: bytes) -> None:
        """Write the cues of whole lines."""
        blocks = [self._block(self._decode(line)) for line in data.split(b"\n")[:-1]]
        self._file.write("".join(blocks).encode())

    def _block(self, cue: _Cue) -> str:
        self._count += 1
        lines = [cue.text] if cue.text else []
        if self._is_vtt:
            head = ["WEBVTT", ""] if self._count == 1 else []
            times = f"{cue.begin} --> {cue.end} {cue.settings}".rstrip()
            return "\n".join([*head, *([cue.name] if cue.name else []), times, *lines, "", ""])
        times = f"{cue.begin} --> {cue.end}".replace(".", ",")
        return "\n".join([str(self._count), times, *lines, "", ""])

    def complete(self) -> None:
        """Complete the file; WebVTT without a cue is its first line."""
        if self._is_vtt and not self._count:
            self._file.write(b"WEBVTT\n")
        self._file.complete()

    def finish(self) -> None:
        """Give the complete file its name."""
        self._file.finish()

    def close(self) -> None:
        """Close the file, and remove it if it is not complete, because it cannot be resumed."""
        self._file.close()
