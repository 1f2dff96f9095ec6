"""A step of training in a process that others are forked from, so that torch need not learn how to shard in each."""

import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.testing._internal.distributed.fake_pg import FakeStore

from llamax_cli.config import Training
from llamax_cli.models import causal_lm
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.packed_batch import idle_batch
from llamax_cli.training.optimizer import make_optimizer
from llamax_cli.training.parallelize import broadcast_weights, shard
from support.runs import config


def train_steps() -> None:
    """Make two steps of one rank, with a model as small as those of tests.

    For each operation on sharded tensors, and for their sizes, torch finds out how the result is sharded, and keeps the
    answer. It takes a quarter of the time of a short run. The group of processes is a fake one, which has no threads.
    """
    distributed.init_process_group("fake", store=FakeStore(), rank=0, world_size=1)
    try:
        training, settings = Training(), config()
        model = CausalLM(causal_lm.prepare_for_training(causal_lm.empty_model(settings), training), training.loss_chunk)
        shard(model, init_device_mesh("cpu", (1,)), torch.float32, training)
        causal_lm.materialise(model, torch.device("cpu"))
        with torch.random.fork_rng():
            broadcast_weights(model, causal_lm.load_weights("", settings, 0, init=True).state_dict())
        optimizer = make_optimizer(model, training)
        for _ in range(2):
            model(idle_batch()).sum().backward()
            trained = [weight for weight in model.parameters() if weight.grad is not None]
            norm = get_total_norm([weight.grad for weight in trained if weight.grad is not None])
            clip_grads_with_norm_(trained, 1.0, norm.full_tensor())  # type: ignore[attr-defined]
            optimizer.step()
            optimizer.zero_grad()
    finally:
        distributed.destroy_process_group()
