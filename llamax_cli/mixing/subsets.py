"""The subsets of Algorithm 1, the randomness of an epoch, and what the samples of a subset have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeAlias

from xxhash import xxh3_64_intdigest

from llamax_cli.errors import RecordError
from llamax_cli.languages import base, canonical
from llamax_cli.randomness import bits


class Subset(NamedTuple):
    """The records of one origin in one direction, or in one language (`tgt_lang` is empty).

    `side` is "src" or "tgt" if one side of a pair is a sample by itself (`--parallel split`).
    """

    origin: str
    src_lang: str
    tgt_lang: str = ""
    side: str = ""

    @property
    def number(self) -> int:
        """The 64 bits that stand for the subset in entries."""
        return xxh3_64_intdigest("\t".join(self).encode())

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, each once."""
        return tuple(dict.fromkeys(filter(None, (self.src_lang, self.tgt_lang))))

    @property
    def bases(self) -> tuple[str, ...]:
        """The languages without their regions, each once: those that the thresholds of Algorithm 1 count."""
        return tuple(dict.fromkeys(map(base, self.languages)))

    @property
    def is_parallel(self) -> bool:
        """Whether its pairs were translated by people or by a model; other subsets are augmented or monolingual."""
        return self.origin in ("para", "mt")

    @property
    def can_flip(self) -> bool:
        """Whether its pairs may be written in the other direction."""
        return self.is_parallel and not self.side

    def sample_languages(self, *, flipped: bool = False) -> tuple[str, ...]:
        """Return (source, target) of its samples, or their only language."""
        if self.side:
            return (self.src_lang if self.side == "src" else self.tgt_lang,)
        return self.languages[::-1] if flipped else self.languages

    def tail(self, *, flipped: bool = False) -> bytes:
        """Return the end of the lines of its samples: `,"origin":"mono","lang":"sw"}`."""
        return _tail(self.origin, self.sample_languages(flipped=flipped))


@cache
def _tail(origin: str, codes: tuple[str, ...]) -> bytes:
    keys = ("src_lang", "tgt_lang") if len(codes) == 2 else ("lang",) * len(codes)  # general text may say none
    values = zip(("origin", *keys), (origin, *codes), strict=True)
    return "".join(f',"{key}":"{value}"' for key, value in values).encode() + b"}"


def subset_of(origin: str, source: str, target: str) -> Subset:
    """Return the subset of pairs by the languages as records spell them.

    `subset_of("para", "eng", "zho_Hans") -> Subset("para", "en", "zh")`. RecordError if the languages contradict the
    origin.
    """
    subset = Subset(origin, canonical(source), canonical(target))
    if (subset.src_lang == subset.tgt_lang) != (origin == "aug-mono"):
        raise RecordError(
            f"source and target language are both {subset.src_lang}"
            if origin != "aug-mono"
            else f"origin is aug-mono, but the languages differ: {subset.src_lang} and {subset.tgt_lang}"
        )
    return subset


def origin_of(option: str, origin: str) -> str:
    """Return the origin of a pair by the option that its file follows and its own `origin`.

    `--aug` takes augmented pairs, and parallel ones that `augment --append` passed through.
    """
    if option == "mt":
        return option
    if option == "aug" and origin in ("aug-para", "aug-mono"):
        return origin
    if origin.startswith("aug-"):
        raise RecordError(f"origin is {origin!r}: give augmented pairs to --aug")
    if option == "aug" and origin not in ("", "para"):
        raise RecordError(f"origin is {origin!r}, not aug-para or aug-mono; --aug takes the output of llamax augment")
    return "para"


@dataclass(frozen=True)
class EpochRandomness:
    """The randomness of an epoch: with the content of a record, it decides the position and direction of its sample.

    `flip` is the probability of the other direction; the paper's is one half (Algorithm 1).
    """

    seed: int
    epoch: int
    flip: float

    @property
    def flip_bound(self) -> int:
        """The number of 64 bits such that a pair is flipped if its check is less."""
        return int(self.flip * (1 << 64))

    @property
    def flip_bound_bytes(self) -> bytes:
        """The bound in the form of a check; if every check is less, nine bytes, which are more than any eight."""
        return self.flip_bound.to_bytes(8, "big") if self.flip_bound < 1 << 64 else b"\xff" * 9

    def hash_seed(self, languages: Sequence[str]) -> int:
        """Return the seed for hashing texts in these languages, in whatever order."""
        return bits(self.seed, "mix", self.epoch, *sorted(languages))


class SampleFormat:
    """What the samples of a subset have in common, computed once."""

    def __init__(self, subset: Subset, randomness: EpochRandomness) -> None:
        self.subset = subset
        self.number = subset.number.to_bytes(8, "big")
        self.hash_seed = randomness.hash_seed(subset.languages)
        self.is_sorted = subset.src_lang <= subset.tgt_lang
        self.flip_bound = randomness.flip_bound_bytes if subset.can_flip else b""
        self.tail = subset.tail()
        self.flipped_tail = subset.tail(flipped=True)
        self.has_prompt = subset.origin == "aug-para"

    @property
    def compiled(self) -> "CompiledFormat":
        """The format for rows.c."""
        tails = self.tail, self.flipped_tail
        return self, self.hash_seed, self.number, self.flip_bound, *tails, self.is_sorted, self.has_prompt


# A format and what rows.c needs of it: seed, number, flip bound, both tails, whether it is sorted and has a prompt.
CompiledFormat: TypeAlias = tuple[SampleFormat, int, bytes, bytes, bytes, bytes, bool, bool]


class PairFormats(dict[tuple[str, str, str], SampleFormat]):
    """The formats of one option's pairs by (origin, source, target), as the records spell them.

    `compiled` has the same ones for rows.c, by the three with tabs between.
    """

    def __init__(self, option: str, randomness: EpochRandomness) -> None:
        self._option = option
        self._randomness = randomness
        self.compiled: dict[bytes, CompiledFormat] = {}

    def __missing__(self, key: tuple[str, str, str]) -> SampleFormat:
        origin, source, target = key
        subset = subset_of(origin_of(self._option, origin), source, target)
        self[key] = sample_format = SampleFormat(subset, self._randomness)
        if not any("\t" in part for part in key):
            self.compiled["\t".join(key).encode()] = sample_format.compiled
        return sample_format


class TextFormats(dict[str, SampleFormat]):
    """The formats of texts of an origin by language, as the records spell it; "" for none."""

    def __init__(self, randomness: EpochRandomness, origin: str = "mono") -> None:
        self._randomness = randomness
        self._origin = origin

    def __missing__(self, lang: str) -> SampleFormat:
        self[lang] = sample_format = SampleFormat(
            Subset(self._origin, canonical(lang) if lang else ""), self._randomness
        )
        return sample_format
