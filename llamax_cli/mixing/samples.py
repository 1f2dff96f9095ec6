"""What records become: lines of Samples as they will be written, each with an entry of 32 bytes.

An entry is four big-endian numbers of 64 bits: the shuffle key, which orders the mixture; the check, which together
with the key is a hash of (seed, epoch, languages, texts); the subset; and a hash of the id, which decides which of two
equal records stays.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from xxhash import xxh3_64_digest, xxh3_128_digest

from llamax_cli.errors import RecordError
from llamax_cli.mixing.subsets import SampleFormat, Subset
from llamax_cli.streams.chunks import Tally

HEAD, ID = b'{"prompt":"","completion":"', b'","id":'
JOINT = b"\t"  # between source and target until the mixture is written, then a space; a JSON string contains no tab
SIDES = "src", "tgt"


@dataclass
class SampleRows:
    """Entries and lines of samples, in the same order, and what was counted on the way.

    Each of the entries, and each of the lines, may also be several, joined.
    """

    entries: list[bytes] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    subsets: set[Subset] = field(default_factory=set)
    left_out: Tally = field(default_factory=Counter)
    removed_sentences: int = 0  # of evaluation sets, out of texts
    lines_read: int = 0

    @property
    def index(self) -> bytes:
        """All entries."""
        return b"".join(self.entries)

    @property
    def text(self) -> bytes:
        """All lines, joined."""
        return b"\n".join(self.lines)

    def extend(self, other: "SampleRows") -> None:
        """Add the rows and counts of another object."""
        self.entries += other.entries
        self.lines += other.lines
        self.subsets |= other.subsets
        self.left_out.update(other.left_out)
        self.removed_sentences += other.removed_sentences
        self.lines_read += other.lines_read


class PairColumns(NamedTuple):
    """Pairs by column: sources and targets as JSON strings, ids as JSON values, and the formats of their subsets."""

    sources: list[bytes]
    targets: list[bytes]
    ids: list[bytes]
    formats: list[SampleFormat]

    def without(self, indices: set[int]) -> "PairColumns":
        """Return the pairs less those at some indices."""
        columns = [[cell for index, cell in enumerate(column) if index not in indices] for column in self]
        return PairColumns(*columns)  # type: ignore[arg-type]


def add_connected_pairs(pairs: PairColumns, rows: SampleRows) -> None:
    """Add one sample for each pair: source and target joined by a space, loss on both (section 2).

    The direction depends on the hash of the pair. In augmented parallel pairs the source is the prompt, which has no
    loss, and the direction stays (section 2.1, step 2).
    """
    add_entry, add_line, join = rows.entries.append, rows.lines.append, b"".join
    rows.subsets.update(sample_format.subset for sample_format in set(pairs.formats))
    for source, target, raw_id, sample_format in zip(*pairs, strict=True):
        content = source + b"\n" + target if sample_format.is_sorted else target + b"\n" + source
        digest = xxh3_128_digest(content, sample_format.hash_seed)
        id_ = raw_id if raw_id[:1] == b'"' else id_string(raw_id, content)
        add_entry(digest + sample_format.number + xxh3_64_digest(id_))
        if sample_format.has_prompt:
            add_line(join((b'{"prompt":', source, b',"completion":" ', target[1:-1], ID, id_, sample_format.tail)))
        elif digest[8:] < sample_format.flip_bound:
            add_line(join((HEAD, target[1:-1], JOINT, source[1:-1], ID, id_, sample_format.flipped_tail)))
        else:
            add_line(join((HEAD, source[1:-1], JOINT, target[1:-1], ID, id_, sample_format.tail)))


def flip_line(line: bytes, subset: Subset, *, is_flipped: bool) -> bytes:
    """Return the line of a connected pair in the other direction; `is_flipped` says which direction the line has."""
    source, _, rest = line[len(HEAD) :].partition(JOINT)
    # A quote inside a JSON string is escaped, so this is where the string ends.
    target, _, rest = rest.partition(ID)
    id_ = rest[: -len(subset.tail(flipped=is_flipped))]
    return b"".join((HEAD, target, JOINT, source, ID, id_, subset.tail(flipped=not is_flipped)))


def add_split_pairs(pairs: PairColumns, rows: SampleRows) -> None:
    """Add two samples for each parallel pair, one for each side (appendix, Table 12); augmented pairs stay pairs."""
    split: set[int] = set()
    for index, (source, target, raw_id, sample_format) in enumerate(zip(*pairs, strict=True)):
        if not sample_format.subset.is_parallel:
            continue
        split.add(index)
        content = source + b"\n" + target if sample_format.is_sorted else target + b"\n" + source
        id_ = raw_id if raw_id[:1] == b'"' else id_string(raw_id, content)
        for text, side in zip((source, target), SIDES, strict=True):
            subset = sample_format.subset._replace(side=side)
            rows.subsets.add(subset)
            # By language, not by side: a pair that is present in both directions gives the same two samples.
            digest = xxh3_128_digest(content + subset.sample_languages()[0].encode(), sample_format.hash_seed)
            rows.entries.append(digest + subset.number.to_bytes(8, "big") + xxh3_64_digest(id_))
            rows.lines.append(HEAD + text[1:-1] + ID + id_ + subset.tail())
    add_connected_pairs(pairs.without(split), rows)


def add_text(
    text: bytes, blocks: Iterable[bytes], raw_id: bytes, sample_format: SampleFormat, rows: SampleRows
) -> None:
    """Add one sample for each block of a text, or for the text if it is its only block; all are JSON strings."""
    rows.subsets.add(sample_format.subset)
    id_ = id_string(raw_id, text)
    for number, block in enumerate(blocks):
        # By the whole text and the number of the block: a text that is present twice gives the same blocks.
        digest = xxh3_128_digest(text + b"%d" % number if number else text, sample_format.hash_seed)
        rows.entries.append(b"".join((digest, sample_format.number, xxh3_64_digest(id_))))
        rows.lines.append(b"".join((HEAD, block[1:-1], ID, id_, sample_format.tail)))


def add_prompted(
    prompt: bytes, completion: bytes, raw_id: bytes, sample_format: SampleFormat, rows: SampleRows
) -> None:
    """Add one sample of a prompt, which has no loss, and a completion; both are JSON strings."""
    rows.subsets.add(sample_format.subset)
    content = prompt + b"\n" + completion
    id_ = id_string(raw_id, content)
    rows.entries.append(xxh3_128_digest(content, sample_format.hash_seed) + sample_format.number + xxh3_64_digest(id_))
    rows.lines.append(
        b"".join((b'{"prompt":', prompt, b',"completion":', completion[:-1], ID, id_, sample_format.tail))
    )


def id_string(raw_id: bytes, content: bytes) -> bytes:
    """Return an id as a JSON string: the digits of a number; a hash of the content if there is no id."""
    if raw_id[:1] == b'"':
        return raw_id
    if not raw_id or raw_id == b"null":
        return b'"%b"' % xxh3_64_digest(content).hex().encode()
    if raw_id[:1] in b"{[tf":
        raise RecordError("'id' is neither a string nor a number")
    return b'"%b"' % raw_id
