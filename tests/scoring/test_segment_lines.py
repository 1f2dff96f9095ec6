"""Segments read many lines at a time: they are those that are read one by one."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamax_cli.scoring import segment_lines
from llamax_cli.scoring.metrics import MetricSettings
from llamax_cli.scoring.segment_lines import LineGroup, SegmentLines, decode_texts, group_parts, split
from llamax_cli.scoring.segments import Segment, SegmentReader
from llamax_cli.streams.chunks import Chunk, records

Rejected = list[tuple[str, int, str, bytes]]
DIRECTIONS = [("de", "en"), ("deu_Latn", "en"), ("en", "de"), ("en", "xx-nonsense-"), ("en", 1)]
ODD = [
    {},
    {"on_target": True},
    {"on_target": False},
    {"on_target": None},
    {"candidate": 1},
    {"candidate": 2},
    {"tgt": ["two", "references"]},
    {"tgt": 'odd "mt":"" text'},
    {"mt": '"tgt":""', "note": '"mt":""'},
    {"mt": 1},
    {"id": 7},
    {"metric": "bleu", "score": 1},
]
texts = st.sampled_from(["", "a", '犬 \\ "\n', "b c"])


def line(number: int, direction: tuple[Any, Any], mt: str, tgt: str, other: dict[str, Any]) -> bytes:
    """Return a line that is plain where the values are."""
    src_lang, tgt_lang = direction
    record = {"id": f"{number}", "src": "s", "src_lang": src_lang, "tgt_lang": tgt_lang, "mt": mt, "tgt": tgt, **other}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@st.composite
def chunks(draw: st.DrawFn) -> list[bytes]:
    """Return chunks with blocks of lines in one direction; a few lines are odd, and some are there already."""
    lines, number = [], 0
    for _ in range(draw(st.integers(1, 5))):
        direction = draw(st.sampled_from(DIRECTIONS))
        verdict = draw(st.sampled_from(ODD[:3]))
        for _ in range(draw(st.sampled_from([1, 3, 20, 40]))):
            lines.append(line(number, direction, "m", "t", verdict))
            number += 1
        number = draw(st.sampled_from([number, 0]))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        odd = line(place, draw(st.sampled_from(DIRECTIONS)), draw(texts), draw(texts), draw(st.sampled_from(ODD)))
        lines[place] = draw(st.sampled_from([odd, odd.replace(b":", b": ", 1), b"no record\n"]))
    cut = draw(st.integers(0, len(lines)))
    return [part for part in (b"".join(lines[:cut]), b"".join(lines[cut:])) if part]


def read(parts: list[bytes], reader: SegmentReader, together: bool) -> tuple[list[Segment], Rejected]:
    """Return the segments and what is rejected."""
    found: list[Segment] = []
    rejected: Rejected = []
    for part in parts:
        chunk = Chunk("file", 1, part)
        for each in split(chunk, reader) if together else [chunk]:
            if isinstance(each, SegmentLines):
                found += (each._replace(source="") for each in LineGroup(*each).segments)  # alone it is not decoded
            else:
                found += (segment for _, segment in records([each], reader.segment, lambda *bad: rejected.append(bad)))
    return found, rejected


# AfriCOMET does not know German, so its lines are rejected; a metric without references counts none.
@pytest.mark.parametrize("metric", ["spbleu", "africomet", "command-qe"])
@given(parts=chunks())
@settings(max_examples=30)
def test_lines_read_together_are_those_read_one_by_one(parts: list[bytes], metric: str) -> None:
    """The same segments in the same order, the same rejects and counts."""
    together, alone = (SegmentReader(None, MetricSettings((metric,))) for _ in range(2))
    assert read(parts, together, True) == read(parts, alone, False)
    assert (together.empty, together.empty_references) == (alone.empty, alone.empty_references)
    assert list(together.seen.directions) == list(alone.seen.directions)
    for direction in alone.seen.directions:
        assert together.nrefs(direction) == alone.nrefs(direction)
        for number in range(250):
            assert together.seen.has(direction, f"{number}") == alone.seen.has(direction, f"{number}")


def test_plain_lines_are_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are many of a direction; not where directions are mixed, nor without compiled code."""
    lines = [line(number, DIRECTIONS[number // 50 * 2], "m", "t", {}) for number in range(100)]
    whole, mixed = (
        Chunk("file", 1, b"".join(lines)),
        Chunk("file", 1, b"".join(lines[n * 37 % 100] for n in range(100))),
    )

    def parts(chunk: Chunk) -> list[Chunk | SegmentLines]:
        return [*split(chunk, SegmentReader(None, MetricSettings()))]

    assert [len(part.verdicts) for part in parts(whole) if isinstance(part, SegmentLines)] == [50, 50]
    assert parts(mixed) == [mixed]
    monkeypatch.setattr(segment_lines, "outlines", None)
    assert parts(whole) == [whole]


def test_lines_are_grouped_by_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to a size in bytes; what is read one by one makes groups of its own."""
    monkeypatch.setattr(segment_lines, "MAX_BYTES", 3)

    def group(direction: int, *data: bytes) -> list[SegmentLines]:
        return [SegmentLines(DIRECTIONS[direction], each, [None] * len(each)) for each in data]

    single = Segment(DIRECTIONS[0], "1", "", "a", "b", None)
    groups = [
        *group_parts([*group(0, b"a", b"b"), single, single, *group(0, b"c"), *group(2, b"d", b"ef", b"g", b"h")])
    ]
    found = [(each.direction[0], each.data if isinstance(each, LineGroup) else len(each.segments)) for each in groups]
    assert found == [("de", b"ab"), ("de", 2), ("de", b"c"), ("en", b"def"), ("en", b"gh")]
    assert [len(each.verdicts) for each in groups] == [2, 2, 1, 3, 2]


def test_workers_decode_what_is_scored() -> None:
    """The translations and the references, with their escapes."""
    data = line(1, DIRECTIONS[0], '"\n', "t", {}) + line(2, DIRECTIONS[0], "", "犬", {"on_target": True})
    assert decode_texts(data) == (['"\n', ""], ["t", "犬"])
