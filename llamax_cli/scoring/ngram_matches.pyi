"""Matching n-grams of segments, counted by compiled code: in a fifth of the time that numpy takes."""

def count_matches(hypotheses: list[bytes], references: tuple[list[bytes], ...], max_order: int, /) -> bytes:
    """Return what `ngrams.count_matches` does, as the bytes of its rows of 64-bit integers.

    `references` are the columns of references: the first ones of all segments, their second ones, and so on, at most 64
    of them. ValueError for lists of different lengths, or a text that has not four bytes for each token.
    """
