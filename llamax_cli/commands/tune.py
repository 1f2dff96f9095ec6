"""`llamax tune`: instructions, chats and tasks; accuracy; averages of models."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.instructions.questions import TASKS
from llamax_cli.options.command import OptionGroup
from llamax_cli.options.training import TrainingOptions, training_command, training_options
from llamax_cli.options.values import one_of


@training_command
def tune(
    model: Annotated[
        str | None, Option(metavar="FOLDER|NAME", help="What to tune, or to measure.", show_default=False)
    ] = None,
    data: Annotated[
        list[str] | None,
        Option(metavar="FILE...", help="Alpaca, prompt and completion, or chats: JSON or JSONL.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, Option("-o", "--output", metavar="DIR", help="Where all goes that is made.", show_default=False)
    ] = None,
    task: Annotated[
        str | None,
        Option(
            metavar="NAME",
            callback=one_of(TASKS),
            help=f"The files are those of {', '.join(TASKS)}.",
            show_default=False,
        ),
    ] = None,
    eval_: Annotated[
        list[str] | None,
        Option("--eval", metavar="FILE...", help="Measure accuracy on these files of the task.", show_default=False),
    ] = None,
    average: Annotated[
        list[str] | None,
        Option(metavar="DIR...", help="Instead: write the mean of these models to -o.", show_default=False),
    ] = None,
    *,
    training: Annotated[TrainingOptions, OptionGroup(training_options)],
) -> None:
    """Tune a model on instructions, chats or a task; measure it; average models.

    Trains as llamax train does, with loss on what is answered, and with its settings, but for these: batch = 128,
    batch_of = "records", epochs = 3, weight_decay = 0, beta2 = 0.999. The learning_rate is the same, 2e-5.

    Example: llamax tune --model run/model --data alpaca.json -o tuned
    """
    from llamax_cli.tuning.mode import choose_mode

    match choose_mode(model, data, output, task, eval_, average, training.given):
        case "average":
            from llamax_cli.tuning.averaging import write_average

            write_average(list(map(Path, average or ())), output or Path(), quiet=training.quiet)
        case "evaluate":
            from llamax_cli.tuning.evaluation import evaluate

            evaluate(model or "", task or "", list(map(Path, eval_ or ())), quiet=training.quiet)
        case "train":
            training.launch(
                model or "", data or (), output or Path(), command="tune", task=task or "", tests=eval_ or ()
            )
