"""The compiled look at lines: it accepts what Python accepts as plain, and all of that are records."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import plain_lines
from support.processes import ROOT
from support.sanitizers import SANITIZERS, run_sanitized

from llamax_cli import plain_lines as compiled
from llamax_cli import records

SOURCE = ROOT / "llamax_cli" / "plain_lines.c"
any_lines = st.one_of(
    st.randoms(use_true_random=False).map(plain_lines.mutated),
    st.randoms(use_true_random=False).map(lambda choose: plain_lines.mutated(choose, plain_lines.SPACED_LINES)),
    st.lists(st.sampled_from(plain_lines.PIECES), max_size=12).map(lambda pieces: b'{"a":"%b"}\n' % b"".join(pieces)),
    st.lists(st.sampled_from(plain_lines.PIECES), max_size=20).map(b"".join),
    st.binary(max_size=20),
)


@given(any_lines)
def test_plain_lines_are_what_python_says(data: bytes) -> None:
    """For any bytes, with and without spaces, and so are the places where the outline changes."""
    assert compiled.outlines(data, plain_lines.KINDS, plain_lines.VALUES) == plain_lines.outlines(data)
    assert compiled.are_records(data) == plain_lines.are_records(data)


@given(any_lines)
def test_what_is_plain_is_a_record(data: bytes) -> None:
    """To Python alone the same records, which are written with the same bytes; what is not plain is left to Python."""
    found, alone = records.parse_lines(data), records._parse_any(data)
    assert (found is None) == (alone is None)
    if found is not None and alone is not None:
        assert records.serialise(found) == records.serialise(alone)
        assert list(map(list, found)) == list(map(list, alone))
    if compiled.are_records(data):
        assert found is not None
    if compiled.outlines(data, (), ()) is not None:
        assert alone is not None
        assert records.serialise(alone) == data


@given(st.lists(st.sampled_from([b"\n", b"a", b"\n" * 300, b"b" * 127])).map(b"".join))
def test_line_ends_are_counted(data: bytes) -> None:
    """However many there are in a row."""
    assert compiled.count_lines(data) == data.count(b"\n")


def test_many_lines(count: int = 20_000) -> None:
    """Enough of them are plain, and enough are not."""
    assert count / 10 < plain_lines.check(compiled, count) < count / 2


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_no_byte_outside_is_read(tmp_path: Path, sanitizer: str) -> None:
    """Compiled with a sanitizer, which ends the process at the first wrong read, shift or overflow."""
    assert int(run_sanitized(sanitizer, SOURCE, "support.plain_lines", tmp_path, 3000)) > 300


def test_too_many_names_are_refused() -> None:
    """And what is not bytes."""
    with pytest.raises(ValueError, match="more than 16 names"):
        compiled.outlines(b"", (b"a",) * 17, ())
    with pytest.raises(TypeError):
        compiled.outlines(b"", ("a",), ())  # type: ignore[arg-type]


def test_choices_are_the_same_each_time() -> None:
    """The lines that are tried depend on the seed alone."""
    assert plain_lines.mutated(random.Random(1)) == plain_lines.mutated(random.Random(1))
