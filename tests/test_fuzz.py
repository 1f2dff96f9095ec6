"""Readers of files given broken ones: each reads them or raises a documented error, whatever the bytes are.

The examples are the same in each run. FUZZ_EXAMPLES=5000 tries more, and others; tests/fuzz/fuzz.py searches by
coverage.
"""

import json
import os
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fuzz_targets import CORPUS, READERS, check, seeds

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
SLOW = {"gguf", "system", "corpus-parquet", "instructions", "tokenizer"}  # which take some milliseconds
HOSTILE: list[Any] = [
    *(None, True, 0, -1, 1 << 63, 10**30, 1.5, "", "\0", "\ud7ff", "a\nb", "x" * 3000, [], [None], {}, {"": {}}),
    *([[[[1]]]], {"a": {"a": {"a": []}}}, "../../etc/passwd", "1e999", float("inf")),
]
BYTES = [
    *(b"", b"\0", b"\n", b"\r", b"\xff", b"\xed\xa0\x80", b"{", b"[" * 3000, b'"', b"\\", b"\t\t", b"\xef\xbb\xbf"),
    *(b"1e999", b"9" * 30, b"NaN", b"\xff\xff\xff\xff", b"\x80\x00\x00\x00\x00\x00\x00\x00", b"<", b"&#0;", b"&a;"),
]


@st.composite
def spliced(draw: st.DrawFn, seed: bytes) -> bytes:
    """Return bytes with some of them replaced, left out or doubled."""
    data = seed
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 0, 1, 2, 8, 100])))
        new = draw(st.sampled_from([*BYTES, data[start:end] * 2]) | st.binary(max_size=4))
        data = data[:start] + new + data[end:]
    return data[: draw(st.sampled_from([len(data), len(data), len(data) // 2]))]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where values are in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


@st.composite
def changed(draw: st.DrawFn, document: Any) -> bytes:
    """Return a document with some values replaced by hostile ones."""
    document = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 2))):
        *path, last = draw(st.sampled_from(places(document)[1:] or [("",)]))
        parent = document
        for key in path:
            parent = parent[key]
        if not isinstance(parent, dict | list):
            break
        if draw(st.booleans()) and isinstance(parent, dict):
            parent.pop(last, None)
            last = draw(st.sampled_from(["", "a", " ", "\0"]))
        parent[last] = deepcopy(draw(st.sampled_from(HOSTILE)))
    return json.dumps(document).encode()


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Return broken files for a reader."""
    made: list[st.SearchStrategy[bytes]] = [st.binary(max_size=40), st.sampled_from(BYTES)]
    for seed in seeds(name) or [b""]:
        made += [spliced(seed)] * 2
        with suppress(ValueError, RecursionError):
            made += [changed(json.loads(seed))] * 3
    return st.one_of(made)


@pytest.mark.parametrize("name", READERS)
def test_a_broken_file_is_read_or_refused(name: str) -> None:
    """No exception but the documented ones."""

    @settings(
        max_examples=EXAMPLES or (8 if name in SLOW else 40),
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(name))
    def broken(data: bytes) -> None:
        check(name, data)

    broken()


KEPT = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_failed_is_read_or_refused(path: Any) -> None:
    """Found by tests/fuzz/fuzz.py, or by the test above with more examples."""
    check(path.parent.name, path.read_bytes())


@pytest.mark.parametrize("name", READERS)
def test_the_seeds_are_read(name: str) -> None:
    """What the search begins with is well formed, so that it gets past the first lines of a reader."""
    kept = {path.read_bytes() for path in KEPT}
    for seed in seeds(name):
        if seed not in kept:
            assert READERS[name](seed) != 0  # records or entries, where they are counted
