"""The compiled rows of mix: the same as Python makes, whatever the lines; and no byte outside is read."""

import random
from array import array
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import rows as tried
from support.sanitizers import SANITIZERS, run_sanitized
from xxhash import xxh3_64_digest, xxh3_128_digest

from llamax_cli.mixing import chunk_reader
from llamax_cli.mixing.buckets import _arrange_lines
from llamax_cli.mixing.chunk_reader import ChunkReader, ReaderSettings
from llamax_cli.mixing.rows import arrange_lines, pair_rows
from llamax_cli.mixing.subsets import EpochRandomness
from llamax_cli.streams.chunks import Chunk

SOURCE = Path(chunk_reader.__file__).with_name("rows.c")
SETTINGS = ReaderSettings(EpochRandomness(seed=1, epoch=2, flip=0.5))


def found(reader: ChunkReader, option: str, data: bytes) -> Any:
    """Return the rows of lines, in whatever order, and everything else that is found there."""
    rows, rejects = reader.read(option, Chunk("x", 5, data))
    index = rows.index
    entries = [index[start : start + 32] for start in range(0, len(index), 32)]
    lines = rows.text.split(b"\n") if rows.lines else []
    return Counter(zip(entries, lines, strict=True)), rejects, +rows.left_out, rows.subsets


@pytest.fixture(scope="module")
def readers() -> tuple[ChunkReader, ChunkReader]:
    """Return one that knows the formats of all lines, so that compiled code reads them, and one of Python alone."""
    compiled, alone = ChunkReader(SETTINGS), ChunkReader(SETTINGS)
    for option in tried.OPTIONS:
        compiled.read(option, Chunk("x", 1, b"".join(tried.LINES)))
    alone._compiled_options = set()
    return compiled, alone


@given(st.randoms(use_true_random=False), st.sampled_from(tried.OPTIONS))
def test_compiled_rows_are_those_of_python(
    readers: tuple[ChunkReader, ChunkReader], choose: random.Random, option: str
) -> None:
    """For any lines of any option, with the same lines rejected and left out."""
    data = tried.any_lines(choose)
    compiled, alone = (found(reader, option, data) for reader in readers)
    assert compiled == alone


def test_most_lines_are_compiled(readers: tuple[ChunkReader, ChunkReader], count: int = 3000) -> None:
    """Of those as they are all but two, and a third of all with what was changed; all of them are what Python makes."""
    choose, all_lines, left = random.Random(1), 0, 0
    formats = readers[0]._pair_formats["aug"].compiled
    assert len(pair_rows(b"".join(tried.LINES), formats, True)[3]) == 2
    for number in range(count):
        option, data = tried.OPTIONS[number % 3], tried.any_lines(choose)
        compiled, alone = (found(reader, option, data) for reader in readers)
        assert compiled == alone, data
        all_lines += data.count(b"\n")
        left += len(pair_rows(data, readers[0]._pair_formats[option].compiled, option == "mt")[3])
    assert left < all_lines * 0.7


@pytest.mark.parametrize("seed", [0, 1, 0x9E3779B97F4A7C15, (1 << 64) - 1])
def test_entries_have_the_hashes_of_xxhash(seed: int) -> None:
    """Of contents and ids of any length; each length has the steps of its kind."""
    formats = {b"\ten\tde": ("", seed, b"abcdefgh", b"", b"}", b"}", True, False)}
    draw = random.Random(seed)
    for length in [*range(1, 600), 1000, 1024, 1100, 2040, 2048, 2100, 5000]:
        source = "".join(draw.choices("abcdefgh", k=length)).encode()
        id_ = b'"%b"' % source[1:]
        data = b'{"id":%b,"src":"%b","tgt":"t","src_lang":"en","tgt_lang":"de"}\n' % (id_, source)
        entry, _, _, left = pair_rows(data, formats, False)
        assert not left
        assert entry == xxh3_128_digest(b'"%b"\n"t"' % source, seed) + b"abcdefgh" + xxh3_64_digest(id_), length


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from([b"", b"a", b"b\nc", b"d" * 100]), min_size=1))
def test_lines_are_arranged_as_python_does(choose: random.Random, texts: list[bytes]) -> None:
    """Any of them, any number of times, in any pieces."""
    count = b"\n".join(texts).count(b"\n") + 1
    rows, bounds = (np.array(each, np.int64) for each in tried.any_rows(choose, count))
    assert arrange_lines(texts, rows, bounds) == _arrange_lines(texts, rows, bounds)


def test_wrong_arguments_are_refused() -> None:
    """Rows and bounds that do not exist, and a last line without an end."""
    for rows, bounds in (([2], [0, 1]), ([-1], [0, 1]), ([0], [0, 2]), ([0], [-1, 1]), ([0, 1], [2, 1])):
        with pytest.raises(IndexError):
            arrange_lines([b"a\nb"], array("q", rows), array("q", bounds))  # type: ignore[arg-type]
    for texts in ([], ["a"]):
        with pytest.raises((TypeError, ValueError)):
            arrange_lines(texts, array("q"), array("q"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no end"):
        pair_rows(b"{}", {}, False)
    line = tried.LINES[0]
    for wrong in (1, (), ("", -1, b"abcdefgh", b"", b"", b"", 0, 0), ("", 1, b"a", b"", b"", b"", 0, 0)):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            pair_rows(line, {b"\ten\tde": wrong}, False)  # type: ignore[dict-item]


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_no_byte_outside_is_read(tmp_path: Path, sanitizer: str) -> None:
    """With a sanitizer the results are the same."""
    expected = tried.results(pair_rows, arrange_lines, 3000)
    assert run_sanitized(sanitizer, SOURCE, "support.rows", tmp_path, 3000).strip() == expected
