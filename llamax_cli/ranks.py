"""The rank of this process, which `accelerate launch`, torchrun and the like set in the environment."""

import os


def rank() -> int:
    """Return the number of this process, from 0; process 0 reads and writes for all."""
    return int(os.environ.get("RANK") or 0)


def ranks() -> int:
    """Return how many processes work together on all machines; 1 for a process by itself."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def local_rank() -> int:
    """Return the number of this process on its machine, from 0."""
    return int(os.environ.get("LOCAL_RANK") or 0)


def local_ranks() -> int:
    """Return how many of the processes that work together are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE") or ranks())
