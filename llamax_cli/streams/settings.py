"""The flags that mean the same in every command, as parsed, and what they may not ask for together."""

import os
from dataclasses import dataclass
from pathlib import Path

from llamax_cli.errors import UsageError
from llamax_cli.streams.chunks import WHOLE, Portion
from llamax_cli.streams.outputs import partial_path


@dataclass(frozen=True)
class Settings:
    """The flags that mean the same in every command, as parsed."""

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
            raise UsageError("--resume continues a file: name it with -o")
        if self.max_rejects is not None and self.rejects is None:
            raise UsageError("--max-rejects limits what --rejects sets aside: give both")
        self._check_that_no_file_is_used_twice()

    def _check_that_no_file_is_used_twice(self) -> None:
        used = {os.path.realpath(path): path for path in self.files if path != "-"}
        # -o may name an input: the new file takes its place once it is whole.
        for flag, path in (("--output", self.output), ("--rejects", self.rejects), ("--manifest", self.manifest)):
            if path is None or (path.exists() and not path.is_file()):
                continue
            if flag != "--output" and os.path.realpath(path) in used:
                raise UsageError(f"{flag} {path} is read or written already by this run; name another file")
            used[os.path.realpath(path)] = str(path)

    @property
    def is_complete(self) -> bool:
        """Whether `--resume` finds its file whole."""
        path = self.output
        return self.resume and path is not None and path.is_file() and not partial_path(path).exists()
