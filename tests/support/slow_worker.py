"""A worker of training in which one part takes longer on one rank: `SLOW="1 checkpoint 3"`, with a rank and seconds."""

import os
import time
from typing import Any

from llamax_cli.training import checkpoint, loss_stats, setup, trainer, worker

PARTS = {
    "preparing": (setup.packed_dataset, "prepare"),
    "checkpoint": (checkpoint, "save"),
    "micro-batch": (loss_stats, "by_document"),
    "step": (trainer.Trainer, "_forward_backward"),
}


def slow_down(rank: str, part: str, seconds: str) -> None:
    """Replace a part of training by one that waits first and says so in a file."""
    place, name = PARTS[part]
    work = getattr(place, name)

    def slowed(*arguments: Any, **options: Any) -> Any:
        if os.environ["RANK"] == rank:
            with open(os.environ["SLOW_SAYS"], "a") as file:
                file.write(f"{part}\n")
            time.sleep(float(seconds))
        return work(*arguments, **options)

    setattr(place, name, slowed)


if __name__ == "__main__":
    slow_down(*os.environ["SLOW"].split())
    worker.main()
