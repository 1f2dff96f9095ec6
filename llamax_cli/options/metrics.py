"""The options of metrics: which to compute, and how each of them is."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.errors import UsageError
from llamax_cli.options.command import NEUTRAL, READS, RUNS_CODE, Reads, Untrusted
from llamax_cli.options.completion import completed
from llamax_cli.options.values import listed, one_of, real_number
from llamax_cli.scoring.learned_metrics import AUTHORS, LEARNED
from llamax_cli.scoring.metrics import METRICS, MetricSettings
from llamax_cli.scoring.spm_models import PUBLISHED

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


Metrics = Annotated[
    str,
    Option(
        metavar="NAME,...",
        help=f"Metrics, one or several of {', '.join(METRICS)}; may be repeated.",
        autocompletion=completed(METRICS, as_list=True),
    ),
]
Spm = Annotated[
    str,
    Option(
        metavar="NAME|FILE",
        help=f"SentencePiece model of spBLEU: {', '.join(PUBLISHED)} or a file.",
        autocompletion=completed(PUBLISHED),
    ),
    READS,
]
Tokenize = Annotated[
    str,
    Option(
        metavar="NAME",
        callback=one_of(TOKENIZERS),
        help=f"Tokenizer of BLEU: {', '.join(TOKENIZERS)}; auto chooses by language, as sacreBLEU does.",
    ),
]
Lowercase = Annotated[
    bool, Option("--lowercase", help="Score without regard to case: spBLEU, BLEU and chrF++; TER always does.")
]
CometModel = Annotated[
    str | None,
    Option(metavar="NAME|FILE", help="Model of comet, by name or as a checkpoint."),
    READS,
    Untrusted(lambda model, folder: _checkpoint(model, folder) if model else ""),
]
MetricModel = Annotated[
    str | None,
    Option(
        metavar="NAME=NAME|FILE,...",
        help="Models of other metrics, by name or as a checkpoint: xcomet-xl=FILE.",
        autocompletion=completed([f"{name}=" for name in LEARNED], as_list=True),
    ),
    Reads(lambda value: [model for _, model in _models(value)]),
    Untrusted(_any_checkpoint),
]
CometPython = Annotated[
    str | None,
    Option(metavar="FILE", help="Python that has unbabel-comet; without it, $LLAMAX_COMET_PYTHON."),
    READS,
    RUNS_CODE,
]
AnyLanguage = Annotated[bool, Option("--any-language", help="Let models score languages that they do not know, too.")]
MetricCommand = Annotated[
    str | None,
    Option(
        metavar="TEXT",
        help="Command line of --metric command: it reads a line of JSON for each segment and writes its number.",
    ),
    RUNS_CODE,
]
LowerIsBetter = Annotated[
    bool,
    Option("--lower-is-better", help="The numbers of --metric-command or --by are errors: the lower, the better."),
]
MetricTimeout = Annotated[
    float,
    real_number(metavar="SECONDS", low=0.1, help="Longest wait for a number of --metric-command."),
    NEUTRAL,
]


def metric_options(
    metric: Metrics = "spbleu",
    spm: Spm = "flores101",
    tokenize: Tokenize = "auto",
    lowercase: Lowercase = False,
    comet_model: CometModel = None,
    metric_model: MetricModel = None,
    comet_python: CometPython = None,
    any_language: AnyLanguage = False,
    metric_command: MetricCommand = None,
    lower_is_better: LowerIsBetter = False,
    metric_timeout: MetricTimeout = 120.0,
) -> MetricSettings:
    """Return the metrics with their settings, by the options; UsageError where one is unknown."""
    return MetricSettings(
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
