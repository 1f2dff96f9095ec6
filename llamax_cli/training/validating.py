"""The loss of held-out records."""

import torch

from llamax_cli.config import Training
from llamax_cli.training import meters
from llamax_cli.training.assembling import Parts
from llamax_cli.training.batches import idle_batch
from llamax_cli.training.meters import Meter
from llamax_cli.training.preparing import Prepared
from llamax_cli.training.ranks import Ranks


def held_out_loss(
    parts: Parts, data: Prepared, training: Training, ranks: Ranks
) -> tuple[float, dict[str, dict[str, float]]]:
    """Return the mean loss of held-out records and, on the first rank, that of each direction."""
    meter = Meter(("direction",))
    total = learned = 0.0
    learner = parts.learner.eval()
    feed = parts.feed(data, training.micro_batch * ranks.size, training.micro_batch, ranks)
    with torch.no_grad():
        for step in feed.steps(data.plan(0).start()):
            for batch in step.batches:
                moved = (batch or idle_batch()).to(ranks.device)
                losses = learner(moved)
                if batch:
                    meter.add(batch, meters.by_document(moved, losses))
                    total += float(losses.sum(dtype=torch.float64))
                    learned += len(losses)
    learner.train()
    learner.reshard()  # type: ignore[operator]
    loss, count = ranks.sum([total, learned])
    return loss / count, meters.merged(ranks.gather(meter.take()))
