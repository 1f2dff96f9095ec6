"""Lines stay lines, whatever the blocks, the shards and the compression."""

import bz2
import gzip
import lzma
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from random import Random
from unittest.mock import patch

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from llamax_cli.errors import DataError, RecordError
from llamax_cli.records import Record, text
from llamax_cli.streams import inputs
from llamax_cli.streams.chunks import (
    Chunk,
    Portion,
    Tally,
    Work,
    between,
    chunks,
    first_lines,
    records,
    shard,
    transform,
    transform_inputs,
)
from llamax_cli.streams.inputs import Door, Input

TEXT = [b"a", b"bc", b"\n", b"\r", b"\r\n", b"\x0b", b"\x0c", b"\x1c", b"\x1e", "\x85".encode(), "\u2028".encode()]
any_text = st.lists(st.sampled_from(TEXT), max_size=40).map(b"".join)
block_size = st.integers(1, 50)


class Held(Input):
    """An input whose bytes are in memory."""

    def __init__(self, data: bytes, door: Door | None = None) -> None:
        super().__init__("held", door=door)
        self._data = data

    def reopens(self) -> bool:
        """Return True: memory can be read again."""
        return True

    def _descriptor(self) -> int:
        descriptor = os.memfd_create("held")
        os.write(descriptor, self._data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor


def whole(texts: Iterable[bytes]) -> bytes:
    """Return the joined texts, each with a last line end."""
    return b"".join(text + b"\n" if text and not text.endswith(b"\n") else text for text in texts)


def joined(stream: Iterable[Chunk]) -> bytes:
    """Return the joined bytes of the chunks."""
    return b"".join(chunk.data for chunk in stream)


@given(st.lists(any_text, min_size=1, max_size=3), block_size)
def test_chunks_joined_are_the_inputs_and_end_where_lines_end(texts: list[bytes], size: int) -> None:
    """Nothing is lost or cut inside a line, each chunk knows its line number, and a last line gets its end."""
    with patch.object(inputs, "CHUNK", size):
        for text in texts:
            line = 1
            for chunk in chunks([Held(text)]):
                assert chunk.data.endswith(b"\n")
                assert chunk.line == line
                line += chunk.data.count(b"\n")
        assert joined(chunks(map(Held, texts))) == whole(texts)


@given(st.lists(any_text, min_size=1, max_size=3), block_size, st.integers(1, 9))
def test_shards_joined_are_the_whole(texts: list[bytes], size: int, count: int) -> None:
    """The joined shards are the inputs, whatever the blocks that they were read in."""
    with patch.object(inputs, "CHUNK", size):
        parts = [joined(shard([Held(text) for text in texts], Portion(index, count))) for index in range(1, count + 1)]
    assert b"".join(parts) == whole(texts)


@given(st.lists(any_text, min_size=1, max_size=3), block_size, st.integers(1, 9))
def test_shards_are_near_equal(texts: list[bytes], size: int, count: int) -> None:
    """No shard is further from its share of the bytes than the longest line."""
    text = whole(texts)
    longest = max(map(len, text.split(b"\n"))) + 1
    with patch.object(inputs, "CHUNK", size):
        for index in range(1, count + 1):
            part = joined(shard([Held(text) for text in texts], Portion(index, count)))
            assert abs(len(part) - len(text) / count) <= longest


@given(any_text, block_size, st.integers(1, 5))
def test_a_shard_knows_its_line_numbers(text: bytes, size: int, count: int) -> None:
    """The number of the first line of a chunk in a shard is that in the whole input."""
    lines = whole([text]).split(b"\n")[:-1]
    with patch.object(inputs, "CHUNK", size):
        for index in range(1, count + 1):
            for chunk in shard([Held(text)], Portion(index, count)):
                own = chunk.data.split(b"\n")[:-1]
                assert own == lines[chunk.line - 1 : chunk.line - 1 + len(own)]


@given(any_text, block_size, st.integers(0, 90), st.integers(0, 90))
def test_between_takes_the_lines_that_start_there(text: bytes, size: int, start: int, end: int) -> None:
    """A line is taken where its first byte lies between the two places."""
    expected, place = b"", 0
    for line in whole([text]).split(b"\n")[:-1]:
        expected += line + b"\n" if start <= place < end else b""
        place += len(line) + 1
    with patch.object(inputs, "CHUNK", size):
        assert joined(between(chunks([Held(text)]), start, end)) == expected


@given(st.lists(st.binary(max_size=5).filter(lambda line: b"\n" not in line), max_size=9), st.data())
def test_first_lines_measures_lines(lines: list[bytes], data: st.DataObject) -> None:
    """The length of the first lines is the sum of their lengths."""
    count = data.draw(st.integers(0, len(lines)))
    assert first_lines(b"".join(line + b"\n" for line in lines), count) == sum(len(line) + 1 for line in lines[:count])


COMPRESSED = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "plain": bytes,
}


