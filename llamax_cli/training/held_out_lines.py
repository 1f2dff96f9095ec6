"""Held-out lines that a model in training translates: reading, prompts, scores and the file of translations."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from llamax_cli.config import Training
from llamax_cli.errors import DataError, FileError, RecordError, because
from llamax_cli.instructions import data_files
from llamax_cli.models.batching import EncodedRequest
from llamax_cli.models.prompts import Template, choose
from llamax_cli.models.sample_encoding import Encoder
from llamax_cli.models.samples import Sample
from llamax_cli.models.special_text import Span
from llamax_cli.records import language, parse, text
from llamax_cli.scoring.metrics import MetricSettings, load_metric

METRICS = ("spbleu", "chrf++")
AS_GIVEN = Template("{src}")  # for a sample, which brings its prompt
# A translation may have this many tokens for each token of its reference, plus a constant.
TOKENS_PER_REFERENCE_TOKEN, EXTRA_TOKENS = 2, 16

Scores: TypeAlias = dict[str, dict[str, float]]


class Line(NamedTuple):
    """One translation to make: the prompt, the reference, and the template that finds the translation in an answer.

    `data` is where the prompt has what the template did not write.
    """

    prompt: str
    data: tuple[Span, ...]
    reference: str
    src_lang: str
    tgt_lang: str
    template: Template

    @property
    def direction(self) -> str:
        """Return the direction: `en-sw`."""
        return f"{self.src_lang}-{self.tgt_lang}"


def read(training: Training, model: str) -> list[Line]:
    """Return the first `translate_lines` lines of each direction; DataError for a record that is not a translation.

    A sample keeps its prompt, as in training; a pair gets the template of `translate_template`.
    """
    template = choose(training.translate_template, model, has_chat=False)
    counts: Counter[str] = Counter()
    lines = []
    for path in training.translate:
        for number, data in data_files.read_lines(Path(path)):
            try:
                line = _line(data, template)
            except RecordError as error:
                raise DataError(f"{path}:{number}: {error}; translate takes pairs, or samples with a prompt") from error
            if counts[line.direction] < training.translate_lines:
                counts[line.direction] += 1
                lines.append(line)
    if not lines:
        raise DataError(f"{', '.join(training.translate)}: nothing to translate")
    return lines


def _line(data: bytes, template: Template) -> Line:
    record = parse(data)
    src_lang, tgt_lang = language(record, "src_lang"), language(record, "tgt_lang")
    if "completion" in record:
        source, reference, template = text(record, "prompt"), text(record, "completion").strip(), AS_GIVEN
    else:
        source, reference = text(record, "src"), text(record, "tgt")
    prompt, spans = template.locate(source, src_lang, tgt_lang)
    if not prompt:
        raise RecordError("the prompt is empty")
    return Line(prompt, spans, reference, src_lang, tgt_lang, template)


def decoding_jobs(lines: Sequence[Line], encoder: Encoder, positions: int) -> list[EncodedRequest]:
    """Return the lines as tokens, encoded as in training.

    DataError for a prompt that leaves none of the model's `positions` for a translation.
    """
    prompts = [encoder.encode_prompt(line.prompt, line.data) for line in lines]
    references = encoder.encode([Sample(line.reference) for line in lines])
    jobs = []
    for place, (tokens, reference) in enumerate(zip(prompts, references, strict=True)):
        limit = EXTRA_TOKENS + TOKENS_PER_REFERENCE_TOKEN * len(reference.tokens)
        limit = min(limit, positions - len(tokens))
        if limit < 1:
            line = lines[place]
            raise DataError(
                f"translate: a prompt of {line.direction} has {len(tokens):,} tokens; "
                f"the model takes at most {positions:,}"
            )
        jobs.append(EncodedRequest(place, tokens, limit))
    return jobs


def score(lines: Sequence[Line], translations: Sequence[str], recipe: MetricSettings) -> Scores:
    """Return the scores by metric and direction."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        places[line.direction].append(place)
    scores: Scores = {}
    for name in recipe.metrics:
        measure = load_metric(name, recipe)
        for direction, of_direction in sorted(places.items()):
            hypotheses = [translations[place] for place in of_direction]
            references = [lines[place].reference for place in of_direction]
            rows = measure.statistics(lines[of_direction[0]].tgt_lang, hypotheses, references)
            scores.setdefault(name, {})[direction] = round(float(measure.score(np.asarray(rows).sum(axis=0))), 2)
    return scores


def write(path: Path, lines: Sequence[Line], translations: Sequence[str]) -> None:
    """Write the translations as records of `llamax translate`."""
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for line, translation in zip(lines, translations, strict=True):
                record = {"src": line.prompt, "tgt": line.reference, "mt": translation}
                record |= {"src_lang": line.src_lang, "tgt_lang": line.tgt_lang}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
