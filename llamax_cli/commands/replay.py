"""`llamax replay`: runs made again from their manifests."""

from inspect import signature
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from llamax_cli.options.command import CompleteOptions
from llamax_cli.options.completion import add_completion
from llamax_cli.options.values import named_file


def replay(
    manifests: Annotated[
        list[Path],
        Argument(metavar="FILE...", help="Manifests of the runs to make again.", show_default=False),
    ],
    chain: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Folder with manifests of earlier runs, which are made again where an input was their output.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        Option(
            "-o",
            "--output",
            metavar="FOLDER",
            callback=named_file,
            help="Empty folder for what is made, instead of a temporary one.",
        ),
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Print the command lines, and stop.")] = False,
    quiet: Annotated[bool, Option("-q", "--quiet", help="Show no summary line.")] = False,
    debug: Annotated[bool, Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Make what a manifest tells of again, and say whether the bytes are the same.

    Writes a record for each output, with what has changed since: versions, or the content of a model. Nothing is
    written but in a folder of its own. The exit code is 0 if all outputs are the same, and 1 otherwise.

    Example: llamax replay epoch-0.json --chain .
    """
    from llamax_cli.provenance.replay import ReplayRequest, write_replay

    write_replay(ReplayRequest(tuple(manifests), chain, output, dry_run, quiet))


for option in signature(replay, eval_str=True).parameters.values():
    add_completion(option)
replay.command_class = CompleteOptions  # type: ignore[attr-defined]
