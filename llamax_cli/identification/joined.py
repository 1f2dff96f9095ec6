"""fastText's lid.176 and CLD2 joined: where their answers differ, the one that has been right more often is taken.

joined.tsv says how often each of the two was right where they gave a text these two labels.
`tests/benchmarks/join_detectors.py` has counted it on half of FLORES-101 devtest, on whole lines and their first words.
"""

from collections import defaultdict
from collections.abc import Iterable
from importlib.resources import files
from operator import add
from typing import NamedTuple, TypeAlias

from llamax_cli.identification.codes import CHINESE, code_of

TABLE = "joined.tsv"
COLUMNS = "fasttext", "cld2", "texts", "fasttext_right", "cld2_right"

Labels: TypeAlias = tuple[str, str]  # of fastText and of CLD2


class Count(NamedTuple):
    """Of the texts with two labels: how many there were, and for how many each of the labels was right."""

    texts: int = 0
    fasttext_right: int = 0
    cld2_right: int = 0


class Choice(NamedTuple):
    """Which of two labels to take, and the share of texts for which it is right; None where both mean the same."""

    takes_cld2: bool
    share: float | None


class Choices(dict[Labels, Choice]):
    """The choice for any two labels, made when it is asked for.

    Between labels that were never seen together, or were right equally often, the detector decides that was right more
    often when it gave its label and the other one another. A share is that of the counts with one more success and one
    more failure, so that few texts say little: 0.95 for 18 of 18.
    """

    def __init__(self, counts: dict[Labels, Count]) -> None:
        super().__init__()
        self._counts = counts
        self._of_fasttext: defaultdict[str, Count] = defaultdict(Count)
        self._of_cld2: defaultdict[str, Count] = defaultdict(Count)
        for (fasttext, cld2), count in counts.items():
            self._of_fasttext[fasttext] = _sum(self._of_fasttext[fasttext], count)
            self._of_cld2[cld2] = _sum(self._of_cld2[cld2], count)

    def __missing__(self, labels: Labels) -> Choice:
        choice = self[labels] = self._choose(*labels)
        return choice

    def _choose(self, fasttext: str, cld2: str) -> Choice:
        if is_same(fasttext, cld2):
            return Choice(takes_cld2=True, share=None)  # of the two, CLD2 tells the scripts of Chinese apart
        count = self._counts.get((fasttext, cld2), Count())
        rights = count.fasttext_right, count.cld2_right
        texts = count.texts, count.texts
        if rights[0] == rights[1]:
            one, other = self._of_fasttext.get(fasttext, Count()), self._of_cld2.get(cld2, Count())
            rights, texts = (one.fasttext_right, other.cld2_right), (one.texts, other.texts)
        of_fasttext, of_cld2 = ((right + 1) / (number + 2) for right, number in zip(rights, texts, strict=True))
        return Choice(of_cld2 >= of_fasttext, max(of_fasttext, of_cld2))


def is_same(fasttext: str, cld2: str) -> bool:
    """Return whether two labels mean the same language; characters tell one Chinese from the other, not labels."""
    one, other = code_of(fasttext), code_of(cld2)
    return one is not None and (one == other or {one, other} <= CHINESE)


def read_choices() -> Choices:
    """Return the choices of the table that this package ships."""
    text = files("llamax_cli.identification").joinpath(TABLE).read_text(encoding="utf-8")
    return Choices(parse_table(text.splitlines()))


def parse_table(lines: Iterable[str]) -> dict[Labels, Count]:
    """Return the counts of a table; lines with # and the line of the names of columns are passed over."""
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {(row[0], row[1]): Count(*map(int, row[2:])) for row in rows if row[0] != COLUMNS[0]}


def _sum(one: Count, other: Count) -> Count:
    return Count(*map(add, one, other))
