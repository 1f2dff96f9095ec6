"""The entry point of `llamax` and of `python -m llamax_cli`."""


def main() -> None:
    """Load the command line and run it."""
    import _signal  # type: ignore[import-not-found]  # it is part of the interpreter, whereas `signal` loads modules itself

    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # an interrupt while modules load ends the process, no traceback
    from llamax_cli import cli

    cli.main()


if __name__ == "__main__":
    main()
