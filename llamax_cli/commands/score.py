"""`llamax score`: scores of translations, summaries and comparisons."""

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from llamax_cli.options.averages import Central, Without
from llamax_cli.options.command import READS, WRITES, OptionGroup, command
from llamax_cli.options.completion import completed
from llamax_cli.options.metrics import metric_options
from llamax_cli.options.plain_text import PlainText, plain_translations
from llamax_cli.options.values import codes, format_option, listed, one_of, whole_number
from llamax_cli.scoring.metrics import METRICS, MetricSettings
from llamax_cli.streams.run import Run


def _trials(
    resamples: Annotated[
        int, whole_number(metavar="N", low=1, high=100_000, help="Number of resamples in the paired bootstrap.")
    ] = 1000,
    swaps: Annotated[
        int, whole_number(metavar="N", low=1, high=1_000_000, help="Number of trials in approximate randomization.")
    ] = 10000,
    seed: Annotated[int, whole_number(metavar="N", low=0, help="Random seed; the default is sacreBLEU's.")] = 12345,
) -> Any:
    """Return the trials of a comparison, by the options."""
    from llamax_cli.scoring.significance import Trials

    return Trials(resamples, swaps, seed)


@command(workers=True)
def score(
    run: Run,
    *,
    plain: Annotated[PlainText, OptionGroup(plain_translations)],
    settings: Annotated[MetricSettings, OptionGroup(metric_options)],
    ref: Annotated[
        list[str] | None,
        Option(
            metavar="FILE",
            help="References by id and language, instead of `tgt`; several files may hold several references.",
        ),
        READS,
    ] = None,
    segments: Annotated[bool, Option("--segments", help="Write each record with its own scores.")] = False,
    select: Annotated[
        str | None,
        Option(
            metavar="NAME",
            callback=one_of(("best",)),
            help="Write the best candidate for each translation: by its mean score with all candidates as references, "
            "or by its score where the metric needs none.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        Option(
            metavar="KEY",
            help="With --select best, rank by this number in the records instead.",
            autocompletion=completed(METRICS),
        ),
    ] = None,
    summary: Annotated[
        bool,
        Option("--summary", help="Write averages from and into a central language: low, high and all resources."),
    ] = False,
    central: Central = None,
    not_: Without = None,
    against: Annotated[
        str | None,
        Option(metavar="FILE", help="Compare with the translations of another system, with p-values."),
        READS,
    ] = None,
    trials: Annotated[Any, OptionGroup(_trials)],
    correction: Annotated[
        str,
        Option(
            metavar="NAME",
            callback=one_of(("holm", "bh")),
            help="Correction of p-values for the number of directions: holm or bh.",
        ),
    ] = "holm",
    table: Annotated[
        str | None, format_option("--table", "Write a table instead of records", ("md", "csv", "latex"))
    ] = None,
    heatmap: Annotated[
        Path | None,
        Option(metavar="FILE", help="Also draw the matrix of scores, or of differences, as .png, .pdf or .svg."),
        WRITES,
    ] = None,
    order: Annotated[
        str,
        Option(
            metavar="NAME",
            callback=one_of(("family", "resource")),
            help="Order of the languages in the heatmap: family or resource.",
        ),
    ] = "family",
) -> None:
    """Score translations: spBLEU, chrF++, BLEU, TER, COMET, MetricX and others of any number of directions.

    Reads translations (`mt`) with references (`tgt`, or --ref), in any order, and scores from earlier runs. Every
    number is that of sacreBLEU, COMET or MetricX itself, and carries its signature.

    Example: llamax score translations.jsonl --summary --table md
    """
    from llamax_cli.scoring.score_run import ScoreRequest, write_scores
    from llamax_cli.scoring.summary import parse_left_out

    run.read_through(plain)
    request = ScoreRequest(
        references=tuple(ref or ()),
        segments=segments,
        select=select,
        by=by,
        summary=summary,
        central=codes(central),
        without=parse_left_out(listed(not_)),
        against=against,
        trials=trials,
        correction=correction,
        table=table,
        heatmap=heatmap,
        order=order,
    )
    write_scores(run, settings, request)
