"""Rows of samples from plain lines of pairs, and lines in another order, compiled.

Both functions return exactly what Python makes of the same (samples.py and buckets.py; the tests compare them). A plain
line is described in plain_lines.pyi.
"""

from typing import Any

from numpy.typing import NDArray

from llamax_cli.mixing.subsets import CompiledFormat, SampleFormat

def pair_rows(
    data: bytes, formats: dict[bytes, CompiledFormat], is_translation: bool, /
) -> tuple[bytes, bytes, set[SampleFormat], list[int]]:
    """Return the entries of connected pairs, their lines, the formats used, and where lines begin that are left.

    `data` are whole lines; the lines returned are joined. `formats` are by origin, source and target language, with
    tabs between. With `is_translation` the target is `mt` where there is no `tgt`. Lines are left to Python if they are
    not plain, have a format that is not known, a text that begins with white space or is written with escapes that it
    does not need, an id that is true or false, or `truncated` that is not false.
    """

def arrange_lines(texts: list[bytes], rows: NDArray[Any], bounds: NDArray[Any], /) -> list[bytes]:
    """Return the lines `rows[bounds[i]:bounds[i + 1]]` of all texts, joined, for each i.

    Both are arrays of 64-bit integers; a text has one or several lines, joined. IndexError for what is not there.
    """
