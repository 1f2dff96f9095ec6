"""Records in a stream: unchanged values keep their bytes, and errors say plainly why a line is not a record."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamax_cli.errors import RecordError
from llamax_cli.records import (
    PLAIN_TEXT,
    boolean,
    is_string,
    number,
    parse,
    parse_lines,
    serialise,
    text,
    value,
    whole_number,
)

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


@given(
    st.lists(st.tuples(st.text(max_size=2).filter(utf8), trees.filter(utf8)), min_size=1, max_size=5),
    st.sampled_from([":", ": ", " :", "\t: "]),
    st.sampled_from([",", ", "]),
    st.booleans(),
)
def test_a_line_is_bad_if_and_only_if_a_key_is_repeated(
    items: list[tuple[str, object]], colon: str, comma: str, ascii_only: bool
) -> None:
    """Of two values under one key, none is lost in silence; nor is a line refused for what stands in its values."""
    dump = json.JSONEncoder(ensure_ascii=ascii_only, separators=(comma, colon)).encode
    line = ("{" + comma.join(dump(key) + colon + dump(item) for key, item in items) + "}").encode()
    keys = [key for key, _ in items]
    good = b'{"a":1}\n'
    if len(set(keys)) == len(keys):
        assert serialise([parse(line)]) == serialise(parse_lines(line + b"\n") or [])
        assert parse_lines(good + line + b"\n") is not None
    else:
        repeated = next(key for place, key in enumerate(keys) if key in keys[:place])
        with pytest.raises(RecordError) as caught:
            parse(line)
        assert str(caught.value) == f"not a record: it has the key {repeated!r} twice"
        assert parse_lines(line + b"\n") is None
        assert parse_lines(good + line + b"\n" + good) is None


@pytest.mark.parametrize("data", [b"{}{}\n{\n}\n", b"{}{}\n\n", b'{"a":[\n]}\n{}\n', b"{} \n{}{}\n\n"])
def test_each_line_is_one_record(data: bytes) -> None:
    """Two records on a line do not make up for one that takes two lines, or none."""
    assert parse_lines(data) is None


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
    b"[1]": "not a record: expected object, got array; is this a JSON array? make lines of it: jq -c '.[]'",
    b'{"a":1,"b":2,"a":3}': "not a record: it has the key 'a' twice",
    rb'{"a":1,"\u0061":{"a":1}}': "not a record: it has the key 'a' twice",
    b'{"a" :1,"b":":", "a":2}': "not a record: it has the key 'a' twice",
    rb'{"a\\" :1,"b":"\" :","a\\":2}': "not a record: it has the key 'a\\\\' twice",
    b'{"a"\t:1,"a"\t:2}': "not a record: it has the key 'a' twice",
    rb'{"\":":1e999,"b\":":"\":","b\":":1}': "not a record: it has the key 'b\":' twice",
    b'{"a":{"b":1,"b":2}}': "not a record: 'a' has the key 'b' twice",
    rb'{"a":"{","c":[[{"b":1,"d":{"x":1e999,"\u0078":{}}}]]}': "not a record: 'c' has the key 'x' twice",
    b"3": "not a record: expected object, got int",
    b'"text"': "not a record: expected object, got str",
    b"null": "not a record: expected object, got null",
    b'{"a":1': "not JSON: Input data was truncated",
    b'{"a":"x': "not JSON: Input data was truncated",
    b"plain text": f"not JSON: invalid character (byte 0){PLAIN_TEXT}",
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


NUMBERS = {
    b"1e999": (b"is a number out of range",) * 3,
    b"[-1e999]": (b"has a number out of range",) * 3,
    b"9" * 400: (b"(400 digits), not a finite number", b"(400 digits), not a whole number", b"is neither"),
    b"9" * 5000: (b"is a number out of range",) * 3,
    b'"1"': (b"is a string, not a number", b"is a string, not a whole number from 0", b"is neither"),
    b"true": (b"is a boolean, not a number", b"is a boolean, not a whole number from 0", True),
    b"null": (b"is null, not a number", b"is null, not a whole number from 0", b"is neither true nor false"),
    b"1.5": (1.5, b"'a' is 1.5, not a whole number from 0", b"is neither true nor false"),
    b"-1": (-1, b"'a' is -1, not a whole number from 0", b"is neither true nor false"),
    b"7": (7, 7, b"is neither true nor false"),
}


@pytest.mark.parametrize("written", NUMBERS, ids=lambda written: repr(written[:8]))
def test_numbers_are_numbers_within_range(written: bytes) -> None:
    """What is not a number of the kind that is asked for is refused and named, and never overflows."""
    record = parse(b'{"a":' + written + b"}")
    for read, expected in zip((number, whole_number, boolean), NUMBERS[written], strict=True):
        if isinstance(expected, bytes):
            with pytest.raises(RecordError) as caught:
                read(record, "a")
            assert expected.decode() in str(caught.value)
        else:
            found = read(record, "a")
            assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(("low", "high", "says"), [(0, 100, "a number from 0 to 100"), (0, float("inf"), "from 0")])
def test_a_number_has_bounds(low: float, high: float, says: str) -> None:
    """The bounds themselves are allowed, and the message names them."""
    assert [number({"a": end}, "a", low, high) for end in (low, 100)] == [low, 100]
    with pytest.raises(RecordError, match=rf"^'a' is -0\.1, not .*{says}$"):
        number({"a": -0.1}, "a", low, high)
    if high == 100:
        with pytest.raises(RecordError, match=r"^'a' is 100\.5, not a number from 0 to 100$"):
            number({"a": 100.5}, "a", low, high)


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


@given(trees.filter(utf8))
def test_a_string_is_known_without_decoding_it(value: object) -> None:
    """As it was read from a line, and as Python's value."""
    assert is_string(parse(json.dumps({"a": value}).encode()), "a") == isinstance(value, str)
    assert is_string({"a": value}, "a") == isinstance(value, str)
    assert not is_string({"a": value}, "b")
