"""A worker of training whose checkpoints are written when there is a file FOLDER/gate.

python -m support.gated_worker FOLDER
"""

import sys
from pathlib import Path
from typing import Any

from torch.distributed.checkpoint import FileSystemWriter

from llamax_cli.training import worker
from support.processes import wait_for


def main() -> None:
    """Run the worker."""
    write_data = FileSystemWriter.write_data
    gate = Path(sys.argv[1]) / "gate"

    def gated(writer: FileSystemWriter, *given: Any) -> Any:
        wait_for(gate)
        return write_data(writer, *given)

    FileSystemWriter.write_data = gated  # type: ignore[method-assign]
    worker.main()


if __name__ == "__main__":
    main()
