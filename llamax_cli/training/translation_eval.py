"""Held-out lines translated with the model during training, and scored as `llamax score` does."""

from llamax_cli.errors import UsageError
from llamax_cli.models.batching import Pace, RunningBatch, batches
from llamax_cli.models.beam_search import BeamSearch
from llamax_cli.models.config_file import WITHOUT_SEARCH
from llamax_cli.models.prefix_attention import use_prefix_attention
from llamax_cli.scoring.metrics import MetricSettings, load_metric
from llamax_cli.training import held_out_lines
from llamax_cli.training.held_out_lines import METRICS, Line, Scores
from llamax_cli.training.job import Job
from llamax_cli.training.parallelize import unsharded
from llamax_cli.training.process_group import Ranks
from llamax_cli.training.setup import Components

BUDGET = 1 << 13  # tokens in memory at once, prompts included


class TranslationEvaluator:
    """Translates the held-out lines on all ranks, a share of them on each, and scores them on the first."""

    def __init__(self, job: Job, components: Components, ranks: Ranks) -> None:
        self._folder = job.translations
        self._components = components
        self._ranks = ranks
        self._recipe = MetricSettings(metrics=METRICS, spm=job.training.translate_spm)
        self._lines: list[Line] = ranks.run_first_then_others(lambda: held_out_lines.read(job.training, job.model))
        kind = components.config.model_type
        if kind in WITHOUT_SEARCH:
            raise UsageError(f"translate: models of type {kind} cannot translate during training; leave translate out")
        positions = components.config.max_position_embeddings
        if (window := getattr(components.config, "sliding_window", None)) is not None:
            positions = min(positions, window)  # the search sees all tokens
        self._jobs = ranks.run_first_then_others(
            lambda: held_out_lines.decoding_jobs(self._lines, components.encoder, positions)
        )
        # Downloads what the metrics need, and fails before training where that is impossible.
        ranks.run_on_first(lambda: [load_metric(name, self._recipe) for name in METRICS])

    def evaluate(self, step: int) -> Scores:
        """Return, on the first rank, the scores by metric and direction: `{"spbleu": {"en-sw": 12.34}, ...}`.

        The translations are written to a file of their own, which `llamax score` can read.
        """
        share = self._jobs[self._ranks.rank :: self._ranks.size]
        waiting = [job for batch in batches(share, BUDGET, 1) for job in batch]
        running = RunningBatch(waiting, 1, Pace.constant(BUDGET))  # so that a resumed training finds the same ones
        translations = {}
        with unsharded(self._components.model, self._ranks.device) as model, use_prefix_attention(model):
            search = BeamSearch(model, [self._components.tokenizer.eos_token_id], 1)
            for job, sequences in search(running):
                translations[job.index] = self._text(self._lines[job.index], sequences[0])
        gathered = {place: text for part in self._ranks.gather(translations) for place, text in part.items()}
        return self._ranks.run_on_first(lambda: self._write_and_score(step, gathered)) or {}

    def _text(self, line: Line, tokens: list[int]) -> str:
        return line.template.answer(self._components.tokenizer.decode(tokens, skip_special_tokens=True))[0]

    def _write_and_score(self, step: int, by_place: dict[int, str]) -> Scores:
        translations = [by_place[place] for place in range(len(self._lines))]
        held_out_lines.write(self._folder / f"step-{step:08}.jsonl", self._lines, translations)
        return held_out_lines.score(self._lines, translations, self._recipe)
