"""A check: a function that measures one figure, with the goal that the figure has to reach."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, util
from pathlib import Path
from typing import NamedTuple

STEPS = ("smoke", "correctness", "resume", "memory", "speed", "translation", "data", "cards", "paper")
LIMIT = 240.0  # seconds that a check may take


class NotRun(Exception):  # noqa: N818 (it is no error)
    """Why a check has no figure on this machine."""


class Figure(NamedTuple):
    """What a check measured; `note` is shown beside the value, `table` below the table of the step."""

    value: float
    note: str = ""
    table: str = ""


@dataclass(frozen=True)
class Bench:
    """Where checks run: on `cuda` or, tried out with small sizes, on `cpu`; `work` is a folder for their files."""

    device: str
    work: Path

    @property
    def is_cpu(self) -> bool:
        """Whether this is only a trial."""
        return self.device == "cpu"

    def need_gpu(self) -> None:
        """Raise NotRun on a CPU."""
        if self.is_cpu:
            raise NotRun("not on a CPU")


def need_package(name: str) -> None:
    """Raise NotRun if a package is not installed."""
    if util.find_spec(name) is None:
        raise NotRun(f"{name} is not installed")


@dataclass(frozen=True)
class Check:
    """One figure of a step; `least` and `most` are its goal, if it has one, which may say nothing about a trial."""

    name: str
    what: str
    measure: Callable[[Bench], Figure | float]
    unit: str = ""
    least: float | None = None
    most: float | None = None
    is_for_trials: bool = True
    limit: float = LIMIT

    @property
    def goal(self) -> str:
        """The goal in words: `at least 4`, `0.7 to 1.1`; empty if any figure will do."""
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}" if self.least != self.most else f"{self.least:g}"
        if self.least is not None:
            return f"at least {self.least:g}"
        return f"at most {self.most:g}" if self.most is not None else ""

    def is_met(self, value: float) -> bool:
        """Return whether a figure reaches the goal; NaN does not."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def checks_of(step: str) -> tuple[Check, ...]:
    """Return the checks of a step, in the order in which they run."""
    checks: tuple[Check, ...] = import_module(f"gpu.{step}").CHECKS
    return checks
