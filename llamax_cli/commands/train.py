"""`llamax train`: continual pre-training on what `llamax mix` writes."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.options.command import READS, OptionGroup
from llamax_cli.options.training import WRITES_RUN, TrainingOptions, training_command, training_options


@training_command
def train(
    model: Annotated[
        str,
        Option(
            metavar="NAME|FOLDER|FILE",
            help="Model to train: a folder, a hub name, a GGUF file or, with --init, a config.json.",
        ),
        READS,
    ],
    data: Annotated[list[str], Option(metavar="FILE...", help="Samples, as llamax mix writes them."), READS],
    output: Annotated[
        Path,
        Option("-o", "--output", metavar="FOLDER", help="Output folder: checkpoints, metrics and the trained model."),
        WRITES_RUN,
    ],
    init: Annotated[bool, Option("--init", help="Start from random weights.")] = False,
    *,
    training: Annotated[TrainingOptions, OptionGroup(training_options)],
) -> None:
    """Train a model on samples, from one CPU to many GPUs.

    Checks everything first, then runs `accelerate launch`. Under Slurm, start this command once on each node.

    Example: llamax train --model llama2-7b --data mix.jsonl -o run
    """
    training.launch(model, data, output, init=init)
