"""Which of several processes this one is, as `accelerate launch`, torchrun and their like say in the environment."""

import os


def rank() -> int:
    """Return the number of this process, from 0; the first reads and writes for all."""
    return int(os.environ.get("RANK") or 0)


def ranks() -> int:
    """Return how many processes work together, on all machines; 1 where none were started together."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def local_rank() -> int:
    """Return the number of this process on its machine, from 0."""
    return int(os.environ.get("LOCAL_RANK") or 0)
