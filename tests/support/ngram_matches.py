"""Matching n-grams counted one by one, and texts to try: for llamax_cli/scoring/ngram_matches.c.

    python -m support.ngram_matches EXTENSION.so COUNT

tries as many batches, and fails where the compiled code does not say the same. It is run with sanitizers of memory.
"""

import random
import struct
import sys
from collections import Counter
from typing import Any

from support.sanitizers import load_extension


def counted(text: bytes, order: int) -> Counter[bytes]:
    """Return the n-grams of a text."""
    return Counter(text[at : at + 4 * order] for at in range(0, len(text) - 4 * order + 1, 4))


def count_matches(hypotheses: list[bytes], references: tuple[list[bytes], ...], max_order: int) -> list[list[int]]:
    """Return a row for each hypothesis: the matches of each order, clipped to the most that any reference has."""
    rows = []
    for number, hypothesis in enumerate(hypotheses):
        row = []
        for order in range(1, max_order + 1):
            most: Counter[bytes] = Counter()
            for column in references:
                most |= counted(column[number], order)
            row.append((counted(hypothesis, order) & most).total())
        rows.append(row)
    return rows


def batch(choose: random.Random) -> tuple[list[bytes], tuple[list[bytes], ...], int]:
    """Return hypotheses, columns of references and the highest order; few different tokens, so that many match."""
    # No token is 0xFFFFFFFE or more: numpy ends texts with them.
    pool = [choose.getrandbits(31) for _ in range(choose.choice((1, 2, 3, 8)))] + [0, 0xFFFFFFFD]
    longest = choose.choice((0, 3, 12, 60))

    def texts() -> list[bytes]:
        lengths = [choose.randint(0, longest) for _ in range(size)]
        return [struct.pack(f"<{length}I", *choose.choices(pool, k=length)) for length in lengths]

    size = choose.randint(0, 4)
    return texts(), tuple(texts() for _ in range(choose.choice((0, 1, 1, 1, 2, 5)))), choose.randint(1, 7)


def check(compiled: Any, count: int) -> int:
    """Try so many batches with the compiled function; return how many matches they have."""
    choose = random.Random(0)
    matches = 0
    for _ in range(count):
        hypotheses, references, max_order = batch(choose)
        expected = [n for row in count_matches(hypotheses, references, max_order) for n in row]
        found = compiled(hypotheses, references, max_order)
        assert list(struct.unpack(f"={len(expected)}q", found)) == expected, (hypotheses, references, max_order)
        matches += sum(expected)
    return matches


if __name__ == "__main__":
    print(check(load_extension(sys.argv[1]).count_matches, int(sys.argv[2])))
