"""A record's request to an engine, and the record with the translation."""

from llamax_cli.models.contracts import Hypothesis, TranslationRequest
from llamax_cli.records import Record, language, text
from llamax_cli.scoring.metrics import SCORE_KEYS

# Keys that are derived from `mt` and dropped when it changes.
DERIVED = SCORE_KEYS | {"truncated", "candidate", "candidates", "utility", "pivot", "lid", "lid_score", "on_target"}


def request_of(record: Record) -> TranslationRequest:
    """Return the request of a record with `src`, `src_lang` and `tgt_lang`."""
    return TranslationRequest(text(record, "src"), language(record, "src_lang"), language(record, "tgt_lang"))


def with_mt(record: Record, hypothesis: Hypothesis, number: int | None = None) -> Record:
    """Return the record with a new `mt`, and without what was derived from the old one.

    `number` is the rank of the hypothesis among several candidates, the best being 1.
    """
    result = {key: value for key, value in record.items() if key not in DERIVED}
    result["mt"] = hypothesis.text
    if number is not None:
        result["candidate"] = number
    if hypothesis.truncated:
        result["truncated"] = True
    return result
