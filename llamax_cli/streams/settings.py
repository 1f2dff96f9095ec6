"""The flags that mean the same in every command, parsed and checked against each other."""

from dataclasses import dataclass
from pathlib import Path

from llamax_cli.errors import UsageError
from llamax_cli.streams.chunks import WHOLE, Portion
from llamax_cli.streams.outputs import partial_path


@dataclass(frozen=True)
class Settings:
    """The shared flags of one run; UsageError where they contradict each other."""

    files: tuple[str, ...] = ()
    output: Path | None = None
    quiet: bool = False
    manifest: Path | None = None
    rejects: Path | None = None
    max_rejects: str | None = None
    limit: int | None = None
    resume: bool = False
    shard: Portion = WHOLE
    workers: int = 1

    def __post_init__(self) -> None:
        if self.resume and self.output is None:
            raise UsageError("--resume requires -o, the file that it continues")
        if self.max_rejects is not None and self.rejects is None:
            raise UsageError("--max-rejects requires --rejects")

    @property
    def is_complete(self) -> bool:
        """Whether `--resume` finds its output complete."""
        path = self.output
        return self.resume and path is not None and path.is_file() and not partial_path(path).exists()
