"""Near duplicates: records whose texts have most of their character 5-grams in common, on both sides of a pair.

Two records are compared if one of several bands of their MinHash signatures is equal (locality-sensitive hashing, as in
chapter 3 of "Mining of Massive Datasets" by Leskovec, Rajaraman and Ullman). Then their 5-grams themselves are
compared, so that nothing is left out that is less similar than the threshold. A pair at the threshold is compared with
a probability of at least FOUND, and a more similar one with a higher one.

Texts are compared in the form of decontamination.py. Only records of one origin and in the same languages are
compared: an augmented pair is meant to be like its source. Of two near duplicates the one with the smaller shuffle key
stays. That is a hash of the content and the epoch, so the order of files, workers and memory change nothing.

    bands       signatures of all rows, partitioned by the hash of the band: (hash, shuffle key)
    candidates  records with an equal band, partitioned by the first of the two: (first, second, origin)
    compared    the texts of the first, and its id, sent to the bucket of the second
    near        the shuffle keys of the records to leave out, by bucket
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xxhash import xxh3_64_intdigest

from llamax_cli.mixing.buckets import BUCKETS, ENTRY_SIZE, ROWS, SHUFFLE_KEY, SUBSET, Buckets, disk_full_error
from llamax_cli.mixing.decontamination import normalise_lines
from llamax_cli.mixing.samples import HEAD, ID, JOINT, SampleRows
from llamax_cli.mixing.sampling_plan import ORIGINS, SubsetTable, find_duplicates
from llamax_cli.mixing.subsets import Subset
from llamax_cli.records import parse, text

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from llamax_cli.mixing.shuffle_passes import BucketPart

    Keys = NDArray[np.uint64]

NGRAM = 5  # characters
HASHES = 128  # in a signature, at most
FOUND = 0.95  # probability that a pair at the threshold is compared
BANDS, CANDIDATES, COMPARED, NEAR = "bands", "candidates", "compared", "near"
BLOCK = 1 << 18  # n-grams hashed at once, which the cache of a processor holds
ORIGIN_BITS = 3


def band_shape(threshold: float) -> tuple[int, int]:
    """Return how many bands a signature has and how many hashes a band, the most that still finds enough.

    `band_shape(0.8) -> (18, 7)`
    """
    for rows in range(HASHES, 1, -1):
        bands = HASHES // rows
        if 1 - (1 - threshold**rows) ** bands >= FOUND:
            return bands, rows
    return HASHES, 1


def similarity(first: str, second: str) -> float:
    """Return the Jaccard similarity of the 5-grams of two texts: `similarity("abcdef", "abcdefg") -> 0.666...`."""
    one, other = _ngrams(first), _ngrams(second)
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def _ngrams(line: str) -> set[str]:
    return {line[place : place + NGRAM] for place in range(max(1, len(line) - NGRAM + 1))}


def sides(line: bytes, subset: Subset) -> list[str]:
    """Return the texts of a sample as it is on disk; those of a pair in the order of their languages' codes."""
    if line.startswith(HEAD):
        content = line[len(HEAD) :].partition(ID)[0]
        texts = [_unescaped(part) for part in content.split(JOINT)]
        is_flipped = subset.can_flip and line.endswith(subset.tail(flipped=True))
    else:
        record = parse(line)
        texts, is_flipped = [text(record, "prompt"), text(record, "completion")], False
    is_sorted = subset.src_lang <= subset.tgt_lang
    return texts[::-1] if len(texts) == 2 and is_flipped == is_sorted else texts


def _unescaped(content: bytes) -> str:
    if b"\\" in content:
        return text(parse(b'{"text":"' + content + b'"}'), "text")
    return content.decode()


def _normalised(texts: Sequence[str]) -> list[str]:
    return normalise_lines("\n".join([each.replace("\n", " ") for each in texts])) if texts else []


