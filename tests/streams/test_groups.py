"""Groups of consecutive records: each is transformed as a whole, however the lines arrive and whatever interrupts."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.filters import _join, _read_keyed, fork
from support.processes import wait_for, wait_for_handlers

from llamax_cli.errors import DataError
from llamax_cli.streams import groups
from llamax_cli.streams.chunks import Chunk, Outcome
from llamax_cli.streams.groups import Grouping, Preparation, transform_groups, transform_windows, whole_groups

Filters = Callable[..., subprocess.CompletedProcess[bytes]]
GROUPING = Grouping(_read_keyed, lambda one, other: one[0] == other[0])
SIZES = [1, 2, 7, 30, 3, 1, 60, 4] * 10
LINES = [
    b'{"key":"k%d","text":"%d."}\n' % (number, place) for number, size in enumerate(SIZES) for place in range(size)
]
BAD = [9, 10, 41, 100, len(LINES)]  # before which line there is a bad one: also inside of a group and at the end
TEXT = b"".join(b"bad\n" * (n in BAD) + line for n, line in enumerate([*LINES, b""]))
SMALL = {"CHUNK": "300", "CHECKPOINT": "0.02"}


def joined(lines: list[bytes]) -> bytes:
    """Return what `join` makes of good lines."""
    records = [json.loads(line) for line in lines]
    made = [(key, [each["text"] for each in group]) for key, group in groupby(records, lambda record: record["key"])]
    return b"".join(b'{"key":"%s","text":"%s"}\n' % (key.encode(), "".join(texts).encode()) for key, texts in made)


keys = st.lists(st.sampled_from([b"a", b"a", b"b", b"c", b"-"]), max_size=30)


@given(keys, st.lists(st.integers(1, 6), max_size=30), st.integers(1, 3))
def test_a_chunk_ends_where_a_group_ends(keys: list[bytes], cuts: list[int], limit: int) -> None:
    """For any lines, "-" being a bad one, cut into any chunks: nothing is lost, and bad lines part no group."""
    lines = [b"bad\n" if key == b"-" else b'{"key":"%s","text":"%d"}\n' % (key, n) for n, key in enumerate(keys)]
    stream, place = [], 0
    for size in [*cuts, len(lines)]:
        if part := lines[place : place + size]:
            stream.append(Chunk("in", place + 1, b"".join(part)))
        place += size
    found = list(whole_groups(stream, GROUPING, tolerant=True))
    assert b"".join(chunk.data for chunk in found) == b"".join(lines)
    assert [chunk.line for chunk in found] == [
        1 + sum(chunk.data.count(b"\n") for chunk in found[:n]) for n in range(len(found))
    ]
    assert all(chunk.data for chunk in found)
    good = [line for line in lines if line != b"bad\n"]
    outcomes = [transform_groups(_join(0), GROUPING, True, chunk) for chunk in found]
    assert b"".join(outcome.data for outcome in outcomes) == joined(good)
    assert [reject.line for outcome in outcomes for reject in outcome.rejects] == [
        n for n, line in enumerate(lines, 1) if line == b"bad\n"
    ]
    some = transform_groups(_join(0), GROUPING, True, Chunk("in", 1, b"".join(lines)), limit)
    whole = joined(good).splitlines(True)
    assert (some.data, some.written) == (b"".join(whole[:limit]), min(limit, len(whole)))
    if len(whole) >= limit:  # the run ends at the last line of its last group
        assert joined([line for line in lines[: some.read] if line != b"bad\n"]) == some.data
        assert lines[some.read - 1] != b"bad\n"
        assert all(reject.line <= some.read for reject in some.rejects)


@given(keys)
def test_a_bad_line_ends_the_run_before_the_group_that_it_interrupts(keys: list[bytes]) -> None:
    """What is behind it is not waited for."""
    lines = [b"bad\n" if key == b"-" else b'{"key":"%s","text":"%d"}\n' % (key, n) for n, key in enumerate(keys)]
    stream = [Chunk("in", n, line) for n, line in enumerate(lines, 1)]
    taken = []

    def counted() -> Iterator[Chunk]:
        for chunk in stream:
            taken.append(chunk)
            yield chunk

    first = lines.index(b"bad\n") if b"bad\n" in lines else len(lines)
    written = b""
    for chunk in whole_groups(counted(), GROUPING, tolerant=False):
        outcome = transform_groups(_join(0), GROUPING, False, chunk)
        written += outcome.data
        if outcome.rejects:
            assert outcome.rejects[0].line == first + 1
            break
    assert len(taken) <= first + 1
    complete = joined(lines[:first]).splitlines(True)
    assert written == b"".join(complete[:-1] if first < len(lines) else complete)


@given(keys, st.lists(st.integers(1, 6), max_size=30), st.integers(1, 9), st.integers(1, 4), st.booleans())
def test_groups_prepared_together_are_transformed_as_each_by_itself(
    keys: list[bytes], cuts: list[int], size: int, limit: int, tolerant: bool
) -> None:
    """For any lines in any chunks: in windows as large as asked for, and no group behind a limit is prepared."""
    lines = [b"bad\n" if key == b"-" else b'{"key":"%s","text":"%d"}\n' % (key, n) for n, key in enumerate(keys)]
    stream, place = [], 0
    for length in [*cuts, len(lines)]:
        if part := lines[place : place + length]:
            stream.append(Chunk("in", place + 1, b"".join(part)))
        place += length
    found = list(whole_groups(stream, GROUPING, tolerant))
    windows: list[list[list[tuple[str, str]]]] = []

    def prepare(given: list[list[tuple[str, str]]]) -> list[list[tuple[str, str]]]:
        windows.append(given)
        return [[(key, f"<{text}>") for key, text in group] for group in given]

    def transformed(remaining: Callable[[], int | None]) -> Iterator[tuple[Chunk, Outcome]]:
        return transform_windows(
            _join(0),
            Preparation(prepare, size),
            GROUPING,
            tolerant,
            whole_groups(stream, GROUPING, tolerant),
            remaining,
        )

    outcomes = list(transformed(lambda: None))
    assert [chunk for chunk, _ in outcomes] == found[: len(outcomes)]
    expected = [transform_groups(_join(0), GROUPING, tolerant, chunk) for chunk, _ in outcomes]
    assert [each._replace(data=each.data.replace(b"<", b"").replace(b">", b"")) for _, each in outcomes] == expected
    assert b"".join(each.data for _, each in outcomes).count(b"<") == sum(len(g) for each in windows for g in each)
    if tolerant or b"bad\n" not in lines:
        assert len(outcomes) == len(found)
    largest = max((chunk.data.count(b"\n") for chunk in found), default=0)
    assert all(sum(map(len, each)) <= max(size, largest) for each in windows)
    windows.clear()
    written = 0

    def remaining() -> int:
        return limit - written

    data = b""
    for _, outcome in transformed(remaining):
        written += outcome.written
        data += outcome.data
    assert data == b"".join(b"".join(each.data for _, each in outcomes).splitlines(True)[:limit])
    assert sum(map(len, windows)) == written


def test_a_group_without_an_end_is_refused() -> None:
    """It would fill the memory."""
    with patch.object(groups, "MAX_GROUP", 1000), pytest.raises(DataError, match=r"in:1: no end of this group of rec"):
        list(whole_groups((Chunk("in", n, LINES[0]) for n in range(1, 99)), GROUPING, tolerant=True))


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("chunk", [1, 200, 1 << 20])
def test_any_workers_and_any_chunks_make_the_same_bytes(
    filters: Filters, tmp_path: Path, workers: int, chunk: int
) -> None:
    """Also of rejects, and up to a limit."""
    flags = ("--workers", workers, "--rejects", "r")
    out, err = fork("join", *flags, env={"CHUNK": str(chunk)}, cwd=tmp_path).communicate(TEXT)
    assert out == joined(LINES), err
    assert err.startswith(b"llamax join: 80 records from 1,085; 5 rejected, see r; ")
    for more in ((), ("--together", 50)):
        limited = filters("join", "--workers", workers, *more, "--limit", 13, stdin=b"".join(LINES) + b"bad\n")
        assert (limited.returncode, limited.stdout) == (0, b"".join(joined(LINES).splitlines(True)[:13]))


def test_a_group_ends_with_its_file(filters: Filters, tmp_path: Path) -> None:
    """So that each line of rejects and errors has one file."""
    (tmp_path / "a").write_bytes(LINES[1])
    (tmp_path / "b").write_bytes(LINES[2])
    assert filters("join", "a", "b").stdout == joined(LINES[1:2]) + joined(LINES[2:3])


@pytest.mark.parametrize(
    ("by", "flags"), [(signal.SIGTERM, ()), (signal.SIGKILL, ()), (signal.SIGKILL, ("--together", 70))]
)
def test_a_resumed_run_gives_the_same_bytes(
    tmp_path: Path, filters: Filters, by: int, flags: tuple[object, ...]
) -> None:
    """It goes on at the start of a group, with what was rejected before that kept."""
    (tmp_path / "in").write_bytes(TEXT)
    command = ("join", "in", "-o", "out", "--rejects", "r", "--slow", 0.02, *flags)
    process = fork(*command, env=SMALL, cwd=tmp_path)
    wait_for(tmp_path / "out.partial")
    wait_for_handlers(process)
    time.sleep(0.4)
    process.send_signal(by)
    process.communicate(timeout=20)
    assert 0 < (tmp_path / "out.partial").read_bytes().count(b"\n") < 80
    outcome = filters(*command, "--resume", "--workers", 2)
    assert outcome.returncode == 0, outcome.stderr
    assert (tmp_path / "out").read_bytes() == joined(LINES)
    assert (tmp_path / "r").read_bytes().count(b"\n") == len(BAD)


def test_a_mended_line_is_resumed_in_its_group(tmp_path: Path, filters: Filters) -> None:
    """The group that a bad line interrupted was not written."""
    place = sum(SIZES[:3]) + 5
    for text, code in (([*LINES[:place], b"bad\n", *LINES[place + 1 :]], 65), (LINES, 0)):
        (tmp_path / "in").write_bytes(b"".join(text))
        outcome = filters("join", "in", "-o", "out", *(["--resume"] if code == 0 else []))
        assert outcome.returncode == code, outcome.stderr
    assert (tmp_path / "out").read_bytes() == joined(LINES)
