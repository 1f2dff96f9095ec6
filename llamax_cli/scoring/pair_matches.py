"""How many n-grams each of several texts shares with each other one: what comparing candidates needs.

Texts are byte strings with four bytes for each token, as in `ngrams`.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from llamax_cli.scoring.ngrams import Integers, count_ngrams, count_tokens

CELLS = 1 << 20  # of a table of counts, at most, unless the texts are as many


def count_pair_matches(texts: Sequence[bytes], max_order: int) -> Integers:
    """Return how many n-grams of order 1 to `max_order` each text shares with each one.

    As `count_matches` does of two texts: each n-gram counts as often as it is in the text that has fewer of it. The
    shape is (texts, texts, orders). The n-grams of all orders are found by sorting the places of the texts once, by
    the tokens that follow; of an n-gram that only one text has, the longer ones are not looked at.
    """
    count, lengths = len(texts), count_tokens(texts)
    matches = np.zeros((count, count, max_order), np.int64)
    symbols = _number_tokens(texts, lengths, max_order)
    owners = np.repeat(np.arange(count), lengths + 1)
    places = np.argsort(_pack(symbols, max_order)[: len(owners)])
    owners = owners[places]
    is_first = np.zeros(len(places), np.bool_)  # whether an n-gram is the first of those that are equal
    is_first[:1] = True
    for order in range(max_order):
        following = symbols[places + order]
        is_first[1:] |= following[1:] != following[:-1]
        is_whole = following > 0
        places, owners, is_first = places[is_whole], owners[is_whole], is_first[is_whole]
        ngrams = np.cumsum(is_first) - 1
        is_shared = []
        for table in _tables(ngrams, owners, count):
            is_shared.append(np.add.reduce(table > 0, axis=0, dtype=np.int32) > 1)
            matches[:, :, order] += _sum_least(table[:, is_shared[-1]])
        if is_shared:
            kept = np.concatenate(is_shared)[ngrams]
            places, owners, is_first = places[kept], owners[kept], is_first[kept]
    itself = np.arange(count)
    matches[itself, itself] = count_ngrams(lengths, max_order)
    return matches


def _number_tokens(texts: Sequence[bytes], lengths: Integers, max_order: int) -> Integers:
    """Return the tokens of all texts in a row, numbered from 1; 0 ends a text, and at the end there are more of it."""
    ends = np.cumsum(lengths + 1)
    symbols = np.zeros(len(texts) + int(lengths.sum()) + max_order, np.int64)
    is_token = np.ones(len(symbols), np.bool_)
    is_token[ends - 1] = is_token[len(symbols) - max_order :] = False
    tokens = np.frombuffer(b"".join(texts), np.dtype("<u4"))
    symbols[is_token] = np.unique(tokens, return_inverse=True)[1] + 1
    return symbols


def _pack(symbols: Integers, length: int) -> Integers:
    """Return a code for each place, of the `length` symbols from there, or more; codes are in the order of these."""
    codes, span = symbols, 1
    while True:
        bits = int(codes.max()).bit_length()
        steps = min(63 // max(bits, 1), -(-length // span))
        packed = codes.copy()
        for step in range(1, steps):
            packed <<= bits
            packed[: -step * span] |= codes[step * span :]
        span *= steps
        if span >= length:
            return packed
        codes = np.unique(packed, return_inverse=True)[1]


def _tables(ngrams: Integers, owners: Integers, count: int) -> Iterator[Integers]:
    """Yield how often each text has each n-gram, in tables of texts by n-grams; `ngrams` are in order."""
    if not len(ngrams):
        return
    width = max(1, CELLS // count)
    size = int(ngrams[-1]) + 1
    for start in range(0, size, width):
        columns = min(width, size - start)
        low, high = np.searchsorted(ngrams, (start, start + columns))
        cells = owners[low:high] * columns + (ngrams[low:high] - start)
        yield np.bincount(cells, minlength=count * columns).reshape(count, columns)


def _sum_least(table: Integers) -> Integers:
    """Return, for each two rows, the sum over columns of the lesser number."""
    # The lesser number is how many of the levels 1, 2, ... both rows reach. What they reach is compared as bits.
    above = table.max(axis=0, initial=0) - 1
    columns = np.repeat(np.arange(len(above)), above)
    levels = np.arange(2, len(columns) + 2) - np.repeat(np.cumsum(above) - above, above)
    bits = np.packbits(np.hstack([table > 0, table[:, columns] >= levels]), axis=1)
    words = np.zeros((len(bits), -(-bits.shape[1] // 8)), np.uint64)
    words.view(np.uint8)[:, : bits.shape[1]] = bits
    sums = np.empty((len(words), len(words)), np.int64)
    rows = max(1, CELLS // max(1, words.size))
    for start in range(0, len(words), rows):
        both = words[start : start + rows, None] & words
        sums[start : start + rows] = np.bitwise_count(both).sum(axis=2)
    return sums