class Signatures:
    """Bands of MinHash signatures for a threshold; every worker has the same hash functions."""

    def __init__(self, threshold: float) -> None:
        import numpy as np

        self.bands, self.rows = band_shape(threshold)
        draws = [xxh3_64_intdigest(f"minhash {number}".encode()) for number in range(2 * self.bands * self.rows)]
        self._factors = np.array(draws[::2], np.uint64) | np.uint64(1)
        self._terms = np.array(draws[1::2], np.uint64)

    def of_rows(self, columns: Sequence[Sequence[str]], seeds: "Keys") -> "Keys":
        """Return the hash of each band of each text, or of each pair of two columns: [row, band].

        The first side of a pair has the larger half of the hashes of a band.
        """
        half = (self.rows + 1) // 2
        parts = [range(self.rows)] if len(columns) == 1 else [range(half), range(half, self.rows)]
        return self._banded(seeds, list(zip(columns, parts, strict=True)))

    def _banded(self, seeds: "Keys", columns: Sequence[tuple[Sequence[str], range]]) -> "Keys":
        import numpy as np

        hashes = np.empty((len(seeds), self.bands), np.uint64)
        for band in range(self.bands):
            hashes[:, band] = _mixed(seeds + np.uint64(band + 1))
        for texts, rows in columns:
            for start, end in _blocks(texts):
                starts, grams = _gram_hashes(texts[start:end])
                for band in range(self.bands):
                    for row in rows:
                        number = band * self.rows + row
                        values = grams * self._factors[number] + self._terms[number]
                        least = np.minimum.reduceat(values, starts)
                        hashes[start:end, band] = _mixed(hashes[start:end, band] ^ _mixed(least))
        return hashes


