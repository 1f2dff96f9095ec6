"""`llamax analyze shift`: the tokens whose embeddings a tuned model has shifted."""

from typing import Annotated

from typer import Option

from llamax_cli.options.command import READS, command
from llamax_cli.options.values import format_option, one_of, share
from llamax_cli.registry import importing
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import FORMATS


@command(group="analyze", standalone_options=("base",), takes=None)
def analyze_shift(
    run: Run,
    base: Annotated[
        str,
        Option(metavar="NAME|FOLDER|FILE", help="Model before tuning: a folder, a name on the hub, or a GGUF file."),
        READS,
    ],
    tuned: Annotated[str, Option(metavar="NAME|FOLDER|FILE", help="Model after tuning."), READS],
    alpha: Annotated[
        float, share(metavar="SHARE", help="Level of significance: a token with a smaller p has shifted.")
    ] = 0.05,
    layer: Annotated[
        str,
        Option(
            metavar="NAME", callback=one_of(("embedding", "output")), help="Embeddings: embedding (input) or output."
        ),
    ] = "embedding",
    tokens: Annotated[bool, Option("--tokens", help="Write a record for each token of the vocabulary.")] = False,
    table: Annotated[str | None, format_option("--table", "Write a table instead of records", FORMATS)] = None,
) -> None:
    """Find the tokens whose embeddings a tuned model has shifted, by Kolmogorov-Smirnov tests (KS-Lottery).

    Reads two models, and nothing from standard input. Writes how many tokens have shifted, which, and the mean
    statistic of theirs (appendix E).

    Example: llamax analyze shift --base llama2-7b --tuned run/model
    """
    with importing():
        from llamax_cli.analysis.shift import ShiftRequest, write_shifts
        from llamax_cli.models.gguf import model_folder

    write_shifts(run, ShiftRequest(model_folder(base), model_folder(tuned), alpha, layer, tokens, table))
