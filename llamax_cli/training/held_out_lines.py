"""Held-out lines for a model in training to translate: read, put as prompts, scored and written."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from llamax_cli.config import Training
from llamax_cli.errors import DataError, FileError, RecordError, because
from llamax_cli.instructions import data_files
from llamax_cli.models.batching import Job
from llamax_cli.models.prompts import Template, choose
from llamax_cli.models.sample_encoding import Encoder
from llamax_cli.records import language, parse, text
from llamax_cli.scoring.metrics import Recipe, metric
from llamax_cli.training.dataset import Sample

METRICS = ("spbleu", "chrf++")
AS_IT_IS = Template("{src}")  # for a sample, whose prompt is there
LONGER, ROOM = 2, 16  # a translation may have so many times the tokens of its reference, and these besides

Scores: TypeAlias = dict[str, dict[str, float]]


class Line(NamedTuple):
    """One translation to make: what is asked, in which template's words, and what would be right."""

    prompt: str
    reference: str
    src_lang: str
    tgt_lang: str
    template: Template

    @property
    def direction(self) -> str:
        """Return the direction: `en-sw`."""
        return f"{self.src_lang}-{self.tgt_lang}"


def read(training: Training, model: str) -> list[Line]:
    """Return the first lines of each direction; DataError, with the place, for a record that is no translation.

    A sample is asked as it was trained on, by its prompt; a pair by the template of `translate_template`.
    """
    template = choose(training.translate_template, model, has_chat=False)
    taken: Counter[str] = Counter()
    lines = []
    for path in training.translate:
        for number, data in data_files.read_lines(Path(path)):
            try:
                line = _line(data, template)
            except RecordError as error:
                raise DataError(f"{path}:{number}: {error}; translate takes pairs, or samples with a prompt") from error
            if taken[line.direction] < training.translate_lines:
                taken[line.direction] += 1
                lines.append(line)
    if not lines:
        raise DataError(f"{', '.join(training.translate)}: nothing to translate")
    return lines


def _line(data: bytes, template: Template) -> Line:
    record = parse(data)
    src_lang, tgt_lang = language(record, "src_lang"), language(record, "tgt_lang")
    if "completion" in record:
        prompt, reference, template = text(record, "prompt"), text(record, "completion").strip(), AS_IT_IS
    else:
        prompt, reference = template.render(text(record, "src"), src_lang, tgt_lang), text(record, "tgt")
    if not prompt:
        raise RecordError("the prompt is empty")
    return Line(prompt, reference, src_lang, tgt_lang, template)


def jobs(lines: Sequence[Line], encoder: Encoder, room: int) -> list[Job]:
    """Return the lines as tokens, as training has them; DataError where one has no room in the model's positions."""
    asked = encoder.encode([Sample("", prompt=line.prompt) for line in lines])
    wanted = encoder.encode([Sample(line.reference) for line in lines])
    made = []
    for place, (prompt, reference) in enumerate(zip(asked, wanted, strict=True)):
        tokens = prompt.tokens[:-1]  # but the end of text
        limit = min(ROOM + LONGER * len(reference.tokens), room - len(tokens))
        if limit < 1:
            line = lines[place]
            raise DataError(
                f"translate: a prompt of {line.direction} has {len(tokens):,} tokens, the model takes {room:,}"
            )
        made.append(Job(place, tokens, limit))
    return made


def score(lines: Sequence[Line], translations: Sequence[str], recipe: Recipe) -> Scores:
    """Return the score of each direction by each metric."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        places[line.direction].append(place)
    scores: Scores = {}
    for name in recipe.metrics:
        measure = metric(name, recipe)
        for direction, chosen in sorted(places.items()):
            hypotheses = [translations[place] for place in chosen]
            references = [lines[place].reference for place in chosen]
            rows = measure.statistics(lines[chosen[0]].tgt_lang, hypotheses, references)
            scores.setdefault(name, {})[direction] = round(float(measure.score(np.asarray(rows).sum(axis=0))), 2)
    return scores


def write(path: Path, lines: Sequence[Line], translations: Sequence[str]) -> None:
    """Write what was translated, as Translations."""
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for line, translation in zip(lines, translations, strict=True):
                record = {"src": line.prompt, "tgt": line.reference, "mt": translation}
                record |= {"src_lang": line.src_lang, "tgt_lang": line.tgt_lang}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