def _blocks(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Return where to cut texts such that each block has about BLOCK characters."""
    bounds, length = [0], 0
    for index, each in enumerate(texts, 1):
        length += len(each) + NGRAM
        if length >= BLOCK or index == len(texts):
            bounds.append(index)
            length = 0
    return list(pairwise(bounds))


def _gram_hashes(texts: Sequence[str]) -> "tuple[NDArray[np.int64], Keys]":
    """Return where the n-grams of each text begin, and a hash of each n-gram, text after text."""
    import numpy as np

    padded = [each.ljust(NGRAM, "\0") for each in texts]
    lengths = np.array(list(map(len, padded)))
    counts = lengths - (NGRAM - 1)
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    windows = np.zeros(len(points) - NGRAM + 1, np.uint64)
    for place in range(NGRAM):
        windows = windows * np.uint64(0x100000001B3) + points[place : len(points) - NGRAM + 1 + place]
    offsets = np.cumsum(lengths) - lengths  # where each text begins
    starts = np.cumsum(counts) - counts  # where its n-grams do
    inside = np.arange(counts.sum()) - np.repeat(starts - offsets, counts)
    return starts, _mixed(windows[inside])


def _mixed(values: "Keys") -> "Keys":
    """Return other 64 bits for each 64 bits, as SplitMix64 mixes them."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Keys = values ^ (values >> np.uint64(31))
    return mixed


class KeyFiles:
    """Files of rows of 64-bit numbers, partitioned by the first byte of the first; any number of processes append."""

    def __init__(self, folder: Path, name: str, width: int) -> None:
        self._prefix = f"{folder}{os.sep}{name}-"
        self._width = width

    def path(self, bucket: int) -> str:
        """Return the path of a bucket; the file exists once the bucket has rows."""
        return f"{self._prefix}{bucket:03}"

    def size(self, bucket: int) -> int:
        """Return the size of a bucket in bytes."""
        return os.stat(self.path(bucket)).st_size if os.path.exists(self.path(bucket)) else 0

    def append(self, rows: "Keys") -> None:
        """Add rows; FileError if the disk is full."""
        import numpy as np

        buckets = (rows[:, 0] >> np.uint64(56)).astype(np.int64)
        order = np.argsort(buckets, kind="stable")
        bounds = np.searchsorted(buckets[order], np.arange(BUCKETS + 1)).tolist()
        for bucket, (start, end) in enumerate(pairwise(bounds)):
            if start < end:
                self._write(bucket, rows[order[start:end]].tobytes())

    def _write(self, bucket: int, data: bytes) -> None:
        try:
            descriptor = os.open(self.path(bucket), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:  # in one write, so that rows of several processes do not mix
                if os.write(descriptor, data) < len(data):
                    raise OSError("a write was cut short")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise disk_full_error(error) from error

    def read(self, bucket: int) -> "Keys":
        """Return the rows of a bucket, in the order of the file."""
        import numpy as np

        if not os.path.exists(self.path(bucket)):
            return np.empty((0, self._width), np.uint64)
        found: Keys = np.fromfile(self.path(bucket), np.uint64).reshape(-1, self._width)
        return found

    def remove(self, bucket: int) -> None:
        """Delete a bucket."""
        with suppress(FileNotFoundError):
            os.unlink(self.path(bucket))


def add_bands(folder: Path, rows: SampleRows, signatures: Signatures) -> None:
    """Write the bands of rows that are not blank."""
    import numpy as np

    if not rows.entries:
        return
    index = np.frombuffer(rows.index, ">u8").reshape(-1, ENTRY_SIZE // 8)
    subsets = {subset.number: subset for subset in rows.subsets}
    of_rows = [subsets[number] for number in index[:, SUBSET].tolist()]
    texts = [sides(line, subset) for line, subset in zip(rows.text.split(b"\n"), of_rows, strict=True)]
    seeds = np.array([_seed(subset) for subset in of_rows], np.uint64)
    files = KeyFiles(folder, BANDS, 2)
    for size in (1, 2):
        places = np.array([place for place, each in enumerate(texts) if len(each) == size], np.int64)
        if not len(places):
            continue
        columns = [_normalised([texts[place][side] for place in places.tolist()]) for side in range(size)]
        hashes = signatures.of_rows(columns, seeds[places])
        origins = np.array([ORIGINS.index(of_rows[place].origin) for place in places.tolist()], np.uint64)
        hashes = hashes >> np.uint64(ORIGIN_BITS) << np.uint64(ORIGIN_BITS) | origins[:, None]
        keys = np.repeat(index[places, SHUFFLE_KEY].astype(np.uint64), signatures.bands)
        files.append(np.stack([hashes.reshape(-1), keys], axis=1))


def _seed(subset: Subset) -> int:
    """Return what the bands of comparable rows begin with: the origin and the languages, in whatever order."""
    return xxh3_64_intdigest("\t".join([subset.origin, *sorted(subset.sample_languages())]).encode())


@dataclass(frozen=True)
class CandidatePass:
    """Find the records that have a band in common."""

    folder: Path

    def __call__(self) -> "Callable[[BucketPart], None]":
        """Return the function of a worker."""
        return self._find

    def _find(self, part: "BucketPart") -> None:
        import numpy as np

        rows = KeyFiles(self.folder, BANDS, 2).read(part.bucket)
        rows = rows[part.contains(rows)]
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        band, key = rows[:, 0], rows[:, 1]
        is_same = np.zeros(len(rows), bool)
        is_same[1:] = (band[1:] == band[:-1]) & (key[1:] != key[:-1])
        begins = np.ones(len(rows), bool)
        begins[1:] = band[1:] != band[:-1]
        # Each with the first that has its band and with the one before it: linear in their number.
        first = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
        places = np.flatnonzero(is_same)
        origin = band[places] & np.uint64((1 << ORIGIN_BITS) - 1)
        found = [np.stack([key[other], key[places], origin], axis=1) for other in (first[places], places - 1)]
        candidates = np.unique(np.concatenate(found), axis=0)
        KeyFiles(self.folder, CANDIDATES, 3).append(candidates[candidates[:, 0] != candidates[:, 1]])


class ComparedRow(NamedTuple):
    """The normalised texts of a row, and its sample, b"" where it is not asked for."""

    texts: list[str]
    sample: bytes

    @property
    def id(self) -> bytes:
        """The id, a JSON string; b"" where the sample is not asked for."""
        return bytes(parse(self.sample)["id"]) if self.sample else b""


class NearDuplicate(NamedTuple):
    """A sample that is left out, the id of one that it resembles, and how much: on the side that is less similar."""

    sample: bytes
    id: str
    similarity: float


@dataclass(frozen=True)
class ComparisonRows:
    """The rows that stay of equal ones, by shuffle key: what the last two passes read, with their samples or without.

    These are needed where what is left out is to be shown.
    """

    folder: Path
    table: SubsetTable
    with_samples: bool

    def read(self, part: "BucketPart", wanted: "Keys") -> dict[tuple[int, int], ComparedRow]:
        """Return by (shuffle key, origin) the rows with these keys in a part of a bucket."""
        import numpy as np

        buckets = Buckets(self.folder, ROWS)
        index = self.table.replace_numbers(buckets.index(part.bucket))
        different, _ = find_duplicates(index)
        is_wanted = np.zeros(len(index), bool)
        is_wanted[different] = np.isin(index[different, SHUFFLE_KEY], wanted)
        found: dict[tuple[int, int], ComparedRow] = {}
        lines = buckets.lines(part.bucket, is_wanted)
        for (key, _, subset, _), line in zip(index[is_wanted].tolist(), lines, strict=True):
            own = self.table.subsets[subset]
            sample = line.replace(JOINT, b" ") if self.with_samples else b""
            found[key, ORIGINS.index(own.origin)] = ComparedRow(_normalised(sides(line, own)), sample)
        return found


@dataclass(frozen=True)
class SendPass:
    """Send the texts and the id of the first of two candidates to the bucket of the second."""

    rows: ComparisonRows

    def __call__(self) -> "Callable[[BucketPart], None]":
        """Return the function of a worker, which keeps its files open."""
        compared = Buckets(self.rows.folder, COMPARED)

        def send(part: "BucketPart") -> None:
            import numpy as np

            candidates = np.unique(KeyFiles(self.rows.folder, CANDIDATES, 3).read(part.bucket), axis=0)
            candidates = candidates[part.contains(candidates)]
            rows = self.rows.read(part, candidates[:, 0])
            entries, lines = [], []
            for first, second, origin in candidates.tolist():
                own = rows.get((first, origin))
                if own is not None:  # an equal record of another origin may have taken its place
                    entries.append(b"".join(number.to_bytes(8, "big") for number in (second, first, origin, 0)))
                    lines.append(b"\t".join([own.id, *(each.encode() for each in own.texts)]))
            if entries:
                compared.append(b"".join(entries), lines)

        return send


@dataclass(frozen=True)
class ComparePass:
    """Compare candidates, and write the keys of the near duplicates; return these if the rows have samples."""

    rows: ComparisonRows
    threshold: float

    def __call__(self) -> "Callable[[BucketPart], list[NearDuplicate]]":
        """Return the function of a worker."""
        return self._compare

    def _compare(self, part: "BucketPart") -> list[NearDuplicate]:
        import numpy as np

        compared = Buckets(self.rows.folder, COMPARED)
        index = compared.index(part.bucket)
        is_inside = part.contains(index)
        lines = compared.lines(part.bucket, is_inside)
        index = index[is_inside]
        rows = self.rows.read(part, index[:, SHUFFLE_KEY])
        near: dict[int, NearDuplicate] = {}
        # By the keys of both, so that the one that is named is the same in whatever order they were sent.
        order = np.lexsort((index[:, 1], index[:, SHUFFLE_KEY]))
        for place, (second, _, origin, _) in zip(order.tolist(), index[order].tolist(), strict=True):
            own = rows.get((second, origin))
            if own is None or second in near:
                continue
            id_, *texts = lines[place].decode().split("\t")
            if (least := _least_similarity(own.texts, texts, self.threshold)) >= self.threshold:
                near[second] = NearDuplicate(own.sample, _unescaped(id_[1:-1].encode()), least)
        if near:
            KeyFiles(self.rows.folder, NEAR, 1).append(np.array(list(near), np.uint64).reshape(-1, 1))
        return list(near.values()) if self.rows.with_samples else []


def _least_similarity(texts: Sequence[str], others: Sequence[str], threshold: float) -> float:
    """Return the similarity of the side that is less similar, or of the first that is below the threshold."""
    least = 1.0
    for one, other in zip(texts, others, strict=True):
        least = min(least, similarity(one, other))
        if least < threshold:
            break
    return least


def without_near(
    folder: Path, bucket: int, index: "NDArray[np.uint64]", different: "NDArray[np.intp]"
) -> "tuple[NDArray[np.intp], NDArray[np.intp]]":
    """Return which of the different rows of a bucket stay, and which are near duplicates."""
    import numpy as np

    keys = KeyFiles(folder, NEAR, 1).read(bucket)
    if not len(keys):
        return different, different[:0]
    is_near = np.isin(index[different, SHUFFLE_KEY], keys[:, 0])
    return different[~is_near], different[is_near]
