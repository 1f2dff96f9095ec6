"""A worker of training that counts its collectives: python -m support.counted_worker FOLDER.

For each step, it adds a line to FOLDER/collectives-RANK: how often each of torch's collectives ran in it, and how many
bytes of gradients the ranks summed.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from llamax_cli.training import worker
from llamax_cli.training.trainer import Trainer


class Counting(TorchDispatchMode):  # type: ignore[misc]
    """Counts the collectives, and the bytes that FSDP sums: those in fp32, which no other sum is.

    Not torch's CommDebugMode, which loses track of the modules where activations are computed again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = Counter[str]()
        self.summed = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count a call of torch, and run it."""
        if func.namespace == "c10d":
            name = func.__name__.split(".")[0].strip("_")
            summed = args[1] if name == "reduce_scatter_base" else args[0][0] if name == "allreduce" else None
            if summed is None or summed.dtype == torch.float32:
                self.calls[name] += 1
                self.summed += summed.nbytes if summed is not None else 0
        return func(*args, **(kwargs or {}))


def main() -> None:
    """Run the worker."""
    train_step = Trainer.train_step
    path = Path(sys.argv[1]) / f"collectives-{os.environ['RANK']}"

    def counted(trainer: Trainer, step: Any) -> Any:
        with Counting() as counts:
            requests = train_step(trainer, step)
        with path.open("a") as file:
            file.write(json.dumps({**counts.calls, "micro_batches": len(step.batches), "bytes": counts.summed}) + "\n")
        return requests

    Trainer.train_step = counted  # type: ignore[method-assign]
    worker.main()


if __name__ == "__main__":
    main()
