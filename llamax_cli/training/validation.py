"""The loss on held-out records."""

from collections.abc import Callable

import torch

from llamax_cli.config import Training
from llamax_cli.models.packed_batch import idle_batch
from llamax_cli.training import loss_stats
from llamax_cli.training.loss_stats import LossStats
from llamax_cli.training.packed_dataset import PackedDataset
from llamax_cli.training.process_group import Ranks
from llamax_cli.training.setup import Components


def held_out_loss(
    components: Components, data: PackedDataset, training: Training, ranks: Ranks, progress: Callable[[], None]
) -> tuple[float, dict[str, dict[str, float]]]:
    """Return the mean loss on held-out records and, on the first rank, that of each origin and direction.

    `progress` is called before each micro-batch.
    """
    stats = LossStats(("origin", "direction"))
    total = learned = 0.0
    model = components.model.eval()
    loader = components.data_loader(data, training.micro_batch * ranks.size, training.micro_batch, ranks)
    with torch.no_grad():
        for step in loader.steps(data.plan(0).start()):
            for batch in step.batches:
                progress()
                on_device = (batch or idle_batch()).to(ranks.device)
                losses = model(on_device)
                if batch:
                    stats.add(batch, loss_stats.by_document(on_device, losses))
                    total += float(losses.sum(dtype=torch.float64))
                    learned += len(losses)
    model.train()
    model.reshard()  # type: ignore[operator]
    loss, count = ranks.sum([total, learned])
    return loss / count, loss_stats.mean_losses(ranks.gather(stats.take()))
