"""`llamax tune`: tuning on instructions, chats and tasks; accuracy; averages of models."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.instructions.questions import TASKS
from llamax_cli.options.command import READS, OptionGroup
from llamax_cli.options.training import WRITES_RUN, TrainingOptions, training_command, training_options
from llamax_cli.options.values import one_of
from llamax_cli.registry import importing


@training_command
def tune(
    model: Annotated[
        str | None,
        Option(
            metavar="NAME|FOLDER|FILE",
            help="Model to tune or to evaluate: a folder, a hub name or a GGUF file.",
            show_default=False,
        ),
        READS,
    ] = None,
    data: Annotated[
        list[str] | None,
        Option(
            metavar="FILE...",
            help="Data to tune on: Alpaca, prompt and completion, or chats, as JSON or JSONL.",
            show_default=False,
        ),
        READS,
    ] = None,
    output: Annotated[
        Path | None,
        Option(
            "-o",
            "--output",
            metavar="FOLDER",
            help="Output folder: checkpoints, metrics and the tuned model.",
            show_default=False,
        ),
        WRITES_RUN,
    ] = None,
    task: Annotated[
        str | None,
        Option(
            metavar="NAME",
            callback=one_of(TASKS),
            help=f"Task of the files: {', '.join(TASKS)}.",
            show_default=False,
        ),
    ] = None,
    eval_: Annotated[
        list[str] | None,
        Option("--eval", metavar="FILE...", help="Files of the task to measure the accuracy on.", show_default=False),
        READS,
    ] = None,
    average: Annotated[
        list[str] | None,
        Option(metavar="FOLDER...", help="Average these models and write the mean to -o.", show_default=False),
        READS,
    ] = None,
    *,
    training: Annotated[TrainingOptions, OptionGroup(training_options)],
) -> None:
    """Tune a model on instructions, chats or a task; measure it; average models.

    Trains as llamax train does, with the loss on the answers only. These settings have other defaults: batch = 128,
    batch_of = "records", epochs = 3, weight_decay = 0, beta2 = 0.999. The learning_rate is the same, 2e-5.

    Example: llamax tune --model run/model --data alpaca.json -o tuned
    """
    from llamax_cli.tuning.mode import choose_mode

    match choose_mode(model, data, output, task, eval_, average, training.given):
        case "average":
            with importing():
                from llamax_cli.tuning.averaging import write_average

            write_average(list(map(Path, average or ())), output or Path(), quiet=training.quiet)
        case "evaluate":
            from llamax_cli.models.contracts import ModelChoice
            from llamax_cli.models.gguf import model_folder
            from llamax_cli.tuning.evaluation import evaluate

            trusted = training.trust_remote_code
            choice = ModelChoice(model_folder(model or ""), trust_remote_code=trusted, is_resumable=False)
            evaluate(choice, task or "", list(map(Path, eval_ or ())), quiet=training.quiet)
        case "train":
            training.launch(
                model or "", data or (), output or Path(), command="tune", task=task or "", tests=eval_ or ()
            )
