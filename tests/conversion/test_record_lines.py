"""Records that are written as they are read: in blocks of lines, they are the same as one by one."""

import io
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamax_cli.conversion import convert
from llamax_cli.conversion.formats import records as format_of_records
from llamax_cli.conversion.segments import CorpusRequest
from llamax_cli.conversion.selection import Selection
from llamax_cli.errors import DataError
from llamax_cli.records import serialise
from llamax_cli.streams import inputs
from llamax_cli.streams.inputs import Input

LINES = [
    '{"text":"a","lang":"en"}',
    '{"text":"ö \\" – 犬","lang":"en","id":"x:1","kept":1.50}',
    '{"text":"b","lang":"de"}',
    '{"id":"2","src":"a","tgt":"b","src_lang":"en","tgt_lang":"de"}',
    '{"id":"2","src":"a","tgt":["b","c"],"src_lang":"en","tgt_lang":"de"}',
    '{"src":"a","mt":"b","src_lang":"en","tgt_lang":"de","kept":{"a":[1]}}',
    '{"text":"c","lang":"deu"}',
    '{"text": "spaced","lang":"de"}',
    '{"src":"a","tgt":"b","src_lang":"eng_Latn","tgt_lang":"de"}',
]
BAD = [
    "",
    "no JSON",
    '{"text":1,"lang":"en"}',
    '{"text":"a","lang":"no language"}',
    '{"text":"a"}',
    '{"text":"a","text":"a","lang":"en"}',
    '{"src":"a","tgt":1,"src_lang":"en","tgt_lang":"de"}',
    '{"src":"a","tgt":"b","src_lang":"en"}',
    '{"lang":"en"}',
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a file to write."""
    return tmp_path_factory.mktemp("records") / "records.jsonl"


@pytest.mark.parametrize("tolerant", [True, False])
@given(
    groups=st.lists(st.tuples(st.sampled_from([*LINES, *BAD]), st.integers(1, 3)), max_size=10),
    size=st.sampled_from([1, 40, 200, 1 << 17]),
    few=st.sampled_from([0, 60, 1000]),
)
def test_lines_are_those_of_records(
    file: Path, tolerant: bool, groups: list[tuple[str, int]], size: int, few: int
) -> None:
    """And so are the bad lines, whatever the size of a chunk; what comes before one that ends the run is there."""
    file.write_text("".join(f"{line}\n" * count for line, count in groups), encoding="utf-8")

    def read(in_blocks: bool) -> tuple[bytes, list[tuple[int, str]], str]:
        rejects: list[tuple[int, str]] = []

        def reject(name: str, line: int, reason: str, raw: bytes) -> None:
            rejects.append((line, reason))
            if not tolerant:
                raise DataError(reason)

        request = CorpusRequest((str(file),), Input, reject)
        written, failure = io.BytesIO(), ""
        try:
            if in_blocks:
                blocks = convert.copy_lines(request, "records", Selection(), Counter())
                assert blocks is not None
                for block in blocks:
                    written.write(block)
            else:
                for record in convert.read_corpora(request, "records", Selection(), Counter()):
                    written.write(serialise([record]))
        except DataError as error:
            failure = str(error)
        return written.getvalue(), rejects, failure

    with patch.object(inputs, "CHUNK", size), patch.object(format_of_records, "FEW", few):
        assert read(in_blocks=True) == read(in_blocks=False)


def test_lines_are_not_taken_apart_where_nothing_changes(file: Path) -> None:
    """Of many lines that are alike, the first is looked at; without compiled code, all are."""
    line = LINES[0].encode() + b"\n"
    file.write_bytes(line * 100)
    request = CorpusRequest((str(file),), Input, lambda *_: None)
    for compiled, looks in ((format_of_records.outlines, 1), (None, 0)):
        with (
            patch.object(format_of_records, "outlines", compiled),
            patch.object(format_of_records, "parse", side_effect=format_of_records.parse) as parse,
        ):
            assert b"".join(convert.copy_lines(request, None, Selection(), Counter()) or ()) == line * 100
        assert parse.call_count == looks
