"""How many samples each direction gives: the numbers of Algorithm 1."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from llamax_cli.languages import languages
from llamax_cli.mixing.strata import Stratum
from llamax_cli.records import Missing

Key = TypeVar("Key")
PIVOT = "en"  # what is translated from where a language lacks pairs


@dataclass(frozen=True)
class Quotas:
    """The numbers of Algorithm 1; None is all there are."""

    per_language: int = 25_000
    per_pair: int = 25_000
    copies: int = 3
    mono_size: int | None = None
    para_size: int | None = None
    augment_high: bool = False
    temperature: float = 1.0


def planned(counts: Mapping[Stratum, int], numbers: Quotas) -> dict[Stratum, int]:
    """Return how many samples to draw of each stratum that has `counts` different records.

    More than there are means that some or all are there several times. The sides of split pairs are planned as one.
    """
    counts = dict(sorted(counts.items()))
    whole = {stratum: count for stratum, count in counts.items() if stratum.side != "tgt"}
    drawn = _mono(whole, numbers) | _para(whole, numbers)
    have = pairs_of(drawn)
    drawn |= _filled(_of(whole, "mt"), have, numbers.per_language)
    wanted = Counter(have) if numbers.augment_high else _without_high(have, numbers.per_language, whole)
    drawn |= _filled(_of(whole, "aug-para", "aug-mono"), wanted, numbers.per_language)
    drawn = _tempered(_repeated(drawn, numbers), numbers.temperature)
    return {stratum: drawn[stratum._replace(side="src") if stratum.side else stratum] for stratum in counts}


def missing(counts: Mapping[Stratum, int], threshold: int) -> list[Missing]:
    """Return what each language that is there lacks of the threshold, as pairs to be translated from English."""
    have = pairs_of({stratum: count for stratum, count in counts.items() if stratum.origin in ("para", "mt")})
    present = {code for stratum in counts for code in stratum.languages} - {PIVOT}
    return [
        {"src_lang": PIVOT, "tgt_lang": code, "have": have[code], "missing": threshold - have[code]}
        for code in sorted(present)
        if have[code] < threshold
    ]


def pairs_of(counts: Mapping[Stratum, int]) -> Counter[str]:
    """Return how many pairs each language has, in any direction and with any other language."""
    have: Counter[str] = Counter()
    for stratum, count in counts.items():
        if stratum.tgt_lang and stratum.side != "tgt":
            have.update(dict.fromkeys(stratum.languages, count))
    return have


def apportioned(weights: Mapping[Key, float], total: int) -> dict[Key, int]:
    """Return whole numbers in proportion to the weights that sum to the total, none of them 0 as long as it goes round.

    `apportioned({"en": 98, "sw": 1, "yo": 1}, 10) -> {"en": 8, "sw": 1, "yo": 1}`
    """
    if total < len(weights):
        largest = sorted(weights, key=lambda key: -weights[key])[:total]
        return {key: int(key in largest) for key in weights}
    rest, whole = total - len(weights), sum(weights.values())
    exact = {key: rest * weight / whole for key, weight in weights.items()} if whole else dict.fromkeys(weights, 0.0)
    shares = {key: 1 + int(share) for key, share in exact.items()}
    by_remainder = sorted(shares, key=lambda key: int(exact[key]) - exact[key])
    for key in by_remainder[: total - sum(shares.values())]:
        shares[key] += 1
    return shares


def _of(counts: Mapping[Stratum, int], *origins: str) -> dict[Stratum, int]:
    return {stratum: count for stratum, count in counts.items() if stratum.origin in origins}


def _mono(counts: Mapping[Stratum, int], numbers: Quotas) -> dict[Stratum, int]:
    limit = numbers.mono_size
    return {stratum: count if limit is None else min(count, limit) for stratum, count in _of(counts, "mono").items()}


def _para(counts: Mapping[Stratum, int], numbers: Quotas) -> dict[Stratum, int]:
    """Return the union of the subsets around each language: as much of a pair as either of its languages asks."""
    pairs, limit = _of(counts, "para"), numbers.para_size
    if limit is None:
        return pairs
    have = pairs_of(pairs)
    fewest = {stratum: min(have[code] for code in stratum.languages) for stratum in pairs}
    return {stratum: max(1, min(count, count * limit // fewest[stratum])) for stratum, count in pairs.items()}


def _without_high(have: Counter[str], threshold: int, counts: Iterable[Stratum]) -> Counter[str]:
    """Return the pairs of each language as if those of high resource had enough: they get no augmentation."""
    known = languages()
    codes = {code for stratum in counts for code in stratum.languages}
    high = {code for code in codes if code in known and known[code].resource == "high"}
    return Counter({code: threshold if code in high else have[code] for code in codes})


def _filled(available: Mapping[Stratum, int], have: Counter[str], threshold: int) -> dict[Stratum, int]:
    """Return how much of each direction to take so that its languages reach the threshold; `have` grows with it.

    Language by language in alphabetical order, each from all of its directions in proportion to what they have.
    """
    taken = dict.fromkeys(available, 0)
    for code in sorted({code for stratum in available for code in stratum.languages}):
        room = {key: count - taken[key] for key, count in available.items() if code in key.languages}
        room = {key: count for key, count in room.items() if count}
        lack = min(threshold - have[code], sum(room.values()))
        if lack <= 0:
            continue
        for stratum, share in apportioned({key: count - 1 for key, count in room.items()}, lack).items():
            taken[stratum] += share
            have.update(dict.fromkeys(stratum.languages, share))
    return taken


def _repeated(drawn: Mapping[Stratum, int], numbers: Quotas) -> dict[Stratum, int]:
    """Return the same with the connected pairs of small language pairs so many times."""
    pairs: Counter[tuple[str, ...]] = Counter()
    for stratum, count in _of(drawn, "para", "mt").items():
        pairs[tuple(sorted(stratum.languages))] += count
    small = {pair for pair, count in pairs.items() if count < numbers.per_pair}
    return {
        stratum: count * numbers.copies if tuple(sorted(stratum.languages)) in small and stratum.is_parallel else count
        for stratum, count in drawn.items()
    }


def _tempered(drawn: Mapping[Stratum, int], temperature: float) -> dict[Stratum, int]:
    """Return shares in proportion to n ** (1 / temperature) within each origin, the sum of which stays."""
    if temperature == 1:
        return dict(drawn)
    tempered = dict(drawn)
    for origin in dict.fromkeys(stratum.origin for stratum in drawn):
        own = {stratum: count for stratum, count in _of(drawn, origin).items() if count}
        weights = {stratum: count ** (1 / temperature) for stratum, count in own.items()}
        tempered |= apportioned(weights, sum(own.values()))
    return tempered
