"""`llamax score`: scores of translations, summaries and comparisons."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.errors import UsageError
from llamax_cli.options.averages import Central, Without
from llamax_cli.options.command import NEUTRAL, READS, RUNS_CODE, WRITES, OptionGroup, Reads, Untrusted, command
from llamax_cli.options.completion import completed
from llamax_cli.options.plain_text import PlainText, plain_translations
from llamax_cli.options.values import codes, format_option, listed, one_of, real_number, whole_number
from llamax_cli.scoring.learned_metrics import AUTHORS, LEARNED
from llamax_cli.scoring.metrics import METRICS
from llamax_cli.scoring.spm_models import PUBLISHED
from llamax_cli.streams.run import Run

TOKENIZERS = ("auto", "13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "none")


def _checkpoint(model: str, folder: Path) -> str:
    """Return why a COMET model may hold code, which PyTorch would run; "" for one by the authors of a metric."""
    is_published = model.partition("/")[0] in AUTHORS and not (folder / model).exists()
    return "" if is_published else "is a checkpoint, which may hold code"


def _any_checkpoint(value: str | None, folder: Path) -> str:
    return next((reason for _, model in _models(value) if (reason := _checkpoint(model, folder))), "")


def _models(value: str | None) -> list[tuple[str, str]]:
    """Return the models of metrics: `_models("xcomet-xl=a.ckpt") -> [("xcomet-xl", "a.ckpt")]`."""
    pairs = [(name, model) for name, _, model in (item.partition("=") for item in listed(value))]
    if wrong := next((name for name, model in pairs if not model), None):
        raise UsageError(f"--metric-model {wrong}: write NAME=MODEL, such as xcomet-xl=model.ckpt")
    return pairs


@command(workers=True)
def score(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_translations)],
    metric: Annotated[
        str,
        Option(
            metavar="NAME,...",
            help=f"Metrics, one or several of {', '.join(METRICS)}; may be repeated.",
            autocompletion=completed(METRICS, as_list=True),
        ),
    ] = "spbleu",
    spm: Annotated[
        str,
        Option(
            metavar="NAME|FILE",
            help=f"SentencePiece model of spBLEU: {', '.join(PUBLISHED)} or a file.",
            autocompletion=completed(PUBLISHED),
        ),
        READS,
    ] = "flores101",
    tokenize: Annotated[
        str,
        Option(
            metavar="NAME",
            callback=one_of(TOKENIZERS),
            help=f"Tokenizer of BLEU: {', '.join(TOKENIZERS)}; auto chooses by language, as sacreBLEU does.",
        ),
    ] = "auto",
    ref: Annotated[
        list[str] | None,
        Option(
            metavar="FILE",
            help="References by id and language, instead of `tgt`; several files may hold several references.",
        ),
        READS,
    ] = None,
    lowercase: Annotated[
        bool, Option("--lowercase", help="Score without regard to case: spBLEU, BLEU and chrF++; TER always does.")
    ] = False,
    segments: Annotated[bool, Option("--segments", help="Write each record with its own scores.")] = False,
    select: Annotated[
        str | None,
        Option(
            metavar="NAME",
            callback=one_of(("best",)),
            help="Write the best candidate for each translation: the one whose mean score by the metric is best, with "
            "all candidates as references.",
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
    resamples: Annotated[
        int, whole_number(metavar="N", low=1, high=100_000, help="Number of resamples in the paired bootstrap.")
    ] = 1000,
    swaps: Annotated[
        int, whole_number(metavar="N", low=1, high=1_000_000, help="Number of trials in approximate randomization.")
    ] = 10000,
    seed: Annotated[int, whole_number(metavar="N", low=0, help="Random seed; the default is sacreBLEU's.")] = 12345,
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
    comet_model: Annotated[
        str | None,
        Option(metavar="NAME|FILE", help="Model of comet, by name or as a checkpoint."),
        READS,
        Untrusted(lambda model, folder: _checkpoint(model, folder) if model else ""),
    ] = None,
    metric_model: Annotated[
        str | None,
        Option(
            metavar="NAME=NAME|FILE,...",
            help="Models of other metrics, by name or as a checkpoint: xcomet-xl=FILE.",
            autocompletion=completed([f"{name}=" for name in LEARNED], as_list=True),
        ),
        Reads(lambda value: [model for _, model in _models(value)]),
        Untrusted(_any_checkpoint),
    ] = None,
    comet_python: Annotated[
        str | None,
        Option(metavar="FILE", help="Python that has unbabel-comet; without it, $LLAMAX_COMET_PYTHON."),
        READS,
        RUNS_CODE,
    ] = None,
    any_language: Annotated[
        bool, Option("--any-language", help="Let models score languages that they do not know, too.")
    ] = False,
    metric_command: Annotated[
        str | None,
        Option(
            metavar="TEXT",
            help="Command line of --metric command: it reads a line of JSON for each segment and writes its number.",
        ),
        RUNS_CODE,
    ] = None,
    lower_is_better: Annotated[
        bool,
        Option("--lower-is-better", help="The numbers of --metric-command or --by are errors: the lower, the better."),
    ] = False,
    metric_timeout: Annotated[
        float,
        real_number(metavar="SECONDS", low=0.1, help="Longest wait for a number of --metric-command."),
        NEUTRAL,
    ] = 120.0,
) -> None:
    """Score translations: spBLEU, chrF++, BLEU, TER, COMET, MetricX and others of any number of directions.

    Reads translations (`mt`) with references (`tgt`, or --ref), in any order, and scores from earlier runs. Every
    number is that of sacreBLEU, COMET or MetricX itself, and carries its signature.

    Example: llamax score translations.jsonl --summary --table md
    """
    from llamax_cli.scoring.metrics import MetricSettings
    from llamax_cli.scoring.score_run import ScoreRequest, write_scores
    from llamax_cli.scoring.significance import Trials
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
        trials=Trials(resamples, swaps, seed),
        correction=correction,
        table=table,
        heatmap=heatmap,
        order=order,
    )
    settings = MetricSettings(
        metrics=listed(metric),
        spm=spm,
        tokenize=tokenize,
        models=(*_models(metric_model), *([("comet", comet_model)] if comet_model else [])),
        comet_python=comet_python,
        lowercase=lowercase,
        command=metric_command,
        lower_is_better=lower_is_better,
        timeout=metric_timeout,
        any_language=any_language,
    )
    write_scores(run, settings, request)
