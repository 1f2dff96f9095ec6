"""`llamax score`: translations to scores, summaries and comparisons."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.options.shared import codes, command, format_option, listed, one_of
from llamax_cli.streams.run import Run


@command(workers=True)
def score(
    run: Run,
    metric: Annotated[
        str, Option(metavar="NAME,...", help="spbleu, bleu, chrf++, ter and comet, any of them.")
    ] = "spbleu",
    spm: Annotated[
        str, Option(metavar="NAME|FILE", help="Pieces of spBLEU: flores101, flores200 or a model.")
    ] = "flores101",
    tokenize: Annotated[
        str,
        Option(
            metavar="NAME",
            callback=one_of(("auto", "13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "none")),
            help="Words of BLEU: auto chooses by language, as sacreBLEU does.",
        ),
    ] = "auto",
    ref: Annotated[
        list[str] | None,
        Option(metavar="FILE", help="References by id and language, instead of `tgt`.", show_default=False),
    ] = None,
    segments: Annotated[bool, Option("--segments", help="Write each record with its own scores.")] = False,
    summary: Annotated[
        bool, Option("--summary", help="Write averages out of and into a language: low, high, all.")
    ] = False,
    central: Annotated[
        str | None, Option(metavar="LANG,...", help="Languages of the summary, where not all that are central.")
    ] = None,
    not_: Annotated[
        str | None,
        Option("--not", metavar="LANG,...|85", help="Leave out of averages; 85: as the paper's second table."),
    ] = None,
    against: Annotated[
        str | None, Option(metavar="FILE", help="Compare with another system's translations, with p-values.")
    ] = None,
    resamples: Annotated[int, Option(metavar="N", min=1, help="Resamples of the paired bootstrap.")] = 1000,
    swaps: Annotated[int, Option(metavar="N", min=1, help="Trials of approximate randomisation.")] = 10000,
    seed: Annotated[int, Option(min=0, help="Another seed, other resamples; 12345 is sacreBLEU's.")] = 12345,
    correction: Annotated[
        str,
        Option(metavar="NAME", callback=one_of(("holm", "bh")), help="For the number of directions: holm or bh."),
    ] = "holm",
    table: Annotated[
        str | None, format_option("--table", "Write a table instead of records", ("md", "csv", "latex"))
    ] = None,
    heatmap: Annotated[
        Path | None, Option(metavar="FILE", help="Also draw the matrix: .png, .pdf or .svg.", show_default=False)
    ] = None,
    order: Annotated[
        str, Option(metavar="NAME", callback=one_of(("family", "resource")), help="Order of its languages.")
    ] = "family",
    comet_model: Annotated[
        str, Option(metavar="NAME|FILE", help="A COMET model or checkpoint.")
    ] = "Unbabel/wmt22-comet-da",
    comet_python: Annotated[
        str | None, Option(metavar="PATH", help="The Python that has unbabel-comet; see also LLAMAX_COMET_PYTHON.")
    ] = None,
) -> None:
    """Score translations: spBLEU, chrF++, BLEU, TER and COMET of any number of directions.

    Reads translations (`mt`) with references (`tgt`, or --ref), in any order, and scores from before. Every number is
    sacreBLEU's or COMET's own, and carries its signature.

    Example: llamax score translations.jsonl --summary --table md
    """
    from llamax_cli.scoring.metrics import MetricSettings
    from llamax_cli.scoring.score_run import ScoreRequest, write_scores
    from llamax_cli.scoring.significance import Trials
    from llamax_cli.scoring.summary import parse_left_out

    request = ScoreRequest(
        references=tuple(ref or ()),
        segments=segments,
        summary=summary,
        central=codes(central),
        without=parse_left_out(listed(not_)),
        against=against,
        trials=Trials(resamples, swaps, seed),
        correction=correction,
        table=table,
        heatmap=heatmap,
        order=order,
    )
    write_scores(run, MetricSettings(listed(metric), spm, tokenize, comet_model, comet_python), request)
