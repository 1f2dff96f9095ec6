"""What is counted and drawn together: origins, directions, languages, and what their records have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xxhash import xxh3_64_intdigest

from llamax_cli.errors import RecordError
from llamax_cli.languages import canonical
from llamax_cli.randomness import bits


class Stratum(NamedTuple):
    """What is counted and drawn together: an origin and a direction, or a language (`tgt_lang` is empty).

    `side` names the side of a pair that is an entry by itself (`--parallel split`).
    """

    origin: str
    src_lang: str
    tgt_lang: str = ""
    side: str = ""

    @property
    def number(self) -> int:
        """Return the 64 bits that stand for it in entries."""
        return xxh3_64_intdigest("\t".join(self).encode())

    @property
    def languages(self) -> tuple[str, ...]:
        """Return its languages, once each."""
        return tuple(dict.fromkeys(filter(None, (self.src_lang, self.tgt_lang))))

    @property
    def is_parallel(self) -> bool:
        """Whether it is of pairs that people or a model translated; the rest is augmented or texts."""
        return self.origin in ("para", "mt")

    @property
    def turns(self) -> bool:
        """Whether its pairs may be written in the other direction."""
        return self.is_parallel and not self.side

    def entry_languages(self, *, turned: bool = False) -> tuple[str, ...]:
        """Return (source, target) of its samples, or their one language."""
        if self.side:
            return (self.src_lang if self.side == "src" else self.tgt_lang,)
        return self.languages[::-1] if turned else self.languages

    def tail(self, *, turned: bool = False) -> bytes:
        """Return what closes its samples: `,"origin":"mono","lang":"sw"}`."""
        codes = self.entry_languages(turned=turned)
        keys = ("src_lang", "tgt_lang") if len(codes) == 2 else ("lang",)
        said = zip(("origin", *keys), (self.origin, *codes), strict=True)
        return "".join(f',"{key}":"{value}"' for key, value in said).encode() + b"}"


@dataclass(frozen=True)
class Drawing:
    """What the place and the direction of a record hang on besides its content."""

    seed: int
    epoch: int
    flip: float  # probability of the other direction

    @property
    def bound(self) -> int:
        """Return the 64 bits below which the check of an entry means the other direction."""
        return int(self.flip * (1 << 64))

    @property
    def below(self) -> bytes:
        """Return the bound as a check has it; where every check is below it, nine bytes, above all that have eight."""
        return self.bound.to_bytes(8, "big") if self.bound < 1 << 64 else b"\xff" * 9

    def seed_of(self, languages: Sequence[str]) -> int:
        """Return the seed of the hash of texts in these languages, the same in either direction."""
        return bits(self.seed, "mix", self.epoch, *sorted(languages))


class Direction:
    """What the pairs of one direction and origin have in common."""

    def __init__(self, stratum: Stratum, drawing: Drawing) -> None:
        self.stratum = stratum
        self.number = stratum.number.to_bytes(8, "big")
        self.seed = drawing.seed_of(stratum.languages)
        self.in_order = stratum.src_lang <= stratum.tgt_lang
        self.below = drawing.below if stratum.turns else b""
        self.tail = stratum.tail()
        self.turned_tail = stratum.tail(turned=True)
        self.connects = stratum.origin != "aug-para"


class Directions(dict[tuple[str, str, str], Direction]):
    """The directions of one kind of input by (origin, source, target), as the records spell them."""

    def __init__(self, option: str, drawing: Drawing) -> None:
        self._option = option
        self._drawing = drawing

    def __missing__(self, spelled: tuple[str, str, str]) -> Direction:
        origin, source, target = spelled
        found = Direction(stratum_of(origin_of(self._option, origin), source, target), self._drawing)
        self[spelled] = found
        return found


class TextLanguages(dict[str, Direction]):
    """What the texts of one language have in common, by language as the records spell it."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing

    def __missing__(self, spelled: str) -> Direction:
        self[spelled] = found = Direction(Stratum("mono", canonical(spelled)), self._drawing)
        return found


def stratum_of(origin: str, source: str, target: str) -> Stratum:
    """Return the stratum of pairs whose languages are spelled so; RecordError where they are at odds with the origin.

    `stratum_of("para", "eng", "zho_Hans") -> Stratum("para", "en", "zh")`
    """
    stratum = Stratum(origin, canonical(source), canonical(target))
    if (stratum.src_lang == stratum.tgt_lang) != (origin == "aug-mono"):
        raise RecordError(
            f"source and target are both {stratum.src_lang}, which no direction is"
            if origin != "aug-mono"
            else f"origin is aug-mono, but {stratum.src_lang} and {stratum.tgt_lang} are two languages"
        )
    return stratum


def origin_of(option: str, origin: str) -> str:
    """Return what a pair is: augmented ones go by what they say, and those that augment passed on are parallel."""
    if option == "mt":
        return option
    if option == "aug" and origin in ("aug-para", "aug-mono"):
        return origin
    if origin.startswith("aug-"):
        raise RecordError(f"origin is {origin!r}: give augmented pairs to --aug")
    if option == "aug" and origin not in ("", "para"):
        raise RecordError(f"origin is {origin!r}, not aug-para or aug-mono; --aug takes what llamax augment writes")
    return "para"
