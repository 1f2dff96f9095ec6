"""`llamax tune`: instructions, chats and tasks; accuracy; averages of models."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.instructions.questions import TASKS
from llamax_cli.options import training as shared
from llamax_cli.options.values import one_of


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
    config: shared.Config = None,
    set_: shared.Set = None,
    tokenizer: shared.Tokenizer = None,
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
    """Tune a model on instructions, chats or a task; measure it; average models.

    Trains as llamax train does, with loss on what is answered, and with its settings, but for these: batch = 128,
    batch_of = "records", epochs = 3, weight_decay = 0, beta2 = 0.999. The learning_rate is the same, 2e-5.

    Example: llamax tune --model run/model --data alpaca.json -o tuned
    """
    from llamax_cli.training import launching, request
    from llamax_cli.tuning import purpose

    training: dict[str, object] = {"--config": config, "--set": set_, "--tokenizer": tokenizer, "--resume": resume}
    training |= {"--freeze": freeze, "--lora": lora, "--keep": keep, "--preflight": preflight, "--dry-run": dry_run}
    training |= {"--throughput": throughput, " ".join(flags or ()): flags}
    match purpose.purpose(model, data, output, task, eval_, average, training):
        case "average":
            from llamax_cli.tuning import averaging

            averaging.write([Path(each) for each in average or ()], output or Path(), quiet=quiet)
        case "measure":
            from llamax_cli.tuning import evaluation

            evaluation.write(model or "", task or "", [Path(each) for each in eval_ or ()], quiet=quiet)
        case "train":
            settings = [*(set_ or ()), *request.shortcuts(freeze=freeze, lora=lora, keep=keep)]
            job = request.job(
                model or "",
                tokenizer,
                data or (),
                output or Path(),
                file=config,
                settings=settings,
                resume=resume,
                quiet=quiet,
                command="tune",
                task=task or "",
                tests=eval_ or (),
            )
            launching.start(job, flags, preflight=preflight, throughput=throughput, dry_run=dry_run)


tune.command_class = shared.TrainingCommand  # type: ignore[attr-defined]
