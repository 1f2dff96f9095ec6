"""The flags that `llamax train` and `llamax tune` share."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from llamax_cli.options.command import FilesAfterOptions
from llamax_cli.options.values import one_of

RANK = 16  # of LoRA, where --lora says none

Config = Annotated[Path | None, Option("--config", metavar="FILE", help="Settings, as TOML.", show_default=False)]
Set = Annotated[
    list[str] | None, Option("--set", metavar="KEY=VALUE", help="A setting; may be repeated.", show_default=False)
]
Tokenizer = Annotated[
    str | None,
    Option("--tokenizer", metavar="FOLDER|NAME", help="Tokenizer, where not the model's.", show_default=False),
]
Resume = Annotated[
    str | None,
    Option(
        "--resume",
        metavar="auto",
        callback=one_of(("auto",)),
        help="Go on from the latest checkpoint, if there is one.",
    ),
]
Freeze = Annotated[
    list[str] | None,
    Option("--freeze", metavar="PATTERN", help="Weights that stay; may be repeated.", show_default=False),
]
Lora = Annotated[
    int | None, Option("--lora", metavar="[RANK]", help=f"Train LoRA, of rank {RANK} or this.", show_default=False)
]
Keep = Annotated[int | None, Option("--keep", metavar="N", help="Checkpoints that are kept.", show_default=False)]
Preflight = Annotated[bool, Option("--preflight", help="Say what the run will take, and stop.")]
Throughput = Annotated[
    float | None,
    Option(
        "--throughput",
        metavar="N",
        help="With --preflight: tokens a second of one GPU, for the days.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, Option("--dry-run", help="Show the call of accelerate, and stop.")]
Quiet = Annotated[bool, Option("-q", "--quiet", help="No progress, no summary line.")]
Debug = Annotated[bool, Option("--debug", help="Show the traceback of an error.")]
Flags = Annotated[list[str] | None, Argument(metavar="[-- FLAG...]", help="For accelerate launch.", show_default=False)]


class TrainingCommand(FilesAfterOptions):
    """A command whose repeatable options take all that follows, and whose `--lora` needs no rank."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give `--lora` the usual rank where no number follows."""
        end = args.index("--") if "--" in args else len(args)
        filled: list[str] = []
        for place, argument in enumerate(args[:end]):
            filled.append(argument)
            following = args[place + 1] if place + 1 < end else ""
            if argument == "--lora" and not following.removeprefix("-").isdecimal():
                filled.append(str(RANK))
        return super().parse_args(ctx, filled + args[end:])
