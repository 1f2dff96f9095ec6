"""Records in Parquet: what is written is read back, row by row in the languages that it says."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpora import Rejected, request_of
from support.processes import Outcome, one_line
from support.records import parsed

from llamax_cli.conversion import parquet_writer
from llamax_cli.conversion.formats import parquet
from llamax_cli.conversion.parquet_writer import ParquetFile
from llamax_cli.errors import DataError
from llamax_cli.records import serialise

Llamax = Callable[..., Outcome]
PAIR = {"id": "a", "src": "one", "tgt": "un", "src_lang": "eng", "tgt_lang": "fr", "score": 0.5, "tags": ["x", "y"]}
TEXT = {"id": "b", "text": "moja\u0085 ", "lang": "swh_Latn", "n": 7, "good": True}


def lines(*records: dict[str, Any]) -> bytes:
    """Return records as lines."""
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def test_records_come_back(llamax: Llamax, tmp_path: Path) -> None:
    """Pairs and texts in one table, in the order of the records and in their own languages."""
    made = llamax("convert", "--as", "parquet", "-o", "x.parquet", stdin=lines(PAIR, TEXT, PAIR))
    assert (made.returncode, made.stdout) == (0, b"")
    back = llamax("convert", "x.parquet")
    pair, text = {**PAIR, "src_lang": "en"}, {**TEXT, "lang": "sw"}
    assert [list(record.items()) for record in parsed(back)] == [
        sorted(record.items(), key=lambda item: [*PAIR, *TEXT].index(item[0])) for record in (pair, text, pair)
    ]
    assert [record["text"] for record in parsed(llamax("convert", "x.parquet", "--mono", "fr,sw"))] == [
        "un",
        "un",
        TEXT["text"],
    ]
    assert {record["tgt"] for record in parsed(llamax("convert", "x.parquet", "--pairs", "fr-en"))} == {"one"}
    piped = llamax("convert", "--as", "parquet", stdin=lines(PAIR, TEXT, PAIR)).stdout
    assert piped == (tmp_path / "x.parquet").read_bytes()


@settings(max_examples=30)
@given(st.lists(st.fixed_dictionaries({"text": st.text(st.characters(codec="utf-8"))}, optional={"k": st.text()})))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    """In any number of row groups; a key that a record lacks stays absent."""
    records: list[dict[str, Any]] = [{"k": "", "text": "", "lang": "en"}, *({**row, "lang": "en"} for row in rows)]
    path = tmp_path_factory.mktemp("parquet") / "x.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_writer, "ROW_GROUP_ROWS", 2)
        file = ParquetFile(path)
        for record in records:
            file.write(serialise([record]))
        file.complete()
        file.finish()
        file.close()
    (corpus,) = parquet.open_corpora(request_of(path))
    assert list(corpus.stream_records({})) == records  # type: ignore[attr-defined]
    assert pyarrow.parquet.ParquetFile(path).num_row_groups == -(-len(records) // 2)
    assert os.listdir(path.parent) == ["x.parquet"]


def test_rows_without_a_language_are_bad(tmp_path: Path) -> None:
    """A null, or no code, in one row takes only this row."""
    rows = [{**PAIR, "tgt_lang": None}, PAIR, {**PAIR, "src_lang": "qqq"}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "x.parquet")
    bad: Rejected = []
    (corpus,) = parquet.open_corpora(request_of(tmp_path / "x.parquet", bad=bad))
    assert [record["src"] for record in corpus.stream_records({})] == ["one"]  # type: ignore[attr-defined]
    assert [line[:2] for line in bad] == [("x.parquet", 1), ("x.parquet", 3)]
    assert bad[0][2].startswith("no 'tgt_lang' in the record") and bad[1][2].startswith("unknown language 'qqq'")
    assert json.loads(bad[1][3])["src_lang"] == "qqq"


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ({**TEXT, "new": 1}, "no record so far has the key 'new', and a table cannot add a column"),
        ({**TEXT, "n": "seven"}, "'n' has values of different types, or too large ones"),
        ({**TEXT, "n": 1 << 80}, "'n' has values of different types, or too large ones"),
        ({**TEXT, "n": {"a": 1}}, "'n' is an object, which a column cannot hold"),
    ],
)
def test_what_a_table_cannot_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: dict[str, Any], reason: str
) -> None:
    """Nothing half-written is left, and an older file stays."""
    monkeypatch.setattr(parquet_writer, "ROW_GROUP_ROWS", 2)
    path = tmp_path / "x.parquet"
    path.write_text("older")
    file = ParquetFile(path)
    file.write(lines(TEXT, TEXT))
    with pytest.raises(DataError, match=reason):
        file.write(lines(TEXT, last))
    file.close()
    assert os.listdir(tmp_path) == ["x.parquet"]
    assert path.read_text() == "older"


def test_a_parquet_file_is_not_compressed_again(llamax: Llamax) -> None:
    """Its columns are."""
    said = one_line(llamax("convert", "--as", "parquet", "-o", "x.parquet.gz", stdin=lines(TEXT)), 2)
    assert said == "-o x.parquet.gz: Parquet compresses its columns itself; drop .gz"
