"""`llamax pivot`: translations by way of a third language."""

from dataclasses import replace
from typing import Annotated

from typer import Option

from llamax_cli.errors import UsageError
from llamax_cli.options import model as flags
from llamax_cli.options.command import OptionGroup, command
from llamax_cli.options.values import codes, one_of
from llamax_cli.streams.run import Run
from llamax_cli.translation.pivot import run_pivot


@command(shard=True, ranks=True)
def pivot(
    run: Run,
    options: Annotated[flags.TranslationOptions, OptionGroup(flags.translation_options)],
    via: Annotated[str, Option(metavar="LANG", help="The language in between.")] = "en",
    only: Annotated[
        str | None,
        Option(
            metavar="off-target",
            callback=one_of(["off-target"]),
            help="Pivot what langid found in the wrong language, pass on the rest.",
            show_default=False,
        ),
    ] = None,
    second_model: Annotated[
        str | None, Option(metavar="NAME|DIR", help="Another model for the way back.", show_default=False)
    ] = None,
) -> None:
    """Translate by way of a third language, all records or those that went astray.

    Source to `--via`, then on to the target, with one load of the model; the text in between is kept in `pivot`. A
    direction that begins or ends in that language is translated at once, or with --only passed on as it is.

    Example: llamax pivot marked.jsonl --via en --only off-target --model LLaMAX/LLaMAX3-8B-Alpaca
    """
    pivots = codes(via)
    if len(pivots) != 1:
        raise UsageError("--via takes one language")
    choices = [options.choice]
    if second_model:
        choices.append(replace(options.choice, model=second_model, lora=None))
    run_pivot(run, choices, options.decoding, options.languages, pivots[0], only_off_target=only is not None)
