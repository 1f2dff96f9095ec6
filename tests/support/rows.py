"""Lines of pairs to try, and what llamax_cli/mixing/rows.c makes of them, whichever way it was compiled.

    python -m support.rows EXTENSION.so COUNT

tries as many, and prints a hash of all results. It is run with sanitizers of memory, without any installed package.
"""

import json
import random
import sys
from array import array
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from support.plain_lines import PIECES, mutated
from support.sanitizers import load_extension

OPTIONS = "para", "aug", "mt"
MORE = [
    b'"src":"',
    b'"tgt":"',
    b'"mt":"x"',
    b'"id":1',
    b'"id":null',
    b'"truncated":false,',
    b'"truncated":true,',
    b'"',
    b'""',
]
MORE += [character.encode() for character in "\u00a0\u2000\u200a\u200b\u2028\u202f\u205f\u3000\u1680\u0085 〜“ᚁ"]
PAIRS: list[dict[str, Any]] = [
    {"id": "c:1", "src": "a short one", "tgt": "ein „kurzer“", "src_lang": "en", "tgt_lang": "de"},
    {"id": 7, "src": 'with "quotes" and \\', "tgt": "zwei\nZeilen\t", "src_lang": "en", "tgt_lang": "de", "score": 0.5},
    {"src": "犬も歩けば棒に当たる。🙂", "tgt": "a" * 130, "src_lang": "ja", "tgt_lang": "en", "origin": "para"},
    {"src": "b" * 300, "tgt": "c" * 1500, "src_lang": "sw", "tgt_lang": "en", "id": None, "truncated": False},
    {"tgt_lang": "en", "src_lang": "sw", "mt": "never mind", "src": "hakuna matata", "id": "ö", "ö": None},
    {"tgt_lang": "sw", "src_lang": "sw", "tgt": "x", "src": "y", "origin": "aug-mono", "id": -1.5e7},
    {"tgt_lang": "en", "src_lang": "sw", "tgt": "z", "src": "y", "origin": "aug-para", "id": ""},
    {"src": "", "tgt": " ", "src_lang": "en", "tgt_lang": "de", "id": True},
    {"text": "alone", "lang": "en"},
]
LINES = [json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for each in PAIRS]
SPACED_LINES = [json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in PAIRS]


def any_lines(choose: random.Random) -> bytes:
    """Return whole lines of pairs, a few of whose bytes are cut, doubled or replaced by pieces."""
    data = mutated(choose, choose.choice((LINES, SPACED_LINES)), [*PIECES, *MORE])
    return data if data.endswith(b"\n") or not data else data + b"\n"


def any_rows(choose: random.Random, count: int) -> tuple["array[int]", "array[int]"]:
    """Return the numbers of some of so many lines, and bounds that cut them into pieces."""
    rows = array("q", choose.choices(range(count), k=choose.randint(0, 2 * count)))
    return rows, array("q", sorted(choose.choices(range(len(rows) + 1), k=choose.randint(0, 4))))


def formats() -> dict[bytes, tuple[Any, ...]]:
    """Return formats of pairs as rows.c takes them, with made-up numbers."""
    keys = [b"\ten\tde", b"\tja\ten", b"para\tja\ten", b"\tsw\ten", b"aug-mono\tsw\tsw", b"aug-para\tsw\ten"]
    bounds = [b"", b"\x80" + bytes(7), b"\xff" * 9]
    return {
        key: (key.decode(), number * 0x9E3779B97F4A7C15 % (1 << 64), b"number %d" % number, bounds[number % 3],
              b',"lang":"%b"}' % key[-2:], b"}", number % 2 == 0, number == 5)
        for number, key in enumerate(keys)
    }  # fmt: skip


def results(pair_rows: Callable[..., Any], arrange_lines: Callable[..., Any], count: int) -> str:
    """Return a hash of what the compiled functions return for so many inputs."""
    choose, found, known = random.Random(0), sha256(), formats()
    for number in range(count):
        data = any_lines(choose)
        entries, text, used, left = pair_rows(data, known, number % 2 == 0)
        pieces = arrange_lines([text, data], *any_rows(choose, (text + data).count(b"\n") + 2))
        found.update(repr((entries, text, sorted(used), left, pieces)).encode())
    return found.hexdigest()


if __name__ == "__main__":
    module = load_extension(sys.argv[1])
    print(results(module.pair_rows, module.arrange_lines, int(sys.argv[2])))
