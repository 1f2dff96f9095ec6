"""Quantised classifiers in fastText's format and texts to try: for identification/quantised.c, however it was compiled.

    python -m support.quantised_models EXTENSION.so COUNT

tries as many models, most of them damaged. It is run with sanitizers of memory.
"""

import random
import struct
import sys
from typing import Any

from support.sanitizers import load_extension

PIECES = [
    "a", "b", "é", "日", "本", "😀", " ", "  ", "\n", "\t", "\v", "\0", "\u00a0", "ab", "abé", "aé日", "</s>", "<", ">",
    "__label__a", "__label__", "__label__zz", "_", "aaaa", "bababa",
]  # fmt: skip
CENTROIDS = 256


def model(choose: random.Random) -> bytes:
    """Return a small model with a hierarchical softmax, whose words and n-grams are those of PIECES."""
    dimension, labels = choose.choice((1, 3, 16)), choose.randint(2, 9)
    words = ["</s>"] * choose.randint(0, 1) + choose.sample(["a", "ab", "abé", "aé日", "日本"], choose.randint(0, 5))
    buckets = choose.choice((1, 7, 64, 130))
    kept = choose.sample(range(buckets), choose.randint(1, buckets))
    shortest, longest = sorted((choose.randint(1, 4), choose.randint(1, 4)))
    arguments = (dimension, 5, 1, 1, 5, 1, 1, 3, buckets, shortest, longest, 100)
    head = struct.pack("<2i12id", 793712314, 12, *arguments, 1e-4)
    head += struct.pack("<3i2q", len(words) + labels, len(words), labels, 100, len(kept))
    counts = sorted((choose.randint(0, 50) for _ in range(labels)), reverse=True)
    entries = [(word, 9, 0) for word in words] + [(f"__label__{i}", count, 1) for i, count in enumerate(counts)]
    names = b"".join(name.encode() + b"\0" + struct.pack("<qb", count, kind) for name, count, kind in entries)
    pairs = b"".join(struct.pack("<2i", bucket, row) for row, bucket in enumerate(kept))
    rows = len(words) + len(kept)
    has_norms = choose.random() < 0.5
    matrix = struct.pack("<2B2q", 1, has_norms, rows, dimension) + _codes(choose, rows, dimension, 2, with_size=True)
    norms = _codes(choose, rows, 1, 1, with_size=False) if has_norms else b""
    output = struct.pack("<B2q", 0, labels, dimension) + _floats(choose, labels * dimension)
    return head + names + pairs + matrix + norms + output


def _codes(choose: random.Random, rows: int, size: int, width: int, *, with_size: bool) -> bytes:
    """Return the codes of a matrix and their quantiser."""
    parts = -(-size // width)
    count = struct.pack("<i", rows * parts) if with_size else b""
    quantiser = struct.pack("<4i", size, parts, width, size - (parts - 1) * width)
    return count + choose.randbytes(rows * parts) + quantiser + _floats(choose, size * CENTROIDS)


def _floats(choose: random.Random, count: int) -> bytes:
    return struct.pack(f"<{count}f", *(choose.uniform(-3, 3) for _ in range(count)))


def text(choose: random.Random) -> str:
    """Return a text of PIECES."""
    return "".join(choose.choices(PIECES, k=choose.choice((0, 1, 2, 5, 20))))


def damaged(choose: random.Random, whole: bytes) -> bytes:
    """Return a model that is cut, or of which a few bytes are others, mostly in its first half kilobyte."""
    if choose.random() < 0.3:
        return whole[: choose.randrange(len(whole))]
    data = bytearray(whole)
    for _ in range(choose.randint(1, 3)):
        data[choose.randrange(min(len(data), choose.choice((64, 500, len(data)))))] = choose.choice((0, 1, 127, 255))
    return bytes(data)


def check(classifier: Any, count: int) -> int:
    """Predict with so many models, most of them damaged; return how many could be read."""
    choose = random.Random(0)
    read = 0
    for number in range(count):
        data = model(choose)
        try:
            found = classifier(damaged(choose, data) if number % 4 else data)
        except (ValueError, MemoryError):
            assert number % 4, "a whole model is read"
            continue
        read += 1
        for _ in range(5):
            answer = found.predict(text(choose))
            assert answer is None or answer[0] in found.labels
    return read


if __name__ == "__main__":
    print(check(load_extension(sys.argv[1]).Classifier, int(sys.argv[2])))
