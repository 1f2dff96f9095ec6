"""How well a model represents each language: likeness to English, and retrieval (figure 6, appendix D).

A sentence and its English counterpart should be near one another, and nearer than any two others. As in the authors'
code, the English sentence is looked for among those of the other language.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor

from llamax_cli.analysis.correlation import spearman
from llamax_cli.analysis.sentence_encoders import Encode, EncoderChoice, load_encoder
from llamax_cli.analysis.texts import texts_of
from llamax_cli.errors import DataError, LanguageError, RecordError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.records import Record, Representation, number, text
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import Table

CUTOFFS = (1, 5, 10)
ROWS = 512  # sentences that are compared with all others at once
DIGITS = 6
FIGURES = ("cosine", *(f"recall_at_{cutoff}" for cutoff in CUTOFFS))

Sentences = dict[str, dict[str, str]]  # by language and id


@dataclass(frozen=True)
class RepresentationRequest:
    """What encodes, the language to compare with, and fertility records to correlate with."""

    encoder: EncoderChoice
    central: str = "en"
    fertility: str | None = None
    tokenizer: str | None = None
    summary: bool = False
    table: str | None = None


def write_representations(run: Run, request: RepresentationRequest) -> None:
    """Write a record for each language, or with `summary` one for all of them."""
    run.merges = True
    run.write(_records(run, request), output=Table(run.settings.output, request.table) if request.table else None)


def _records(run: Run, request: RepresentationRequest) -> Iterator[Any]:
    fertility = _read_fertility(run, request)
    sentences = _read_sentences(run)
    if request.central not in sentences:
        raise DataError(f"there are no sentences in {request.central}, to which all others are compared; see --central")
    languages = [lang for lang in sentences if lang != request.central]
    encode = load_encoder(request.encoder)
    advance = run.start_phase("comparing", len(languages))
    records: list[Representation] = []
    for record in _compare(sentences, languages, request, encode):
        advance(1)
        records.append(record)
        if not request.summary:
            yield record
    correlations = _correlate(records, fertility)
    for key, value in correlations.items():
        if key.startswith("spearman_") and not key.endswith(("_low", "_high")):
            low, high = correlations[f"{key}_low"], correlations[f"{key}_high"]
            name = key.removeprefix("spearman_")
            run.remarks.append(f"Spearman's correlation of fertility and {name} {value:.3f} ({low:.3f} to {high:.3f})")
    run.figures |= correlations
    if request.summary and records:
        means = {key: round(sum(record[key] for record in records) / len(records), DIGITS) for key in FIGURES}  # type: ignore[literal-required]
        encoder = request.encoder
        yield {"model": encoder.model, "layer": encoder.layer, "central": request.central} | {
            "languages": len(records),
            **means,
            **correlations,
        }


def _read_sentences(run: Run) -> Sentences:
    """Return all sentences; what has no id is counted, as lines of aligned files are."""
    sentences: Sentences = {}
    counters: dict[str, Iterator[int]] = {}

    def read(record: Record) -> None:
        key = text(record, "id") if "id" in record else None
        for lang, sentence in texts_of(record):
            number_ = next(counters.setdefault(lang, count(1)))
            of_language = sentences.setdefault(lang, {})
            known = of_language.setdefault(key or f"line {number_}", sentence)
            if known != sentence:
                raise RecordError(f"there is another sentence in {lang} with the id {key!r}")

    for _ in run.read_as(read):
        pass
    return sentences


def _compare(
    sentences: Sentences, languages: Sequence[str], request: RepresentationRequest, encode: Encode
) -> Iterator[Representation]:
    central = sentences[request.central]
    vectors = encode(list(central.values()))
    places = {key: place for place, key in enumerate(central)}
    for lang in languages:
        shared = [key for key in sentences[lang] if key in places]
        if not shared:
            raise DataError(
                f"no sentence in {lang} has the id of one in {request.central}; read files that are aligned "
                "together, as a folder or as pairs"
            )
        ours = vectors[[places[key] for key in shared]]
        theirs = encode([sentences[lang][key] for key in shared])
        record = Representation(
            lang=lang,
            central=request.central,
            model=request.encoder.model,
            layer=request.encoder.layer,
            n=len(shared),
            cosine=round(float((ours * theirs).sum(1).mean()), DIGITS),
            **_recalls(ours, theirs),  # type: ignore[typeddict-item]
        )
        if len(shared) < len(sentences[lang]):
            record["absent"] = len(sentences[lang]) - len(shared)
        yield record


def _recalls(queries: Tensor, candidates: Tensor) -> dict[str, float]:
    """Return how often the candidate at the place of the query is among the nearest ones.

    A candidate that is exactly as near does not push it down.
    """
    found = dict.fromkeys(CUTOFFS, 0)
    for start in range(0, len(queries), ROWS):
        block = queries[start : start + ROWS] @ candidates.T
        own = block[torch.arange(len(block)), torch.arange(start, start + len(block))].unsqueeze(1)
        nearer = (block > own).sum(1)
        for cutoff in CUTOFFS:
            found[cutoff] += int((nearer < cutoff).sum())
    return {f"recall_at_{cutoff}": round(hits / len(queries), DIGITS) for cutoff, hits in found.items()}


def _read_fertility(run: Run, request: RepresentationRequest) -> dict[str, float]:
    """Return the fertility of each language, by one tokenizer."""
    if request.fertility is None:
        return {}
    found: dict[str, dict[str, float]] = {}

    def read(record: Record) -> None:
        by_language = found.setdefault(text(record, "tokenizer"), {})
        try:
            lang = canonical(text(record, "lang"))
        except LanguageError as error:
            raise RecordError(str(error)) from error
        by_language[lang] = number(record, "fertility", low=0)

    for _ in run.read_as(read, [run.input(request.fertility)]):
        pass
    if request.tokenizer is not None and request.tokenizer not in found:
        raise UsageError(f"--tokenizer {request.tokenizer}: {request.fertility} has {', '.join(found) or 'none'}")
    if request.tokenizer is None and len(found) > 1:
        raise UsageError(f"{request.fertility} has {len(found)} tokenizers; choose one with --tokenizer")
    return found[request.tokenizer] if request.tokenizer else next(iter(found.values()), {})


def _correlate(records: Iterable[Representation], fertility: dict[str, float]) -> dict[str, float]:
    """Return Spearman's correlation of fertility with each figure over the languages that have both."""
    figures: dict[str, float] = {}
    both = [record for record in records if record["lang"] in fertility]
    for key in FIGURES:
        result = spearman([fertility[record["lang"]] for record in both], [record[key] for record in both])  # type: ignore[literal-required]
        if result is not None:
            name = f"spearman_{key}"
            bounds = {name: result.value, f"{name}_low": result.low, f"{name}_high": result.high}
            figures |= {each: round(value, DIGITS) for each, value in bounds.items()}
    return figures
