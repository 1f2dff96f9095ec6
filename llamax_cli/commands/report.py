"""`llamax report`: tables, figures and a page of several systems."""

from inspect import signature
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from llamax_cli.options.averages import Central, Without
from llamax_cli.options.command import CompleteOptions
from llamax_cli.options.completion import add_completion, completed
from llamax_cli.options.values import codes, format_option, listed, named_file
from llamax_cli.scoring.metrics import METRICS
from llamax_cli.streams.tables import FORMATS

FIGURES = ("png", "svg", "pdf")


def report(
    systems: Annotated[
        list[str],
        Argument(
            metavar="SYSTEM=FILE,...",
            help="Name and files of each system; SYSTEM@BENCHMARK=FILE for another benchmark; a folder is its files.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        Option(
            "-o",
            "--output",
            metavar="FOLDER",
            callback=named_file,
            help="Folder to make; it appears once it is complete.",
        ),
    ],
    table: Annotated[str, format_option("--table", "Format of the tables", FORMATS)] = "md",
    metric: Annotated[
        str | None,
        Option(
            metavar="NAME,...",
            autocompletion=completed(METRICS, as_list=True),
            help="Show these metrics only, such as spbleu,comet.",
        ),
    ] = None,
    central: Central = None,
    not_: Without = None,
    tests: Annotated[
        list[str] | None,
        Option(
            metavar="A:B=FILE...",
            help="What score --against wrote of two systems; differences that it does not support are marked.",
        ),
    ] = None,
    gap: Annotated[str | None, Option(metavar="A:B", help="Also show the difference of two systems, B less A.")] = None,
    seen: Annotated[
        str | None,
        Option(metavar="FILE", help="Manifest of llamax mix; figures tell languages of the mixture from others."),
    ] = None,
    figures: Annotated[
        str,
        Option(
            metavar="FORMAT,...",
            autocompletion=completed((*FIGURES, "none"), as_list=True),
            help=f"Formats of the figures: {', '.join(FIGURES)}; none draws none.",
        ),
    ] = ",".join(FIGURES),
    quiet: Annotated[bool, Option("-q", "--quiet", help="Show no notes and no summary line.")] = False,
    debug: Annotated[bool, Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Put systems side by side: the paper's tables and figures, and one page, from records of other commands.

    Reads scores, off-target rates (langid --summary), accuracies (tune --eval), records of llamax analyze,
    translations, and results of lm-eval. All systems are averaged over the same directions; what one lacks is named.

    Example: llamax report LLaMAX=a.jsonl NLLB=b.jsonl -o report
    """
    from llamax_cli.reporting.report import ReportRequest, write_report
    from llamax_cli.scoring.summary import parse_left_out

    request = ReportRequest(
        systems=tuple(systems),
        output=output,
        table=table,
        metrics=listed(metric),
        central=codes(central),
        without=parse_left_out(listed(not_)),
        tests=tuple(tests or ()),
        gap=gap,
        seen=seen,
        formats=() if figures == "none" else listed(figures),
        quiet=quiet,
    )
    write_report(request)


for option in signature(report, eval_str=True).parameters.values():
    add_completion(option)
report.command_class = CompleteOptions  # type: ignore[attr-defined]
