"""The loss of held-out records."""

import torch

from llamax_cli.config import Training
from llamax_cli.models.packed_batch import idle_batch
from llamax_cli.training import loss_stats
from llamax_cli.training.dataset_cache import Dataset
from llamax_cli.training.loss_stats import LossStats
from llamax_cli.training.process_group import Ranks
from llamax_cli.training.setup import Components


def held_out_loss(
    parts: Components, data: Dataset, training: Training, ranks: Ranks
) -> tuple[float, dict[str, dict[str, float]]]:
    """Return the mean loss of held-out records and, on the first rank, that of each direction."""
    meter = LossStats(("direction",))
    total = learned = 0.0
    learner = parts.learner.eval()
    feed = parts.feed(data, training.micro_batch * ranks.size, training.micro_batch, ranks)
    with torch.no_grad():
        for step in feed.steps(data.plan(0).start()):
            for batch in step.batches:
                moved = (batch or idle_batch()).to(ranks.device)
                losses = learner(moved)
                if batch:
                    meter.add(batch, loss_stats.by_document(moved, losses))
                    total += float(losses.sum(dtype=torch.float64))
                    learned += len(losses)
    learner.train()
    learner.reshard()  # type: ignore[operator]
    loss, count = ranks.sum([total, learned])
    return loss / count, loss_stats.merged(ranks.gather(meter.take()))
