"""Records in a stream: unchanged values keep their bytes, and errors say plainly why a line is not a record."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamax_cli.errors import RecordError
from llamax_cli.records import parse, parse_lines, serialise, text, value

VALUES = [
    rb'"\u00e9"',
    rb'"\ud83d\ude00 \/"',
    b"1.50",
    b"1e5",
    b"-0",
    b"12345678901234567890123",
    b'{ "x" : [ 1 , 2.0 ],"y":{}}',
    b"[ ]",
    b"null",
    b"true",
    '"é\u2028\x85"'.encode(),
]
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


def utf8(tree: object) -> bool:
    """Return whether all of it can be written as UTF-8."""
    try:
        return bool(json.dumps(tree, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize("written", VALUES)
def test_untouched_values_stay_byte_for_byte(written: bytes) -> None:
    """Escapes, number formats, big integers and inner white space are kept."""
    line = b'{"a":' + written + b',"unknown":' + written + b"}\n"
    assert serialise([parse(line)]) == line
    assert serialise(parse_lines(line) or []) == line


@given(
    st.dictionaries(st.text().filter(utf8), trees.filter(utf8), max_size=5),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_any_json_object_survives(record: dict[str, object], ascii_only: bool, space: int | None) -> None:
    """After reading and writing, each value has the same bytes, and the record the same meaning."""
    separators = (",", ":") if space is None else (" , ", " : ")
    line = json.dumps(record, ensure_ascii=ascii_only, separators=separators).encode()
    parsed = parse(line)
    assert json.loads(serialise([parsed])) == record
    for key, found in record.items():
        assert value(parsed, key) == found
        assert bytes(parsed[key]) == json.dumps(found, ensure_ascii=ascii_only, separators=separators).encode()


@given(
    st.lists(st.dictionaries(st.text(max_size=3).filter(utf8), trees.filter(utf8), max_size=3), min_size=1, max_size=5)
)
def test_lines_at_once_are_lines_one_by_one(records: list[dict[str, object]]) -> None:
    """`parse_lines` returns what `parse` returns for each line."""
    lines = [json.dumps(record).encode() for record in records]
    at_once = parse_lines(b"".join(line + b"\n" for line in lines))
    assert at_once is not None
    assert serialise(at_once) == serialise(map(parse, lines))


BAD = {
    b"": "empty line",
    b"  \r": "empty line",
    b"\xef\xbb\xbf{}": "starts with a byte order mark (U+FEFF); remove it",
    b'{"a":"\0"}': "not JSON: NUL byte at 6; is this a binary or UTF-16 file?",
    b"{\0": "not JSON: NUL byte at 1; is this a binary or UTF-16 file?",
    b'{"a": NaN}': "not JSON: NaN is not a JSON number; write null",
    b'{"a":[1,Infinity]}': "not JSON: Infinity is not a JSON number; write null",
    b'{"a":-Infinity}': "not JSON: -Infinity is not a JSON number; write null",
    rb'{"a":"x\ud800"}': r"not JSON: lone surrogate \ud800",
    rb'{"a":"\ude00x"}': r"not JSON: lone surrogate \ude00",
    rb'{"a":"\ud83d\ude00","b":{"c":"\uDBFF"}}': r"not JSON: lone surrogate \uDBFF",
    b'{"a":"\xff"}': "not UTF-8: byte 0xff at 6",
    b'{"a":1,"b":{"c":"\xc3"}}': "not UTF-8: byte 0xc3 at 17",
    b"\xff\xfe{\0": "not UTF-8: byte 0xff at 0",
    b'{"a":"\xed\xa0\x80"}': "not UTF-8: byte 0xed at 6",
    b"[1]": "not a record: expected object, got array",
    b"3": "not a record: expected object, got int",
    b'"text"': "not a record: expected object, got str",
    b"null": "not a record: expected object, got null",
    b'{"a":1': "not JSON: Input data was truncated",
    b'{"a":"x': "not JSON: Input data was truncated",
    b"plain text": "not JSON: invalid character (byte 0)",
    b"{'a':1}": "not JSON: object keys must be strings (byte 1)",
    b'{"a":1} x': "not JSON: trailing characters (byte 9)",
    b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}": "not a record: nested too deeply",
    b'{"a":' + b"[" * 100_000: "not a record: nested too deeply",
}


@pytest.mark.parametrize("line", BAD, ids=lambda line: repr(line[:20]))
def test_the_reason_why_a_line_is_no_record(line: bytes) -> None:
    """The error of each kind of bad line says what to fix, and `parse_lines` finds the line too."""
    with pytest.raises(RecordError) as caught:
        parse(line)
    assert str(caught.value) == BAD[line]
    assert parse_lines(line + b"\n") is None
    assert parse_lines(b"{}\n" + line + b"\n{}\n") is None


KINDS = {
    b"1": "a number",
    b"-1.5": "a number",
    b"true": "a boolean",
    b"false": "a boolean",
    b"null": "null",
    b"[]": "an array",
    b"{}": "an object",
}


@pytest.mark.parametrize("written", KINDS)
def test_what_is_no_string_is_named(written: bytes) -> None:
    """The error for a value that is not a string names its key and its type."""
    with pytest.raises(RecordError, match=f"^'a' is {KINDS[written]}, not a string$"):
        text(parse(b'{"a":' + written + b"}"), "a")


def test_what_is_missing_is_named() -> None:
    """The error for a missing key names the keys that the record has."""
    with pytest.raises(RecordError, match=r"^no 'text' in the record \(it has a, b\)$"):
        text(parse(b'{"a":1,"b":2}'), "text")
    with pytest.raises(RecordError, match=r"^no 'text' in the record \(it has nothing\)$"):
        text({}, "text")


def test_what_a_stage_put_in_is_found() -> None:
    """Plain values that a stage has set are read like those of the input."""
    record = {"s": "text", "n": 3}
    assert (text(record, "s"), value(record, "n")) == ("text", 3)
    with pytest.raises(RecordError, match=r"^'n' is int, not a string$"):
        text(record, "n")
