"""`llamax train`: continual pre-training on what `llamax mix` writes."""

import os
from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo

from llamax_cli.options import one_of


def train(
    model: Annotated[
        str, Option(metavar="FOLDER|NAME", help="What to train: a folder, a model of the hub, or with --init a config.")
    ],
    data: Annotated[list[str], Option(metavar="FILE", help="Samples as llamax mix writes them; may be repeated.")],
    output: Annotated[
        Path, Option("-o", "--output", metavar="DIR", help="Checkpoints, metrics and the model go here.")
    ],
    config: Annotated[Path | None, Option(metavar="FILE", help="Settings, as TOML.", show_default=False)] = None,
    set_: Annotated[
        list[str] | None, Option("--set", metavar="KEY=VALUE", help="A setting; may be repeated.", show_default=False)
    ] = None,
    tokenizer: Annotated[
        str | None, Option(metavar="FOLDER|NAME", help="Tokenizer, where not the model's.", show_default=False)
    ] = None,
    init: Annotated[bool, Option("--init", help="Begin with weights drawn anew.")] = False,
    resume: Annotated[
        str | None,
        Option(metavar="auto", callback=one_of(("auto",)), help="Go on from the latest checkpoint, if there is one."),
    ] = None,
    freeze: Annotated[
        list[str] | None, Option(metavar="PATTERN", help="Weights that stay; may be repeated.", show_default=False)
    ] = None,
    lora: Annotated[int | None, Option(metavar="RANK", help="Train LoRA of this rank.", show_default=False)] = None,
    keep: Annotated[int | None, Option(metavar="N", help="Checkpoints that are kept.", show_default=False)] = None,
    preflight: Annotated[bool, Option("--preflight", help="Say what the run will take, and stop.")] = False,
    throughput: Annotated[
        float | None,
        Option(metavar="N", help="With --preflight: tokens a second of one GPU, for the days.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Show the call of accelerate, and stop.")] = False,
    quiet: Annotated[bool, Option("-q", "--quiet", help="No progress, no summary line.")] = False,
    debug: Annotated[bool, Option("--debug", help="Show the traceback of an error.")] = False,
    flags: Annotated[
        list[str] | None, Argument(metavar="[-- FLAG...]", help="For accelerate launch.", show_default=False)
    ] = None,
) -> None:
    """Train a model on samples, from one CPU to many GPUs.

    Checks everything first, then becomes `accelerate launch`. Under Slurm, one task a node is the whole command.

    Example: llamax train --model llama2-7b --data mix.jsonl -o run
    """
    from llamax_cli.model.training import launching, request

    shortcuts = request.shortcuts(freeze=freeze, lora=lora, keep=keep)
    job = request.job(model, tokenizer, data, output, config, [*(set_ or ()), *shortcuts], init, resume, quiet)
    flags = request.accelerate_flags(flags)
    places = launching.adjusted(launching.machines(os.environ), flags)
    shape = launching.check(job)
    line = launching.command_line(job, places, flags)
    if preflight:
        for name, value in launching.preflight(job, shape, places, throughput):
            echo(f"{name:<10} {value}")
    if dry_run:
        echo(launching.shown(line))
    if not (preflight or dry_run):
        launching.check_room(job, shape)
        launching.warn(job, shape, places)
        launching.launch(job, places, line)
