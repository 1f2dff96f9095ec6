"""The entry point of `llamax` and of `python -m llamax_cli`."""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Load the command line and run it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an interrupt while modules load ends the process, no traceback
    from llamax_cli import cli

    cli.main()


if __name__ == "__main__":
    main()
