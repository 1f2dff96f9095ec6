"""A few held-out lines translated with the model as it stands, and scored as `llamax score` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.distributed.fsdp import FSDPModule

from llamax_cli.models.batching import batches
from llamax_cli.models.beam_search import BeamSearch
from llamax_cli.models.prefix_attention import in_use
from llamax_cli.scoring.metrics import MetricSettings, load_metric
from llamax_cli.training import held_out_lines
from llamax_cli.training.dataloader import idle_batch
from llamax_cli.training.held_out_lines import METRICS, Line, Scores
from llamax_cli.training.job import Job
from llamax_cli.training.process_group import Ranks
from llamax_cli.training.setup import Components

BUDGET = 1 << 13  # tokens in memory at once, prompts counted


class Translator:
    """Translates the lines on all ranks, each a part of them, and scores them on the first."""

    def __init__(self, job: Job, parts: Components, ranks: Ranks) -> None:
        self._folder = job.translations
        self._parts = parts
        self._ranks = ranks
        self._recipe = MetricSettings(metrics=METRICS, spm=job.training.translate_spm)
        self._lines: list[Line] = ranks.each(lambda: held_out_lines.read(job.training, job.model))
        room = parts.config.max_position_embeddings
        self._jobs = ranks.each(lambda: held_out_lines.jobs(self._lines, parts.encoder, room))
        ranks.first(lambda: [load_metric(name, self._recipe) for name in METRICS])  # which may have to be fetched

    def translate(self, step: int) -> Scores:
        """Return, on the first rank, the scores of each direction: `{"spbleu": {"en-sw": 12.34}, "chrf++": ...}`.

        What was scored stands in a file of its own, as `llamax score` reads it.
        """
        own = self._jobs[self._ranks.rank :: self._ranks.size]
        found = {}
        with whole(self._parts.learner, self._ranks.device) as model, in_use(model):
            search = BeamSearch(model, [self._parts.tokenizer.eos_token_id], 1)
            for batch in batches(own, BUDGET, 1):
                decoded = search([job.tokens for job in batch], [job.limit for job in batch])
                for job, sequences in zip(batch, decoded, strict=True):
                    found[job.place] = self._answer(self._lines[job.place], sequences[0])
        answers = {place: answer for part in self._ranks.gather(found) for place, answer in part.items()}
        return self._ranks.first(lambda: self._scored(step, answers)) or {}

    def _answer(self, line: Line, tokens: list[int]) -> str:
        return line.template.answer(self._parts.tokenizer.decode(tokens, skip_special_tokens=True))[0]

    def _scored(self, step: int, answers: dict[int, str]) -> Scores:
        translations = [answers[place] for place in range(len(self._lines))]
        held_out_lines.write(self._folder / f"step-{step:08}.jsonl", self._lines, translations)
        return held_out_lines.score(self._lines, translations, self._recipe)


@contextmanager
def whole(learner: Any, device: torch.device) -> Iterator[Any]:
    """Give every rank the whole model, in the precision of the computation, so that each decodes by itself."""
    sharded = [module for module in learner.modules() if isinstance(module, FSDPModule)]
    learner.eval()
    with torch.no_grad():
        learner(idle_batch().to(device))  # sharding wants to have seen the whole before its parts are called
    for module in sharded:
        module.set_reshard_after_forward(False, recurse=False)
        module.unshard()
    try:
        with torch.compiler.set_stance("force_eager"):
            yield learner.model
    finally:
        for module in sharded:
            module.set_reshard_after_forward(module is not learner, recurse=False)
            module.reshard()
        learner.train()
