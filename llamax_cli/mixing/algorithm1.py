"""Algorithm 1: from how many records each subset has to how many samples it gives."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from llamax_cli.languages import table_row
from llamax_cli.mixing.subsets import Subset
from llamax_cli.records import Missing

Key = TypeVar("Key")
ENGLISH = "en"  # the language from which text is translated for languages with few pairs

MOST_COPIES = 10_000  # of a pair; more are a slip


@dataclass(frozen=True)
class MixtureParameters:
    """The numbers of Algorithm 1.

    per_language: pairs up to which the translations and augmented pairs of a language are used. The paper: 25,000.
    per_pair: pairs of a language pair below which it is repeated. The paper uses 25,000 for both thresholds.
    copies: copies of each repeated pair. "Repeated three times" is read as three copies in all.
    mono_size: texts (or blocks) per language; None for all. The paper gives no number.
    para_size: pairs sampled around each language (the s-centric subset); None for all. The paper gives no number.
    augment_high: augmented pairs are used for high-resource languages too. In the paper they are not.
    temperature: shares within an origin are proportional to n ** (1 / temperature); 1 changes nothing.
    """

    per_language: int = 25_000
    per_pair: int = 25_000
    copies: int = 3
    mono_size: int | None = None
    para_size: int | None = None
    augment_high: bool = False
    temperature: float = 1.0


class Draw(NamedTuple):
    """What is taken of a subset: `records` different records, which are repeated to give `samples`."""

    records: int
    samples: int


def plan_samples(counts: Mapping[Subset, int], parameters: MixtureParameters) -> dict[Subset, Draw]:
    """Return what to draw from each subset, by its number of different records.

    As in Algorithm 1, records are first drawn and then repeated, so that no record beyond those drawn is ever used.
    Both sides of split pairs get the numbers that the pairs would get.
    """
    counts = dict(sorted(counts.items()))
    replayed = {subset: Draw(0, 0) for subset in counts if subset.origin == "replay"}  # measured, not counted
    counts = {subset: count for subset, count in counts.items() if subset not in replayed}
    available = {subset: count for subset, count in counts.items() if subset.side != "tgt"}
    drawn = _monolingual_subsets(available, parameters) | _parallel_subsets(available, parameters)
    pairs = count_pairs(drawn)
    drawn |= _fill_languages(_of_origin(available, "mt"), pairs, parameters.per_language)
    if not parameters.augment_high:
        pairs = _satisfy_high_resource(pairs, parameters.per_language, available)
    drawn |= _fill_languages(_of_origin(available, "aug-para", "aug-mono"), pairs, parameters.per_language)
    samples = _apply_temperature(_repeat_small_pairs(drawn, available, parameters), parameters.temperature)
    draws = {subset: Draw(min(drawn[subset], samples[subset]), samples[subset]) for subset in drawn}
    return {subset: draws[subset._replace(side="src") if subset.side else subset] for subset in counts} | replayed


def missing_pairs(counts: Mapping[Subset, int], threshold: int) -> list[Missing]:
    """Return how many pairs each language is short of the threshold, as directions to be translated from English.

    A language stands for its regions, so that no region is a direction of its own, nor `en-GB` one to translate into.
    """
    have = count_pairs({subset: count for subset, count in counts.items() if subset.is_parallel})
    codes = {code for subset in counts if subset.origin != "replay" for code in subset.bases} - {ENGLISH}
    return [
        {"src_lang": ENGLISH, "tgt_lang": code, "have": have[code], "missing": threshold - have[code]}
        for code in sorted(codes)
        if have[code] < threshold
    ]


def count_pairs(counts: Mapping[Subset, int]) -> Counter[str]:
    """Return how many pairs each language has, in either direction and with any other language.

    Those of its regions are its own: a pair of `en-GB` and `de-AT` is one of `en` and one of `de`.
    """
    pairs: Counter[str] = Counter()
    for subset, count in counts.items():
        if subset.tgt_lang and subset.side != "tgt":
            pairs.update(dict.fromkeys(subset.bases, count))
    return pairs


def apportion(weights: Mapping[Key, float], total: int) -> dict[Key, int]:
    """Return whole numbers that sum to the total, in proportion to the weights.

    Each is at least 1 if the total is large enough: `apportion({"en": 98, "sw": 1, "yo": 1}, 10) -> {"en": 8, "sw": 1,
    "yo": 1}`.
    """
    if total < len(weights):
        largest = sorted(weights, key=lambda key: -weights[key])[:total]
        return {key: int(key in largest) for key in weights}
    rest, weight_sum = total - len(weights), sum(weights.values())
    exact = {key: rest * weight / weight_sum if weight_sum else 0.0 for key, weight in weights.items()}
    shares = {key: 1 + int(share) for key, share in exact.items()}
    by_remainder = sorted(shares, key=lambda key: int(exact[key]) - exact[key])
    for key in by_remainder[: total - sum(shares.values())]:
        shares[key] += 1
    return shares


def _of_origin(counts: Mapping[Subset, int], *origins: str) -> dict[Subset, int]:
    return {subset: count for subset, count in counts.items() if subset.origin in origins}


def _monolingual_subsets(counts: Mapping[Subset, int], parameters: MixtureParameters) -> dict[Subset, int]:
    """Return the monolingual subset of each language."""
    texts, limit = _of_origin(counts, "mono"), parameters.mono_size
    return texts if limit is None else {subset: min(count, limit) for subset, count in texts.items()}


def _parallel_subsets(counts: Mapping[Subset, int], parameters: MixtureParameters) -> dict[Subset, int]:
    """Return the union of the s-centric subsets of all languages s.

    The subsets of both its languages take a share of a direction; the larger of the two shares is used.
    """
    pairs, limit = _of_origin(counts, "para"), parameters.para_size
    if limit is None:
        return pairs
    have = count_pairs(pairs)
    fewer = {subset: min(have[code] for code in subset.bases) for subset in pairs}
    return {subset: max(1, min(count, count * limit // fewer[subset])) for subset, count in pairs.items()}


def _satisfy_high_resource(pairs: Counter[str], threshold: int, subsets: Iterable[Subset]) -> Counter[str]:
    """Return the pairs of each language, but for high-resource ones the threshold: they get no augmented pairs."""
    codes = {code for subset in subsets for code in subset.bases}
    return Counter({code: threshold if _is_high_resource(code) else pairs[code] for code in codes})


def _is_high_resource(code: str) -> bool:
    row = table_row(code)
    return row is not None and row.resource == "high"


def _fill_languages(available: Mapping[Subset, int], pairs: Counter[str], threshold: int) -> dict[Subset, int]:
    """Return how much of each subset to use so that its languages reach the threshold, and add it to `pairs`.

    Languages are filled one after the other, each from all of its subsets in proportion to what they still have. The
    order, alphabetical, is our choice.
    """
    used = dict.fromkeys(available, 0)
    for code in sorted({code for subset in available for code in subset.bases}):
        unused = {subset: count - used[subset] for subset, count in available.items() if code in subset.bases}
        unused = {subset: count for subset, count in unused.items() if count}
        needed = min(threshold - pairs[code], sum(unused.values()))
        if needed <= 0:
            continue
        for subset, share in apportion({subset: count - 1 for subset, count in unused.items()}, needed).items():
            used[subset] += share
            pairs.update(dict.fromkeys(subset.bases, share))
    return used


def _repeat_small_pairs(
    drawn: Mapping[Subset, int], available: Mapping[Subset, int], parameters: MixtureParameters
) -> dict[Subset, int]:
    """Return the numbers of samples: several copies of the parallel pairs of small language pairs, others once.

    A language pair is small by the pairs that it has in both directions, and does not become small by `para_size`. The
    translations of a model that were needed count too; those beyond are not part of the mixture at all.
    """
    sizes: Counter[tuple[str, ...]] = Counter()
    for subset, count in drawn.items():
        if subset.is_parallel:
            sizes[tuple(sorted(subset.bases))] += available[subset] if subset.origin == "para" else count
    small = {pair for pair, size in sizes.items() if size < parameters.per_pair}
    return {
        subset: count * parameters.copies if subset.is_parallel and tuple(sorted(subset.bases)) in small else count
        for subset, count in drawn.items()
    }


def _apply_temperature(plan: Mapping[Subset, int], temperature: float) -> dict[Subset, int]:
    """Return the plan with shares in proportion to n ** (1 / temperature) within each origin; its total stays."""
    tempered = dict(plan)
    if temperature == 1:
        return tempered
    for origin in dict.fromkeys(subset.origin for subset in plan):
        counts = {subset: count for subset, count in _of_origin(plan, origin).items() if count}
        weights = {subset: count ** (1 / temperature) for subset, count in counts.items()}
        tempered |= apportion(weights, sum(counts.values()))
    return tempered
