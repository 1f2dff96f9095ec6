"""What a run has done so far, over all that it was resumed; checkpoints hold it."""

from dataclasses import dataclass

from llamax_cli.training.dataloader import Step

RECENT = 0.95  # share of the loss's running mean that stays at each step


@dataclass
class Progress:
    """What is counted; `recent` is the mean loss of late, `validated` and `translated` the last steps that were."""

    step: int = 0
    records: int = 0
    tokens: int = 0
    learned: int = 0
    skipped: int = 0
    recent: float = 0.0
    validated: int = -1
    translated: int = -1

    def add(self, step: Step) -> None:
        """Count a step, made or left out."""
        self.step += 1
        self.tokens += step.tokens
        self.learned += step.learned
        self.records += step.records

    def falls_on(self, every: int) -> bool:
        """Return whether what is done every so many steps is due now; nothing is, where that is 0."""
        return every > 0 and self.step % every == 0

    def lost(self, loss: float) -> None:
        """Take the loss of a step that was made into the running mean."""
        self.recent = loss if not self.recent else RECENT * self.recent + (1 - RECENT) * loss
