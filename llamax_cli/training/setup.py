"""Data, model and optimiser of a run made ready, on all ranks, or an error on all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from llamax_cli.config import BLOCKS
from llamax_cli.console import say
from llamax_cli.models import causal_lm as learning
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.liger import use_liger
from llamax_cli.models.sample_encoding import Encoder, open_encoder
from llamax_cli.training import dataset_cache
from llamax_cli.training.dataloader import Feed
from llamax_cli.training.dataset import Cache
from llamax_cli.training.dataset_cache import Dataset
from llamax_cli.training.job import Job
from llamax_cli.training.optimizer import make_optimizer
from llamax_cli.training.process_group import Ranks


@dataclass(frozen=True)
class Components:
    """What a run works with; `held_out` is None where nothing is."""

    config: Any
    tokenizer: Any
    encoder: Encoder
    data: Dataset
    held_out: Dataset | None
    learner: CausalLM
    optimiser: torch.optim.Optimizer

    def feed(self, data: Dataset, batch: int, micro_batch: int, ranks: Ranks, unit: str = BLOCKS) -> Feed:
        """Return what this rank takes from data."""
        return Feed(data, self.encoder, batch, micro_batch, ranks.rank, ranks.size, unit)


def assemble(job: Job, ranks: Ranks, tokenised: Callable[[int, int], None]) -> Components:
    """Return the parts of a run; `tokenised(done, total)` is told as records are."""
    training = job.training
    config = ranks.each(lambda: learning.load_config(job.model))
    if training.liger:
        ranks.each(lambda: use_liger(config.model_type, ranks.device))
    tokenizer, encoder = ranks.each(lambda: open_encoder(job.tokenizer))
    ranks.each(lambda: learning.check(config, len(tokenizer), training.block))

    def read(paths: tuple[str, ...], seed: int) -> Dataset:
        return _read(job, ranks, tokenizer, encoder, paths, seed, tokenised)

    data = read(job.data, training.seed)
    held_out = read(training.validation, 0) if training.validation else None
    if ranks.is_first and (line := dataset_cache.told(data.rejected())):
        say(job.command, f"left out: {line}")
    learner = _learner(job, ranks, config)
    return Components(config, tokenizer, encoder, data, held_out, learner, make_optimizer(learner, training))


def _read(
    job: Job,
    ranks: Ranks,
    tokenizer: Any,
    encoder: Encoder,
    paths: tuple[str, ...],
    seed: int,
    tokenised: Callable[[int, int], None],
) -> Dataset:
    files, cache, render = [Path(path) for path in paths], Cache(job.cache), job.renderer(tokenizer)
    data = ranks.each(lambda: dataset_cache.prepare(files, encoder, job.training.block, seed, cache, tokenised, render))
    ranks.first(lambda: [data.plan(epoch) for epoch in range(job.training.epochs)])
    return data


def _learner(job: Job, ranks: Ranks, config: Any) -> CausalLM:
    training = job.training
    precision = training.precision
    if precision == "auto":
        precision = "fp32" if ranks.device.type == "cpu" else "bf16"
    model = ranks.each(lambda: learning.adapt(learning.skeleton(config), training))
    # Drawn or read by one rank and sent to the others, so that memory holds it once a machine.
    full = ranks.first(
        lambda: learning.adapt(
            learning.load_weights(job.model, config, training.seed, init=job.init), training
        ).state_dict()
    )
    learner = CausalLM(model, training.loss_chunk)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    learning.shard(learner, ranks.mesh, dtype, compiled=training.compile)
    learning.fill(learner, full or {})
    return learner.train()