@pytest.mark.parametrize("compression", COMPRESSED)
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_compression_is_seen_through(compression: str, size: int) -> None:
    """An input of any compression, of one stream or of several, is read as the text it holds, to the end."""
    text = b"".join(b"line %d\n" % number for number in range(3000))
    compress = COMPRESSED[compression]
    with patch.object(inputs, "CHUNK", size):
        assert joined(chunks([Held(compress(text[:9999]) + compress(b"") + compress(text[9999:]))])) == text


@pytest.mark.parametrize("compression", ["gz", "zst", "bz2", "xz"])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_compressed_input_cut_short_is_an_error(compression: str, share: float) -> None:
    """A file that is cut short is never taken for a shorter one."""
    data = COMPRESSED[compression](Random(0).randbytes(3000).hex().encode() + b"\n")
    with pytest.raises(DataError, match="held: the compressed file is cut short"):
        joined(chunks([Held(data[: int(len(data) * share)])]))


@pytest.mark.parametrize("compression", ["gz", "zst", "bz2", "xz"])
def test_a_corrupt_compressed_input_is_an_error(compression: str) -> None:
    """Flipped bytes in the middle are noticed."""
    data = bytearray(COMPRESSED[compression](Random(0).randbytes(3000).hex().encode() + b"\n"))
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
    with pytest.raises(DataError, match=r"held: the compressed (data is broken|file is cut short)"):
        joined(chunks([Held(bytes(data))]))


@pytest.mark.parametrize("compression", ["gz", "zst", "bz2", "xz"])
def test_compression_is_seen_where_a_pipe_gives_a_byte_at_a_time(compression: str) -> None:
    """The first bytes tell the compression even where they do not arrive together."""
    data, given_bytes = COMPRESSED[compression](b"text\n"), []

    def a_byte(descriptor: int, buffers: list[memoryview]) -> int:
        buffers[0][:1] = data[len(given_bytes) : len(given_bytes) + 1] or b"\0"
        given_bytes.append(0)
        return int(len(given_bytes) <= len(data))

    with patch.object(os, "readv", a_byte):
        assert joined(chunks([Held(b"")])) == b"text\n"


json_pieces = st.sampled_from([b'{"a":', b"1", b"}", b"{}", b'{"b":2}', b" ", b"\r", b"\n", b"\n", b"[]", b'{"a":1}'])


@given(st.lists(json_pieces, max_size=9).map(b"".join), block_size)
@example(b'{"a":\n1}{"b":2}\n', 3)
@example(b"{}{}\n\n", 3)
def test_the_lines_that_are_records_do_not_depend_on_the_chunks(text: bytes, size: int) -> None:
    """A record is one line, and a line that is not a record is rejected, whatever the lines next to it are."""

    def read(size: int) -> list[tuple[str, int, str]]:
        found: list[tuple[str, int, str]] = []
        with patch.object(inputs, "CHUNK", size):
            stream = chunks([Held(text)])
            good = records(
                stream, lambda record: record, lambda name, line, reason, raw: found.append((reason, line, raw.hex()))
            )
            return sorted([*(("good", number, str(list(record))) for number, record in good), *found])

    assert read(1) == read(size) == read(1 << 20)


