"""What plain lines are, in Python, and lines to try: for llamax_cli/plain_lines.c, whichever way it was compiled.

    python -m support.plain_lines EXTENSION.so COUNT

tries as many, and fails where the compiled code does not say the same. It is run with sanitizers of memory.
"""

import json
import random
import re
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from support.sanitizers import load_extension

KINDS, VALUES = (b"text", b"src"), (b"lang", b"\xc3\xb6")
MOST_KEYS = 48
LETTER = rb'[^\x00-\x1f"\\]'
STRING = rb'"(?:' + LETTER + rb'|\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))*"'
NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
KEY = rb'"' + LETTER + rb'*"'
VALUE = STRING + rb"|" + NUMBER + rb"|true|false|null"
MEMBER = rb"(" + KEY + rb") *: *(" + VALUE + rb")"
LINE = re.compile(rb"\{(?:@(?:,@)*)?\}".replace(b"@", KEY + rb":(?:" + VALUE + rb")"))
SPACED_LINE = re.compile(rb" *\{ *(?:@(?:, *@)*)?\} *".replace(b"@", KEY + rb" *: *(?:" + VALUE + rb") *"))
PIECES = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\n", b" ", b"\t", b"\r", b"\0", b"\x1f", b"\x7f", b"-", b"."),
    *(b"0", b"1", b"e", b"E", b"+", b"true", b"false", b"null", b"nul", b"1.5", b"-0", b"01", b"1e5", b"1.", b"1e+"),
    *(b"text", b"src", b"lang", b'"lang":"de"', b'"lang":"en"', b'"text":"a"', b'"text":1', b'"a":"b"', b'{"a":1}'),
    *(b"\\n", b"\\/", b"\\u00e9", b"\\ud83d\\ude00", b"\\udc00", b"\\uD7fF", b"\\uE000", b"\\u12", b"\\x", b"\\u12g4"),
    *(character.encode() for character in "öß–犬\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff🙂"),
    *(b"\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xc2", b"\xe0\x9f\xbf", b"\xe2\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf"),
    *(
        b"\xf0\x8f\xbf\xbf",
        b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xff",
        b"abcdefgh",
        b"        ",
    ),
]
RECORDS: list[dict[str, Any]] = [
    {"id": "flores101/devtest:1", "text": "Ein Satz – mit „Zeichen“.", "lang": "de"},
    {"id": 7, "src": "a long enough text to be read eight bytes at once", "tgt": 'with "quotes"', "ö": "ü"},
    {"text": "犬も歩けば棒に当たる。🙂", "lang": "ja", "score": -1.5e-7, "kept": None, "is": True, "no": False},
    {"lang": "en", "text": ["no", "string"]},
    {"text": 1, "lang": "en", "ö": {"of": 1}},
    {},
    {f"key {number}": number for number in range(MOST_KEYS)},
    {f"key {number}": number for number in range(MOST_KEYS + 1)},
]
LINES = [json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for each in RECORDS]
SPACED_LINES = [json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in RECORDS]


def members(line: bytes, pattern: re.Pattern[bytes] = LINE) -> list[tuple[bytes, bytes]] | None:
    """Return the keys and values of a line without its end, or None if it is not as the pattern says."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return None
    if not pattern.fullmatch(line):
        return None
    found = [(key[1:-1], value) for key, value in re.findall(MEMBER, line)]
    return found if len({key for key, _ in found}) == len(found) <= MOST_KEYS else None


def are_records(data: bytes) -> bool:
    """Return whether all lines are plain but for spaces outside strings."""
    *lines, rest = data.split(b"\n")
    return not rest and all(members(line, SPACED_LINE) is not None for line in lines)


def outlines(data: bytes) -> list[int] | None:
    """Return where the outlines of lines change, or None if any line is not plain."""
    if not data:
        return []
    *lines, rest = data.split(b"\n")
    all_members = list(map(members, lines))
    if rest or None in all_members:
        return None
    outline = [
        ([dict(each).get(key, b"")[:1] for key in KINDS], [dict(each).get(key) for key in VALUES])
        for each in all_members
        if each is not None
    ]
    firsts = [next(group)[0] for _, group in groupby(enumerate(outline), key=lambda pair: pair[1])]
    return [sum(len(line) + 1 for line in lines[:first]) for first in firsts]


def mutated(choose: random.Random, lines: Sequence[bytes] = LINES, pieces: Sequence[bytes] = PIECES) -> bytes:
    """Return lines of which a few bytes are cut, doubled or replaced by pieces."""
    data = b"".join(choose.choices(lines, k=choose.randint(0, 4)))
    for _ in range(choose.choice((0, 1, 1, 1, 2, 3))):
        start = choose.randint(0, len(data))
        end = min(len(data), start + choose.choice((0, 0, 1, 1, 2, 5, 12)))
        filling = (
            data[start:end] * 2 if choose.random() < 0.1 else b"".join(choose.choices(pieces, k=choose.randint(0, 2)))
        )
        data = data[:start] + filling + data[end:]
    return data


def check(module: Any, count: int) -> int:
    """Try so many lines with the functions of a compiled module; return how many of them are plain."""
    choose = random.Random(0)
    plain = 0
    for _ in range(count):
        data = mutated(choose, choose.choice((LINES, LINES, SPACED_LINES)))
        expected = outlines(data)
        assert module.outlines(data, KINDS, VALUES) == expected, data
        assert module.are_records(data) == are_records(data), data
        assert module.count_lines(data) == data.count(b"\n")
        plain += expected is not None
    return plain


if __name__ == "__main__":
    module = load_extension(sys.argv[1])
    print(check(module, int(sys.argv[2])))
