"""Candidates: several translations of one source, as `translate --nbest` writes them.

They are consecutive records, numbered by `candidate` from 1, the best first. Some may be missing.
"""

from typing import NamedTuple, TypeAlias

from llamax_cli.records import Record, whole_number

SOURCE_KEYS = ("src_lang", "tgt_lang", "id", "src")  # what all candidates for one translation have in common
NONE_ON_TARGET = "with no candidate on target"  # the name of a count

Source: TypeAlias = tuple[bytes | None, ...]


class CandidateKey(NamedTuple):
    """Which candidate a record is: the values of SOURCE_KEYS, and its rank."""

    source: Source
    rank: int


def candidate_key(record: Record) -> CandidateKey:
    """Return which candidate a record is; RecordError if it is none."""
    rank = whole_number(record, "candidate", least=1)
    return CandidateKey(tuple(bytes(record[key]) if key in record else None for key in SOURCE_KEYS), rank)


def continues(previous: CandidateKey, key: CandidateKey) -> bool:
    """Return whether a candidate is for the same translation as the record before it.

    Another source begins the next one, and so does a rank that does not rise: the same source may come twice.
    """
    return key.rank > previous.rank and key.source == previous.source
