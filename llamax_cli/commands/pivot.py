"""`llamax pivot`: translations through a third language."""

from dataclasses import replace
from typing import Annotated

from typer import Option

from llamax_cli.errors import UsageError
from llamax_cli.models.gguf import model_folder
from llamax_cli.options import model as flags
from llamax_cli.options.command import READS, OptionGroup, command
from llamax_cli.options.plain_text import PlainText, plain_text
from llamax_cli.options.values import codes, format_option, one_of
from llamax_cli.streams.run import Run
from llamax_cli.translation.pivot import run_pivot


@command(shard=True, ranks=True)
def pivot(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_text)],
    options: Annotated[flags.TranslationOptions, OptionGroup(flags.translation_options)],
    via: Annotated[str, Option(metavar="LANGUAGE", help="Pivot language.")] = "en",
    only: Annotated[
        str | None,
        Option(
            metavar="off-target",
            callback=one_of(["off-target"]),
            help="Pivot only the records that langid found off target; pass the others on.",
            show_default=False,
        ),
    ] = None,
    second_model: Annotated[
        str | None,
        Option(
            metavar="NAME|FOLDER|FILE",
            help="Model for the second step, from the pivot language; by default the same.",
            show_default=False,
        ),
        READS,
    ] = None,
    as_: Annotated[str, format_option("--as", flags.AS_HELP, flags.AS)] = "records",
) -> None:
    """Translate through a third language: all records, or those that are off target.

    Each source is translated into the pivot language, and from there into the target, by the same model. The text in
    between is kept in `pivot`. A direction that begins or ends in the pivot language is translated in one step; with
    --only, its records are passed on unchanged.

    Example: llamax pivot marked.jsonl --via en --only off-target --model LLaMAX/LLaMAX3-8B-Alpaca
    """
    run.read_through(plain)
    pivots = codes(via)
    if len(pivots) != 1:
        raise UsageError("--via takes one language")
    choices = [replace(options.choice, is_resumable=run.is_resumable)]
    if second_model:
        choices.append(replace(choices[0], model=model_folder(second_model), lora=None))
    run_pivot(
        run,
        choices,
        options.decoding,
        options.languages,
        pivots[0],
        only_off_target=only is not None,
        as_text=as_ == "text",
    )
