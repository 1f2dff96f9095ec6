"""Tokenizers by file: their counts and ends against plain loops."""

import base64
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamax_cli import tokenization

LETTERS = "abc"


def merged(text: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """Return the tokens of a text by what tiktoken does: the pair of the lowest rank first, and of these the first."""
    if text in ranks:
        return [text]
    tokens = [text[place : place + 1] for place in range(len(text))]
    while True:
        joined = [left + right for left, right in pairwise(tokens)]
        known = [(ranks[token], place) for place, token in enumerate(joined) if token in ranks]
        if not known:
            return tokens
        _, place = min(known)
        tokens[place : place + 2] = [joined[place]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the files of tokenizers."""
    return tmp_path_factory.mktemp("tokenizers")


WORDS = st.text(LETTERS, min_size=1, max_size=12)


@given(st.lists(st.text(LETTERS, min_size=2, max_size=6), max_size=24, unique=True), st.lists(WORDS, min_size=1))
def test_merges_are_those_of_tiktoken(folder: Path, tokens: list[str], words: list[str]) -> None:
    """For any ranks, also where several halves make one token and where a token comes before its halves."""
    single = [bytes([byte]) for byte in range(256)]
    ranks = {token: rank for rank, token in enumerate([*(token.encode() for token in tokens), *single])}
    file = folder / "tokenizer.model"
    file.write_text("".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()))
    count, ends = tokenization.load.__wrapped__(file)
    for word in words:
        expected = merged(word.encode(), ranks)
        assert count(word) == len(expected)
        assert ends(word) == [sum(map(len, expected[: place + 1])) for place in range(len(expected))]
