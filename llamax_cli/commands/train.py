"""`llamax train`: continual pre-training on what `llamax mix` writes."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.options import training as shared


def train(
    model: Annotated[
        str, Option(metavar="FOLDER|NAME", help="What to train: a folder, a model of the hub, or with --init a config.")
    ],
    data: Annotated[list[str], Option(metavar="FILE", help="Samples as llamax mix writes them; may be repeated.")],
    output: Annotated[
        Path, Option("-o", "--output", metavar="DIR", help="Checkpoints, metrics and the model go here.")
    ],
    config: shared.Config = None,
    set_: shared.Set = None,
    tokenizer: shared.Tokenizer = None,
    init: Annotated[bool, Option("--init", help="Begin with weights drawn anew.")] = False,
    resume: shared.Resume = None,
    freeze: shared.Freeze = None,
    lora: shared.Lora = None,
    keep: shared.Keep = None,
    preflight: shared.Preflight = False,
    throughput: shared.Throughput = None,
    dry_run: shared.DryRun = False,
    quiet: shared.Quiet = False,
    debug: shared.Debug = False,
    flags: shared.Flags = None,
) -> None:
    """Train a model on samples, from one CPU to many GPUs.

    Checks everything first, then becomes `accelerate launch`. Under Slurm, one task a node is the whole command.

    Example: llamax train --model llama2-7b --data mix.jsonl -o run
    """
    from llamax_cli.training import launching, request

    settings = [*(set_ or ()), *request.shortcuts(freeze=freeze, lora=lora, keep=keep)]
    job = request.job(
        model, tokenizer, data, output, file=config, settings=settings, resume=resume, quiet=quiet, init=init
    )
    launching.start(job, flags, preflight=preflight, throughput=throughput, dry_run=dry_run)


train.command_class = shared.TrainingCommand  # type: ignore[attr-defined]
