"""The counters of a run, which checkpoints keep."""

from dataclasses import dataclass

from llamax_cli.training.dataloader import Step

DECAY = 0.95  # weight of the earlier losses in the running mean at each step


@dataclass
class TrainState:
    """What a run has done so far, all its resumptions included; `skipped` steps changed no weight.

    `recent` is the running mean of the loss; `validated` and `translated` are the last steps after which that was
    done, -1 for none. Checkpoints hold the fields by name, so the names stay.
    """

    step: int = 0
    records: int = 0
    tokens: int = 0
    learned: int = 0
    skipped: int = 0
    recent: float = 0.0
    validated: int = -1
    translated: int = -1

    def add(self, step: Step) -> None:
        """Count a step, skipped or not."""
        self.step += 1
        self.tokens += step.tokens
        self.learned += step.learned
        self.records += step.records

    def is_due(self, every: int) -> bool:
        """Return whether something done every `every` steps is due now; 0 means never."""
        return every > 0 and self.step % every == 0

    def add_loss(self, loss: float) -> None:
        """Update the running mean with the loss of a step that was not skipped."""
        self.recent = loss if not self.recent else DECAY * self.recent + (1 - DECAY) * loss
