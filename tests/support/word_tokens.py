"""Tokens of words, and texts to try: for llamax_cli/scoring/word_tokens.c.

    python -m support.word_tokens EXTENSION.so COUNT

tries as many steps, and fails where the compiled code does not say the same. It is run with sanitizers of memory.
"""

import random
import sys
from typing import Any

from support.sanitizers import load_extension

LETTERS = ["", "a", "b", "ab", "犬", "é", "🙂", "\0", "\t", "\u00a0", "abcdefgh", "abcdefghi", "x" * 300]


def word(choose: random.Random) -> str:
    """Return a word; many are the same."""
    return "".join(choose.choices(LETTERS, k=choose.randint(0, 3)))


def joined(known: dict[str, bytes | None], texts: list[str]) -> tuple[list[bytes | None], list[str]]:
    """Return the tokens of each text and the words that are new."""
    split = [text.split(" ") for text in texts]
    tokens = [[known.get(each) for each in words] for words in split]
    found = [None if None in each else b"".join(part for part in each if part is not None) for each in tokens]
    return found, [each for words in split for each in words if each not in known]


def check(kind: Any, count: int) -> int:
    """Take so many steps with the compiled class; return how many texts had tokens."""
    choose = random.Random(0)
    compiled = kind()
    known: dict[str, bytes | None] = {}
    found = 0
    for _ in range(count):
        if choose.random() < 0.01:
            compiled.clear()
            known.clear()
        for _ in range(choose.choice((0, 1, 5, 100))):
            new, tokens = word(choose), choose.randbytes(4 * choose.choice((0, 1, 2, 2000)))
            kept = None if choose.random() < 0.02 else tokens
            compiled.add(new, kept)
            known.setdefault(new, kept)
        pool = [each for each in known if " " not in each] or [""]
        texts = [
            " ".join(
                choose.choice(pool) if choose.random() < 0.98 else word(choose) for _ in range(choose.randint(1, 9))
            )
            for _ in range(choose.randint(0, 5))
        ]
        expected = joined(known, texts)
        assert compiled.join(texts) == expected, texts
        assert len(compiled) == len(known)
        found += sum(each is not None for each in expected[0])
    return found


if __name__ == "__main__":
    print(check(load_extension(sys.argv[1]).WordTokens, int(sys.argv[2])))