def test_a_record_whose_stage_fails_midway_writes_nothing() -> None:
    """A stage that yields from a record and then rejects it leaves nothing of it in the output."""

    def stage(record: Record, tally: Tally) -> Iterator[Record]:
        yield {"half": True}
        raise RecordError("refused")

    outcome = transform(stage, True, Chunk("x", 1, b"{}\n"))
    assert (outcome.data, outcome.written, len(outcome.rejects)) == (b"", 0, 1)


@pytest.mark.parametrize("line", [b"x\n", b'{"a":1}\n'])
def test_rejecting_every_line_takes_time_in_proportion(line: bytes) -> None:
    """The time for each line of a large chunk of bad lines is about that of a small chunk."""

    def seconds(count: int) -> float:
        before = time.process_time()
        outcome = transform(refuse, True, Chunk("x", 1, line * count))
        assert len(outcome.rejects) == count
        return time.process_time() - before

    def refuse(record: Record, tally: Tally) -> list[Record]:
        raise RecordError("refused")

    many, few = (min(seconds(count) for _ in range(3)) for count in (16000, 1000))
    assert many < 16 * 5 * max(few, 0.002)


def test_a_line_without_end_is_refused() -> None:
    """Too many bytes without a line end are not a stream of lines."""
    small = patch("llamax_cli.streams.chunks.MAX_LINE", 1000), patch.object(inputs, "CHUNK", 100)
    with small[0], small[1], pytest.raises(DataError, match="held:2: no line end within"):
        joined(chunks([Held(b"first\n" + b"x" * 2000)]))


class Lengths:
    """A transform of many records at once that refuses some of them."""

    def __call__(self, record: Record, tally: Tally) -> Iterable[Record]:
        """Count the letters of a record."""
        return self.transform_batch([record], tally)

    def transform_batch(self, records: list[Record], tally: Tally) -> list[Record]:
        """Count the letters of records."""
        for record in records:
            if "refuse" in text(record, "text"):
                raise RecordError("refused")
            tally["letters"] += len(text(record, "text"))
        return [{"text": record["text"]} for record in records]


class Made:
    """A door that makes a record of each line."""

    def recognises(self, source: Input) -> bool:
        """Return whether it reads this input."""
        return True

    def batches(self, source: Input) -> Iterator[list[Record]]:
        """Yield a batch for each chunk."""
        for chunk in chunks([source]):
            yield [{"text": line} for line in chunk.data.decode().split("\n")[:-1]]


@pytest.mark.parametrize("tolerant", [True, False])
@given(lines=st.lists(st.sampled_from(["a", "ö", "refuse", ""])), size=st.integers(1, 20))
def test_what_a_door_makes_is_transformed_as_its_lines_are(tolerant: bool, lines: list[str], size: int) -> None:
    """Whether records are handed on as they are or as lines: the same bytes, numbers of bad lines, and counts."""
    work = Work(Lengths, tolerant)
    data = "".join(f"{line}\n" for line in lines).encode()
    with patch.object(inputs, "CHUNK", size):
        handed = list(transform_inputs(work, [Held(data, Made())]))
        as_lines = [transform(Lengths(), tolerant, chunk) for chunk in chunks([Held(data, Made())])]
    assert handed == as_lines
    assert sum(len(outcome.rejects) for outcome in handed) == lines.count("refuse") or not tolerant


def test_tallies_are_kept() -> None:
    """What a stage counts is in the outcome."""

    def stage(record: Record, tally: Tally) -> list[Record]:
        tally["seen"] += 1
        return [record]

    assert transform(stage, False, Chunk("x", 1, b"{}\n{}\n")).tally == Counter(seen=2)
