"""The components of a run, made ready on all ranks: data, model, optimizer and learning rate schedule."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from llamax_cli.config import BLOCKS
from llamax_cli.console import say
from llamax_cli.errors import UsageError
from llamax_cli.models import causal_lm
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.liger import use_liger
from llamax_cli.models.sample_encoding import Encoder, open_encoder
from llamax_cli.training import packed_dataset
from llamax_cli.training.dataloader import DataLoader
from llamax_cli.training.dataset import Cache
from llamax_cli.training.job import Job
from llamax_cli.training.lr_scheduler import LRScheduler
from llamax_cli.training.optimizer import make_optimizer
from llamax_cli.training.packed_dataset import PackedDataset
from llamax_cli.training.parallelize import broadcast_weights, make_mesh, shard
from llamax_cli.training.process_group import Ranks

BF16_CAPABILITY = (8, 0)  # of NVIDIA's Ampere


@dataclass(frozen=True)
class Components:
    """The parts that a run is made of; `held_out` is None where no validation data is given."""

    config: Any
    tokenizer: Any
    encoder: Encoder
    data: PackedDataset
    held_out: PackedDataset | None
    model: CausalLM
    optimizer: torch.optim.Optimizer
    lr_scheduler: LRScheduler

    def data_loader(
        self, data: PackedDataset, batch: int, micro_batch: int, ranks: Ranks, unit: str = BLOCKS
    ) -> DataLoader:
        """Return the loader of this rank's share of data."""
        return DataLoader(data, self.encoder, batch, micro_batch, ranks.rank, ranks.size, unit, ranks.device)


def find_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the data type of the computation for a value of `precision`; UsageError for a GPU that has no bf16.

    Such a GPU (before NVIDIA's Ampere) would emulate bf16, many times slower, and has no kernel for attention in it.
    fp16 is no way out: it overflows in models that were trained in bf16.
    """
    if precision == "auto":
        precision = "fp32" if device.type == "cpu" else "bf16"
    if precision == "bf16" and device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        if capability < BF16_CAPABILITY:
            raise UsageError(
                f"a {torch.cuda.get_device_name(device)} (compute capability {'.'.join(map(str, capability))}) cannot "
                'compute in bf16, which needs 8.0 or more; set precision = "fp32"'
            )
    return torch.bfloat16 if precision == "bf16" else torch.float32


def assemble(job: Job, ranks: Ranks, tokenized: Callable[[int, int], None]) -> Components:
    """Return the components of a run, or raise an error on all ranks; calls `tokenized(done, total)` on the way."""
    training = job.training
    ranks.run_first_then_others(lambda: find_dtype(training.precision, ranks.device))
    mesh = make_mesh(ranks, training)
    config = ranks.run_first_then_others(
        lambda: causal_lm.load_config(job.model, trust_remote_code=job.trust_remote_code)
    )
    if training.liger:
        ranks.run_first_then_others(lambda: use_liger(config.model_type, ranks.device))
    tokenizer, encoder = ranks.run_first_then_others(
        lambda: open_encoder(
            job.tokenizer, training.loss, add_bos=training.add_bos, trust_remote_code=job.trust_remote_code
        )
    )
    ranks.run_first_then_others(lambda: causal_lm.check(config, len(tokenizer), training.block))
    # Before the data is read, which may take hours: this finds names of weights and layers that the model lacks.
    empty = ranks.run_first_then_others(lambda: causal_lm.prepare_for_training(causal_lm.empty_model(config), training))

    def prepare(paths: tuple[str, ...], seed: int) -> PackedDataset:
        return _prepare(job, ranks, tokenizer, encoder, paths, seed, tokenized)

    data = prepare(job.data, training.seed)
    last = min((steps for steps in (training.max_steps, training.stop_after) if steps), default=0)
    ranks.run_on_first(lambda: data.plan_ahead(training.epochs, last, training.batch, training.batch_of))
    held_out = prepare(training.validation, 0) if training.validation else None
    if held_out is not None:
        ranks.run_on_first(lambda: held_out.plan(0))
    if ranks.is_first and (line := packed_dataset.describe_rejected(data.rejected())):
        say(job.command, f"left out: {line}")
    if ranks.is_first and (line := data.describe_literals()):
        say(job.command, line)
    model = _model(job, ranks, mesh, config, empty)
    optimizer = make_optimizer(model, training)
    return Components(config, tokenizer, encoder, data, held_out, model, optimizer, LRScheduler(optimizer, training))


def _prepare(
    job: Job,
    ranks: Ranks,
    tokenizer: Any,
    encoder: Encoder,
    paths: tuple[str, ...],
    seed: int,
    tokenized: Callable[[int, int], None],
) -> PackedDataset:
    files, cache, render = [Path(path) for path in paths], Cache(job.cache), job.renderer(tokenizer)
    block = job.training.block
    return ranks.run_first_then_others(
        lambda: packed_dataset.prepare(files, encoder, block, seed, cache, tokenized, render)
    )


def _model(job: Job, ranks: Ranks, mesh: Any, config: Any, empty: Any) -> CausalLM:
    """Return the empty model, sharded, with its weights.

    One rank reads or draws the weights and sends them to the others, so that memory holds them once.
    """
    training = job.training
    weights = ranks.run_on_first(
        lambda: causal_lm.prepare_for_training(
            causal_lm.load_weights(
                job.model, config, training.seed, init=job.init, trust_remote_code=job.trust_remote_code
            ),
            training,
        ).state_dict()
    )
    model = CausalLM(empty, training.loss_chunk)
    shard(model, mesh, find_dtype(training.precision, ranks.device), training)
    causal_lm.materialise(model, ranks.device)
    broadcast_weights(model, weights or {})
    return model.train()
